/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to ingress/: going through the entries of a cache that match a query, a page at
 * a time. What may not be shown, and what a later entry of the same URL and variant hides,
 * is left out; those of one URL are never on two pages.
 */
#ifndef HF_INGRESS_CACHE_SCAN_H
#define HF_INGRESS_CACHE_SCAN_H

#include "ingress/cache_query.h"

struct hf_cache_scan {
	struct hf_cache_call *c;
	const struct hf_cache_query *query;
	/* The page is there, in the order of storing. Not called when the call is over. */
	void (*page)(struct hf_cache_scan *scan, int err);
	struct hf_cache_scanned {
		uint64_t order;
		struct hf_stored *s;
	} v[HF_SHELF_LIST_MAX];
	size_t n;
	bool more;
	uint64_t next; /* where the page after it begins */
	struct hf_shelf_list list;
};

/* Begins a page behind @after (0: the first one). Zeroed before. */
void hf_cache_scan_page(struct hf_cache_scan *scan, uint64_t after);
void hf_cache_scan_finish(struct hf_cache_scan *scan);

#endif

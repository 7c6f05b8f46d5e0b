/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions of routes, as in the Service Worker static routing API: urlPattern,
 * requestMethod, requestMode and requestDestination together mean "and"; "or"
 * and "not" stand alone.
 */
#ifndef HF_WORKER_CONDITION_H
#define HF_WORKER_CONDITION_H

#include "base/buf.h"
#include "worker/json_read.h"

#define HF_CONDITIONS_MAX      1024 /* of one manifest, inner ones included */
#define HF_CONDITION_DEPTH_MAX 10

struct hf_url_pattern; /* http/url_pattern.h */

/* What is known of a request. Unknown mode or destination (empty): conditions on
 * them do not match. */
struct hf_condition_facts {
	struct hf_span method;
	struct hf_span path;	    /* normalised */
	struct hf_span query;	    /* ptr NULL: none */
	struct hf_span mode;	    /* Sec-Fetch-Mode */
	struct hf_span destination; /* Sec-Fetch-Dest */
	bool any_method;	    /* conditions without requestMethod match every method, else
			  * GET and HEAD */
};

enum hf_condition_kind {
	HF_CONDITION_ALL,
	HF_CONDITION_OR,
	HF_CONDITION_NOT,
};

struct hf_condition {
	enum hf_condition_kind kind;
	bool has_method; /* names a requestMethod, in it or below */
	/* HF_CONDITION_ALL: each may be NULL */
	struct hf_url_pattern *pattern;
	char *pattern_text, *method, *mode, *destination;
	/* HF_CONDITION_OR, HF_CONDITION_NOT (one) */
	struct hf_condition **inner;
	size_t inner_n;
};

/* NULL after a fault or without memory. *@count grows by the conditions read. */
struct hf_condition *hf_condition_read(struct hf_json_doc *d, const struct cJSON *item,
				       unsigned *count);
void hf_condition_destroy(struct hf_condition *c);
/* @c NULL: matches every path. No allocation. */
bool hf_condition_match(const struct hf_condition *c, const struct hf_condition_facts *facts);
/* False when every request that matches is a GET or a HEAD. */
bool hf_condition_has_other_methods(const struct hf_condition *c);
/* Appends a text that is equal for equal conditions only. */
int hf_condition_key(const struct hf_condition *c, struct hf_buf *out);

#endif

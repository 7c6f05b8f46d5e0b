/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker manifest (JSON): what a page's service worker would do, declared.
 * Vocabulary of the Service Worker static routing API and of Workbox.
 *
 * Every fault is reported with file:line; unknown keys are faults with the
 * nearest known key as a suggestion. Limits: 1024 conditions, nesting depth 10
 * (as the static routing API), HF_MANIFEST_BYTES_MAX.
 */
#ifndef HF_WORKER_MANIFEST_H
#define HF_WORKER_MANIFEST_H

#include "base/buf.h"
#include "base/span.h"
#include "holdfast/policy.h"
#include "holdfast/sync_action.h"
#include "worker/cache_rule.h"
#include "worker/lane_rule.h"

#define HF_MANIFEST_BYTES_MAX (256 * 1024)

enum hf_source {
	HF_SOURCE_NETWORK,
	HF_SOURCE_CACHE,
	HF_SOURCE_CACHE_FIRST,
	HF_SOURCE_NETWORK_FIRST,
	HF_SOURCE_STALE_WHILE_REVALIDATE,
	HF_SOURCE_RACE,
};

struct hf_condition; /* worker/condition.h */

struct hf_route {
	struct hf_condition *condition; /* NULL: matches everything */
	enum hf_source source;
	uint32_t network_timeout_ms; /* 0: none */
	struct hf_cache_rule cache;  /* of every source but network */
	uint32_t cache_id;	     /* on the shelf: the agent's to set; 0: none */
	bool queued;		     /* has "queue" */
	struct hf_policy policy;     /* when queued */
	struct hf_lane_rule lane_rule;
	unsigned index, line;
};

struct hf_precache_entry {
	char *url, *revision, *integrity; /* the latter two may be NULL */
};

struct hf_manifest {
	char *name, *version; /* "" when not given */
	struct hf_route *routes;
	size_t routes_n;
	struct hf_precache_entry *precache;
	size_t precache_n;
	struct hf_sync_action *sync;
	size_t sync_n;
	struct hf_periodic_sync *periodic;
	size_t periodic_n;
	struct hf_buf notices; /* a line for each member that has no effect in this build */
};

/* @file names it in faults, one line each in @faults. Files of the precache without
 * '/' in front lie in the folder of @scope, a path. HF_ECONFIG when there are faults,
 * HF_ENOMEM. */
int hf_manifest_parse(struct hf_span text, const char *file, struct hf_span scope,
		      struct hf_buf *faults, struct hf_manifest **out);
void hf_manifest_destroy(struct hf_manifest *m);
/* First matching route, NULL for none. @path as sent; it is normalised for
 * matching. Without requestMethod a condition matches GET and HEAD only where
 * the route has no queue, else any method. @query ptr NULL: none. Conditions on
 * mode or destination do not match; hf_manifest_match_request knows both. */
const struct hf_route *hf_manifest_match(const struct hf_manifest *m, struct hf_span method,
					 struct hf_span path, struct hf_span query);

struct hf_match_request {
	struct hf_span method, path, query; /* as above */
	struct hf_span mode;		    /* Sec-Fetch-Mode, empty: unknown */
	struct hf_span destination;	    /* Sec-Fetch-Dest, empty: unknown */
};
const struct hf_route *hf_manifest_match_request(const struct hf_manifest *m,
						 const struct hf_match_request *req);
/* What a sync event of @tag does; NULL: the manifest does not say. */
const struct hf_sync_action *hf_manifest_sync(const struct hf_manifest *m, struct hf_span tag);
/* A page does it, with the limits of Kconfig. */
void hf_sync_action_defaults(struct hf_sync_action *out);
/* The same of a periodic one; not registered, fired at any time. */
const struct hf_periodic_sync *hf_manifest_periodic(const struct hf_manifest *m,
						    struct hf_span tag);
void hf_periodic_sync_defaults(struct hf_periodic_sync *out);
const char *hf_source_name(enum hf_source source);

#endif

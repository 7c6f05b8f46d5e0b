/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a manifest's reader: each fills one array of struct hf_manifest
 * and reports faults; what it allocated is freed by hf_manifest_destroy.
 */
#ifndef HF_WORKER_MANIFEST_PARTS_H
#define HF_WORKER_MANIFEST_PARTS_H

#include "worker/json_read.h"
#include "worker/manifest.h"

void hf_manifest_read_routes(struct hf_json_doc *d, const struct cJSON *item,
			     struct hf_manifest *m);
void hf_manifest_read_precache(struct hf_json_doc *d, const struct cJSON *item,
			       struct hf_span scope, struct hf_manifest *m);
void hf_manifest_read_periodic(struct hf_json_doc *d, const struct cJSON *item,
			       struct hf_manifest *m);
void hf_manifest_read_sync(struct hf_json_doc *d, const struct cJSON *item, struct hf_manifest *m);
void hf_manifest_destroy_sync(struct hf_manifest *m);
void hf_manifest_destroy_periodic(struct hf_manifest *m);

/* What an event does: the members "page", "replay", "refresh", "request" at @m.
 * False: there is none of them. */
bool hf_manifest_read_kind(struct hf_json_doc *d, const struct cJSON *const *m,
			   struct hf_sync_action *out);
/* A route queues with the tag of an entry that replays. */
void hf_manifest_check_replay(struct hf_json_doc *d, const struct cJSON *entry,
			      const struct hf_sync_action *a, const struct hf_manifest *m);
void hf_sync_action_finish(struct hf_sync_action *a);

/* A target of the worker's origin, to be freed; NULL after a fault. */
char *hf_manifest_read_target(struct hf_json_doc *d, const struct cJSON *item);
/* A list of them, not empty. */
void hf_manifest_read_refresh(struct hf_json_doc *d, const struct cJSON *item, char ***targets,
			      size_t *targets_n);

#endif

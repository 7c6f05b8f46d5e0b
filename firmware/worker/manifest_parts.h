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
			       struct hf_manifest *m);
void hf_manifest_read_periodic(struct hf_json_doc *d, const struct cJSON *item,
			       struct hf_manifest *m);

#endif

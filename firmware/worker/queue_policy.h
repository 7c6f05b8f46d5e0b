/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "queue" of a route: the terms of delivery. true means all defaults.
 */
#ifndef HF_WORKER_QUEUE_POLICY_H
#define HF_WORKER_QUEUE_POLICY_H

#include "holdfast/policy.h"
#include "worker/lane_rule.h"

/* Fills @out with the defaults of docs/PROTOCOL.md: tag and lane "default". */
void hf_queue_policy_defaults(struct hf_policy *out);
/* @rule: how a request adds to out->lane. *queued: false for "queue": false. Faults
 * leave the default in place. */
void hf_queue_policy_read(struct hf_json_doc *d, const struct cJSON *item, struct hf_policy *out,
			  struct hf_lane_rule *rule, bool *queued);

#endif

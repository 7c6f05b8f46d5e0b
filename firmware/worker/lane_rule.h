/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes named by the request ("laneBy"): each table, each patient, each gauge
 * has its own, so that one of them that is held stops no other.
 *
 *   lane "orders", laneBy { "header": "X-Table" }, X-Table: 7  ->  "orders/7"
 */
#ifndef HF_WORKER_LANE_RULE_H
#define HF_WORKER_LANE_RULE_H

#include "holdfast/policy.h"
#include "http/message.h"
#include "worker/json_read.h"

enum hf_lane_by {
	HF_LANE_BY_NOTHING,
	HF_LANE_BY_HEADER,
	HF_LANE_BY_SEGMENT, /* of the path, 1: the first */
	HF_LANE_BY_PATH,    /* as a whole, without the query */
	HF_LANE_BY_TURN,    /* spread over so many, one after another: no order */
};

struct hf_lane_rule {
	enum hf_lane_by by;
	uint8_t segment, spread;
	char header[64];
};

/* Of "lane", where a rule is to add to it. */
#define HF_LANE_BASE_MAX 200

/* "laneBy", an object of one member. */
void hf_lane_rule_read(struct hf_json_doc *d, const struct cJSON *item, struct hf_lane_rule *out);
/* Appends "/" and the value to @lane. Bytes that are not visible ASCII, '%',
 * '/' and '@' are percent-encoded (RFC 3986, section 2.1); a value that does not fit is
 * replaced by "#" and a hash of it. A request without the field, or with a path
 * that is too short, stays in @lane itself. @turn counts up with the requests. */
void hf_lane_rule_apply(const struct hf_lane_rule *rule, const struct hf_message *msg,
			unsigned turn, char lane[HF_POLICY_NAME_MAX + 1]);
/* Appends @sep and @value, encoded as above. What does not fit even as a hash is
 * cut from @lane. */
void hf_lane_append(char lane[HF_POLICY_NAME_MAX + 1], char sep, struct hf_span value);

#endif

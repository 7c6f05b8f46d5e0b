/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes and holds as pages and operators see them. */
#ifndef HF_INGRESS_LANE_JSON_H
#define HF_INGRESS_LANE_JSON_H

#include "base/buf.h"
#include "queue/hold.h"

struct hf_lane_filter {
	struct hf_span origin, lane; /* ptr NULL: all */
	struct hf_span state;	     /* "held,paused"; ptr NULL: all */
	unsigned most;		     /* lanes that are shown */
};

/* Whether each word of @list is a state of a lane. */
bool hf_lane_states_are_known(struct hf_span list);
/* Appends "lanes":[...],"lanesNotShown":N. HF_ELIMIT, HF_ENOMEM. */
int hf_lanes_json(struct hf_queue *q, const struct hf_lane_filter *filter, struct hf_buf *out);
/* Appends the members of a hold, without braces. */
int hf_hold_json(const struct hf_queue *q, const struct hf_hold *hold, struct hf_buf *out);
/* Appends "holds":[...], those of @origin or (UINT_MAX) all. */
int hf_holds_json(const struct hf_queue *q, unsigned origin, struct hf_buf *out);

#endif

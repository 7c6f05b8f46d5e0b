/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of queue/ share. */
#ifndef HF_QUEUE_PRIVATE_H
#define HF_QUEUE_PRIVATE_H

#include "queue/lane.h"

struct hf_queue {
	struct hf_queue_options opt;
	uint64_t boot_ms; /* boot time that opt.device_ms belongs to */
	struct hf_list lanes;
	size_t lanes_n;
	struct hf_strmap by_name; /* origin NUL key -> struct hf_lane */
	struct hf_strmap by_id;	  /* 4 bytes -> struct hf_lane */
	struct hf_list watches;
	struct hf_store_lanes load;
	void (*loaded)(void *user, int err);
	void *loaded_user;
	struct hf_queue_totals totals;
};

/* NULL: too many lanes or no memory (*err says). */
struct hf_lane *hf_queue_lane_get(struct hf_queue *q, unsigned origin, const char *key, int *err);
struct hf_lane *hf_queue_lane_by_id(struct hf_queue *q, uint32_t id);
int hf_queue_lane_got_id(struct hf_lane *lane, uint32_t id);
/* Forgets a lane that was never stored and that nobody uses. */
void hf_queue_lane_release(struct hf_lane *lane);
bool hf_lane_has_backlog(const struct hf_lane *lane);

/* Counts, watches, then the event. @status_before: 0 for a new record. */
void hf_queue_changed(struct hf_queue *q, struct hf_lane *lane, uint8_t status_before,
		      const struct hf_queue_event *event);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane: requests of one origin that must arrive in order. In memory it is a
 * few words and the ends of its range in the store.
 *
 *       final            next_id                     tail
 *   ...[settled][settled][queued][queued][held][queued]
 *                         ^ the lease takes this one
 */
#ifndef HF_QUEUE_LANE_H
#define HF_QUEUE_LANE_H

#include "queue/queue.h"

#define HF_ORIGIN_NONE UINT32_MAX

struct hf_ahead; /* queue/ahead.h */

enum hf_lane_state {
	HF_LANE_IDLE,	 /* nothing waits */
	HF_LANE_READY,	 /* something waits and may go */
	HF_LANE_LEASED,	 /* an attempt is under way */
	HF_LANE_DELAYED, /* until not_before_ms */
	HF_LANE_OFFLINE, /* until the origin is reachable */
	HF_LANE_HELD,	 /* only held records, or such that wait for another one, could
			  * be next: see blocked */
	HF_LANE_PAUSED,	 /* something waits, and the operator holds the lane */
};

struct hf_lane {
	struct hf_queue *queue;
	struct hf_list link; /* of the queue's lanes, the one used last at the end */
	uint32_t id;	     /* 0: not in the store yet */
	unsigned origin;     /* HF_ORIGIN_NONE: not configured any more */
	struct hf_span name; /* "origin NUL key": one allocation with the next two */
	const char *origin_name, *key;
	uint64_t next_id;	      /* no queued or held record of the lane is below it,
			     * but those that were passed over (order skip) */
	uint64_t waiting;	      /* queued or held, committed */
	uint64_t held;		      /* of these, as far as they were counted: q->held_upto */
	uint64_t inserting;	      /* admitted, not committed yet */
	uint64_t head_created_dev_ms; /* of the head as far as known, 0: unknown */
	struct hf_list admissions;    /* waiting for the lane's id */
	bool creating;
	unsigned users; /* on a stack, in a replay or a change: may not be freed */
	/* turns */
	unsigned turns_n; /* taken and not given back, granted or not */
	struct hf_turn *live;
	struct hf_list turns; /* not granted yet */
	bool granting;
	bool displacing; /* its oldest make room for later ones */
	/* scheduling, used by sync/ */
	uint8_t state;		/* enum hf_lane_state */
	uint8_t wait_reason;	/* enum hf_reason of DELAYED, OFFLINE and HELD */
	bool paused;		/* the operator holds it (queue/hold.h): nothing is sent */
	uint64_t progress_ms;	/* boot time when one of it became final, 0: none yet */
	bool blocked;		/* HELD: by its head, order is block; else only held
				 * records that were passed over are left */
	bool passed;		/* such records below next_id were passed over */
	uint64_t not_before_ms; /* boot time; HF_LANE_DELAYED */
	uint64_t leased_id;	/* HF_LANE_LEASED, 0 until known */
	struct hf_ahead *ahead; /* the next record, being read; NULL: none */
	unsigned streak;	/* records read ahead in a row */
	unsigned failures;	/* in a row, for back-off */
	bool retried_now;
	uint8_t urgency;       /* of the request that came last: which lane goes first */
	bool resumed;	       /* since the start nothing of it was tried: the time that its
		       * record stored in an earlier run counts */
	uint64_t eased_ms;     /* boot time when another's success ended its back-off */
	bool for_credential;   /* DELAYED until there is a token for its next record */
	bool wanted;	       /* counted as a reason to look for its origin */
	uint8_t listed;	       /* state of the scheduler's list that it is in */
	struct hf_list ready;  /* in a list of the scheduler */
	struct hf_timer timer; /* DELAYED: its end; HELD: its head grows too old */
};

/* NULL: it is not in memory, so nothing of it waits. */
struct hf_lane *hf_queue_lane_find(struct hf_queue *q, unsigned origin, const char *key);
/* The next one after @after (NULL: the first) that is @key or begins with it and
 * '/' or '@'; NULL: no more. */
struct hf_lane *hf_queue_lane_next(struct hf_queue *q, unsigned origin, const char *key,
				   struct hf_lane *after);
/* Something may have changed: works out the state of an unleased lane again and
 * tells the scheduler when it is READY. */
void hf_lane_refresh(struct hf_lane *lane);
/* DELAYED until @delay_ms from now, or OFFLINE; IDLE when nothing waits. */
void hf_lane_delay(struct hf_lane *lane, uint64_t delay_ms, enum hf_reason reason);
void hf_lane_offline(struct hf_lane *lane, enum hf_reason reason);
/* Ends OFFLINE, and DELAYED unless the origin named the time. */
void hf_lane_promote(struct hf_lane *lane);

#endif

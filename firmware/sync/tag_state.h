/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of a sync registration, a pure function of what happens:
 *
 *             register                        due, online edge
 *      none ------------> PENDING <----------------------------- WAITING
 *        ^                 |   ^  offline, died on the way         ^
 *        |            fire |   |                                   |
 *        | success         v   |        failure                    |
 *        +-------------- FIRING ----------------------------------+
 *                          |   \  failure, last chance
 *                 register |    +-----------------------> EXHAUSTED
 *                          v
 *                    REREGISTERED -- success, failure --> PENDING
 *
 * A registration may come in any state; unregister leads to none from any.
 * FIRING and REREGISTERED are on disk before the event begins, so that a start
 * sees what the last one was in the middle of.
 */
#ifndef HF_SYNC_TAG_STATE_H
#define HF_SYNC_TAG_STATE_H

#include "base/span.h"

enum hf_tag_status {
	HF_TAG_NONE,
	HF_TAG_PENDING,
	HF_TAG_WAITING,
	HF_TAG_FIRING,
	HF_TAG_REREGISTERED,
	HF_TAG_EXHAUSTED,
	HF_TAG_STATUSES
};

enum hf_tag_event {
	HF_TAG_REGISTER,
	HF_TAG_UNREGISTER,
	HF_TAG_FIRE,
	HF_TAG_SUCCESS,
	HF_TAG_FAILURE,
	HF_TAG_OFFLINE, /* not reached: no attempt */
	HF_TAG_DUE,	/* the back-off is over */
	HF_TAG_EDGE,	/* the origin is reachable again */
	HF_TAG_NOW,	/* someone wants it at once */
	HF_TAG_RESTART, /* a start finds it as it is */
};

/* X(name, text): why a registration waits or has ended; the place in the list is
 * what is stored */
#define HF_TAG_WHYS(X)                                                  \
	X(NONE, "")                                                     \
	X(ANSWER, "answer")	      /* not the status of success */   \
	X(RETRY_AFTER, "retry-after") /* the origin named a time */     \
	X(PAGE, "page")		      /* a page said so */              \
	X(TIMEOUT, "timeout")	      /* past its time limit */         \
	X(CONNECTION, "connection")   /* broke in the middle */         \
	X(HELD, "held")		      /* a request of the lane is */    \
	X(CRASH, "crash")	      /* the device died, repeatedly */ \
	X(NETWORK, "network")	      /* origin not reachable */

enum hf_tag_why {
#define HF_TAG_WHY_ENUM(name, text) HF_TAG_WHY_##name,
	HF_TAG_WHYS(HF_TAG_WHY_ENUM)
#undef HF_TAG_WHY_ENUM
};

/* Times are device time: boot-time milliseconds accumulated over all boots. */
struct hf_tag_state {
	uint8_t status;	      /* enum hf_tag_status */
	uint8_t why;	      /* enum hf_tag_why of the last failure */
	uint8_t crashes;      /* starts in a row that found it firing */
	bool bound;	      /* WAITING: the origin named the time */
	uint16_t last_status; /* of the last answer, 0: none */
	uint32_t attempts;    /* that failed */
	uint32_t generation;  /* counts registrations */
	uint64_t key;	      /* random, of the generation: the origin tells repetitions */
	uint64_t created_dev_ms;
	int64_t created_wall_ms; /* 0: the clock was not set */
	uint64_t due_dev_ms;	 /* WAITING: its end; EXHAUSTED: since when */
};

/* What the step needs to know. */
struct hf_tag_facts {
	uint64_t now_dev_ms;
	int64_t now_wall_ms;
	uint64_t key;	   /* of a new generation */
	bool last_chance;  /* of the event that ends */
	uint64_t delay_ms; /* until the next attempt, when it failed */
	bool bound;	   /* the origin named it */
	uint8_t why;
	uint16_t answer; /* its status, 0: none */
	unsigned crashes_max;
};

/* False: nothing follows from @event in this state. */
bool hf_tag_step(struct hf_tag_state *s, enum hf_tag_event event, const struct hf_tag_facts *f);

struct hf_tag_terms {
	uint32_t attempts_max; /* 0: no limit */
	uint64_t max_age_ms;
};
/* No attempt follows the one that begins now, whose failure would be followed by
 * one in @delay_ms. */
bool hf_tag_last_chance(const struct hf_tag_state *s, const struct hf_tag_terms *terms,
			uint64_t now_dev_ms, uint64_t delay_ms);

const char *hf_tag_status_name(uint8_t status);
const char *hf_tag_why_name(uint8_t why);

/* ---- on disk ---- */

#define HF_TAG_VALUE_SIZE 56

void hf_tag_encode(const struct hf_tag_state *s, uint8_t out[HF_TAG_VALUE_SIZE]);
/* HF_ECORRUPT. */
int hf_tag_decode(struct hf_span bytes, struct hf_tag_state *s);

#endif

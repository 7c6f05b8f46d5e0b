/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of a periodic sync registration, a pure function of what happens:
 *
 *           register             due                fire
 *     none ----------> WAITING ------> PENDING -----------> FIRING <--> REREGISTERED
 *                        ^                ^  ^ offline, died |              register
 *                        |                |  +---------------+
 *                        |                | due              |
 *                        |             RETRYING <------------+ failure, tries left
 *                        |                                   |
 *                        +-----------------------------------+ success, run is over
 *
 * A registration may come in any state; unregister leads to none from any.
 * FIRING and REREGISTERED are on disk before the event begins.
 *
 * The grid: slot k is due at anchor + phase + k * interval, k from 1 on; phase is
 * the registration's share of a tenth of the interval. A run serves the newest
 * slot that is over when it ends, so that those that were missed are one run.
 * It leads to the next slot, but runs begin nine tenths of the interval apart.
 */
#ifndef HF_SYNC_PERIODIC_STATE_H
#define HF_SYNC_PERIODIC_STATE_H

#include "base/span.h"

enum hf_periodic_status {
	HF_PERIODIC_NONE,
	HF_PERIODIC_WAITING,
	HF_PERIODIC_PENDING,
	HF_PERIODIC_FIRING,
	HF_PERIODIC_REREGISTERED,
	HF_PERIODIC_RETRYING,
	HF_PERIODIC_STATUSES
};

enum hf_periodic_event {
	HF_PERIODIC_REGISTER,
	HF_PERIODIC_UNREGISTER,
	HF_PERIODIC_DUE,
	HF_PERIODIC_FIRE,
	HF_PERIODIC_SUCCESS,
	HF_PERIODIC_FAILURE,
	HF_PERIODIC_OFFLINE, /* not reached: no attempt */
	HF_PERIODIC_RESTART, /* a start finds it as it is */
	HF_PERIODIC_EVENTS
};

/* What the last run came to. */
enum hf_periodic_result {
	HF_PERIODIC_NO_RESULT,
	HF_PERIODIC_SUCCEEDED,
	HF_PERIODIC_FAILED,
	HF_PERIODIC_RESULTS
};

/* Times are device time, which has a sign here: when it is learnt how long the
 * device was off, they move to before its beginning. */
struct hf_periodic_state {
	uint8_t status;	      /* enum hf_periodic_status */
	uint8_t why;	      /* enum hf_tag_why of the last attempt that failed */
	uint8_t crashes;      /* starts in a row that found it firing */
	bool declared;	      /* by the manifest, not by a page or program */
	bool bound;	      /* the origin named the time it is due */
	uint16_t share;	      /* of the phase, in 1/65536 */
	uint16_t last_status; /* of the last answer, 0: none */
	uint16_t attempts;    /* of the run under way, that failed */
	uint8_t result;	      /* enum hf_periodic_result */
	uint8_t result_why;
	uint32_t runs, missed;
	uint32_t slot; /* of the next run, or the one under way */
	uint64_t key;  /* random: the origin tells repetitions of a run */
	uint64_t min_interval_ms;
	int64_t created_dev_ms;	 /* the anchor */
	int64_t created_wall_ms; /* 0: the clock was not set */
	int64_t due_dev_ms;	 /* WAITING, RETRYING: its end */
	int64_t due_wall_ms;	 /* the same by a synchronised clock, 0: there was none */
	int64_t began_dev_ms;	 /* the last run, with its first attempt */
	int64_t result_dev_ms;
	int64_t result_wall_ms; /* 0: the clock was not set */
};

/* What the step needs to know. */
struct hf_periodic_facts {
	int64_t now_dev_ms;
	int64_t now_wall_ms;	/* 0: not set */
	int64_t synced_wall_ms; /* 0: not synchronised */
	uint64_t floor_ms;	/* no interval is shorter */
	uint64_t named_max_ms;	/* a time that an origin named is not further away */
	unsigned retries, crashes_max;
	/* REGISTER */
	uint64_t key, min_interval_ms;
	uint16_t share;
	bool declared;
	/* the end of an event */
	uint64_t delay_ms; /* the origin named it, 0: it did not */
	uint8_t why;
	uint16_t answer; /* its status, 0: none */
};

/* False: nothing follows from @event in this state. */
bool hf_periodic_step(struct hf_periodic_state *s, enum hf_periodic_event event,
		      const struct hf_periodic_facts *f);
uint64_t hf_periodic_interval_ms(const struct hf_periodic_state *s, uint64_t floor_ms);
/* At a start, or when the clock comes to be synchronised after it: the clock says
 * that less is left than device time does, for the device was off. Everything
 * becomes that much older. */
void hf_periodic_catch_up(struct hf_periodic_state *s, const struct hf_periodic_facts *f);
/* At a start, where device time may have lost its latest part: nothing is of a
 * time to come, and no wait is longer than one that begins now may be. */
void hf_periodic_bound(struct hf_periodic_state *s, const struct hf_periodic_facts *f);

const char *hf_periodic_status_name(uint8_t status);

/* ---- on disk ---- */

#define HF_PERIODIC_VALUE_SIZE	    104
#define HF_PERIODIC_INTERVAL_MAX_MS (UINT64_C(366) * 86400 * 1000)

void hf_periodic_encode(const struct hf_periodic_state *s, uint8_t out[HF_PERIODIC_VALUE_SIZE]);
/* HF_ECORRUPT. */
int hf_periodic_decode(struct hf_span bytes, struct hf_periodic_state *s);

#endif

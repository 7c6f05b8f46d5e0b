/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queue and sync over the real store, a fake port and two fake origins, "shop"
 * (http) and "bank" (https): a panel that leaves requests behind, an origin
 * that comes and goes, a device that may be started anew at any moment.
 */
#ifndef HF_TESTS_QUEUE_RIG_H
#define HF_TESTS_QUEUE_RIG_H

#include "base/timerq.h"
#include "lib/fake_transport.h"
#include "lib/store_rig.h"
#include "net/connectivity.h"
#include "queue/lane.h"
#include "sync/sync.h"

#define QRIG_ORIGINS 2

struct qrig;

/* Something that lives with the queue, set up after it and taken down before. */
struct qrig_part {
	void (*begin)(void *user);
	void (*start)(void *user);
	void (*end)(void *user); /* the store is gone */
	void (*reach)(void *user, unsigned origin, enum hf_reach reach);
	bool (*trial)(void *user, unsigned origin); /* true: it is its own */
};

struct qrig {
	struct rig store; /* with the port */
	struct hf_timerq timers;
	struct hf_rand rand;
	struct hf_connectivity *connectivity;
	struct hf_queue *queue;
	struct hf_sync *sync;
	struct fake_transport origin[QRIG_ORIGINS];
	struct hf_sync_origin origins[QRIG_ORIGINS];
	const char *names[QRIG_ORIGINS];
	unsigned origins_n;
	unsigned lanes_max; /* 0: as configured */
	size_t answer_bytes_max;
	void (*on_event)(void *user, const struct hf_queue_event *event);
	void *user;
	struct hf_buf events;	      /* "queued /a 0\n": type, target, status */
	struct hf_list requests;      /* struct qreq */
	int loaded;		      /* result of the load, 1: not done */
	unsigned wakes;		      /* of the port */
	const struct qrig_part *part; /* NULL: none */
	void *part_user;
};

/* A panel's request, from its turn to the end of its admission. */
struct qreq {
	struct hf_list link;
	struct qrig *r;
	struct hf_turn turn;
	enum hf_grant grant;
	unsigned grants; /* calls of granted */
	bool admit_when_granted, back_when_granted;
	struct hf_admission a;
	struct hf_policy policy;
	struct hf_message msg;
	struct hf_arena arena;
	int done; /* result of the admission, 1: not done */
	int err;  /* of hf_turn_take or hf_queue_admit */
	void (*on_grant)(struct qreq *q);
};

/* Opens everything; with sync started. */
void qrig_init(struct qrig *r);
void qrig_init_with(struct qrig *r, const struct qrig_part *part, void *user);
void qrig_finish(struct qrig *r);
/* Queue, sync and connectivity over an open store. */
void qrig_begin(struct qrig *r);
void qrig_start(struct qrig *r); /* loads and starts sync */
/* As a power cut: what was not committed is gone. */
void qrig_kill(struct qrig *r);
void qrig_restart(struct qrig *r);

/* Until nothing happens at this time. */
void qrig_settle(struct qrig *r);
/* One job of the store and one step of each origin; false: nothing to do. */
bool qrig_turn(struct qrig *r);
/* Moves time on from timer to timer. */
void qrig_advance(struct qrig *r, uint64_t ms);

/* POST @target with @body, key "k<target>", to origin 0, lane "lane" unless
 * changed before qreq_take. */
struct qreq *qrig_request(struct qrig *r, const char *target, const char *body);
void qreq_take(struct qreq *q, bool origin_down);
void qreq_admit(struct qreq *q); /* and gives the turn back when done */
void qreq_give_back(struct qreq *q);
/* Frees it; its admission must be over. */
void qreq_free(struct qreq *q);

/* Straight into the queue and settled as far as the store goes. */
struct qreq *qrig_leave(struct qrig *r, const char *target, const char *body);
struct qreq *qrig_leave_in(struct qrig *r, const char *lane, const char *target);

/* The lane "lane" of origin 0, NULL when there is none in memory. */
struct hf_lane *qrig_lane(struct qrig *r, const char *key);
/* Loads a record; finish with hf_store_load_finish. */
int qrig_load(struct qrig *r, uint64_t id, struct hf_store_load *l);
struct hf_record_state qrig_state(struct qrig *r, uint64_t id);
/* The events since the last call. */
const char *qrig_events(struct qrig *r);
/* What origin @i took since the last call: "/a /b". */
const char *qrig_taken(struct qrig *r, unsigned i);
int qrig_cancel(struct qrig *r, const char *public_id);
int qrig_retry(struct qrig *r, const char *public_id, char *new_id);
/* Counts of all lanes and of the totals must agree with the store. */
void qrig_check(struct qrig *r);

#endif

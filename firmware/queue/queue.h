/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue: lanes in memory (a few words each, whatever their depth), records
 * in the store.
 *
 * Order. Requests of a lane reach the origin in the order in which they were
 * read from the panel. A request takes a turn before anything is sent: LIVE
 * when nothing of the lane waits or is under way, QUEUE when there is a
 * backlog; with another live one under way it waits until that one is delivered
 * or stored. A request whose policy is order "skip" waits for nobody.
 */
#ifndef HF_QUEUE_QUEUE_H
#define HF_QUEUE_QUEUE_H

#include "base/list.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/strmap.h"
#include "base/timerq.h"
#include "holdfast/policy.h"
#include "holdfast/port.h"
#include "queue/outcome.h"
#include "queue/record.h"
#include "store/records.h"

struct hf_queue;
struct hf_lane; /* queue/lane.h */
struct hf_hold; /* queue/hold.h */

enum hf_queue_event_type {
	HF_QUEUE_QUEUED,
	HF_QUEUE_SETTLED,
	HF_QUEUE_HELD,
	HF_QUEUE_DEAD,
	HF_QUEUE_CANCELLED,
	HF_QUEUE_RELEASED, /* held or dead -> queued again */
};

struct hf_queue_event {
	enum hf_queue_event_type type;
	uint64_t id;
	const struct hf_record_state *state;
	const char *public_id;
	struct hf_span origin, lane, tag, method, target, key;
	int status;	      /* of the answer, 0: none */
	const char *replaces; /* public id of the final one that goes again as this, or NULL */
};

struct hf_queue_options {
	struct hf_port *port;
	struct hf_store *store;
	struct hf_timerq *timers;
	struct hf_log *log;
	struct hf_rand *rand;
	/* Origins by index, as in the settings. */
	const char *const *origin_names;
	unsigned origins_n;
	uint64_t device_ms; /* store report: device time now */
	unsigned lanes_max; /* in memory; 0: CONFIG_HF_LANES_MAX */
	/* Every change of a record, after its commit: to event stream and sync. */
	void (*on_event)(void *user, const struct hf_queue_event *event);
	/* A lane has got something to do (wake the scheduler). */
	void (*on_lane)(void *user, struct hf_lane *lane);
	/* The operator holds something, or does no more; @event: enum hf_hold_event.
	 * NULL: nobody asks. */
	void (*on_hold)(void *user, int event, const struct hf_hold *hold);
	/* A record of an earlier run is held for its credential. NULL: nobody asks. */
	void (*on_held)(void *user, const struct hf_record_head *head);
	void *user;
};

int hf_queue_create(const struct hf_queue_options *opt, struct hf_queue **out);
void hf_queue_destroy(struct hf_queue *q);
/* After hf_store_destroy: grants no turn any more and frees what admissions and
 * changes under way hold; their done does not come. */
void hf_queue_abandon(struct hf_queue *q);
/* Reads the lanes from the store, once, before anything else. */
void hf_queue_load(struct hf_queue *q, void (*done)(void *user, int err), void *user);
/* From hf_store_options.on_salvaged: reads them again, what is counted may have
 * changed. */
void hf_queue_reload(struct hf_queue *q);
/* Housekeeping: lanes of which nothing is stored, nor in use, leave memory and
 * store, behind other work. */
void hf_queue_tidy(struct hf_queue *q);
/* Device time now: boot-time milliseconds accumulated over all boots. */
uint64_t hf_queue_device_ms(const struct hf_queue *q);
/* How many origins there are, and the name of the one @i of the options. */
unsigned hf_queue_origins(const struct hf_queue *q);
struct hf_span hf_queue_origin_name(const struct hf_queue *q, unsigned i);

/* ---- turns ---- */

enum hf_grant {
	HF_GRANT_WAIT, /* granted() comes later */
	HF_GRANT_LIVE,
	HF_GRANT_QUEUE, /* behind a backlog, or it waited CONFIG_HF_TURN_WAIT_MS */
};

/* Embedded in the caller's struct; lives from take to give_back. */
struct hf_turn {
	void (*granted)(struct hf_turn *turn, enum hf_grant grant); /* LIVE or QUEUE */
	void *user;
	/* private */
	struct hf_lane *lane;
	enum hf_grant grant;
	uint64_t taken_ms; /* boot time */
	struct hf_list link;
};

/* @origin_down: nothing is tried live, a turn is still needed for order. HF_ELIMIT:
 * too many lanes (503); HF_ENOMEM. */
int hf_turn_take(struct hf_queue *q, unsigned origin, const struct hf_policy *policy,
		 bool origin_down, struct hf_turn *turn, enum hf_grant *grant);
/* After delivery, or when the request was given up, or when its admission was
 * done. Idempotent. Must be called for every turn taken. */
void hf_turn_give_back(struct hf_turn *turn);

/* ---- admission ---- */

/* Fills @key with the value of the key header to send: the request's own, else
 * a minted UUID version 7 in the policy's form. @minted may be NULL. HF_EINVAL:
 * the request has the header more than once or it is not valid. */
int hf_queue_key(struct hf_queue *q, const struct hf_policy *policy, const struct hf_fields *fields,
		 struct hf_arena *arena, struct hf_span *key, bool *minted);

struct hf_admission {
	/* in: stay valid until done */
	struct hf_turn *turn; /* held by the caller */
	unsigned origin;
	const struct hf_policy *policy;
	const struct hf_message *msg; /* method, target, end-to-end fields; of Prefer
				       * what the origin is to see */
	struct hf_span key;
	struct hf_span identity; /* of the credential; empty: none */
	struct hf_span body;	 /* whole, or */
	uint64_t blob;		 /* in the store already */
	uint64_t body_len;
	struct hf_span after; /* Holdfast-After; empty: it waits for nobody */
	uint64_t parent;      /* and for whom */
	uint8_t after_depth;
	/* of the live attempt, if there was one */
	bool maybe_received;
	bool hold;
	enum hf_reason reason;
	uint16_t last_status;
	uint64_t not_before_delay_ms; /* Retry-After of the live answer, else 0 */
	/* On the loop after the commit: 0, HF_EFULL (507), HF_ELIMIT (the lane has
	 * maxEntries waiting: 503), HF_EIO; of one with a parent HF_ESTATE (that one
	 * is given up or gone: 424), HF_EBUSY (too many wait for it: 503). May come
	 * only on a later turn. */
	void (*done)(struct hf_admission *a, int err);
	void *user;
	/* out */
	uint64_t id;
	char public_id[HF_ULID_LEN + 1];
	struct hf_record_state state;
	/* private */
	struct hf_store_insert insert;
	struct hf_store_lane lane_op;
	struct hf_buf head;
	struct hf_queue *queue;
	struct hf_lane *turn_lane;
	struct hf_list link;	/* waiting for the lane's id */
	struct hf_list pending; /* of all that are under way */
};
/* An error returned: nothing started, done does not come. */
int hf_queue_admit(struct hf_queue *q, struct hf_admission *a);
/* A request was refused for want of @bytes: old answers go for the next one, if that
 * helps. Admission does so by itself. */
void hf_queue_make_room(struct hf_queue *q, uint64_t bytes);

/* ---- by id, for panels and operators ---- */

/* Looks @text up and loads it (hf_store_load_init was called by the caller,
 * op.done and op.user set). HF_EINVAL when it is no id. In done: HF_ENOENT also
 * when the tag does not match; use hf_queue_found() to check. */
int hf_queue_find(struct hf_queue *q, struct hf_span text, bool head_only, struct hf_store_load *l);
bool hf_queue_found(const struct hf_store_load *l, struct hf_span text);
/* Whether it is a request for @origin (ptr NULL: for any). */
bool hf_queue_is_for(const struct hf_queue *q, const struct hf_store_load *l,
		     struct hf_span origin);
/* The public id of the record that stands for a replaced one now; false: it is
 * not replaced, or that one is gone. */
bool hf_queue_replaced_by(const struct hf_store_load *l, char out[HF_ULID_LEN + 1]);

struct hf_queue_change {
	/* in */
	struct hf_span public_id; /* valid until done */
	struct hf_span origin;	  /* another's is HF_ENOENT; ptr NULL: of any */
	void (*done)(struct hf_queue_change *c, int err);
	void *user;
	/* private */
	struct hf_store_load load;
	struct hf_store_settle settle;
	struct hf_store_mark mark;
	struct hf_store_requeue requeue;
	struct hf_arena arena;
	struct hf_record_head head; /* as far as it is undamaged: @has_head */
	struct hf_buf summary;
	struct hf_queue *queue;
	struct hf_lane *lane; /* held while it is known */
	struct hf_list link;  /* of all that are under way */
	bool writing, has_head;
	uint8_t kind;
	/* out: of a dead or cancelled one that goes again the new id, also with
	 * HF_ESTATE when it was replaced before; else "" */
	char new_id[HF_ULID_LEN + 1];
};
/* Cancels a queued or held record. done: 0, HF_ENOENT, HF_EBUSY (in flight, or
 * being changed: 409), HF_ESTATE (final already: 409). */
int hf_queue_cancel(struct hf_queue *q, struct hf_queue_change *c);
/* Held -> queued in place; dead or cancelled -> queued at the lane's end under a
 * new id, with the same key; queued: its lane's back-off is cleared. done: 0,
 * HF_ENOENT, HF_EBUSY, HF_ESTATE (settled). */
int hf_queue_retry(struct hf_queue *q, struct hf_queue_change *c);

/* Of the records that are held for their credential, those that are @wanted are
 * queued again in their place; nothing else of them changes. HF_EBUSY: the round
 * before is not over. done: 0, or an error that ended the round. */
int hf_queue_release(struct hf_queue *q,
		     bool (*wanted)(void *user, const struct hf_record_head *head),
		     void (*done)(void *user, int err), void *user);

/* Tells when a record becomes final, held or dead (Prefer: wait). */
struct hf_watch {
	uint64_t id;
	void (*changed)(struct hf_watch *w, const struct hf_queue_event *event);
	void *user;
	struct hf_list link;
};
void hf_queue_watch(struct hf_queue *q, struct hf_watch *w);
void hf_queue_unwatch(struct hf_watch *w);

/* ---- figures ---- */

struct hf_lane_figures {
	struct hf_span origin, key;
	uint64_t waiting, held;
	uint64_t oldest_age_ms;	  /* of the head, 0 when empty */
	uint64_t next_attempt_ms; /* from now; UINT64_MAX: waits for connectivity */
	/* "idle", "sending", "waiting", "offline", "after", "held", "paused",
	 * "no-origin" */
	const char *state;
	const char *reason;	  /* what it waits for, NULL: for nothing, or unknown */
	uint64_t progress_ago_ms; /* since one of it became final; UINT64_MAX: none since
				   * the start */
};
/* Calls @each for every lane; stops at a non-zero return and returns it. */
int hf_queue_each_lane(struct hf_queue *q, int (*each)(void *user, const struct hf_lane_figures *f),
		       void *user);
struct hf_queue_totals { /* since start, except waiting and held */
	uint64_t accepted, delivered, dead, cancelled;
	uint64_t waiting, held;
};
/* Of @origin; UINT_MAX: of all. */
void hf_queue_totals(const struct hf_queue *q, unsigned origin, struct hf_queue_totals *out);
/* Next attempt of @id's lane in ms from now, when @id is its head or stands
 * behind it; UINT64_MAX when unknown. */
uint64_t hf_queue_next_attempt_ms(const struct hf_queue *q, uint64_t id);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of queue/ share. */
#ifndef HF_QUEUE_PRIVATE_H
#define HF_QUEUE_PRIVATE_H

#include "base/log_quota.h"
#include "queue/hold.h"
#include "queue/lane.h"

/* expiry.c: the round over all that wait. */
struct hf_expiry {
	struct hf_timer timer;
	uint64_t due_ms; /* device time of the first that grows too old, as far as
			  * known; UINT64_MAX: none does */
	bool running;
	uint64_t after;		       /* the next page */
	struct hf_store_list *page;    /* under way */
	size_t at;		       /* in it */
	struct hf_queue_change change; /* of the one that ends */
	char id[HF_ULID_LEN + 1];
};

/* dependents.c: who waits for a record that has changed. */
#define HF_DEPENDENTS_PARENTS 16
struct hf_dependents {
	struct hf_timer timer;
	uint64_t parents[HF_DEPENDENTS_PARENTS]; /* to be looked at */
	unsigned parents_n;
	bool all;			  /* of all, instead */
	bool starting;			  /* if the store says that they are due */
	struct hf_store_dependents *page; /* under way */
	uint64_t parent;		  /* of the page, 0: of all */
	size_t at;			  /* in it */
	bool failed;			  /* some of this round must be looked at again */
	struct hf_queue_change change;	  /* of the one at @at */
	char id[HF_ULID_LEN + 1];
};

/* release.c: the round over all that is held. */
struct hf_release {
	bool (*wanted)(void *user, const struct hf_record_head *head);
	void (*done)(void *user, int err); /* NULL: no round */
	void *user;
	struct hf_store_list page;
	size_t at;		       /* in it */
	struct hf_queue_change change; /* of the one that goes */
	char id[HF_ULID_LEN + 1];
};

struct hf_queue {
	struct hf_queue_options opt;
	uint64_t boot_ms; /* boot time that opt.device_ms belongs to */
	struct hf_list lanes;
	size_t lanes_n;
	struct hf_strmap by_name; /* origin NUL key -> struct hf_lane */
	struct hf_strmap by_id;	  /* 4 bytes -> struct hf_lane */
	struct hf_list watches;
	struct hf_list admissions, changes; /* under way */
	struct hf_spare blocks;		    /* of arenas */
	struct hf_list removals;	    /* removal.c: lanes leaving the store */
	struct hf_store_idle idle;	    /* removal.c: a page under way, when tidying */
	bool tidying;
	struct hf_list aheads;	   /* struct hf_ahead: under way */
	struct hf_list displacing; /* displace.c: lanes that make room */
	bool closing;		   /* the store is gone */
	struct hf_store_lanes load;
	bool loading, load_again;
	void (*loaded)(void *user, int err);
	void *loaded_user;
	struct hf_queue_totals totals;
	struct hf_queue_totals *of_origin; /* for each; waiting and held are the lanes' */
	/* held.c: held records up to this id are in the figures; the count of what
	 * an earlier run left goes on behind it. UINT64_MAX: all are. */
	uint64_t held_upto;
	struct hf_store_list *held_list; /* a page under way */
	struct hf_timer held_timer;
	struct hf_expiry expiry;
	struct hf_dependents dependents;
	struct hf_release release;
	struct hf_store_purge room; /* room.c: of old answers */
	uint64_t room_wanted;	    /* bytes */
	unsigned room_rounds;	    /* left */
	bool making_room;
	struct hf_log_quota refused, answer_cut, answers_dropped, cancelled;
	struct hf_hold *holds; /* hold.c: HF_HOLDS_MAX of them */
	unsigned holds_n;
	struct hf_timer holds_timer;	    /* the first that ends */
	struct hf_hold_change *hold_change; /* being stored, NULL: none */
	struct hf_store_meta holds_load;
	void (*holds_loaded)(struct hf_queue *q, int err);
};

/* One more line of this sort may be logged now. */
static inline bool hf_queue_may_log(struct hf_queue *q, struct hf_log_quota *quota)
{
	return hf_log_quota_take(quota, q->opt.port->boottime_ms(q->opt.port));
}

/* lanes.c. NULL: too many lanes or no memory (*err says). */
struct hf_lane *hf_queue_lane_get(struct hf_queue *q, unsigned origin, const char *key, int *err);
struct hf_lane *hf_queue_lane_by_id(struct hf_queue *q, uint32_t id);
/* The lane of a stored record, brought back to memory by its name. */
int hf_queue_lane_restore(struct hf_queue *q, struct hf_span origin, struct hf_span key,
			  uint32_t id, struct hf_lane **out);
int hf_queue_lane_got_id(struct hf_lane *lane, uint32_t id);
/* It is not in the store any more (salvage). */
void hf_queue_lane_lost_id(struct hf_lane *lane);
/* Forgets a lane that was never stored and that nobody uses. */
void hf_queue_lane_release(struct hf_lane *lane);
/* Forgets one that nobody uses; false: it is in use. */
bool hf_queue_lane_forget(struct hf_lane *lane);
/* removal.c. A lane that is not in memory leaves the store, if nothing of it is left
 * there. */
void hf_queue_removal_begin(struct hf_queue *q, uint32_t id);
bool hf_queue_is_leaving(const struct hf_queue *q, uint32_t id);
void hf_queue_removals_finish(struct hf_queue *q);
void hf_queue_lanes_finish(struct hf_queue *q);
/* Its timer; HF_TIMER_NEVER: none. */
void hf_lane_timer(struct hf_lane *lane, uint64_t due_ms);
/* Something stands before a request that comes now. */
bool hf_lane_has_backlog(const struct hf_lane *lane);

/* Counts, watches, then the event. @status_before: 0 for a new record. */
void hf_queue_changed(struct hf_queue *q, struct hf_lane *lane, uint8_t status_before,
		      const struct hf_queue_event *event);

/* held.c: counts what is held in the store, page by page, behind other work. */
void hf_queue_count_held_init(struct hf_queue *q);
void hf_queue_count_held(struct hf_queue *q);
void hf_queue_count_held_finish(struct hf_queue *q);

/* release.c. Whether the record is held for its credential; calls @visit with its
 * head then. HF_ENOMEM. */
int hf_queue_held_for_credential(const struct hf_record_brief *b,
				 void (*visit)(void *user, const struct hf_record_head *head),
				 void *user);
void hf_queue_release_finish(struct hf_queue *q);
/* change.c: a held record goes again, and no person has said so; as hf_queue_retry.
 * HF_ESTATE: it is not held. */
int hf_queue_unhold(struct hf_queue *q, struct hf_queue_change *c);

/* hold.c. The operator holds it. */
bool hf_lane_is_on_hold(const struct hf_lane *lane);
int hf_queue_holds_init(struct hf_queue *q);
/* Once, before the lanes. */
void hf_queue_holds_load(struct hf_queue *q, void (*done)(struct hf_queue *q, int err));
/* The store is gone: a change under way is not done. */
void hf_queue_holds_abandon(struct hf_queue *q);
void hf_queue_holds_finish(struct hf_queue *q);

/* expiry.c. A record waits that was accepted then. */
void hf_queue_expiry_note(struct hf_queue *q, uint64_t created_dev_ms, uint32_t max_age_s);
void hf_queue_expiry_init(struct hf_queue *q);
/* What an earlier run left. */
void hf_queue_expiry_start(struct hf_queue *q);
void hf_queue_expiry_finish(struct hf_queue *q);
/* dependents.c. Record @parent has changed, and others wait for it or did: they go,
 * end or come back. Behind other work. */
void hf_queue_dependents_look(struct hf_queue *q, uint64_t parent);
void hf_queue_dependents_init(struct hf_queue *q);
/* What an earlier run left. */
void hf_queue_dependents_start(struct hf_queue *q);
void hf_queue_dependents_finish(struct hf_queue *q);
/* change.c: ends a waiting record because the one it waits for was given up; as
 * hf_queue_cancel. */
int hf_queue_orphan(struct hf_queue *q, struct hf_queue_change *c);
/* change.c: something of the lane from @id on may go. */
void hf_lane_wake(struct hf_lane *lane, uint64_t id);
/* change.c: ends a waiting record for its age, or for one that came later; as
 * hf_queue_cancel. */
int hf_queue_expire(struct hf_queue *q, struct hf_queue_change *c);
int hf_queue_displace(struct hf_queue *q, struct hf_queue_change *c);
/* change.c: an attempt for record @id is under way, or may be. */
bool hf_lane_is_leased(const struct hf_lane *lane, uint64_t id);
/* displace.c: more than @most wait in the lane, and "drop-oldest" says that those
 * before @newest may go. Without memory they go with the next request. */
void hf_lane_displace(struct hf_lane *lane, uint64_t most, uint64_t newest);
/* At closing down, after the store: frees what is under way. */
void hf_queue_displacing_finish(struct hf_queue *q);

/* admission.c, change.c: frees what they hold; done does not come. */
void hf_admission_abandon(struct hf_admission *a);
void hf_change_abandon(struct hf_queue_change *c);
/* change.c: a change of record @id is being stored. */
bool hf_queue_is_changing(const struct hf_queue *q, uint64_t id);

#endif

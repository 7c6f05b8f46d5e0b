/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the periodic sync manager share. */
#ifndef HF_SYNC_PERIODIC_PRIVATE_H
#define HF_SYNC_PERIODIC_PRIVATE_H

#include "sync/firing.h"
#include "sync/periodic.h"
#include "sync/periodic_state.h"
#include "sync/row_write.h"

struct hf_periodic_reg {
	struct hf_periodic *all;
	struct hf_list link; /* by id */
	struct hf_firing *firing;
	uint64_t id;
	struct hf_periodic_state state;
	uint16_t worker;
	uint16_t writes; /* under way */
	bool stored;	 /* a row of it is on the medium */
	bool page;	 /* its event is for pages */
	bool running;	 /* counted as such by its origin */
	bool wanted;	 /* counted as a reason to look for its origin */
	bool unsure;	 /* of a start without a synchronised clock: it may know better */
	uint16_t tag_len;
	char tag[];
};

struct hf_periodic_origin {
	unsigned running, pages_running;
	bool was_down;
	unsigned failures;     /* connections in a row that were not made */
	uint64_t hold_ms;      /* boot time, nothing fires before */
	struct hf_timer timer; /* the end of the hold, or the next turn */
	uint64_t fired, succeeded, failed;
	struct hf_periodic *all;
};

struct hf_periodic {
	struct hf_periodic_options opt;
	struct hf_list regs;
	unsigned *counts; /* of each worker */
	struct hf_periodic_origin *origins;
	struct hf_timer timer; /* the next due time, or what else there is to see to */
	struct hf_row_writes writes;
	struct hf_firing_world world;
	uint64_t next_id;
	uint64_t saved_ms; /* boot time at which device time was saved */
	bool started;
	struct hf_store_registrations load;
	void (*loaded)(void *user, int err);
	void *loaded_user;
	uint64_t dropped, damaged;
};

static inline uint64_t hf_periodic_boot_ms(const struct hf_periodic *p)
{
	return p->opt.sync.port->boottime_ms(p->opt.sync.port);
}

static inline int64_t hf_periodic_device_ms(const struct hf_periodic *p)
{
	return (int64_t)(hf_queue_device_ms(p->opt.sync.queue) & (UINT64_MAX >> 8));
}

static inline struct hf_span hf_periodic_text(const struct hf_periodic_reg *r)
{
	return hf_span(r->tag, r->tag_len);
}

static inline unsigned hf_periodic_origin_of(const struct hf_periodic_reg *r)
{
	return r->all->opt.workers[r->worker].origin;
}

static inline struct hf_periodic_reg *hf_periodic_reg_at(struct hf_list *node)
{
	return hf_container_of(node, struct hf_periodic_reg, link);
}

/* ---- periodic_reg.c: one registration ---- */

const struct hf_periodic_sync *hf_periodic_what(const struct hf_periodic_reg *r);
struct hf_periodic_reg *hf_periodic_find(struct hf_periodic *p, unsigned worker,
					 struct hf_span text);
/* At the end of the list, without a row yet. */
struct hf_periodic_reg *hf_periodic_add(struct hf_periodic *p, unsigned worker, struct hf_span text,
					uint64_t id);
void hf_periodic_free(struct hf_periodic_reg *r);
/* Ends what runs of it, without a result. */
void hf_periodic_break_off(struct hf_periodic_reg *r);
void hf_periodic_set_running(struct hf_periodic_reg *r, bool running);
/* Looks whether it is a reason to look for its origin. */
void hf_periodic_set_wanted(struct hf_periodic_reg *r);
void hf_periodic_facts(struct hf_periodic *p, struct hf_periodic_facts *f);
void hf_periodic_figures(struct hf_periodic_reg *r, struct hf_periodic_figures *f);
void hf_periodic_tell(struct hf_periodic_reg *r, const char *state);
/* Writes the row as the state is now, or deletes it (NONE); @word is told when it
 * is done, NULL: nothing. @change may be NULL. HF_ENOMEM: nothing is begun. */
int hf_periodic_store(struct hf_periodic_reg *r, const char *word, struct hf_tag_change *change);
void hf_periodic_drop_row(struct hf_periodic *p, uint64_t id);

/* ---- periodic_when.c: time and conditions ---- */

bool hf_periodic_is_down(const struct hf_periodic_reg *r);
/* Why one that is due is not to be fired, beside an origin that is down; or NULL. */
const char *hf_periodic_blocked(const struct hf_periodic_reg *r);
/* How late the due time may be used. */
uint64_t hf_periodic_slack_ms(const struct hf_periodic_reg *r);
/* Sets the one timer. */
void hf_periodic_arm(struct hf_periodic *p);
/* Device time is saved when enough of it is at stake. */
void hf_periodic_checkpoint(struct hf_periodic *p);

/* ---- periodic.c ---- */

/* What is due becomes pending. */
void hf_periodic_collect(struct hf_periodic *p);
/* Looks on a later turn what of the origin may go. */
void hf_periodic_kick(struct hf_periodic_origin *o);
/* A write has ended; the last one of the registration when its writes is 0. */
void hf_periodic_written(struct hf_periodic_reg *r, const char *word, int err);

/* ---- periodic_change.c ---- */

/* A new one, or the old one with another interval. @change may be NULL. */
int hf_periodic_enter(struct hf_periodic *p, const struct hf_tag_change *c, bool declared,
		      struct hf_tag_change *change);

#endif

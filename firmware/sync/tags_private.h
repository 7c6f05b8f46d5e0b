/* SPDX-License-Identifier: Apache-2.0 */
/* What tag.c, tags.c, tags_change.c, tag_store.c and tag_load.c share. */
#ifndef HF_SYNC_TAGS_PRIVATE_H
#define HF_SYNC_TAGS_PRIVATE_H

#include "base/strmap.h"
#include "sync/errand.h"
#include "sync/firing.h"
#include "sync/row_write.h"
#include "sync/tag_state.h"
#include "sync/tags.h"

/* NONE: how it ended. */
enum hf_tag_word {
	HF_TAG_SUCCEEDED,
	HF_TAG_UNREGISTERED,
	HF_TAG_FORGOTTEN,
};

/* There may be ten thousand of them: large members first, none to spare. */
struct hf_tag {
	struct hf_tags *tags;
	struct hf_list link;  /* of all, or of the exhausted ones, by id */
	struct hf_list ready; /* PENDING: of its origin; timed: of those that wait */
	struct hf_tag *next_name;
	struct hf_firing *firing;
	uint64_t id;
	struct hf_tag_state state;
	uint32_t delay_ms; /* FIRING: until the next attempt, should it fail */
	uint16_t worker;
	uint16_t writes; /* under way */
	uint16_t tag_len;
	uint8_t last_word;    /* enum hf_tag_word */
	bool stored : 1;      /* a row of it is on the medium */
	bool last_chance : 1; /* FIRING: no attempt follows */
	bool wanted : 1;      /* counted as a reason to look for its origin */
	bool page : 1;	      /* its event is for pages */
	bool running : 1;     /* counted as such by its origin */
	bool timed : 1;	      /* until state.due_dev_ms: WAITING, or deleted again then */
	char tag[];
};

struct hf_tag_origin {
	struct hf_list ready, pages; /* struct hf_tag, ready */
	unsigned running, pages_running;
	unsigned wanted;
	bool was_down;
	unsigned failures;     /* connections in a row that were not made */
	uint64_t hold_ms;      /* boot time, nothing fires before */
	uint64_t edge_ms;      /* boot time of the last edge that was obeyed */
	struct hf_timer timer; /* the end of the hold, or the next turn */
	struct hf_errand *trial;
	struct hf_tags *tags;
	struct hf_tags_totals totals; /* since start */
};

struct hf_tags {
	struct hf_tags_options opt;
	struct hf_list all, exhausted;
	struct hf_tag **names; /* tag_names.c */
	size_t names_n, names_cap;
	uint64_t names_seed[2];
	struct hf_list timed;  /* those that wait, in no order */
	struct hf_timer timer; /* the earliest of them */
	unsigned *counts;      /* of each worker */
	unsigned exhausted_n;
	struct hf_tag_origin *origins;
	struct hf_row_writes writes;
	struct hf_firing_world world;
	uint64_t next_id;
	bool started;
	struct hf_store_registrations load;
	void (*loaded)(void *user, int err);
	void *loaded_user;
	struct hf_tags_totals totals; /* at the start: dropped, damaged */
};

static inline uint64_t hf_tags_now_ms(const struct hf_tags *t)
{
	return t->opt.sync.port->boottime_ms(t->opt.sync.port);
}

static inline uint64_t hf_tags_device_ms(const struct hf_tags *t)
{
	return hf_queue_device_ms(t->opt.sync.queue);
}

static inline struct hf_span hf_tag_text(const struct hf_tag *tag)
{
	return hf_span(tag->tag, tag->tag_len);
}

static inline struct hf_tag_origin *hf_tag_origin(const struct hf_tag *tag)
{
	return &tag->tags->origins[tag->tags->opt.workers[tag->worker].origin];
}

const struct hf_sync_action *hf_tag_action(const struct hf_tag *tag);

/* tag.c: one that is in no list and has no row yet. */
struct hf_tag *hf_tag_create(struct hf_tags *t, unsigned worker, struct hf_span text);
int hf_tag_insert(struct hf_tag *tag); /* by name and into the list of all */
void hf_tag_forget_name(struct hf_tag *tag);
void hf_tag_free(struct hf_tag *tag); /* out of every list */
struct hf_tag *hf_tags_find(struct hf_tags *t, unsigned worker, struct hf_span text);
/* tags.c: its state has changed: into the lists of it. */
void hf_tag_place(struct hf_tag *tag);
/* Facts for hf_tag_step, as of now. */
void hf_tag_facts(struct hf_tags *t, struct hf_tag_facts *f);
/* What a failure now would be followed by. */
void hf_tag_plan(struct hf_tag *tag);
void hf_tag_set_wanted(struct hf_tag *tag, bool wanted);
void hf_tag_set_running(struct hf_tag *tag, bool running);
uint64_t hf_tag_next_ms(const struct hf_tag *tag); /* UINT64_MAX: it does not wait */
void hf_tag_tell(struct hf_tag *tag, const char *state);
void hf_tag_figures(struct hf_tag *tag, struct hf_tag_figures *f);
/* Ends what runs of it, without a result. */
void hf_tag_break_off(struct hf_tag *tag);
/* tags.c: looks on a later turn what of the origin may go. */
void hf_tag_origin_kick(struct hf_tag_origin *o);
/* Out of the names and into the list of the exhausted ones. */
void hf_tag_exhaust(struct hf_tag *tag);

/* tag_store.c: writes the row as the state is now, or deletes it (NONE). @done
 * may be NULL. HF_ENOMEM: nothing is begun. */
int hf_tag_store(struct hf_tag *tag, struct hf_tag_change *change);
/* Deletes a row that no tag in memory stands for. */
void hf_tags_drop_row(struct hf_tags *t, uint64_t id);
void hf_tag_stored(const struct hf_row_write_job *job, int err);
/* tags.c: a write has ended; the last one of the tag when tag->writes is 0. */
void hf_tag_written(struct hf_tag *tag, uint8_t status, int err);

#endif

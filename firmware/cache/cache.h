/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caches of the agent, on the loop: the shelf below, and in memory what of it
 * is in use. What is stored, looked up and removed goes through here, so that the
 * two never tell different things.
 *
 * A cache is known by its number on the shelf. Nothing here decides whether an
 * entry may be used: that is cache/policy.h's, or the worker's route.
 */
#ifndef HF_CACHE_CACHE_H
#define HF_CACHE_CACHE_H

#include "base/rand.h"
#include "base/timerq.h"
#include "cache/hot.h"
#include "cache/stored.h"
#include "cache/trial.h"

struct hf_cache;

struct hf_cache_options {
	struct hf_port *port;
	struct hf_timerq *timers;
	struct hf_log *log;
	struct hf_rand *rand;
	uint64_t bytes_max; /* on the shelf */
	size_t memory_max;  /* bytes of entries kept in memory */
	uint64_t (*device_ms)(void *user);
	/* Nothing is there that finds the network in order: see cache/trial.h. */
	bool assumed;
	/* There is something that a probe would prove, or there is no more. NULL: nobody
	 * wants to know. */
	void (*open)(void *user, bool any);
	/* The shelf knows that what was open is proved, or never will be; @demoted as
	 * hf_shelf_judge's. NULL: nobody wants to know. */
	void (*judged)(void *user, bool proved, bool demoted);
	void *user;
};

int hf_cache_create(const struct hf_cache_options *opt, struct hf_cache **out);
/* @done as that of hf_shelf_open; an error: it stays empty and stores nothing. */
void hf_cache_open(struct hf_cache *c,
		   void (*done)(void *user, int err, const struct hf_shelf_report *report),
		   void *user);
/* Stores the last uses, then closes. */
void hf_cache_close(struct hf_cache *c, void (*done)(void *user, int err), void *user);
/* After close, or abruptly: the shelf is destroyed, no callback is made any more and
 * nothing is asked of it. Before those who use it are. NULL is fine. */
void hf_cache_abandon(struct hf_cache *c);
/* NULL is fine. Entries that others refer to stay theirs. */
void hf_cache_destroy(struct hf_cache *c);
struct hf_shelf *hf_cache_shelf(struct hf_cache *c);
/* Now, as the policy wants it: its device time is that of the system's boot, and goes
 * on when the daemon is started again. */
void hf_cache_now(const struct hf_cache *c, struct hf_cache_clock *out);
/* Bytes of the longest body that is stored: one does not push out all others. */
uint64_t hf_cache_body_max(const struct hf_cache *c);
/* hf_cache_clock.boot of now. */
uint32_t hf_cache_boot(const struct hf_cache *c);
bool hf_cache_is_open(const struct hf_cache *c);

/* ---- whose they are (cache/trial.h) ---- */

/* A probe goes out; what it proves when it has its answer. */
uint32_t hf_cache_probe_goes(struct hf_cache *c);
/* It has it: nobody is between. */
void hf_cache_in_order(struct hf_cache *c, uint32_t mark);
/* Somebody answers in the place of others. */
void hf_cache_stranger(struct hf_cache *c);
/* Link or address are others: what was open stays so for ever. */
void hf_cache_other_network(struct hf_cache *c);
/* Changes with the last two: an answer of a request before is nobody's. */
uint32_t hf_cache_way(const struct hf_cache *c);
bool hf_cache_assumes(const struct hf_cache *c);
/* What is stored with @state may be shown. */
bool hf_cache_shows(const struct hf_cache *c, const struct hf_shelf_state *state);

/* ---- looking up ---- */

/* True when it is known now: the entries of @url that may be shown, stored last first, one
 * of a variant; the list is valid until the next call. */
bool hf_cache_peek(struct hf_cache *c, uint32_t cache, struct hf_span url,
		   struct hf_stored *const **v, size_t *n);
struct hf_cache_lookup {
	uint32_t cache;	    /* in */
	struct hf_span url; /* in: stays until found */
	bool all;	    /* in: also what may not be shown */
	/* On a later turn. What is kept of @v needs a reference. Trouble: none. */
	void (*found)(void *user, struct hf_stored *const *v, size_t n);
	void *user;
	struct hf_list link;
};
/* After hf_cache_peek said false. HF_ENOMEM, HF_ETOOBIG, HF_ESTATE: it never comes. */
int hf_cache_lookup(struct hf_cache *c, struct hf_cache_lookup *l);
void hf_cache_lookup_cancel(struct hf_cache_lookup *l);
/* An answer is made of @s: it is among those used last. */
void hf_cache_used(struct hf_cache *c, struct hf_stored *s);

/* ---- changing ---- */

struct hf_cache_put {
	/* in, the spans until done */
	uint32_t cache;
	struct hf_span url, note;
	int status;
	struct hf_span variant;		/* hf_vary_key() */
	const struct hf_fields *fields; /* hf_cache_stored_fields() */
	struct hf_cache_times times;
	uint32_t flags;
	const uint64_t *replaces; /* ids */
	size_t replaces_n;
	struct hf_shelf_intake *intake; /* the body, or NULL: @data is all of it */
	struct hf_span data;
	const struct hf_stored *like;	 /* its body, and neither of those; until done */
	uint64_t entries_max, bytes_max; /* of the cache, 0: none */
	bool sync;
	/* Somebody else may have given it: what may be shown stays beside it until it is
	 * proved. @way: hf_cache_way() when it was asked for. */
	bool doubtful;
	uint32_t way;
	/* @err as hf_shelf_put's; @s (no reference is given) NULL without memory. */
	void (*done)(struct hf_cache_put *p, int err, struct hf_stored *s);
	void *user;
	/* private */
	struct hf_cache *owner;
	struct hf_shelf_put op;
	struct hf_buf head;
	uint64_t ids[HF_SHELF_VARIANTS_MAX]; /* that it replaces */
	uint32_t generation;
};
/* HF_ENOMEM, HF_ETOOBIG, HF_ESTATE (not open, or it came by another way), HF_ELIMIT (what is
 * doubtful has no place beside the others of its URL): nothing was begun. */
int hf_cache_put(struct hf_cache *c, struct hf_cache_put *p);

/* @s was validated, or has to be: other times and flags, and @fields when not NULL
 * (hf_cache_updated_fields). When nothing but the time differs one page is written.
 * A reference to the new one, NULL without memory (then @s stays as it was). */
struct hf_stored *hf_cache_update(struct hf_cache *c, struct hf_stored *s,
				  const struct hf_fields *fields,
				  const struct hf_cache_times *times, uint32_t flags);
/* Takes out all entries of @url. */
void hf_cache_remove(struct hf_cache *c, uint32_t cache, struct hf_span url);
/* Sets and clears flags of all entries of @url. */
void hf_cache_mark(struct hf_cache *c, uint32_t cache, struct hf_span url, uint32_t set,
		   uint32_t clear);
/* Takes out the one with @id, and others of its variant that are not shown. */
void hf_cache_remove_entry(struct hf_cache *c, uint32_t cache, struct hf_span url, uint64_t id);
/* The body of @s cannot be read. */
void hf_cache_lost(struct hf_cache *c, struct hf_stored *s);
/* Deletes what was appended to the shelf of @body and not put. */
void hf_cache_discard(struct hf_cache *c, uint64_t body);
/* @cache was changed or dropped on the shelf by others: nothing of it is known any
 * more. */
void hf_cache_forget(struct hf_cache *c, uint32_t cache);

/* Figures. */
struct hf_cache_memory {
	size_t bytes, bytes_max;
	uint64_t stored; /* entries, since the start */
};
void hf_cache_memory(const struct hf_cache *c, struct hf_cache_memory *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to fetch/: a GET or HEAD that a cache has to do with.
 *
 *   LOOKUP   the cache is asked
 *   ASK      listens to a fill (or, for HEAD, an exchange); nothing was said yet
 *   PASS     the origin's answer streams to the page
 *   SERVE    a stored answer goes out
 *   REPLY    an answer of ours goes out
 */
#ifndef HF_FETCH_CACHED_H
#define HF_FETCH_CACHED_H

#include "fetch/event.h"
#include "fetch/plan.h"
#include "fetch/serve.h"

enum hf_cached_state {
	HF_CACHED_LOOKUP,
	HF_CACHED_ASK,
	HF_CACHED_PASS,
	HF_CACHED_SERVE,
	HF_CACHED_REPLY,
};

struct hf_cached {
	struct hf_event ev;
	uint8_t state;			  /* enum hf_cached_state */
	uint8_t result;			  /* enum hf_cache_result, counted at the end */
	struct hf_arena *arena;		  /* the panel connection's */
	const struct hf_message *request; /* the panel's */
	struct hf_forward forward;
	unsigned origin;
	bool interim_ok, receiving, head_only;
	bool refresh; /* for the sake of what is stored: the origin is asked in any case */
	struct hf_plan plan;
	struct hf_cache_lookup lookup;
	bool looking;
	bool opening, failed; /* inside hf_cached() */

	/* What is stored of the URL. */
	struct hf_stored *v[HF_SHELF_VARIANTS_MAX];
	size_t n;
	int selected; /* -1: none */
	int spare;    /* where none is: of another coding, when the origin is away; or -1 */
	struct hf_cache_decision decision; /* of the HTTP cache */
	struct hf_cache_status status;

	struct hf_fill_listener listener;
	bool alone;	 /* it was parted from others: joins no more */
	bool own;	 /* the fill was begun for it */
	unsigned waited; /* times for the shelf */
	int answered;	 /* status of the origin's answer, 0: none */
	struct hf_message response;
	struct hf_timer timer; /* network-first */
	struct hf_serve *serve;
	struct hf_reply *reply;
	bool offline_tried;	   /* the offline page was looked for */
	struct hf_problem problem; /* what is said when there is nothing else */
};

/* ---- cached.c ---- */

/* What to do with what was found. */
void hf_cached_decide(struct hf_cached *c);
/* Looks up anew, and decides. */
void hf_cached_look_again(struct hf_cached *c);
void hf_cached_free(struct hf_cached *c);
/* It ends without an answer; @c is gone. */
void hf_cached_fail(struct hf_cached *c, const struct hf_exchange_result *result);
/* There will be no answer of the origin: another variant has to do. */
void hf_cached_take_spare(struct hf_cached *c);
/* The stored answer @i goes out. */
void hf_cached_serve(struct hf_cached *c, struct hf_stored *s);
void hf_cached_problem(struct hf_cached *c, const struct hf_problem *problem);

/* ---- cached_network.c ---- */

/* Asks the origin, or listens to somebody who does. */
void hf_cached_ask(struct hf_cached *c);
/* It is known that the origin is away, also while a trial has not ended: a stored answer
 * need not wait for that. */
bool hf_cached_is_away(const struct hf_cached *c);
/* Renews what is stored while the page has its answer. */
void hf_cached_refresh(struct hf_cached *c);
/* The origin answered @status, which is worse than a stored answer, or not at all (0):
 * what else is there? False: nothing. */
bool hf_cached_fall_back(struct hf_cached *c, int status);

#endif

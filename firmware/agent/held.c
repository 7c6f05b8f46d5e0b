/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is held because of its credential goes again when there is another one: while
 * something is, the credential is looked at now and then, and what it says now, for
 * the one who is signed in now, is compared with what was refused. One look that finds
 * a difference lets each of them go once.
 */
#include <limits.h>
#include <stdlib.h>

#include "agent/agent_private.h"

#define LOOK_MS	      5000
#define TOKEN_LOOK_MS 600000 /* the token was refused, and its endpoint gives others like it */
#define VALUE_MAX     (2 * (HF_CREDENTIAL_BYTES_MAX + HF_IDENTITY_BYTES_MAX))

struct hf_agent_held {
	uint64_t look_ms; /* boot time of the next look; UINT64_MAX: nothing is held */
	bool going;	  /* the round that is under way is for it */
	bool others;	  /* and has met some that were accepted for somebody else */
	uint32_t version; /* with which they go */
};

static void look(void *user);

static uint64_t now_ms(struct hf_agent *a)
{
	return a->port->boottime_ms(a->port);
}

static struct hf_agent_held *held_of(struct hf_agent *a, const struct hf_credential *x)
{
	return &a->held[x - a->credentials.v];
}

static void plan(struct hf_agent *a)
{
	uint64_t first = UINT64_MAX, now = now_ms(a);

	for (size_t i = 0; i < a->credentials.n; i++)
		if (a->held[i].look_ms < first)
			first = a->held[i].look_ms;
	if (first == UINT64_MAX)
		hf_timerq_clear(&a->timers, &a->held_timer);
	else /* without memory the next one that is held tries again */
		(void)hf_timerq_set(&a->timers, &a->held_timer, first > now ? first : now);
}

static void look_in(struct hf_agent *a, const struct hf_credential *x, uint64_t ms)
{
	held_of(a, x)->look_ms = now_ms(a) + ms;
	plan(a);
}

static void look_later(struct hf_agent *a, const struct hf_credential *x)
{
	look_in(a, x, x->token && x->holds_refused ? TOKEN_LOOK_MS : LOOK_MS);
}

static void on_held(void *user, struct hf_credential *x)
{
	look_later(user, x);
}

void hf_agent_held_found(void *user, const struct hf_record_head *head)
{
	struct hf_agent *a = user;

	for (unsigned i = 0; i < a->settings->origins_n; i++)
		if (hf_span_eq_str(head->origin, a->settings->origins[i].name))
			hf_credential_held(&a->credentials, i, head->policy.credential, false, 0);
}

/* What it says now, and for whom; 0: there is none to be had. */
static uint32_t version_now(struct hf_agent *a, const struct hf_credential *x)
{
	struct hf_credential_value value;
	struct hf_span identity;
	struct hf_arena arena;
	uint32_t version = 0;

	hf_arena_init(&arena, VALUE_MAX);
	if (!hf_credential_identity(&a->credentials, x->origin, x->name, &arena, &identity) &&
	    !hf_credential_get(&a->credentials, x->origin, x->name, identity, &arena, &value))
		version = hf_credential_version(&value, identity);
	hf_arena_finish(&arena);
	return version;
}

/* ---- the round ---- */

static bool is_for_now(struct hf_agent *a, const struct hf_credential *x, struct hf_span identity)
{
	struct hf_arena arena;
	struct hf_span now;
	bool same;

	hf_arena_init(&arena, VALUE_MAX);
	same = !hf_credential_identity(&a->credentials, x->origin, x->name, &arena, &now) &&
	       hf_span_eq(now, identity);
	hf_arena_finish(&arena);
	return same;
}

static bool is_wanted(void *user, const struct hf_record_head *head)
{
	struct hf_agent *a = user;

	for (size_t i = 0; i < a->credentials.n; i++) {
		const struct hf_credential *x = &a->credentials.v[i];

		if (!a->held[i].going || strcmp(x->name, head->policy.credential) != 0 ||
		    !hf_span_eq_str(head->origin, a->settings->origins[x->origin].name))
			continue;
		if (is_for_now(a, x, head->identity))
			return true;
		a->held[i].others = true;
		return false;
	}
	return false;
}

/* Those of somebody else wait for the next change; after an error all do. */
static void round_done(void *user, int err)
{
	struct hf_agent *a = user;

	for (size_t i = 0; i < a->credentials.n; i++) {
		struct hf_credential *x = &a->credentials.v[i];
		struct hf_agent_held *h = &a->held[i];

		if (!h->going)
			continue;
		h->going = false;
		if ((err || h->others) && !x->holds)
			hf_credential_held(&a->credentials, x->origin, x->name, false,
					   err ? 0 : h->version);
	}
}

/* ---- looking ---- */

/* True: what is held for it goes. */
static bool look_at(struct hf_agent *a, struct hf_credential *x)
{
	struct hf_agent_held *h = held_of(a, x);
	uint32_t version = version_now(a, x);

	if (version == 0 || version == x->holds_version) {
		if (version == 0)
			look_in(a, x, LOOK_MS);
		else
			look_later(a, x);
		return false;
	}
	x->holds = false;
	*h = (struct hf_agent_held){ .look_ms = UINT64_MAX, .going = true, .version = version };
	return true;
}

static void look(void *user)
{
	struct hf_agent *a = user;
	bool go = false, busy = false;

	if (a->stopping)
		return;
	for (size_t i = 0; i < a->credentials.n; i++)
		busy |= a->held[i].going;
	for (size_t i = 0; i < a->credentials.n; i++) {
		if (a->held[i].look_ms > now_ms(a))
			continue;
		if (busy)
			look_in(a, &a->credentials.v[i], LOOK_MS);
		else
			go |= look_at(a, &a->credentials.v[i]);
	}
	plan(a);
	if (go && hf_queue_release(a->queue, is_wanted, round_done, a))
		round_done(a, HF_EBUSY);
}

void hf_agent_held_settled(struct hf_agent *a, unsigned origin)
{
	for (size_t i = 0; i < a->credentials.n; i++) {
		const struct hf_credential *x = &a->credentials.v[i];

		if (x->holds && x->origin == origin && !(x->holds_refused && x->token))
			look_in(a, x, 0);
	}
}

int hf_agent_held_create(struct hf_agent *a)
{
	a->held = calloc(a->credentials.n + 1, sizeof(*a->held));
	if (!a->held)
		return HF_ENOMEM;
	for (size_t i = 0; i < a->credentials.n; i++)
		a->held[i].look_ms = UINT64_MAX;
	hf_timer_init(&a->held_timer, look, a);
	a->credentials.on_held = on_held;
	a->credentials.user = a;
	return 0;
}

void hf_agent_held_destroy(struct hf_agent *a)
{
	if (a->held)
		hf_timerq_clear(&a->timers, &a->held_timer);
	free(a->held);
}

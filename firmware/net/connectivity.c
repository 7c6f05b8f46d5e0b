/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One small machine per origin and one for the net. Reports of real traffic
 * drive them; trials fill in only while an origin is DOWN and something waits
 * for it, so that a healthy or idle device sets no timer and sends nothing.
 *
 * Trials of one outage follow each other at 0.75 to 1.0 times probe_min_ms for
 * ten minutes (counted from when the outage and the need met, and anew from
 * each address that comes), then at doubling distances up to probe_max_ms. Without
 * an address there are none, but to an origin on the device itself, which needs no
 * link, and to one on the link, which needs no address beyond it.
 *
 * It never reads an answer's body and never decides about a queued request.
 */
#include "net/connectivity.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fsm.h"
#include "net/addr.h"
#include "net/connectivity_private.h"

#define BEHIND_PORTAL "a captive portal answers in its place"

static const uint32_t reach_allowed[] = {
	[HF_REACH_UNKNOWN] = HF_FSM_TO(HF_REACH_UP) | HF_FSM_TO(HF_REACH_DOWN),
	[HF_REACH_UP] = HF_FSM_TO(HF_REACH_DOWN),
	[HF_REACH_DOWN] = HF_FSM_TO(HF_REACH_TRIAL) | HF_FSM_TO(HF_REACH_UP),
	[HF_REACH_TRIAL] = HF_FSM_TO(HF_REACH_UP) | HF_FSM_TO(HF_REACH_DOWN),
};

static const char *const reach_names[] = {
	[HF_REACH_UNKNOWN] = "unknown",
	[HF_REACH_UP] = "up",
	[HF_REACH_DOWN] = "down",
	[HF_REACH_TRIAL] = "trial",
};

static const struct hf_fsm reach_fsm = {
	.name = "origin",
	.states = 4,
	.allowed = reach_allowed,
	.names = reach_names,
};

/* ---- origins ---- */

static void move(struct hf_origin_reach *o, enum hf_reach to)
{
	struct hf_connectivity *c = o->c;
	bool trial = to == HF_REACH_TRIAL || (o->reach == HF_REACH_TRIAL && to == HF_REACH_DOWN);

	assert(o->reach != to);
	if (!trial)
		o->since_ms = hf_connectivity_now(c);
	hf_fsm_move(&reach_fsm, &o->reach, to);
	hf_log(c->opt.log, trial ? HF_LOG_DEBUG : HF_LOG_INFO, "connectivity.origin",
	       "origin=%s state=%s", o->name, reach_names[to]);
	if (c->opt.events->on_origin)
		c->opt.events->on_origin(c->opt.user, o->number, to);
}

static void fast_begin(struct hf_origin_reach *o)
{
	hf_pace_begin(&o->pace, hf_connectivity_now(o->c), o->c->opt.probe_min_ms);
}

static bool has_way(const struct hf_origin_reach *o, bool known, enum hf_link link)
{
	return o->local || !known || link == HF_LINK_UP || (o->near && link == HF_LINK_BARE);
}

/* The portal that the probe has met, or that says so itself, answers in its place. */
static bool is_behind_portal(const struct hf_origin_reach *o)
{
	const struct hf_connectivity *c = o->c;

	return c->net == HF_NET_CAPTIVE &&
	       (c->opt.probe_transport || c->portal.state == HF_PORTAL_CAPTIVE) &&
	       !o->authenticated && !o->local;
}

static void trial_schedule(struct hf_origin_reach *o, uint64_t in_ms)
{
	assert(o->reach == HF_REACH_DOWN);
	if (o->wanted && has_way(o, o->c->link_known, o->c->link) && !is_behind_portal(o))
		hf_connectivity_timer(o->c, &o->timer, hf_connectivity_now(o->c) + in_ms);
	else
		hf_timerq_clear(o->c->opt.timers, &o->timer);
}

static void note_failure(struct hf_origin_reach *o, const char *words)
{
	char quoted[2 * HF_FAILURE_WORDS_SIZE];

	if (hf_failure_note(&o->failure, words, hf_connectivity_now(o->c)))
		hf_log(o->c->opt.log, HF_LOG_WARNING, "connectivity.failure", "origin=%s words=%s",
		       o->name,
		       hf_log_quote(hf_span_str(o->failure.words), quoted, sizeof(quoted)));
}

/* What stood in the way is gone. */
static void origin_try_soon(struct hf_origin_reach *o)
{
	fast_begin(o);
	if (o->reach == HF_REACH_DOWN)
		trial_schedule(o, 0);
}

static void set_up(struct hf_origin_reach *o)
{
	struct hf_connectivity *c = o->c;

	o->last_success = hf_connectivity_now(c);
	o->failures = 0;
	hf_failure_clear(&o->failure);
	if (o->reach == HF_REACH_UP)
		return;
	hf_timerq_clear(c->opt.timers, &o->timer);
	move(o, HF_REACH_UP);
	if (c->net == HF_NET_CAPTIVE && c->portal.state == HF_PORTAL_CAPTIVE) {
		hf_portal_ask(c); /* a portal may let single hosts pass */
	} else if (c->net == HF_NET_CAPTIVE && c->opt.probe_transport) {
		hf_net_look_again(c);
	} else if (c->net == HF_NET_CAPTIVE || c->net == HF_NET_OFFLINE) {
		hf_net_set(c, c->opt.probe_transport ? HF_NET_ONLINE : HF_NET_UNKNOWN);
		hf_net_schedule(c);
	}
}

static uint64_t trial_interval(struct hf_origin_reach *o)
{
	const struct hf_connectivity_options *opt = &o->c->opt;

	return hf_pace_next(&o->pace, hf_connectivity_now(o->c), opt->probe_min_ms,
			    opt->probe_max_ms, opt->rand);
}

static void set_down(struct hf_origin_reach *o)
{
	if (o->reach == HF_REACH_DOWN)
		return;
	if (o->reach != HF_REACH_TRIAL) {
		fast_begin(o);
		hf_net_probe_now(o->c);
	}
	hf_timerq_clear(o->c->opt.timers, &o->timer);
	move(o, HF_REACH_DOWN);
	if (o->reach == HF_REACH_DOWN && !hf_timer_is_set(&o->timer))
		trial_schedule(o, trial_interval(o));
}

static void origin_shut_off(struct hf_origin_reach *o)
{
	note_failure(o, BEHIND_PORTAL);
	hf_probe_cancel(&o->probe);
	hf_timerq_clear(o->c->opt.timers, &o->timer);
	set_down(o);
}

void hf_connectivity_net_probed(struct hf_connectivity *c, bool opens)
{
	for (unsigned i = 0; i < c->n; i++) {
		struct hf_origin_reach *o = c->origins[i];

		if (opens)
			origin_try_soon(o);
		else if (is_behind_portal(o))
			origin_shut_off(o);
		else if (o->reach == HF_REACH_DOWN && !hf_timer_is_set(&o->timer))
			trial_schedule(o, trial_interval(o));
	}
}

static void failed(struct hf_origin_reach *o)
{
	o->failures++;
	if (o->reach == HF_REACH_TRIAL || o->failures >= HF_CONNECTIVITY_FAILURES)
		set_down(o);
}

static void probe_done(void *user, const struct hf_exchange_result *result, int status)
{
	struct hf_origin_reach *o = user;

	hf_connectivity_heard(o->c, o->number, result, status);
}

static void trial_begin(struct hf_origin_reach *o)
{
	struct hf_connectivity *c = o->c;

	/* A trial that is never reported must not stop the next one for good. */
	hf_connectivity_timer(c, &o->timer, hf_connectivity_now(c) + c->opt.probe_max_ms);
	move(o, HF_REACH_TRIAL);
	if (o->reach != HF_REACH_TRIAL)
		return;
	if (!o->target) {
		c->opt.events->on_trial(c->opt.user, o->number);
		return;
	}
	if (hf_probe_runs(&o->probe))
		return; /* one that outlived its guard: its end counts */
	if (hf_probe_start(&o->probe, probe_done, o))
		set_down(o);
}

static void origin_timer_fire(void *user)
{
	struct hf_origin_reach *o = user;

	switch ((enum hf_reach)o->reach) {
	case HF_REACH_DOWN:
		if (o->target || o->wanted)
			trial_begin(o);
		break;
	case HF_REACH_TRIAL:
		hf_probe_cancel(&o->probe);
		set_down(o);
		break;
	case HF_REACH_UNKNOWN:
	case HF_REACH_UP:
		break;
	}
}

static void origin_destroy(struct hf_origin_reach *o)
{
	if (!o)
		return;
	hf_timerq_clear(o->c->opt.timers, &o->timer);
	hf_probe_finish(&o->probe);
	free(o->name);
	free(o->host);
	free(o->target);
	free(o);
}

static struct hf_origin_reach *origin_create(struct hf_connectivity *c, const char *name,
					     struct hf_transport *transport, const char *host,
					     const char *target)
{
	struct hf_origin_reach *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->c = c;
	hf_timer_init(&o->timer, origin_timer_fire, o);
	o->name = hf_span_dup(hf_span_str(name));
	o->host = hf_span_dup(hf_span_str(host ? host : ""));
	o->local = host && hf_host_is_local(host);
	o->near = host && hf_host_is_near(host);
	if (target)
		o->target = hf_span_dup(hf_span_str(target));
	if (!o->name || !o->host || (target && !o->target) ||
	    (target && hf_probe_init(&o->probe, transport, HF_SPAN("HEAD"), o->host, o->target))) {
		origin_destroy(o);
		return NULL;
	}
	return o;
}

static struct hf_origin_reach *origin_at(const struct hf_connectivity *c, unsigned origin)
{
	assert(origin < c->n);
	return c->origins[origin];
}

/* ---- public ---- */

int hf_connectivity_create(const struct hf_connectivity_options *opt, struct hf_connectivity **out)
{
	struct hf_connectivity *c = calloc(1, sizeof(*c));

	assert(opt->probe_min_ms > 0 && opt->probe_max_ms >= opt->probe_min_ms);
	if (!c)
		return HF_ENOMEM;
	c->opt = *opt;
	hf_timer_init(&c->net_timer, hf_net_timer, c);
	hf_portal_init(c);
	if (opt->probe_transport) {
		c->net_host = hf_span_dup(hf_span_str(opt->probe_host));
		c->net_target = hf_span_dup(hf_span_str(opt->probe_target));
		if (!c->net_host || !c->net_target ||
		    hf_probe_init(&c->net_probe, opt->probe_transport, HF_SPAN("GET"), c->net_host,
				  c->net_target)) {
			hf_connectivity_destroy(c);
			return HF_ENOMEM;
		}
	}
	*out = c;
	return 0;
}

void hf_connectivity_destroy(struct hf_connectivity *c)
{
	unsigned i;

	if (!c)
		return;
	for (i = 0; i < c->n; i++)
		origin_destroy(c->origins[i]);
	free(c->origins);
	hf_timerq_clear(c->opt.timers, &c->net_timer);
	hf_probe_finish(&c->net_probe);
	hf_portal_finish(c);
	free(c->net_host);
	free(c->net_target);
	free(c);
}

int hf_connectivity_add(struct hf_connectivity *c, const char *name, struct hf_transport *transport,
			const char *host_field, const char *probe_target)
{
	struct hf_origin_reach **grown, *o;

	grown = realloc(c->origins, (c->n + 1) * sizeof(struct hf_origin_reach *));
	if (!grown)
		return HF_ENOMEM;
	c->origins = grown;
	o = origin_create(c, name, transport, host_field, probe_target);
	if (!o)
		return HF_ENOMEM;
	o->number = c->n;
	c->origins[c->n++] = o;
	return 0;
}

static void origin_lost(struct hf_origin_reach *o)
{
	hf_probe_cancel(&o->probe);
	note_failure(o, o->c->link == HF_LINK_BARE ? "the network gives no address" :
						     "no network link");
	hf_timerq_clear(o->c->opt.timers, &o->timer);
	set_down(o);
}

static void origin_found(struct hf_origin_reach *o)
{
	if (o->reach == HF_REACH_TRIAL && o->target) {
		/* Its connection may hang on the link that was. */
		hf_probe_cancel(&o->probe);
		set_down(o);
	}
	origin_try_soon(o);
}

/* A device that starts without a link may still have an origin on itself: its
 * first attempts find out. */
static void origin_link(struct hf_origin_reach *o, bool known, enum hf_link was)
{
	if (has_way(o, true, o->c->link)) {
		if (!o->local || o->c->link == HF_LINK_UP)
			origin_found(o);
	} else if (known && has_way(o, true, was)) {
		origin_lost(o);
	}
}

static const char *link_name(enum hf_link link)
{
	static const char *const names[] = {
		[HF_LINK_DOWN] = "down",
		[HF_LINK_UP] = "up",
		[HF_LINK_BARE] = "no-address",
	};

	return names[link];
}

void hf_connectivity_link(struct hf_connectivity *c, enum hf_link link)
{
	bool known = c->link_known;
	enum hf_link was = c->link;

	c->link_known = true;
	c->link = link;
	for (unsigned i = 0; i < c->n; i++)
		origin_link(c->origins[i], known, was);
	hf_portal_link(c);
	if (known && was == link) {
		if (c->net == HF_NET_CAPTIVE)
			hf_net_probe_now(c); /* the portal may be that of another network */
		return;
	}
	hf_log(c->opt.log, HF_LOG_INFO, "connectivity.link", "state=%s", link_name(link));
	c->net_asked = false;
	hf_probe_cancel(&c->net_probe);
	if (link == HF_LINK_UP)
		hf_net_probe_now(c);
	else if (c->opt.probe_transport)
		c->net = HF_NET_OFFLINE;
	if (c->opt.events->on_change)
		c->opt.events->on_change(c->opt.user);
}

static bool is_at_work(int status)
{
	return status < 500 && status != 408 && status != 425 && status != 429;
}

void hf_connectivity_report(struct hf_connectivity *c, unsigned origin,
			    const struct hf_exchange_result *result, int status)
{
	struct hf_origin_reach *o = origin_at(c, origin);

	if (status == 511) {
		hf_connectivity_captive(c, origin);
	} else if (status == 407) {
		o->failures++;
		note_failure(o, "a proxy on the way wants a login (407)");
		set_down(o);
	} else if (status != 0) {
		set_up(o);
		if (is_at_work(status) && c->opt.events->on_answered)
			c->opt.events->on_answered(c->opt.user, origin);
	} else if (result->end == HF_END_LIMIT || result->end == HF_END_INTERNAL) {
		/* It says nothing about the origin. */
		if (o->reach == HF_REACH_TRIAL)
			set_down(o);
	} else {
		note_failure(o, result->detail && result->detail[0] ? result->detail :
								      hf_end_name(result->end));
		failed(o);
	}
}

void hf_connectivity_heard(struct hf_connectivity *c, unsigned origin,
			   const struct hf_exchange_result *result, int status)
{
	struct hf_origin_reach *o = origin_at(c, origin);

	if (status == 0 || !is_behind_portal(o)) {
		hf_connectivity_report(c, origin, result, status);
		return;
	}
	hf_connectivity_captive(c, origin);
	hf_net_look_again(c);
}

void hf_connectivity_authenticated(struct hf_connectivity *c, unsigned origin)
{
	origin_at(c, origin)->authenticated = true;
}

void hf_connectivity_captive(struct hf_connectivity *c, unsigned origin)
{
	struct hf_origin_reach *o = origin_at(c, origin);

	o->failures++;
	note_failure(o, BEHIND_PORTAL);
	if (c->opt.events->on_captive)
		c->opt.events->on_captive(c->opt.user, origin);
	hf_net_set(c, HF_NET_CAPTIVE);
	set_down(o);
	hf_portal_ask(c);
	if (!hf_timer_is_set(&c->net_timer))
		hf_net_schedule(c);
}

void hf_connectivity_want(struct hf_connectivity *c, unsigned origin, bool wanted)
{
	struct hf_origin_reach *o = origin_at(c, origin);
	bool before = o->wanted > 0;

	assert(wanted || before);
	o->wanted += wanted ? 1 : -1u;
	if (before == (o->wanted > 0))
		return;
	hf_net_wanted(c);
	if (o->reach == HF_REACH_TRIAL && !wanted && !o->target)
		set_down(o); /* there is no attempt left that would be reported */
	if (o->reach != HF_REACH_DOWN)
		return;
	if (wanted)
		fast_begin(o);
	trial_schedule(o, 0);
}

void hf_connectivity_poke(struct hf_connectivity *c, unsigned origin)
{
	struct hf_origin_reach *o = origin_at(c, origin);

	if (is_behind_portal(o))
		hf_net_probe_now(c);
	else if (o->reach == HF_REACH_DOWN)
		hf_connectivity_timer(c, &o->timer, hf_connectivity_now(c));
}

enum hf_reach hf_connectivity_origin(const struct hf_connectivity *c, unsigned origin)
{
	return (enum hf_reach)origin_at(c, origin)->reach;
}

enum hf_link hf_connectivity_link_now(const struct hf_connectivity *c)
{
	return c->link;
}

enum hf_net_state hf_connectivity_net(const struct hf_connectivity *c)
{
	return c->net;
}

uint64_t hf_connectivity_since(const struct hf_connectivity *c, unsigned origin)
{
	return origin_at(c, origin)->since_ms;
}

const char *hf_connectivity_failure(const struct hf_connectivity *c, unsigned origin,
				    uint64_t *since_ms)
{
	const struct hf_failure *f = &origin_at(c, origin)->failure;

	*since_ms = f->since_ms;
	return f->words[0] ? f->words : NULL;
}

uint64_t hf_connectivity_last_success(const struct hf_connectivity *c, unsigned origin)
{
	return origin_at(c, origin)->last_success;
}

uint64_t hf_connectivity_next_trial(const struct hf_connectivity *c, unsigned origin)
{
	const struct hf_origin_reach *o = origin_at(c, origin);

	return o->reach == HF_REACH_DOWN && hf_timer_is_set(&o->timer) ? o->timer.due_ms : 0;
}

const char *hf_reach_name(enum hf_reach reach)
{
	return reach_names[reach];
}

const char *hf_net_state_name(enum hf_net_state state)
{
	static const char *const names[] = {
		[HF_NET_UNKNOWN] = "unknown",
		[HF_NET_ONLINE] = "online",
		[HF_NET_CAPTIVE] = "captive",
		[HF_NET_OFFLINE] = "offline",
	};

	return names[state];
}

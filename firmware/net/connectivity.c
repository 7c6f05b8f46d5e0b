/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One small machine per origin and one for the net. Reports of real traffic
 * drive them; trials fill in only while an origin is DOWN and something waits
 * for it, so that a healthy or idle device sets no timer and sends nothing.
 *
 * Trials of one outage follow each other at 0.75 to 1.0 times probe_min_ms for
 * ten minutes (counted from when the outage and the need met, and anew from
 * each link-up), then at doubling distances up to probe_max_ms. Without a link
 * there are none, but to an origin on the device itself, which needs no link.
 *
 * It never reads an answer's body and never decides about a queued request.
 */
#include "net/connectivity.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fsm.h"
#include "http/url.h"
#include "net/addr.h"
#include "net/probe.h"

#define FAST_MS (10u * 60 * 1000)

struct origin;

struct origin {
	struct hf_connectivity *c;
	unsigned number;
	char *name, *host, *target; /* target NULL: no active probe */
	struct hf_probe probe;	    /* with a target */
	struct hf_timer timer;	    /* DOWN: the next trial; TRIAL: its guard */
	uint8_t reach;		    /* enum hf_reach */
	bool local;		    /* on the device itself */
	unsigned wanted;	    /* by how many */
	unsigned failures;	    /* in a row */
	uint64_t fast_until;	    /* trials are dense before it */
	uint64_t interval_ms;	    /* the last one after fast_until */
	uint64_t last_success;
};

struct hf_connectivity {
	struct hf_connectivity_options opt;
	struct origin **origins;
	unsigned n;
	bool link_known, link_up;
	enum hf_net_state net;
	char *net_host, *net_target;
	struct hf_probe net_probe; /* with a transport for it */
	struct hf_timer net_timer;
	uint64_t net_interval_ms;
};

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

static uint64_t now_ms(const struct hf_connectivity *c)
{
	return c->opt.port->boottime_ms(c->opt.port);
}

static void timer_set(struct hf_connectivity *c, struct hf_timer *t, uint64_t due_ms)
{
	/* Without memory for the heap the next report or link event tries again. */
	if (hf_timerq_set(c->opt.timers, t, due_ms))
		hf_log(c->opt.log, HF_LOG_ERROR, "connectivity.timer", "err=ENOMEM");
}

static bool link_is_down(const struct hf_connectivity *c)
{
	return c->link_known && !c->link_up;
}

/* ---- the net ---- */

static void net_schedule(struct hf_connectivity *c);

static void net_set(struct hf_connectivity *c, enum hf_net_state state)
{
	if (c->net == state)
		return;
	c->net = state;
	hf_log(c->opt.log, HF_LOG_INFO, "connectivity.net", "state=%s", hf_net_state_name(state));
	if (c->opt.events->on_change)
		c->opt.events->on_change(c->opt.user);
}

static bool any_wanted(const struct hf_connectivity *c)
{
	unsigned i;

	for (i = 0; i < c->n; i++)
		if (c->origins[i]->wanted)
			return true;
	return false;
}

static void net_probe_done(void *user, const struct hf_exchange_result *result, int status)
{
	struct hf_connectivity *c = user;

	(void)result;
	if (status == 0)
		net_set(c, HF_NET_OFFLINE);
	else if (status == c->opt.probe_status)
		net_set(c, HF_NET_ONLINE);
	else
		net_set(c, HF_NET_CAPTIVE);
	net_schedule(c);
}

static void net_probe_now(struct hf_connectivity *c)
{
	hf_timerq_clear(c->opt.timers, &c->net_timer);
	if (!c->opt.probe_transport || hf_probe_runs(&c->net_probe) || link_is_down(c))
		return;
	if (hf_probe_start(&c->net_probe, net_probe_done, c))
		net_schedule(c);
}

static void net_timer_fire(void *user)
{
	net_probe_now(user);
}

/* The next net probe: while something waits and the net is not ONLINE. */
static void net_schedule(struct hf_connectivity *c)
{
	uint64_t base = c->net_interval_ms;

	if (!c->opt.probe_transport || hf_probe_runs(&c->net_probe))
		return;
	if (c->net == HF_NET_ONLINE || !any_wanted(c) || link_is_down(c)) {
		c->net_interval_ms = c->opt.probe_min_ms;
		hf_timerq_clear(c->opt.timers, &c->net_timer);
		return;
	}
	timer_set(c, &c->net_timer, now_ms(c) + base - hf_rand_below(c->opt.rand, base / 4 + 1));
	c->net_interval_ms = base * 2 > c->opt.probe_max_ms ? c->opt.probe_max_ms : base * 2;
}

/* ---- origins ---- */

static void move(struct origin *o, enum hf_reach to)
{
	struct hf_connectivity *c = o->c;
	bool trial = to == HF_REACH_TRIAL || (o->reach == HF_REACH_TRIAL && to == HF_REACH_DOWN);

	assert(o->reach != to);
	hf_fsm_move(&reach_fsm, &o->reach, to);
	hf_log(c->opt.log, trial ? HF_LOG_DEBUG : HF_LOG_INFO, "connectivity.origin",
	       "origin=%s state=%s", o->name, reach_names[to]);
	if (c->opt.events->on_origin)
		c->opt.events->on_origin(c->opt.user, o->number, to);
}

static void fast_begin(struct origin *o)
{
	o->fast_until = now_ms(o->c) + FAST_MS;
	o->interval_ms = o->c->opt.probe_min_ms;
}

/* How long after the last trial the next one is due. */
static uint64_t trial_interval(struct origin *o)
{
	const struct hf_connectivity_options *opt = &o->c->opt;
	uint64_t base = opt->probe_min_ms;

	if (now_ms(o->c) >= o->fast_until) {
		o->interval_ms *= 2;
		if (o->interval_ms > opt->probe_max_ms)
			o->interval_ms = opt->probe_max_ms;
		base = o->interval_ms;
	}
	return base - hf_rand_below(opt->rand, base / 4 + 1);
}

static void trial_schedule(struct origin *o, uint64_t in_ms)
{
	assert(o->reach == HF_REACH_DOWN);
	if (o->wanted && (o->local || !link_is_down(o->c)))
		timer_set(o->c, &o->timer, now_ms(o->c) + in_ms);
	else
		hf_timerq_clear(o->c->opt.timers, &o->timer);
}

static void set_up(struct origin *o)
{
	struct hf_connectivity *c = o->c;

	o->last_success = now_ms(c);
	o->failures = 0;
	if (o->reach == HF_REACH_UP)
		return;
	hf_timerq_clear(c->opt.timers, &o->timer);
	move(o, HF_REACH_UP);
	if (c->net == HF_NET_CAPTIVE || c->net == HF_NET_OFFLINE) {
		net_set(c, c->opt.probe_transport ? HF_NET_ONLINE : HF_NET_UNKNOWN);
		net_schedule(c);
	}
}

static void set_down(struct origin *o)
{
	if (o->reach == HF_REACH_DOWN)
		return;
	if (o->reach != HF_REACH_TRIAL) {
		fast_begin(o);
		net_probe_now(o->c);
	}
	hf_timerq_clear(o->c->opt.timers, &o->timer);
	move(o, HF_REACH_DOWN);
	if (o->reach == HF_REACH_DOWN && !hf_timer_is_set(&o->timer))
		trial_schedule(o, trial_interval(o));
}

static void failed(struct origin *o)
{
	o->failures++;
	if (o->reach == HF_REACH_TRIAL || o->failures >= HF_CONNECTIVITY_FAILURES)
		set_down(o);
}

static void probe_done(void *user, const struct hf_exchange_result *result, int status)
{
	struct origin *o = user;

	hf_connectivity_report(o->c, o->number, result, status);
}

static void trial_begin(struct origin *o)
{
	struct hf_connectivity *c = o->c;

	/* A trial that is never reported must not stop the next one for good. */
	timer_set(c, &o->timer, now_ms(c) + c->opt.probe_max_ms);
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
	struct origin *o = user;

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

/* @host is a loopback address or a name that stands for one (RFC 6761 section
 * 6.3). */
static bool is_local(const char *host)
{
	static const size_t label = sizeof("localhost") - 1;
	char name[64]; /* a longer one is no address */
	struct hf_addr addr;
	struct hf_span span;
	uint16_t port;

	if (hf_host_parse(hf_span_str(host), &span, &port))
		return false;
	snprintf(name, sizeof(name), "%.*s", HF_SPAN_ARG(span));
	if (hf_addr_parse(name, &addr) == 0)
		return hf_addr_is_local(&addr);
	if (span.ptr[span.len - 1] == '.')
		span.len--;
	if (span.len > label && span.ptr[span.len - label - 1] == '.')
		span = hf_span_skip(span, span.len - label);
	return hf_span_ieq_str(span, "localhost");
}

static void origin_destroy(struct origin *o)
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

static struct origin *origin_create(struct hf_connectivity *c, const char *name,
				    struct hf_transport *transport, const char *host,
				    const char *target)
{
	struct origin *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->c = c;
	hf_timer_init(&o->timer, origin_timer_fire, o);
	o->name = hf_span_dup(hf_span_str(name));
	o->host = hf_span_dup(hf_span_str(host ? host : ""));
	o->local = host && is_local(host);
	if (target)
		o->target = hf_span_dup(hf_span_str(target));
	if (!o->name || !o->host || (target && !o->target) ||
	    (target && hf_probe_init(&o->probe, transport, HF_SPAN("HEAD"), o->host, o->target))) {
		origin_destroy(o);
		return NULL;
	}
	return o;
}

static struct origin *origin_at(const struct hf_connectivity *c, unsigned origin)
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
	c->net_interval_ms = opt->probe_min_ms;
	hf_timer_init(&c->net_timer, net_timer_fire, c);
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
	free(c->net_host);
	free(c->net_target);
	free(c);
}

int hf_connectivity_add(struct hf_connectivity *c, const char *name, struct hf_transport *transport,
			const char *host_field, const char *probe_target)
{
	struct origin **grown, *o;

	grown = realloc(c->origins, (c->n + 1) * sizeof(struct origin *));
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

static void origin_link(struct origin *o, bool up)
{
	if (!up) {
		hf_probe_cancel(&o->probe);
		set_down(o);
		return;
	}
	fast_begin(o);
	if (o->reach == HF_REACH_TRIAL && o->target) {
		/* Its connection may hang on the link that was. */
		hf_probe_cancel(&o->probe);
		set_down(o);
	}
	if (o->reach == HF_REACH_DOWN)
		trial_schedule(o, 0);
}

void hf_connectivity_link(struct hf_connectivity *c, bool up)
{
	bool known = c->link_known, was = c->link_up;
	unsigned i;

	c->link_known = true;
	c->link_up = up;
	/* A device that starts without a link may still have an origin on itself:
	 * its first attempts find out. */
	for (i = 0; i < c->n; i++)
		if (up || (known && was && !c->origins[i]->local))
			origin_link(c->origins[i], up);
	if (known && was == up)
		return;
	hf_log(c->opt.log, HF_LOG_INFO, "connectivity.link", "up=%d", up);
	c->net_interval_ms = c->opt.probe_min_ms;
	hf_probe_cancel(&c->net_probe);
	if (up)
		net_probe_now(c);
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
	struct origin *o = origin_at(c, origin);

	if (status == 511) {
		hf_connectivity_captive(c, origin);
	} else if (status == 407) {
		o->failures++;
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
		failed(o);
	}
}

void hf_connectivity_captive(struct hf_connectivity *c, unsigned origin)
{
	struct origin *o = origin_at(c, origin);

	o->failures++;
	net_set(c, HF_NET_CAPTIVE);
	set_down(o);
	if (!hf_timer_is_set(&c->net_timer))
		net_schedule(c);
}

void hf_connectivity_want(struct hf_connectivity *c, unsigned origin, bool wanted)
{
	struct origin *o = origin_at(c, origin);
	bool before = o->wanted > 0;

	assert(wanted || before);
	o->wanted += wanted ? 1 : -1u;
	if (before == (o->wanted > 0))
		return;
	if (!hf_timer_is_set(&c->net_timer) || !wanted)
		net_schedule(c);
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
	struct origin *o = origin_at(c, origin);

	if (o->reach == HF_REACH_DOWN)
		timer_set(c, &o->timer, now_ms(c));
}

enum hf_reach hf_connectivity_origin(const struct hf_connectivity *c, unsigned origin)
{
	return (enum hf_reach)origin_at(c, origin)->reach;
}

bool hf_connectivity_link_up(const struct hf_connectivity *c)
{
	return c->link_up;
}

enum hf_net_state hf_connectivity_net(const struct hf_connectivity *c)
{
	return c->net;
}

uint64_t hf_connectivity_last_success(const struct hf_connectivity *c, unsigned origin)
{
	return origin_at(c, origin)->last_success;
}

uint64_t hf_connectivity_next_trial(const struct hf_connectivity *c, unsigned origin)
{
	const struct origin *o = origin_at(c, origin);

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

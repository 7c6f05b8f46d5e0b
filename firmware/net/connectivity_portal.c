/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The net: what the API of the network's captive portal says (RFC 8908). It is
 * asked when it becomes known, when an address comes, when something answers in
 * an origin's place, and before the session that it has told of ends. While it
 * says captive, or does not answer, it is asked again in the pace of the probes,
 * but only while something waits.
 */
#include "net/connectivity_private.h"

#include <stdlib.h>

#include "holdfast/err.h"
#include "net/addr.h"

#define GUARD_MS       30000 /* for a whole answer */
#define BEFORE_MS      30000 /* that the session ends */
#define SESSION_MIN_MS 60000 /* between questions about it */

static void tell(struct hf_connectivity *c)
{
	if (c->opt.events->on_change)
		c->opt.events->on_change(c->opt.user);
}

static void set_state(struct hf_connectivity *c, enum hf_portal_state state)
{
	enum hf_portal_state was = c->portal.state;

	if (state == was)
		return;
	c->portal.state = state;
	hf_log(c->opt.log, HF_LOG_INFO, "connectivity.portal", "state=%s",
	       hf_portal_state_name(state));
	if (state == HF_PORTAL_CAPTIVE) {
		hf_net_set(c, HF_NET_CAPTIVE);
		hf_connectivity_net_probed(c, false);
	} else if (was == HF_PORTAL_CAPTIVE) {
		hf_net_set(c, HF_NET_UNKNOWN);
		hf_net_probe_now(c);
		hf_connectivity_net_probed(c, true);
	}
	tell(c);
}

/* ---- asking ---- */

static bool has_no_way(const struct hf_connectivity *c)
{
	return hf_connectivity_no_way(c) && !hf_host_is_local(c->portal.host);
}

static uint64_t paced(struct hf_connectivity *c)
{
	struct hf_portal *p = &c->portal;
	uint64_t now = hf_connectivity_now(c);

	if (!p->asked)
		hf_pace_begin(&p->pace, now, c->opt.probe_min_ms);
	p->asked = true;
	return now +
	       hf_pace_next(&p->pace, now, c->opt.probe_min_ms, c->opt.probe_max_ms, c->opt.rand);
}

/* Before the session ends, but not at the network's whim. */
static uint64_t session_due(const struct hf_connectivity *c)
{
	uint64_t soonest = hf_connectivity_now(c) + SESSION_MIN_MS;
	uint64_t due = c->portal.ends_ms > BEFORE_MS ? c->portal.ends_ms - BEFORE_MS : 0;

	return due > soonest ? due : soonest;
}

static void schedule(struct hf_connectivity *c)
{
	struct hf_portal *p = &c->portal;
	uint64_t due = HF_TIMER_NEVER;

	if (!p->host || hf_probe_runs(&p->probe))
		return;
	if (has_no_way(c)) {
		p->asked = false;
	} else if (p->state == HF_PORTAL_OPEN) {
		p->asked = false;
		if (p->last.ends)
			due = session_due(c);
	} else if (hf_net_any_wanted(c)) {
		due = paced(c);
	}
	if (due == HF_TIMER_NEVER)
		hf_timerq_clear(c->opt.timers, &p->timer);
	else
		hf_connectivity_timer(c, &p->timer, due);
}

static void failed(struct hf_connectivity *c, const char *words)
{
	struct hf_portal *p = &c->portal;
	char quoted[2 * HF_FAILURE_WORDS_SIZE];

	if (hf_failure_note(&p->failure, words, hf_connectivity_now(c)))
		hf_log(c->opt.log, HF_LOG_WARNING, "connectivity.portal_failure", "words=%s",
		       hf_log_quote(hf_span_str(p->failure.words), quoted, sizeof(quoted)));
	p->failures++;
	if ((p->state == HF_PORTAL_OPEN && p->last.ends && hf_connectivity_now(c) >= p->ends_ms) ||
	    (p->state == HF_PORTAL_CAPTIVE && p->failures >= HF_CONNECTIVITY_FAILURES))
		set_state(c, HF_PORTAL_UNKNOWN);
	schedule(c);
}

static void answered(struct hf_connectivity *c, const struct hf_capport_answer *answer)
{
	struct hf_portal *p = &c->portal;

	hf_failure_clear(&p->failure);
	p->failures = 0;
	p->last = *answer;
	p->ends_ms = hf_connectivity_now(c) + UINT64_C(1000) * answer->seconds;
	set_state(c, answer->captive ? HF_PORTAL_CAPTIVE : HF_PORTAL_OPEN);
	if (!answer->captive && !c->opt.probe_transport)
		hf_net_in_order(c, p->asking);
	schedule(c);
}

static void done(void *user, const struct hf_exchange_result *result, int status)
{
	struct hf_connectivity *c = user;
	struct hf_portal *p = &c->portal;
	struct hf_capport_answer answer;

	hf_timerq_clear(c->opt.timers, &p->timer);
	if (status == 0)
		failed(c, result->detail && result->detail[0] ? result->detail :
								hf_end_name(result->end));
	else if (status != 200 || !p->probe.typed || result->end != HF_END_COMPLETE)
		failed(c, "it is not answered with " HF_CAPPORT_TYPE);
	else if (hf_capport_answer_read(hf_buf_span(&p->probe.body), &answer))
		failed(c, "its answer cannot be read");
	else
		answered(c, &answer);
}

static void ask(struct hf_connectivity *c)
{
	struct hf_portal *p = &c->portal;

	hf_timerq_clear(c->opt.timers, &p->timer);
	if (has_no_way(c))
		return;
	p->asked_ms = hf_connectivity_now(c);
	p->asking = hf_net_asking(c);
	if (hf_probe_start(&p->probe, done, c))
		schedule(c);
	else
		hf_connectivity_timer(c, &p->timer, hf_connectivity_now(c) + GUARD_MS);
}

static void timer_fired(void *user)
{
	struct hf_connectivity *c = user;

	if (hf_probe_runs(&c->portal.probe)) {
		hf_probe_cancel(&c->portal.probe);
		failed(c, "its answer takes too long");
	} else {
		ask(c);
	}
}

/* ---- inside ---- */

void hf_portal_init(struct hf_connectivity *c)
{
	hf_timer_init(&c->portal.timer, timer_fired, c);
}

void hf_portal_finish(struct hf_connectivity *c)
{
	struct hf_portal *p = &c->portal;

	hf_timerq_clear(c->opt.timers, &p->timer);
	if (p->host)
		hf_probe_finish(&p->probe);
	free(p->host);
	free(p->target);
	p->host = p->target = NULL;
	p->probe = (struct hf_probe){ 0 };
}

void hf_portal_ask(struct hf_connectivity *c)
{
	struct hf_portal *p = &c->portal;

	if (!p->host || hf_probe_runs(&p->probe))
		return;
	if (hf_connectivity_now(c) >= p->asked_ms + c->opt.probe_min_ms)
		ask(c);
	else if (!hf_timer_is_set(&p->timer))
		hf_connectivity_timer(c, &p->timer, p->asked_ms + c->opt.probe_min_ms);
}

void hf_portal_link(struct hf_connectivity *c)
{
	struct hf_portal *p = &c->portal;

	if (!p->host)
		return;
	hf_probe_cancel(&p->probe);
	p->asked = false;
	if (has_no_way(c))
		set_state(c, HF_PORTAL_UNKNOWN);
	ask(c);
}

void hf_portal_wanted(struct hf_connectivity *c)
{
	struct hf_portal *p = &c->portal;

	if (p->state != HF_PORTAL_OPEN && (!hf_timer_is_set(&p->timer) || !hf_net_any_wanted(c)))
		schedule(c);
}

/* ---- public ---- */

void hf_connectivity_clock(struct hf_connectivity *c)
{
	if (c->portal.failure.words[0])
		hf_portal_ask(c);
}

int hf_connectivity_portal_api(struct hf_connectivity *c, struct hf_transport *transport,
			       const char *host_field, const char *target)
{
	struct hf_portal *p = &c->portal;

	hf_portal_finish(c);
	p->last = (struct hf_capport_answer){ 0 };
	p->asked = false;
	hf_failure_clear(&p->failure);
	if (transport) {
		p->host = hf_span_dup(hf_span_str(host_field));
		p->target = hf_span_dup(hf_span_str(target));
	}
	if (transport && (!p->host || !p->target ||
			  hf_probe_init(&p->probe, transport, HF_SPAN("GET"), p->host, p->target) ||
			  hf_probe_want(&p->probe, HF_CAPPORT_TYPE, HF_CAPPORT_BYTES_MAX))) {
		hf_portal_finish(c);
		set_state(c, HF_PORTAL_NONE);
		return HF_ENOMEM;
	}
	set_state(c, transport ? HF_PORTAL_UNKNOWN : HF_PORTAL_NONE);
	if (transport)
		ask(c);
	return 0;
}

void hf_connectivity_portal(const struct hf_connectivity *c, struct hf_portal_view *out)
{
	const struct hf_portal *p = &c->portal;

	*out = (struct hf_portal_view){
		.state = p->state,
		.url = p->last.url[0] ? p->last.url : NULL,
		.failure = p->failure.words[0] ? p->failure.words : NULL,
		.ends = p->state == HF_PORTAL_OPEN && p->last.ends,
		.ends_ms = p->ends_ms,
	};
}

const char *hf_portal_state_name(enum hf_portal_state state)
{
	static const char *const names[] = {
		[HF_PORTAL_NONE] = "none",
		[HF_PORTAL_UNKNOWN] = "unknown",
		[HF_PORTAL_OPEN] = "open",
		[HF_PORTAL_CAPTIVE] = "captive",
	};

	return names[state];
}

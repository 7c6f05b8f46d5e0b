/* SPDX-License-Identifier: Apache-2.0 */
/* The net: what the configured probe says. */
#include "net/connectivity_private.h"

#define PROOF_DELAY_MS	 200  /* what comes meanwhile is proved along */
#define PROOF_GAP_MIN_MS 1000 /* from answer to question, growing while much is stored */
#define PROOF_GAP_MAX_MS 10000

void hf_net_set(struct hf_connectivity *c, enum hf_net_state state)
{
	if (c->net == state)
		return;
	c->net = state;
	hf_log(c->opt.log, HF_LOG_INFO, "connectivity.net", "state=%s", hf_net_state_name(state));
	if (c->opt.events->on_change)
		c->opt.events->on_change(c->opt.user);
}

bool hf_net_any_wanted(const struct hf_connectivity *c)
{
	unsigned i;

	for (i = 0; i < c->n; i++)
		if (c->origins[i]->wanted)
			return true;
	return false;
}

uint32_t hf_net_asking(const struct hf_connectivity *c)
{
	return c->opt.events->on_asking ? c->opt.events->on_asking(c->opt.user) : 0;
}

void hf_net_in_order(const struct hf_connectivity *c, uint32_t number)
{
	if (c->opt.events->on_in_order)
		c->opt.events->on_in_order(c->opt.user, number);
}

static void note_proof(struct hf_connectivity *c)
{
	uint64_t now = hf_connectivity_now(c);

	if (now > c->proof_ms + (uint64_t)2 * PROOF_GAP_MAX_MS)
		c->proof_gap_ms = PROOF_GAP_MIN_MS;
	else
		c->proof_gap_ms = 2 * c->proof_gap_ms < PROOF_GAP_MAX_MS ? 2 * c->proof_gap_ms :
									   PROOF_GAP_MAX_MS;
	c->proof_ms = now;
}

static void net_probe_done(void *user, const struct hf_exchange_result *result, int status)
{
	struct hf_connectivity *c = user;
	bool opens = status == c->opt.probe_status && c->net != HF_NET_UNKNOWN &&
		     c->net != HF_NET_ONLINE && c->portal.state != HF_PORTAL_CAPTIVE;

	(void)result;
	if (c->portal.state == HF_PORTAL_CAPTIVE)
		hf_net_set(c, HF_NET_CAPTIVE); /* the probe's server may be let through */
	else if (status == 0)
		hf_net_set(c, HF_NET_OFFLINE);
	else
		hf_net_set(c, status == c->opt.probe_status ? HF_NET_ONLINE : HF_NET_CAPTIVE);
	if (status && status != c->opt.probe_status)
		hf_portal_ask(c);
	if (status == c->opt.probe_status && c->net == HF_NET_ONLINE) {
		note_proof(c);
		hf_net_in_order(c, c->asking);
	}
	hf_net_schedule(c);
	hf_connectivity_net_probed(c, opens);
}

void hf_net_probe_now(struct hf_connectivity *c)
{
	hf_timerq_clear(c->opt.timers, &c->net_timer);
	if (!c->opt.probe_transport || hf_probe_runs(&c->net_probe) || hf_connectivity_no_way(c))
		return;
	c->asking = hf_net_asking(c);
	if (hf_probe_start(&c->net_probe, net_probe_done, c))
		hf_net_schedule(c);
}

void hf_net_timer(void *user)
{
	hf_net_probe_now(user);
}

static uint64_t next_due(struct hf_connectivity *c)
{
	uint64_t now = hf_connectivity_now(c);

	if (!c->net_asked)
		hf_pace_begin(&c->net_pace, now, c->opt.probe_min_ms);
	c->net_asked = true;
	return now + hf_pace_next(&c->net_pace, now, c->opt.probe_min_ms, c->opt.probe_max_ms,
				  c->opt.rand);
}

/* What is stored waits to be proved: not at once, and not too often. */
static uint64_t proof_due(const struct hf_connectivity *c)
{
	uint64_t soon = hf_connectivity_now(c) + PROOF_DELAY_MS;
	uint64_t apart = c->proof_ms + c->proof_gap_ms;

	return apart > soon ? apart : soon;
}

/* The next net probe: while something waits and the net is not ONLINE, or something is
 * to be proved. */
void hf_net_schedule(struct hf_connectivity *c)
{
	bool online = c->net == HF_NET_ONLINE;

	if (!c->opt.probe_transport || hf_probe_runs(&c->net_probe))
		return;
	if (hf_connectivity_no_way(c) || (!c->proof_wanted && (online || !hf_net_any_wanted(c)))) {
		c->net_asked = false;
		hf_timerq_clear(c->opt.timers, &c->net_timer);
	} else if (online) {
		c->net_asked = false;
		hf_connectivity_timer(c, &c->net_timer, proof_due(c));
	} else {
		hf_connectivity_timer(c, &c->net_timer, next_due(c));
	}
}

void hf_net_wanted(struct hf_connectivity *c)
{
	hf_portal_wanted(c);
	if (!hf_timer_is_set(&c->net_timer) || (!hf_net_any_wanted(c) && !c->proof_wanted))
		hf_net_schedule(c);
}

void hf_connectivity_want_proof(struct hf_connectivity *c, bool wanted)
{
	if (c->proof_wanted == wanted)
		return;
	c->proof_wanted = wanted;
	if (!hf_timer_is_set(&c->net_timer) || !hf_net_any_wanted(c))
		hf_net_schedule(c);
}

void hf_net_look_again(struct hf_connectivity *c)
{
	if (c->opt.probe_transport && !hf_timer_is_set(&c->net_timer) &&
	    !hf_probe_runs(&c->net_probe))
		hf_connectivity_timer(c, &c->net_timer, next_due(c));
}

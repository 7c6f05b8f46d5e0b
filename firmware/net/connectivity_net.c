/* SPDX-License-Identifier: Apache-2.0 */
/* The net: what the configured probe says. */
#include "net/connectivity_private.h"

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
	hf_net_schedule(c);
	hf_connectivity_net_probed(c, opens);
}

void hf_net_probe_now(struct hf_connectivity *c)
{
	hf_timerq_clear(c->opt.timers, &c->net_timer);
	if (!c->opt.probe_transport || hf_probe_runs(&c->net_probe) || hf_connectivity_no_way(c))
		return;
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

/* The next net probe: while something waits and the net is not ONLINE. */
void hf_net_schedule(struct hf_connectivity *c)
{
	if (!c->opt.probe_transport || hf_probe_runs(&c->net_probe))
		return;
	if (c->net == HF_NET_ONLINE || !hf_net_any_wanted(c) || hf_connectivity_no_way(c)) {
		c->net_asked = false;
		hf_timerq_clear(c->opt.timers, &c->net_timer);
		return;
	}
	hf_connectivity_timer(c, &c->net_timer, next_due(c));
}

void hf_net_wanted(struct hf_connectivity *c)
{
	hf_portal_wanted(c);
	if (!hf_timer_is_set(&c->net_timer) || !hf_net_any_wanted(c))
		hf_net_schedule(c);
}

void hf_net_look_again(struct hf_connectivity *c)
{
	if (c->opt.probe_transport && !hf_timer_is_set(&c->net_timer) &&
	    !hf_probe_runs(&c->net_probe))
		hf_connectivity_timer(c, &c->net_timer, next_due(c));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* When a periodic registration may be fired, and when to look again. */
#include "holdfast_config.h"
#include "sync/periodic_private.h"

#define MINUTE_MS	60000
#define DAY_MIN		1440
#define DELETE_AGAIN_MS 5000
#define LOOK_EVERY_MS	(3600 * INT64_C(1000)) /* at a window: days have 23 to 25 hours */
#define SAVE_EVERY_MAX	(3600 * UINT64_C(1000))
#define SAVE_EVERY_MIN	(60 * UINT64_C(1000))

/* ---- conditions ---- */

bool hf_periodic_is_down(const struct hf_periodic_reg *r)
{
	enum hf_reach reach =
		hf_connectivity_origin(r->all->opt.sync.connectivity, hf_periodic_origin_of(r));

	return reach == HF_REACH_DOWN || reach == HF_REACH_TRIAL;
}

/* Milliseconds of the local day; -1: the clock is not set. */
static int64_t local_time(const struct hf_periodic *p)
{
	struct hf_port *port = p->opt.sync.port;
	int64_t wall = 0, local;

	if (port->wall_ms(port, &wall) == HF_CLOCK_UNSET || wall < HF_WALL_MIN_MS)
		return -1;
	local = wall + port->utc_offset_s(port, wall) * INT64_C(1000);
	return local % (DAY_MIN * MINUTE_MS);
}

/* Until the window opens; 0: it is open. */
static int64_t until_window(const struct hf_periodic_sync *w, int64_t local_ms)
{
	int64_t minute = local_ms / MINUTE_MS;
	bool in = w->from_min < w->to_min ? minute >= w->from_min && minute < w->to_min :
					    minute >= w->from_min || minute < w->to_min;

	if (in)
		return 0;
	return (w->from_min - minute + DAY_MIN) % DAY_MIN * MINUTE_MS - local_ms % MINUTE_MS;
}

const char *hf_periodic_blocked(const struct hf_periodic_reg *r)
{
	const struct hf_periodic_options *opt = &r->all->opt;
	const struct hf_periodic_sync *w = hf_periodic_what(r);
	int64_t local;

	if (!w->captive && hf_connectivity_net(opt->sync.connectivity) == HF_NET_CAPTIVE)
		return "captive";
	if (w->unmetered && opt->metered(opt->user))
		return "metered";
	if (!w->has_window)
		return NULL;
	local = local_time(r->all);
	if (local < 0)
		return "clock";
	return until_window(w, local) > 0 ? "window" : NULL;
}

/* ---- the one timer ---- */

static uint64_t interval_of(const struct hf_periodic_reg *r)
{
	return hf_periodic_interval_ms(&r->state,
				       CONFIG_HF_PERIODIC_MIN_INTERVAL_S * UINT64_C(1000));
}

uint64_t hf_periodic_slack_ms(const struct hf_periodic_reg *r)
{
	uint64_t slack = interval_of(r) / 20, most = CONFIG_HF_PERIODIC_SLACK_S * UINT64_C(1000);

	return slack < most ? slack : most;
}

/* Milliseconds until something is to be done for it, INT64_MAX: nothing is. */
static int64_t next_look(const struct hf_periodic_reg *r, int64_t now_ms)
{
	const struct hf_periodic_sync *w = hf_periodic_what(r);
	int64_t local, wait;

	if (r->writes > 0) /* its end is one look */
		return INT64_MAX;
	switch ((enum hf_periodic_status)r->state.status) {
	case HF_PERIODIC_WAITING:
		return r->state.due_dev_ms + (int64_t)hf_periodic_slack_ms(r) - now_ms;
	case HF_PERIODIC_RETRYING:
		return r->state.due_dev_ms - now_ms;
	case HF_PERIODIC_PENDING:
		local = w->has_window ? local_time(r->all) : -1;
		wait = local < 0 ? 0 : until_window(w, local);
		if (wait > 0)
			return wait < LOOK_EVERY_MS ? wait : LOOK_EVERY_MS;
		break;
	case HF_PERIODIC_NONE: /* its row could not be deleted */
		return DELETE_AGAIN_MS;
	case HF_PERIODIC_FIRING:
	case HF_PERIODIC_REREGISTERED:
	case HF_PERIODIC_STATUSES:
		break;
	}
	return INT64_MAX;
}

static uint64_t clamp(uint64_t ms, uint64_t least, uint64_t most)
{
	return ms < least ? least : ms > most ? most : ms;
}

/* A quarter of the shortest interval: so much of a wait may a loss of power
 * repeat. UINT64_MAX: there is none. */
static uint64_t save_every(struct hf_periodic *p)
{
	uint64_t shortest = UINT64_MAX;
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &p->regs) {
		uint64_t interval = interval_of(hf_periodic_reg_at(it));

		shortest = interval < shortest ? interval : shortest;
	}
	if (shortest == UINT64_MAX)
		return UINT64_MAX;
	return clamp(shortest / 4, SAVE_EVERY_MIN, SAVE_EVERY_MAX);
}

void hf_periodic_checkpoint(struct hf_periodic *p)
{
	uint64_t now = hf_periodic_boot_ms(p), every = save_every(p);

	/* a wake-up for something else does it a little before its time */
	if (every == UINT64_MAX || now - p->saved_ms < every - every / 4)
		return;
	p->saved_ms = now;
	p->opt.save_time(p->opt.user);
}

void hf_periodic_arm(struct hf_periodic *p)
{
	uint64_t now = hf_periodic_boot_ms(p), at = UINT64_MAX, every = save_every(p);
	int64_t device = hf_periodic_device_ms(p);
	struct hf_list *it, *tmp;

	if (!p->started)
		return;
	if (every != UINT64_MAX)
		at = p->saved_ms + every;
	hf_list_for(it, tmp, &p->regs) {
		int64_t wait = next_look(hf_periodic_reg_at(it), device);
		uint64_t then = wait == INT64_MAX ? UINT64_MAX :
						    now + (wait > 0 ? (uint64_t)wait : 0);

		at = then < at ? then : at;
	}
	if (at == UINT64_MAX)
		hf_timerq_clear(p->opt.sync.timers, &p->timer);
	else
		hf_timerq_set(p->opt.sync.timers, &p->timer, at);
}

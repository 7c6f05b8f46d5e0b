/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/health.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "agent/agent_private.h"
#include "holdfast_config.h"
#include "http/values.h"
#include "queue/hold.h"

#define LOOK_EVERY_MS 5000

const char *hf_health_name(enum hf_health_state state)
{
	switch (state) {
	case HF_HEALTH_OK:
		return "ok";
	case HF_HEALTH_DEGRADED:
		return "degraded";
	case HF_HEALTH_STUCK:
		return "stuck";
	}
	return "stuck";
}

/* A worse reason goes before the others. */
static void __attribute__((format(printf, 3, 4)))
say(struct hf_health *h, enum hf_health_state state, const char *fmt, ...)
{
	bool first = state > h->state;
	unsigned at = h->reasons_n;
	va_list args;

	if (first) {
		h->state = state;
		at = 0;
		if (h->reasons_n == HF_HEALTH_REASONS_MAX) {
			h->reasons_n--;
			h->more++;
		}
		memmove(h->reasons[1], h->reasons[0], h->reasons_n * sizeof(h->reasons[0]));
	} else if (at == HF_HEALTH_REASONS_MAX) {
		h->more++;
		return;
	}
	va_start(args, fmt);
	vsnprintf(h->reasons[at], sizeof(h->reasons[at]), fmt, args);
	va_end(args);
	h->reasons_n++;
}

/* "3 h" */
static const char *words_of(uint64_t ms, char out[32])
{
	uint64_t s = ms / 1000;

	if (s < 120)
		snprintf(out, 32, "%" PRIu64 " s", s);
	else if (s < 7200)
		snprintf(out, 32, "%" PRIu64 " min", s / 60);
	else if (s < 172800)
		snprintf(out, 32, "%" PRIu64 " h", s / 3600);
	else
		snprintf(out, 32, "%" PRIu64 " d", s / 86400);
	return out;
}

struct look {
	struct hf_health *health;
	struct hf_span origin; /* ptr NULL: all */
};

static void look_at_waiting(struct hf_health *h, const struct hf_lane_figures *f)
{
	uint64_t wait = f->oldest_age_ms, worst = CONFIG_HF_HEALTH_STUCK_S * UINT64_C(1000);
	uint64_t bad = CONFIG_HF_HEALTH_DEGRADED_S * UINT64_C(1000);
	char old[32];

	if (f->oldest_age_ms > h->oldest_age_ms)
		h->oldest_age_ms = f->oldest_age_ms;
	if (f->progress_ago_ms < wait)
		wait = f->progress_ago_ms;
	if (wait < bad)
		return;
	say(h, wait < worst ? HF_HEALTH_DEGRADED : HF_HEALTH_STUCK,
	    "nothing of lane %.*s of %.*s was delivered for %s (%s%s%s), %" PRIu64 " wait",
	    HF_SPAN_ARG(f->key), HF_SPAN_ARG(f->origin), words_of(wait, old), f->state,
	    f->reason ? ", " : "", f->reason ? f->reason : "", f->waiting - f->held);
}

static int look_at_lane(void *user, const struct hf_lane_figures *f)
{
	struct look *look = user;
	struct hf_health *h = look->health;

	if (look->origin.ptr && !hf_span_eq(look->origin, f->origin))
		return 0;
	if (f->progress_ago_ms < h->progress_ago_ms)
		h->progress_ago_ms = f->progress_ago_ms;
	if (f->held > 0)
		say(h, HF_HEALTH_DEGRADED,
		    "%" PRIu64 " request%s of lane %.*s of %.*s held for a person", f->held,
		    f->held == 1 ? "" : "s", HF_SPAN_ARG(f->key), HF_SPAN_ARG(f->origin));
	if (f->waiting > f->held && strcmp(f->state, "paused") != 0)
		look_at_waiting(h, f);
	return 0;
}

struct hold_look {
	struct hf_agent *agent;
	struct hf_health *health;
	unsigned origin;
};

static int look_at_hold(void *user, const struct hf_hold *hold)
{
	struct hold_look *look = user;
	uint64_t now = hf_queue_device_ms(look->agent->queue);
	char ago[32];

	if (look->origin != UINT_MAX && look->origin != hold->origin)
		return 0;
	words_of(now > hold->since_dev_ms ? now - hold->since_dev_ms : 0, ago);
	say(look->health, HF_HEALTH_DEGRADED, "%s%.*s%s%s is on hold by the operator for %s",
	    hold->lane.ptr ? "lane " : "", HF_SPAN_ARG(hold->lane), hold->lane.ptr ? " of " : "",
	    look->agent->origin_names[hold->origin], ago);
	return 0;
}

static void look_at_store(struct hf_agent *a, struct hf_health *h)
{
	struct hf_store_usage u;

	hf_store_usage(a->store, &u);
	if (u.full)
		say(h, HF_HEALTH_STUCK, "the store is full, new requests are refused");
	if (u.aside_n > 0)
		say(h, HF_HEALTH_DEGRADED, "a damaged database was put aside");
	if (a->report.vanished)
		say(h, HF_HEALTH_DEGRADED, "the store was gone at the start");
}

void hf_agent_health(struct hf_agent *a, unsigned origin, struct hf_health *out)
{
	struct look look = { .health = out };
	struct hold_look holds = { .agent = a, .health = out, .origin = origin };

	out->state = HF_HEALTH_OK;
	out->reasons_n = 0;
	out->more = 0;
	out->oldest_age_ms = 0;
	out->progress_ago_ms = UINT64_MAX;
	if (origin != UINT_MAX)
		look.origin = hf_queue_origin_name(a->queue, origin);
	look_at_store(a, out);
	hf_queue_each_hold(a->queue, look_at_hold, &holds);
	hf_queue_each_lane(a->queue, look_at_lane, &look);
}

int hf_agent_health_status(struct hf_agent *a, unsigned origin, struct hf_buf *out)
{
	struct hf_health h;
	int err;

	hf_agent_health(a, origin, &h);
	err = hf_buf_appendf(out, "\"health\":{\"state\":\"%s\",\"reasons\":[",
			     hf_health_name(h.state));
	for (unsigned i = 0; i < h.reasons_n && !err; i++) {
		err = hf_buf_append_str(out, i ? "," : "");
		if (!err)
			err = hf_json_append_string(out, hf_span_str(h.reasons[i]));
	}
	if (!err)
		err = hf_buf_appendf(out, "],\"reasonsNotShown\":%u,\"oldestAgeSeconds\":%" PRIu64,
				     h.more, h.oldest_age_ms / 1000);
	if (!err && h.progress_ago_ms == UINT64_MAX)
		err = hf_buf_append_str(out, ",\"lastProgressSecondsAgo\":null}");
	else if (!err)
		err = hf_buf_appendf(out, ",\"lastProgressSecondsAgo\":%" PRIu64 "}",
				     h.progress_ago_ms / 1000);
	return err;
}

void hf_agent_health_tell(struct hf_agent *a)
{
	uint64_t now = a->port->boottime_ms(a->port);
	struct hf_health h;
	char words[HF_HEALTH_REASON_SIZE + 32];

	if (!a->ingress || a->stopping || (a->health_ms && now - a->health_ms < LOOK_EVERY_MS))
		return;
	a->health_ms = now;
	hf_agent_health(a, UINT_MAX, &h);
	snprintf(words, sizeof(words), "%s%s%s", hf_health_name(h.state), h.reasons_n ? ": " : "",
		 h.reasons_n ? h.reasons[0] : "");
	if ((int)h.state != a->health_told)
		hf_log(&a->log, h.state == HF_HEALTH_STUCK ? HF_LOG_WARNING : HF_LOG_INFO,
		       "agent.health", "state=%s why=\"%s\"", hf_health_name(h.state),
		       h.reasons_n ? h.reasons[0] : "");
	a->health_told = (int)h.state;
	a->port->tell(a->port, words);
}

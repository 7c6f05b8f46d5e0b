/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the core as the event stream's JSON. */
#include <stdlib.h>

#include "agent/agent_private.h"
#include "holdfast/err.h"
#include "http/date.h"
#include "http/values.h"
#include "ingress/lane_json.h"

#define EVENT_BYTES_MAX 65536

static const char *type_name(enum hf_queue_event_type type)
{
	switch (type) {
	case HF_QUEUE_QUEUED:
	case HF_QUEUE_RELEASED:
		return "queued";
	case HF_QUEUE_SETTLED:
		return "settled";
	case HF_QUEUE_HELD:
		return "held";
	case HF_QUEUE_DEAD:
		return "dead";
	case HF_QUEUE_CANCELLED:
		return "cancelled";
	}
	return "queued";
}

/* {"at":"2026-11-21T02:45:00.123Z": for people, so a clock that runs will do. */
int hf_agent_append_time(struct hf_agent *a, struct hf_buf *b)
{
	int64_t wall = 0;
	char date[25];

	a->port->wall_ms(a->port, &wall);
	if (wall < HF_WALL_MIN_MS)
		return hf_buf_append_str(b, "{\"at\":null");
	hf_rfc3339_format(wall, date);
	return hf_buf_appendf(b, "{\"at\":\"%s\"", date);
}

void hf_agent_event(struct hf_agent *a, unsigned origin, const char *type,
		    int (*append)(struct hf_buf *b, const void *what), const void *what)
{
	struct hf_buf b;
	int err;

	a->port->progress(a->port);
	if (!a->ingress)
		return;
	hf_buf_init(&b, EVENT_BYTES_MAX);
	err = hf_agent_append_time(a, &b);
	if (!err)
		err = hf_buf_append_str(&b, ",");
	if (!err)
		err = append(&b, what);
	if (!err && !hf_buf_append_str(&b, "}"))
		hf_ingress_event(a->ingress, origin, type, hf_buf_span(&b));
	hf_buf_finish(&b);
}

static int append_member(struct hf_buf *b, const char *name, struct hf_span value)
{
	int err = hf_buf_appendf(b, ",\"%s\":", name);

	return err ? err : hf_json_append_string(b, value);
}

static int append_event(struct hf_buf *b, const struct hf_queue_event *e)
{
	int err = hf_buf_appendf(b, ",\"id\":\"%s\",\"state\":\"%s\",\"attempts\":%u", e->public_id,
				 hf_record_status_name(e->state->status), e->state->attempts);

	if (!err && e->state->reason)
		err = hf_buf_appendf(b, ",\"reason\":\"%s\"", hf_reason_name(e->state->reason));
	if (!err && e->status)
		err = hf_buf_appendf(b, ",\"status\":%d", e->status);
	if (!err && e->replaces)
		err = hf_buf_appendf(b, ",\"replaces\":\"%s\"", e->replaces);
	if (!err)
		err = append_member(b, "tag", e->tag);
	if (!err)
		err = append_member(b, "lane", e->lane);
	if (!err)
		err = append_member(b, "method", e->method);
	if (!err)
		err = append_member(b, "url", e->target);
	if (!err)
		err = append_member(b, "idempotencyKey", e->key);
	return err ? err : hf_buf_append_str(b, "}");
}

/* Whose pages hear of a request for @origin; one that is not configured has none. */
static unsigned pages_of(const struct hf_agent *a, struct hf_span origin)
{
	for (unsigned i = 0; i < a->settings->origins_n; i++)
		if (hf_span_eq_str(origin, a->settings->origins[i].name))
			return i;
	return HF_EVENT_OPERATOR;
}

void hf_agent_queue_event(struct hf_agent *a, const struct hf_queue_event *event)
{
	struct hf_buf b;

	if (!a->ingress)
		return;
	hf_buf_init(&b, EVENT_BYTES_MAX);
	if (!hf_agent_append_time(a, &b) && !append_event(&b, event))
		hf_ingress_event(a->ingress, pages_of(a, event->origin), type_name(event->type),
				 hf_buf_span(&b));
	hf_buf_finish(&b);
}

struct told_hold {
	const struct hf_queue *queue;
	const struct hf_hold *hold;
	const char *state;
};

static int append_hold(struct hf_buf *b, const void *what)
{
	const struct told_hold *t = what;
	int err = hf_buf_appendf(b, "\"state\":\"%s\",", t->state);

	return err ? err : hf_hold_json(t->queue, t->hold, b);
}

void hf_agent_hold_event(struct hf_agent *a, int event, const struct hf_hold *hold)
{
	static const char *const states[] = {
		[HF_HOLD_BEGUN] = "begun",
		[HF_HOLD_RELEASED] = "released",
		[HF_HOLD_ENDED] = "ended",
	};
	struct told_hold told = { a->queue, hold, states[event] };

	hf_agent_event(a, hold->origin, "hold", append_hold, &told);
}

/* An origin that is tried is down until it answers. */
static const char *state_of(struct hf_agent *a, unsigned origin)
{
	enum hf_reach reach = hf_connectivity_origin(a->connectivity, origin);

	return hf_reach_name(reach == HF_REACH_TRIAL ? HF_REACH_DOWN : reach);
}

static int append_portal(struct hf_agent *a, struct hf_buf *b)
{
	struct hf_portal_view v;
	int err;

	hf_connectivity_portal(a->connectivity, &v);
	err = hf_buf_appendf(b, ",\"portal\":\"%s\"", hf_portal_state_name(v.state));
	return err || !v.url ? err : append_member(b, "portalUrl", hf_span_str(v.url));
}

/* With the origins from @first on, @n of them. */
static int append_connectivity(struct hf_agent *a, unsigned first, unsigned n, struct hf_buf *b)
{
	int err = hf_buf_append_str(b, ",");

	if (!err)
		err = hf_agent_append_ladder(a, b);
	if (!err)
		err = append_portal(a, b);
	if (!err)
		err = hf_buf_append_str(b, ",\"origins\":{");
	for (unsigned i = first; i < first + n && !err; i++) {
		if (i > first)
			err = hf_buf_append_str(b, ",");
		if (!err)
			err = hf_json_append_string(b, hf_span_str(a->settings->origins[i].name));
		if (!err)
			err = hf_buf_appendf(b, ":\"%s\"", state_of(a, i));
	}
	return err ? err : hf_buf_append_str(b, "}}");
}

/* Tells @to of these origins, unless @told says the same. */
static void tell_connectivity(struct hf_agent *a, unsigned to, unsigned first, unsigned n,
			      struct hf_buf *told)
{
	struct hf_buf now, event;

	hf_buf_init(&now, EVENT_BYTES_MAX);
	hf_buf_init(&event, 2 * EVENT_BYTES_MAX);
	if (!append_connectivity(a, first, n, &now) &&
	    !hf_span_eq(hf_buf_span(&now), hf_buf_span(told)) && !hf_agent_append_time(a, &event) &&
	    !hf_buf_append(&event, hf_buf_span(&now))) {
		hf_ingress_event(a->ingress, to, "connectivity", hf_buf_span(&event));
		hf_buf_finish(told);
		*told = now;
	} else {
		hf_buf_finish(&now);
	}
	hf_buf_finish(&event);
}

void hf_agent_connectivity_event(struct hf_agent *a)
{
	unsigned n = (unsigned)a->settings->origins_n;

	if (!a->ingress)
		return;
	if (n == 1) {
		tell_connectivity(a, 0, 0, 1, &a->connectivity_told[0]);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		tell_connectivity(a, i | HF_EVENT_PAGES, i, 1, &a->connectivity_told[i]);
	tell_connectivity(a, HF_EVENT_OPERATOR, 0, n, &a->connectivity_told[n]);
}

int hf_agent_events_init(struct hf_agent *a)
{
	a->connectivity_told = calloc(a->settings->origins_n + 1, sizeof(*a->connectivity_told));
	if (!a->connectivity_told)
		return HF_ENOMEM;
	for (size_t i = 0; i <= a->settings->origins_n; i++)
		hf_buf_init(&a->connectivity_told[i], EVENT_BYTES_MAX);
	return 0;
}

void hf_agent_events_finish(struct hf_agent *a)
{
	for (size_t i = 0; a->connectivity_told && i <= a->settings->origins_n; i++)
		hf_buf_finish(&a->connectivity_told[i]);
	free(a->connectivity_told);
}

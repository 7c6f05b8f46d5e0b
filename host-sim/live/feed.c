/* SPDX-License-Identifier: Apache-2.0 */
#include "live/feed.h"

#include <stdio.h>

#include "http/sse.h"
#include "live/session.h"

#define STATE_MS	150
#define SAMPLE_MS	500
#define ORDERS_SHOWN	60
#define EVENT_BYTES_MAX (1024 * 1024)

/* ---- the state as JSON ---- */

static cJSON *steps_json(const struct live_order *o)
{
	static const char *const kinds[] = { "accepted", "arrived", "answered" };
	cJSON *list = cJSON_CreateArray();

	for (unsigned i = 0; i < o->steps_n; i++) {
		cJSON *step = cJSON_CreateObject();

		cJSON_AddStringToObject(step, "kind", kinds[o->steps[i].kind]);
		cJSON_AddNumberToObject(step, "ms", (double)o->steps[i].at_ms);
		cJSON_AddNumberToObject(step, "status", o->steps[i].value);
		cJSON_AddItemToArray(list, step);
	}
	return list;
}

static cJSON *order_json(const struct live_order *o)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddNumberToObject(json, "n", o->n);
	cJSON_AddStringToObject(json, "key", o->key);
	cJSON_AddStringToObject(json, "id", o->id);
	cJSON_AddStringToObject(json, "what", o->what);
	cJSON_AddStringToObject(json, "stage", live_stage_name(o->stage));
	cJSON_AddNumberToObject(json, "attempts", o->attempts);
	cJSON_AddNumberToObject(json, "arrivals", o->arrivals);
	cJSON_AddNumberToObject(json, "effects", o->effects);
	cJSON_AddNumberToObject(json, "number", o->number);
	cJSON_AddNumberToObject(json, "status", o->status);
	cJSON_AddStringToObject(json, "reason", o->reason);
	cJSON_AddNumberToObject(json, "nextMs", (double)o->next_ms);
	cJSON_AddItemToObject(json, "steps", steps_json(o));
	return json;
}

/* The newest first. */
static cJSON *orders_json(const struct live_journal *j)
{
	const struct hf_list *it = j->orders.prev;
	cJSON *list = cJSON_CreateArray();

	for (int i = 0; i < ORDERS_SHOWN && it != &j->orders; i++, it = it->prev)
		cJSON_AddItemToArray(list,
				     order_json(hf_container_of(it, struct live_order, node)));
	return list;
}

static cJSON *arrival_json(const struct live_arrival *a)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddNumberToObject(json, "ms", (double)a->at_ms);
	cJSON_AddStringToObject(json, "key", a->key);
	cJSON_AddStringToObject(json, "what", a->what);
	cJSON_AddNumberToObject(json, "status", a->status);
	cJSON_AddBoolToObject(json, "effect", a->effect);
	cJSON_AddBoolToObject(json, "repeated", a->repeated);
	cJSON_AddNumberToObject(json, "number", a->number);
	return json;
}

static cJSON *arrivals_json(const struct live_journal *j)
{
	unsigned n = j->arrivals_n < LIVE_ARRIVALS_MAX ? j->arrivals_n : LIVE_ARRIVALS_MAX;
	cJSON *list = cJSON_CreateArray();

	for (unsigned i = 1; i <= n; i++)
		cJSON_AddItemToArray(
			list, arrival_json(&j->arrivals[(j->arrivals_n - i) % LIVE_ARRIVALS_MAX]));
	return list;
}

static cJSON *counts_json(const struct live_session *s)
{
	cJSON *json = cJSON_CreateObject();
	struct live_counts c;

	live_journal_counts(&s->journal, &c);
	cJSON_AddNumberToObject(json, "orders", s->journal.count);
	cJSON_AddNumberToObject(json, "accepted", c.accepted);
	cJSON_AddNumberToObject(json, "straight", c.straight);
	cJSON_AddNumberToObject(json, "delivered", c.delivered);
	cJSON_AddNumberToObject(json, "waiting", c.waiting);
	cJSON_AddNumberToObject(json, "held", c.held);
	cJSON_AddNumberToObject(json, "dead", c.dead);
	cJSON_AddNumberToObject(json, "lost", c.lost);
	cJSON_AddNumberToObject(json, "duplicates", c.duplicates);
	cJSON_AddNumberToObject(json, "arrivals", s->journal.arrivals_n);
	cJSON_AddNumberToObject(json, "effects", s->journal.effects);
	return json;
}

static const char *power_word(const struct live_session *s)
{
	if (s->daemon.power == LIVE_POWER_OFF)
		return "off";
	return s->watch.serves ? "on" : "starting";
}

static cJSON *daemon_json(const struct live_session *s)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "power", power_word(s));
	cJSON_AddNumberToObject(json, "pid", s->daemon.pid);
	cJSON_AddNumberToObject(json, "starts", s->daemon.boots);
	cJSON_AddNumberToObject(json, "cuts", s->daemon.cuts);
	cJSON_AddStringToObject(json, "end", s->daemon.end);
	if (s->watch.serves)
		cJSON_AddItemReferenceToObject(json, "status", s->watch.last);
	return json;
}

/* NULL: there are no sensors. */
static cJSON *coap_json(const struct live_session *s)
{
	const struct live_meter_figures *f;
	cJSON *json;

	if (!IS_ENABLED(CONFIG_HF_SENSOR) || !s->meter)
		return cJSON_CreateNull();
	f = live_meter_figures(s->meter);
	json = cJSON_CreateObject();
	cJSON_AddItemToObject(json, "sensors", live_sensors_json(s->sensors, f));
	cJSON_AddNumberToObject(json, "arrivals", f->arrivals);
	cJSON_AddNumberToObject(json, "effects", f->effects);
	cJSON_AddNumberToObject(json, "repeated", f->repeated);
	cJSON_AddNumberToObject(json, "duplicates", f->duplicates);
	return json;
}

static cJSON *state_json(const struct live_session *s)
{
	cJSON *json = cJSON_CreateObject(), *levers = cJSON_CreateObject();
	char panel[64];

	snprintf(panel, sizeof(panel), "http://127.0.0.1:%u/", s->panel_port);
	cJSON_AddNumberToObject(json, "ms", (double)live_bench_ms(&s->bench));
	cJSON_AddStringToObject(json, "panel", panel);
	if (s->origin_url)
		cJSON_AddStringToObject(json, "origin", s->origin_url);
	else
		cJSON_AddNullToObject(json, "origin");
	live_levers_write(&s->levers, levers);
	cJSON_AddItemToObject(json, "levers", levers);
	cJSON_AddItemToObject(json, "daemon", daemon_json(s));
	cJSON_AddItemToObject(json, "counts", counts_json(s));
	cJSON_AddNumberToObject(json, "rush", s->rush.left);
	cJSON_AddItemToObject(json, "coap", coap_json(s));
	cJSON_AddItemToObject(json, "orders", orders_json(&s->journal));
	cJSON_AddItemToObject(json, "arrivals", arrivals_json(&s->journal));
	return json;
}

/* ---- events ---- */

/* Takes @json. */
static void write_event(struct hf_buf *out, const char *name, cJSON *json)
{
	char *text = cJSON_PrintUnformatted(json);

	cJSON_Delete(json);
	if (!text)
		live_must(HF_ENOMEM);
	live_must(hf_sse_write(out, hf_span_str(name), hf_span(NULL, 0), hf_span_str(text)));
	cJSON_free(text);
}

static void send_to_all(struct live_feed *f, const char *name, cJSON *json)
{
	struct hf_buf out;

	hf_buf_init(&out, EVENT_BYTES_MAX);
	write_event(&out, name, json);
	live_server_send_all(&f->session->control, hf_buf_span(&out));
	hf_buf_finish(&out);
}

static void send_state(void *user)
{
	struct live_feed *f = user;

	send_to_all(f, "state", state_json(f->session));
}

void live_feed_touch(struct live_feed *f)
{
	if (f->session && !hf_timer_is_set(&f->state) && !f->session->ending)
		live_bench_after(&f->session->bench, &f->state, STATE_MS);
}

/* ---- the series ---- */

static uint32_t trouble_now(const struct live_session *s)
{
	const struct live_levers *l = &s->levers;

	return (l->link ? 0 : LIVE_TROUBLE_LINK) |
	       (l->origin && l->mood == LIVE_MOOD_OK ? 0 : LIVE_TROUBLE_ORIGIN) |
	       (s->daemon.power == LIVE_POWER_ON ? 0 : LIVE_TROUBLE_POWER) |
	       (l->portal ? LIVE_TROUBLE_PORTAL : 0) |
	       (l->slow || l->shaky ? LIVE_TROUBLE_LINE : 0);
}

static cJSON *sample_json(const struct live_sample *s)
{
	const double v[] = { s->at_ms / 1000.0, s->depth, s->trouble };

	return cJSON_CreateDoubleArray(v, 3);
}

static void take_sample(void *user)
{
	struct live_feed *f = user;
	struct live_session *s = f->session;
	struct live_sample *slot = &f->samples[f->samples_n++ % LIVE_SAMPLES_MAX];

	*slot = (struct live_sample){ .at_ms = (uint32_t)live_bench_ms(&s->bench),
				      .depth = (uint32_t)s->watch.depth,
				      .trouble = trouble_now(s) };
	send_to_all(f, "sample", sample_json(slot));
	live_bench_after(&s->bench, &f->sample, SAMPLE_MS);
}

static cJSON *series_json(const struct live_feed *f)
{
	unsigned n = f->samples_n < LIVE_SAMPLES_MAX ? f->samples_n : LIVE_SAMPLES_MAX;
	cJSON *list = cJSON_CreateArray();

	for (unsigned i = f->samples_n - n; i < f->samples_n; i++)
		cJSON_AddItemToArray(list, sample_json(&f->samples[i % LIVE_SAMPLES_MAX]));
	return list;
}

void live_feed_open(struct live_feed *f, struct live_conn *c)
{
	struct hf_buf out;

	hf_buf_init(&out, EVENT_BYTES_MAX);
	write_event(&out, "series", series_json(f));
	write_event(&out, "state", state_json(f->session));
	live_send(c, hf_buf_span(&out));
	hf_buf_finish(&out);
}

void live_feed_init(struct live_feed *f, struct live_session *s)
{
	f->session = s;
	hf_timer_init(&f->sample, take_sample, f);
	hf_timer_init(&f->state, send_state, f);
	take_sample(f);
}

void live_feed_finish(struct live_feed *f)
{
	if (!f->session)
		return;
	hf_timerq_clear(&f->session->bench.timers, &f->sample);
	hf_timerq_clear(&f->session->bench.timers, &f->state);
	f->session = NULL;
}

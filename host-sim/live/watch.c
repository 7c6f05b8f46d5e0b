/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every ASK_MS: the status, then the list of requests that have no answer, page
 * by page, then each order that is missing in it by its id. Only what holdfastd
 * does not know by its id either is lost.
 */
#include "live/watch.h"

#include <stdio.h>

#define ASK_MS		400
#define LISTEN_MS	250
#define EVENT_BYTES_MAX (256 * 1024)
#define FIRST_PAGE	"/.holdfast/requests?state=queued,held&limit=64"

/* ---- the event stream ---- */

static struct hf_span line_value(struct hf_span line, const char *name)
{
	size_t n = strlen(name);

	if (line.len > n && memcmp(line.ptr, name, n) == 0 && line.ptr[n] == ':')
		return hf_span_trim(hf_span_skip(line, n + 1));
	return (struct hf_span){ NULL, 0 };
}

static void take_event(struct live_watch *w, struct hf_span event)
{
	struct hf_span data = { NULL, 0 };
	cJSON *json;

	while (event.len > 0) {
		struct hf_span value = line_value(hf_span_cut(&event, '\n'), "data");

		if (value.ptr)
			data = value;
	}
	if (!data.ptr)
		return;
	json = cJSON_ParseWithLength(data.ptr, data.len);
	live_journal_event(w->journal, json);
	cJSON_Delete(json);
}

static void on_stream(void *user, struct hf_span bytes)
{
	struct live_watch *w = user;
	struct hf_span s;
	const char *end;

	if (!w->listening) {
		w->listening = true;
		hf_buf_clear(&w->stream);
	}
	if (hf_buf_append(&w->stream, bytes))
		hf_buf_clear(&w->stream);
	for (s = hf_buf_span(&w->stream); s.len > 0; s = hf_buf_span(&w->stream)) {
		end = memmem(s.ptr, s.len, "\n\n", 2);
		if (!end)
			return;
		take_event(w, hf_span(s.ptr, (size_t)(end - s.ptr)));
		hf_buf_consume(&w->stream, (size_t)(end - s.ptr) + 2);
	}
}

static void on_stream_end(void *user, int status, struct hf_span body)
{
	struct live_watch *w = user;

	(void)status;
	(void)body;
	w->listening = false;
	live_bench_after(w->bench, &w->listen, LISTEN_MS);
}

static void listen_again(void *user)
{
	struct live_watch *w = user;

	live_call_start(&w->events, "GET", "/.holdfast/events", hf_span(NULL, 0));
}

/* ---- status, list, records: one after another ---- */

static void ask_later(struct live_watch *w)
{
	live_bench_after(w->bench, &w->ask, ASK_MS);
}

static void ask_for_missing(struct live_watch *w)
{
	const struct live_order *o = live_journal_missing(w->journal);
	char target[96];

	if (!o) {
		ask_later(w);
		return;
	}
	snprintf(w->asked, sizeof(w->asked), "%s", o->key);
	snprintf(target, sizeof(target), "/.holdfast/requests/%s", o->id);
	live_call_start(&w->record, "GET", target, hf_span(NULL, 0));
}

static void on_record(void *user, int status, struct hf_span body)
{
	struct live_watch *w = user;
	cJSON *json;

	if (status != 200 && status != 404) {
		ask_later(w);
		return;
	}
	json = status == 200 ? cJSON_ParseWithLength(body.ptr, body.len) : NULL;
	if (json || status == 404)
		live_journal_found(w->journal, w->asked, json);
	cJSON_Delete(json);
	ask_for_missing(w);
}

static void take_page(struct live_watch *w, const cJSON *page)
{
	const cJSON *next = cJSON_GetObjectItemCaseSensitive(page, "next"), *request;
	char target[128];

	cJSON_ArrayForEach(request, cJSON_GetObjectItemCaseSensitive(page, "requests"))
		live_journal_listed(w->journal, request);
	if (cJSON_IsString(next)) {
		snprintf(target, sizeof(target), FIRST_PAGE "&after=%s", next->valuestring);
		live_call_start(&w->list, "GET", target, hf_span(NULL, 0));
	} else {
		ask_for_missing(w);
	}
}

static void on_list(void *user, int status, struct hf_span body)
{
	struct live_watch *w = user;
	cJSON *page = status == 200 ? cJSON_ParseWithLength(body.ptr, body.len) : NULL;

	if (page)
		take_page(w, page);
	else
		ask_later(w);
	cJSON_Delete(page);
}

static uint64_t lane_sum(const cJSON *status, const char *member)
{
	const cJSON *lane;
	double sum = 0;

	cJSON_ArrayForEach(lane, cJSON_GetObjectItemCaseSensitive(status, "lanes"))
	{
		const cJSON *n = cJSON_GetObjectItemCaseSensitive(lane, member);

		sum += cJSON_IsNumber(n) ? n->valuedouble : 0;
	}
	return (uint64_t)sum;
}

static void on_status(void *user, int status, struct hf_span body)
{
	struct live_watch *w = user;
	cJSON *json = status == 200 ? cJSON_ParseWithLength(body.ptr, body.len) : NULL;

	w->serves = json != NULL;
	if (json) {
		cJSON_Delete(w->last);
		w->last = json;
		w->depth = lane_sum(json, "depth");
		w->held = lane_sum(json, "held");
		live_journal_list_begin(w->journal);
		live_call_start(&w->list, "GET", FIRST_PAGE, hf_span(NULL, 0));
	} else {
		ask_later(w);
	}
	w->changed(w->user);
}

static void ask(void *user)
{
	struct live_watch *w = user;

	live_call_start(&w->status, "GET", "/.holdfast/status", hf_span(NULL, 0));
}

/* ---- */

void live_watch_init(struct live_watch *w, struct live_bench *b, struct live_journal *j,
		     uint16_t port, void (*changed)(void *user), void *user)
{
	*w = (struct live_watch){ .bench = b, .journal = j, .changed = changed, .user = user };
	live_client_init(&w->client, b, port);
	live_call_init(&w->events, &w->client, on_stream_end, w);
	w->events.on_bytes = on_stream;
	live_call_init(&w->status, &w->client, on_status, w);
	live_call_init(&w->list, &w->client, on_list, w);
	live_call_init(&w->record, &w->client, on_record, w);
	hf_buf_init(&w->stream, EVENT_BYTES_MAX);
	hf_timer_init(&w->ask, ask, w);
	hf_timer_init(&w->listen, listen_again, w);
	ask(w);
	listen_again(w);
}

void live_watch_finish(struct live_watch *w)
{
	if (!w->bench)
		return;
	hf_timerq_clear(&w->bench->timers, &w->ask);
	hf_timerq_clear(&w->bench->timers, &w->listen);
	live_call_cancel(&w->events);
	live_call_cancel(&w->status);
	live_call_cancel(&w->list);
	live_call_cancel(&w->record);
	live_client_finish(&w->client);
	hf_buf_finish(&w->stream);
	cJSON_Delete(w->last);
}

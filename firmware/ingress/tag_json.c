/* SPDX-License-Identifier: Apache-2.0 */
#include "ingress/tag_json.h"

#include <inttypes.h>

#include "http/date.h"
#include "http/values.h"

static int append_text(struct hf_buf *b, const char *before, struct hf_span text)
{
	int err = hf_buf_append_str(b, before);

	return err ? err : hf_json_append_string(b, text);
}

/* ,"name":"text" or ,"name":null */
static int append_optional(struct hf_buf *b, const char *name, const char *text)
{
	if (!text || !text[0])
		return hf_buf_appendf(b, ",\"%s\":null", name);
	return hf_buf_appendf(b, ",\"%s\":\"%s\"", name, text);
}

/* ,"name":"2026-11-21T02:45:00.123Z"; @ms 0: null. */
static int append_time(struct hf_buf *b, const char *name, int64_t ms)
{
	char date[25] = "";

	if (ms)
		hf_rfc3339_format(ms, date);
	return append_optional(b, name, date);
}

static int append_created(struct hf_buf *b, int64_t wall_ms, uint64_t age_ms)
{
	int err = append_time(b, "createdAt", wall_ms);

	return err ? err : hf_buf_appendf(b, ",\"ageSeconds\":%" PRIu64, age_ms / 1000);
}

static int append_times(struct hf_buf *b, const struct hf_tag_figures *f)
{
	int err = append_created(b, f->created_wall_ms, f->age_ms);

	if (!err && f->next_ms == UINT64_MAX)
		err = hf_buf_append_str(b, ",\"nextAttemptInMs\":null");
	else if (!err)
		err = hf_buf_appendf(b, ",\"nextAttemptInMs\":%" PRIu64, f->next_ms);
	return err;
}

/* Of an event that is under way. */
static int append_event(struct hf_buf *b, const struct hf_tag_figures *f)
{
	int err = hf_buf_appendf(b, ",\"lastChance\":%s,\"timeLeftMs\":%" PRIu64,
				 f->last_chance ? "true" : "false", f->left_ms);

	return err || !f->event ? err : append_optional(b, "event", f->event);
}

int hf_tag_json(struct hf_buf *out, const struct hf_tag_figures *f)
{
	int err = append_text(out, "\"tag\":", f->tag);

	if (!err)
		err = append_text(out, ",\"worker\":", f->worker);
	if (!err)
		err = hf_buf_appendf(out,
				     ",\"state\":\"%s\",\"action\":\"%s\",\"attempts\":%" PRIu32,
				     f->state, f->kind, f->attempts);
	if (!err)
		err = append_optional(out, "reason", f->why);
	if (!err && f->status)
		err = hf_buf_appendf(out, ",\"status\":%d", f->status);
	if (!err && f->attempts_max)
		err = hf_buf_appendf(out, ",\"maxAttempts\":%" PRIu32, f->attempts_max);
	if (!err)
		err = append_times(out, f);
	if (!err && f->firing)
		err = append_event(out, f);
	return err;
}

/* ---- periodic ones ---- */

static int append_next(struct hf_buf *b, const struct hf_periodic_figures *f)
{
	int err = f->next_ms == UINT64_MAX ?
			  hf_buf_append_str(b, ",\"nextDueInMs\":null") :
			  hf_buf_appendf(b, ",\"nextDueInMs\":%" PRIu64, f->next_ms);

	if (!err)
		err = append_time(b, "nextDue", f->next_wall_ms);
	return err ? err : append_optional(b, "waitsFor", f->waits_for);
}

static int append_result(struct hf_buf *b, const struct hf_periodic_figures *f)
{
	int err;

	if (!f->result)
		return hf_buf_append_str(b, ",\"lastResult\":null");
	err = hf_buf_appendf(b, ",\"lastResult\":{\"result\":\"%s\"", f->result);
	if (!err)
		err = append_optional(b, "reason", f->result_why);
	if (!err)
		err = f->result_status ? hf_buf_appendf(b, ",\"status\":%d", f->result_status) :
					 hf_buf_append_str(b, ",\"status\":null");
	if (!err)
		err = append_time(b, "at", f->result_wall_ms);
	return err ? err :
		     hf_buf_appendf(b, ",\"ageSeconds\":%" PRIu64 "}", f->result_age_ms / 1000);
}

static int append_running(struct hf_buf *b, const struct hf_periodic_figures *f)
{
	int err = hf_buf_appendf(b, ",\"timeLeftMs\":%" PRIu64, f->left_ms);

	return err || !f->event ? err : append_optional(b, "event", f->event);
}

int hf_periodic_json(struct hf_buf *out, const struct hf_periodic_figures *f)
{
	int err = append_text(out, "\"tag\":", f->tag);

	if (!err)
		err = append_text(out, ",\"worker\":", f->worker);
	if (!err)
		err = hf_buf_appendf(out,
				     ",\"state\":\"%s\",\"action\":\"%s\",\"minInterval\":%" PRIu64
				     ",\"interval\":%" PRIu64,
				     f->state, f->kind, f->min_interval_ms, f->interval_ms);
	if (!err)
		err = append_next(out, f);
	if (!err)
		err = hf_buf_appendf(out,
				     ",\"attempts\":%" PRIu32 ",\"runs\":%" PRIu32
				     ",\"missed\":%" PRIu32,
				     f->attempts, f->runs, f->missed);
	if (!err)
		err = append_result(out, f);
	if (!err)
		err = append_created(out, f->created_wall_ms, f->age_ms);
	return err || !f->firing ? err : append_running(out, f);
}

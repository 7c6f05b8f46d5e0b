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

static int append_times(struct hf_buf *b, const struct hf_tag_figures *f)
{
	char date[25] = "";
	int err;

	if (f->created_wall_ms)
		hf_rfc3339_format(f->created_wall_ms, date);
	err = append_optional(b, "createdAt", date);
	if (!err)
		err = hf_buf_appendf(b, ",\"ageSeconds\":%" PRIu64, f->age_ms / 1000);
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

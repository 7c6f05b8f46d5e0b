/* SPDX-License-Identifier: Apache-2.0 */
#include "ingress/record_json.h"

#include <inttypes.h>

#include "holdfast/err.h"
#include "http/date.h"
#include "http/values.h"

struct hf_record_view hf_record_view_brief(const struct hf_record_brief *b)
{
	return (struct hf_record_view){
		.id = b->id,
		.state = &b->state,
		.head = b->head,
		.has_answer = b->has_outcome,
		.answer_head = b->outcome_head,
	};
}

const char *hf_record_json_state(const struct hf_record_state *state)
{
	if (state->status == HF_RECORD_QUEUED && state->inflight)
		return "inflight";
	return hf_record_status_name(state->status);
}

bool hf_record_json_states(struct hf_span list, uint32_t *set)
{
	static const uint8_t all[] = { HF_RECORD_QUEUED, HF_RECORD_HELD, HF_RECORD_SETTLED,
				       HF_RECORD_DEAD, HF_RECORD_CANCELLED };
	struct hf_span one;
	uint32_t bit;
	size_t i;

	*set = 0;
	while (list.ptr) {
		one = hf_span_trim(hf_span_cut(&list, ','));
		bit = hf_span_eq_str(one, "inflight") ? 1u << HF_RECORD_QUEUED : 0;
		for (i = 0; i < sizeof(all); i++) {
			if (hf_span_eq_str(one, hf_record_status_name(all[i])))
				bit = 1u << all[i];
		}
		if (!bit)
			return false;
		*set |= bit;
	}
	return true;
}

static int member(struct hf_buf *out, const char *name, struct hf_span value)
{
	int err = hf_buf_appendf(out, ",\"%s\":", name);

	if (err)
		return err;
	return value.ptr ? hf_json_append_string(out, value) : hf_buf_append_str(out, "null");
}

static int from_head(const struct hf_record_view *v, struct hf_arena *arena, struct hf_buf *out)
{
	struct hf_record_head head = { 0 };
	struct hf_span tag = { NULL, 0 }, lane = { NULL, 0 }, key = { NULL, 0 };
	struct hf_span after = { NULL, 0 };
	int err = v->head.len > 0 ? hf_record_head_decode(v->head, arena, &head) : HF_ECORRUPT;

	if (err == HF_ENOMEM)
		return err;
	if (!err) {
		tag = hf_span_str(head.policy.tag);
		lane = hf_span_str(head.policy.lane);
		if (head.after.len > HF_ULID_LEN) /* the id, in quotes */
			after = hf_span(head.after.ptr + 1, HF_ULID_LEN);
		if (hf_idempotency_key_parse(head.key, &key))
			key = head.key;
	}
	err = member(out, "tag", tag);
	if (!err)
		err = member(out, "lane", lane);
	if (!err)
		err = member(out, "origin", head.origin);
	if (!err)
		err = member(out, "method", head.method);
	if (!err)
		err = member(out, "url", head.target);
	if (!err)
		err = member(out, "after", after);
	if (!err)
		err = member(out, "idempotencyKey", key);
	return err;
}

static int append_times(const struct hf_queue *q, const struct hf_record_view *v,
			struct hf_buf *out)
{
	const struct hf_record_state *s = v->state;
	uint64_t now = hf_queue_device_ms(q), next = UINT64_MAX;
	uint64_t age = now > s->created_dev_ms ? (now - s->created_dev_ms) / 1000 : 0;
	char date[25];
	int err;

	if (s->created_wall_ms > 0) {
		hf_rfc3339_format(s->created_wall_ms, date);
		err = hf_buf_appendf(out, ",\"createdAt\":\"%s\"", date);
	} else {
		err = hf_buf_append_str(out, ",\"createdAt\":null");
	}
	if (!err)
		err = hf_buf_appendf(out, ",\"ageSeconds\":%" PRIu64, age);
	if (s->status == HF_RECORD_QUEUED)
		next = hf_queue_next_attempt_ms(q, v->id);
	if (err)
		return err;
	if (next == UINT64_MAX)
		return hf_buf_append_str(out, ",\"nextAttemptInMs\":null");
	return hf_buf_appendf(out, ",\"nextAttemptInMs\":%" PRIu64, next);
}

static int append_answer(const struct hf_record_view *v, struct hf_arena *arena, struct hf_buf *out)
{
	struct hf_answer_head answer;
	int err = HF_ENOENT;

	if (v->has_answer && v->answer_head.len > 0)
		err = hf_answer_head_decode(v->answer_head, arena, &answer);
	if (err == HF_ENOMEM)
		return err;
	if (err)
		return hf_buf_append_str(out, ",\"response\":null");
	return hf_buf_appendf(out, ",\"response\":{\"status\":%d,\"truncated\":%s}", answer.status,
			      answer.truncated ? "true" : "false");
}

int hf_record_json(const struct hf_queue *q, const struct hf_record_view *v, struct hf_arena *arena,
		   struct hf_buf *out)
{
	const struct hf_record_state *s = v->state;
	char id[HF_ULID_LEN + 1];
	int err;

	hf_record_id_format(v->id, s, id);
	err = hf_buf_appendf(out, "\"id\":\"%s\",\"state\":\"%s\",\"reason\":", id,
			     hf_record_json_state(s));
	if (!err && s->reason)
		err = hf_json_append_string(out, hf_span_str(hf_reason_name(s->reason)));
	else if (!err)
		err = hf_buf_append_str(out, "null");
	if (!err)
		err = hf_buf_appendf(out, ",\"attempts\":%u", (unsigned)s->attempts);
	if (!err)
		err = from_head(v, arena, out);
	if (!err)
		err = append_times(q, v, out);
	return err ? err : append_answer(v, arena, out);
}

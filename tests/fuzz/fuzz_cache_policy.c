/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three bytes (status, seconds that passed, rules), a line feed, then response fields,
 * an empty line, request fields, an empty line, fields of a later answer.
 * Checked: what is stored has no hop-by-hop field; nothing that must not be used
 * stale is; a condition is sent if and only if there is a validator; an update
 * keeps the length of the body; answers have one Age.
 */
#include "cache/policy.h"
#include "field_lines.h"
#include "http/vary.h"

struct input {
	struct hf_arena arena;
	struct hf_cache_rules rules;
	struct hf_cache_times times;
	struct hf_cache_clock now;
	struct hf_message request, response;
	struct hf_fields later, stored;
	struct hf_cache_entry entry;
};

static void read_input(struct input *in, struct hf_span rest)
{
	struct hf_span head = hf_span_cut(&rest, '\n');
	const uint8_t *byte = (const uint8_t *)head.ptr;

	in->response.status = head.len > 0 ? 100 + 2 * byte[0] : 200;
	in->now.device_ms = head.len > 1 ? UINT64_C(1000) * byte[1] : 0;
	if (head.len > 2) {
		in->rules.is_private = byte[2] & 1;
		in->rules.offline_stale_s = byte[2] & 2 ? HF_DELTA_MAX : 0;
		in->now.boot = byte[2] & 4 ? 1 : 0;
		in->times.wall_ms = byte[2] & 8 ? INT64_C(1700000000000) : 0;
		in->now.wall_ms = byte[2] & 16 ? INT64_C(1700000100000) : 0;
	}
	in->response.fields = read_lines(&rest, &in->arena);
	in->request.fields = read_lines(&rest, &in->arena);
	in->later = read_lines(&rest, &in->arena);
	in->request.method = HF_SPAN("GET");
}

static void check_decision(const struct input *in)
{
	struct hf_cache_control cc;
	struct hf_cache_decision d;

	hf_cache_control_parse(&in->stored, &cc);
	hf_cache_decide(&in->rules, &in->entry, &in->request.fields, &in->now, &d);
	assert(d.freshness.age_s >= 0 && d.freshness.lifetime_s >= 0);
	if (cc.must_revalidate || cc.no_cache)
		assert(!d.stale_on_unreachable && !d.stale_on_gateway && !d.stale_on_5xx);
	if (d.use <= HF_CACHE_STALE_ALLOWED) {
		assert(d.freshness.age_known && !cc.no_cache);
		assert(d.use == HF_CACHE_FRESH ? d.freshness.is_fresh : !cc.must_revalidate);
	}
	if (d.use == HF_CACHE_REVALIDATE)
		assert(hf_cache_has_validator(&in->entry));
}

static void check_condition(struct input *in)
{
	struct hf_fields out;
	const struct hf_span *tag;

	assert(!hf_cache_condition(&in->entry, 1, 0, &in->request.fields, &in->arena, &out));
	tag = hf_fields_get(&in->stored, "ETag");
	if (!tag || tag->len <= 4000) /* longer ones are not sent */
		assert(hf_cache_has_validator(&in->entry) ==
		       (hf_fields_count(&out, "If-None-Match") +
				hf_fields_count(&out, "If-Modified-Since") >
			0));
	assert(hf_fields_count(&out, "Range") == 0 && hf_fields_count(&out, "If-Match") == 0);
	hf_cache_confirmed(&in->entry, 1, 0, &in->later);
}

static void check_update(struct input *in)
{
	struct hf_fields out;

	assert(!hf_cache_updated_fields(&in->rules, &in->stored, &in->later, &in->times, &in->arena,
					&out));
	assert(hf_fields_count(&out, "Content-Length") ==
	       hf_fields_count(&in->stored, "Content-Length"));
	assert(hf_fields_count(&out, "Connection") == 0);
}

static void check_answers(struct input *in)
{
	struct hf_cache_freshness freshness;
	struct hf_fields out;
	int shape;

	hf_cache_freshness(&in->rules, &in->entry, &in->now, &freshness);
	for (shape = HF_CACHE_AS_STORED; shape <= HF_CACHE_AS_416; shape++) {
		assert(!hf_cache_answer_fields(&in->entry, &freshness, (enum hf_cache_shape)shape,
					       &in->arena, &out));
		assert(hf_fields_count(&out, "Age") == 1);
	}
	hf_cache_not_modified(&in->entry, &in->request.fields);
	hf_cache_head(&in->entry, 10, &in->response);
}

static void check_targets(struct input *in, const struct hf_url *url)
{
	struct hf_target targets[HF_CACHE_INVALID_MAX];
	size_t i,
		n = hf_cache_invalidates(HF_SPAN("POST"), url, &in->response, &in->arena, targets);

	assert(n <= HF_CACHE_INVALID_MAX);
	for (i = 0; i < n; i++)
		assert(targets[i].path.len > 0 && targets[i].path.ptr[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .request = { .status = 0 } };
	struct hf_url url;

	hf_arena_init(&in.arena, SIZE_MAX);
	read_input(&in, hf_span(data, size));
	assert(!hf_url_parse(HF_SPAN("http://h/a/b?c"), &url));
	hf_cache_storable(&in.rules, &in.request, &url, &in.response, &in.arena);
	assert(!hf_cache_stored_fields(&in.rules, &in.response.fields, &in.times, &in.arena,
				       &in.stored));
	assert(hf_fields_count(&in.stored, "Connection") == 0);
	in.entry = (struct hf_cache_entry){
		.status = in.response.status,
		.fields = &in.stored,
		.variant = hf_vary_key(&in.arena, &in.response.fields, &in.request.fields),
		.times = in.times,
	};
	check_decision(&in);
	check_condition(&in);
	check_update(&in);
	check_answers(&in);
	check_targets(&in, &url);
	hf_arena_finish(&in.arena);
	return 0;
}

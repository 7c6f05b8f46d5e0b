/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/stored.h"

#include <assert.h>
#include <stdlib.h>

#include "holdfast/err.h"
#include "http/date.h"
#include "store/codec.h"

#define VERSION	    1
#define HEAD_FIXED  9
#define FIELD_FIXED 6
#define FIELDS_MAX  1000

/* ---- writing ---- */

static int put_field(const struct hf_field *f, struct hf_buf *out)
{
	uint8_t fixed[FIELD_FIXED];
	int err;

	if (f->name.len > UINT16_MAX || f->value.len > UINT32_MAX)
		return HF_ETOOBIG;
	hf_put_le(fixed, f->name.len, 2);
	hf_put_le(fixed + 2, f->value.len, 4);
	err = hf_buf_append(out, hf_span(fixed, sizeof(fixed)));
	if (!err)
		err = hf_buf_append(out, f->name);
	return err ? err : hf_buf_append(out, f->value);
}

int hf_stored_head_encode(int status, struct hf_span variant, const struct hf_fields *fields,
			  struct hf_buf *out)
{
	uint8_t fixed[HEAD_FIXED];
	int err;

	if (fields->n > FIELDS_MAX || variant.len > UINT32_MAX)
		return HF_ETOOBIG;
	fixed[0] = VERSION;
	hf_put_le(fixed + 1, (uint64_t)status, 2);
	hf_put_le(fixed + 3, fields->n, 2);
	hf_put_le(fixed + 5, variant.len, 4);
	err = hf_buf_append(out, hf_span(fixed, sizeof(fixed)));
	if (!err)
		err = hf_buf_append(out, variant);
	for (size_t i = 0; i < fields->n && !err; i++)
		err = put_field(&fields->v[i], out);
	return err;
}

void hf_stored_state(const struct hf_cache_times *times, uint32_t flags, uint64_t used_dev_ms,
		     struct hf_shelf_state *out)
{
	*out = (struct hf_shelf_state){
		.used_dev_ms = used_dev_ms,
		.request_dev_ms = times->request_ms,
		.response_dev_ms = times->response_ms,
		.response_wall_ms = times->wall_ms,
		.boot = times->boot,
		.flags = flags,
	};
}

/* ---- one block of memory: the struct, its list of fields, bytes ---- */

struct block {
	struct hf_stored *stored;
	char *at;
};

static int block_alloc(size_t fields, size_t bytes, struct block *b)
{
	size_t list = fields * sizeof(struct hf_field);
	size_t size = sizeof(struct hf_stored) + list + bytes;

	b->stored = malloc(size);
	if (!b->stored)
		return HF_ENOMEM;
	*b->stored = (struct hf_stored){ .refs = 1, .bytes = size };
	b->stored->fields.v = (struct hf_field *)(void *)(b->stored + 1);
	b->stored->fields.n = fields;
	b->stored->fields.cap = fields;
	b->at = (char *)(b->stored->fields.v + fields);
	return 0;
}

static struct hf_span block_put(struct block *b, struct hf_span s)
{
	char *at = b->at;

	if (s.len > 0)
		memcpy(at, s.ptr, s.len);
	b->at += s.len;
	return hf_span(at, s.len);
}

static void set_entry(struct hf_stored *s, int status, struct hf_span variant)
{
	s->entry = (struct hf_cache_entry){
		.status = status,
		.fields = &s->fields,
		.variant = variant,
		.times = {
			.request_ms = s->state.request_dev_ms,
			.response_ms = s->state.response_dev_ms,
			.boot = s->state.boot,
			.wall_ms = s->state.response_wall_ms,
		},
		.invalidated = s->state.flags & HF_STORED_INVALIDATED,
	};
}

/* ---- reading ---- */

static bool take_fields(struct hf_span rest, struct hf_fields *fields)
{
	for (size_t i = 0; i < fields->n; i++) {
		size_t name, value;

		if (rest.len < FIELD_FIXED)
			return false;
		name = (size_t)hf_get_le((const uint8_t *)rest.ptr, 2);
		value = (size_t)hf_get_le((const uint8_t *)rest.ptr + 2, 4);
		rest = hf_span_skip(rest, FIELD_FIXED);
		if (rest.len < name || rest.len - name < value)
			return false;
		fields->v[i].name = hf_span(rest.ptr, name);
		fields->v[i].value = hf_span(rest.ptr + name, value);
		rest = hf_span_skip(rest, name + value);
	}
	return rest.len == 0;
}

static void fill(struct hf_stored *s, const struct hf_shelf_entry *row, struct block *b)
{
	s->id = row->id;
	s->cache = row->cache;
	s->url = block_put(b, row->url);
	s->note = block_put(b, row->note);
	s->state = row->state;
	s->body = row->body;
	s->body_len = row->body_len;
	s->has_data = row->has_data;
	if (row->has_data)
		s->data = block_put(b, row->data);
}

/* A validation that changed nothing but the time wrote no head. */
static void set_date(struct hf_stored *s)
{
	uint64_t age_ms = s->state.response_dev_ms - s->state.request_dev_ms;
	char text[HF_HTTP_DATE_LEN + 1];

	if (!(s->state.flags & HF_STORED_DATED))
		return;
	hf_fields_remove(&s->fields, "age");
	if (s->state.response_wall_ms == 0)
		return;
	if (age_ms > INT64_C(1000) * HF_DELTA_MAX)
		age_ms = 0; /* the clock went back */
	hf_http_date_format((s->state.response_wall_ms - (int64_t)age_ms) / 1000, text);
	for (size_t i = 0; i < s->fields.n; i++) {
		struct hf_field *f = &s->fields.v[i];

		if (hf_span_ieq_str(f->name, "date") && f->value.len == HF_HTTP_DATE_LEN)
			memcpy((char *)(uintptr_t)f->value.ptr, text, HF_HTTP_DATE_LEN);
	}
}

int hf_stored_decode(const struct hf_shelf_entry *row, struct hf_stored **out)
{
	const uint8_t *fixed = (const uint8_t *)row->head.ptr;
	size_t fields, variant, data = row->has_data ? row->data.len : 0;
	struct hf_span head;
	struct block b;
	int status;

	if (row->head.len < HEAD_FIXED || fixed[0] != VERSION)
		return HF_ECORRUPT;
	status = (int)hf_get_le(fixed + 1, 2);
	fields = (size_t)hf_get_le(fixed + 3, 2);
	variant = (size_t)hf_get_le(fixed + 5, 4);
	if (status < 200 || status > 999 || fields > FIELDS_MAX ||
	    variant > row->head.len - HEAD_FIXED)
		return HF_ECORRUPT;
	if (block_alloc(fields, row->url.len + row->note.len + row->head.len + data, &b))
		return HF_ENOMEM;
	head = hf_span_skip(block_put(&b, row->head), HEAD_FIXED);
	if (!take_fields(hf_span_skip(head, variant), &b.stored->fields)) {
		free(b.stored);
		return HF_ECORRUPT;
	}
	fill(b.stored, row, &b);
	set_date(b.stored);
	set_entry(b.stored, status, hf_span(head.ptr, variant));
	*out = b.stored;
	return 0;
}

/* ---- copying ---- */

static size_t fields_bytes(const struct hf_fields *f)
{
	size_t bytes = 0;

	for (size_t i = 0; i < f->n; i++)
		bytes += f->v[i].name.len + f->v[i].value.len;
	return bytes;
}

int hf_stored_copy(const struct hf_stored *s, const struct hf_fields *fields,
		   const struct hf_shelf_state *state, struct hf_stored **out)
{
	const struct hf_fields *from = fields ? fields : &s->fields;
	struct hf_shelf_entry row = {
		.id = s->id,
		.cache = s->cache,
		.url = s->url,
		.note = s->note,
		.state = *state,
		.body = s->body,
		.body_len = s->body_len,
		.data = s->data,
		.has_data = s->has_data,
	};
	struct block b;

	if (block_alloc(from->n,
			s->url.len + s->note.len + s->entry.variant.len + fields_bytes(from) +
				(s->has_data ? s->data.len : 0),
			&b))
		return HF_ENOMEM;
	for (size_t i = 0; i < from->n; i++) {
		b.stored->fields.v[i].name = block_put(&b, from->v[i].name);
		b.stored->fields.v[i].value = block_put(&b, from->v[i].value);
	}
	fill(b.stored, &row, &b);
	set_entry(b.stored, s->entry.status, block_put(&b, s->entry.variant));
	*out = b.stored;
	return 0;
}

void hf_stored_unref(struct hf_stored *s)
{
	if (!s)
		return;
	assert(s->refs > 0);
	if (--s->refs == 0)
		free(s);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records as bytes. A kind byte, a version byte, then fields: type u8, length
 * u32 little-endian, bytes. Unknown types are skipped, so that a newer version
 * may add some; a known one with an impossible length is corruption.
 */
#include "queue/record.h"

#include <assert.h>

#define VERSION 1

enum field_type {
	T_ORIGIN = 1,
	T_METHOD,
	T_TARGET,
	T_FIELD, /* name length u16 LE, name, value */
	T_KEY,
	T_TAG,
	T_LANE,
	T_KEY_HEADER,
	T_TERMS,  /* struct terms below */
	T_STATUS, /* u16 LE, flags u8 */
	T_CREDENTIAL,
	T_IDENTITY,
	T_AFTER, /* depth u8, the field */
};

/* T_TERMS: idempotency u8, order u8, quoted u8, expect count u8, key validity,
 * max age, max entries u32 LE each, then the expected statuses u16 LE each. */
#define TERMS_FIXED 16

static void put_u16(char *p, uint16_t v)
{
	p[0] = (char)(v & 0xff);
	p[1] = (char)(v >> 8);
}

static void put_u32(char *p, uint32_t v)
{
	put_u16(p, (uint16_t)(v & 0xffff));
	put_u16(p + 2, (uint16_t)(v >> 16));
}

static uint16_t get_u16(const char *p)
{
	return (uint16_t)((uint8_t)p[0] | (uint16_t)((uint8_t)p[1] << 8));
}

static uint32_t get_u32(const char *p)
{
	return get_u16(p) | ((uint32_t)get_u16(p + 2) << 16);
}

/* ---- writing ---- */

static int put_header(struct hf_buf *out, char kind)
{
	char h[2] = { kind, VERSION };

	return hf_buf_append(out, hf_span(h, sizeof(h)));
}

static int put_prefix(struct hf_buf *out, enum field_type type, size_t len)
{
	char h[5];

	h[0] = (char)type;
	put_u32(h + 1, (uint32_t)len);
	return hf_buf_append(out, hf_span(h, sizeof(h)));
}

static int put_span(struct hf_buf *out, enum field_type type, struct hf_span s)
{
	int err = put_prefix(out, type, s.len);

	return err ? err : hf_buf_append(out, s);
}

static int put_field(struct hf_buf *out, const struct hf_field *f)
{
	char len[2];
	int err;

	if (f->name.len > UINT16_MAX)
		return HF_ETOOBIG;
	put_u16(len, (uint16_t)f->name.len);
	err = put_prefix(out, T_FIELD, 2 + f->name.len + f->value.len);
	if (!err)
		err = hf_buf_append(out, hf_span(len, 2));
	if (!err)
		err = hf_buf_append(out, f->name);
	return err ? err : hf_buf_append(out, f->value);
}

static int put_fields(struct hf_buf *out, const struct hf_fields *fields)
{
	int err = 0;

	for (size_t i = 0; i < fields->n && !err; i++)
		err = put_field(out, &fields->v[i]);
	return err;
}

static int put_terms(struct hf_buf *out, const struct hf_policy *p)
{
	char t[TERMS_FIXED + 2 * HF_POLICY_EXPECT_MAX];

	assert(p->expect_n <= HF_POLICY_EXPECT_MAX);
	t[0] = (char)p->idempotency;
	t[1] = (char)p->order;
	t[2] = (char)(p->key_quoted | p->when_full << 1 | p->urgency << 4);
	t[3] = (char)p->expect_n;
	put_u32(t + 4, p->key_validity_s);
	put_u32(t + 8, p->max_age_s);
	put_u32(t + 12, p->max_entries);
	for (size_t i = 0; i < p->expect_n; i++)
		put_u16(t + TERMS_FIXED + 2 * i, p->expect[i]);
	return put_span(out, T_TERMS, hf_span(t, TERMS_FIXED + 2U * p->expect_n));
}

/* What a list shows of a request: everything but fields and terms. */
static int put_identity(struct hf_buf *out, const struct hf_record_head *h)
{
	int err = put_span(out, T_ORIGIN, h->origin);

	if (!err)
		err = put_span(out, T_METHOD, h->method);
	if (!err)
		err = put_span(out, T_TARGET, h->target);
	if (!err)
		err = put_span(out, T_KEY, h->key);
	if (!err)
		err = put_span(out, T_TAG, hf_span_str(h->policy.tag));
	if (!err)
		err = put_span(out, T_LANE, hf_span_str(h->policy.lane));
	return err;
}

static int put_credential(struct hf_buf *out, const struct hf_record_head *h)
{
	int err = 0;

	if (h->policy.credential[0])
		err = put_span(out, T_CREDENTIAL, hf_span_str(h->policy.credential));
	if (!err && h->identity.len > 0)
		err = put_span(out, T_IDENTITY, h->identity);
	return err;
}

static int put_after(struct hf_buf *out, const struct hf_record_head *h)
{
	char depth = (char)h->after_depth;
	int err;

	if (h->after.len == 0)
		return 0;
	err = put_prefix(out, T_AFTER, 1 + h->after.len);
	if (!err)
		err = hf_buf_append(out, hf_span(&depth, 1));
	return err ? err : hf_buf_append(out, h->after);
}

static int get_after(struct hf_span value, struct hf_record_head *out)
{
	if (value.len < 2)
		return HF_ECORRUPT;
	out->after_depth = (uint8_t)value.ptr[0];
	out->after = hf_span_skip(value, 1);
	return 0;
}

int hf_record_head_encode(const struct hf_record_head *h, struct hf_buf *out)
{
	int err = put_header(out, 'Q');

	if (!err)
		err = put_identity(out, h);
	if (!err)
		err = put_span(out, T_KEY_HEADER, hf_span_str(h->policy.key_header));
	if (!err)
		err = put_terms(out, &h->policy);
	if (!err)
		err = put_credential(out, h);
	if (!err)
		err = put_after(out, h);
	return err ? err : put_fields(out, &h->fields);
}

int hf_record_summary_encode(const struct hf_record_head *h, struct hf_buf *out)
{
	int err = put_header(out, 'S');

	return err ? err : put_identity(out, h);
}

int hf_answer_head_encode(const struct hf_answer_head *h, struct hf_buf *out)
{
	char status[3];
	int err = put_header(out, 'A');

	put_u16(status, (uint16_t)h->status);
	status[2] = (char)h->truncated;
	if (!err)
		err = put_span(out, T_STATUS, hf_span(status, sizeof(status)));
	return err ? err : put_fields(out, &h->fields);
}

/* Header, prefix and status stand before the flag. */
#define ANSWER_FLAG_AT (2 + 5 + 2)

void hf_answer_head_truncate(struct hf_buf *encoded)
{
	struct hf_span bytes = hf_buf_span(encoded);

	assert(bytes.len > ANSWER_FLAG_AT && bytes.ptr[0] == 'A' && bytes.ptr[2] == T_STATUS);
	((char *)bytes.ptr)[ANSWER_FLAG_AT] = 1;
}

/* ---- reading ---- */

/* Takes the next field off @rest. 1: got one, 0: the end, or HF_ECORRUPT. */
static int next_field(struct hf_span *rest, uint8_t *type, struct hf_span *value)
{
	uint32_t len;

	if (rest->len == 0)
		return 0;
	if (rest->len < 5)
		return HF_ECORRUPT;
	*type = (uint8_t)rest->ptr[0];
	len = get_u32(rest->ptr + 1);
	*rest = hf_span_skip(*rest, 5);
	if (len > rest->len)
		return HF_ECORRUPT;
	*value = hf_span(rest->ptr, len);
	*rest = hf_span_skip(*rest, len);
	return 1;
}

static int check_header(struct hf_span *bytes, const char *kinds)
{
	if (bytes->len < 2 || !strchr(kinds, bytes->ptr[0]) || bytes->ptr[0] == 0 ||
	    bytes->ptr[1] < 1)
		return HF_ECORRUPT;
	if (bytes->ptr[1] > VERSION)
		return HF_ENOTSUP;
	*bytes = hf_span_skip(*bytes, 2);
	return 0;
}

static int get_field(struct hf_span value, struct hf_fields *fields)
{
	uint16_t name_len;

	if (value.len < 2)
		return HF_ECORRUPT;
	name_len = get_u16(value.ptr);
	value = hf_span_skip(value, 2);
	if (name_len == 0 || name_len > value.len)
		return HF_ECORRUPT;
	return hf_fields_add(fields, hf_span(value.ptr, name_len), hf_span_skip(value, name_len));
}

/* Into a char array of @size with a NUL. */
static int get_name(struct hf_span value, char *out, size_t size)
{
	if (value.len >= size || memchr(value.ptr ? value.ptr : "", 0, value.len))
		return HF_ECORRUPT;
	if (value.len > 0)
		memcpy(out, value.ptr, value.len);
	out[value.len] = 0;
	return 0;
}

static int get_terms(struct hf_span value, struct hf_policy *p)
{
	uint8_t n;

	if (value.len < TERMS_FIXED)
		return HF_ECORRUPT;
	n = (uint8_t)value.ptr[3];
	if (n > HF_POLICY_EXPECT_MAX || value.len < TERMS_FIXED + 2U * n ||
	    (uint8_t)value.ptr[0] > HF_IDEMPOTENCY_NEVER || (uint8_t)value.ptr[1] > HF_ORDER_SKIP)
		return HF_ECORRUPT;
	p->idempotency = (enum hf_idempotency)value.ptr[0];
	p->order = (enum hf_order)value.ptr[1];
	p->key_quoted = value.ptr[2] & 1;
	p->when_full = value.ptr[2] & 2 ? HF_WHEN_FULL_DROP_OLDEST : HF_WHEN_FULL_REJECT;
	p->urgency = (uint8_t)value.ptr[2] >> 4 & (HF_POLICY_URGENCIES - 1);
	p->expect_n = n;
	p->key_validity_s = get_u32(value.ptr + 4);
	p->max_age_s = get_u32(value.ptr + 8);
	p->max_entries = get_u32(value.ptr + 12);
	for (size_t i = 0; i < n; i++)
		p->expect[i] = get_u16(value.ptr + TERMS_FIXED + 2 * i);
	return 0;
}

static int get_request_field(uint8_t type, struct hf_span v, struct hf_record_head *out)
{
	switch (type) {
	case T_ORIGIN:
		out->origin = v;
		return 0;
	case T_METHOD:
		out->method = v;
		return 0;
	case T_TARGET:
		out->target = v;
		return 0;
	case T_KEY:
		out->key = v;
		return 0;
	case T_FIELD:
		return get_field(v, &out->fields);
	case T_TAG:
		return get_name(v, out->policy.tag, sizeof(out->policy.tag));
	case T_LANE:
		return get_name(v, out->policy.lane, sizeof(out->policy.lane));
	case T_KEY_HEADER:
		return get_name(v, out->policy.key_header, sizeof(out->policy.key_header));
	case T_TERMS:
		return get_terms(v, &out->policy);
	case T_CREDENTIAL:
		return get_name(v, out->policy.credential, sizeof(out->policy.credential));
	case T_IDENTITY:
		out->identity = v;
		return 0;
	case T_AFTER:
		return get_after(v, out);
	}
	return 0;
}

int hf_record_head_decode(struct hf_span bytes, struct hf_arena *arena, struct hf_record_head *out)
{
	struct hf_span value;
	uint8_t type;
	int err;

	memset(out, 0, sizeof(*out));
	hf_fields_init(&out->fields, arena);
	err = check_header(&bytes, "QS");
	if (err)
		return err;
	while ((err = next_field(&bytes, &type, &value)) > 0) {
		err = get_request_field(type, value, out);
		if (err)
			return err;
	}
	if (err)
		return err;
	if (!hf_is_token(out->method) || out->target.len == 0 || out->origin.len == 0)
		return HF_ECORRUPT;
	return 0;
}

int hf_answer_head_decode(struct hf_span bytes, struct hf_arena *arena, struct hf_answer_head *out)
{
	struct hf_span value;
	uint8_t type;
	int err;

	memset(out, 0, sizeof(*out));
	hf_fields_init(&out->fields, arena);
	err = check_header(&bytes, "A");
	if (err)
		return err;
	while ((err = next_field(&bytes, &type, &value)) > 0) {
		if (type == T_FIELD) {
			err = get_field(value, &out->fields);
			if (err)
				return err;
		} else if (type == T_STATUS) {
			if (value.len < 3)
				return HF_ECORRUPT;
			out->status = get_u16(value.ptr);
			out->truncated = value.ptr[2] != 0;
		}
	}
	if (err)
		return err;
	return out->status >= 100 && out->status <= 999 ? 0 : HF_ECORRUPT;
}

/* ---- public ids ---- */

/* 128 bits: 48 of time, 63 of row id, 17 of tag. */
#define TAG_BITS    17
#define TAG_MASK    ((UINT32_C(1) << TAG_BITS) - 1)
#define ID_LOW_BITS (64 - TAG_BITS)

void hf_record_id_format(uint64_t id, const struct hf_record_state *state,
			 char out[HF_ULID_LEN + 1])
{
	uint64_t time_ms = state->created_wall_ms > 0 ? (uint64_t)state->created_wall_ms :
							state->created_dev_ms;
	uint64_t hi = (time_ms & UINT64_C(0xffffffffffff)) << 16 | (id >> ID_LOW_BITS);
	uint64_t lo = id << TAG_BITS | (state->tag & TAG_MASK);

	assert(id >> 63 == 0);
	hf_ulid_format(hi, lo, out);
}

int hf_record_id_parse(struct hf_span text, uint64_t *id)
{
	uint64_t hi, lo;
	int err = hf_ulid_parse(text, &hi, &lo);

	if (err)
		return err;
	*id = (hi & 0xffff) << ID_LOW_BITS | lo >> TAG_BITS;
	return *id >> 63 == 0 && *id != 0 ? 0 : HF_EINVAL;
}

const char *hf_record_status_name(uint8_t status)
{
	switch ((enum hf_record_status)status) {
	case HF_RECORD_QUEUED:
		return "queued";
	case HF_RECORD_HELD:
		return "held";
	case HF_RECORD_SETTLED:
		return "settled";
	case HF_RECORD_DEAD:
		return "dead";
	case HF_RECORD_CANCELLED:
		return "cancelled";
	}
	return "unknown";
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A CoAP answer as an HTTP one (RFC 8075 section 7, RFC 7252 section 10.1). */
#include "coap/map.h"

#include "holdfast/err.h"

#define MAX_AGE_DEFAULT_S 60 /* RFC 7252 section 5.10.5 */

int hf_coap_status(uint8_t code, bool payload)
{
	static const struct {
		uint8_t code;
		int status;
	} known[] = {
		{ HF_COAP_CODE(2, 1), 201 },  { HF_COAP_CODE(2, 3), 304 },
		{ HF_COAP_CODE(2, 5), 200 },  { HF_COAP_CODE(4, 0), 400 },
		{ HF_COAP_CODE(4, 1), 403 },  { HF_COAP_CODE(4, 2), 400 },
		{ HF_COAP_CODE(4, 3), 403 },  { HF_COAP_CODE(4, 4), 404 },
		{ HF_COAP_CODE(4, 5), 400 },  { HF_COAP_CODE(4, 6), 406 },
		{ HF_COAP_CODE(4, 8), 408 },  { HF_COAP_CODE(4, 9), 409 },
		{ HF_COAP_CODE(4, 12), 412 }, { HF_COAP_CODE(4, 13), 413 },
		{ HF_COAP_CODE(4, 15), 415 }, { HF_COAP_CODE(4, 22), 422 },
		{ HF_COAP_CODE(4, 29), 429 }, { HF_COAP_CODE(5, 0), 500 },
		{ HF_COAP_CODE(5, 1), 501 },  { HF_COAP_CODE(5, 2), 502 },
		{ HF_COAP_CODE(5, 3), 503 },  { HF_COAP_CODE(5, 4), 504 },
		{ HF_COAP_CODE(5, 5), 502 },  { HF_COAP_CODE(5, 8), 508 },
	};

	if (code == HF_COAP_CODE(2, 2) || code == HF_COAP_CODE(2, 4))
		return payload ? 200 : 204;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].code == code)
			return known[i].status;
	/* Of a class that is known, one that is not (RFC 7252 section 5.9). */
	switch (code >> 5) {
	case 2:
		return code == HF_COAP_CONTINUE ? 502 : payload ? 200 : 204;
	case 4:
		return 400;
	case 5:
		return 500;
	}
	return 502;
}

static int add(struct hf_message *m, const char *name, struct hf_span value)
{
	return value.ptr ? hf_fields_add(&m->fields, hf_span_str(name), value) : HF_ENOMEM;
}

static int add_etag(const struct hf_coap_head *a, struct hf_arena *arena, struct hf_message *m)
{
	static const char digits[] = "0123456789abcdef";
	const struct hf_span *tag = hf_coap_option_get(a, HF_COAP_ETAG);
	char text[2 * 8 + 2];
	size_t n = 0;

	if (!tag || tag->len == 0 || tag->len > 8)
		return 0;
	text[n++] = '"';
	for (size_t i = 0; i < tag->len; i++) {
		text[n++] = digits[(uint8_t)tag->ptr[i] >> 4];
		text[n++] = digits[(uint8_t)tag->ptr[i] & 15];
	}
	text[n++] = '"';
	return add(m, "ETag", hf_arena_copy(arena, hf_span(text, n)));
}

/* How long it is fresh or, of an origin that is busy, when to ask again. */
static int add_age(const struct hf_coap_head *a, struct hf_arena *arena, struct hf_message *m)
{
	const struct hf_span *option = hf_coap_option_get(a, HF_COAP_MAX_AGE);
	uint32_t seconds = MAX_AGE_DEFAULT_S;

	if (option && !hf_coap_uint_parse(*option, &seconds))
		return 0;
	if (m->status == 503 || m->status == 429)
		return add(m, "Retry-After", hf_arena_printf(arena, "%u", seconds));
	if (!option && m->status != 200 && m->status != 304)
		return 0;
	if (a->code != HF_COAP_CODE(2, 5) && a->code != HF_COAP_CODE(2, 3) && a->code >> 5 == 2)
		return 0; /* of a change, nothing to store */
	return add(m, "Cache-Control", hf_arena_printf(arena, "max-age=%u", seconds));
}

static int add_type(const struct hf_coap_head *a, bool payload, struct hf_message *m)
{
	const struct hf_span *option = hf_coap_option_get(a, HF_COAP_CONTENT_FORMAT);
	const char *type = "application/octet-stream", *coding = NULL;
	uint32_t format;

	if (!payload)
		return 0;
	if (option && hf_coap_uint_parse(*option, &format)) {
		type = hf_coap_media_type(format);
		coding = hf_coap_coding(format);
		if (!type)
			type = "application/octet-stream";
	} else if (!option && a->code >> 5 != 2) {
		type = "text/plain;charset=utf-8"; /* for people (RFC 7252 section 5.5.2) */
	}
	if (coding && add(m, "Content-Encoding", hf_span_str(coding)))
		return HF_ENOMEM;
	return add(m, "Content-Type", hf_span_str(type));
}

static bool is_plain(char c, bool query)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c && strchr(query ? "-._~!$'()*+,;=:@/?" : "-._~!$&'()*+,;=:@", c);
}

static size_t encode(struct hf_span s, bool query, char *out)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (is_plain(s.ptr[i], query)) {
			out[n++] = s.ptr[i];
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[(uint8_t)s.ptr[i] >> 4];
		out[n++] = digits[(uint8_t)s.ptr[i] & 15];
	}
	return n;
}

static int add_location(const struct hf_coap_head *a, struct hf_arena *arena, struct hf_message *m)
{
	size_t size = 1, n = 0;
	bool query = false;
	char *text;

	for (size_t i = 0; i < a->n; i++)
		if (a->options[i].number == HF_COAP_LOCATION_PATH ||
		    a->options[i].number == HF_COAP_LOCATION_QUERY)
			size += 1 + 3 * a->options[i].value.len;
	if (size == 1)
		return 0;
	text = hf_arena_alloc(arena, size + 1);
	if (!text)
		return HF_ENOMEM;
	for (size_t i = 0; i < a->n; i++) {
		const struct hf_coap_option *o = &a->options[i];

		if (o->number == HF_COAP_LOCATION_PATH) {
			text[n++] = '/';
			n += encode(o->value, false, text + n);
		} else if (o->number == HF_COAP_LOCATION_QUERY) {
			if (n == 0)
				text[n++] = '/';
			text[n++] = query ? '&' : '?';
			query = true;
			n += encode(o->value, true, text + n);
		}
	}
	return add(m, "Location", hf_span(text, n));
}

void hf_coap_answer_begin(int status, struct hf_arena *arena, struct hf_message *out)
{
	*out = (struct hf_message){
		.status = status,
		.reason = hf_span_str(hf_status_reason(status)),
		.minor = 1,
		.keep_alive = true,
		.body = HF_BODY_NONE,
	};
	hf_fields_init(&out->fields, arena);
}

int hf_coap_answer_map(const struct hf_coap_head *answer, bool payload, struct hf_arena *arena,
		       struct hf_message *out)
{
	int err;

	hf_coap_answer_begin(hf_coap_status(answer->code, payload), arena, out);
	err = add_type(answer, payload, out);
	if (!err)
		err = add_etag(answer, arena, out);
	if (!err)
		err = add_age(answer, arena, out);
	return err ? err : add_location(answer, arena, out);
}

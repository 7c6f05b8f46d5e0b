/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP request as a CoAP one (RFC 8075 section 5, RFC 7252 section 6.4). */
#include "coap/map.h"

#include "holdfast/err.h"
#include "http/url.h"
#include "http/values.h"

#define ETAG_BYTES_MAX	8
#define VALUE_BYTES_MAX 255 /* of Uri-Host, Uri-Path and Uri-Query */

/* ---- options ---- */

int hf_coap_option_add(struct hf_coap_head *head, uint16_t number, struct hf_span value)
{
	size_t i = head->n;

	if (head->n == HF_COAP_OPTIONS_MAX)
		return HF_ELIMIT;
	for (; i > 0 && head->options[i - 1].number > number; i--)
		head->options[i] = head->options[i - 1];
	head->options[i] = (struct hf_coap_option){ number, value };
	head->n++;
	return 0;
}

const struct hf_span *hf_coap_option_get(const struct hf_coap_head *head, uint16_t number)
{
	for (size_t i = 0; i < head->n; i++)
		if (head->options[i].number == number)
			return &head->options[i].value;
	return NULL;
}

struct hf_span hf_coap_uint(uint32_t value, char bytes[4])
{
	size_t n = 0;

	for (int shift = 24; shift >= 0; shift -= 8)
		if (value >> shift)
			bytes[n++] = (char)(value >> shift & 0xff);
	return hf_span(bytes, n);
}

bool hf_coap_uint_parse(struct hf_span value, uint32_t *out)
{
	*out = 0;
	if (value.len > 4)
		return false;
	for (size_t i = 0; i < value.len; i++)
		*out = *out << 8 | (uint8_t)value.ptr[i];
	return true;
}

static int add_uint(struct hf_coap_head *head, struct hf_arena *arena, uint16_t number,
		    uint32_t value)
{
	char *bytes = hf_arena_alloc(arena, 4);

	return bytes ? hf_coap_option_add(head, number, hf_coap_uint(value, bytes)) : HF_ENOMEM;
}

/* ---- method ---- */

static uint8_t method_code(struct hf_span method)
{
	static const struct {
		const char *name;
		uint8_t code;
	} methods[] = {
		{ "GET", 1 },	 { "HEAD", 1 },	 { "POST", 2 },	 { "PUT", 3 },
		{ "DELETE", 4 }, { "QUERY", 5 }, { "PATCH", 6 },
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (hf_span_eq_str(method, methods[i].name))
			return methods[i].code;
	return 0;
}

/* ---- path and query ---- */

/* @s with its percent-encodings decoded; ptr NULL without memory. */
static struct hf_span decode(struct hf_arena *arena, struct hf_span s)
{
	char *out = hf_arena_alloc(arena, s.len + 1);
	size_t n = 0;

	if (!out)
		return hf_span(NULL, 0);
	for (size_t i = 0; i < s.len; i++) {
		int high = i + 2 < s.len && s.ptr[i] == '%' ? hf_hex_digit(s.ptr[i + 1]) : -1;
		int low = high >= 0 ? hf_hex_digit(s.ptr[i + 2]) : -1;

		if (low >= 0) {
			out[n++] = (char)(high << 4 | low);
			i += 2;
		} else {
			out[n++] = s.ptr[i];
		}
	}
	return hf_span(out, n);
}

/* One option for each part of @s between @sep. */
static int add_parts(struct hf_coap_head *out, struct hf_arena *arena, uint16_t number,
		     struct hf_span s, char sep)
{
	while (s.ptr) {
		struct hf_span part = decode(arena, hf_span_cut(&s, sep));

		if (!part.ptr)
			return HF_ENOMEM;
		if (part.len > VALUE_BYTES_MAX || hf_coap_option_add(out, number, part))
			return 414;
	}
	return 0;
}

static int map_target(const struct hf_message *msg, struct hf_arena *arena,
		      struct hf_coap_head *out)
{
	struct hf_span path, query;
	int refused;

	if (hf_target_parse(msg->target, &path, &query))
		return 400;
	path = hf_span_skip(path, 1);
	if (path.len == 0)
		path.ptr = NULL;
	refused = add_parts(out, arena, HF_COAP_URI_PATH, path, '/');
	if (!refused)
		refused = add_parts(out, arena, HF_COAP_URI_QUERY, query, '&');
	return refused;
}

/* ---- fields ---- */

/* "1a2b" with its quotes as bytes; false: it is none of a CoAP origin. */
static bool etag_bytes(struct hf_span tag, char bytes[ETAG_BYTES_MAX], size_t *n)
{
	*n = 0;
	if (hf_span_starts(tag, HF_SPAN("W/")))
		tag = hf_span_skip(tag, 2);
	if (tag.len < 4 || tag.len > 2 + 2 * ETAG_BYTES_MAX || tag.len % 2 || tag.ptr[0] != '"' ||
	    tag.ptr[tag.len - 1] != '"')
		return false;
	for (size_t i = 1; i + 1 < tag.len; i += 2) {
		int high = hf_hex_digit(tag.ptr[i]), low = hf_hex_digit(tag.ptr[i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[(*n)++] = (char)(high << 4 | low);
	}
	return true;
}

/* Adds an option for each tag of the list that an origin may have given; how many
 * in @n. */
static int add_tags(struct hf_coap_head *out, struct hf_arena *arena, uint16_t number,
		    struct hf_span list, size_t *n)
{
	struct hf_span tag;

	*n = 0;
	while (hf_list_next(&list, &tag)) {
		char bytes[ETAG_BYTES_MAX];
		struct hf_span copy;
		size_t len;

		if (!etag_bytes(tag, bytes, &len))
			continue;
		copy = hf_arena_copy(arena, hf_span(bytes, len));
		if (!copy.ptr)
			return HF_ENOMEM;
		if (hf_coap_option_add(out, number, copy))
			return 431;
		++*n;
	}
	return 0;
}

static int map_conditions(const struct hf_message *msg, struct hf_arena *arena,
			  struct hf_coap_head *out)
{
	const struct hf_span *match = hf_fields_get(&msg->fields, "If-Match");
	const struct hf_span *none = hf_fields_get(&msg->fields, "If-None-Match");
	int refused = 0;
	size_t n;

	if (match && hf_span_eq_str(*match, "*")) {
		refused = hf_coap_option_add(out, HF_COAP_IF_MATCH, HF_SPAN("")) ? 431 : 0;
	} else if (match) {
		refused = add_tags(out, arena, HF_COAP_IF_MATCH, *match, &n);
		if (!refused && n == 0)
			refused = 412; /* what it has can be none of these */
	}
	if (refused || !none)
		return refused;
	if (hf_span_eq_str(*none, "*"))
		return hf_coap_option_add(out, HF_COAP_IF_NONE_MATCH, HF_SPAN("")) ? 431 : 0;
	if (!hf_method_is_safe(msg->method))
		return 501; /* CoAP knows "unless there is one", and not "unless it is this one" */
	return add_tags(out, arena, HF_COAP_ETAG, *none, &n);
}

static int map_formats(const struct hf_message *msg, struct hf_arena *arena,
		       struct hf_coap_head *out)
{
	const struct hf_span *type = hf_fields_get(&msg->fields, "Content-Type");
	const struct hf_span *accept = hf_fields_get(&msg->fields, "Accept");
	const struct hf_span *coding = hf_fields_get(&msg->fields, "Content-Encoding");
	int format;

	if (msg->body != HF_BODY_NONE) {
		format = type ? hf_coap_format_of(*type, coding ? *coding : HF_SPAN("")) : -1;
		if ((type || coding) && format < 0)
			return 415;
		if (type && add_uint(out, arena, HF_COAP_CONTENT_FORMAT, (uint32_t)format))
			return HF_ENOMEM;
	}
	/* CoAP asks for one format and has no other way out than 4.06; what a browser
	 * lists is not meant so. */
	format = accept ? hf_coap_format_of(*accept, HF_SPAN("")) : -1;
	if (format >= 0 && add_uint(out, arena, HF_COAP_ACCEPT, (uint32_t)format))
		return HF_ENOMEM;
	return 0;
}

static int map_key(const struct hf_message *msg, const struct hf_coap_key *place,
		   struct hf_arena *arena, struct hf_coap_head *out)
{
	const struct hf_span *value = msg->key.ptr ? &msg->key :
						     hf_fields_get(&msg->fields, "Idempotency-Key");
	struct hf_span key, parameter;

	if (!value || hf_idempotency_key_parse(*value, &key))
		return 0;
	if (place->option && hf_coap_option_add(out, place->option, key))
		return 431;
	if (!place->query)
		return 0;
	parameter = hf_arena_printf(arena, "%s=%.*s", place->query, HF_SPAN_ARG(key));
	if (!parameter.ptr)
		return HF_ENOMEM;
	if (parameter.len > VALUE_BYTES_MAX ||
	    hf_coap_option_add(out, HF_COAP_URI_QUERY, parameter))
		return 431;
	return 0;
}

int hf_coap_request_map(const struct hf_message *msg, const char *host,
			const struct hf_coap_key *key, struct hf_arena *arena,
			struct hf_coap_head *out)
{
	int refused;

	*out = (struct hf_coap_head){ .code = method_code(msg->method) };
	if (out->code == 0 || msg->upgrade)
		return 501;
	if (host && hf_coap_option_add(out, HF_COAP_URI_HOST, hf_span_str(host)))
		return 431;
	refused = map_target(msg, arena, out);
	if (!refused)
		refused = map_conditions(msg, arena, out);
	if (!refused)
		refused = map_formats(msg, arena, out);
	if (!refused && hf_span_eq_str(msg->method, "HEAD"))
		refused = add_uint(out, arena, HF_COAP_SIZE2, 0); /* how long would it be? */
	if (!refused)
		refused = map_key(msg, key, arena, out);
	return refused;
}

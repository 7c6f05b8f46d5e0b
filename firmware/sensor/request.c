/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CoAP request as a page would have sent it over HTTP (RFC 8075 the other way
 * round). A payload whose Content-Format has no media type goes to an origin that
 * speaks HTTP as JSON, in base64; to one that speaks CoAP under its number.
 */
#include <stdio.h>

#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

#include "holdfast/err.h"
#include "http/values.h"
#include "sensor/sensor_private.h"

#define KEY_PERIOD_MS (60 * 60 * 1000)
#define TARGET_MAX    2048
#define JSON_EXTRA    64

/* ---- options ---- */

unsigned hf_sensor_unknown_option(const struct hf_sensors *s, const struct hf_coap_head *head)
{
	static const uint16_t known[] = {
		HF_COAP_IF_MATCH, HF_COAP_URI_HOST,  HF_COAP_IF_NONE_MATCH, HF_COAP_URI_PORT,
		HF_COAP_URI_PATH, HF_COAP_URI_QUERY, HF_COAP_ACCEPT,	    HF_COAP_BLOCK2,
		HF_COAP_BLOCK1,	  HF_COAP_PROXY_URI, HF_COAP_PROXY_SCHEME
	};

	for (size_t i = 0; i < head->n; i++) {
		uint16_t number = head->options[i].number;
		bool is_known = number % 2 == 0 || number == s->opt.key.option;

		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]) && !is_known; k++)
			is_known = known[k] == number;
		if (!is_known)
			return number;
	}
	return 0;
}

/* ---- path and query ---- */

/* What may stand in a segment as it is (RFC 3986 section 3.3); in a query "/" and "?"
 * beside. */
static bool is_plain(char c, bool query)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr(query ? "-._~!$'()*+,;=:@/?" : "-._~!$&'()*+,;=:@", c);
}

static int append_escaped(struct hf_buf *out, struct hf_span part, bool query)
{
	int err = 0;

	for (size_t i = 0; i < part.len && !err; i++) {
		if (is_plain(part.ptr[i], query))
			err = hf_buf_append(out, hf_span(part.ptr + i, 1));
		else
			err = hf_buf_appendf(out, "%%%02X", (uint8_t)part.ptr[i]);
	}
	return err;
}

/* Segments that mean another place once they are put together. */
static bool is_strange(struct hf_span segment)
{
	return hf_span_eq_str(segment, ".") || hf_span_eq_str(segment, "..") ||
	       memchr(segment.ptr, '/', segment.len) || memchr(segment.ptr, '\\', segment.len);
}

static int append_path(const struct hf_coap_head *head, struct hf_buf *out)
{
	bool any = false, first = true;
	int err = 0;

	for (size_t i = 0; i < head->n && !err; i++) {
		struct hf_span part = head->options[i].value;

		if (head->options[i].number != HF_COAP_URI_PATH)
			continue;
		if (part.len > 0 && is_strange(part))
			return HF_EINVAL;
		if (first && hf_span_ieq_str(part, ".holdfast"))
			return HF_EINVAL;
		first = false;
		any = true;
		err = hf_buf_append_str(out, "/");
		if (!err)
			err = append_escaped(out, part, false);
	}
	return err || any ? err : hf_buf_append_str(out, "/");
}

/* The sensor's key is no part of the query. */
static bool is_key(const struct hf_sensors *s, struct hf_span part, struct hf_span *key)
{
	size_t len = s->opt.key.query ? strlen(s->opt.key.query) : 0;

	if (len == 0 || part.len <= len || memcmp(part.ptr, s->opt.key.query, len) != 0 ||
	    part.ptr[len] != '=')
		return false;
	*key = hf_span_skip(part, len + 1);
	return true;
}

static int append_query(const struct hf_sensors *s, const struct hf_coap_head *head,
			struct hf_sensor_request *r, struct hf_buf *out)
{
	const char *before = "?";
	int err = 0;

	for (size_t i = 0; i < head->n && !err; i++) {
		struct hf_span part = head->options[i].value;

		if (head->options[i].number != HF_COAP_URI_QUERY || is_key(s, part, &r->key))
			continue;
		err = hf_buf_append_str(out, before);
		if (!err)
			err = append_escaped(out, part, true);
		before = "&";
	}
	return err;
}

static int read_target(const struct hf_sensors *s, const struct hf_coap_head *head,
		       struct hf_arena *arena, struct hf_sensor_request *r)
{
	struct hf_buf text;
	size_t path_len;
	int err;

	hf_buf_init(&text, TARGET_MAX);
	err = append_path(head, &text);
	path_len = text.len;
	if (!err)
		err = append_query(s, head, r, &text);
	if (!err) {
		r->msg.target = hf_arena_copy(arena, hf_buf_span(&text));
		err = r->msg.target.ptr ? 0 : HF_ENOMEM;
	}
	hf_buf_finish(&text);
	if (err)
		return err;
	r->path = hf_span(r->msg.target.ptr, path_len);
	if (r->msg.target.len > path_len)
		r->query = hf_span_skip(r->msg.target, path_len + 1);
	return 0;
}

/* ---- fields ---- */

static int add_condition(const struct hf_coap_option *o, struct hf_arena *arena,
			 struct hf_fields *fields)
{
	char digits[2 * 8 + 1];

	if (o->number == HF_COAP_IF_NONE_MATCH)
		return hf_fields_add(fields, HF_SPAN("If-None-Match"), HF_SPAN("*"));
	if (o->value.len == 0)
		return hf_fields_add(fields, HF_SPAN("If-Match"), HF_SPAN("*"));
	for (size_t i = 0; i < o->value.len && i < 8; i++)
		snprintf(digits + 2 * i, 3, "%02x", (uint8_t)o->value.ptr[i]);
	return hf_fields_add(fields, HF_SPAN("If-Match"), hf_arena_printf(arena, "\"%s\"", digits));
}

static int read_fields(const struct hf_coap_head *head, struct hf_arena *arena,
		       struct hf_sensor_request *r)
{
	int err = hf_fields_add(&r->msg.fields, HF_SPAN("Prefer"), HF_SPAN("respond-async"));

	for (size_t i = 0; i < head->n && !err; i++) {
		const struct hf_coap_option *o = &head->options[i];

		if (o->number == HF_COAP_IF_MATCH || o->number == HF_COAP_IF_NONE_MATCH)
			err = add_condition(o, arena, &r->msg.fields);
		else if (o->number == HF_COAP_URI_HOST)
			r->host = o->value;
		else if (o->number == HF_COAP_CONTENT_FORMAT)
			r->has_format = hf_coap_uint_parse(o->value, &r->format);
	}
	return err;
}

static const char *method_of(uint8_t code)
{
	switch (code) {
	case HF_COAP_CODE(0, 2):
		return "POST";
	case HF_COAP_CODE(0, 3):
		return "PUT";
	case HF_COAP_CODE(0, 4):
		return "DELETE";
	case HF_COAP_CODE(0, 6):
	case HF_COAP_CODE(0, 7): /* iPATCH (RFC 8132): with its key the other one is no less */
		return "PATCH";
	}
	return NULL;
}

int hf_sensor_request_read(const struct hf_sensors *s, const struct hf_coap_head *head,
			   struct hf_arena *arena, struct hf_sensor_request *r, const char **words)
{
	const char *method = method_of(head->code);
	const struct hf_span *key;
	struct hf_span parsed;
	int err;

	*r = (struct hf_sensor_request){ .msg = { .minor = 1, .keep_alive = true } };
	hf_fields_init(&r->msg.fields, arena);
	*words = "POST, PUT, PATCH, iPATCH and DELETE can be sent here.";
	if (!method)
		return HF_COAP_CODE(4, 5);
	r->method = r->msg.method = hf_span_str(method);
	err = read_target(s, head, arena, r);
	*words = "The path cannot be passed on: it is too long, has a segment with a slash or "
		 "dots in it, or is Holdfast's own.";
	if (err)
		return err == HF_ENOMEM ? err : HF_COAP_CODE(4, 0);
	err = read_fields(head, arena, r);
	if (err)
		return err;
	key = s->opt.key.option ? hf_coap_option_get(head, s->opt.key.option) : NULL;
	if (key)
		r->key = *key;
	*words = "The idempotency key is empty, too long or has bytes that it may not have.";
	if ((key || r->key.ptr) && hf_idempotency_key_parse(r->key, &parsed))
		return HF_COAP_CODE(4, 0);
	return 0;
}

/* ---- the body ---- */

static int wrap(struct hf_sensor_request *r, struct hf_span body, struct hf_arena *arena)
{
	struct hf_buf json;
	int err;

	hf_buf_init(&json, JSON_EXTRA + (body.len + 2) / 3 * 4);
	err = hf_buf_appendf(&json, "{\"contentFormat\":%u,\"payload\":\"", (unsigned)r->format);
	if (!err)
		err = hf_base64_append(&json, body);
	if (!err)
		err = hf_buf_append_str(&json, "\"}");
	if (!err) {
		r->body = hf_arena_copy(arena, hf_buf_span(&json));
		err = r->body.ptr ? 0 : HF_ENOMEM;
	}
	hf_buf_finish(&json);
	return err;
}

int hf_sensor_request_finish(struct hf_sensor_request *r, bool coap_origin, struct hf_span body,
			     struct hf_arena *arena)
{
	const char *known = r->has_format ? hf_coap_media_type(r->format) : NULL;
	struct hf_span coding = hf_span_str(known ? hf_coap_coding(r->format) : NULL);
	struct hf_span type = hf_span_str(known);
	int err = 0;

	r->body = body;
	if (r->has_format && !known && coap_origin) {
		type = hf_arena_printf(arena, HF_COAP_PAYLOAD_TYPE "%u", (unsigned)r->format);
		err = type.ptr ? 0 : HF_ENOMEM;
	} else if (r->has_format && !known) {
		type = HF_SPAN("application/json");
		err = wrap(r, body, arena);
	}
	if (!err && type.ptr && r->body.len > 0)
		err = hf_fields_add(&r->msg.fields, HF_SPAN("Content-Type"), type);
	if (!err && coding.len > 0 && r->body.len > 0)
		err = hf_fields_add(&r->msg.fields, HF_SPAN("Content-Encoding"), coding);
	r->msg.body = r->body.len > 0 ? HF_BODY_LENGTH : HF_BODY_NONE;
	r->msg.body_len = r->body.len;
	return err;
}

/* ---- the key ---- */

static void add_uint(mbedtls_sha256_context *c, uint64_t n)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(n >> (8 * i));
	(void)mbedtls_sha256_update(c, bytes, sizeof(bytes));
}

static void add_span(mbedtls_sha256_context *c, struct hf_span s)
{
	add_uint(c, s.len);
	(void)mbedtls_sha256_update(c, (const uint8_t *)s.ptr, s.len);
}

static void digest(const struct hf_sensors *s, const struct hf_sensor_peer *peer,
		   struct hf_span datagram, struct hf_span body, uint8_t hash[32])
{
	struct hf_span identity = hf_sensor_identity(peer);
	mbedtls_sha256_context c;

	mbedtls_sha256_init(&c);
	(void)mbedtls_sha256_starts(&c, 0);
	add_uint(&c, hf_queue_device_ms(s->opt.queue) / KEY_PERIOD_MS);
	add_span(&c, identity);
	if (identity.len == 0) {
		add_span(&c, hf_span(peer->addr.ip, sizeof(peer->addr.ip)));
		add_uint(&c, peer->addr.port);
	}
	add_span(&c, datagram);
	add_span(&c, body);
	(void)mbedtls_sha256_finish(&c, hash);
	mbedtls_sha256_free(&c);
}

/* A UUID of version 8 (RFC 9562 section 5.8). */
void hf_sensor_key(const struct hf_sensors *s, const struct hf_sensor_peer *peer,
		   struct hf_span datagram, struct hf_span body, char out[HF_SENSOR_KEY_SIZE])
{
	uint8_t hash[32];

	digest(s, peer, datagram, body, hash);
	hf_uuid_format(hash, 8, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/coap_answer.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

#include "cli/json.h"
#include "cli/text.h"
#include "http/values.h"

#define VALUE_MAX 1200 /* bytes of an option, more than any has */

enum sort {
	OPAQUE,
	STRING,
	NUMBER,
	BLOCK,
};

static const struct option {
	unsigned number;
	const char *name;
	enum sort sort;
} options[] = {
	{ 1, "If-Match", OPAQUE },
	{ 3, "Uri-Host", STRING },
	{ 4, "ETag", OPAQUE },
	{ 5, "If-None-Match", OPAQUE },
	{ 6, "Observe", NUMBER },
	{ 7, "Uri-Port", NUMBER },
	{ 8, "Location-Path", STRING },
	{ 9, "OSCORE", OPAQUE },
	{ 11, "Uri-Path", STRING },
	{ 12, "Content-Format", NUMBER },
	{ 14, "Max-Age", NUMBER },
	{ 15, "Uri-Query", STRING },
	{ 16, "Hop-Limit", NUMBER },
	{ 17, "Accept", NUMBER },
	{ 20, "Location-Query", STRING },
	{ 23, "Block2", BLOCK },
	{ 27, "Block1", BLOCK },
	{ 28, "Size2", NUMBER },
	{ 35, "Proxy-Uri", STRING },
	{ 39, "Proxy-Scheme", STRING },
	{ 60, "Size1", NUMBER },
	{ 252, "Echo", OPAQUE },
	{ 258, "No-Response", NUMBER },
	{ 292, "Request-Tag", OPAQUE },
};

static const struct {
	const char *code, *words;
} codes[] = {
	{ "2.01", "Created" },
	{ "2.02", "Deleted" },
	{ "2.03", "Valid" },
	{ "2.04", "Changed" },
	{ "2.05", "Content" },
	{ "4.00", "Bad Request" },
	{ "4.01", "Unauthorized" },
	{ "4.02", "Bad Option" },
	{ "4.03", "Forbidden" },
	{ "4.04", "Not Found" },
	{ "4.05", "Method Not Allowed" },
	{ "4.06", "Not Acceptable" },
	{ "4.08", "Request Entity Incomplete" },
	{ "4.09", "Conflict" },
	{ "4.12", "Precondition Failed" },
	{ "4.13", "Request Entity Too Large" },
	{ "4.15", "Unsupported Content-Format" },
	{ "4.22", "Unprocessable Entity" },
	{ "4.29", "Too Many Requests" },
	{ "5.00", "Internal Server Error" },
	{ "5.01", "Not Implemented" },
	{ "5.02", "Bad Gateway" },
	{ "5.03", "Service Unavailable" },
	{ "5.04", "Gateway Timeout" },
	{ "5.05", "Proxying Not Supported" },
	{ "5.08", "Hop Limit Reached" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void cli_coap_answer_finish(struct cli_coap_answer *a)
{
	cli_json_free(a->head);
}

const char *cli_coap_code(const struct cli_coap_answer *a)
{
	return cli_json_text(a->head, "code", "?");
}

static const char *code_words(const char *code)
{
	for (size_t i = 0; i < COUNT(codes); i++)
		if (strcmp(codes[i].code, code) == 0)
			return codes[i].words;
	return "";
}

/* ---- options ---- */

struct value {
	const struct option *known; /* NULL: it is not */
	unsigned number;
	const char *hex;
	char bytes[VALUE_MAX];
	size_t len;
};

static bool read_option(const cJSON *pair, struct value *out)
{
	const cJSON *number = cJSON_GetArrayItem(pair, 0), *hex = cJSON_GetArrayItem(pair, 1);

	out->known = NULL;
	out->len = 0;
	if (!cJSON_IsNumber(number) || !cJSON_IsString(hex))
		return false;
	out->number = (unsigned)number->valueint;
	out->hex = hex->valuestring;
	for (const char *h = out->hex; h[0] && h[1] && out->len < VALUE_MAX; h += 2)
		out->bytes[out->len++] = (char)(hf_hex_digit(h[0]) << 4 | hf_hex_digit(h[1]));
	for (size_t i = 0; i < COUNT(options); i++)
		if (options[i].number == out->number)
			out->known = &options[i];
	return true;
}

static uint64_t uint_of(const struct value *v)
{
	uint64_t n = 0;

	for (size_t i = 0; i < v->len; i++)
		n = n << 8 | (uint8_t)v->bytes[i];
	return n;
}

/* How it is read; what is no number of a size that there is, as bytes. */
static enum sort sort_of(const struct value *v)
{
	enum sort sort = v->known ? v->known->sort : OPAQUE;

	return (sort == NUMBER || sort == BLOCK) && v->len > 4 ? OPAQUE : sort;
}

static void put_value(const struct value *v)
{
	uint64_t n = uint_of(v);

	switch (sort_of(v)) {
	case OPAQUE:
		fprintf(stderr, "%s%s", v->len ? "0x" : "", v->hex);
		break;
	case STRING:
		cli_put_safe(stderr, hf_span(v->bytes, v->len));
		break;
	case NUMBER:
		fprintf(stderr, "%" PRIu64, n);
		break;
	case BLOCK:
		fprintf(stderr, "%" PRIu64 "/%d/%u", n >> 4, n & 8 ? 1 : 0, 16u << (n & 7));
		break;
	}
}

static void put_options(const struct cli_coap_answer *a)
{
	struct value v;
	const cJSON *pair;

	cJSON_ArrayForEach(pair, cli_json_at(a->head, "options"))
	{
		if (!read_option(pair, &v))
			continue;
		if (v.known)
			fprintf(stderr, "%s: ", v.known->name);
		else
			fprintf(stderr, "option %u: ", v.number);
		put_value(&v);
		if (v.number == 12 && a->type[0]) {
			fputs(" (", stderr);
			cli_put_safe(stderr, hf_span_str(a->type));
			fputc(')', stderr);
		}
		fputc('\n', stderr);
	}
}

void cli_coap_put_head(const struct cli_coap_answer *a, bool with_options)
{
	const char *code = cli_coap_code(a), *words = code_words(code);

	cli_put_safe(stderr, hf_span_str(code));
	fprintf(stderr, "%s%s\n", words[0] ? " " : "", words);
	if (with_options)
		put_options(a);
}

/* ---- JSON ---- */

static int append_option(struct hf_buf *out, const struct value *v, bool first)
{
	struct hf_span text = hf_span(v->bytes, v->len);
	int err = hf_buf_appendf(out, "%s{\"number\":%u", first ? "" : ",", v->number);

	if (!err && v->known)
		err = cli_json_append(out, ",\"name\":", hf_span_str(v->known->name));
	if (!err && (sort_of(v) == NUMBER || sort_of(v) == BLOCK))
		err = hf_buf_appendf(out, ",\"value\":%" PRIu64, uint_of(v));
	else if (!err && sort_of(v) == STRING && cli_is_text(text))
		err = cli_json_append(out, ",\"value\":", text);
	if (!err)
		err = cli_json_append(out, ",\"hex\":", hf_span_str(v->hex));
	return err ? err : hf_buf_append_str(out, "}");
}

static int append_options(struct hf_buf *out, const struct cli_coap_answer *a)
{
	int err = hf_buf_append_str(out, ",\"options\":[");
	bool first = true;
	struct value v;
	const cJSON *pair;

	cJSON_ArrayForEach(pair, cli_json_at(a->head, "options"))
	{
		if (err || !read_option(pair, &v))
			continue;
		err = append_option(out, &v, first);
		first = false;
	}
	return err ? err : hf_buf_append_str(out, "]");
}

static int append_payload(struct hf_buf *out, const struct cli_coap_answer *a,
			  struct hf_span payload)
{
	int err = 0;

	if (a->type[0])
		err = cli_json_append(out, ",\"type\":", hf_span_str(a->type));
	if (err || cli_is_text(payload))
		return err ? err : cli_json_append(out, ",\"payload\":", payload);
	err = hf_buf_append_str(out, ",\"payloadBase64\":\"");
	if (!err)
		err = hf_base64_append(out, payload);
	return err ? err : hf_buf_append_str(out, "\"");
}

void cli_coap_put_json(const struct cli_coap_answer *a, const char *uri, struct hf_span payload)
{
	const char *code = cli_coap_code(a);
	struct hf_buf out;
	int err;

	hf_buf_init(&out, 6 * payload.len + 256 * 1024);
	err = cli_json_append(&out, "{\"uri\":", hf_span_str(uri));
	if (!err)
		err = cli_json_append(&out, ",\"code\":", hf_span_str(code));
	if (!err)
		err = cli_json_append(&out, ",\"text\":", hf_span_str(code_words(code)));
	if (!err)
		err = append_options(&out, a);
	if (!err)
		err = append_payload(&out, a, payload);
	if (!err && hf_buf_append_str(&out, "}\n") == 0)
		cli_put_raw(hf_buf_span(&out));
	hf_buf_finish(&out);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "http/values.h"

#include "base/buf.h"
#include "holdfast/err.h"
#include "http/date.h"

#define KEY_MAX 255

static bool all_digits(struct hf_span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len > 0;
}

/* Delta-seconds; what does not fit is the largest (RFC 9111 section 1.2.2). */
static bool parse_delta(struct hf_span s, uint32_t *out)
{
	uint64_t number;

	if (!all_digits(s))
		return false;
	if (!hf_span_u64(s, &number) || number > UINT32_MAX)
		number = UINT32_MAX;
	*out = (uint32_t)number;
	return true;
}

int hf_retry_after_parse(struct hf_span value, bool *is_date, int64_t *seconds)
{
	uint32_t delta;

	value = hf_span_trim(value);
	*is_date = !parse_delta(value, &delta);
	if (*is_date)
		return hf_http_date_parse(value, seconds);
	*seconds = delta;
	return 0;
}

/* ---- Prefer ---- */

static struct hf_span unquote(struct hf_span s)
{
	if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
		return hf_span(s.ptr + 1, s.len - 2);
	return s;
}

static void read_preference(struct hf_span preference, struct hf_prefer *out)
{
	struct hf_span value = hf_span_cut(&preference, ';');
	struct hf_span name = hf_span_trim(hf_span_cut(&value, '='));
	uint32_t wait_s;

	value = unquote(hf_span_trim(value));
	if (hf_span_ieq_str(name, "respond-async") && value.len == 0)
		out->respond_async = true;
	if (hf_span_ieq_str(name, "wait") && !out->has_wait && parse_delta(value, &wait_s)) {
		out->has_wait = true;
		out->wait_s = wait_s;
	}
}

static void read_preferences(struct hf_span list, struct hf_prefer *out)
{
	struct hf_span member;

	while (hf_list_next(&list, &member))
		read_preference(member, out);
}

void hf_prefer_parse(const struct hf_fields *fields, struct hf_prefer *out)
{
	size_t i;

	*out = (struct hf_prefer){ .has_wait = false };
	for (i = 0; i < fields->n; i++)
		if (hf_span_ieq_str(fields->v[i].name, "Prefer"))
			read_preferences(fields->v[i].value, out);
}

/* ---- Idempotency-Key ---- */

static bool is_key(struct hf_span s, bool quoted)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			return false;
		if (!quoted && (c == ' ' || c == ','))
			return false;
	}
	return s.len > 0 && s.len <= KEY_MAX;
}

int hf_idempotency_key_parse(struct hf_span value, struct hf_span *key)
{
	struct hf_span trimmed = hf_span_trim(value);
	struct hf_span inner = unquote(trimmed);

	if (!is_key(inner, inner.len < trimmed.len))
		return HF_EINVAL;
	*key = inner;
	return 0;
}

/* ---- JSON ---- */

/* How many bytes the UTF-8 sequence at the front of @s has; negative: that
 * many bytes are not UTF-8 (the longest beginning of a sequence, or one). */
static int utf8_len(struct hf_span s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte */
	int need, i;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return -1;
	need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0; /* overlong */
	else if (p[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (p[0] == 0xf0)
		low = 0x90; /* overlong */
	else if (p[0] == 0xf4)
		high = 0x8f; /* past U+10FFFF */
	for (i = 1; i < need; i++) {
		if ((size_t)i >= s.len || p[i] < low || p[i] > high)
			return -i;
		low = 0x80;
		high = 0xbf;
	}
	return need;
}

bool hf_is_utf8(struct hf_span s)
{
	int n = 1;

	while (s.len > 0 && (n = utf8_len(s)) > 0)
		s = hf_span_skip(s, (size_t)n);
	return n > 0;
}

static bool is_bare_json(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Takes at least one byte from @s. */
static int append_json_piece(struct hf_buf *out, struct hf_span *s)
{
	struct hf_span run = hf_span(s->ptr, 0);
	unsigned char c = (unsigned char)s->ptr[0];
	int n;

	while (run.len < s->len && is_bare_json((unsigned char)s->ptr[run.len]))
		run.len++;
	if (run.len > 0) {
		*s = hf_span_skip(*s, run.len);
		return hf_buf_append(out, run);
	}
	n = utf8_len(*s);
	*s = hf_span_skip(*s, (size_t)(n < 0 ? -n : n));
	if (n < 0)
		return hf_buf_append(out, HF_SPAN("\xef\xbf\xbd"));
	if (n > 1)
		return hf_buf_append(out, hf_span(run.ptr, (size_t)n));
	if (c == '"' || c == '\\')
		return hf_buf_appendf(out, "\\%c", c);
	if (c == '\n')
		return hf_buf_append(out, HF_SPAN("\\n"));
	return hf_buf_appendf(out, "\\u%04x", c);
}

int hf_json_append_string(struct hf_buf *out, struct hf_span s)
{
	size_t len = out->len;
	int err = hf_buf_append(out, HF_SPAN("\""));

	while (!err && s.len > 0)
		err = append_json_piece(out, &s);
	if (!err)
		err = hf_buf_append(out, HF_SPAN("\""));
	if (err)
		hf_buf_truncate(out, len);
	return err;
}

int hf_base64_append(struct hf_buf *out, struct hf_span bytes)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = (const uint8_t *)bytes.ptr;
	char text[1024];
	size_t at = 0, i;
	int err;

	for (i = 0; i < bytes.len; i += 3) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t v = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
			     (n > 2 ? p[i + 2] : 0);

		text[at++] = digits[v >> 18];
		text[at++] = digits[v >> 12 & 63];
		text[at++] = n > 1 ? digits[v >> 6 & 63] : '=';
		text[at++] = n > 2 ? digits[v & 63] : '=';
		if (at == sizeof(text)) {
			err = hf_buf_append(out, hf_span(text, at));
			if (err)
				return err;
			at = 0;
		}
	}
	return hf_buf_append(out, hf_span(text, at));
}

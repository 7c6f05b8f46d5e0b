/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines are built on the stack and handed to the sink. Control bytes that come
 * through %s are replaced by '?', so that one call is always one line.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "holdfast/err.h"

static const char *const level_names[] = {
	[HF_LOG_ERROR] = "error",
	[HF_LOG_WARNING] = "warning",
	[HF_LOG_INFO] = "info",
	[HF_LOG_DEBUG] = "debug",
};

static void replace_controls(char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < 0x20 || *line == 0x7f)
			*line = '?';
}

/* A cut line does not end inside a UTF-8 sequence. */
static void drop_partial_char(char *line, size_t len)
{
	size_t i = len;

	while (i > 0 && len - i < 3 && ((unsigned char)line[i - 1] & 0xc0) == 0x80)
		i--;
	if (i > 0 && (unsigned char)line[i - 1] >= 0xc0)
		line[i - 1] = '\0';
}

void hf_log(struct hf_log *log, enum hf_log_level level, const char *event, const char *fmt, ...)
{
	char line[HF_LOG_LINE_MAX + 1];
	va_list args;
	int n, m;

	if (!log || !log->write || level > log->level)
		return;
	n = snprintf(line, sizeof(line), fmt[0] ? "%s " : "%s", event);
	if (n < 0)
		return;
	if (fmt[0] && (size_t)n < sizeof(line)) {
		va_start(args, fmt);
		m = vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, args);
		va_end(args);
		if (m < 0)
			line[n] = '\0';
		else
			n += m;
	}
	if ((size_t)n > HF_LOG_LINE_MAX)
		drop_partial_char(line, HF_LOG_LINE_MAX);
	replace_controls(line);
	log->write(log->user, level, line);
}

static bool is_plain(struct hf_span value)
{
	size_t i;

	for (i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		if (c <= 0x20 || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return value.len > 0;
}

/* One byte as it stands inside quotes; returns its length, at most 4. */
static size_t escape(unsigned char c, char out[4])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
		out[n++] = (char)c;
		return n;
	}
	out[n++] = '\\';
	switch (c) {
	case '\n':
		out[n++] = 'n';
		break;
	case '\r':
		out[n++] = 'r';
		break;
	case '\t':
		out[n++] = 't';
		break;
	case '"':
	case '\\':
		out[n++] = (char)c;
		break;
	default:
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	return n;
}

char *hf_log_quote(struct hf_span value, char *out, size_t size)
{
	char escaped[4];
	size_t i, n, used = 0;

	if (size == 0)
		return out;
	if (is_plain(value)) {
		used = value.len < size ? value.len : size - 1;
		memcpy(out, value.ptr, used);
		out[used] = '\0';
		return out;
	}
	if (size < sizeof("\"\"")) {
		out[0] = '\0';
		return out;
	}
	out[used++] = '"';
	for (i = 0; i < value.len; i++) {
		n = escape((unsigned char)value.ptr[i], escaped);
		if (n > size - used - 2)
			break;
		memcpy(out + used, escaped, n);
		used += n;
	}
	out[used++] = '"';
	out[used] = '\0';
	return out;
}

int hf_log_level_parse(struct hf_span word, enum hf_log_level *out)
{
	size_t i;

	for (i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (hf_span_eq_str(word, level_names[i])) {
			*out = (enum hf_log_level)i;
			return 0;
		}
	}
	return HF_EINVAL;
}

const char *hf_log_level_name(enum hf_log_level level)
{
	return level_names[level];
}

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

/* Cuts to HF_LOG_LINE_MAX bytes, or before a UTF-8 sequence that crosses it. */
static void cut(char *line)
{
	size_t n = HF_LOG_LINE_MAX;

	while (n > 0 && ((unsigned char)line[n] & 0xc0) == 0x80)
		n--;
	line[n] = '\0';
}

/* What snprintf returned for the @size bytes at @line, as a length. */
static size_t written(int n, size_t size)
{
	if (n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}

void hf_log(struct hf_log *log, enum hf_log_level level, const char *event, const char *fmt, ...)
{
	char line[HF_LOG_LINE_MAX + 2]; /* a byte more shows that the line is cut */
	size_t n, fields_n;
	va_list args;

	if (!log || !log->write || level > log->level)
		return;
	n = written(snprintf(line, sizeof(line) - 1, "%s ", event), sizeof(line) - 1);
	va_start(args, fmt);
	fields_n = written(vsnprintf(line + n, sizeof(line) - n, fmt, args), sizeof(line) - n);
	va_end(args);
	if (fields_n == 0 && n > 0)
		n--; /* the space */
	n += fields_n;
	line[n] = '\0';
	if (n > HF_LOG_LINE_MAX)
		cut(line);
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

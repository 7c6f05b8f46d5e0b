/* SPDX-License-Identifier: Apache-2.0 */
/* See text.h. */
#include "cli/text.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- safe text ---- */

/* Decodes the character at @s into *code; returns its bytes, 0: broken. */
static size_t decode(struct hf_span s, unsigned *code)
{
	unsigned char c = (unsigned char)s.ptr[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (n == 0 || n > s.len)
		return 0;
	*code = n == 1 ? c : c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		unsigned char d = (unsigned char)s.ptr[i];

		if ((d & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (d & 0x3f);
	}
	if (*code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return n;
}

/* Line and paragraph separators, and what turns the direction of writing. */
static bool is_deceptive(unsigned code)
{
	return code == 0x061c || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* Appends the character at @s; returns how many bytes it has. */
static size_t escape_one(struct hf_buf *out, struct hf_span s, int *err)
{
	unsigned code = 0;
	size_t n = decode(s, &code);

	if (n == 0) {
		*err = hf_buf_appendf(out, "\\x%02x", (unsigned char)s.ptr[0]);
		return 1;
	}
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		*err = hf_buf_appendf(out, "\\x%02x", code);
	else if (is_deceptive(code))
		*err = hf_buf_appendf(out, "\\u%04x", code);
	else
		*err = hf_buf_append(out, hf_span(s.ptr, n));
	return n;
}

int cli_escape(struct hf_buf *out, struct hf_span text)
{
	int err = 0;

	while (text.len > 0 && !err)
		text = hf_span_skip(text, escape_one(out, text, &err));
	return err;
}

bool cli_is_text(struct hf_span text)
{
	unsigned code;

	while (text.len > 0) {
		size_t n = decode(text, &code);

		if (n == 0 || code == 0)
			return false;
		text = hf_span_skip(text, n);
	}
	return true;
}

/* ---- columns ---- */

static bool is_between(unsigned code, const unsigned (*ranges)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (code >= ranges[i][0] && code <= ranges[i][1])
			return true;
	return false;
}

/* Marks that stand on the letter before, and the wide characters of East Asia. */
static size_t columns_of(unsigned code)
{
	static const unsigned marks[][2] = { { 0x300, 0x36f },	 { 0x483, 0x489 },
					     { 0x591, 0x5bd },	 { 0x610, 0x61a },
					     { 0x64b, 0x65f },	 { 0x200b, 0x200d },
					     { 0x20d0, 0x20f0 }, { 0xfe00, 0xfe0f },
					     { 0xfe20, 0xfe2f } };
	static const unsigned wide[][2] = { { 0x1100, 0x115f },	 { 0x2e80, 0xa4cf },
					    { 0xac00, 0xd7a3 },	 { 0xf900, 0xfaff },
					    { 0xfe30, 0xfe6f },	 { 0xff00, 0xff60 },
					    { 0xffe0, 0xffe6 },	 { 0x1f300, 0x1faff },
					    { 0x20000, 0x3fffd } };

	if (is_between(code, marks, sizeof(marks) / sizeof(marks[0])))
		return 0;
	return is_between(code, wide, sizeof(wide) / sizeof(wide[0])) ? 2 : 1;
}

size_t cli_columns(const char *text)
{
	struct hf_span rest = hf_span_str(text);
	size_t columns = 0;
	unsigned code;

	while (rest.len > 0) {
		size_t n = decode(rest, &code);

		columns += n ? columns_of(code) : 1;
		rest = hf_span_skip(rest, n ? n : 1);
	}
	return columns;
}

size_t cli_bytes_in(const char *text, size_t *columns)
{
	struct hf_span rest = hf_span_str(text);
	size_t used = 0;
	unsigned code = 0;

	while (rest.len > 0) {
		size_t n = decode(rest, &code), width = n ? columns_of(code) : 1;

		if (used + width > *columns)
			break;
		used += width;
		rest = hf_span_skip(rest, n ? n : 1);
	}
	*columns = used;
	return (size_t)(rest.ptr - text);
}

void cli_put_safe(FILE *f, struct hf_span text)
{
	struct hf_buf out;

	hf_buf_init(&out, 1024 * 1024);
	cli_escape(&out, text); /* what does not fit is left out */
	if (out.len > 0)
		fwrite(out.data + out.start, 1, out.len, f);
	hf_buf_finish(&out);
}

void cli_put_bytes(struct hf_span bytes)
{
	if (bytes.len == 0)
		return;
	if (!isatty(STDOUT_FILENO)) {
		fwrite(bytes.ptr, 1, bytes.len, stdout);
		return;
	}
	while (bytes.len > 0) {
		size_t n = 0;

		while (n < bytes.len && bytes.ptr[n] != '\n' && bytes.ptr[n] != '\t')
			n++;
		cli_put_safe(stdout, hf_span(bytes.ptr, n));
		bytes = hf_span_skip(bytes, n);
		if (bytes.len > 0)
			putchar(bytes.ptr[0]);
		bytes = hf_span_skip(bytes, 1);
	}
}

void cli_put_raw(struct hf_span bytes)
{
	cli_put_bytes(bytes);
	if (bytes.len > 0 && bytes.ptr[bytes.len - 1] != '\n')
		putchar('\n');
}

/* ---- figures ---- */

char *cli_duration(double seconds, char out[CLI_WORD_SIZE])
{
	static const struct {
		double below; /* seconds */
		unsigned unit;
		const char *name;
	} steps[] = {
		{ 120, 1, "s" }, { 7200, 60, "min" }, { 172800, 3600, "h" }, { 1e15, 86400, "d" }
	};

	snprintf(out, CLI_WORD_SIZE, "-");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (!(seconds >= 0 && seconds < steps[i].below))
			continue;
		snprintf(out, CLI_WORD_SIZE, "%llu %s", (unsigned long long)seconds / steps[i].unit,
			 steps[i].name);
		break;
	}
	return out;
}

char *cli_size(double bytes, char out[CLI_WORD_SIZE])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	size_t unit = 0;

	if (!(bytes >= 0))
		snprintf(out, CLI_WORD_SIZE, "-");
	else if (bytes < 1000)
		snprintf(out, CLI_WORD_SIZE, "%.0f B", bytes);
	if (!(bytes >= 1000))
		return out;
	for (bytes /= 1000; bytes >= 999.5 && unit < 3; unit++)
		bytes /= 1000;
	snprintf(out, CLI_WORD_SIZE, bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
	return out;
}

char *cli_count(double n, char out[CLI_WORD_SIZE])
{
	snprintf(out, CLI_WORD_SIZE, n >= 0 ? "%.0f" : "-", n);
	return out;
}

int cli_encode(struct hf_buf *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";
	int err = 0;

	for (; *text && !err; text++) {
		if (strchr(plain, *text))
			err = hf_buf_append(out, hf_span(text, 1));
		else
			err = hf_buf_appendf(out, "%%%02X", (unsigned char)*text);
	}
	return err;
}

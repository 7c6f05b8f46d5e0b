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

void cli_put_safe(FILE *f, struct hf_span text)
{
	struct hf_buf out;

	hf_buf_init(&out, 1024 * 1024);
	cli_escape(&out, text); /* what does not fit is left out */
	fwrite(out.data + out.start, 1, out.data ? out.len : 0, f);
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

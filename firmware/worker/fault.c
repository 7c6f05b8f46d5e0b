/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of faults, and the words around them. A known word counts as near when
 * at most a third of its letters (at least one) have to change: the distance is
 * Damerau's, so that two swapped letters are one change, without regard to case.
 */
#include "worker/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "holdfast/err.h"

#define WORD_MAX 40 /* longer words have no neighbours */

struct hf_fault {
	unsigned line;
	char text[]; /* with its newline */
};

void hf_faults_init(struct hf_faults *f, const char *file)
{
	*f = (struct hf_faults){ .file = file };
}

/* A path may hold control bytes too. */
static void end_line(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
	text[0] = '\n';
	text[1] = '\0';
}

static struct hf_fault *make(struct hf_faults *f, unsigned line, const char *where,
			     const char *words)
{
	char at[16] = "";
	struct hf_fault *fault;
	size_t size;

	if (line > 0)
		snprintf(at, sizeof(at), ":%u", line);
	size = strlen(f->file) + strlen(at) + strlen(where) + strlen(words) + 8;
	fault = malloc(sizeof(*fault) + size);
	if (!fault)
		return NULL;
	fault->line = line;
	snprintf(fault->text, size, "%s%s: %s%s%s", f->file, at, where, where[0] ? ": " : "",
		 words);
	end_line(fault->text);
	return fault;
}

/* Behind those of the same line. */
static void insert(struct hf_faults *f, struct hf_fault *fault)
{
	unsigned i = f->n - 1;

	for (; i > 0 && f->v[i - 1]->line > fault->line; i--)
		f->v[i] = f->v[i - 1];
	f->v[i] = fault;
}

void hf_fault_add(struct hf_faults *f, unsigned line, const char *where, const char *fmt, ...)
{
	struct hf_fault *fault = NULL;
	char words[640];
	va_list args;

	if (f->nomem)
		return;
	if (f->n >= HF_FAULTS_MAX) {
		f->n++;
		return;
	}
	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	if (!f->v)
		f->v = calloc(HF_FAULTS_MAX, sizeof(*f->v));
	if (f->v)
		fault = make(f, line, where, words);
	if (!fault) {
		f->nomem = true;
		return;
	}
	f->n++;
	insert(f, fault);
}

static void write_out(struct hf_faults *f, struct hf_buf *out)
{
	unsigned kept = f->n < HF_FAULTS_MAX ? f->n : HF_FAULTS_MAX;
	int err = 0;

	for (unsigned i = 0; i < kept; i++) {
		if (!err && !f->nomem)
			err = hf_buf_append_str(out, f->v[i]->text);
		free(f->v[i]);
	}
	if (!err && f->n > kept)
		err = hf_buf_appendf(out, "%s: %u more faults are not shown\n", f->file,
				     f->n - kept);
	f->nomem |= err == HF_ENOMEM;
}

int hf_faults_finish(struct hf_faults *f, struct hf_buf *out)
{
	write_out(f, out);
	free(f->v);
	f->v = NULL;
	if (f->nomem)
		return HF_ENOMEM;
	return f->n > 0 ? HF_ECONFIG : 0;
}

/* ---- quoting ---- */

/* Bytes of the UTF-8 sequence at @s, 0 when it is broken. */
static size_t utf8_len(struct hf_span s)
{
	unsigned char c = (unsigned char)s.ptr[0];
	size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : 4;

	if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || n > s.len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s.ptr[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

/* The printed form of the character at @s; returns how many bytes of @s it is. */
static size_t print_char(struct hf_span s, char out[8])
{
	unsigned char c = (unsigned char)s.ptr[0];
	size_t n = utf8_len(s);
	bool c1 = n == 2 && c == 0xc2 && (unsigned char)s.ptr[1] < 0xa0;

	if (c == '"' || c == '\\') {
		snprintf(out, 8, "\\%c", c);
		return 1;
	}
	if (c < 0x20 || c == 0x7f || n == 0 || c1) {
		snprintf(out, 8, "\\x%02x", c);
		return 1;
	}
	memcpy(out, s.ptr, n);
	out[n] = '\0';
	return n;
}

char *hf_quote(struct hf_span text, char out[HF_QUOTE_SIZE])
{
	size_t at = 0, len;
	char one[8];

	out[at++] = '"';
	while (text.len > 0) {
		size_t used = print_char(text, one);

		len = strlen(one);
		if (at + len + sizeof("...\"") > HF_QUOTE_SIZE) {
			memcpy(out + at, "...", 3);
			at += 3;
			break;
		}
		memcpy(out + at, one, len);
		at += len;
		text = hf_span_skip(text, used);
	}
	out[at++] = '"';
	out[at] = '\0';
	return out;
}

/* ---- near words ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static unsigned distance(struct hf_span a, struct hf_span b)
{
	unsigned rows[3][WORD_MAX + 1], *two = rows[0], *one = rows[1], *now = rows[2], *t;

	for (size_t j = 0; j <= b.len; j++)
		one[j] = (unsigned)j;
	memcpy(two, one, sizeof(rows[0]));
	for (size_t i = 1; i <= a.len; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			bool same = lower(a.ptr[i - 1]) == lower(b.ptr[j - 1]);

			now[j] = min3(one[j] + 1, now[j - 1] + 1, one[j - 1] + !same);
			if (i > 1 && j > 1 && lower(a.ptr[i - 1]) == lower(b.ptr[j - 2]) &&
			    lower(a.ptr[i - 2]) == lower(b.ptr[j - 1]) && two[j - 2] + 1 < now[j])
				now[j] = two[j - 2] + 1;
		}
		t = two;
		two = one;
		one = now;
		now = t;
	}
	return one[b.len];
}

char *hf_nearest(struct hf_span text, const char *const *words, size_t n, char out[HF_QUOTE_SIZE])
{
	const char *best = NULL;
	unsigned best_distance = UINT32_MAX;

	out[0] = '\0';
	if (text.len == 0 || text.len > WORD_MAX)
		return out;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);
		unsigned limit = len < 6 ? 1 + (len > 3) : (unsigned)len / 3, d;

		if (len > WORD_MAX)
			continue;
		d = distance(text, hf_span_str(words[i]));
		if (d <= limit && d < best_distance) {
			best = words[i];
			best_distance = d;
		}
	}
	if (best)
		snprintf(out, HF_QUOTE_SIZE, " (did you mean \"%s\"?)", best);
	return out;
}

char *hf_join(const char *const *words, size_t n, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		int len = snprintf(out + at, size - at, "%s%s", i ? ", " : "", words[i]);

		if (len < 0 || (size_t)len >= size - at)
			break;
		at += (size_t)len;
	}
	return out;
}

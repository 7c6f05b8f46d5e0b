/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One block of memory; the live bytes stand somewhere inside it. Room at the
 * end comes first from moving them to the front, when at least half of the
 * block is dead, else from doubling, so that n bytes cost O(n) copies.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "holdfast/err.h"

#define CAP_MIN	 256
#define CAP_KEEP (16 * 1024) /* an emptied buffer above this frees its memory */

void hf_buf_init(struct hf_buf *b, size_t max)
{
	*b = (struct hf_buf){ .max = max };
}

void hf_buf_finish(struct hf_buf *b)
{
	free(b->data);
	hf_buf_init(b, b->max);
}

static void move_to_front(struct hf_buf *b)
{
	memmove(b->data, b->data + b->start, b->len);
	b->start = 0;
}

static size_t next_cap(const struct hf_buf *b, size_t need)
{
	size_t cap = b->cap < CAP_MIN ? CAP_MIN : b->cap;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	return cap;
}

/* Room for @n more bytes behind the live ones, whatever the ceiling. */
static int reserve(struct hf_buf *b, size_t n)
{
	size_t cap;
	char *data;

	assert(b->start <= b->cap && b->len <= b->cap - b->start);
	if (n <= b->cap - b->start - b->len)
		return 0;
	if (n > SIZE_MAX - b->len)
		return HF_ENOMEM;
	if (b->start >= b->cap / 2 && b->len + n <= b->cap) {
		move_to_front(b);
		return 0;
	}
	cap = next_cap(b, b->len + n);
	data = malloc(cap);
	if (!data)
		return HF_ENOMEM;
	if (b->len > 0)
		memcpy(data, b->data + b->start, b->len);
	free(b->data);
	b->data = data;
	b->cap = cap;
	b->start = 0;
	return 0;
}

int hf_buf_append(struct hf_buf *b, struct hf_span bytes)
{
	int err;

	if (bytes.len == 0)
		return 0;
	if (b->len > b->max || bytes.len > b->max - b->len)
		return HF_ELIMIT;
	err = reserve(b, bytes.len);
	if (err)
		return err;
	memcpy(b->data + b->start + b->len, bytes.ptr, bytes.len);
	b->len += bytes.len;
	return 0;
}

int hf_buf_append_str(struct hf_buf *b, const char *str)
{
	return hf_buf_append(b, hf_span_str(str));
}

int hf_buf_appendf(struct hf_buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->start - b->len; /* often enough */
	va_list args;
	int n, err;

	va_start(args, fmt);
	n = vsnprintf(room > 0 ? b->data + b->start + b->len : NULL, room, fmt, args);
	va_end(args);
	if (n < 0)
		return HF_EINVAL;
	if (b->len > b->max || (size_t)n > b->max - b->len)
		return HF_ELIMIT;
	if ((size_t)n < room) {
		b->len += (size_t)n;
		return 0;
	}
	err = reserve(b, (size_t)n + 1); /* vsnprintf writes a NUL */
	if (err)
		return err;
	va_start(args, fmt);
	n = vsnprintf(b->data + b->start + b->len, (size_t)n + 1, fmt, args);
	va_end(args);
	b->len += (size_t)n;
	return 0;
}

void hf_buf_consume(struct hf_buf *b, size_t n)
{
	assert(n <= b->len);
	b->start += n;
	b->len -= n;
	if (b->len > 0)
		return;
	b->start = 0;
	if (b->cap > CAP_KEEP)
		hf_buf_finish(b);
}

void hf_buf_truncate(struct hf_buf *b, size_t len)
{
	assert(len <= b->len);
	b->len = len;
}

void hf_buf_clear(struct hf_buf *b)
{
	hf_buf_consume(b, b->len);
}

struct hf_span hf_buf_span(const struct hf_buf *b)
{
	return b->len ? hf_span(b->data + b->start, b->len) : hf_span(NULL, 0);
}

const char *hf_buf_cstr(struct hf_buf *b)
{
	if (reserve(b, 1))
		return NULL;
	b->data[b->start + b->len] = '\0';
	return b->data + b->start;
}

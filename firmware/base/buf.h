/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable byte buffer with a ceiling: bytes are appended at the end and
 * consumed from the front. It never grows past @max; the caller defines what a
 * refusal means. A failed append changes nothing.
 */
#ifndef HF_BASE_BUF_H
#define HF_BASE_BUF_H

#include "base/span.h"

struct hf_buf {
	char *data;
	size_t start; /* offset of the first live byte */
	size_t len;   /* live bytes */
	size_t cap;
	size_t max; /* ceiling of @len, bytes */
};

void hf_buf_init(struct hf_buf *b, size_t max);
void hf_buf_finish(struct hf_buf *b);
/* HF_ELIMIT past the ceiling, HF_ENOMEM. */
int hf_buf_append(struct hf_buf *b, struct hf_span bytes);
int hf_buf_append_str(struct hf_buf *b, const char *str);
int hf_buf_appendf(struct hf_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Drops @n (at most len) bytes from the front; frees the memory of an emptied
 * buffer whose capacity is above 16 KiB. */
void hf_buf_consume(struct hf_buf *b, size_t n);
/* Drops bytes from the end until @len (at most the present length) are left. */
void hf_buf_truncate(struct hf_buf *b, size_t len);
void hf_buf_clear(struct hf_buf *b);
/* The live bytes; valid until the next call that changes @b. */
struct hf_span hf_buf_span(const struct hf_buf *b);
/* The live bytes as a NUL-terminated string (the NUL is not counted). NULL
 * when memory is short. */
const char *hf_buf_cstr(struct hf_buf *b);

#endif

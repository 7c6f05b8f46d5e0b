/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of a file, in pages that are shared as long as they are equal: by
 * the two faces of a file, by a copy of it, by neighbours with the same content.
 * A page that is not there is zeros. Inside of the disk.
 */
#ifndef SIM_BYTES_H
#define SIM_BYTES_H

#include <stddef.h>
#include <stdint.h>

#define SIM_PAGE_BYTES 4096

struct sim_page;

struct sim_bytes {
	struct sim_page **pages;
	size_t pages_n; /* room for so many */
	uint64_t len;
};

void sim_bytes_finish(struct sim_bytes *b);
/* Grows with zeros or shrinks. */
void sim_bytes_resize(struct sim_bytes *b, uint64_t len);
void sim_bytes_write(struct sim_bytes *b, const void *data, size_t len, uint64_t at);
/* @at + @len is not beyond the end. */
void sim_bytes_read(const struct sim_bytes *b, void *out, size_t len, uint64_t at);
/* The same content, in the same pages. */
void sim_bytes_copy(struct sim_bytes *to, const struct sim_bytes *from);
/* Where the contents are known to be equal: @to gives up its own pages for those
 * of @from, in all of @len bytes from @at on. Both are of the same length. */
void sim_bytes_share(struct sim_bytes *to, const struct sim_bytes *from, uint64_t at, uint64_t len);
void sim_bytes_flip(struct sim_bytes *b, uint64_t at, uint8_t bits);
uint64_t sim_bytes_hash(uint64_t h, const struct sim_bytes *b);
/* FNV-1a over words of eight bytes, the rest as one word. */
uint64_t sim_hash(uint64_t h, const void *data, size_t len);

#endif

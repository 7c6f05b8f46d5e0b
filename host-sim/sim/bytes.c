/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/bytes.h"

#include <assert.h>
#include <string.h>

#include "sim/mem.h"

struct sim_page {
	unsigned refs;
	uint8_t data[SIM_PAGE_BYTES];
};

static const uint8_t zeros[SIM_PAGE_BYTES];

/* ---- pages ---- */

static void unref(struct sim_page *p)
{
	if (p && --p->refs == 0)
		sim_free(p);
}

static void put(struct sim_page **place, struct sim_page *p)
{
	struct sim_page *old = *place;

	if (p)
		p->refs++;
	*place = p;
	unref(old);
}

/* For writing: nobody else's. */
static uint8_t *own(struct sim_page **place)
{
	struct sim_page *p = *place;

	if (!p || p->refs > 1) {
		struct sim_page *copy = sim_alloc(sizeof(*copy));

		if (p)
			memcpy(copy->data, p->data, sizeof(copy->data));
		put(place, copy);
	}
	return (*place)->data;
}

static size_t pages_of(uint64_t len)
{
	return (size_t)((len + SIM_PAGE_BYTES - 1) / SIM_PAGE_BYTES);
}

static void make_room(struct sim_bytes *b, size_t n)
{
	size_t room = b->pages_n ? b->pages_n : 4;

	if (n <= b->pages_n)
		return;
	while (room < n)
		room *= 2;
	b->pages = sim_realloc(b->pages, room * sizeof(struct sim_page *));
	memset(b->pages + b->pages_n, 0, (room - b->pages_n) * sizeof(struct sim_page *));
	b->pages_n = room;
}

/* ---- bytes ---- */

void sim_bytes_finish(struct sim_bytes *b)
{
	sim_bytes_resize(b, 0);
	sim_free(b->pages);
	memset(b, 0, sizeof(*b));
}

/* Behind the end there are zeros only, or no page. */
void sim_bytes_resize(struct sim_bytes *b, uint64_t len)
{
	size_t tail = len % SIM_PAGE_BYTES, first = pages_of(len), i;

	make_room(b, first);
	if (len < b->len) {
		for (i = first; i < pages_of(b->len); i++)
			put(&b->pages[i], NULL);
		if (tail && b->pages[first - 1])
			memset(own(&b->pages[first - 1]) + tail, 0, SIM_PAGE_BYTES - tail);
	}
	b->len = len;
}

/* True when the page before has the content that page @i gets. */
static bool repeats(const struct sim_bytes *b, size_t i, const void *data)
{
	return i > 0 && b->pages[i - 1] && memcmp(b->pages[i - 1]->data, data, SIM_PAGE_BYTES) == 0;
}

void sim_bytes_write(struct sim_bytes *b, const void *data, size_t len, uint64_t at)
{
	const uint8_t *from = data;

	if (at + len > b->len)
		sim_bytes_resize(b, at + len);
	while (len > 0) {
		size_t i = (size_t)(at / SIM_PAGE_BYTES), skip = at % SIM_PAGE_BYTES;
		size_t n = SIM_PAGE_BYTES - skip < len ? SIM_PAGE_BYTES - skip : len;

		if (n == SIM_PAGE_BYTES && repeats(b, i, from))
			put(&b->pages[i], b->pages[i - 1]);
		else
			memcpy(own(&b->pages[i]) + skip, from, n);
		from += n;
		at += n;
		len -= n;
	}
}

void sim_bytes_read(const struct sim_bytes *b, void *out, size_t len, uint64_t at)
{
	uint8_t *to = out;

	assert(at + len <= b->len);
	while (len > 0) {
		const struct sim_page *p = b->pages[at / SIM_PAGE_BYTES];
		size_t skip = at % SIM_PAGE_BYTES;
		size_t n = SIM_PAGE_BYTES - skip < len ? SIM_PAGE_BYTES - skip : len;

		memcpy(to, (p ? p->data : zeros) + skip, n);
		to += n;
		at += n;
		len -= n;
	}
}

void sim_bytes_copy(struct sim_bytes *to, const struct sim_bytes *from)
{
	sim_bytes_resize(to, from->len);
	sim_bytes_share(to, from, 0, from->len);
}

void sim_bytes_share(struct sim_bytes *to, const struct sim_bytes *from, uint64_t at, uint64_t len)
{
	uint64_t end = at + len < to->len ? at + len : to->len;
	size_t i;

	assert(to->len == from->len);
	for (i = (size_t)(at / SIM_PAGE_BYTES); i < pages_of(end); i++)
		put(&to->pages[i], from->pages[i]);
}

void sim_bytes_flip(struct sim_bytes *b, uint64_t at, uint8_t bits)
{
	assert(at < b->len);
	own(&b->pages[at / SIM_PAGE_BYTES])[at % SIM_PAGE_BYTES] ^= bits;
}

/* ---- hashes ---- */

static uint64_t hash_words(uint64_t h, const uint8_t *p, size_t words)
{
	uint64_t word;

	for (; words > 0; words--, p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * UINT64_C(0x100000001b3);
		h ^= h >> 29;
	}
	return h;
}

static uint64_t hash_rest(uint64_t h, const uint8_t *p, size_t len)
{
	uint64_t word = len;

	if (len)
		memcpy(&word, p, len);
	return (h ^ word) * UINT64_C(0x100000001b3);
}

uint64_t sim_hash(uint64_t h, const void *data, size_t len)
{
	size_t words = len / sizeof(uint64_t), rest = len % sizeof(uint64_t);

	h = hash_words(h, data, words);
	return hash_rest(h, (const uint8_t *)data + len - rest, rest);
}

uint64_t sim_bytes_hash(uint64_t h, const struct sim_bytes *b)
{
	size_t tail = b->len % SIM_PAGE_BYTES, i;
	const uint8_t *last = zeros;

	for (i = 0; i < pages_of(b->len); i++) {
		const uint8_t *p = b->pages[i] ? b->pages[i]->data : zeros;

		if (i + 1 == pages_of(b->len) && tail)
			last = p;
		else
			h = hash_words(h, p, SIM_PAGE_BYTES / sizeof(uint64_t));
	}
	return sim_hash(h, last, tail);
}

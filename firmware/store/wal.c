/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is used of the file format: a header of 32 bytes (magic, whose last bit
 * tells the byte order of the checksums; page size at 8; salts at 16; checksum
 * at 24), then frames of 24 bytes and a page (page number, size of the database
 * if it is a commit, the salts, the checksum). A checksum goes over the first 8
 * bytes and the page and begins with the one of the frame before. All frames
 * written since the log was begun anew have the header's salts.
 */
#include "store/wal.h"

#include <stdlib.h>

#include "store/codec.h"
#include "store/db.h"

#define MAGIC	     0x377f0682
#define HEADER	     32
#define FRAME_HEADER 24
#define FRAME	     (FRAME_HEADER + HF_PAGE_SIZE)
#define SECTOR	     512
#define CHUNK_FRAMES 64
#define READ_TRIES   3
#define PAGES_MORE   (1u << 20)
#define LOST	     0x80000000 /* in frame[]: a later copy is bad */

_Static_assert(HF_PAGE_SIZE == 512, "hf_wal_read names the page size");

struct frame {
	uint32_t page, commit;
	uint32_t stored[2];
	uint32_t own[2]; /* checksum of what stands there, as far as that is known */
	uint32_t crc;	 /* of the page of a commit */
	bool there;	 /* it can be read */
	bool salted;	 /* of the log as it was begun last */
	bool follows;	 /* was written behind the frame before it */
	bool by_own;	 /* whose stored checksum is bad */
};

static uint32_t get_be(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void sum(const struct hf_wal *w, const uint8_t *at, size_t len, uint32_t s[2])
{
	for (size_t i = 0; i < len; i += 8) {
		const uint8_t *p = at + i;

		s[0] += (w->big_endian ? get_be(p) : (uint32_t)hf_get_le(p, 4)) + s[1];
		s[1] += (w->big_endian ? get_be(p + 4) : (uint32_t)hf_get_le(p + 4, 4)) + s[0];
	}
}

/* ---- reading ---- */

static int read_patiently(const struct hf_wal *w, void *out, size_t len, uint64_t at)
{
	int err = HF_EIO;

	for (int i = 0; i < READ_TRIES && err == HF_EIO; i++)
		err = hf_file_read(w->file, out, len, at);
	return err;
}

static uint64_t offset(uint32_t number)
{
	return HEADER + (uint64_t)(number - 1) * FRAME;
}

/* Frame @number, the first is 1. NULL: it cannot be read. */
static const uint8_t *bytes_of(struct hf_wal *w, uint32_t number)
{
	if (number - w->chunk_first >= w->chunk_n) {
		uint32_t left = w->n - number + 1;

		w->chunk_first = number;
		w->chunk_n = left < CHUNK_FRAMES ? left : CHUNK_FRAMES;
		if (hf_file_read(w->file, w->chunk, (size_t)w->chunk_n * FRAME, offset(number)))
			w->chunk_n = 1;
		if (w->chunk_n == 1 && read_patiently(w, w->chunk, FRAME, offset(number))) {
			w->chunk_n = 0;
			return NULL;
		}
	}
	return w->chunk + (size_t)(number - w->chunk_first) * FRAME;
}

static void check_sums(const struct hf_wal *w, const uint8_t *bytes, const struct frame *before,
		       struct frame *f)
{
	uint32_t s[2] = { before->stored[0], before->stored[1] };

	sum(w, bytes, 8, s);
	sum(w, bytes + FRAME_HEADER, HF_PAGE_SIZE, s);
	f->follows = memcmp(s, f->stored, sizeof(s)) == 0;
	memcpy(f->own, before->own, sizeof(s));
	if (!f->follows && memcmp(before->own, before->stored, sizeof(s)) != 0) {
		sum(w, bytes, 8, f->own);
		sum(w, bytes + FRAME_HEADER, HF_PAGE_SIZE, f->own);
		f->follows = f->by_own = memcmp(f->own, f->stored, sizeof(s)) == 0;
	} else {
		memcpy(f->own, s, sizeof(s));
	}
}

/* A sector ends within the header: a power cut may leave a part of it new and a
 * part of it as it was in an earlier use of the log. */
static bool is_parted(uint32_t number)
{
	uint64_t at = offset(number);

	return at / SECTOR != (at + FRAME_HEADER - 1) / SECTOR;
}

/* Reads frame @number, which stands behind @before, in whose place it goes. */
static void next_frame(struct hf_wal *w, uint32_t number, struct frame *before)
{
	const uint8_t *bytes = bytes_of(w, number);
	struct frame f = { .there = bytes != NULL };

	if (bytes) {
		f.page = get_be(bytes);
		f.commit = get_be(bytes + 4);
		f.stored[0] = get_be(bytes + 16);
		f.stored[1] = get_be(bytes + 20);
		check_sums(w, bytes, before, &f);
		f.follows = f.follows && before->there && f.page > 0;
		f.salted = f.page > 0 && (f.follows || !is_parted(number)) &&
			   memcmp(bytes + 8, w->salt, sizeof(w->salt)) == 0;
		if (f.commit)
			f.crc = hf_crc32(0, hf_span(bytes + FRAME_HEADER, HF_PAGE_SIZE));
	}
	*before = f;
}

static struct frame header_frame(const struct hf_wal *w)
{
	struct frame f = { .there = true, .salted = w->header_good };

	memcpy(f.stored, w->sum, sizeof(f.stored));
	memcpy(f.own, w->sum, sizeof(f.own));
	return f;
}

/* ---- how far it goes ---- */

struct look {
	struct frame at, before;
	uint32_t broken; /* the first frame that SQLite does not take, 0: none yet */
	/* of the frames up to here, each written behind the one before it */
	uint32_t commit, pages; /* the last commit */
	bool proved;		/* it was synced, or may have been */
};

/* The last page of a commit may be written again to fill a sector. */
static bool is_padding(const struct look *l)
{
	return l->at.commit == l->before.commit && l->at.page == l->before.page &&
	       l->at.crc == l->before.crc;
}

static void look_at(struct hf_wal *w, struct look *l, uint32_t number)
{
	const struct frame *f = &l->at;

	if (!l->broken && !(w->header_good && f->salted && f->follows && !f->by_own))
		l->broken = number;
	if (!f->follows || !f->salted || !l->before.salted) {
		l->commit = 0;
		/* the header is synced before the first frame is written */
		l->proved = !w->header_good && w->end == 0;
	} else if (l->broken && number > l->broken && l->before.commit && !is_padding(l)) {
		l->proved = true;
	}
	if (f->salted && f->commit) {
		l->commit = number;
		/* one that may be bad is not believed just anything */
		if (f->follows || f->commit < w->pages + w->n + PAGES_MORE)
			l->pages = f->commit;
	}
	if (l->commit == number && !l->broken)
		w->whole = number;
	if (l->commit && (!l->broken || l->proved)) {
		w->end = l->commit;
		w->pages = l->pages;
	}
}

static void look_through(struct hf_wal *w)
{
	struct look l = { .at = header_frame(w) };

	for (uint32_t i = 1; i <= w->n; i++) {
		l.before = l.at;
		next_frame(w, i, &l.at);
		look_at(w, &l, i);
		if (l.broken == i && !l.at.there)
			w->damaged = true;
	}
	w->damaged |= w->end > w->whole;
}

/* The header is bad: the salts are those of the first frame that has a follower.
 * Without one there is nothing to read. */
static void find_salt(struct hf_wal *w)
{
	static const uint16_t one = 1;
	struct frame f = header_frame(w);
	uint8_t salt[8] = { 0 };

	w->big_endian = *(const uint8_t *)&one == 0;
	for (uint32_t i = 1; i <= w->n; i++) {
		next_frame(w, i, &f);
		if (i > 1 && f.follows && !f.by_own) {
			memcpy(w->salt, salt, sizeof(salt));
			return;
		}
		if (f.there)
			memcpy(salt, bytes_of(w, i) + 8, sizeof(salt));
	}
	w->n = 0;
}

static int read_header(struct hf_wal *w)
{
	uint8_t bytes[HEADER];
	uint32_t s[2] = { 0, 0 };
	int err = read_patiently(w, bytes, sizeof(bytes), 0);

	if (err == HF_EIO) {
		w->damaged = true;
		find_salt(w);
		return 0;
	}
	if (err)
		return err;
	w->big_endian = get_be(bytes) == (MAGIC | 1);
	sum(w, bytes, HEADER - 8, s);
	w->sum[0] = get_be(bytes + 24);
	w->sum[1] = get_be(bytes + 28);
	w->header_good = (get_be(bytes) | 1) == (MAGIC | 1) && get_be(bytes + 8) == HF_PAGE_SIZE &&
			 memcmp(s, w->sum, sizeof(s)) == 0;
	memcpy(w->salt, bytes + 16, sizeof(w->salt));
	if (!w->header_good)
		find_salt(w);
	return 0;
}

int hf_wal_open(struct hf_wal *w, struct hf_vfs *vfs, const char *path)
{
	uint64_t size = 0;
	int err;

	memset(w, 0, sizeof(*w));
	w->file = hf_file_open(vfs, path, &err);
	if (!w->file)
		return err == HF_ENOENT ? 0 : err;
	err = hf_file_size(w->file, &size);
	if (!err && size > HEADER)
		w->n = (uint32_t)((size - HEADER) / FRAME);
	if (!err && w->n > 0) {
		w->chunk = malloc((size_t)CHUNK_FRAMES * FRAME);
		err = w->chunk ? read_header(w) : HF_ENOMEM;
	}
	if (!err && w->n > 0)
		look_through(w);
	if (err)
		hf_wal_close(w);
	return err;
}

void hf_wal_close(struct hf_wal *w)
{
	if (w->file)
		hf_file_close(w->file, 0);
	free(w->chunk);
	free(w->frame);
	memset(w, 0, sizeof(*w));
}

/* ---- where the pages are ---- */

static void put(struct hf_wal *w, uint32_t page, uint32_t number)
{
	if (page <= w->mapped)
		w->frame[page - 1] = number;
}

static void put_lost(struct hf_wal *w, uint32_t page)
{
	if (page > 0 && page <= w->mapped)
		w->frame[page - 1] |= LOST;
	else
		w->lost++;
}

int hf_wal_map(struct hf_wal *w)
{
	struct frame f = header_frame(w), before;
	uint32_t doubtful = 0; /* page of the frame before, if its checksum is wrong */

	w->mapped = w->pages;
	w->frame = calloc((size_t)w->mapped + 1, sizeof(*w->frame));
	if (!w->frame)
		return HF_ENOMEM;
	for (uint32_t i = 1; i <= w->end; i++) {
		before = f;
		next_frame(w, i, &f);
		if (doubtful && f.follows && f.by_own)
			put(w, doubtful, i - 1);
		else if (doubtful)
			put_lost(w, doubtful);
		doubtful = 0;
		if (f.salted ? f.follows || !before.salted : f.follows && before.salted)
			put(w, f.page, i);
		else if (f.salted)
			doubtful = f.page;
		else
			w->lost++;
	}
	if (doubtful)
		put_lost(w, doubtful);
	for (uint32_t i = 0; i < w->mapped; i++)
		w->lost += (w->frame[i] & LOST) != 0;
	return 0;
}

bool hf_wal_has(const struct hf_wal *w, uint32_t page)
{
	return page > 0 && page <= w->mapped && (w->frame[page - 1] & ~LOST);
}

int hf_wal_read(const struct hf_wal *w, uint32_t page, uint8_t out[512])
{
	if (!hf_wal_has(w, page))
		return HF_ENOENT;
	return read_patiently(w, out, HF_PAGE_SIZE,
			      offset(w->frame[page - 1] & ~LOST) + FRAME_HEADER);
}

static int compare(const struct hf_wal *w, sqlite3_file *database, bool *equal)
{
	uint8_t ours[HF_PAGE_SIZE], theirs[HF_PAGE_SIZE];
	int err = 0;

	*equal = true;
	for (uint32_t page = 1; page <= w->mapped && *equal && !err; page++) {
		if ((w->frame[page - 1] & LOST) || !hf_wal_has(w, page))
			continue;
		err = hf_wal_read(w, page, ours);
		if (!err)
			err = hf_file_read(database, theirs, sizeof(theirs),
					   (uint64_t)(page - 1) * HF_PAGE_SIZE);
		*equal = !err && memcmp(ours, theirs, sizeof(ours)) == 0;
	}
	return err;
}

int hf_wal_settle(struct hf_wal *w, struct hf_vfs *vfs, const char *database)
{
	bool equal;
	int err;
	sqlite3_file *f = hf_file_open(vfs, database, &err);

	if (!f)
		return err;
	err = hf_file_close(f, compare(w, f, &equal));
	if (err == HF_EIO)
		return 0; /* it cannot be told */
	if (!err && equal) {
		memset(w->frame, 0, (size_t)w->mapped * sizeof(*w->frame));
		w->lost = 0;
	}
	return err;
}

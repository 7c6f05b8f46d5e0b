/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is used of the SQLite file format: a leaf page of a table begins with
 * type 13, the number of cells at 3, the cells' offsets from 8 on. A cell is
 * payload size, row id (varints), as much payload as is kept on the page, and
 * the first page of the rest; each of those begins with the next one's number.
 * A payload is a record: header size, types of the columns, the columns.
 */
#include "store/sieve.h"

#include <stdlib.h>

#include "store/db.h"
#include "store/rows.h"

#define TYPE_LEAF   13
#define COLUMNS	    8
#define PAYLOAD_MAX (64u << 20)

struct pages {
	sqlite3_file *database;
	const struct hf_wal *wal;
	uint32_t n;
};

struct cursor {
	const uint8_t *at, *end;
};

static uint64_t get_be(const uint8_t *at, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | at[i];
	return v;
}

/* SQLite's varint; false at the end of the bytes. */
static bool get_varint(struct cursor *c, uint64_t *out)
{
	*out = 0;
	for (int i = 0; i < 9; i++) {
		uint8_t byte;

		if (c->at >= c->end)
			return false;
		byte = *c->at++;
		if (i == 8) {
			*out = *out << 8 | byte;
			return true;
		}
		*out = *out << 7 | (byte & 0x7f);
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* ---- pages ---- */

static int read_page(const struct pages *p, uint32_t number, uint8_t out[HF_PAGE_SIZE])
{
	if (number == 0 || number > p->n)
		return HF_ECORRUPT;
	if (hf_wal_has(p->wal, number))
		return hf_wal_read(p->wal, number, out);
	return hf_file_read(p->database, out, HF_PAGE_SIZE, (uint64_t)(number - 1) * HF_PAGE_SIZE);
}

/* ---- cells ---- */

/* How many bytes of a payload stand on the leaf page. */
static uint64_t local_size(uint64_t payload)
{
	const uint64_t usable = HF_PAGE_SIZE, most = usable - 35;
	const uint64_t least = (usable - 12) * 32 / 255 - 23;
	uint64_t local;

	if (payload <= most)
		return payload;
	local = least + (payload - least) % (usable - 4);
	return local <= most ? local : least;
}

/* The rest of a payload, from overflow page @next on. */
static int read_overflow(const struct pages *p, uint64_t next, uint8_t *out, uint64_t left)
{
	uint8_t page[HF_PAGE_SIZE];

	while (left > 0) {
		uint64_t n = left < HF_PAGE_SIZE - 4 ? left : HF_PAGE_SIZE - 4;
		int err = read_page(p, (uint32_t)next, page);

		if (err)
			return err;
		memcpy(out, page + 4, n);
		next = get_be(page, 4);
		out += n;
		left -= n;
	}
	return 0;
}

/* Size of a column of type @type; false for types we do not write. */
static bool column_size(uint64_t type, uint64_t *size)
{
	static const uint8_t fixed[] = { 0, 1, 2, 3, 4, 6, 8 };

	if (type < sizeof(fixed))
		*size = fixed[type];
	else if (type == 8 || type == 9)
		*size = 0;
	else if (type >= 12 && type % 2 == 0)
		*size = (type - 12) / 2;
	else
		return false;
	return true;
}

static uint64_t column_u64(uint64_t type, const uint8_t *at, uint64_t size)
{
	if (type == 9)
		return 1;
	return type < 8 ? get_be(at, (unsigned)size) : 0;
}

/* NULL, number, number, number or NULL, the same, blob, blob, blob or NULL. */
static bool shape_fits(const uint64_t type[COLUMNS])
{
	for (int i = 1; i < 5; i++) {
		if (type[i] > 9 || type[i] == 7)
			return false;
	}
	return type[0] == 0 && type[1] != 0 && type[2] != 0 && type[5] == 12 + 2 * HF_BORN_SIZE &&
	       type[6] >= 12 && (type[7] == 0 || type[7] >= 12);
}

static bool parse(const uint8_t *payload, uint64_t size, struct hf_sieve_row *row)
{
	struct cursor c = { payload, payload + size };
	uint64_t header, type[COLUMNS], length[COLUMNS];
	const uint8_t *at[COLUMNS], *next;

	if (!get_varint(&c, &header) || header > size)
		return false;
	next = payload + header;
	if (next < c.at)
		return false; /* a header that does not hold its own length */
	c.end = next;
	for (int i = 0; i < COLUMNS; i++) {
		if (!get_varint(&c, &type[i]) || !column_size(type[i], &length[i]))
			return false;
		if (length[i] > (uint64_t)(payload + size - next))
			return false;
		at[i] = next;
		next += length[i];
	}
	if (c.at != c.end || !shape_fits(type))
		return false;
	row->id = column_u64(type[1], at[1], length[1]);
	row->sum = column_u64(type[2], at[2], length[2]);
	row->blob = column_u64(type[3], at[3], length[3]);
	row->len = column_u64(type[4], at[4], length[4]);
	row->born = hf_span(at[5], length[5]);
	row->head = hf_span(at[6], length[6]);
	row->body = hf_span(at[7], length[7]);
	return (row->blob | row->len) <= INT64_MAX;
}

static bool sum_is_right(const struct hf_sieve_row *row)
{
	uint64_t len = row->blob ? row->len : row->body.len;

	return row->sum == hf_content_sum(row->head, row->body, row->blob, len);
}

/* One cell, which may be anything. */
static int sift_cell(const struct hf_sieve *s, const struct pages *p, const uint8_t *page,
		     uint64_t offset)
{
	struct cursor c = { page + offset, page + HF_PAGE_SIZE };
	struct hf_sieve_row row = { .seq = 0 };
	uint64_t size, local;
	uint8_t *payload;
	int err = 0;

	if (!get_varint(&c, &size) || !get_varint(&c, &row.seq) || size > PAYLOAD_MAX)
		return 0;
	local = local_size(size);
	if (size == 0 || local + (local < size ? 4 : 0) > (uint64_t)(c.end - c.at))
		return 0;
	payload = malloc(size);
	if (!payload)
		return HF_ENOMEM;
	memcpy(payload, c.at, local);
	if (local == size ||
	    read_overflow(p, get_be(c.at + local, 4), payload + local, size - local) == 0) {
		if (parse(payload, size, &row) && sum_is_right(&row))
			err = s->row(s->user, &row);
	}
	free(payload);
	return err;
}

static int sift_page(const struct hf_sieve *s, const struct pages *p, uint32_t number)
{
	uint8_t page[HF_PAGE_SIZE];
	uint64_t cells;
	int err = 0;

	if (read_page(p, number, page) || page[0] != TYPE_LEAF)
		return 0;
	cells = get_be(page + 3, 2);
	if (cells > (HF_PAGE_SIZE - 8) / 2)
		return 0;
	for (uint64_t i = 0; i < cells && !err; i++) {
		uint64_t offset = get_be(page + 8 + 2 * i, 2);

		if (offset >= 8 && offset < HF_PAGE_SIZE)
			err = sift_cell(s, p, page, offset);
	}
	return err;
}

int hf_sieve_run(const struct hf_sieve *s)
{
	struct pages p = { .wal = s->wal };
	uint64_t size;
	int err;

	p.database = hf_file_open(s->vfs, s->database, &err);
	if (!p.database)
		return err;
	err = hf_file_size(p.database, &size);
	p.n = (uint32_t)(size / HF_PAGE_SIZE);
	if (p.n < s->wal->pages)
		p.n = s->wal->pages;
	for (uint32_t i = 1; i <= p.n && !err; i++)
		err = sift_page(s, &p, i);
	return hf_file_close(p.database, err);
}

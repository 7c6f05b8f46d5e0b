/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offsets are those of the SQLite file format: a 100-byte header in page 1,
 * then the B-tree page of the schema (type 5: inner, 13: leaf).
 */
#include "store/template.h"

#include "store/schema.h"

#define HEADER	   100
#define TYPE_INNER 5
#define TYPE_LEAF  13

static void put_be(uint8_t *at, uint32_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

static uint32_t get_be(const uint8_t *at, unsigned bytes)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | at[i];
	return v;
}

static int add_page(struct hf_template *t, struct hf_vfs *vfs, const char *path, uint32_t number)
{
	if (t->n == HF_TEMPLATE_PAGES || number == 0)
		return HF_ECORRUPT;
	t->number[t->n] = number;
	return hf_vfs_read(vfs, path, t->page[t->n++], HF_PAGE_SIZE,
			   (uint64_t)(number - 1) * HF_PAGE_SIZE);
}

/* The pages below page 1, which is an inner page with one level under it. */
static int add_children(struct hf_template *t, struct hf_vfs *vfs, const char *path)
{
	const uint8_t *page = t->page[0];
	uint32_t cells = get_be(page + HEADER + 3, 2);
	int err = add_page(t, vfs, path, get_be(page + HEADER + 8, 4));

	for (uint32_t i = 0; i < cells && !err; i++) {
		uint32_t pointer = HEADER + 12 + 2 * i;
		uint32_t cell = pointer + 2 <= HF_PAGE_SIZE ? get_be(page + pointer, 2) : 0;

		if (cell < HEADER || cell + 4 > HF_PAGE_SIZE)
			return HF_ECORRUPT;
		err = add_page(t, vfs, path, get_be(page + cell, 4));
	}
	for (unsigned i = 1; i < t->n && !err; i++)
		err = t->page[i][0] == TYPE_LEAF ? 0 : HF_ECORRUPT;
	return err;
}

int hf_template_read(struct hf_template *t, struct hf_vfs *vfs, const char *path, uint64_t size)
{
	uint8_t *page = t->page[0];
	int err;

	t->n = 0;
	err = add_page(t, vfs, path, 1);
	if (!err && page[HEADER] == TYPE_INNER)
		err = add_children(t, vfs, path);
	if (err)
		return err;
	page[18] = 2; /* WAL */
	page[19] = 2;
	put_be(page + 28, (uint32_t)(size / HF_PAGE_SIZE), 4);
	put_be(page + 32, 0, 4); /* no free pages */
	put_be(page + 36, 0, 4);
	put_be(page + 60, HF_SCHEMA_VERSION, 4);
	put_be(page + 68, HF_APPLICATION_ID, 4);
	return 0;
}

int hf_template_patch(void *user, uint8_t *out, int amount, sqlite3_int64 at)
{
	const struct hf_template *t = user;

	for (unsigned i = 0; i < t->n; i++) {
		sqlite3_int64 from = (sqlite3_int64)(t->number[i] - 1) * HF_PAGE_SIZE;
		sqlite3_int64 to = from + HF_PAGE_SIZE;
		sqlite3_int64 lo = from > at ? from : at;
		sqlite3_int64 hi = to < at + amount ? to : at + amount;

		if (lo < hi)
			memcpy(out + (lo - at), t->page[i] + (lo - from), (size_t)(hi - lo));
	}
	return SQLITE_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Databases that were found damaged and put aside: the older generations. They are
 * shown until somebody removes them; what was saved from each and lost stands in
 * meta ("aside": generation u32, saved u64, lost u64, newest last). Only the newest
 * are kept, and each that is deleted is told of.
 */
#include <stdio.h>

#include "store/rows.h"
#include "store/salvage.h"

#define ENTRY_SIZE 20
#define META_ASIDE "aside"
#define LOOK_MS	   10000

static int read_entries(struct hf_db *db, uint8_t out[HF_ASIDE_MAX * ENTRY_SIZE])
{
	int err = hf_meta_get(db, META_ASIDE, out, (size_t)HF_ASIDE_MAX * ENTRY_SIZE);

	if (err)
		memset(out, 0, (size_t)HF_ASIDE_MAX * ENTRY_SIZE);
	return err == HF_ENOENT ? 0 : err;
}

int hf_aside_store(struct hf_salvage *v)
{
	uint8_t bytes[HF_ASIDE_MAX * ENTRY_SIZE];
	uint8_t *last = bytes + sizeof(bytes) - ENTRY_SIZE;
	int err = read_entries(&v->to, bytes);

	if (err)
		return err;
	memmove(bytes, bytes + ENTRY_SIZE, sizeof(bytes) - ENTRY_SIZE);
	hf_put_le(last, v->store->marker.generation, 4);
	hf_put_le(last + 4, v->saved, 8);
	hf_put_le(last + 12, v->lost, 8);
	return hf_meta_put(&v->to, META_ASIDE, hf_span(bytes, sizeof(bytes)));
}

static void tell(struct hf_store_aside *a, uint32_t generation, const uint8_t *entries)
{
	*a = (struct hf_store_aside){ .generation = generation };
	snprintf(a->name, sizeof(a->name), "queue-%u.db", generation);
	for (unsigned i = 0; i < HF_ASIDE_MAX; i++, entries += ENTRY_SIZE) {
		if (hf_get_le(entries, 4) != generation)
			continue;
		a->saved = hf_get_le(entries + 4, 8);
		a->lost = hf_get_le(entries + 12, 8);
	}
}

/* One more than are kept: each salvage adds one, so one goes. */
static void delete_oldest(struct hf_store *s, uint32_t generation)
{
	if (hf_generation_delete(s, generation) == 0)
		s->deleted = generation;
}

void hf_aside_look(struct hf_store *s)
{
	uint8_t entries[HF_ASIDE_MAX * ENTRY_SIZE];
	char path[HF_PATH_MAX];
	uint32_t g = s->marker.generation;
	unsigned looks = 0;
	bool there;

	s->aside_n = 0;
	s->aside_at_ms = s->now_ms;
	if (read_entries(&s->db, entries))
		memset(entries, 0, sizeof(entries));
	while (--g > 0 && looks++ < HF_GENERATIONS_MAX) {
		hf_path_database(s, g, path);
		if (hf_vfs_exists(&s->vfs, path, &there) || !there)
			continue;
		if (s->aside_n == HF_ASIDE_MAX)
			delete_oldest(s, g);
		else
			tell(&s->aside[s->aside_n++], g, entries);
	}
}

void hf_aside_look_again(struct hf_store *s)
{
	if (s->aside_n > 0 && s->db.sql && s->now_ms - s->aside_at_ms >= LOOK_MS)
		hf_aside_look(s);
}

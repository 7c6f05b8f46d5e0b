/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the shelf's database, inside a transaction on its thread. */
#ifndef HF_STORE_SHELF_ROWS_H
#define HF_STORE_SHELF_ROWS_H

#include "store/shelf_db.h"

/* ---- shelf_cache.c ---- */

/* The caches from the database, when they are not known. */
int hf_shelf_rows_load(struct hf_shelf_db *db);
/* NULL: there is none, or a hard error. Dropped ones too. */
struct hf_shelf_row *hf_shelf_row(struct hf_shelf_db *db, uint32_t cache);
/* One that is not dropped: HF_ENOENT. */
int hf_shelf_row_live(struct hf_shelf_db *db, uint32_t cache, struct hf_shelf_row **out);
int hf_shelf_row_store(struct hf_shelf_db *db, struct hf_shelf_row *row);
/* A row as it is given, which is copied; @id 0: the next free one. */
int hf_shelf_row_add(struct hf_shelf_db *db, const struct hf_shelf_row *row, uint32_t *id);
int hf_shelf_row_delete(struct hf_shelf_db *db, uint32_t cache);
/* The figures of a cache: one entry of @bytes more or fewer. */
int hf_shelf_row_count(struct hf_shelf_db *db, uint32_t cache, bool more, uint64_t bytes);
/* An entry that was counted as @before bytes has @after. */
int hf_shelf_row_recount(struct hf_shelf_db *db, uint32_t cache, uint64_t before, uint64_t after);
uint64_t hf_shelf_entries(struct hf_shelf_db *db); /* of all that are not dropped */

/* ---- shelf_entry.c ---- */

int hf_shelf_use_get(struct hf_shelf_db *db, uint64_t id, struct hf_shelf_use *out);
int hf_shelf_use_set(struct hf_shelf_db *db, uint64_t id, const struct hf_shelf_use *u);
/* Entry and use as given, and the cache's figures; the body's references are the
 * caller's business. */
int hf_shelf_entry_add(struct hf_shelf_db *db, uint64_t id, const struct hf_shelf_use *u,
		       struct hf_span url, struct hf_span note, struct hf_span head);
/* With its reference to the body. None is no error; @removed counts. */
int hf_shelf_entry_delete(struct hf_shelf_db *db, uint64_t id, uint64_t *removed);

/* One entry of those with a key. */
struct hf_shelf_variant {
	uint64_t id;
	bool same_url;
	bool broken; /* its row cannot be read */
	struct hf_shelf_use use;
};
/* All with this key, at most HF_SHELF_NUMBERS of them. */
int hf_shelf_variants(struct hf_shelf_db *db, uint64_t key, struct hf_span url,
		      struct hf_shelf_variant *v, unsigned *n);
/* A number that no entry of @key has. HF_ELIMIT. */
int hf_shelf_number_free(struct hf_shelf_db *db, uint64_t key, const struct hf_shelf_variant *v,
			 unsigned n, uint64_t *id);

/* ---- shelf_body.c ---- */

struct hf_shelf_body_row {
	struct hf_shelf_body_v v;
	uint64_t refs;
	struct hf_span data; /* until the statement is used again */
	bool has_data;
};

/* HF_ENOENT; HF_ECORRUPT: not what was stored, or known as damaged. */
int hf_shelf_body_get(struct hf_shelf_db *db, uint64_t body, struct hf_shelf_body_row *out);
/* An equal one that is not damaged; 0: none. */
int hf_shelf_body_find(struct hf_shelf_db *db, const uint8_t sha256[32], uint64_t len,
		       uint64_t *out);
int hf_shelf_body_next(struct hf_shelf_db *db, uint64_t *out);
/* @data NULL: its pieces are there. One reference. */
int hf_shelf_body_add(struct hf_shelf_db *db, uint64_t body, const struct hf_shelf_body_v *v,
		      const struct hf_span *data);
int hf_shelf_body_ref(struct hf_shelf_db *db, uint64_t body);
int hf_shelf_body_unref(struct hf_shelf_db *db, uint64_t body);
/* The row goes, whoever refers to it, and the pieces later. */
int hf_shelf_body_drop(struct hf_shelf_db *db, uint64_t body);
int hf_shelf_piece_add(struct hf_shelf_db *db, uint64_t body, uint32_t n, struct hf_span data);
/* *data until the statement is used again. HF_ENOENT, HF_ECORRUPT. */
int hf_shelf_piece_get(struct hf_shelf_db *db, uint64_t body, uint32_t n, struct hf_span *data);
/* All pieces of a body of @len bytes are there: HF_ECORRUPT. */
int hf_shelf_pieces_whole(struct hf_shelf_db *db, uint64_t body, uint64_t len);
/* To be deleted: now, or (@gone false) unless it is put in this run. */
int hf_shelf_loose(struct hf_shelf_db *db, uint64_t body, bool gone);
int hf_shelf_loose_end(struct hf_shelf_db *db, uint64_t body);
/* Bodies of earlier runs that are loose go. After opening. */
int hf_shelf_loose_begin(struct hf_shelf_db *db);
/* Deletes at most @budget pieces of bodies that are gone. *more: there are others. */
int hf_shelf_loose_sweep(struct hf_shelf_db *db, unsigned budget, bool *more);
/* @body was found damaged: its entries go with the next slice of work. */
void hf_shelf_bad(struct hf_shelf_db *db, uint64_t body);
bool hf_shelf_is_bad(const struct hf_shelf_db *db, uint64_t body);

/* ---- shelf_evict.c ---- */

/* Deletes entries of @cache, those used longest ago first and never @but, until it
 * holds what it may; 0: no limit. */
int hf_shelf_evict_cache(struct hf_shelf_db *db, uint32_t cache, uint64_t entries_max,
			 uint64_t bytes_max, uint64_t but);
/* One slice of eviction below @pages: scans, or deletes. *more: not there yet. */
int hf_shelf_evict_slice(struct hf_shelf_db *db, uint64_t pages, bool *more);

/* ---- shelf_sweep.c ---- */

/* A slice of background deletion in a transaction of its own: bodies nobody refers
 * to, dropped caches, entries of damaged bodies. */
int hf_shelf_sweep_slice(struct hf_shelf_db *db);

#endif

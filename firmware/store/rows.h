/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operations share: rows of record, lanes in memory, answers, blobs.
 * All on the store thread, inside the batch's transaction. Each returns 0, a
 * refusal, or the hard error that db->hard keeps.
 */
#ifndef HF_STORE_ROWS_H
#define HF_STORE_ROWS_H

#include "store/db.h"

#define HF_ORDINAL_MASK ((UINT64_C(1) << HF_ORDINAL_BITS) - 1)

static inline uint64_t hf_ordinal(uint64_t id)
{
	return id & HF_ORDINAL_MASK;
}

/* ---- record ---- */

int hf_row_get(struct hf_db *db, uint64_t id, struct hf_row *row); /* HF_ENOENT */
int hf_row_set(struct hf_db *db, uint64_t id, const struct hf_row *row);
int hf_row_add(struct hf_db *db, uint64_t id, const struct hf_row *row);
/* Removes the record with its request and its answer. */
int hf_row_remove(struct hf_db *db, uint64_t id, const struct hf_row *row);
/* Notes that @id is final, so that its request can go. */
void hf_row_finished(struct hf_db *db, uint64_t id);

/* ---- lanes (lane.c) ---- */

int hf_lane_get(struct hf_db *db, uint32_t id, struct hf_lane_entry **out); /* HF_ENOENT */
/* The largest ordinal of a record of lane @id, 0: nothing of it is stored. */
int hf_lane_last(struct hf_db *db, uint32_t id, uint64_t *out);
/* Moves v.head over everything final. @head (may be NULL): its row. */
int hf_lane_resolve(struct hf_db *db, struct hf_lane_entry *e, struct hf_row *head);
/* Writes the lane's row when it differs from v. */
int hf_lane_save(struct hf_db *db, struct hf_lane_entry *e);
/* Record @id becomes final or goes: keeps v.head and v.holes; *hole says that
 * it stood behind the head. */
int hf_lane_leave(struct hf_db *db, uint64_t id, bool *hole);
/* Before the row of final record @id is deleted: makes the lane's row account
 * for it, since nothing else will. */
int hf_lane_drop(struct hf_db *db, uint64_t id);

/* ---- requests and answers (record.c, outcome.c) ---- */

/* The request of @row when it is still there: *blob 0: none. HF_ENOENT. */
int hf_request_link(struct hf_db *db, uint64_t id, const struct hf_row *row, uint64_t *blob);
int hf_request_remove(struct hf_db *db, uint64_t id, const struct hf_row *row);
/* The statement of the outcome or the dead table for a row's status. */
enum hf_outcome_sql {
	HF_OUTCOME_ADD,
	HF_OUTCOME_GET,
	HF_OUTCOME_HEAD,
	HF_OUTCOME_LINK,
	HF_OUTCOME_DEL
};
enum hf_statement hf_outcome_statement(uint8_t status, enum hf_outcome_sql which);
int hf_outcome_remove(struct hf_db *db, uint64_t id, const struct hf_row *row);
/* Puts the row's answer behind all others, and @row with it. */
int hf_outcome_renew(struct hf_db *db, uint64_t id, struct hf_row *row);
/* Fills the outcome part of a load. */
int hf_outcome_load(struct hf_db *db, const struct hf_row *row, struct hf_store_load *l);

/* Number after the largest in use, from the cache or by @max. */
int hf_seq_next(struct hf_db *db, uint64_t *cache, enum hf_statement max, uint64_t *out);
/* CRC over a head, a body and, for a body kept elsewhere, its link. */
uint32_t hf_content_sum(struct hf_span head, struct hf_span body, uint64_t blob, uint64_t body_len);
/* Binds blob, len and body: either the body itself or the link. */
void hf_bind_body(sqlite3_stmt *st, int blob_at, int len_at, int body_at, struct hf_span body,
		  uint64_t blob, uint64_t body_len);
int hf_buf_set(struct hf_buf *b, struct hf_span v);

/* ---- blobs (blob.c) ---- */

/* CRC over a chunk and its number, the id of its row. */
uint32_t hf_blob_sum(uint64_t chunk, struct hf_span data);
/* All of its chunks are there: 0, HF_ECORRUPT. Their sums are not looked at. */
int hf_blob_whole(struct hf_db *db, uint64_t blob, uint64_t len);
/* A row refers to it from now on. */
int hf_blob_adopt(struct hf_db *db, uint64_t blob);
/* Nobody refers to it any more: it is deleted in the background. 0 is fine. */
int hf_blob_abandon(struct hf_db *db, uint64_t blob);
/* At open: everything on the list below db->upload_floor is of an earlier run. */
int hf_blob_floor(struct hf_db *db);
/* Deletes a few chunks of what nobody refers to; clears db->uploads_gone. */
int hf_blob_sweep(struct hf_db *db, unsigned chunks);

/* ---- purge.c ---- */

/* Deletes requests of finished records, at most @budget; *removed counts. */
int hf_purge_requests(struct hf_db *db, unsigned budget, unsigned *removed);

/* ---- dependent.c ---- */

/* @child waits for @parent, or for what replaced it. As hf_store_insert; @most 0:
 * however many do, and whatever the parent's state. */
int hf_dependent_add(struct hf_db *db, uint64_t child, uint64_t parent, unsigned most);
/* *parent 0: none. */
int hf_dependent_get(struct hf_db *db, uint64_t child, uint64_t *parent);
int hf_dependent_remove(struct hf_db *db, uint64_t child);
/* Those of @from are of @to from now on; *any: there were some. */
int hf_dependent_move(struct hf_db *db, uint64_t from, uint64_t to, bool *any);
int hf_dependent_any(struct hf_db *db, uint64_t parent, bool *any);
/* Someone has to look at those of a record. */
int hf_dependent_due(struct hf_db *db);

/* ---- registration.c ---- */

uint32_t hf_registration_sum(struct hf_span worker, struct hf_span tag, struct hf_span value);

/* ---- meta.c ---- */

/* @value is a fixed-size value: HF_ENOENT when absent or of another size. */
int hf_meta_get(struct hf_db *db, const char *key, void *value, size_t size);
int hf_meta_put(struct hf_db *db, const char *key, struct hf_span value);

#endif

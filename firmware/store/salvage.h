/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A salvage under way: salvage.c leads it, salvage_copy.c moves the tables,
 * salvage_lanes.c makes the lanes agree with what was moved.
 */
#ifndef HF_STORE_SALVAGE_H
#define HF_STORE_SALVAGE_H

#include "store/store_private.h"
#include "store/template.h"
#include "store/wal.h"

struct hf_salvage {
	struct hf_store *store;
	struct hf_db from, to;
	uint32_t generation; /* of to */
	unsigned faults;
	bool io;
	bool records_hurt;   /* reads of record or lane failed */
	bool requests_hurt;  /* reads of request failed */
	uint64_t blob_floor; /* the largest blob that is referred to */
	uint64_t saved, lost;
	sqlite3_stmt *add; /* of the table being copied */
	struct hf_template template;
	bool patched; /* template takes the place of header and schema */
	/* The log of from. When it or the header is damaged it is read here, not by SQLite;
	 * pages whose last copy is lost are older than the others. */
	struct hf_wal wal;
	bool stale;
};

/* Copies what can be read; requests without a way to them are looked for. */
int hf_salvage_copy(struct hf_salvage *v);
/* Into to: what this salvage saved and lost. */
int hf_aside_store(struct hf_salvage *v);
/* The lane's row in to. HF_ENOENT. */
int hf_salvage_lane_row(struct hf_salvage *v, uint32_t id, struct hf_lane_v *lane);
/* Counts heads, tails and holes, and buries waiting records without a request. */
int hf_salvage_lanes(struct hf_salvage *v);

#endif

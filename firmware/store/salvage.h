/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A salvage under way: salvage.c leads it, salvage_copy.c moves the tables,
 * salvage_lanes.c makes the lanes agree with what was moved.
 */
#ifndef HF_STORE_SALVAGE_H
#define HF_STORE_SALVAGE_H

#include "store/store_private.h"
#include "store/template.h"

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
};

/* Copies what can be read; requests without a way to them are looked for. */
int hf_salvage_copy(struct hf_salvage *v);
/* Counts heads, tails and holes, and buries waiting records without a request. */
int hf_salvage_lanes(struct hf_salvage *v);

#endif

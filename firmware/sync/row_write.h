/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of registrations on their way to the store. What was asked for stays in
 * the list until it is done, or until the manager ends.
 */
#ifndef HF_SYNC_ROW_WRITE_H
#define HF_SYNC_ROW_WRITE_H

#include "base/list.h"
#include "base/log.h"
#include "store/registrations.h"

/* Ids of one-off registrations are below it, those of periodic ones above. */
#define HF_PERIODIC_FIRST_ID (UINT64_C(1) << 62)

struct hf_row_write_job {
	uint64_t id;
	bool fresh, remove;
	struct hf_span worker, tag; /* stay valid until done; not of a removal */
	struct hf_span value;	    /* copied */
	void *owner;		    /* a registration, NULL: nobody's row */
	void *change;		    /* who asked for it, may be NULL */
	uint8_t status;		    /* of the registration, as it is written */
	const char *word;	    /* to tell when it is done, may be NULL */
};

struct hf_row_writes {
	struct hf_store *store;
	struct hf_log *log;
	struct hf_list list;
	/* One is done, whether it had an owner or not. */
	void (*done)(const struct hf_row_write_job *job, int err);
};

void hf_row_writes_init(struct hf_row_writes *w, struct hf_store *store, struct hf_log *log,
			void (*done)(const struct hf_row_write_job *job, int err));
/* After hf_store_destroy. */
void hf_row_writes_finish(struct hf_row_writes *w);
/* HF_ENOMEM: nothing is begun. */
int hf_row_write(struct hf_row_writes *w, const struct hf_row_write_job *job);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registrations of background sync, one row each: a worker's name, a tag and a
 * value that sync/ encodes. A row whose checksum does not match is left out and
 * counted; the others stand for themselves.
 *
 * Inputs stay valid until done.
 */
#ifndef HF_STORE_REGISTRATIONS_H
#define HF_STORE_REGISTRATIONS_H

#include "store/store.h"

#define HF_REGISTRATION_VALUE_MAX 128

struct hf_registration_row {
	uint64_t id;
	struct hf_span worker, tag, value; /* in the op's memory */
};

#define HF_REGISTRATIONS_PAGE 256

/* A page of them in the order of their ids, those between @after and @below. */
struct hf_store_registrations {
	struct hf_store_op op;
	uint64_t after; /* in */
	uint64_t below; /* in; 0: all that come */
	struct hf_registration_row *rows;
	size_t n;
	uint64_t damaged; /* rows that were left out */
	uint64_t last_id; /* of the page, damaged or not; @after when it is empty */
	bool more;
	void *memory;
};
void hf_store_registrations(struct hf_store *s, struct hf_store_registrations *l);
void hf_store_registrations_finish(struct hf_store_registrations *l);

/* Writes the row @id, or with @remove deletes it (no row is no error). @fresh: a
 * new one, which may not use the reserve (HF_EFULL). */
struct hf_store_registration {
	struct hf_store_op op;
	uint64_t id;
	bool fresh, remove;
	struct hf_span worker, tag, value;
};
void hf_store_registration(struct hf_store *s, struct hf_store_registration *r);

#endif

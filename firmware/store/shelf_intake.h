/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an intake keeps beside its public part: the digest, and all of it as it was
 * before the transaction under way, to which a rollback goes back.
 */
#ifndef HF_STORE_SHELF_INTAKE_H
#define HF_STORE_SHELF_INTAKE_H

#include "store/shelf_digest.h"
#include "store/shelf_rows.h"

struct hf_shelf_intake_state {
	struct hf_shelf_intake *intake;
	struct hf_shelf_digest digest, digest_before;
	uint64_t body_before, len_before;
	uint32_t pieces_before;
	struct hf_shelf_intake_state *next; /* of db->intakes */
	bool listed;
};

/* The digest of what has come and of @rest behind it. HF_EBADMSG. */
int hf_shelf_intake_digest(const struct hf_shelf_intake *in, struct hf_span rest,
			   uint8_t sha256[32]);
/* Its body is still on its way in: HF_ENOENT, it was discarded or put. */
int hf_shelf_intake_there(struct hf_shelf_db *db, const struct hf_shelf_intake *in);
/* After a commit, or a rollback. */
void hf_shelf_intakes_settle(struct hf_shelf_db *db, bool committed);
/* @op has failed: when it is an append, its intake takes no more. */
void hf_shelf_append_failed(struct hf_shelf_op *op);

#endif

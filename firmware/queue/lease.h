/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lease: the right to try one lane's oldest record. At most one per lane.
 * Every step that matters is committed before the next one begins: the mark
 * before the first byte leaves, the answer together with the final state.
 */
#ifndef HF_QUEUE_LEASE_H
#define HF_QUEUE_LEASE_H

#include "queue/lane.h"

struct hf_lease {
	/* caller's, before take */
	/* After take: 0: head, load.state, load.body are there. HF_ENOENT: nothing
	 * to send (the lease is over). Other errors: the lease is over, the lane is
	 * delayed. */
	void (*ready)(struct hf_lease *lease, int err);
	/* After mark and after hold, settle, retry were committed (the latter three
	 * end the lease). On an error nothing was changed on the medium; after
	 * hold, settle and retry the lease is over all the same and the record will
	 * be tried again. A full store is no error: see hf_lease_end. */
	void (*stored)(struct hf_lease *lease, int err);
	void *user;

	/* valid from ready to the end */
	struct hf_lane *lane;
	struct hf_store_load load; /* id, state, body or blob, body_len */
	struct hf_record_head head;
	struct hf_record_state state; /* changed by the caller through the functions */
	struct hf_span target;	      /* of a followed redirect, else head.target; as the
				       * body with what the one before it has answered */

	/* private */
	struct hf_arena arena;
	struct hf_record_state stored_state; /* on the medium */
	uint64_t from;			     /* next_id when the load was begun */
	struct hf_store_load parent;	     /* the one it waits for */
	struct hf_store_mark mark;
	struct hf_store_settle settle;
	struct hf_store_purge purge;
	struct hf_timer again; /* when the medium is full: to store the end */
	struct hf_buf summary, answer;
	bool settling; /* the end is stored by settle, else by mark */
	uint8_t step;
	struct hf_verdict verdict;
	enum hf_reason reason;
	char public_id[HF_ULID_LEN + 1];
};

/* Takes the lane's next record; the lane must be HF_LANE_READY. Records that
 * are past their age become dead, ones whose key has expired held, on the way. */
void hf_lease_take(struct hf_lane *lane, struct hf_lease *lease);
/* Before the first byte: makes "may have been received" durable. True when it
 * already is: go on at once, stored does not come. */
bool hf_lease_mark(struct hf_lease *lease);
/* The answer, or none (@answer NULL), with the verdict. DELIVERED and DEAD settle
 * the record, HOLD holds it, RETRY and RETRY_NOW and FOLLOW keep it queued and
 * count the attempt, WAIT keeps it queued and uncounted. @body: the
 * answer's, stays valid until stored. */
struct hf_lease_end {
	struct hf_verdict verdict;
	const struct hf_exchange_result *result;
	const struct hf_answer_head *answer;
	struct hf_span body;
	uint32_t body_hash;
	bool sent; /* a byte of this or an earlier attempt of the lease may have arrived */
};
/* When nothing changes on the medium, stored is called inside. What the origin
 * has said is not asked again for want of space: the answer is stored without
 * its body (truncated), then the oldest answers go, then the end waits for room. */
void hf_lease_end(struct hf_lease *lease, const struct hf_lease_end *end);
/* True from the end of a lease on: nothing of it may be used. */
bool hf_lease_is_over(const struct hf_lease *lease);
/* Frees what a lease holds, at closing down; its lane stays as it is. The store
 * must be closed already. */
void hf_lease_abandon(struct hf_lease *lease);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Records as pages and operators see them. */
#ifndef HF_INGRESS_RECORD_JSON_H
#define HF_INGRESS_RECORD_JSON_H

#include "base/buf.h"
#include "queue/queue.h"

struct hf_record_view {
	uint64_t id;
	const struct hf_record_state *state;
	struct hf_span head; /* the request's, or its summary */
	bool has_answer;
	struct hf_span answer_head; /* when has_answer */
};

/* Of one of a list; good as long as that. */
struct hf_record_view hf_record_view_brief(const struct hf_record_brief *b);

/* Appends the members of the object, without braces. @arena for decoding. A head
 * that is damaged leaves its members null. HF_ELIMIT, HF_ENOMEM. */
int hf_record_json(const struct hf_queue *q, const struct hf_record_view *v, struct hf_arena *arena,
		   struct hf_buf *out);
/* "queued", "inflight", "held", ... */
const char *hf_record_json_state(const struct hf_record_state *state);
/* A bit set for hf_store_list's status_set from "queued,held"; false: a word is
 * unknown. */
bool hf_record_json_states(struct hf_span list, uint32_t *set);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record's contents as bytes: the request as it will be sent, the terms it
 * was accepted under, and the origin's answer. Versioned; every decoder checks
 * each length and refuses (HF_ECORRUPT) rather than trusts.
 *
 *   request head  "Q" version, then tagged fields (type u8, length u32 LE, bytes)
 *   answer head   "A" version, then tagged fields
 *   summary       "S": what stays of a request after its row is purged
 */
#ifndef HF_QUEUE_RECORD_H
#define HF_QUEUE_RECORD_H

#include "base/buf.h"
#include "base/ulid.h"
#include "holdfast/policy.h"
#include "http/message.h"
#include "store/records.h"

struct hf_record_head {
	struct hf_span origin; /* its name in the configuration */
	struct hf_span method;
	struct hf_span target;	 /* origin-form */
	struct hf_fields fields; /* end-to-end, without the key */
	struct hf_span key;	 /* value of the key header as it is sent */
	struct hf_span identity; /* for whom the credential was; empty: not said */
	struct hf_span after;	 /* its Holdfast-After field; empty: it waits for nobody */
	uint8_t after_depth;	 /* how many wait before it, one for another */
	struct hf_policy policy;
};

struct hf_answer_head {
	int status;
	struct hf_fields fields; /* end-to-end */
	bool truncated;		 /* the body was cut by the origin or by our limit */
};

int hf_record_head_encode(const struct hf_record_head *h, struct hf_buf *out);
/* Spans point into @bytes, fields.v into @arena. HF_ECORRUPT, HF_ENOMEM. */
int hf_record_head_decode(struct hf_span bytes, struct hf_arena *arena, struct hf_record_head *out);
/* A summary is shorter, whatever the request: a head's bytes, and names of ours. */
#define HF_RECORD_SUMMARY_MAX (2 * CONFIG_HF_HEAD_BYTES_MAX)
/* The head without fields: what lists show. Also decodes with the above. */
int hf_record_summary_encode(const struct hf_record_head *h, struct hf_buf *out);
int hf_answer_head_encode(const struct hf_answer_head *h, struct hf_buf *out);
/* Sets the flag in an encoded one. */
void hf_answer_head_truncate(struct hf_buf *encoded);
int hf_answer_head_decode(struct hf_span bytes, struct hf_arena *arena, struct hf_answer_head *out);

/* The public id of a record: 26 characters, in ULID's shape: time of
 * acceptance, row id, and a random tag, so that a stale or guessed id finds
 * nothing. */
void hf_record_id_format(uint64_t id, const struct hf_record_state *state,
			 char out[HF_ULID_LEN + 1]);
/* The row id in @text. HF_EINVAL. The caller loads it and compares the whole
 * text with hf_record_id_format's. */
int hf_record_id_parse(struct hf_span text, uint64_t *id);

const char *hf_record_status_name(uint8_t status); /* "queued", ... */

#endif

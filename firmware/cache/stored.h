/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stored response in memory: one block with everything it says, shared by
 * whoever uses it. It does not change: a revalidation makes a new one.
 *
 * On the shelf its head is: version u8, status u16, number of fields u16, length
 * of the variant u32, the variant, then per field name length u16, value length
 * u32, name, value (little-endian).
 */
#ifndef HF_CACHE_STORED_H
#define HF_CACHE_STORED_H

#include "base/buf.h"
#include "cache/policy.h"
#include "http/message.h"
#include "store/shelf.h"

/* hf_shelf_state.flags */
#define HF_STORED_INVALIDATED	1u /* validate before any use */
#define HF_STORED_PENDING_WRITE 2u /* a queued request will change it */
/* Date and Age are not those of the head: it was made as long before it came as its request
 * is on the shelf before the response. */
#define HF_STORED_DATED 4u

struct hf_stored {
	unsigned refs;
	uint64_t id; /* on the shelf */
	uint32_t cache;
	struct hf_span url, note;
	struct hf_cache_entry entry; /* as the policy sees it */
	struct hf_fields fields;
	struct hf_shelf_state state;
	uint64_t body, body_len; /* on the shelf */
	struct hf_span data;	 /* the body, when has_data */
	bool has_data;
	size_t bytes; /* of memory */
};

/* One reference, the caller's. HF_ECORRUPT: the head is not one; HF_ENOMEM. */
int hf_stored_decode(const struct hf_shelf_entry *row, struct hf_stored **out);
/* A copy of @s with another state, and other fields when @fields is not NULL. */
int hf_stored_copy(const struct hf_stored *s, const struct hf_fields *fields,
		   const struct hf_shelf_state *state, struct hf_stored **out);
static inline struct hf_stored *hf_stored_ref(struct hf_stored *s)
{
	s->refs++;
	return s;
}
/* NULL is fine. */
void hf_stored_unref(struct hf_stored *s);

/* Appends the head. HF_ETOOBIG: more fields, or longer ones, than it can hold. */
int hf_stored_head_encode(int status, struct hf_span variant, const struct hf_fields *fields,
			  struct hf_buf *out);
void hf_stored_state(const struct hf_cache_times *times, uint32_t flags, uint64_t used_dev_ms,
		     struct hf_shelf_state *out);

#endif

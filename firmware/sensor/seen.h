/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was answered to which datagram, so that one that comes again within
 * EXCHANGE_LIFETIME (RFC 7252 section 4.5) has its effect once. A datagram is known by
 * a keyed hash of all of it and of whom it is from: one that only shares a Message ID
 * with another is another one. Memory grows with use, up to a ceiling; past it the
 * oldest give way.
 */
#ifndef HF_SENSOR_SEEN_H
#define HF_SENSOR_SEEN_H

#include "base/ulid.h"

#define HF_SEEN_LIFETIME_MS 247000

struct hf_seen_entry {
	uint64_t hash;
	uint32_t next;	    /* of the same slot, plus one; 0: none */
	uint32_t at_s : 23; /* boot time, its low bits */
	uint32_t live : 1;  /* 0: forgotten */
	uint32_t code : 8;  /* of the answer; 0: it is in work */
	uint8_t id[16];	    /* 2.xx: of the request that it became, a ULID; else its Max-Age */
};

struct hf_seen {
	struct hf_seen_entry **chunks; /* of the ring of @cap places, as far as they are used */
	uint32_t *slots;	       /* index plus one */
	uint32_t cap;
	uint32_t first, n; /* of the ring */
};

void hf_seen_init(struct hf_seen *s, uint32_t max);
void hf_seen_finish(struct hf_seen *s);
/* NULL: not seen, or too long ago. Valid until the next add. */
struct hf_seen_entry *hf_seen_find(struct hf_seen *s, uint64_t hash, uint64_t now_ms);
/* NULL: no memory. */
struct hf_seen_entry *hf_seen_add(struct hf_seen *s, uint64_t hash, uint64_t now_ms);
/* It had no effect: it is looked at anew when it comes again. */
void hf_seen_forget(struct hf_seen *s, uint64_t hash, uint64_t now_ms);

#endif

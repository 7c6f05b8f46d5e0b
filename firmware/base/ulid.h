/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 26-character text of a 128-bit number in Crockford base32, as ULID has
 * it: 48 bits of milliseconds, 80 bits below. And UUIDs as text.
 */
#ifndef HF_BASE_ULID_H
#define HF_BASE_ULID_H

#include "base/span.h"

#define HF_ULID_LEN 26
#define HF_UUID_LEN 36

/* Writes 26 characters and a NUL. */
void hf_ulid_format(uint64_t hi, uint64_t lo, char out[HF_ULID_LEN + 1]);
/* Upper or lower case; other letters, another length or an overflow (first
 * character above '7'): HF_EINVAL. */
int hf_ulid_parse(struct hf_span text, uint64_t *hi, uint64_t *lo);
/* A UUID of the 16 bytes, but for those bits of them that say @version and variant. */
void hf_uuid_format(const uint8_t bytes[16], unsigned version, char out[HF_UUID_LEN + 1]);
/* UUID version 7 (RFC 9562 section 5.7) from @unix_ms and 10 random bytes. */
void hf_uuid7_format(uint64_t unix_ms, const uint8_t random[10], char out[HF_UUID_LEN + 1]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digest of a body as it comes: SHA-256, under which it is stored, and beside
 * it the one that Subresource Integrity asks for.
 */
#ifndef HF_STORE_SHELF_DIGEST_H
#define HF_STORE_SHELF_DIGEST_H

#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

#include "base/span.h"

struct hf_shelf_digest {
	mbedtls_sha256_context sha256;
	mbedtls_sha512_context sha512; /* of the integrity, when it is not SHA-256 */
	unsigned bits;		       /* of the integrity: 256, 384, 512; 0: none asked for */
};

/* @integrity as of hf_shelf_intake; empty or without a hash that is known: none. */
void hf_shelf_digest_init(struct hf_shelf_digest *d, struct hf_span integrity);
void hf_shelf_digest_add(struct hf_shelf_digest *d, struct hf_span bytes);
/* @d stays as it is. HF_EBADMSG: no hash of @integrity matches. */
int hf_shelf_digest_get(const struct hf_shelf_digest *d, struct hf_span integrity,
			uint8_t sha256[32]);

void hf_shelf_digest_of_nothing(uint8_t sha256[32]);

#endif

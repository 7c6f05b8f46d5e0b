/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refresh tokens that took the place of the one in refresh-token-file (RFC 6749
 * section 6, RFC 9700 section 4.14.2). They are nowhere else, so they are kept in
 * the store: for each text of the file the token that came last and the one that
 * it was got with. After a cut of the power the last one that was stored goes
 * first; when it is refused, the one before it does: a server that lost power
 * too may know that one only.
 *
 * With several users in turn, as many are kept as HF_TOKENS_KEPT_MAX.
 */
#ifndef HF_SYNC_TOKEN_KEEP_H
#define HF_SYNC_TOKEN_KEEP_H

#include "base/buf.h"

#define HF_TOKENS_KEPT_MAX 8

struct hf_token_kept {
	uint64_t seed; /* hf_token_seed of the file's text */
	char *current, *previous;
};

/* All zero: nothing is kept. */
struct hf_token_keep {
	struct hf_token_kept v[HF_TOKENS_KEPT_MAX]; /* the one that changed last first */
	unsigned n;
};

uint64_t hf_token_seed(struct hf_span text);
/* NULL: the file's own is the one to use. */
const struct hf_token_kept *hf_token_keep_find(const struct hf_token_keep *k, uint64_t seed);
/* @next was got with @used. HF_ENOMEM: nothing has changed. */
int hf_token_keep_rotate(struct hf_token_keep *k, uint64_t seed, struct hf_span used,
			 struct hf_span next);
int hf_token_keep_encode(const struct hf_token_keep *k, struct hf_buf *out);
/* HF_ECORRUPT, HF_ENOMEM: @k is empty then. */
int hf_token_keep_decode(struct hf_span bytes, struct hf_token_keep *k);
void hf_token_keep_finish(struct hf_token_keep *k);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a token endpoint answers (RFC 6749 sections 5.1 and 5.2): JSON from
 * outside, of which nothing is taken on trust. Never logged, never shown.
 */
#ifndef HF_SYNC_TOKEN_ANSWER_H
#define HF_SYNC_TOKEN_ANSWER_H

#include "base/arena.h"

#define HF_TOKEN_ANSWER_MAX  (16 * 1024) /* of the whole document */
#define HF_ACCESS_TOKEN_MAX  8000
#define HF_REFRESH_TOKEN_MAX 4096
#define HF_TOKEN_EXPIRES_MAX (366 * 86400)

struct hf_token_answer {
	struct hf_span access;	/* in the arena */
	struct hf_span refresh; /* in the arena; ptr NULL: none */
	uint32_t expires_s;	/* 0: not said */
};

/* 1 to @max printable characters (RFC 6749 appendix A.12 and A.17). */
bool hf_token_is_valid(struct hf_span token, size_t max);
/* HF_EPROTO: it is no token. HF_ENOTSUP: one that is not sent as Bearer.
 * HF_ENOMEM. */
int hf_token_answer_parse(struct hf_span body, struct hf_arena *arena, struct hf_token_answer *out);
/* The error of a refusal when it is one of the standard's that time does not
 * heal, as "invalid_grant" (static); NULL: none, another one, no JSON. */
const char *hf_token_error(struct hf_span body);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token endpoint of a shop (RFC 6749 section 6): refresh tokens that rotate.
 * The one that was used last stays good until the one in its place is used, or an
 * order comes with the access token beside it. So an answer that is lost, or not
 * stored before the power goes, costs nothing; a device that goes on with a token
 * from before that is locked out for good.
 */
#ifndef SIM_TOKENS_H
#define SIM_TOKENS_H

#include "base/span.h"

#define SIM_TOKENS_PATH	  "/oauth/token"
#define SIM_REFRESH_FIRST "refresh-0"

struct sim_tokens {
	uint64_t life_us;      /* of an access token, 0: the shop asks for none */
	unsigned used, issued; /* refresh tokens, by number */
	uint64_t until_us;     /* the end of the last access token */
};

/* @form: the request's body. True: a token; @out: the answer's document. */
bool sim_tokens_answer(struct sim_tokens *t, struct hf_span form, uint64_t now_us, char *out,
		       size_t size);
/* @field: Authorization, NULL: there is none. */
bool sim_tokens_accept(struct sim_tokens *t, const struct hf_span *field, uint64_t now_us);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vary (RFC 9111 section 4.1). What a stored response needs to be told apart
 * by it is one string, the selecting key: a line "name:value" LF for each
 * nominated request field, "name" LF for an absent one, names in lower case and
 * sorted. Values are normalised: lines combined, no white space around commas;
 * Accept-Language and Accept-Encoding also without regard to case and order.
 */
#ifndef HF_HTTP_VARY_H
#define HF_HTTP_VARY_H

#include "base/arena.h"
#include "base/span.h"
#include "http/message.h"

#define HF_VARY_NAMES_MAX 32
#define HF_VARY_KEY_MAX	  8192

/* The response's Vary holds "*", or what cannot be compared: a member that is
 * no field name, or more than HF_VARY_NAMES_MAX of them. Its selecting key is
 * "*" LF, which matches nothing. */
bool hf_vary_is_star(const struct hf_fields *response);

/* The selecting key of @response to @request, in @arena. Empty (ptr not NULL)
 * without Vary; "*" LF as above and past HF_VARY_KEY_MAX. ptr NULL: no memory. */
struct hf_span hf_vary_key(struct hf_arena *arena, const struct hf_fields *response,
			   const struct hf_fields *request);

/* Whether @request is one that the response of @key answers. A response of one
 * @content_language (may be empty) also answers an Accept-Language that rates
 * this language above all others. @scratch holds what is compared; without
 * memory nothing matches. */
bool hf_vary_match(struct hf_arena *scratch, struct hf_span key, const struct hf_fields *request,
		   struct hf_span content_language);
/* The same, whatever the Accept-Encoding is. */
bool hf_vary_match_any_encoding(struct hf_arena *scratch, struct hf_span key,
				const struct hf_fields *request, struct hf_span content_language);

/* Whether a response has no content coding. */
bool hf_is_identity(const struct hf_fields *response);
/* Whether the content codings of @response are acceptable to @request (RFC 9110 section
 * 12.5.3): any where there is no Accept-Encoding. */
bool hf_accepts_encoding(const struct hf_fields *request, const struct hf_fields *response);

#endif

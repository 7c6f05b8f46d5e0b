/* SPDX-License-Identifier: Apache-2.0 */
/* URI references within one origin (RFC 3986 section 5), as Location and
 * Content-Location hold them. */
#ifndef HF_HTTP_REFERENCE_H
#define HF_HTTP_REFERENCE_H

#include "base/arena.h"
#include "http/url.h"

#define HF_REFERENCE_MAX 8192

/* Path and query of one origin. */
struct hf_target {
	struct hf_span path;
	struct hf_span query; /* ptr NULL: none */
};

/* @reference against @base, its fragment dropped; a path with dot segments is
 * normalised (hf_path_normalize), others stay as they are. False when it is of
 * another origin (scheme, host or port), is no URI, is longer than
 * HF_REFERENCE_MAX, or without memory. Spans point into @reference, @base or
 * @arena. */
bool hf_reference_resolve(const struct hf_url *base, struct hf_span reference,
			  struct hf_arena *arena, struct hf_target *out);
/* The target is @url's own, byte by byte. */
bool hf_target_is_of(const struct hf_target *target, const struct hf_url *url);

#endif

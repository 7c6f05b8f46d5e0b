/* SPDX-License-Identifier: Apache-2.0 */
/* Entity-tags (RFC 9110 section 8.8.3) and lists of them. */
#ifndef HF_HTTP_ETAG_H
#define HF_HTTP_ETAG_H

#include "base/span.h"
#include "http/message.h"

/* A value that is no entity-tag (no quotes, a wrong weakness mark) is taken as
 * a strong one whose opaque part is all of it. */
struct hf_etag {
	struct hf_span text;   /* as sent, trimmed */
	struct hf_span opaque; /* without W/ and quotes */
	bool weak;
};

/* The first ETag line; false when absent or empty. */
bool hf_etag_of(const struct hf_fields *fields, struct hf_etag *out);
bool hf_etag_eq_strong(const struct hf_etag *a, const struct hf_etag *b);
bool hf_etag_eq_weak(const struct hf_etag *a, const struct hf_etag *b);
/* Cuts the next entity-tag off a list; a comma or backslash in quotes is part
 * of the tag. Empty members are passed over. False at the end. */
bool hf_etag_next(struct hf_span *rest, struct hf_etag *out);
/* Weak comparison of @etag (NULL: none) with all If-None-Match lines. "*"
 * always matches (RFC 9110 section 13.1.2). */
bool hf_if_none_match(const struct hf_fields *request, const struct hf_etag *etag);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URL patterns on path and query, the part of the URL Pattern standard that
 * routes use: literal text, "*" (any run, also '/'), ":name" (one segment; in
 * the query any run but the empty one), "{...}" groups, "{...}?" optional
 * groups, '\' before a character that is meant literally. No regular
 * expression groups, as in the Service Worker static routing API; no '+' or
 * '*' behind names and groups, no '?' behind names and '*'. A pattern without
 * '?' matches whatever the query. Literal text of the path is compared in the
 * form hf_path_normalize gives.
 */
#ifndef HF_HTTP_URL_PATTERN_H
#define HF_HTTP_URL_PATTERN_H

#include "base/span.h"

#define HF_URL_PATTERN_MAX 1024 /* bytes of text */

struct hf_url_pattern; /* heap */

/* HF_EINVAL: *error_at is the offset of what is wrong, *error the words
 * (static). HF_ENOMEM. */
int hf_url_pattern_compile(struct hf_span text, struct hf_url_pattern **out, size_t *error_at,
			   const char **error);
void hf_url_pattern_destroy(struct hf_url_pattern *p);
/* Matching costs at most O(pattern x path), no recursion, no allocation. @path
 * as hf_path_normalize gives it; @query's ptr NULL: none. */
bool hf_url_pattern_match(const struct hf_url_pattern *p, struct hf_span path,
			  struct hf_span query);

#endif

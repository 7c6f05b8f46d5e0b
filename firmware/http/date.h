/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP dates (RFC 9110 section 5.6.7), proleptic Gregorian, no libc time. */
#ifndef HF_HTTP_DATE_H
#define HF_HTTP_DATE_H

#include "base/span.h"

#define HF_HTTP_DATE_LEN 29

/* IMF-fixdate, RFC 850 and asctime forms; Unix seconds out. Two-digit years
 * stand for 1970 to 2069, second 60 for the start of the next minute; names
 * are of either case, and that of the day is not compared with the date.
 * HF_EINVAL. */
int hf_http_date_parse(struct hf_span text, int64_t *unix_s);
/* "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL. Years 1970 to 9999,
 * other times are moved to the nearer end. */
void hf_http_date_format(int64_t unix_s, char out[HF_HTTP_DATE_LEN + 1]);
/* "2026-11-21T02:45:00.123Z" (RFC 3339) and a NUL. Years as above. */
void hf_rfc3339_format(int64_t unix_ms, char out[25]);

#endif

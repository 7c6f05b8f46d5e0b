/* SPDX-License-Identifier: Apache-2.0 */
/* Values of single fields: Retry-After, Prefer, Idempotency-Key and the like. */
#ifndef HF_HTTP_VALUES_H
#define HF_HTTP_VALUES_H

#include "base/span.h"
#include "http/message.h"

/* Retry-After (RFC 9110 section 10.2.3). Delta-seconds: *is_date false,
 * *seconds the delay (clamped to UINT32_MAX). Date: *is_date true, *seconds the
 * Unix time. HF_EINVAL. */
int hf_retry_after_parse(struct hf_span value, bool *is_date, int64_t *seconds);

struct hf_prefer {
	bool has_wait;
	uint32_t wait_s; /* Prefer: wait=N */
	bool respond_async;
};
/* Prefer (RFC 7240) over all its lines; unknown preferences are ignored, the
 * first of a repeated one counts. */
void hf_prefer_parse(const struct hf_fields *fields, struct hf_prefer *out);

/* The key out of an Idempotency-Key value: a structured-field string
 * ("...", RFC 8941 section 3.3.3) or the bare form in common use. 1 to 255
 * printable ASCII bytes; HF_EINVAL. The result points into @value (escapes in a
 * quoted key are refused, in the bare form also quotes, commas and spaces). */
int hf_idempotency_key_parse(struct hf_span value, struct hf_span *key);

/* RFC 3629. */
bool hf_is_utf8(struct hf_span s);
/* Appends @s as a JSON string with quotes; bytes that are not UTF-8 become
 * U+FFFD. HF_ELIMIT, HF_ENOMEM; nothing is appended then. */
struct hf_buf;
int hf_json_append_string(struct hf_buf *out, struct hf_span s);
/* With padding (RFC 4648 section 4). HF_ELIMIT, HF_ENOMEM: a part may be there. */
int hf_base64_append(struct hf_buf *out, struct hf_span bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Server-Sent Events (HTML standard, section 9.2) as bytes. */
#ifndef HF_HTTP_SSE_H
#define HF_HTTP_SSE_H

#include "base/buf.h"

/* Appends one event. @event and @id may be empty; line breaks inside @data
 * become further data lines. HF_EINVAL when @event or @id hold a line break or
 * NUL; HF_ELIMIT, HF_ENOMEM. A failure appends nothing. */
int hf_sse_write(struct hf_buf *out, struct hf_span event, struct hf_span id, struct hf_span data);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A representation as a Server-Sent Event. */
#ifndef HF_COAP_OBSERVE_EVENT_H
#define HF_COAP_OBSERVE_EVENT_H

#include "base/buf.h"

/* The longest event of a representation of @n bytes: "data: " before each byte and a
 * line break behind it, or base64. */
#define HF_COAP_EVENT_MAX(n) (8 * (size_t)(n) + 64)

/* @format: its Content-Format, -1: none. HF_ENOMEM, HF_ELIMIT. */
int hf_coap_event_write(struct hf_buf *out, int32_t format, struct hf_span payload);

#endif

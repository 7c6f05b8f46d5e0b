/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to fetch/: the answer to a POST that is what a GET of its URL would get (RFC
 * 9110 section 9.3.3), on its way into the HTTP cache. A short one: it is collected in
 * memory and stored when it is complete.
 */
#ifndef HF_FETCH_POSTED_H
#define HF_FETCH_POSTED_H

#include "fetch/event.h"

struct hf_posted;

/* NULL: it is not one, or cannot be stored. @asked_ms: when @request was sent (boot
 * time). After hf_fetch_written. */
struct hf_posted *hf_posted_begin(struct hf_fetch *f, unsigned origin,
				  const struct hf_message *request, uint64_t asked_ms,
				  const struct hf_message *response);
void hf_posted_body(struct hf_posted *p, struct hf_span data);
/* It is stored when @complete. @p is gone. NULL is fine. */
void hf_posted_end(struct hf_posted *p, bool complete);
/* The shelf has been destroyed. */
void hf_posted_destroy_all(struct hf_fetch *f);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that waits for another one (docs/PROTOCOL.md, section 2): what its
 * Holdfast-After field asks for, and how the answer of the other fills it in. Pure
 * functions: the same field, answer and request give the same bytes on every
 * attempt.
 *
 *   Holdfast-After: "01J..."; order="/id"; place=location
 *                    id       name  from
 */
#ifndef HF_QUEUE_AFTER_H
#define HF_QUEUE_AFTER_H

#include "queue/record.h"

#define HF_AFTER_FIELD	    "Holdfast-After"
#define HF_AFTER_VALUES_MAX 8
#define HF_AFTER_NAME_MAX   32
#define HF_AFTER_FROM_MAX   256 /* bytes of a pointer or a field's name */

struct hf_after_value {
	struct hf_span name;
	struct hf_span from; /* a JSON Pointer, or a field's name */
	bool is_field;
	/* set by hf_after_resolve */
	struct hf_span text;
	bool is_number; /* of JSON */
};

struct hf_after {
	struct hf_span id; /* of the other, as it was given; not looked up */
	struct hf_after_value v[HF_AFTER_VALUES_MAX];
	size_t n;
};

/* A field's value (RFC 9651 section 3.3). Spans point into it or into @arena.
 * HF_EINVAL with *why, a sentence; HF_ENOMEM. */
int hf_after_parse(struct hf_span field, struct hf_arena *arena, struct hf_after *out,
		   const char **why);

/* How places in a body are written and filled in. */
enum hf_after_form {
	HF_AFTER_NONE, /* there are none: it goes as it is */
	HF_AFTER_URL,  /* a URL or a form: percent-encoded */
	HF_AFTER_JSON,
	HF_AFTER_TEXT,
};
enum hf_after_form hf_after_form(const struct hf_fields *fields);

/* Each name has a place in @target or @body. HF_EINVAL with *why. */
int hf_after_check(const struct hf_after *a, struct hf_span target, enum hf_after_form form,
		   struct hf_span body, const char **why);
/* The values, out of the other's answer. HF_ENOENT with *why: it does not have one
 * of them; HF_ENOMEM. */
int hf_after_resolve(struct hf_after *a, const struct hf_answer_head *answer, struct hf_span body,
		     struct hf_arena *arena, const char **why);
/* Appends @text with its places filled in, after resolve. HF_ELIMIT: it is longer
 * than @out may be; HF_ENOMEM. */
int hf_after_fill(const struct hf_after *a, enum hf_after_form form, struct hf_span text,
		  struct hf_buf *out);

/* Target and body as they are sent. */
struct hf_after_request {
	struct hf_span target;		/* in, out: in the arena */
	const struct hf_fields *fields; /* in: of the request */
	struct hf_buf *body;		/* in, out; NULL: it is in a blob */
};
/* resolve and fill, from the other's stored answer as it was loaded. HF_ENOENT with
 * *why; HF_ENOMEM. */
int hf_after_apply(struct hf_after *a, const struct hf_store_load *other, struct hf_arena *arena,
		   struct hf_after_request *req, const char **why);

#endif

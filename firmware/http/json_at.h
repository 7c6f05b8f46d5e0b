/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value of a JSON text (RFC 8259), found by a JSON Pointer (RFC 6901). The
 * text is read up to the end of the value and no further, without recursion, and
 * no deeper than HF_JSON_AT_DEPTH.
 */
#ifndef HF_HTTP_JSON_AT_H
#define HF_HTTP_JSON_AT_H

#include "base/arena.h"
#include "base/span.h"

#define HF_JSON_AT_DEPTH 64

enum hf_json_kind {
	HF_JSON_STRING, /* text: without quotes and escapes, UTF-8 as far as the text is */
	HF_JSON_NUMBER, /* text: as it is written */
	HF_JSON_OTHER,	/* no text */
};

struct hf_json_at {
	enum hf_json_kind kind;
	struct hf_span text; /* in the arena or in the JSON */
};

/* "" or a sequence of "/" and tokens whose "~" are followed by 0 or 1. */
bool hf_json_pointer_is_valid(struct hf_span pointer);
/* A valid @pointer. Of members with one name the first counts. HF_EPROTO: the text
 * is not JSON; HF_ENOENT: nothing is there; HF_ENOMEM. */
int hf_json_at(struct hf_span json, struct hf_span pointer, struct hf_arena *arena,
	       struct hf_json_at *out);

#endif

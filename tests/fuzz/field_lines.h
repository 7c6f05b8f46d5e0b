/* SPDX-License-Identifier: Apache-2.0 */
/* Fields out of fuzz input: lines "name: value" LF, without what the HTTP/1.1
 * reader would refuse. */
#ifndef HF_FUZZ_FIELD_LINES_H
#define HF_FUZZ_FIELD_LINES_H

#include <assert.h>

#include "http/message.h"

#define LINES_MAX 200

/* Reads up to the end or to an empty line, which is taken off. */
static inline struct hf_fields read_lines(struct hf_span *rest, struct hf_arena *arena)
{
	struct hf_fields fields;
	struct hf_span line, name;

	hf_fields_init(&fields, arena);
	while (rest->len > 0) {
		line = hf_span_cut(rest, '\n');
		if (line.len == 0)
			break;
		name = hf_span_cut(&line, ':');
		line = hf_span_trim(line);
		if (fields.n < LINES_MAX && hf_is_token(name) && hf_is_field_value(line))
			assert(!hf_fields_add(&fields, name, line));
	}
	return fields;
}

#endif

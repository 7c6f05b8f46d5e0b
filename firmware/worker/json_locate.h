/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the values of a JSON text stand. A strict reader (RFC 8259) goes over
 * the text once, reports the first error of syntax with its place, and writes
 * down the offset of every value in the order of the text; the n-th value here
 * is the n-th one of any parser's tree, walked in pre-order.
 */
#ifndef HF_WORKER_JSON_LOCATE_H
#define HF_WORKER_JSON_LOCATE_H

#include "base/buf.h"
#include "base/span.h"

#define HF_JSON_DEPTH_MAX 64
#define HF_JSON_NONE	  UINT32_MAX

struct hf_json_value {
	uint32_t at;	 /* offset of its first byte */
	uint32_t key_at; /* offset of the key's quote; HF_JSON_NONE: no member */
	uint32_t parent; /* number of the value around it, HF_JSON_NONE: the root */
	uint32_t index;	 /* place among its parent's values, from 0 */
	uint32_t end;	 /* number of the first value behind it and its parts */
};

struct hf_json_map {
	struct hf_span text; /* the caller's */
	struct hf_json_value *values;
	uint32_t n, cap;
};

struct hf_json_error {
	size_t at;	   /* offset */
	const char *words; /* static */
};

/* HF_EPROTO with *error, HF_ENOMEM. Keeps @text, which is shorter than 2 GiB. */
int hf_json_map_init(struct hf_json_map *m, struct hf_span text, struct hf_json_error *error);
void hf_json_map_finish(struct hf_json_map *m);
/* Line and column of an offset, both from 1; the column counts bytes. */
void hf_json_place(struct hf_span text, size_t at, unsigned *line, unsigned *column);
/* Appends "routes[2].queue.order" ("" for the root); keys as they are written. */
int hf_json_path(const struct hf_json_map *m, uint32_t value, struct hf_buf *out);

#endif

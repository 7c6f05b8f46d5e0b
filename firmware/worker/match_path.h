/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's path as routes and scopes see it: normalised (RFC 3986 section
 * 6.2.2). Most paths are so already and are used as they are; only the others
 * cost memory.
 */
#ifndef HF_WORKER_MATCH_PATH_H
#define HF_WORKER_MATCH_PATH_H

#include "base/arena.h"
#include "http/url.h"

struct hf_match_path {
	struct hf_span path;
	struct hf_arena arena;
};

/* Without memory: the path as it was sent. */
static inline void hf_match_path_init(struct hf_match_path *p, struct hf_span path)
{
	bool plain = path.len == 0 || !memchr(path.ptr, '%', path.len);

	for (size_t i = 0; plain && i + 1 < path.len; i++)
		plain = path.ptr[i] != '/' || path.ptr[i + 1] != '.';
	hf_arena_init(&p->arena, path.len * 2 + 256);
	p->path = plain ? path : hf_path_normalize(&p->arena, path);
	if (!p->path.ptr)
		p->path = path;
}

static inline void hf_match_path_finish(struct hf_match_path *p)
{
	hf_arena_finish(&p->arena);
}

#endif

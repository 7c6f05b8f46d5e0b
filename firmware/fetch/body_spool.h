/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a queued request on its way in: a small one stays in memory, a
 * larger one goes into a blob of the store chunk by chunk, in order of arrival.
 * While the store is busy at most one more chunk is taken, then the writer has
 * to wait (back-pressure).
 */
#ifndef HF_FETCH_BODY_SPOOL_H
#define HF_FETCH_BODY_SPOOL_H

#include "base/buf.h"
#include "store/records.h"

struct hf_spool {
	/* in */
	struct hf_store *store;
	size_t inline_max;    /* up to it the body stays in memory */
	uint32_t chunk_bytes; /* at most 1 MiB */
	uint64_t body_max;
	/* There is room again after a short write. */
	void (*room)(void *user);
	/* After end: everything is where it should be (0) or the store refused. */
	void (*finished)(void *user, int err);
	/* After stop: the store holds nothing of ours any more. */
	void (*stopped)(void *user);
	void *user;
	/* out, when finished */
	struct hf_buf memory; /* the whole body, when blob is 0 */
	uint64_t blob;
	uint64_t len;
	/* private */
	struct hf_buf flight; /* being written */
	struct hf_store_blob_append append;
	uint32_t chunks;
	int err;
	bool busy, ended, stopping, waiting;
};

void hf_spool_init(struct hf_spool *s);
/* Takes up to @data.len bytes; fewer: room() comes. HF_ETOOBIG past body_max,
 * else as the store says; then only stop remains. */
ptrdiff_t hf_spool_write(struct hf_spool *s, struct hf_span data);
/* The body is complete. 1: it is where it should be; 0: finished() comes; else the
 * store's error. */
int hf_spool_end(struct hf_spool *s);
/* Gives up. True: at once; else stopped() comes. */
bool hf_spool_stop(struct hf_spool *s);
void hf_spool_finish(struct hf_spool *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests out of a file whose B-tree leads nowhere: every page is looked at by
 * itself, the newest copy of it (WAL before database). A leaf page of the
 * request table shows by the shape of its rows; a row is taken only when its
 * checksum is right, so what is stale or torn does not pass.
 */
#ifndef HF_STORE_SIEVE_H
#define HF_STORE_SIEVE_H

#include "store/vfs.h"
#include "store/wal.h"

/* As the columns of request. Spans are valid during the call. */
struct hf_sieve_row {
	uint64_t seq, id, sum, blob, len;
	struct hf_span born, head, body;
};

struct hf_sieve {
	struct hf_vfs *vfs;
	const char *database;	  /* path */
	const struct hf_wal *wal; /* mapped; may be empty */
	/* An error ends it. */
	int (*row)(void *user, const struct hf_sieve_row *row);
	void *user;
};

/* HF_EIO when not even the file's size can be read; unreadable pages are
 * passed over. */
int hf_sieve_run(const struct hf_sieve *sieve);

#endif

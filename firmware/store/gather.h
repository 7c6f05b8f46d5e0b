/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gathers writes that follow each other in a file. SQLite hands a WAL frame
 * over as a header and a page, a commit as several of them; the medium's file
 * gets them in one call. Bytes that wait here have been promised to nobody: a
 * sync, a read of them, a change of size and the close write them first.
 */
#ifndef HF_STORE_GATHER_H
#define HF_STORE_GATHER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#define HF_GATHER_BYTES 32768

struct hf_gather {
	sqlite3_file *file; /* where they go */
	char *bytes;	    /* NULL until the first write */
	size_t len;
	sqlite3_int64 at; /* of bytes[0] in the file */
};

void hf_gather_init(struct hf_gather *g, sqlite3_file *file);
/* What waits is dropped. */
void hf_gather_finish(struct hf_gather *g);
/* SQLite's result codes, also those of earlier writes that had waited. */
int hf_gather_write(struct hf_gather *g, const void *in, int amount, sqlite3_int64 at);
int hf_gather_flush(struct hf_gather *g);
/* Something of [at, at + amount) waits here. */
bool hf_gather_holds(const struct hf_gather *g, int amount, sqlite3_int64 at);

#endif

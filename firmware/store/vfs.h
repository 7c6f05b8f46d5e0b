/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thin VFS over the port's one: it counts the bytes written, gathers writes
 * of the database and its WAL that follow each other, and shows
 * version 1 of the file methods only (no shared memory, no mapping), which
 * locking_mode=EXCLUSIVE needs no more of. It also answers that the WAL file
 * is to stay when it is closed.
 *
 * One per store, registered under a name of its own. Also the few plain file
 * operations that the marker and the reserve need; everything the store does
 * to the disk goes through here.
 */
#ifndef HF_STORE_VFS_H
#define HF_STORE_VFS_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "base/span.h"
#include "holdfast/err.h"

struct hf_vfs {
	sqlite3_vfs vfs;
	sqlite3_vfs *base;
	char name[40];
	uint64_t written;  /* bytes given to xWrite; on the database's thread */
	atomic_uint moved; /* counts what the disk has done: hf_job.moved */
	/* The log is not gathered: without a sync at each commit nobody would write what
	 * waits, and SQLite takes it for written. */
	bool log_at_once;
	/* Salvage: reads of these pages of @patch_path come from memory, and it
	 * is never shorter than @patch_size, which reads as zeros. Its WAL reads as
	 * empty. */
	const char *patch_path;
	uint64_t patch_size;
	int (*patch)(void *user, uint8_t *out, int amount, sqlite3_int64 at);
	void *patch_user;
};

/* @base: a registered VFS, NULL: SQLite's default. HF_EIO when there is none. */
int hf_vfs_init(struct hf_vfs *v, const char *base);
void hf_vfs_finish(struct hf_vfs *v);

/* ---- an open file, for many reads ---- */

/* An existing file, to read. NULL and *err. */
sqlite3_file *hf_file_open(struct hf_vfs *v, const char *path, int *err);
/* As hf_vfs_read. */
int hf_file_read(sqlite3_file *f, void *out, size_t len, uint64_t at);
int hf_file_size(sqlite3_file *f, uint64_t *size);
int hf_file_close(sqlite3_file *f, int err); /* returns @err, or its own */

/* ---- plain files; all return 0 or an HF_E* ---- */

int hf_vfs_exists(struct hf_vfs *v, const char *path, bool *yes);
/* Bytes; 0 for a file that is not there. */
int hf_vfs_size(struct hf_vfs *v, const char *path, uint64_t *size);
/* Removes it and syncs the directory; no file is fine. */
int hf_vfs_delete(struct hf_vfs *v, const char *path);
/* Reads at most @len bytes at @at; what is behind the end reads as zeros.
 * HF_ENOENT. */
int hf_vfs_read(struct hf_vfs *v, const char *path, void *out, size_t len, uint64_t at);
/* Writes, syncs the file and, when it is new, its directory. */
int hf_vfs_write(struct hf_vfs *v, const char *path, const void *bytes, size_t len, uint64_t at);
/* Makes the file @size bytes long, or @least when there is no room for more, with
 * bytes that no file system stores as a hole, synced. A longer one stays. *got: how long
 * it is. */
int hf_vfs_fill(struct hf_vfs *v, const char *path, uint64_t least, uint64_t size, uint64_t *got);

#endif

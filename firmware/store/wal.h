/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite's log as it stands on the medium, read without SQLite. SQLite uses
 * the frames up to the first one whose checksum is wrong and takes that one for
 * the torn end that a power cut leaves. This looks on behind it.
 *
 * What a power cut can tear is the last transaction alone, since each commit is
 * synced before the next frame is written. A checksum is carried on from frame
 * to frame, so a frame shows whether it was written behind the one before it.
 * Hence the proof of damage: behind the bad frame stands a commit and a frame
 * that was written after it. Frames that an earlier transaction left there (one
 * that was rolled back, or torn by an earlier cut) are followed by none.
 */
#ifndef HF_STORE_WAL_H
#define HF_STORE_WAL_H

#include <stdbool.h>
#include <stdint.h>

#include "store/vfs.h"

struct hf_wal {
	uint32_t n;	/* frames in the file */
	uint32_t whole; /* the last commit up to which SQLite reads; 0: none */
	uint32_t end;	/* the last commit: behind whole when the log is damaged */
	uint32_t pages; /* of the database after end */
	bool damaged;	/* something that was synced is bad, or cannot be read */

	/* after hf_wal_map: pages whose last copy up to end is bad */
	uint32_t lost;

	/* private */
	sqlite3_file *file;
	uint8_t *chunk;
	uint32_t chunk_first, chunk_n;
	uint8_t salt[8];
	uint32_t sum[2]; /* of the header */
	bool header_good, big_endian;
	uint32_t *frame; /* [page - 1] */
	uint32_t mapped;
};

/* Opens and looks through it. A log that is missing is an empty one. HF_EIO,
 * HF_ENOMEM: then nothing is open. */
int hf_wal_open(struct hf_wal *w, struct hf_vfs *vfs, const char *path);
void hf_wal_close(struct hf_wal *w); /* also one that is all zeros */
/* Notes where the last good copy of each page is. */
int hf_wal_map(struct hf_wal *w);
bool hf_wal_has(const struct hf_wal *w, uint32_t page);
/* HF_ENOENT: the log has no copy of it. */
int hf_wal_read(const struct hf_wal *w, uint32_t page, uint8_t out[512]);
/* After hf_wal_map: when @database has everything that the log has, which is so
 * after a checkpoint, the log is not needed and nothing of it is lost. */
int hf_wal_settle(struct hf_wal *w, struct hf_vfs *vfs, const char *database);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The marker: the file `queue.store` says that a store exists here and which
 * generation of the database is the current one (queue-<generation>.db). It is
 * on the medium before the first request is acknowledged, so an emptied or
 * missing database is never taken for a first start; and changing it is how a
 * salvaged database takes the place of a damaged one.
 *
 * Two slots, 4096 bytes apart, written in turn; the valid one with the larger
 * sequence number counts. A write that is cut off leaves the other slot.
 *
 *   0 "HFSTORE\1"  8 sequence u64  16 generation u32  20 vanished u32
 *   24 salvages u32  28 zeros  60 crc32 of what stands before
 */
#ifndef HF_STORE_MARKER_H
#define HF_STORE_MARKER_H

#include "store/vfs.h"

struct hf_marker {
	bool there; /* the file exists, even if no slot is valid */
	bool valid;
	uint64_t sequence;
	uint32_t generation;
	uint32_t vanished; /* times the database was found missing */
	uint32_t salvages; /* times it was found damaged */
};

/* HF_EIO: cannot be told. */
int hf_marker_read(struct hf_vfs *vfs, const char *path, struct hf_marker *m);
/* Writes the next slot and syncs; on success m->sequence is one more. */
int hf_marker_write(struct hf_vfs *vfs, const char *path, struct hf_marker *m);

#endif

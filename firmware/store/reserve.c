/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reserve: a file that holds space on the medium. When the medium is full
 * it is deleted, and from then on (db.low) only privileged operations write:
 * settling and deleting go on in the space it gave back. It is made again when
 * there is room; until then everything else is refused.
 */
#include "store/store_private.h"

#define RESERVE_MAX (1u << 20)
#define RESERVE_MIN (64u << 10)

static uint64_t reserve_size(const struct hf_store *s)
{
	uint64_t size = s->reserve_bytes;

	if (size > RESERVE_MAX)
		return RESERVE_MAX;
	return size < RESERVE_MIN ? RESERVE_MIN : size;
}

int hf_reserve_make(struct hf_store *s)
{
	char path[HF_PATH_MAX];
	uint64_t size;
	int err;

	hf_path_reserve(s, path);
	err = hf_vfs_size(&s->vfs, path, &size);
	if (!err && size < reserve_size(s))
		err = hf_vfs_fill(&s->vfs, path, reserve_size(s));
	if (err)
		hf_vfs_delete(&s->vfs, path);
	s->db.low = err != 0;
	s->reserve_due = false;
	return err;
}

bool hf_reserve_release(struct hf_store *s)
{
	char path[HF_PATH_MAX];
	bool there = false;

	hf_path_reserve(s, path);
	s->db.low = true;
	if (hf_vfs_exists(&s->vfs, path, &there) || !there)
		return false;
	return hf_vfs_delete(&s->vfs, path) == 0;
}

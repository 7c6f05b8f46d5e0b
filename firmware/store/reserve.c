/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reserve: a file that holds space on the medium. When the medium is full
 * it is deleted, and from then on (db.low) only privileged operations write:
 * settling and deleting go on in the space it gave back. It is made again when
 * there is room; until then everything else is refused.
 *
 * The log needs that space before the database does, and the database must have
 * it when the log is copied back. So the database may grow by half of it, and
 * the log is kept short by early checkpoints.
 *
 * Its own space always suffices to make it again, so that it can be made does
 * not show that there is room. As long as it has to be given up soon afterwards
 * the tries become rarer: each writes the whole file.
 */
#include "store/store_private.h"

#define RESERVE_UNKNOWN (32u << 10) /* there was none to give up: what may be left */

#define WAIT_MIN_MS 10000
#define WAIT_MAX_MS 60000
#define WAIT_STEPS  3 /* doublings that reach WAIT_MAX_MS */

uint64_t hf_reserve_wait_ms(const struct hf_store *s)
{
	uint64_t wait = (uint64_t)WAIT_MIN_MS << s->reserve_lost;

	return wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS;
}

/* A try that failed, or that did not last. */
static void count_loss(struct hf_store *s)
{
	if (s->now_ms - s->reserve_at_ms > WAIT_MAX_MS)
		s->reserve_lost = 0;
	else if (s->reserve_lost < WAIT_STEPS)
		s->reserve_lost++;
	s->reserve_at_ms = s->now_ms;
}

static void set_low(struct hf_store *s, uint64_t extra)
{
	s->db.low = true;
	s->db.low_extra = extra / HF_PAGE_SIZE;
	s->db.low_max = 0;
	s->checkpoint_at = HF_LOW_WAL_PAGES;
}

int hf_reserve_make(struct hf_store *s)
{
	char path[HF_PATH_MAX];
	uint64_t size;
	int err;

	hf_path_reserve(s, path);
	err = hf_vfs_size(&s->vfs, path, &size);
	if (!err && size < s->reserve_bytes)
		err = hf_vfs_fill(&s->vfs, path, s->reserve_bytes);
	if (err) {
		hf_vfs_delete(&s->vfs, path);
		count_loss(s);
	}
	if (err && !s->db.low)
		set_low(s, RESERVE_UNKNOWN);
	else if (!err)
		s->db.low = false;
	s->reserve_due = false;
	return err;
}

bool hf_reserve_release(struct hf_store *s)
{
	char path[HF_PATH_MAX];
	bool there = false;

	hf_path_reserve(s, path);
	if (hf_vfs_exists(&s->vfs, path, &there))
		there = false;
	there = there && hf_vfs_delete(&s->vfs, path) == 0;
	if (there) {
		set_low(s, s->reserve_bytes / 2);
		count_loss(s);
	} else if (!s->db.low) {
		set_low(s, RESERVE_UNKNOWN);
	}
	return there;
}

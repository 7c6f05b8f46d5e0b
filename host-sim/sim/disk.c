/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/disk.h"

#include <assert.h>

#include "holdfast/err.h"
#include "sim/disk_image.h"
#include "sim/mem.h"

#define MADE_BYTES 65536 /* far more than making a database takes */

struct sim_disk {
	struct sim_image image;
	struct sim_image frozen; /* what a cut finds, when has_frozen */
	bool has_frozen, cut_is_due;
	struct hf_list files; /* open ones */
	size_t open_files;
	struct sim_rng rng;
	bool dead;
	uint64_t lives;	 /* cuts so far; a file of an earlier life is dead */
	uint64_t cut_in; /* operations left, 0: none set */
	void (*on_cut)(void *user);
	void *on_cut_user;
	sim_disk_see *see;
	void *see_user;
	struct sim_disk_faults faults;
	struct sim_rng fate;
	struct sim_disk_lies lies;
	struct sim_disk_stats stats;
};

struct sim_file {
	struct hf_list item;
	struct sim_disk *disk;
	struct sim_node *node;
	enum sim_disk_role role;
	uint64_t life;
	int lock;
	char name[]; /* for those who look on */
};

struct sim_disk *sim_disk_create(uint64_t seed, const char *name)
{
	struct sim_disk *d = sim_alloc(sizeof(*d));
	char domain[64];

	snprintf(domain, sizeof(domain), "%s/disk", name);
	sim_rng_init(&d->rng, seed, domain);
	snprintf(domain, sizeof(domain), "%s/disk faults", name);
	sim_rng_init(&d->fate, seed, domain);
	sim_image_init(&d->image);
	hf_list_init(&d->files);
	d->faults.capacity = UINT64_MAX;
	return d;
}

void sim_disk_destroy(struct sim_disk *d)
{
	if (!d)
		return;
	assert(hf_list_empty(&d->files));
	sim_disk_thaw(d);
	sim_image_finish(&d->image);
	sim_free(d);
}

/* ---- faults ---- */

void sim_disk_cut(struct sim_disk *d)
{
	if (d->dead)
		return;
	if (d->has_frozen) {
		sim_image_finish(&d->image);
		sim_image_move(&d->image, &d->frozen);
		d->has_frozen = false;
	}
	sim_image_cut(&d->image, &d->rng);
	if (d->lies.empty_after_cut)
		sim_image_finish(&d->image);
	d->dead = true;
	d->lives++;
	d->cut_in = 0;
	d->faults.fail_in = 0;
	d->stats.cuts++;
}

void sim_disk_kill(struct sim_disk *d)
{
	if (d->dead)
		return;
	sim_disk_thaw(d);
	sim_image_unlock(&d->image);
	d->dead = true;
	d->lives++;
}

void sim_disk_cut_at(struct sim_disk *d, uint64_t nth)
{
	d->cut_in = nth;
}

void sim_disk_on_cut(struct sim_disk *d, void (*on_cut)(void *user), void *user)
{
	d->on_cut = on_cut;
	d->on_cut_user = user;
}

void sim_disk_on_op(struct sim_disk *d, sim_disk_see *see, void *user)
{
	d->see = see;
	d->see_user = user;
}

bool sim_disk_is_dead(const struct sim_disk *d)
{
	return d->dead;
}

void sim_disk_revive(struct sim_disk *d)
{
	d->dead = false;
}

void sim_disk_capacity(struct sim_disk *d, uint64_t bytes)
{
	d->faults.capacity = bytes;
}

uint64_t sim_disk_used(const struct sim_disk *d)
{
	return d->image.bytes;
}

void sim_disk_fail_at(struct sim_disk *d, uint64_t nth)
{
	d->faults.fail_in = nth;
}

void sim_disk_worsen(struct sim_disk *d, enum sim_disk_fault fault, uint64_t value)
{
	switch (fault) {
	case SIM_DISK_NORMAL:
		d->faults = (struct sim_disk_faults){ .capacity = UINT64_MAX,
						      .rotten = d->faults.rotten };
		break;
	case SIM_DISK_FULL:
		d->faults.capacity = d->image.bytes;
		break;
	case SIM_DISK_FREE:
		d->faults.capacity = UINT64_MAX;
		break;
	case SIM_DISK_SLOW:
		d->faults.slow_us = value;
		break;
	case SIM_DISK_FAILS:
		d->faults.fail_percent = (unsigned)value;
		break;
	case SIM_DISK_FAILS_AT:
		d->faults.fail_in = value;
		break;
	case SIM_DISK_ROTS:
		for (; value > 0; value--)
			d->faults.rotten += sim_image_rot(&d->image, &d->fate);
		break;
	}
}

const struct sim_disk_faults *sim_disk_faults(const struct sim_disk *d)
{
	return &d->faults;
}

void sim_disk_lie(struct sim_disk *d, const struct sim_disk_lies *lies)
{
	d->lies = *lies;
}

void sim_disk_freeze(struct sim_disk *d)
{
	if (d->has_frozen || d->dead)
		return;
	sim_image_copy(&d->frozen, &d->image);
	d->has_frozen = true;
	d->cut_is_due = false;
}

void sim_disk_thaw(struct sim_disk *d)
{
	if (!d->has_frozen)
		return;
	sim_image_finish(&d->frozen);
	d->has_frozen = false;
}

bool sim_disk_cut_is_due(const struct sim_disk *d)
{
	return d->cut_is_due;
}

/* Counts one operation. True: its turn for the cut, which the caller makes
 * after handing the operation to the disk. */
static bool count_op(struct sim_disk *d, const char *op, const char *path, uint64_t at, size_t len)
{
	d->stats.ops++;
	if (d->see)
		d->see(d->see_user, op, path, at, len);
	if (d->cut_in == 0 || --d->cut_in > 0)
		return false;
	if (d->has_frozen)
		d->cut_is_due = true;
	return !d->has_frozen;
}

static int cut_here(struct sim_disk *d)
{
	if (d->on_cut)
		d->on_cut(d->on_cut_user);
	sim_disk_cut(d);
	return HF_EIO;
}

static bool fails_by_chance(struct sim_disk *d)
{
	if (!d->faults.fail_percent || !sim_rng_chance(&d->fate, d->faults.fail_percent))
		return false;
	d->stats.failed++;
	return true;
}

static bool fails_now(struct sim_disk *d)
{
	if (d->faults.fail_in > 0 && --d->faults.fail_in == 0) {
		d->stats.failed++;
		return true;
	}
	return fails_by_chance(d);
}

static bool is_dead(const struct sim_file *f)
{
	return f->disk->dead || f->life != f->disk->lives;
}

/* ---- files ---- */

static struct sim_file *file_create(struct sim_disk *d, struct sim_node *node,
				    enum sim_disk_role role, const char *name)
{
	struct sim_file *f = sim_alloc(sizeof(*f) + strlen(name) + 1);

	memcpy(f->name, name, strlen(name) + 1);
	f->disk = d;
	f->node = node;
	node->refs++;
	f->role = role;
	f->life = d->lives;
	hf_list_init(&f->item);
	hf_list_push(&d->files, &f->item);
	d->open_files++;
	return f;
}

static int create_entry(struct sim_disk *d, struct sim_entry *e, const char *path)
{
	bool cut = count_op(d, "create", path, 0, 0);

	if (fails_now(d))
		return HF_EIO;
	if (!e)
		e = sim_image_add(&d->image, path);
	sim_entry_set(&e->live, sim_node_create());
	return cut ? cut_here(d) : 0;
}

int sim_disk_open(struct sim_disk *d, const char *path, unsigned flags, enum sim_disk_role role,
		  struct sim_file **out)
{
	struct sim_entry *e;
	int err;

	if (d->dead)
		return HF_EIO;
	if (!path) {
		*out = file_create(d, sim_node_create(), role, "(temporary)");
		return 0;
	}
	e = sim_image_find(&d->image, path);
	if (e && e->live && (flags & SIM_DISK_CREATE) && (flags & SIM_DISK_EXCLUSIVE))
		return HF_EEXIST;
	if (!e || !e->live) {
		if (!(flags & SIM_DISK_CREATE))
			return HF_ENOENT;
		err = create_entry(d, e, path);
		if (err)
			return err;
		e = sim_image_find(&d->image, path);
	}
	*out = file_create(d, e->live, role, path);
	return 0;
}

void sim_file_close(struct sim_file *f)
{
	if (!f)
		return;
	sim_file_unlock(f, 0);
	hf_list_remove(&f->item);
	f->disk->open_files--;
	sim_node_unref(f->node);
	sim_free(f);
}

int sim_file_read(struct sim_file *f, void *out, size_t len, uint64_t at, size_t *got)
{
	const struct sim_bytes *b = &f->node->live;

	if (is_dead(f) || fails_by_chance(f->disk))
		return HF_EIO;
	*got = at >= b->len ? 0 : b->len - at < len ? (size_t)(b->len - at) : len;
	if (*got)
		sim_bytes_read(b, out, *got, at);
	return 0;
}

int sim_file_write(struct sim_file *f, const void *data, size_t len, uint64_t at)
{
	struct sim_disk *d = f->disk;
	uint64_t size = f->node->live.len;
	uint64_t grows = at + len > size ? at + len - size : 0;
	bool cut;

	if (is_dead(f))
		return HF_EIO;
	cut = count_op(d, "write", f->name, at, len);
	if (fails_now(d))
		return HF_EIO;
	if (grows > 0 && d->image.bytes + grows > d->faults.capacity) {
		d->stats.refused++;
		return HF_EFULL;
	}
	sim_node_write(f->node, data, len, at);
	d->image.bytes += grows;
	d->stats.writes++;
	d->stats.bytes += len;
	d->stats.by_role[f->role] += len;
	return cut ? cut_here(d) : 0;
}

int sim_file_truncate(struct sim_file *f, uint64_t size)
{
	struct sim_disk *d = f->disk;
	bool cut;

	if (is_dead(f))
		return HF_EIO;
	cut = count_op(d, "truncate", f->name, size, 0);
	if (fails_now(d))
		return HF_EIO;
	d->image.bytes += size - f->node->live.len; /* wraps to a difference */
	sim_node_truncate(f->node, size);
	return cut ? cut_here(d) : 0;
}

int sim_file_sync(struct sim_file *f)
{
	struct sim_disk *d = f->disk;

	if (is_dead(f))
		return HF_EIO;
	if (count_op(d, "sync", f->name, 0, 0))
		return cut_here(d);
	if (fails_now(d))
		return HF_EIO;
	if (d->lies.forgets_sync_main && f->role == SIM_DISK_MAIN &&
	    d->stats.by_role[SIM_DISK_MAIN] > MADE_BYTES)
		return 0;
	if (d->lies.rewrites_main && f->role == SIM_DISK_WAL)
		d->stats.bytes += d->image.bytes;
	sim_node_sync(f->node);
	sim_image_sync_entry(&d->image, f->node);
	d->stats.syncs++;
	return 0;
}

int sim_file_size(struct sim_file *f, uint64_t *size)
{
	if (is_dead(f))
		return HF_EIO;
	*size = f->node->live.len;
	return 0;
}

int sim_disk_remove(struct sim_disk *d, const char *path, bool sync_dir)
{
	struct sim_entry *e = sim_image_find(&d->image, path);
	bool cut;

	if (d->dead)
		return HF_EIO;
	if (!e || !e->live)
		return HF_ENOENT;
	cut = count_op(d, sync_dir ? "remove and sync" : "remove", path, 0, 0);
	if (fails_now(d))
		return HF_EIO;
	d->image.bytes -= e->live->live.len;
	sim_entry_set(&e->live, NULL);
	if (cut)
		return cut_here(d);
	if (sync_dir && !d->lies.forgets_sync_dir)
		sim_entry_set(&e->durable, NULL);
	return 0;
}

bool sim_disk_exists(struct sim_disk *d, const char *path)
{
	struct sim_entry *e = sim_image_find(&d->image, path);

	return !d->dead && e && e->live;
}

/* ---- locks ---- */

#define LOCK_SHARED    1
#define LOCK_EXCLUSIVE 4

int sim_file_lock(struct sim_file *f, int level)
{
	struct sim_node *n = f->node;

	if (is_dead(f))
		return HF_EIO;
	if (level <= f->lock)
		return 0;
	if (n->lock_holder && n->lock_holder != f)
		return HF_EBUSY;
	if (f->lock == 0)
		n->lock_shared++;
	f->lock = LOCK_SHARED;
	if (level == LOCK_SHARED)
		return 0;
	n->lock_holder = f;
	if (level == LOCK_EXCLUSIVE && n->lock_shared > 1) {
		f->lock = LOCK_EXCLUSIVE - 1; /* pending: keeps new readers out */
		return HF_EBUSY;
	}
	f->lock = level;
	return 0;
}

void sim_file_unlock(struct sim_file *f, int level)
{
	struct sim_node *n = f->node;

	if (level >= f->lock)
		return;
	if (is_dead(f)) {
		f->lock = level; /* the node's locks went with the power */
		return;
	}
	if (n->lock_holder == f)
		n->lock_holder = NULL;
	if (level == 0)
		n->lock_shared--;
	f->lock = level;
}

bool sim_file_reserved(const struct sim_file *f)
{
	return f->node->lock_holder != NULL;
}

/* ---- looking at it ---- */

const struct sim_disk_stats *sim_disk_stats(const struct sim_disk *d)
{
	return &d->stats;
}

size_t sim_disk_open_files(const struct sim_disk *d)
{
	return d->open_files;
}

uint64_t sim_disk_hash(const struct sim_disk *d)
{
	return sim_image_hash(&d->image);
}

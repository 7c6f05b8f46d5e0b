/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of a disk without its handles: nodes (contents with their
 * un-synced changes) and entries (names with a live and a durable node).
 * Inside of disk.c; nobody else includes it.
 */
#ifndef SIM_DISK_IMAGE_H
#define SIM_DISK_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "sim/bytes.h"
#include "sim/rng.h"

#define SIM_SECTOR_BYTES 512

/* One write or truncation that no sync has covered. */
struct sim_change {
	struct hf_list item;
	bool truncate;
	uint64_t at; /* truncate: the new size */
	size_t len;
	uint8_t data[];
};

struct sim_node {
	unsigned refs; /* entries (live and durable) and open files */
	struct sim_bytes live, durable;
	struct hf_list changes; /* struct sim_change, oldest first */
	int lock_shared;	/* open files with a lock of level 1 or more */
	void *lock_holder;	/* open file with a level above 1 */
};

struct sim_entry {
	struct hf_list item;
	struct sim_node *live, *durable; /* NULL: no such file */
	char name[];
};

struct sim_image {
	struct hf_list entries; /* struct sim_entry, in order of creation */
	uint64_t bytes;		/* live, for the capacity */
};

void sim_image_init(struct sim_image *img);
void sim_image_finish(struct sim_image *img);
/* A deep copy; open files keep their nodes in the original. */
void sim_image_copy(struct sim_image *to, const struct sim_image *from);
/* Moves the contents of @from, which is empty afterwards. */
void sim_image_move(struct sim_image *to, struct sim_image *from);
/* NULL when the name was never used, or never came to be. */
struct sim_entry *sim_image_find(const struct sim_image *img, const char *name);
struct sim_entry *sim_image_add(struct sim_image *img, const char *name);
/* Sets one face of an entry, with the references. */
void sim_entry_set(struct sim_node **face, struct sim_node *node);

struct sim_node *sim_node_create(void);
void sim_node_unref(struct sim_node *n);
/* Both apply to the live content and remember the change. */
void sim_node_write(struct sim_node *n, const void *data, size_t len, uint64_t at);
void sim_node_truncate(struct sim_node *n, uint64_t size);
/* All changes become durable. */
void sim_node_sync(struct sim_node *n);
/* The entry that shows @n becomes durable. */
void sim_image_sync_entry(struct sim_image *img, struct sim_node *n);
/* The power goes: decides about every change and entry; then live and durable
 * are the same. */
void sim_image_cut(struct sim_image *img, struct sim_rng *rng);
/* One bit of one file changes; false when there is none. Not of a
 * reserve. */
bool sim_image_rot(struct sim_image *img, struct sim_rng *rng);
/* Nobody holds a lock any more. */
void sim_image_unlock(struct sim_image *img);
uint64_t sim_image_hash(const struct sim_image *img);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite's disk port over a simulated disk: a version 1 sqlite3_vfs (no shared
 * memory, no memory map), one for each device. Randomness comes from the
 * device's seed, time from its wall clock, so that a run repeats bit by bit.
 */
#ifndef SIM_VFS_H
#define SIM_VFS_H

#include <stdint.h>

#include "sim/disk.h"

struct sim_vfs;

/* Deviations from an honest SQLite, for tests of the tests. */
struct sim_vfs_lies {
	/* "PRAGMA synchronous" never gives more than NORMAL. */
	bool at_most_normal;
	/* A write that fails has gone well. */
	bool hides_write_errors;
};

/* Registers a VFS called @name and selects it. @wall_ms may be NULL. */
struct sim_vfs *sim_vfs_create(struct sim_disk *disk, const char *name, uint64_t seed,
			       int64_t (*wall_ms)(void *user), void *user);
void sim_vfs_destroy(struct sim_vfs *v);
/* Makes it SQLite's default one and resets SQLite's random generator, which then
 * draws from it: what another device has drawn does not matter. Before each job. */
void sim_vfs_select(struct sim_vfs *v);
const char *sim_vfs_name(const struct sim_vfs *v);
void sim_vfs_lie(struct sim_vfs *v, const struct sim_vfs_lies *lies);

#endif

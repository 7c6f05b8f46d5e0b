/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that can lose power. Files have a live content, which programs read
 * and write, and a durable one, which is what a sync has promised; between the
 * two stands the list of writes and truncations not yet synced. Directory
 * entries have the same two faces.
 *
 * A power cut decides by chance, for each write that was not synced: kept,
 * dropped, or torn at a 512-byte boundary; for each truncation: kept or lost;
 * in any order, so a later write may survive an earlier one. An entry that was
 * made or removed without a sync may or may not be so. What was synced stays.
 *
 * How entries become durable: the first sync of a file makes its own entry
 * durable (as SQLite's unix VFS syncs the directory of a new journal then,
 * and journaling file systems do for any file); a removal only when it is
 * asked for (@sync_dir). A sync of one file says nothing about the entry of
 * another: stricter than most file systems, and the reason why a removed
 * journal may come back.
 *
 * After a cut the disk is dead: every call fails and changes nothing, until
 * sim_disk_revive(). Paths are plain names; there are no folders.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "sim/rng.h"

struct sim_disk;
struct sim_file; /* an open file */

enum sim_disk_open {
	SIM_DISK_CREATE = 1,
	SIM_DISK_EXCLUSIVE = 2, /* with CREATE: fails when it is there */
};

/* What the file is for, told at opening; faults and mutants are aimed by it. */
enum sim_disk_role {
	SIM_DISK_OTHER,
	SIM_DISK_MAIN,
	SIM_DISK_JOURNAL,
	SIM_DISK_WAL,
};

enum sim_disk_fault {
	SIM_DISK_NORMAL, /* ends all of them */
	SIM_DISK_FULL,	 /* no file can grow */
	SIM_DISK_FREE,
	SIM_DISK_SLOW,	   /* microseconds more for each operation */
	SIM_DISK_FAILS,	   /* percent of the operations, reads too */
	SIM_DISK_ROTS,	   /* so many bits are wrong from now on */
	SIM_DISK_FAILS_AT, /* the nth operation from now */
};

struct sim_disk_faults {
	uint64_t capacity; /* bytes of all files; UINT64_MAX: no limit */
	uint64_t slow_us;
	unsigned fail_percent;
	uint64_t fail_in; /* operations left, 0: none set */
	uint64_t rotten;  /* bits, so far */
};

struct sim_disk_stats {
	uint64_t ops; /* writes, syncs, truncations, creations, removals */
	uint64_t writes;
	uint64_t syncs;
	uint64_t bytes; /* written */
	uint64_t cuts;
	uint64_t refused;    /* writes for which there was no room */
	uint64_t failed;     /* operations that ended with HF_EIO while there was power */
	uint64_t by_role[4]; /* bytes written, by enum sim_disk_role */
};

/* Deviations from an honest disk, for tests of the tests. */
struct sim_disk_lies {
	bool forgets_sync_dir;	/* a removal with @sync_dir is one without */
	bool forgets_sync_main; /* a sync of a file of SIM_DISK_MAIN does nothing, once
				 * it has been made */
	bool empty_after_cut;
	bool rewrites_main; /* a sync of a log writes its database once more */
};

struct sim_disk *sim_disk_create(uint64_t seed, const char *name);
void sim_disk_destroy(struct sim_disk *d);

/* ---- what a program does ----
 * All return 0 or HF_ENOENT, HF_EEXIST, HF_EFULL, HF_EIO. */

/* @path NULL: an anonymous file that goes with its last close. */
int sim_disk_open(struct sim_disk *d, const char *path, unsigned flags, enum sim_disk_role role,
		  struct sim_file **out);
void sim_file_close(struct sim_file *f);
/* Reads up to @len bytes at @at; *got is fewer at the end of the file. */
int sim_file_read(struct sim_file *f, void *out, size_t len, uint64_t at, size_t *got);
int sim_file_write(struct sim_file *f, const void *data, size_t len, uint64_t at);
int sim_file_truncate(struct sim_file *f, uint64_t size);
int sim_file_sync(struct sim_file *f);
int sim_file_size(struct sim_file *f, uint64_t *size);
int sim_disk_remove(struct sim_disk *d, const char *path, bool sync_dir);
bool sim_disk_exists(struct sim_disk *d, const char *path);

/* Locks of SQLite's five levels (0 none to 4 exclusive) between open files.
 * HF_EBUSY. */
int sim_file_lock(struct sim_file *f, int level);
void sim_file_unlock(struct sim_file *f, int level);
/* True when anybody holds more than a shared lock. */
bool sim_file_reserved(const struct sim_file *f);

/* ---- what the world does ---- */

/* The power goes now: the disk is dead, what survives is decided. */
void sim_disk_cut(struct sim_disk *d);
/* The power goes at the @nth operation from now (1: the next one). That
 * operation has been handed to the disk and may or may not be on it. 0: no. */
void sim_disk_cut_at(struct sim_disk *d, uint64_t nth);
/* Called inside the operation at which a cut set by sim_disk_cut_at fell. */
void sim_disk_on_cut(struct sim_disk *d, void (*on_cut)(void *user), void *user);
bool sim_disk_is_dead(const struct sim_disk *d);
/* The program dies: as a cut for it, but what it has written stays. */
void sim_disk_kill(struct sim_disk *d);
/* Power is back, or the program. Files still open from before stay dead for ever. */
void sim_disk_revive(struct sim_disk *d);

/* @value as the fault needs it. */
void sim_disk_worsen(struct sim_disk *d, enum sim_disk_fault fault, uint64_t value);
const struct sim_disk_faults *sim_disk_faults(const struct sim_disk *d);
/* A write that needs more than this many bytes in all fails with HF_EFULL. */
void sim_disk_capacity(struct sim_disk *d, uint64_t bytes);
/* Bytes in all files. */
uint64_t sim_disk_used(const struct sim_disk *d);
/* The @nth operation from now fails with HF_EIO, once. 0: no. */
void sim_disk_fail_at(struct sim_disk *d, uint64_t nth);
void sim_disk_lie(struct sim_disk *d, const struct sim_disk_lies *lies);

/* Until sim_disk_thaw() a cut finds the disk as it is now, whatever is written
 * and synced meanwhile. The operation named by sim_disk_cut_at() does not cut
 * then: sim_disk_cut_is_due() tells that it has come. */
void sim_disk_freeze(struct sim_disk *d);
void sim_disk_thaw(struct sim_disk *d);
bool sim_disk_cut_is_due(const struct sim_disk *d);

/* Called for each operation, before it is done, with its name ("write",
 * "truncate", "sync", "create", "remove", "remove and sync"). NULL: nobody. */
typedef void sim_disk_see(void *user, const char *op, const char *path, uint64_t at, size_t len);
void sim_disk_on_op(struct sim_disk *d, sim_disk_see *see, void *user);

const struct sim_disk_stats *sim_disk_stats(const struct sim_disk *d);
size_t sim_disk_open_files(const struct sim_disk *d);
/* Over names and live contents. */
uint64_t sim_disk_hash(const struct sim_disk *d);

#endif

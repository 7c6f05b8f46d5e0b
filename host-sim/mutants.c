/* SPDX-License-Identifier: Apache-2.0 */
#include "mutants.h"

#include <sqlite3.h>

static const struct {
	const char *name, *words;
} mutants[SIM_MUTANTS] = {
	[SIM_MUTANT_NONE] = { "none", "the product as it is" },
	[SIM_MUTANT_NORMAL] = { "normal", "synchronous=NORMAL instead of FULL" },
	[SIM_MUTANT_EARLY] = { "early", "acknowledges before the commit" },
	[SIM_MUTANT_SETTLE] = { "settle", "settles before the outcome is known" },
	[SIM_MUTANT_FOLDER] = { "folder", "no EXTRA when the store is made" },
	[SIM_MUTANT_COPY] = { "copy", "empties the log before its copy is synced" },
	[SIM_MUTANT_CARELESS] = { "careless", "does not look at errors of writes" },
	[SIM_MUTANT_TMPFS] = { "tmpfs", "its store does not survive a power cut" },
	[SIM_MUTANT_REWRITE] = { "rewrite", "writes the database with each commit" },
	[SIM_MUTANT_WALL] = { "wall", "counts time by the wall clock" },
	[SIM_MUTANT_POLLS] = { "polls", "wakes up every second" },
	[SIM_MUTANT_KEEPS] = { "keeps", "holds what waits in memory" },
	[SIM_MUTANT_ANY] = { "any", "takes any answer for a delivery" },
	[SIM_MUTANT_GULLIBLE] = { "gullible", "takes a portal's answer for the shop's" },
	[SIM_MUTANT_FICKLE] = { "fickle", "a new key for each attempt" },
	[SIM_MUTANT_ANSWERS] = { "answers", "keeps another answer than the origin's" },
	[SIM_MUTANT_OVERTAKES] = { "overtakes", "sends a new request before those that wait" },
	[SIM_MUTANT_WEARY] = { "weary", "does not fire a periodic registration again" },
	[SIM_MUTANT_SPENDS] = { "spends", "fires over a metered link what should wait" },
	[SIM_MUTANT_IMPATIENT] = { "impatient", "sends what waits for another request at once" },
	[SIM_MUTANT_PARTIAL] = { "partial", "stores what has come of a broken answer" },
	[SIM_MUTANT_LEARNS] = { "learns", "keeps what a portal said" },
	[SIM_MUTANT_EAGER] = { "eager", "activates a precache that is not whole" },
	[SIM_MUTANT_CONFUSES] = { "confuses", "a 304 confirms another entry" },
	[SIM_MUTANT_TRUSTS] = { "trusts", "does not check what has to be checked" },
	[SIM_MUTANT_HASTY] = { "hasty", "fires a periodic registration too often" },
};

const char *sim_mutant_name(enum sim_mutant m)
{
	return mutants[m].name;
}

const char *sim_mutant_words(enum sim_mutant m)
{
	return mutants[m].words;
}

enum sim_mutant sim_mutant_by_name(const char *name)
{
	int m;

	for (m = 0; m < SIM_MUTANTS; m++)
		if (strcmp(mutants[m].name, name) == 0)
			break;
	return (enum sim_mutant)m;
}

/* The first byte of a row is its status (3: settled), the third one's first
 * bit says that an attempt was begun and not classified (store/codec.c). */
static void settle_inflight(const char *vfs, const char *path)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, vfs) == SQLITE_OK)
		(void)sqlite3_exec(
			db,
			"PRAGMA locking_mode=EXCLUSIVE;"
			"UPDATE record SET state = CAST(x'030000' || substr(state, 4) AS BLOB) WHERE"
			" instr('13579BDF', substr(hex(substr(state, 3, 1)), 2, 1)) > 0",
			NULL, NULL, NULL);
	sqlite3_close(db);
}

static void forget_inflight(struct sim_device *dev)
{
	char path[64];
	int i;

	for (i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "/var/lib/holdfast/queue-%d.db", i);
		if (sim_disk_exists(dev->disk, path))
			settle_inflight(sim_vfs_name(dev->vfs), path);
	}
}

static enum sim_mutant now;

enum sim_mutant sim_mutant_now(void)
{
	return now;
}

static void apply(struct sim_device *dev, enum sim_mutant m)
{
	const struct sim_vfs_lies vfs = { .at_most_normal = m == SIM_MUTANT_NORMAL,
					  .hides_write_errors = m == SIM_MUTANT_CARELESS };
	const struct sim_disk_lies disk = { .forgets_sync_dir = m == SIM_MUTANT_FOLDER,
					    .forgets_sync_main = m == SIM_MUTANT_COPY,
					    .empty_after_cut = m == SIM_MUTANT_TMPFS,
					    .rewrites_main = m == SIM_MUTANT_REWRITE };

	sim_vfs_lie(dev->vfs, &vfs);
	sim_disk_lie(dev->disk, &disk);
	dev->port.lies = (struct sim_port_lies){ .done_before_run = m == SIM_MUTANT_EARLY,
						 .never_metered = m == SIM_MUTANT_SPENDS,
						 .boot_time_is_wall = m == SIM_MUTANT_WALL,
						 .wakes_every_us =
							 m == SIM_MUTANT_POLLS ? SIM_US_PER_S : 0 };
	if (m == SIM_MUTANT_SETTLE)
		dev->before_boot = forget_inflight;
}

void sim_mutant_apply(struct sim_stage *s, enum sim_mutant m)
{
	size_t i;

	now = m;
	for (i = 0; i < s->devices_n; i++)
		apply(s->devices[i], m);
}

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
			" substr(state, 3, 1) IN (x'01', x'03', x'05', x'07')",
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

void sim_mutant_apply(struct sim_stage *s, enum sim_mutant m)
{
	static const struct sim_vfs_lies at_most_normal = { .at_most_normal = true };
	static const struct sim_disk_lies forgets = { .forgets_sync_dir = true };

	switch (m) {
	case SIM_MUTANT_NORMAL:
		sim_vfs_lie(s->kiosk->vfs, &at_most_normal);
		break;
	case SIM_MUTANT_EARLY:
		s->kiosk->port.lies.done_before_run = true;
		break;
	case SIM_MUTANT_SETTLE:
		s->kiosk->before_boot = forget_inflight;
		break;
	case SIM_MUTANT_FOLDER:
		sim_disk_lie(s->kiosk->disk, &forgets);
		break;
	case SIM_MUTANT_NONE:
	case SIM_MUTANTS:
		break;
	}
}

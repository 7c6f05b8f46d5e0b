/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the tests: products that are wrong in a known way. The simulator
 * has to catch each. None of them is in the product; each is made around it,
 * where the durable state or the world shows what the wrong product would.
 *
 *   normal   PRAGMA synchronous=NORMAL instead of FULL and EXTRA. The VFS sees
 *            every PRAGMA before SQLite acts on it (SQLITE_FCNTL_PRAGMA) and
 *            writes NORMAL over the value: it is NORMAL.
 *   early    Acknowledge before the commit. The port reports a job as done when
 *            it begins; what it writes and syncs reaches the disk image only in
 *            the time after that. Whoever waits for the commit no longer does.
 *   settle   Settle a request before its outcome is known, as a product that
 *            deletes, then sends. Such a product finds after a power cut no
 *            request that was in flight. So before each boot after a cut, the
 *            rows that are marked as in flight are removed.
 *   folder   No EXTRA at creation. All that EXTRA adds to FULL is the sync of
 *            the directory after the rollback journal is removed; the disk
 *            forgets that sync.
 */
#ifndef SIM_MUTANTS_H
#define SIM_MUTANTS_H

#include "stage.h"

enum sim_mutant {
	SIM_MUTANT_NONE,
	SIM_MUTANT_NORMAL,
	SIM_MUTANT_EARLY,
	SIM_MUTANT_SETTLE,
	SIM_MUTANT_FOLDER,
	SIM_MUTANTS,
};

const char *sim_mutant_name(enum sim_mutant m);
/* What is wrong with it, in words. */
const char *sim_mutant_words(enum sim_mutant m);
/* SIM_MUTANTS when no mutant has that name. */
enum sim_mutant sim_mutant_by_name(const char *name);
/* Makes the stage's product wrong; before its first boot. */
void sim_mutant_apply(struct sim_stage *s, enum sim_mutant m);

#endif

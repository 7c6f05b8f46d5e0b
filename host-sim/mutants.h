/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the tests: products that are wrong in a known way. The simulator
 * has to catch each. None of them is in the product; each is made around it,
 * where the durable state or the world shows what the wrong product would.
 *
 *   normal    PRAGMA synchronous=NORMAL instead of FULL and EXTRA. The VFS sees
 *             every PRAGMA before SQLite acts on it (SQLITE_FCNTL_PRAGMA) and
 *             writes NORMAL over the value: it is NORMAL.
 *   early     Acknowledge before the commit. The port reports a job as done when
 *             it begins; what it writes and syncs reaches the disk image only in
 *             the time after that. Whoever waits for the commit no longer does.
 *   settle    Settle a request before its outcome is known, as a product that
 *             deletes, then sends. Such a product finds after a power cut no
 *             request that was in flight. So before each boot after a cut, the
 *             rows that are marked as in flight are removed.
 *   folder    No EXTRA at creation. All that EXTRA adds to FULL is the sync of
 *             the directory after the rollback journal is removed; the disk
 *             forgets that sync.
 *   copy      Empties the log before its copy in the database has been synced:
 *             the disk forgets syncs of the main file.
 *   careless  Does not look at errors of writes: the VFS turns them into success.
 *   tmpfs     The store is on a file system that a power cut empties.
 *   rewrite   Each commit writes the whole database: with each sync of the log the
 *             disk writes the main file once more.
 *   wall      Counts time by the wall clock: so does the port's boot time.
 *   polls     Looks every second whether there is something to do: the port wakes
 *             it up.
 *   keeps     Holds the body of each accepted request in memory (hf_queue_admit).
 *   any       Takes any answer for a delivery, as many HTTP clients do
 *             (hf_outcome_classify).
 *   gullible  Takes any 2xx and 3xx for one: a portal's, a stranger's.
 *   fickle    Makes a new key for each attempt (hf_record_head_decode).
 *   answers   Stores 200 for whatever the origin said (hf_answer_head_encode).
 *   overtakes Sends a new request at once, whatever waits in its lane
 *             (hf_turn_take).
 *
 *   hasty     Fires a periodic registration four times in its interval
 *             (hf_periodic_step).
 *   weary     Fires it once, and then not for a year (hf_periodic_step).
 *
 *   impatient Sends what waits for another request at once (hf_lease_after).
 *
 *   spends    Fires over a metered link what should wait: the port says of every
 *             link that it costs nothing.
 *
 *   partial   Stores what has come of an answer that breaks off (hf_fill_give_up).
 *   learns    Keeps in its caches what a portal said (hf_cache_put).
 *   eager     Activates a precache whose files could not all be had: the install is
 *             told of each that it is there (hf_fill_start).
 *   confuses  A 304 confirms another entry than the one it names (hf_cache_confirmed).
 *   trusts    Uses without asking what has to be checked (hf_cache_decide).
 *
 * Those from keeps to trusts stand where the product calls its own function; the program is
 * linked with --wrap for these (mutants_wrap.c).
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
	SIM_MUTANT_COPY,
	SIM_MUTANT_CARELESS,
	SIM_MUTANT_TMPFS,
	SIM_MUTANT_REWRITE,
	SIM_MUTANT_WALL,
	SIM_MUTANT_POLLS,
	SIM_MUTANT_KEEPS,
	SIM_MUTANT_ANY,
	SIM_MUTANT_GULLIBLE,
	SIM_MUTANT_FICKLE,
	SIM_MUTANT_ANSWERS,
	SIM_MUTANT_OVERTAKES,
	SIM_MUTANT_HASTY,
	SIM_MUTANT_WEARY,
	SIM_MUTANT_IMPATIENT,
	SIM_MUTANT_SPENDS,
	SIM_MUTANT_PARTIAL,
	SIM_MUTANT_LEARNS,
	SIM_MUTANT_EAGER,
	SIM_MUTANT_CONFUSES,
	SIM_MUTANT_TRUSTS,
	SIM_MUTANTS,
};

const char *sim_mutant_name(enum sim_mutant m);
/* What is wrong with it, in words. */
const char *sim_mutant_words(enum sim_mutant m);
/* SIM_MUTANTS when no mutant has that name. */
enum sim_mutant sim_mutant_by_name(const char *name);
/* The one that was applied last. */
enum sim_mutant sim_mutant_now(void);
/* Makes the products of the stage wrong; before their first boot. */
void sim_mutant_apply(struct sim_stage *s, enum sim_mutant m);

#endif

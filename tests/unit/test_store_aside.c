/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged databases that were put aside: shown while they are there, and bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "lib/store_files.h"

#define RECORDS 40

static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));
	uint32_t lane;
	uint64_t id;

	if (!r)
		return 1;
	rig_init(r);
	*state = r;
	if (rig_open(r))
		return 1;
	lane = rig_lane(r, "o", "k");
	for (unsigned i = 0; i < RECORDS; i++)
		assert_int_equal(rig_insert(r, lane, i, 400, &id), 0);
	return 0;
}

static int teardown(void **state)
{
	rig_finish(*state);
	free(*state);
	return 0;
}

static struct hf_store_usage usage(struct rig *r)
{
	struct hf_store_usage u;

	hf_store_usage(r->store, &u);
	return u;
}

/* Its schema is gone; the next start salvages. */
static void damage(struct rig *r, unsigned generation)
{
	char name[32];

	assert_int_equal(rig_close(r), 0);
	snprintf(name, sizeof(name), "queue-%u.db-wal", generation);
	rig_remove(r, name);
	snprintf(name, sizeof(name), "queue-%u.db", generation);
	rig_fill(r, name, 0, 0, 512);
	assert_int_equal(rig_open(r), 0);
	assert_true(r->report.salvaged);
}

static void is_shown_until_it_is_removed(void **state)
{
	struct rig *r = *state;
	struct hf_store_usage u = usage(r);
	uint64_t saved;

	assert_int_equal(u.aside_n, 0);
	damage(r, 1);
	u = usage(r);
	assert_int_equal(u.aside_n, 1);
	assert_string_equal(u.aside[0].name, "queue-1.db");
	saved = u.aside[0].saved;
	assert_true(saved >= RECORDS);
	assert_int_equal(saved, r->report.rows_saved);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rig_reopen(r), 0);
		u = usage(r);
		assert_false(r->report.salvaged);
		assert_int_equal(u.aside_n, 1);
		assert_string_equal(u.aside[0].name, "queue-1.db");
		assert_int_equal(u.aside[0].saved, saved);
	}
	rig_remove(r, "queue-1.db");
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(usage(r).aside_n, 0);
}

static void removal_is_seen_without_a_restart(void **state)
{
	struct rig *r = *state;

	damage(r, 1);
	rig_remove(r, "queue-1.db");
	fake_port_advance(&r->port, 10000);
	assert_int_not_equal(rig_lane(r, "o", "k"), 0);
	assert_int_equal(usage(r).aside_n, 0);
}

static void each_has_its_own_counts(void **state)
{
	struct rig *r = *state;
	struct hf_store_usage u;
	uint64_t id;

	damage(r, 1);
	for (unsigned i = 0; i < 2 * RECORDS; i++)
		assert_int_equal(rig_insert(r, rig_lane(r, "o", "k"), i, 400, &id), 0);
	damage(r, 2);
	assert_int_equal(rig_reopen(r), 0);
	u = usage(r);
	assert_int_equal(u.aside_n, 2);
	assert_string_equal(u.aside[0].name, "queue-2.db");
	assert_string_equal(u.aside[1].name, "queue-1.db");
	assert_true(u.aside[1].saved >= RECORDS);
	assert_true(u.aside[0].saved >= u.aside[1].saved + 2 * RECORDS);
}

static void newest_are_kept_and_what_goes_is_told(void **state)
{
	enum {
		MORE = 3
	};
	struct rig *r = *state;
	struct hf_store_usage u;
	char name[32];
	unsigned i;

	for (i = 1; i <= HF_ASIDE_MAX + MORE; i++)
		damage(r, i);
	u = usage(r);
	assert_int_equal(u.aside_n, HF_ASIDE_MAX);
	for (i = 1; i <= HF_ASIDE_MAX + MORE; i++) {
		snprintf(name, sizeof(name), "queue-%u.db", i);
		assert_int_equal(rig_size(r, name) < 0, i <= MORE);
	}
	assert_non_null(strstr(r->port.log_text, "store.quarantine_deleted file=queue-1.db"));
	assert_non_null(strstr(r->port.log_text, "store.quarantine_deleted file=queue-3.db"));
	assert_null(strstr(r->port.log_text, "store.quarantine_deleted file=queue-4.db"));
}

/* An answer whose record is lost gets a record that says why it knows nothing. */
static void record_for_an_answer_alone_is_called_damaged(void **state)
{
	static const uint8_t statuses[] = { HF_RECORD_SETTLED, HF_RECORD_DEAD };
	struct rig *r = *state;
	uint64_t ids[2];
	struct hf_store_load l;
	char path[256];
	sqlite3 *db;

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(rig_insert(r, rig_lane(r, "o", "k"), i, 100, &ids[i]), 0);
		assert_int_equal(rig_settle(r, ids[i], statuses[i], i), 0);
	}
	assert_int_equal(rig_close(r), 0);
	assert_int_equal(sqlite3_open(rig_path(r, "queue-1.db", path), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM record", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(rig_open(r), 0);
	damage(r, 1);
	for (unsigned i = 0; i < 2; i++) {
		hf_store_load_init(&l);
		l.id = ids[i];
		assert_int_equal(RIG_DO(r, hf_store_load, &l), 0);
		assert_int_equal(l.state.status, statuses[i]);
		assert_int_equal(l.state.reason, HF_RECORD_REASON_DAMAGED);
		hf_store_load_finish(&l);
	}
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(is_shown_until_it_is_removed),
		STORE_TEST(removal_is_seen_without_a_restart),
		STORE_TEST(each_has_its_own_counts),
		STORE_TEST(newest_are_kept_and_what_goes_is_told),
		STORE_TEST(record_for_an_answer_alone_is_called_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

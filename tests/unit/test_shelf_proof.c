/* SPDX-License-Identifier: Apache-2.0 */
/* Whose entries are: trials, what is proved of them, and what is dead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "base/rand.h"
#include "holdfast/err.h"
#include "lib/shelf_audit.h"
#include "store/shelf_codec.h"
#include "store/shelf_proof.h"

/* ---- the set ---- */

#define NUMBERS 200

static void a_set_of_spans_is_a_set(void **state)
{
	struct hf_rand rand;

	(void)state;
	hf_rand_init(&rand, 1);
	for (unsigned round = 0; round < 300; round++) {
		struct hf_shelf_proof p = { .n = 0 };
		bool in[NUMBERS] = { true };

		for (unsigned step = 0; step < 40; step++) {
			uint64_t first = 1 + hf_rand_u64(&rand) % (NUMBERS - 20);
			uint64_t last = first + hf_rand_u64(&rand) % 20;
			bool add = hf_rand_u64(&rand) % 2, any = false;

			for (uint64_t i = first; i <= last; i++)
				any |= in[i];
			if (add && hf_shelf_proof_add(&p, first, last))
				continue;
			if (!add)
				assert_int_equal(hf_shelf_proof_take(&p, first, last), any);
			for (uint64_t i = first; i <= last; i++)
				in[i] = add;
			for (uint64_t i = 0; i < NUMBERS; i++)
				assert_int_equal(hf_shelf_proof_has(&p, i), in[i]);
		}
		hf_shelf_proof_raise(&p, NUMBERS / 2);
		for (uint64_t i = 0; i < NUMBERS; i++)
			assert_int_equal(hf_shelf_proof_has(&p, i), in[i] || i < NUMBERS / 2);
	}
}

static void too_many_spans_are_refused(void **state)
{
	struct hf_shelf_proof p = { .n = 0 };

	(void)state;
	for (uint64_t i = 0; i < HF_SHELF_SPANS_MAX; i++)
		assert_int_equal(hf_shelf_proof_add(&p, 10 + 2 * i, 10 + 2 * i), 0);
	assert_int_equal(hf_shelf_proof_add(&p, 1, 1), HF_ELIMIT);
	assert_int_equal(hf_shelf_proof_add(&p, 11, 11), 0); /* joins two */
	assert_int_equal(hf_shelf_proof_add(&p, 1, 1), 0);
	assert_true(hf_shelf_proof_has(&p, 10) && hf_shelf_proof_has(&p, 12));
}

/* ---- on the shelf ---- */

/* With an HTTP cache. */
static uint32_t begin(struct shelf_rig *r)
{
	shelf_rig_init(r);
	assert_int_equal(shelf_rig_open(r), 0);
	return shelf_rig_cache(r, HF_SHELF_HTTP, "a");
}

static void restart(struct shelf_rig *r)
{
	shelf_rig_kill(r);
	assert_int_equal(shelf_rig_open(r), 0);
	assert_false(r->report.renewed);
}

static void put(struct shelf_rig *r, uint32_t cache, const char *url, unsigned n, uint32_t trial)
{
	r->trial = trial;
	assert_int_equal(shelf_rig_put(r, cache, url, n, 100), 0);
	r->trial = 0;
}

static void judge(struct shelf_rig *r, uint32_t first, uint32_t last, bool proved)
{
	struct hf_shelf_judge j = {
		.first = first, .last = last, .proved = proved, .open_from = last + 1
	};

	assert_int_equal(SHELF_DO(r, hf_shelf_judge, &j), 0);
}

/* The trial of the entry of @url; -1: it is not told of. */
static int trial_of(struct shelf_rig *r, uint32_t cache, const char *url)
{
	struct hf_shelf_find f = { .cache = cache, .url = hf_span_str(url) };
	int trial;

	assert_int_equal(SHELF_DO(r, hf_shelf_find, &f), 0);
	trial = f.n ? (int)f.v[0].state.trial : -1;
	hf_shelf_find_finish(&f);
	return trial;
}

static void what_is_proved_outlives_a_start_and_nothing_else_does(void **state)
{
	struct shelf_rig r;
	uint32_t cache;

	(void)state;
	cache = begin(&r);
	put(&r, cache, "one", 1, 1);
	put(&r, cache, "two", 2, 2);
	put(&r, cache, "three", 3, 3);
	put(&r, cache, "four", 4, 4);
	assert_int_equal(trial_of(&r, cache, "two"), 2);
	judge(&r, 1, 2, true);
	assert_int_equal(trial_of(&r, cache, "one"), 0);
	assert_int_equal(trial_of(&r, cache, "two"), 0);
	assert_int_equal(trial_of(&r, cache, "three"), 3);
	judge(&r, 3, 3, false);
	assert_int_equal(trial_of(&r, cache, "three"), -1);
	assert_int_equal(trial_of(&r, cache, "four"), 4);
	for (unsigned again = 0; again < 3; again++) {
		restart(&r);
		assert_int_equal(trial_of(&r, cache, "one"), 0);
		assert_int_equal(trial_of(&r, cache, "two"), 0);
		assert_int_equal(trial_of(&r, cache, "three"), -1);
		assert_int_equal(trial_of(&r, cache, "four"), -1);
	}
	shelf_rig_finish(&r);
}

static void a_trial_of_a_later_start_proves_none_of_an_earlier_one(void **state)
{
	struct shelf_rig r;
	uint32_t cache;

	(void)state;
	cache = begin(&r);
	put(&r, cache, "before", 1, 1);
	restart(&r);
	put(&r, cache, "after", 2, 1);
	judge(&r, 1, 1, true);
	assert_int_equal(trial_of(&r, cache, "before"), -1);
	assert_int_equal(trial_of(&r, cache, "after"), 0);
	restart(&r);
	assert_int_equal(trial_of(&r, cache, "before"), -1);
	shelf_rig_finish(&r);
}

static void the_earlier_one_stays_until_the_later_one_is_proved(void **state)
{
	struct shelf_rig r;
	uint32_t cache;

	(void)state;
	cache = begin(&r);
	put(&r, cache, "u", 1, 0);
	put(&r, cache, "u", 2, 1);
	assert_int_equal(shelf_rig_figures(&r, cache).entries, 2);
	restart(&r);
	assert_int_equal(shelf_rig_get(&r, cache, "u"), 1);
	put(&r, cache, "u", 3, 1); /* takes the dead one out */
	assert_int_equal(shelf_rig_figures(&r, cache).entries, 2);
	judge(&r, 1, 1, true);
	restart(&r);
	assert_int_equal(shelf_rig_get(&r, cache, "u"), 3);
	shelf_rig_finish(&r);
}

static void what_is_dead_is_deleted(void **state)
{
	struct shelf_rig r;
	uint32_t cache;
	char url[16];

	(void)state;
	cache = begin(&r);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(url, sizeof(url), "%u", i);
		put(&r, cache, url, i, i % 3 ? 1 : 0);
	}
	judge(&r, 1, 1, false);
	fake_port_settle(&r.port);
	assert_int_equal(shelf_rig_figures(&r, cache).entries, 100);
	assert_null(shelf_audit(&r, true));
	shelf_rig_finish(&r);
}

/* Each start proves something and leaves something open: the spans do not add up. */
static void many_starts_need_no_more_room(void **state)
{
	struct shelf_rig r;
	uint32_t cache;
	char url[16];

	(void)state;
	cache = begin(&r);
	for (unsigned i = 0; i < 3 * HF_SHELF_SPANS_MAX; i++) {
		snprintf(url, sizeof(url), "proved-%u", i);
		put(&r, cache, url, i, 1);
		judge(&r, 1, 1, true);
		snprintf(url, sizeof(url), "open-%u", i);
		put(&r, cache, url, i, 2);
		restart(&r);
	}
	for (unsigned i = 0; i < 3 * HF_SHELF_SPANS_MAX; i++) {
		snprintf(url, sizeof(url), "proved-%u", i);
		assert_int_equal(shelf_rig_get(&r, cache, url), i);
		snprintf(url, sizeof(url), "open-%u", i);
		assert_int_equal(shelf_rig_get(&r, cache, url), -1);
	}
	assert_in_range(shelf_rig_figures(&r, cache).entries, 3 * HF_SHELF_SPANS_MAX,
			3 * HF_SHELF_SPANS_MAX + HF_SHELF_PURGE_AT);
	shelf_rig_finish(&r);
}

static uint64_t written(struct shelf_rig *r)
{
	struct hf_shelf_usage u;

	fake_port_settle(&r->port);
	hf_shelf_usage(r->shelf, &u);
	return u.written_total;
}

static void a_proof_is_one_page_whatever_it_proves(void **state)
{
	struct shelf_rig r;
	uint32_t cache;
	uint64_t before;
	char url[16];

	(void)state;
	cache = begin(&r);
	put(&r, cache, "first", 0, 1);
	judge(&r, 1, 1, true); /* its row is there */
	for (unsigned i = 0; i < 100; i++) {
		snprintf(url, sizeof(url), "%u", i);
		put(&r, cache, url, i, 2);
	}
	before = written(&r);
	judge(&r, 2, 2, true);
	assert_in_range(written(&r) - before, 1, 4096 + 24);
	shelf_rig_finish(&r);
}

/* ---- what it pushes out ---- */

static void what_is_open_pushes_nothing_out(void **state)
{
	struct hf_shelf_judge j = { .first = 1, .last = 1, .proved = true, .open_from = 2 };
	struct shelf_rig r;
	uint32_t cache;

	(void)state;
	cache = begin(&r);
	put(&r, cache, "old", 1, 0);
	for (unsigned i = 2; i < 5; i++) {
		char url[16];
		struct hf_shelf_put p = { .cache = cache,
					  .state = { .used_dev_ms = 1000 + i, .trial = 1 },
					  .entries_max = 2 };

		snprintf(url, sizeof(url), "new-%u", i);
		p.url = hf_span_str(url);
		assert_int_equal(SHELF_DO(&r, hf_shelf_put, &p), 0);
	}
	assert_int_equal(trial_of(&r, cache, "old"), 0);
	assert_int_equal(shelf_rig_figures(&r, cache).entries, 4);
	j.trims[j.trims_n++] = (struct hf_shelf_trim){ .cache = cache, .entries_max = 2 };
	assert_int_equal(SHELF_DO(&r, hf_shelf_judge, &j), 0);
	assert_int_equal(shelf_rig_figures(&r, cache).entries, 2);
	assert_int_equal(trial_of(&r, cache, "old"), -1);
	assert_int_equal(trial_of(&r, cache, "new-4"), 0);
	shelf_rig_finish(&r);
}

static void what_is_open_goes_before_what_is_proved(void **state)
{
	struct hf_shelf_put last = { .url = HF_SPAN("last"),
				     .state = { .used_dev_ms = 9000 },
				     .entries_max = 2 };
	struct shelf_rig r;
	uint32_t cache;

	(void)state;
	cache = begin(&r);
	put(&r, cache, "old", 1, 0);
	put(&r, cache, "open", 2, 1);
	last.cache = cache;
	assert_int_equal(SHELF_DO(&r, hf_shelf_put, &last), 0);
	assert_int_equal(trial_of(&r, cache, "old"), 0);
	assert_int_equal(trial_of(&r, cache, "open"), -1);
	assert_int_equal(trial_of(&r, cache, "last"), 0);
	shelf_rig_finish(&r);
}

/* ---- precaches ---- */

static int activate(struct shelf_rig *r, uint32_t cache)
{
	struct hf_shelf_activate a = { .cache = cache };

	return SHELF_DO(r, hf_shelf_activate, &a);
}

static void a_precache_is_activated_when_all_of_it_is_proved(void **state)
{
	struct shelf_rig r;
	uint32_t cache;

	(void)state;
	(void)begin(&r);
	cache = shelf_rig_cache(&r, HF_SHELF_PRECACHE, "one");
	put(&r, cache, "a", 1, 0);
	put(&r, cache, "b", 2, 1);
	assert_int_equal(activate(&r, cache), HF_EAGAIN);
	assert_false(shelf_rig_figures(&r, cache).active);
	restart(&r);
	assert_int_equal(activate(&r, cache), HF_EAGAIN); /* it lacks one */
	put(&r, cache, "b", 3, 1);
	judge(&r, 1, 1, true);
	assert_int_equal(activate(&r, cache), 0);
	restart(&r);
	assert_true(shelf_rig_figures(&r, cache).active);
	assert_int_equal(shelf_rig_get(&r, cache, "b"), 3);
	shelf_rig_finish(&r);
}

static void a_precache_that_is_doubted_later_gives_way_to_the_one_before(void **state)
{
	struct hf_shelf_judge j = { .first = 2, .last = 2, .open_from = 3 };
	struct shelf_rig r;
	uint32_t one, two;

	(void)state;
	(void)begin(&r);
	one = shelf_rig_cache(&r, HF_SHELF_PRECACHE, "one");
	two = shelf_rig_cache(&r, HF_SHELF_PRECACHE, "two");
	put(&r, one, "a", 1, 1);
	judge(&r, 1, 1, true);
	assert_int_equal(activate(&r, one), 0);
	two = shelf_rig_cache(&r, HF_SHELF_PRECACHE, "two");
	put(&r, two, "a", 2, 2);
	judge(&r, 2, 2, true);
	assert_int_equal(activate(&r, two), 0);
	assert_int_equal(SHELF_DO(&r, hf_shelf_judge, &j), 0);
	assert_true(j.demoted);
	restart(&r);
	assert_true(shelf_rig_figures(&r, one).active);
	assert_false(shelf_rig_figures(&r, two).active);
	assert_int_equal(shelf_rig_get(&r, one, "a"), 1);
	assert_int_equal(shelf_rig_get(&r, two, "a"), -1);
	shelf_rig_finish(&r);
}

static void what_is_not_proved_is_not_adopted(void **state)
{
	struct hf_shelf_adopt a = { .url = HF_SPAN("a"), .note = HF_SPAN("note") };
	struct shelf_rig r;

	(void)state;
	(void)begin(&r);
	a.from = shelf_rig_cache(&r, HF_SHELF_PRECACHE, "one");
	a.to = shelf_rig_cache(&r, HF_SHELF_PRECACHE, "two");
	put(&r, a.from, "a", 1, 1);
	assert_int_equal(SHELF_DO(&r, hf_shelf_adopt, &a), HF_ENOENT);
	judge(&r, 1, 1, true);
	assert_int_equal(SHELF_DO(&r, hf_shelf_adopt, &a), 0);
	judge(&r, 1, 1, false);
	assert_int_equal(trial_of(&r, a.to, "a"), -1); /* whose it is came along */
	shelf_rig_finish(&r);
}

/* ---- files ---- */

static sqlite3 *open_file(struct shelf_rig *r)
{
	sqlite3 *db;
	char path[256];

	assert_int_equal(sqlite3_open(shelf_rig_path(r, "cache-1.db", path), &db), SQLITE_OK);
	return db;
}

/* Rows of `use` as version 1 has them: without the number. */
static void make_first_version(sqlite3 *db)
{
	sqlite3_stmt *from, *to;

	sqlite3_prepare_v2(db, "SELECT id,v FROM use", -1, &from, NULL);
	sqlite3_prepare_v2(db, "UPDATE use SET v=?2 WHERE id=?1", -1, &to, NULL);
	while (sqlite3_step(from) == SQLITE_ROW) {
		uint64_t id = (uint64_t)sqlite3_column_int64(from, 0);
		uint8_t v[HF_SHELF_USE_SIZE_1];

		assert_int_equal(sqlite3_column_bytes(from, 1), HF_SHELF_USE_SIZE);
		memcpy(v, sqlite3_column_blob(from, 1), 64);
		hf_put_le(v + 64,
			  hf_crc32(hf_crc32(hf_shelf_sum(id, hf_span(v, 64)), hf_span(NULL, 0)),
				   hf_span(NULL, 0)),
			  4);
		sqlite3_bind_int64(to, 1, (int64_t)id);
		sqlite3_bind_blob(to, 2, v, sizeof(v), SQLITE_TRANSIENT);
		assert_int_equal(sqlite3_step(to), SQLITE_DONE);
		sqlite3_reset(to);
	}
	sqlite3_finalize(from);
	sqlite3_finalize(to);
	assert_int_equal(sqlite3_exec(db,
				      "DELETE FROM meta WHERE key='proof';"
				      "PRAGMA user_version=257",
				      NULL, NULL, NULL),
			 SQLITE_OK);
}

static int user_version(struct shelf_rig *r)
{
	sqlite3 *db = open_file(r);
	sqlite3_stmt *st;
	int version;

	sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return version;
}

static void the_first_version_is_taken_up(void **state)
{
	struct shelf_rig r;
	uint32_t cache;
	sqlite3 *db;

	(void)state;
	cache = begin(&r);
	put(&r, cache, "one", 1, 0);
	put(&r, cache, "two", 2, 0);
	assert_int_equal(shelf_rig_close(&r), 0);
	db = open_file(&r);
	make_first_version(db);
	sqlite3_close(db);
	assert_int_equal(shelf_rig_open(&r), 0);
	assert_false(r.report.renewed);
	assert_int_equal(shelf_rig_get(&r, cache, "one"), 1);
	assert_int_equal(shelf_rig_get(&r, cache, "two"), 2);
	put(&r, cache, "three", 3, 1);
	judge(&r, 1, 1, true);
	assert_int_equal(shelf_rig_put(&r, cache, "two", 4, 10), 0);
	assert_int_equal(shelf_rig_close(&r), 0);
	assert_int_equal(user_version(&r), 258);
	assert_int_equal(shelf_rig_open(&r), 0);
	assert_int_equal(shelf_rig_get(&r, cache, "one"), 1);
	assert_int_equal(shelf_rig_get(&r, cache, "two"), 4);
	assert_int_equal(shelf_rig_get(&r, cache, "three"), 3);
	assert_null(shelf_audit(&r, true));
	shelf_rig_finish(&r);
}

/* A row of proofs that is damaged proves nothing. */
static void without_its_proof_nothing_is_told(void **state)
{
	struct shelf_rig r;
	uint32_t cache;
	sqlite3 *db;

	(void)state;
	cache = begin(&r);
	put(&r, cache, "own", 1, 0);
	put(&r, cache, "proved", 2, 1);
	judge(&r, 1, 1, true);
	assert_int_equal(shelf_rig_close(&r), 0);
	db = open_file(&r);
	assert_int_equal(sqlite3_exec(db,
				      "UPDATE meta SET value=zeroblob(length(value)) "
				      "WHERE key='proof'",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(shelf_rig_open(&r), 0);
	assert_int_equal(trial_of(&r, cache, "own"), 0);
	assert_int_equal(trial_of(&r, cache, "proved"), -1);
	shelf_rig_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_of_spans_is_a_set),
		cmocka_unit_test(too_many_spans_are_refused),
		cmocka_unit_test(what_is_proved_outlives_a_start_and_nothing_else_does),
		cmocka_unit_test(a_trial_of_a_later_start_proves_none_of_an_earlier_one),
		cmocka_unit_test(the_earlier_one_stays_until_the_later_one_is_proved),
		cmocka_unit_test(what_is_dead_is_deleted),
		cmocka_unit_test(many_starts_need_no_more_room),
		cmocka_unit_test(a_proof_is_one_page_whatever_it_proves),
		cmocka_unit_test(what_is_open_pushes_nothing_out),
		cmocka_unit_test(what_is_open_goes_before_what_is_proved),
		cmocka_unit_test(a_precache_is_activated_when_all_of_it_is_proved),
		cmocka_unit_test(a_precache_that_is_doubted_later_gives_way_to_the_one_before),
		cmocka_unit_test(what_is_not_proved_is_not_adopted),
		cmocka_unit_test(the_first_version_is_taken_up),
		cmocka_unit_test(without_its_proof_nothing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

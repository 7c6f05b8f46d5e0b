/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations in the store: rows, the way from version 1, and damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "lib/store_files.h"
#include "lib/store_rig.h"
#include "store/registrations.h"

#define PAGE   512
#define MANY   60
#define PLENTY 300

static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r);
	*state = r;
	r->opt.wal_pages = 1; /* every batch reaches the database file */
	return rig_open(r);
}

static int teardown(void **state)
{
	rig_finish(*state);
	free(*state);
	return 0;
}

static int put(struct rig *r, uint64_t id, const char *tag, const char *value)
{
	struct hf_store_registration op = { .id = id,
					    .fresh = true,
					    .worker = HF_SPAN("kiosk"),
					    .tag = hf_span_str(tag),
					    .value = hf_span_str(value) };

	return RIG_DO(r, hf_store_registration, &op);
}

static int drop(struct rig *r, uint64_t id)
{
	struct hf_store_registration op = { .id = id, .remove = true };

	return RIG_DO(r, hf_store_registration, &op);
}

/* "1 orders=v1,2 menu=v2" */
static const char *all(struct rig *r, uint64_t *damaged)
{
	static char text[1 << 16];
	struct hf_store_registrations l = { 0 };
	size_t at = 0;

	text[0] = '\0';
	if (damaged)
		*damaged = 0;
	do {
		l.after = l.last_id;
		assert_int_equal(RIG_DO(r, hf_store_registrations, &l), 0);
		for (size_t i = 0; i < l.n; i++) {
			assert_true(hf_span_eq_str(l.rows[i].worker, "kiosk"));
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%llu %.*s=%.*s",
					       at ? "," : "", (unsigned long long)l.rows[i].id,
					       HF_SPAN_ARG(l.rows[i].tag),
					       HF_SPAN_ARG(l.rows[i].value));
		}
		if (damaged)
			*damaged += l.damaged;
	} while (l.more);
	hf_store_registrations_finish(&l);
	return text;
}

static void rows_survive_a_kill_and_are_replaced_and_removed(void **state)
{
	struct rig *r = *state;

	assert_int_equal(put(r, 1, "orders", "v1"), 0);
	assert_int_equal(put(r, 2, "", "v2"), 0);
	assert_int_equal(put(r, 3, "menu", "v3"), 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_string_equal(all(r, NULL), "1 orders=v1,2 =v2,3 menu=v3");
	assert_int_equal(put(r, 2, "menu", "again"), 0);
	assert_int_equal(drop(r, 1), 0);
	assert_int_equal(drop(r, 1), 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_string_equal(all(r, NULL), "2 menu=again,3 menu=v3");
}

static void damaged_row_is_left_out_and_counted(void **state)
{
	struct rig *r = *state;
	uint64_t damaged;

	put(r, 1, "orders", "v1");
	put(r, 2, "menu", "v2");
	assert_int_equal(rig_close(r), 0);
	rig_kill(r);
	rig_sql(r, "UPDATE registration SET tag='other' WHERE id=1");
	assert_int_equal(rig_open(r), 0);
	assert_string_equal(all(r, &damaged), "2 menu=v2");
	assert_int_equal(damaged, 1);
}

/* A database as version 1 left it: with requests, without the table. */
static void make_version_1(struct rig *r, uint64_t ids[MANY])
{
	uint32_t lane = rig_lane(r, "https://a", "");

	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(rig_insert(r, lane, i, 300, &ids[i]), 0);
	assert_int_equal(rig_settle(r, ids[0], HF_RECORD_SETTLED, 0), 0);
	assert_int_equal(rig_close(r), 0);
	rig_kill(r);
	rig_sql(r, "DROP TABLE registration; DROP TABLE dependent; PRAGMA user_version=1");
}

static void version_1_is_migrated_with_its_data(void **state)
{
	struct rig *r = *state;
	uint64_t ids[MANY];

	make_version_1(r, ids);
	assert_int_equal(rig_open(r), 0);
	assert_int_equal(r->salvages, 0);
	assert_false(r->report.salvaged);
	assert_int_equal(rig_status(r, ids[0], 0, 300), HF_RECORD_SETTLED);
	for (unsigned i = 1; i < MANY; i++)
		assert_int_equal(rig_status(r, ids[i], i, 300), HF_RECORD_QUEUED);
	assert_string_equal(all(r, NULL), "");
	assert_int_equal(put(r, 1, "orders", "v1"), 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_string_equal(all(r, NULL), "1 orders=v1");
}

static unsigned count_waiting(struct rig *r, const uint64_t ids[MANY])
{
	unsigned n = 0;

	for (unsigned i = 1; i < MANY; i++)
		n += rig_status(r, ids[i], i, 300) == HF_RECORD_QUEUED;
	return n;
}

/* Each page in turn, so that the migration meets the damage or leaves it to the
 * first use. */
static void damaged_version_1_is_salvaged(void **state)
{
	struct rig *r = *state;
	static const uint8_t rubbish[PAGE] = { 0xa5, 0x5a };
	uint64_t ids[MANY];
	char path[256];
	FILE *f;

	make_version_1(r, ids);
	f = fopen(rig_path(r, "queue-1.db", path), "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_SET), 0);
	assert_int_equal(fwrite(rubbish, 1, 100, f), 100); /* the header */
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rig_open(r), 0);
	assert_true(r->report.salvaged);
	assert_int_equal(count_waiting(r, ids), MANY - 1);
	assert_string_equal(all(r, NULL), "");
	assert_int_equal(put(r, 1, "orders", "v1"), 0);
	assert_string_equal(all(r, NULL), "1 orders=v1");
}

/* One-off and periodic ones. */
static uint64_t id_of(unsigned i)
{
	return i > PLENTY / 2 ? (UINT64_C(1) << 62) + i : i;
}

/* Whichever page is destroyed: what is on others comes through, and a row is
 * never another one's. */
static void salvage_brings_registrations_along(void **state)
{
	struct rig *r = *state;
	char path[256], tag[32], value[64], expected[80];
	unsigned hurt = 0, found;
	long size;
	uint8_t *whole;
	FILE *f;

	for (unsigned i = 1; i <= PLENTY; i++) {
		snprintf(tag, sizeof(tag), "tag-%u", i);
		snprintf(value, sizeof(value), "value of %u", i);
		assert_int_equal(put(r, id_of(i), tag, value), 0);
	}
	assert_int_equal(rig_close(r), 0);
	rig_kill(r);
	f = fopen(rig_path(r, "queue-1.db", path), "rb");
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	whole = malloc((size_t)size);
	assert_int_equal(fread(whole, 1, (size_t)size, f), size);
	fclose(f);
	for (long at = 0; at < size; at += PAGE) {
		struct rig other;
		const char *text;

		rig_init(&other);
		assert_int_equal(rig_open(&other), 0);
		assert_int_equal(rig_close(&other), 0);
		rig_kill(&other);
		f = fopen(rig_path(&other, "queue-1.db", path), "wb");
		fwrite(whole, 1, (size_t)size, f);
		fseek(f, at, SEEK_SET);
		for (unsigned i = 0; i < PAGE; i++)
			fputc(0xa5, f);
		fclose(f);
		unlink(rig_path(&other, "queue-1.db-wal", path));
		assert_int_equal(rig_open(&other), 0);
		text = all(&other, NULL); /* damage that shows now is salvaged now */
		found = 0;
		for (unsigned i = 1; i <= PLENTY; i++) {
			snprintf(expected, sizeof(expected), "%llu tag-%u=value of %u",
				 (unsigned long long)id_of(i), i, i);
			found += strstr(text, expected) != NULL;
		}
		hurt += found < PLENTY - 20;
		rig_finish(&other);
	}
	free(whole);
	if (hurt > 1) /* the root of their tree */
		fail_msg("%u pages take more than the rows on them", hurt);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(rows_survive_a_kill_and_are_replaced_and_removed),
		STORE_TEST(damaged_row_is_left_out_and_counted),
		STORE_TEST(version_1_is_migrated_with_its_data),
		STORE_TEST(damaged_version_1_is_salvaged),
		STORE_TEST(salvage_brings_registrations_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

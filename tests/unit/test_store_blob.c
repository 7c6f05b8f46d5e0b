/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in chunks: how long they live, and what becomes of altered ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/store_files.h"
#include "store/db.h"

#define CHUNK 100000

static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r);
	*state = r;
	return rig_open(r);
}

static int teardown(void **state)
{
	rig_finish(*state);
	free(*state);
	return 0;
}

static uint64_t blob_of(struct rig *r, unsigned chunks)
{
	struct hf_store_blob_append a = { .blob = 0 };
	static char data[CHUNK];

	for (unsigned n = 0; n < chunks; n++) {
		rig_body(n, data, sizeof(data));
		a.n = n;
		a.data = hf_span(data, sizeof(data));
		assert_int_equal(RIG_DO(r, hf_store_blob_append, &a), 0);
	}
	return a.blob;
}

static int blob_chunk(struct rig *r, uint64_t blob, uint32_t n)
{
	struct hf_store_blob_read b = { .blob = blob, .n = n };
	static char data[CHUNK];
	int err;

	hf_buf_init(&b.data, 1u << 20);
	err = RIG_DO(r, hf_store_blob_read, &b);
	rig_body(n, data, sizeof(data));
	if (!err && !hf_span_eq(hf_buf_span(&b.data), hf_span(data, sizeof(data))))
		err = HF_EPROTO;
	hf_buf_finish(&b.data);
	return err;
}

static uint64_t insert_blob(struct rig *r, uint32_t lane, uint64_t blob, unsigned chunks)
{
	struct hf_store_insert i = { .lane = lane,
				     .blob = blob,
				     .body_len = (uint64_t)chunks * CHUNK };

	i.state.status = HF_RECORD_QUEUED;
	i.head = HF_SPAN("h");
	assert_int_equal(RIG_DO(r, hf_store_insert, &i), 0);
	return i.id;
}

/* ---- life ---- */

static void blob_lives_as_long_as_its_record(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "a", "");
	uint64_t kept = blob_of(r, 3), lost = blob_of(r, 2);
	struct hf_store_purge p = { .budget = 10 };
	struct hf_store_load l;
	uint64_t id;

	assert_int_not_equal(kept, lost);
	id = insert_blob(r, lane, kept, 3);
	assert_int_equal(blob_chunk(r, lost, 0), 0);
	assert_int_equal(rig_reopen(r), 0);
	fake_port_settle(&r->port);
	assert_int_equal(blob_chunk(r, lost, 0), HF_ENOENT);
	assert_int_equal(blob_chunk(r, lost, 1), HF_ENOENT);
	for (uint32_t n = 0; n < 3; n++)
		assert_int_equal(blob_chunk(r, kept, n), 0);
	assert_int_equal(blob_chunk(r, kept, 3), HF_ENOENT);
	hf_store_load_init(&l);
	l.id = id;
	assert_int_equal(RIG_DO(r, hf_store_load, &l), 0);
	assert_int_equal(l.blob, kept);
	assert_int_equal(l.body_len, 3 * CHUNK);
	hf_store_load_finish(&l);
	assert_int_equal(rig_settle(r, id, HF_RECORD_SETTLED, 1), 0);
	assert_int_equal(RIG_DO(r, hf_store_purge, &p), 0);
	fake_port_settle(&r->port);
	assert_int_equal(blob_chunk(r, kept, 0), HF_ENOENT);
	assert_true(blob_of(r, 1) > 0);
}

static void abandoned_upload_is_deleted(void **state)
{
	struct rig *r = *state;
	uint64_t blob = blob_of(r, 12);
	struct hf_store_blob_delete d = { .blob = blob };

	assert_int_equal(RIG_DO(r, hf_store_blob_delete, &d), 0);
	fake_port_settle(&r->port);
	for (uint32_t n = 0; n < 12; n++)
		assert_int_equal(blob_chunk(r, blob, n), HF_ENOENT);
}

/* Its number may be that of a blob of an earlier run, which is deleted by then. */
static void upload_after_a_restart_is_not_taken_for_a_leftover(void **state)
{
	struct rig *r = *state;
	uint64_t leftover = blob_of(r, 2), upload;
	struct hf_store_blob_delete d;

	assert_int_equal(rig_reopen(r), 0);
	fake_port_settle(&r->port);
	assert_int_equal(blob_chunk(r, leftover, 0), HF_ENOENT);
	upload = blob_of(r, 2);
	/* sets the sweep going */
	d = (struct hf_store_blob_delete){ .blob = blob_of(r, 1) };
	assert_int_equal(RIG_DO(r, hf_store_blob_delete, &d), 0);
	fake_port_settle(&r->port);
	assert_int_equal(blob_chunk(r, d.blob, 0), HF_ENOENT);
	assert_int_equal(blob_chunk(r, upload, 0), 0);
	assert_int_equal(blob_chunk(r, upload, 1), 0);
}

static void answer_may_be_a_blob(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "a", "");
	struct hf_store_settle x = { .body_len = 2 * CHUNK };
	struct hf_store_load l;
	uint64_t id;

	assert_int_equal(rig_insert(r, lane, 1, 10, &id), 0);
	x.id = id;
	x.blob = blob_of(r, 2);
	x.state.status = HF_RECORD_SETTLED;
	assert_int_equal(RIG_DO(r, hf_store_settle, &x), 0);
	assert_int_equal(rig_reopen(r), 0);
	fake_port_settle(&r->port);
	hf_store_load_init(&l);
	l.id = id;
	assert_int_equal(RIG_DO(r, hf_store_load, &l), 0);
	assert_int_equal(l.outcome_blob, x.blob);
	assert_int_equal(l.outcome_body_len, 2 * CHUNK);
	hf_store_load_finish(&l);
	assert_int_equal(blob_chunk(r, x.blob, 1), 0);
}

/* ---- damage ---- */

#define CHUNKS 3

static void check_state(struct rig *r, uint64_t id, uint8_t status, uint8_t reason)
{
	struct hf_store_load l;

	hf_store_load_init(&l);
	l.id = id;
	assert_int_equal(RIG_DO(r, hf_store_load, &l), 0);
	assert_int_equal(l.state.status, status);
	assert_int_equal(l.state.reason, reason);
	hf_store_load_finish(&l);
}

/* One bit: that chunk is refused and no other, and nothing else is said to be damaged. */
static void altered_chunk_is_not_given_out(void **state)
{
	static const int places[] = { 0, 1, CHUNK / 2, CHUNK - 1 };
	struct rig *r = *state;
	uint64_t blob = blob_of(r, CHUNKS), id = insert_blob(r, rig_lane(r, "a", ""), blob, CHUNKS);

	for (unsigned i = 0; i < CHUNKS * 4; i++) {
		rig_kill(r);
		rig_flip(r, "queue-1.db", blob, i / 4, places[i % 4]);
		assert_int_equal(rig_open(r), 0);
		assert_false(r->report.salvaged);
		for (unsigned n = 0; n < CHUNKS; n++)
			assert_int_equal(blob_chunk(r, blob, n), n == i / 4 ? HF_ECORRUPT : 0);
		check_state(r, id, HF_RECORD_QUEUED, 0);
		rig_kill(r);
		rig_flip(r, "queue-1.db", blob, i / 4, places[i % 4]);
		assert_int_equal(rig_open(r), 0);
	}
}

/* The next start finds the first page destroyed and salvages. */
static void salvage(struct rig *r)
{
	rig_fill(r, "queue-1.db", 0, 0xff, 512);
	assert_int_equal(rig_open(r), 0);
	assert_true(r->report.salvaged);
	fake_port_settle(&r->port);
}

static void salvage_gives_up_what_has_an_altered_chunk(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "a", "");
	uint64_t bad = blob_of(r, CHUNKS), good = blob_of(r, CHUNKS);
	uint64_t lost = insert_blob(r, lane, bad, CHUNKS);
	uint64_t kept = insert_blob(r, lane, good, CHUNKS);

	assert_int_equal(rig_close(r), 0);
	rig_flip(r, "queue-1.db", bad, 1, 77);
	salvage(r);
	assert_int_equal(r->report.rows_lost, 1);
	check_state(r, lost, HF_RECORD_DEAD, HF_RECORD_REASON_DAMAGED);
	check_state(r, kept, HF_RECORD_QUEUED, 0);
	for (unsigned n = 0; n < CHUNKS; n++) {
		assert_int_equal(blob_chunk(r, good, n), 0);
		assert_int_equal(blob_chunk(r, bad, n), HF_ENOENT);
	}
}

/* What is left of a blob nobody refers to is deleted in the background. */
static void salvage_leaves_no_blob_behind(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "a", "");
	uint64_t bad = blob_of(r, CHUNKS);
	struct hf_store_usage usage;

	insert_blob(r, lane, bad, CHUNKS);
	assert_int_equal(rig_close(r), 0);
	rig_flip(r, "queue-1.db", bad, 2, 0);
	salvage(r);
	assert_true(blob_of(r, 1) > bad);
	hf_store_usage(r->store, &usage);
	assert_true(usage.bytes < CHUNK + CHUNK / 2);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(blob_lives_as_long_as_its_record),
		STORE_TEST(abandoned_upload_is_deleted),
		STORE_TEST(upload_after_a_restart_is_not_taken_for_a_leftover),
		STORE_TEST(answer_may_be_a_blob),
		STORE_TEST(altered_chunk_is_not_given_out),
		STORE_TEST(salvage_gives_up_what_has_an_altered_chunk),
		STORE_TEST(salvage_leaves_no_blob_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

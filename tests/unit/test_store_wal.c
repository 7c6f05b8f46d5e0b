/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damage of the log, in every frame of one that holds acknowledged work. What
 * SQLite would drop behind it is there, or is counted and reported; a torn last
 * transaction is what a power cut leaves, and nobody is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/store_files.h"
#include "store/wal.h"

#define LOG	 "queue-1.db-wal"
#define HEADER	 32
#define FRAME	 536
#define REQUESTS 40
#define FRAMES	 1000
#define PAGES	 100

static uint64_t ids[REQUESTS];

/* Where the transactions of the log end. */
static struct {
	uint32_t n; /* frames up to the last commit */
	bool commit[FRAMES];
} log_shape;

static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r);
	*state = r;
	return rig_open(r);
}

/* With a log that is used again and again. */
static int setup_short(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r);
	*state = r;
	r->opt.wal_pages = 250;
	return rig_open(r);
}

static int teardown(void **state)
{
	rig_finish(*state);
	free(*state);
	return 0;
}

static uint8_t status_of(unsigned i)
{
	return i < 10 ? HF_RECORD_SETTLED : HF_RECORD_QUEUED;
}

static uint32_t be(const char *at)
{
	const uint8_t *p = (const uint8_t *)at;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void see_shape(const struct rig_files *k)
{
	const char *bytes = k->bytes[1];

	memset(&log_shape, 0, sizeof(log_shape));
	for (uint32_t i = 1; HEADER + (size_t)i * FRAME <= k->size[1] && i < FRAMES; i++) {
		const char *frame = bytes + HEADER + (size_t)(i - 1) * FRAME;

		if (memcmp(frame + 8, bytes + 16, 8) != 0)
			break;
		log_shape.commit[i] = be(frame + 4) != 0;
		if (log_shape.commit[i])
			log_shape.n = i;
	}
}

/* Acknowledged one by one: each is a commit of its own. */
static void fill(struct rig *r, bool clean, struct rig_files *kept)
{
	uint32_t a = rig_lane(r, "https://a", ""), b = rig_lane(r, "https://b", "");

	for (unsigned i = 0; i < REQUESTS; i++) {
		assert_int_equal(rig_insert(r, i % 2 ? a : b, i, 400, &ids[i]), 0);
		if (i >= 20 && i < 30)
			assert_int_equal(rig_settle(r, ids[i - 20], HF_RECORD_SETTLED, i - 20), 0);
	}
	if (clean)
		assert_int_equal(rig_close(r), 0);
	rig_kill(r);
	rig_keep(r, kept);
	see_shape(kept);
	assert_true(log_shape.n > 3 * REQUESTS);
}

static uint32_t frame_at(long at)
{
	return at < HEADER ? 0 : (uint32_t)((at - HEADER) / FRAME) + 1;
}

static uint32_t commits_from(uint32_t frame)
{
	uint32_t n = 0;

	for (uint32_t i = frame; i <= log_shape.n; i++)
		n += log_shape.commit[i];
	return n;
}

struct census {
	unsigned whole, again, buried, gone;
};

static struct census count(struct rig *r)
{
	struct census c = { .whole = 0 };

	for (unsigned i = 0; i < REQUESTS; i++) {
		int got = rig_status(r, ids[i], i, 400);

		if (got == status_of(i))
			c.whole++;
		else if (got == HF_RECORD_DEAD)
			c.buried++;
		else if (got == HF_ENOENT)
			c.gone++;
		else if (got == HF_RECORD_QUEUED)
			c.again++;
		else
			fail_msg("request %u: %d", i, got);
	}
	return c;
}

struct harm {
	long at;
	size_t len;
	uint8_t with;
	bool flip; /* these bits of one byte */
};

static void do_harm(struct rig *r, const struct rig_files *k, const struct harm *h)
{
	size_t left = k->size[1] - (size_t)h->at, len = h->len < left ? h->len : left;
	uint8_t byte = (uint8_t)k->bytes[1][h->at] ^ h->with;

	if (h->flip)
		rig_overwrite(r, LOG, h->at, &byte, 1);
	else
		rig_fill(r, LOG, h->at, h->with, len);
}

struct costs {
	unsigned salvages, buried, gone, again;
};

static void harmed(struct rig *r, const struct rig_files *kept, const struct harm *h,
		   struct costs *costs)
{
	uint32_t frame = frame_at(h->at), last = frame_at(h->at + (long)h->len - 1);
	struct census c;

	rig_restore(r, kept);
	do_harm(r, kept, h);
	assert_int_equal(rig_open(r), 0);
	c = count(r);
	if (r->report.salvaged) {
		costs->salvages++;
		assert_string_equal(r->report.quarantine, "queue-1.db");
		if (c.buried + c.gone > r->report.rows_lost)
			fail_msg("frame %u at %ld: %u buried, %u gone, %u reported", frame, h->at,
				 c.buried, c.gone, (unsigned)r->report.rows_lost);
	} else if (commits_from(last + 1) > 1) {
		fail_msg("frame %u of %u at %ld: nothing was noticed", frame, log_shape.n, h->at);
	} else {
		assert_true(c.buried + c.gone <= commits_from(frame));
	}
	costs->buried += c.buried;
	costs->gone += c.gone;
	costs->again += c.again;
	rig_whole(r);
	/* the number of what was dropped unseen is given again */
	rig_works(r, ids, r->report.salvaged ? REQUESTS : 0);
	rig_kill(r);
}

static void every_frame(struct rig *r, size_t len, bool flip)
{
	static const long places[] = { 2, 6, 9, 17, 22, 24, 200, 535 };
	struct costs costs = { .salvages = 0 };
	struct rig_files kept;
	unsigned n = 0;

	fill(r, false, &kept);
	for (uint32_t frame = 1; frame <= log_shape.n; frame++) {
		size_t place = frame % (sizeof(places) / sizeof(places[0]));
		struct harm h = { HEADER + (long)(frame - 1) * FRAME + places[place], len,
				  (uint8_t)(flip ? 1 << frame % 8 : (frame % 2 ? 0xff : 0)), flip };

		harmed(r, &kept, &h, &costs);
		n++;
	}
	rig_forget(&kept);
	print_message("%u places: %u salvages, %u requests lost, %u repeated, %u gone\n", n,
		      costs.salvages, costs.buried, costs.again, costs.gone);
}

static void a_flipped_bit_loses_nothing_silently(void **state)
{
	every_frame(*state, 1, true);
}

static void a_lost_sector_loses_nothing_silently(void **state)
{
	every_frame(*state, 512, false);
}

static void a_lost_block_loses_nothing_silently(void **state)
{
	every_frame(*state, 4096, false);
}

/* Every copy of @page but the first @kept ones; false when there are no more. */
static bool lose_page(struct rig *r, const struct rig_files *k, uint32_t page, unsigned kept)
{
	unsigned seen = 0;

	for (uint32_t i = 1; i <= log_shape.n; i++) {
		long at = HEADER + (long)(i - 1) * FRAME;
		uint8_t byte = (uint8_t)~k->bytes[1][at + 300];

		if (be(k->bytes[1] + at) == page && seen++ >= kept)
			rig_overwrite(r, LOG, at + 300, &byte, 1);
	}
	return seen > kept;
}

/* A page as it was long ago beside others as they are: a page of records that has
 * been split since has the same ones as its new neighbour. */
static void pages_that_do_not_fit_together_lose_nothing_silently(void **state)
{
	struct rig *r = *state;
	struct rig_files files;
	struct census c;
	unsigned n = 0;

	fill(r, false, &files);
	for (uint32_t page = 2; page < PAGES; page++) {
		for (unsigned kept = 1; kept < 40; kept += 3) {
			rig_restore(r, &files);
			if (!lose_page(r, &files, page, kept))
				break;
			if (rig_open(r))
				fail_msg("page %u, %u copies kept: no start", page, kept);
			c = count(r);
			if (r->report.salvaged)
				assert_true(c.buried + c.gone <= r->report.rows_lost);
			rig_whole(r);
			rig_kill(r);
			n++;
		}
	}
	rig_forget(&files);
	print_message("%u pages and copies\n", n);
	assert_true(n > 30);
}

/* Header, and header with the first frames. */
static void a_lost_header_loses_nothing_silently(void **state)
{
	static const struct harm harms[] = {
		{ 3, 1, 1, true },  { 9, 1, 1, true },	 { 17, 1, 1, true },
		{ 25, 1, 1, true }, { 0, 32, 0, false }, { 0, 4096, 0xff, false },
	};
	struct costs costs = { .salvages = 0 };
	struct rig *r = *state;
	struct rig_files kept;

	fill(r, false, &kept);
	for (size_t i = 0; i < sizeof(harms) / sizeof(harms[0]); i++) {
		struct costs here = { .salvages = 0 };

		harmed(r, &kept, &harms[i], &here);
		assert_int_equal(here.salvages, 1);
		if (harms[i].len <= HEADER)
			assert_int_equal(here.buried + here.gone + here.again, 0);
		costs.gone += here.gone;
	}
	assert_int_equal(costs.gone, 0);
	rig_forget(&kept);
}

/* What has been copied back into the database is not lost with the log. */
static void a_log_that_was_copied_back_is_not_needed(void **state)
{
	static const struct harm harms[] = {
		{ 0, 4096, 0xff, false },
		{ 20 * FRAME, 4096, 0, false },
		{ 60 * FRAME + 100, 1, 1, true },
		{ 120 * FRAME, 8192, 0xff, false },
	};
	struct rig *r = *state;
	struct rig_files kept;

	fill(r, true, &kept);
	for (size_t i = 0; i < sizeof(harms) / sizeof(harms[0]); i++) {
		struct costs costs = { .salvages = 0 };

		harmed(r, &kept, &harms[i], &costs);
		assert_int_equal(costs.salvages, 1);
		assert_int_equal(costs.buried + costs.gone + costs.again, 0);
	}
	rig_forget(&kept);
}

/* In the last transaction damage cannot be told from the tear of a power cut:
 * it is dropped, nothing else, and nobody is told. */
static void a_torn_end_is_silent(void **state)
{
	struct rig *r = *state;
	struct rig_files kept;
	uint32_t first;

	fill(r, false, &kept);
	for (first = log_shape.n; !log_shape.commit[first - 1];)
		first--;
	for (uint32_t frame = first; frame <= log_shape.n; frame++) {
		struct harm h = { HEADER + (long)(frame - 1) * FRAME + 30, 1, 1, true };
		struct costs costs = { .salvages = 0 };

		harmed(r, &kept, &h, &costs);
		assert_int_equal(costs.salvages, 0);
		assert_int_equal(costs.gone, 1);
	}
	rig_forget(&kept);
}

/* Any sectors of the last write may be as they were before it, with frames of an
 * earlier use of the log. */
static void a_tear_at_any_sector_is_silent(void **state)
{
	enum {
		HEAD_KEPT,
		TAIL_KEPT,
		ONE_LOST,
		TEARS
	};
	struct rig *r = *state;
	struct rig_files before, after;
	uint32_t lane = rig_lane(r, "https://a", "");
	unsigned sectors = 0;
	uint64_t id;

	/* each a commit of one frame */
	assert_int_equal(rig_insert(r, lane, 0, 900, &id), 0);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(rig_mark(r, id, i % 2 + 1), 0);
	rig_keep(r, &before);
	assert_int_equal(rig_insert(r, lane, 120, 60000, &id), 0);
	rig_kill(r);
	rig_keep(r, &after);
	assert_int_equal(before.size[1], after.size[1]);
	for (size_t at = 0; at + 512 <= after.size[1]; at += 512) {
		if (memcmp(before.bytes[1] + at, after.bytes[1] + at, 512) == 0)
			continue;
		sectors++;
		for (int tear = 0; tear < TEARS; tear++) {
			size_t from = tear == TAIL_KEPT ? 0 : at;
			size_t to = tear == HEAD_KEPT ? after.size[1] : at + 512;

			rig_restore(r, &after);
			rig_overwrite(r, LOG, (long)from, before.bytes[1] + from, to - from);
			assert_int_equal(rig_open(r), 0);
			assert_false(r->report.salvaged);
			assert_false(r->report.vanished);
			rig_kill(r);
		}
	}
	assert_true(sectors > 100);
	rig_forget(&before);
	rig_forget(&after);
}

#define WAL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WAL_TEST(a_flipped_bit_loses_nothing_silently),
		WAL_TEST(a_lost_sector_loses_nothing_silently),
		WAL_TEST(a_lost_block_loses_nothing_silently),
		WAL_TEST(pages_that_do_not_fit_together_lose_nothing_silently),
		WAL_TEST(a_lost_header_loses_nothing_silently),
		WAL_TEST(a_log_that_was_copied_back_is_not_needed),
		WAL_TEST(a_torn_end_is_silent),
		cmocka_unit_test_setup_teardown(a_tear_at_any_sector_is_silent, setup_short,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

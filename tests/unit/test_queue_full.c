/* SPDX-License-Identifier: Apache-2.0 */
/* A store without room: what the origin has answered is stored all the same,
 * as much of it as there is room for, and nothing is sent a second time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/queue_rig.h"
#include "sim/disk.h"
#include "sim/vfs.h"

#define LARGE  (500u << 10)
#define MEDIUM (60u << 10) /* stays in the log for a while */

struct world {
	struct qrig r;
	struct sim_disk *disk;
	struct sim_vfs *vfs;
	char *large;
	char *fields;
};

static void open_anew(struct world *w)
{
	assert_int_equal(rig_open(&w->r.store), 0);
	qrig_begin(&w->r);
	qrig_start(&w->r);
}

/* The queue over a disk of our own. */
static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	qrig_init(&w->r);
	qrig_kill(&w->r);
	w->disk = sim_disk_create(1, "disk");
	w->vfs = sim_vfs_create(w->disk, "queue-full-disk", 1, NULL, NULL);
	w->r.store.port.vfs = sim_vfs_name(w->vfs);
	w->r.answer_bytes_max = 1u << 20;
	w->large = malloc(LARGE + 1);
	w->fields = malloc(2048);
	if (!w->large || !w->fields)
		abort();
	memset(w->large, 'x', LARGE);
	w->large[LARGE] = '\0';
	snprintf(w->fields, 2048, "X-Long: %02000d", 0);
	open_anew(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	qrig_finish(&w->r);
	sim_vfs_destroy(w->vfs);
	sim_disk_destroy(w->disk);
	free(w->large);
	free(w->fields);
	free(w);
	return 0;
}

static struct fake_answer_to next_answer;

static void answer_next(void *user, struct hf_exchange *x, struct fake_answer_to *out)
{
	(void)user;
	(void)x;
	*out = next_answer;
}

static void run_full(struct world *w)
{
	sim_disk_capacity(w->disk, sim_disk_used(w->disk));
}

/* The stored answer: its status, the length of its body, whether it was cut. */
static void check_answer(struct world *w, uint64_t id, size_t len, bool cut)
{
	struct hf_answer_head answer;
	struct hf_arena arena;
	struct hf_store_load l;

	hf_arena_init(&arena, 1u << 16);
	assert_int_equal(qrig_load(&w->r, id, &l), 0);
	assert_int_equal(l.state.status, HF_RECORD_SETTLED);
	assert_true(l.has_outcome);
	assert_int_equal(hf_answer_head_decode(hf_buf_span(&l.outcome_head), &arena, &answer), 0);
	assert_int_equal(answer.status, 201);
	assert_int_equal(answer.truncated, cut);
	assert_int_equal(l.outcome_body.len, len);
	hf_store_load_finish(&l);
	hf_arena_finish(&arena);
}

static void answer_without_room_is_stored_without_its_body(void **state)
{
	struct world *w = *state;
	struct qreq *a[4];
	char target[8];

	next_answer = (struct fake_answer_to){ .status = 201, .body = w->large };
	w->r.origin[0].answer = answer_next;
	hf_sync_stop(w->r.sync);
	for (int i = 0; i < 4; i++) {
		snprintf(target, sizeof(target), "/%d", i);
		a[i] = qrig_leave(&w->r, target, "x");
	}
	run_full(w);
	hf_sync_start(w->r.sync);
	qrig_advance(&w->r, 60000);
	assert_string_equal(qrig_taken(&w->r, 0), "/0 /1 /2 /3");
	for (int i = 0; i < 4; i++)
		check_answer(w, a[i]->a.id, 0, true);
	sim_disk_capacity(w->disk, UINT64_MAX);
	qrig_advance(&w->r, 60000);
	a[0] = qrig_leave(&w->r, "/whole", "x");
	assert_int_equal(a[0]->done, 0);
	qrig_advance(&w->r, 1000);
	check_answer(w, a[0]->a.id, LARGE, false);
	qrig_check(&w->r);
}

/* Answers larger than requests, in a store that is full up to its ceiling: the
 * oldest answers make room for the end of what waits. */
static void oldest_answers_make_room_for_the_end_of_what_waits(void **state)
{
	struct world *w = *state;
	struct qreq *q, *last = NULL;
	char target[16];
	unsigned n = 0;

	qrig_kill(&w->r);
	w->r.store.opt.bytes_max = 1u << 20;
	w->r.store.opt.reserve_bytes = 64u << 10;
	open_anew(w);
	next_answer = (struct fake_answer_to){ .status = 201, .fields = w->fields };
	w->r.origin[0].answer = answer_next;
	hf_sync_stop(w->r.sync);
	for (;; n++) {
		snprintf(target, sizeof(target), "/%u", n);
		q = qrig_leave(&w->r, target, "x");
		if (q->done)
			break;
		last = q;
	}
	assert_int_equal(q->done, HF_EFULL);
	assert_true(n > 1000);
	hf_sync_start(w->r.sync);
	qrig_advance(&w->r, 600000);
	assert_int_equal(w->r.origin[0].performed, n);
	assert_int_equal(qrig_lane(&w->r, "lane")->waiting, 0);
	check_answer(w, last->a.id, 0, false);
	qrig_check(&w->r);
}

/* Nothing waits, and old answers fill the store: they are not worth more than
 * what a panel asks for now. */
static void old_answers_make_room_for_new_requests(void **state)
{
	struct world *w = *state;
	struct qreq *q;
	char target[16];
	unsigned n = 0;

	qrig_kill(&w->r);
	w->r.store.opt.bytes_max = 1u << 20;
	w->r.store.opt.reserve_bytes = 64u << 10;
	open_anew(w);
	next_answer = (struct fake_answer_to){ .status = 201, .fields = w->fields };
	w->r.origin[0].answer = answer_next;
	for (;; n++) {
		snprintf(target, sizeof(target), "/%u", n);
		q = qrig_leave(&w->r, target, "x");
		qrig_settle(&w->r);
		if (q->done)
			break;
	}
	assert_int_equal(q->done, HF_EFULL);
	assert_true(n > 100);
	assert_int_equal(qrig_leave(&w->r, "/again", "x")->done, 0);
	qrig_settle(&w->r);
	assert_int_equal(qrig_lane(&w->r, "lane")->waiting, 0);
	qrig_check(&w->r);
}

/* A medium that others have filled gets no room by that: the answers stay. */
static void answers_stay_when_the_medium_is_full(void **state)
{
	struct world *w = *state;
	struct qreq *a;

	w->r.origin[0].answer = NULL;
	a = qrig_leave(&w->r, "/a", "x");
	qrig_settle(&w->r);
	run_full(w);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(qrig_leave(&w->r, "/b", w->large)->done, HF_EFULL);
		qrig_settle(&w->r);
	}
	check_answer(w, a->a.id, 0, false);
}

static unsigned count_in_log(const struct world *w, const char *words)
{
	const char *at = w->r.store.port.log_text;
	unsigned n = 0;

	while ((at = strstr(at, words)) != NULL) {
		at++;
		n++;
	}
	return n;
}

static void a_flood_of_refusals_does_not_fill_the_log(void **state)
{
	struct world *w = *state;

	w->r.origin[0].answer = NULL;
	qrig_leave(&w->r, "/a", "x");
	qrig_settle(&w->r);
	run_full(w);
	w->r.store.port.log_len = 0;
	w->r.store.port.log_text[0] = '\0';
	for (int i = 0; i < 20; i++) {
		assert_int_equal(qrig_leave(&w->r, "/b", w->large)->done, HF_EFULL);
		qrig_settle(&w->r);
	}
	assert_int_equal(count_in_log(w, "queue.refused lane="), 5);
	qrig_advance(&w->r, 70000);
	assert_int_equal(count_in_log(w, "queue.refused held_back=15 seconds=60\n"), 1);
}

/* A medium that the store itself has filled, with answers in the end: those go when
 * a request comes that needs their place. */
static void answers_make_room_on_a_full_medium(void **state)
{
	struct world *w = *state;
	struct qreq *q;
	char target[16];
	unsigned n = 0, tries = 0;

	next_answer = (struct fake_answer_to){ .status = 201, .fields = w->fields };
	w->r.origin[0].answer = answer_next;
	sim_disk_capacity(w->disk, sim_disk_used(w->disk) + (2u << 20));
	do {
		snprintf(target, sizeof(target), "/%u", n++);
		q = qrig_leave(&w->r, target, "x");
		qrig_settle(&w->r);
	} while (!q->done);
	assert_int_equal(q->done, HF_EFULL);
	assert_true(n > 100);
	do {
		q = qrig_leave(&w->r, "/again", w->large + LARGE - MEDIUM);
		qrig_settle(&w->r);
	} while (q->done && ++tries < 3);
	assert_int_equal(q->done, 0);
	qrig_advance(&w->r, 1000);
	assert_int_equal(qrig_lane(&w->r, "lane")->waiting, 0);
	qrig_check(&w->r);
}

/* The origin answers /a, and nothing can be written any more: the log cannot
 * grow, and there is no room to copy it back. */
static uint64_t answer_without_any_room(struct world *w, int status)
{
	struct hf_exchange *x;
	struct qreq *a;

	w->r.origin[0].manual = true;
	a = qrig_leave(&w->r, "/a", "x");
	qrig_settle(&w->r);
	x = fake_exchange(&w->r.origin[0], 0);
	assert_true(fake_connect(x));
	qrig_settle(&w->r);
	assert_int_equal(qrig_leave(&w->r, "/b", w->large + LARGE - MEDIUM)->done, 0);
	sim_disk_capacity(w->disk, 0);
	assert_true(fake_head(x, status, NULL));
	fake_end(x, HF_END_COMPLETE, HF_SENT_ALL);
	w->r.origin[0].manual = false;
	return a->a.id;
}

/* What was answered waits for room and is not sent again meanwhile. */
static void check_waits_for_room(struct world *w, int status, uint8_t becomes)
{
	uint64_t id = answer_without_any_room(w, status);

	qrig_advance(&w->r, 600000);
	assert_int_equal(w->r.origin[0].performed, 1);
	assert_int_equal(qrig_state(&w->r, id).status, HF_RECORD_QUEUED);
	sim_disk_capacity(w->disk, UINT64_MAX);
	w->r.origin[0].manual = true;
	qrig_advance(&w->r, 60000);
	assert_int_equal(qrig_state(&w->r, id).status, becomes);
	assert_int_equal(w->r.origin[0].performed, becomes == HF_RECORD_SETTLED ? 2 : 1);
	qrig_check(&w->r);
}

static void what_cannot_be_settled_yet_is_not_sent_again(void **state)
{
	check_waits_for_room(*state, 201, HF_RECORD_SETTLED);
}

static void what_cannot_be_held_yet_is_not_sent_again(void **state)
{
	check_waits_for_room(*state, 401, HF_RECORD_HELD);
}

static void closing_down_while_an_end_waits_for_room(void **state)
{
	struct world *w = *state;
	uint64_t id = answer_without_any_room(w, 201);

	qrig_advance(&w->r, 12000);
	sim_disk_capacity(w->disk, UINT64_MAX);
	qrig_restart(&w->r);
	qrig_advance(&w->r, 60000);
	assert_string_equal(qrig_taken(&w->r, 0), "/a /b");
	check_answer(w, id, 0, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answer_without_room_is_stored_without_its_body),
		TEST(oldest_answers_make_room_for_the_end_of_what_waits),
		TEST(old_answers_make_room_for_new_requests),
		TEST(answers_stay_when_the_medium_is_full),
		TEST(a_flood_of_refusals_does_not_fill_the_log),
		TEST(answers_make_room_on_a_full_medium),
		TEST(what_cannot_be_settled_yet_is_not_sent_again),
		TEST(what_cannot_be_held_yet_is_not_sent_again),
		TEST(closing_down_while_an_end_waits_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

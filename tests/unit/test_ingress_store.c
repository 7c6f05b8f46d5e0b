/* SPDX-License-Identifier: Apache-2.0 */
/* /.holdfast/ when the store holds much, little or rubbish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "lib/panel_api.h"
#include "lib/panel_case.h"

/* With the rig stopped. */
static void change_in_database(const char *sql)
{
	char path[512];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/queue-1.db", rig.dir);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_true(sqlite3_changes(db) > 0);
	sqlite3_close(db);
}

/* A page of the store may hold nothing that is asked for, and not be the last. */
static void finds_what_waits_behind_many_that_are_final(void **state)
{
	char first[27], last[27], path[64];
	const char *text;

	(void)state;
	start_offline();
	order("ab", first);
	order("ab", last);
	snprintf(path, sizeof(path), "requests/%s", last);
	HAS(page("DELETE", path), "200 OK");
	panel_rig_stop(&rig);
	change_in_database(
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		" WHERE i < 10000)"
		"INSERT INTO record(id, state) SELECT r.id + i, r.state FROM n,"
		" (SELECT id, state FROM record ORDER BY id DESC LIMIT 1) AS r;"
		"UPDATE lane SET v = x'010000000000000012270000000000001127000000000000'");
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	order("abcd", last);
	text = page("GET", "requests?state=queued&limit=2");
	HAS(text, first);
	HAS(text, last);
	HAS(text, "\"next\":null");
	text = operator("GET", "export");
	HAS(text, first);
	HAS(text, last);
	HAS(text, "\"body\":\"YWJjZA==\"}\n");
}

static void check_damaged_export(const char *body, const char *sql)
{
	char first[27], last[27];
	const char *text;

	start_offline();
	order(body, first);
	order("abcd", last);
	panel_rig_stop(&rig);
	change_in_database(sql);
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	text = operator("GET", "export");
	HAS(text, first);
	HAS(text, ",\"damaged\":true}\n");
	HAS(text, last);
	HAS(text, "\"body\":\"YWJjZA==\"}\n");
	HAS(text, "\r\n0\r\n\r\n");
}

static void shows_a_final_request_when_it_is_purged(void **state)
{
	char id[27], path[64];
	const char *text;

	(void)state;
	start_offline();
	order("ab", id);
	snprintf(path, sizeof(path), "requests/%s", id);
	HAS(page("DELETE", path), "200 OK");
	panel_rig_stop(&rig);
	change_in_database("DELETE FROM request");
	panel_rig_start(&rig);
	text = page("GET", path);
	HAS(text, "\"state\":\"cancelled\"");
	HAS(text,
	    "\"lane\":\"orders\",\"origin\":\"shop\",\"method\":\"POST\",\"url\":\"/api/orders\"");
}

/* A salvage that finds an end without its record and request. */
static void an_id_is_good_when_only_the_end_is_left(void **state)
{
	char id[27], path[64];

	(void)state;
	start_offline();
	order("ab", id);
	snprintf(path, sizeof(path), "requests/%s", id);
	HAS(page("DELETE", path), "200 OK");
	panel_rig_stop(&rig);
	change_in_database("DELETE FROM request;"
			   "UPDATE record SET state = x'0400000000000000' || zeroblob(44) ||"
			   " substr(state, 53)");
	panel_rig_start(&rig);
	snprintf(path, sizeof(path), "requests/%s", id);
	HAS(page("GET", path), "\"state\":\"dead\"");
	snprintf(path, sizeof(path), "requests/%s/response", id);
	HAS(page("GET", path), "410 Gone");
	HAS(page("GET", path), "\"The request was given up.\"");
	snprintf(path, sizeof(path), "requests/%s/retry", id);
	HAS(operator("POST", path), "\"The request itself is lost by damage.\"");
}

static void exports_what_is_left_of_a_damaged_request(void **state)
{
	(void)state;
	check_damaged_export("ab", "UPDATE request SET body = 'else' WHERE seq = 1");
}

static void exports_that_a_request_is_lost(void **state)
{
	(void)state;
	check_damaged_export("ab", "DELETE FROM request WHERE seq = 1");
}

static void exports_what_is_left_of_a_large_body(void **state)
{
	char body[20001];

	(void)state;
	memset(body, 'a', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	check_damaged_export(body, "DELETE FROM blob");
}

static void exports_what_is_left_of_an_altered_body(void **state)
{
	char body[20001];

	(void)state;
	memset(body, 'a', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	check_damaged_export(body, "UPDATE blob SET data = 'b' || substr(data, 2)");
}

/* ---- a stored answer in chunks ---- */

static void op_done(struct hf_store_op *op, int err)
{
	*(int *)op->user = err;
}

#define DO(start, operation)                    \
	do {                                    \
		int err_ = 1;                   \
                                                \
		(operation)->op.done = op_done; \
		(operation)->op.user = &err_;   \
		start(rig.store, operation);    \
		panel_rig_settle(&rig);         \
		assert_int_equal(err_, 0);      \
	} while (0)

/* A 200 whose body is "one-" and "two". */
static void settle_in_chunks(const char *id)
{
	struct hf_store_blob_append a = { .data = HF_SPAN("one-") };
	struct hf_store_settle x = { .body_len = 7 };
	struct hf_answer_head head = { .status = 200 };
	struct hf_arena arena;
	struct hf_buf bytes;

	hf_arena_init(&arena, 1000);
	hf_buf_init(&bytes, 1000);
	hf_fields_init(&head.fields, &arena);
	assert_int_equal(hf_answer_head_encode(&head, &bytes), 0);
	DO(hf_store_blob_append, &a);
	a.n = 1;
	a.data = HF_SPAN("two");
	DO(hf_store_blob_append, &a);
	assert_int_equal(hf_record_id_parse(hf_span_str(id), &x.id), 0);
	x.blob = a.blob;
	x.head = hf_buf_span(&bytes);
	x.state.status = HF_RECORD_SETTLED;
	DO(hf_store_settle, &x);
	hf_buf_finish(&bytes);
	hf_arena_finish(&arena);
}

/* Of the one that is settled: the end was stored with a tag of its own. */
static void settled_id(char id[27])
{
	const char *text = call(panel_rig_connect(&rig), "GET", "requests?state=settled");

	snprintf(id, 27, "%.26s", strstr(text, "\"id\":\"") + 6);
}

/* The answer to whoever asks for the stored one, after @sql. */
static const char *answer_after(struct fake_peer **page, const char *sql)
{
	char id[27], path[64];

	start_offline();
	order("ab", id);
	settle_in_chunks(id);
	panel_rig_stop(&rig);
	change_in_database(sql);
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	*page = panel_rig_connect(&rig);
	settled_id(id);
	snprintf(path, sizeof(path), "requests/%s/response", id);
	return call(*page, "GET", path);
}

static unsigned damages_told;

static void count_damages(void *user, enum hf_log_level level, const char *line)
{
	(void)user, (void)level;
	damages_told += strstr(line, "answer.damaged") != NULL;
}

static void listen_for_damages(void)
{
	damages_told = 0;
	rig.net.log.write = count_damages;
}

static void gives_an_answer_in_chunks(void **state)
{
	struct fake_peer *peer;

	(void)state;
	HAS(answer_after(&peer, "UPDATE meta SET key = key"), "\r\n\r\none-two");
}

static void an_altered_beginning_is_no_answer(void **state)
{
	struct fake_peer *peer;
	const char *text;

	(void)state;
	listen_for_damages();
	text = answer_after(&peer, "UPDATE blob SET data = 'One-' WHERE data = x'6f6e652d'");
	HAS(text, "HTTP/1.1 410 ");
	HAS(text, "Holdfast-State: settled\r\n");
	HAS(text, "\"reason\":\"damaged\"");
	HAS_NOT(text, "ne-");
	assert_false(peer->closed);
	assert_int_equal(damages_told, 1);
}

/* Settled is settled: it is said once in the log, and the page is told for good. */
static void a_damaged_answer_is_final_and_told_of_once(void **state)
{
	struct hf_store_settle x = { .head = HF_SPAN("no head"), .body = HF_SPAN("body") };
	char id[27], path[64];

	(void)state;
	start_offline();
	order("ab", id);
	assert_int_equal(hf_record_id_parse(hf_span_str(id), &x.id), 0);
	x.state.status = HF_RECORD_SETTLED;
	DO(hf_store_settle, &x);
	panel_rig_stop(&rig);
	change_in_database("UPDATE outcome SET body = 'else'");
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	settled_id(id);
	listen_for_damages();
	snprintf(path, sizeof(path), "requests/%s/response", id);
	for (int i = 0; i < 3; i++) {
		const char *text = page("GET", path);

		HAS(text, "HTTP/1.1 410 ");
		HAS(text, "Holdfast-State: settled\r\n");
		HAS(text, "\"reason\":\"damaged\"");
		HAS_NOT(text, "else");
	}
	assert_int_equal(damages_told, 1);
}

static void an_altered_rest_is_cut(void **state)
{
	struct fake_peer *peer;
	const char *text;

	(void)state;
	text = answer_after(&peer, "UPDATE blob SET data = 'tWo' WHERE data = x'74776f'");
	HAS(text, "Content-Length: 7\r\n");
	HAS(text, "\r\n\r\none-");
	HAS_NOT(text, "tWo");
	assert_true(peer->closed || peer->aborted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_what_waits_behind_many_that_are_final),
		TEST(shows_a_final_request_when_it_is_purged),
		TEST(an_id_is_good_when_only_the_end_is_left),
		TEST(exports_what_is_left_of_a_damaged_request),
		TEST(exports_that_a_request_is_lost),
		TEST(exports_what_is_left_of_a_large_body),
		TEST(exports_what_is_left_of_an_altered_body),
		TEST(gives_an_answer_in_chunks),
		TEST(an_altered_beginning_is_no_answer),
		TEST(a_damaged_answer_is_final_and_told_of_once),
		TEST(an_altered_rest_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

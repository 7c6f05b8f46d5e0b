/* SPDX-License-Identifier: Apache-2.0 */
/* The table of outcomes, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "queue/outcome.h"

struct row {
	const char *name;
	int status; /* 0: no answer */
	enum hf_end end;
	enum hf_sent sent;
	enum hf_action action;
	enum hf_reason reason;
	/* the rest defaults to: keyed, https, first attempt, no fields */
	enum hf_idempotency idempotency;
	bool plain_http, maybe_received, retried_now;
	const char *location, *retry_after;
	uint16_t expect;
	uint8_t same_500, conflicts;
	uint64_t first_sent_ago_ms;
	uint64_t delay_ms; /* 0: not looked at */
};

#define OK HF_END_COMPLETE, HF_SENT_ALL
/* What every row says; the rest by name. */
#define ROW(...) ROW_(__VA_ARGS__)
#define ROW_(n, st, e, s, a, r, ...)                                                 \
	{                                                                            \
		.name = (n), .status = (st), .end = (e), .sent = (s), .action = (a), \
		.reason = (r), __VA_ARGS__                                           \
	}

static const struct row rows[] = {
	ROW("200", 200, OK, HF_ACTION_DELIVERED, HF_REASON_NONE),
	ROW("201", 201, OK, HF_ACTION_DELIVERED, HF_REASON_NONE),
	ROW("202", 202, OK, HF_ACTION_DELIVERED, HF_REASON_NONE),
	ROW("204", 204, OK, HF_ACTION_DELIVERED, HF_REASON_NONE),
	ROW("207", 207, OK, HF_ACTION_DELIVERED, HF_REASON_NONE),
	ROW("303", 303, OK, HF_ACTION_DELIVERED, HF_REASON_NONE),
	ROW("2xx cut short is still delivered", 200, HF_END_TRUNCATED, HF_SENT_ALL,
	    HF_ACTION_DELIVERED, HF_REASON_NONE),
	ROW("200 outside expect over http is a portal", 200, OK, HF_ACTION_WAIT, HF_REASON_CAPTIVE,
	    .plain_http = true, .expect = 201),
	ROW("200 outside expect over https waits for a person", 200, OK, HF_ACTION_HOLD,
	    HF_REASON_UNEXPECTED, .expect = 201),
	ROW("201 inside expect", 201, OK, HF_ACTION_DELIVERED, HF_REASON_NONE, .plain_http = true,
	    .expect = 201),
	ROW("303 to elsewhere over http is a portal", 303, OK, HF_ACTION_WAIT, HF_REASON_CAPTIVE,
	    .plain_http = true, .location = "http://portal.example/"),
	ROW("301", 301, OK, HF_ACTION_HOLD, HF_REASON_REDIRECT, .location = "/new"),
	ROW("302", 302, OK, HF_ACTION_HOLD, HF_REASON_REDIRECT,
	    .location = "https://else.example/"),
	ROW("302 over http to elsewhere is a portal", 302, OK, HF_ACTION_WAIT, HF_REASON_CAPTIVE,
	    .plain_http = true, .location = "http://portal.example/login"),
	ROW("302 over http within the origin", 302, OK, HF_ACTION_HOLD, HF_REASON_REDIRECT,
	    .plain_http = true, .location = "http://shop.example/x"),
	ROW("307 within the origin", 307, OK, HF_ACTION_FOLLOW, HF_REASON_NONE, .location = "/new"),
	ROW("308 with the whole URL", 308, OK, HF_ACTION_FOLLOW, HF_REASON_NONE,
	    .location = "https://shop.example/new"),
	ROW("307 to another port", 307, OK, HF_ACTION_HOLD, HF_REASON_REDIRECT,
	    .location = "https://shop.example:444/new"),
	ROW("307 to a network path", 307, OK, HF_ACTION_HOLD, HF_REASON_REDIRECT,
	    .location = "//else.example/new"),
	ROW("307 without Location", 307, OK, HF_ACTION_HOLD, HF_REASON_REDIRECT),
	ROW("304", 304, OK, HF_ACTION_HOLD, HF_REASON_UNEXPECTED),
	ROW("300", 300, OK, HF_ACTION_HOLD, HF_REASON_UNEXPECTED),
	ROW("400", 400, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("401", 401, OK, HF_ACTION_HOLD, HF_REASON_AUTH),
	ROW("402", 402, OK, HF_ACTION_HOLD, HF_REASON_PAYMENT),
	ROW("403", 403, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("404", 404, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("407", 407, OK, HF_ACTION_WAIT, HF_REASON_CAPTIVE),
	ROW("408", 408, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF),
	ROW("409 at the first attempt", 409, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("409 after one that may have arrived", 409, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF,
	    .maybe_received = true, .delay_ms = 2000),
	ROW("409 with Retry-After", 409, OK, HF_ACTION_RETRY, HF_REASON_RETRY_AFTER,
	    .maybe_received = true, .retry_after = "120", .delay_ms = 120000),
	ROW("409 for the fifth time", 409, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF,
	    .maybe_received = true, .conflicts = 4, .delay_ms = 30000),
	ROW("409 again and again", 409, OK, HF_ACTION_HOLD, HF_REASON_CONFLICT,
	    .maybe_received = true, .conflicts = 5),
	ROW("410", 410, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("412", 412, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("412 after one that may have arrived", 412, OK, HF_ACTION_HOLD, HF_REASON_AMBIGUOUS,
	    .maybe_received = true),
	ROW("413", 413, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("413 with Retry-After", 413, OK, HF_ACTION_RETRY, HF_REASON_RETRY_AFTER,
	    .retry_after = "7", .delay_ms = 7000),
	ROW("421", 421, OK, HF_ACTION_RETRY_NOW, HF_REASON_BACKOFF),
	ROW("421 again", 421, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF, .retried_now = true),
	ROW("422", 422, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("423", 423, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF),
	ROW("424", 424, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("425", 425, OK, HF_ACTION_RETRY_NOW, HF_REASON_BACKOFF),
	ROW("429", 429, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF),
	ROW("429 with Retry-After", 429, OK, HF_ACTION_RETRY, HF_REASON_RETRY_AFTER,
	    .retry_after = "120", .delay_ms = 120000),
	ROW("Retry-After 0 is a second", 503, OK, HF_ACTION_RETRY, HF_REASON_RETRY_AFTER,
	    .retry_after = "0", .delay_ms = 1000),
	ROW("Retry-After past the ceiling", 503, OK, HF_ACTION_RETRY, HF_REASON_RETRY_AFTER,
	    .retry_after = "99999999", .delay_ms = 86400000),
	ROW("Retry-After that is none", 503, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF,
	    .retry_after = "soon"),
	ROW("431", 431, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("451", 451, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("499", 499, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("500", 500, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF),
	ROW("500 that may not be repeated", 500, OK, HF_ACTION_HOLD, HF_REASON_SERVER_ERROR,
	    .idempotency = HF_IDEMPOTENCY_NEVER),
	ROW("the third equal 500 within an hour", 500, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF,
	    .maybe_received = true, .same_500 = 9, .first_sent_ago_ms = 3599999),
	ROW("the third equal 500 after an hour", 500, OK, HF_ACTION_HOLD, HF_REASON_SERVER_ERROR,
	    .maybe_received = true, .same_500 = 2, .first_sent_ago_ms = 3600000),
	ROW("501", 501, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("502", 502, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF),
	ROW("502 that may not be repeated", 502, OK, HF_ACTION_HOLD, HF_REASON_AMBIGUOUS,
	    .idempotency = HF_IDEMPOTENCY_NEVER),
	ROW("503", 503, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF),
	ROW("503 that may not be repeated", 503, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF,
	    .idempotency = HF_IDEMPOTENCY_NEVER),
	ROW("504", 504, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF),
	ROW("505", 505, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("507", 507, OK, HF_ACTION_RETRY, HF_REASON_ORIGIN_FULL, .delay_ms = 600000),
	ROW("507 with a short Retry-After", 507, OK, HF_ACTION_RETRY, HF_REASON_ORIGIN_FULL,
	    .retry_after = "5", .delay_ms = 600000),
	ROW("507 with a long Retry-After", 507, OK, HF_ACTION_RETRY, HF_REASON_RETRY_AFTER,
	    .retry_after = "3600", .delay_ms = 3600000),
	ROW("508", 508, OK, HF_ACTION_DEAD, HF_REASON_REJECTED),
	ROW("511", 511, OK, HF_ACTION_WAIT, HF_REASON_CAPTIVE),
	ROW("522", 522, OK, HF_ACTION_RETRY, HF_REASON_BACKOFF),
	ROW("999", 999, OK, HF_ACTION_HOLD, HF_REASON_UNEXPECTED),
	ROW("no such name", 0, HF_END_DNS, HF_SENT_NONE, HF_ACTION_WAIT, HF_REASON_NETWORK),
	ROW("refused", 0, HF_END_CONNECT, HF_SENT_NONE, HF_ACTION_WAIT, HF_REASON_NETWORK,
	    .idempotency = HF_IDEMPOTENCY_NEVER),
	ROW("handshake", 0, HF_END_TLS, HF_SENT_NONE, HF_ACTION_WAIT, HF_REASON_NETWORK),
	ROW("certificate", 0, HF_END_TLS_CERT, HF_SENT_NONE, HF_ACTION_WAIT, HF_REASON_CERTIFICATE),
	ROW("certificate dates", 0, HF_END_TLS_TIME, HF_SENT_NONE, HF_ACTION_WAIT, HF_REASON_CLOCK),
	ROW("reset before a byte", 0, HF_END_RESET, HF_SENT_NONE, HF_ACTION_WAIT, HF_REASON_NETWORK,
	    .idempotency = HF_IDEMPOTENCY_NEVER),
	ROW("reset after some bytes", 0, HF_END_RESET, HF_SENT_PART, HF_ACTION_RETRY,
	    HF_REASON_NETWORK),
	ROW("reset, may not be repeated", 0, HF_END_RESET, HF_SENT_PART, HF_ACTION_HOLD,
	    HF_REASON_AMBIGUOUS, .idempotency = HF_IDEMPOTENCY_NEVER),
	ROW("timeout after all bytes", 0, HF_END_TIMEOUT, HF_SENT_ALL, HF_ACTION_RETRY,
	    HF_REASON_NETWORK, .idempotency = HF_IDEMPOTENCY_IDEMPOTENT),
	ROW("not HTTP", 0, HF_END_MALFORMED, HF_SENT_ALL, HF_ACTION_RETRY, HF_REASON_NETWORK),
	ROW("not HTTP, may not be repeated", 0, HF_END_MALFORMED, HF_SENT_ALL, HF_ACTION_HOLD,
	    HF_REASON_AMBIGUOUS, .idempotency = HF_IDEMPOTENCY_NEVER),
	ROW("our own failure", 0, HF_END_INTERNAL, HF_SENT_NONE, HF_ACTION_RETRY,
	    HF_REASON_NETWORK),
};

static void classify_row(const struct row *row, struct hf_verdict *out)
{
	struct hf_policy policy = { .idempotency = row->idempotency };
	struct hf_exchange_result result = { .end = row->end, .sent = row->sent };
	struct hf_record_state state = {
		.maybe_received = row->maybe_received,
		.same_500 = row->same_500,
		.conflicts = row->conflicts,
		.last_status = (uint16_t)(row->same_500 ? 500 : 0),
		.first_sent_dev_ms = 1000,
	};
	struct hf_message head = { .status = row->status };
	struct hf_attempt a = {
		.policy = &policy,
		.method = HF_SPAN("POST"),
		.tls = !row->plain_http,
		.origin_host = HF_SPAN("shop.example"),
		.origin_port = row->plain_http ? 80 : 443,
		.result = &result,
		.head = row->status ? &head : NULL,
		.state = &state,
		.retried_now = row->retried_now,
		.device_now_ms = 1000 + row->first_sent_ago_ms,
		.trust = HF_CLOCK_SYNCED,
		.wall_ms = INT64_C(784111777000), /* 06 Nov 1994 08:49:37 */
		.retry_after_max_s = 86400,
	};
	struct hf_arena arena;

	if (row->expect) {
		policy.expect[0] = row->expect;
		policy.expect_n = 1;
	}
	hf_arena_init(&arena, 4096);
	hf_fields_init(&head.fields, &arena);
	if (row->location)
		hf_fields_add(&head.fields, HF_SPAN("Location"), hf_span_str(row->location));
	if (row->retry_after)
		hf_fields_add(&head.fields, HF_SPAN("Retry-After"), hf_span_str(row->retry_after));
	hf_outcome_classify(&a, out);
	hf_arena_finish(&arena);
}

static void every_row_has_its_verdict(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct hf_verdict v;

		classify_row(row, &v);
		if (v.action == row->action && v.reason == row->reason &&
		    (row->delay_ms == 0 || v.delay_ms == row->delay_ms) &&
		    v.captive == (row->reason == HF_REASON_CAPTIVE))
			continue;
		print_error("%s: action %d reason \"%s\" delay %llu\n", row->name, v.action,
			    hf_reason_name((uint8_t)v.reason), (unsigned long long)v.delay_ms);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static uint64_t delay_of_date(const char *date, enum hf_clock_trust trust)
{
	struct hf_policy policy = { 0 };
	struct hf_exchange_result result = { .end = HF_END_COMPLETE, .sent = HF_SENT_ALL };
	struct hf_record_state state = { 0 };
	struct hf_message head = { .status = 503 };
	struct hf_attempt a = {
		.policy = &policy,
		.method = HF_SPAN("POST"),
		.result = &result,
		.head = &head,
		.state = &state,
		.trust = trust,
		.wall_ms = INT64_C(784111777000),
		.retry_after_max_s = 86400,
	};
	struct hf_verdict v;
	struct hf_arena arena;

	hf_arena_init(&arena, 4096);
	hf_fields_init(&head.fields, &arena);
	hf_fields_add(&head.fields, HF_SPAN("Retry-After"), hf_span_str(date));
	hf_outcome_classify(&a, &v);
	hf_arena_finish(&arena);
	return v.delay_ms;
}

static void a_retry_after_date_needs_a_synchronised_clock(void **state)
{
	(void)state;
	assert_int_equal(delay_of_date("Sun, 06 Nov 1994 08:50:37 GMT", HF_CLOCK_SYNCED), 60000);
	assert_int_equal(delay_of_date("Sun, 06 Nov 1994 08:50:37 GMT", HF_CLOCK_RTC), 0);
	assert_int_equal(delay_of_date("Sun, 06 Nov 1994 08:40:37 GMT", HF_CLOCK_SYNCED), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_has_its_verdict),
		cmocka_unit_test(a_retry_after_date_needs_a_synchronised_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

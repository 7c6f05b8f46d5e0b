/* SPDX-License-Identifier: Apache-2.0 */
/* An OAuth token from one request to the next: when it is got, who gets it, what
 * is waited for. The test is the token endpoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/queue_case.h"
#include "sync/token.h"

#define LIFE "\"token_type\":\"bearer\",\"expires_in\":3600"

static struct {
	struct hf_token_world world;
	struct hf_token_options opt;
	struct hf_token *token;
	struct fake_transport endpoint;
	struct hf_arena arena;
	struct hf_token_value value;
	struct hf_token_wait waits[3];
	unsigned told, settled;
	const char *secret, *refresh; /* NULL: cannot be read */
} t;

static int read_file(struct hf_port *port, const char *path, size_t max, char **out, size_t *len)
{
	const char *text = strcmp(path, "secret") == 0 ? t.secret : t.refresh;

	(void)port;
	(void)max;
	if (!text)
		return HF_ENOENT;
	*out = strdup(text);
	*len = strlen(text);
	return *out ? 0 : HF_ENOMEM;
}

static void on_settled(void *user, unsigned origin)
{
	(void)user;
	assert_int_equal(origin, 1);
	t.settled++;
}

static void on_ready(struct hf_token_wait *w)
{
	(void)w;
	t.told++;
}

static void create(struct qrig *r)
{
	t.world = (struct hf_token_world){
		.port = &r->store.port.port,
		.timers = &r->timers,
		.log = &r->store.port.log,
		.rand = &r->rand,
		.store = r->store.store,
		.backoff_base_ms = 2000,
		.backoff_cap_ms = 600000,
		.retry_after_max_s = 86400,
		.settled = on_settled,
	};
	t.opt.world = &t.world;
	assert_int_equal(hf_token_create(&t.opt, &t.token), 0);
}

static int begin(void **state, bool refresh)
{
	struct qrig *r;

	setup(state);
	r = *state;
	memset(&t, 0, sizeof(t));
	t.secret = "secret\n";
	t.refresh = "seed\n";
	r->store.port.port.file_read = read_file;
	fake_transport_init(&t.endpoint);
	t.endpoint.manual = true;
	hf_arena_init(&t.arena, 1 << 20);
	t.opt = (struct hf_token_options){
		.name = "till",
		.origin = 1,
		.endpoint = { .transport = &t.endpoint.base,
			      .origin = HF_TOKEN_NO_ORIGIN,
			      .tls = true,
			      .host = HF_SPAN("auth.example"),
			      .port = 443,
			      .authority = HF_SPAN("auth.example"),
			      .target = "/token" },
		.client_id = "panel",
		.secret_file = "secret",
		.refresh_file = refresh ? "refresh" : NULL,
	};
	create(r);
	return 0;
}

static int with_credentials(void **state)
{
	return begin(state, false);
}

static int with_refresh(void **state)
{
	return begin(state, true);
}

static int end(void **state)
{
	hf_token_destroy(t.token);
	fake_transport_finish(&t.endpoint);
	hf_arena_finish(&t.arena);
	return teardown(state);
}

static int get_for(const char *identity)
{
	const char *file;

	return hf_token_get(t.token, hf_span_str(identity), &t.arena, &t.value, &file);
}

static int get(void)
{
	return get_for("");
}

static void assert_value(const char *text)
{
	assert_int_equal(get(), 0);
	assert_true(hf_span_eq_str(t.value.value, text));
}

/* The request that is at the endpoint now. */
static struct hf_exchange *asked(struct qrig *r)
{
	struct hf_exchange *x;

	fake_port_settle(&r->store.port);
	x = fake_exchange(&t.endpoint, 0);
	assert_non_null(x);
	assert_null(fake_exchange(&t.endpoint, 1));
	if (!x->body_done) {
		fake_connect(x);
		fake_writable(x);
	}
	return x;
}

static void answer(struct qrig *r, int status, const char *fields, const char *body)
{
	struct hf_exchange *x = asked(r);

	fake_head(x, status, fields);
	fake_body(x, hf_span_str(body));
	fake_end(x, HF_END_COMPLETE, HF_SENT_ALL);
}

static void advance(struct qrig *r, uint64_t ms)
{
	qrig_advance(r, ms);
}

static enum hf_token_state state_of(void)
{
	struct hf_token_figures f;

	hf_token_figures(t.token, &f);
	return f.state;
}

/* ---- one token ---- */

static void one_request_serves_all_that_wait(void **state)
{
	struct qrig *r = *state;

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(get(), HF_EAGAIN);
		t.waits[i].ready = on_ready;
		hf_token_wait(t.token, &t.waits[i]);
	}
	hf_list_remove(&t.waits[1].link);
	assert_true(asked(r)->fresh);
	assert_int_equal(state_of(), HF_TOKEN_REFRESHING);
	answer(r, 200, NULL, "{\"access_token\":\"one\"," LIFE "}");
	assert_int_equal(t.told, 2);
	assert_int_equal(t.settled, 1);
	assert_value("Bearer one");
	assert_int_equal(t.endpoint.performed, 1);
}

static void what_is_sent_is_encoded(void **state)
{
	struct qrig *r = *state;
	struct hf_exchange *x;

	t.secret = "a:b c+\xc3\xa4%\n";
	t.opt.client_id = "panel 7";
	t.opt.scope = "a b&c";
	hf_token_destroy(t.token);
	create(r);
	assert_int_equal(get(), HF_EAGAIN);
	x = asked(r);
	/* panel+7:a%3Ab+c%2B%C3%A4%25 */
	assert_true(hf_span_eq_str(fake_field(x, "Authorization"),
				   "Basic cGFuZWwrNzphJTNBYitjJTJCJUMzJUE0JTI1"));
	assert_true(hf_span_eq_str(hf_buf_span(&x->body),
				   "grant_type=client_credentials&scope=a+b%26c"));
}

static void it_is_renewed_before_it_expires_and_used_meanwhile(void **state)
{
	struct qrig *r = *state;

	assert_int_equal(get(), HF_EAGAIN);
	answer(r, 200, NULL, "{\"access_token\":\"one\"," LIFE "}");
	advance(r, 3569 * 1000);
	assert_value("Bearer one");
	assert_int_equal(t.endpoint.performed, 1);
	advance(r, 1000);
	assert_value("Bearer one");
	assert_int_equal(t.endpoint.performed, 2);
	answer(r, 503, NULL, "");
	assert_int_equal(state_of(), HF_TOKEN_WAITING);
	assert_value("Bearer one");
	advance(r, 31000);
	assert_int_not_equal(get(), 0);
}

static void a_short_life_does_not_ask_for_ever(void **state)
{
	struct qrig *r = *state;

	assert_int_equal(get(), HF_EAGAIN);
	answer(r, 200, NULL,
	       "{\"access_token\":\"one\",\"token_type\":\"bearer\",\"expires_in\":0}");
	assert_value("Bearer one");
	advance(r, 5000);
	assert_value("Bearer one");
	assert_int_equal(t.endpoint.performed, 1);
	advance(r, 5001);
	assert_int_equal(get(), HF_EAGAIN);
}

static void one_that_was_refused_is_got_anew(void **state)
{
	struct qrig *r = *state;
	uint32_t first;

	assert_int_equal(get(), HF_EAGAIN);
	answer(r, 200, NULL, "{\"access_token\":\"one\"," LIFE "}");
	assert_value("Bearer one");
	first = t.value.version;
	hf_token_refused(t.token, first);
	assert_int_equal(get(), HF_EAGAIN);
	answer(r, 200, NULL, "{\"access_token\":\"two\"," LIFE "}");
	hf_token_refused(t.token, first); /* of an attempt that began before */
	assert_value("Bearer two");
	assert_int_not_equal(t.value.version, first);
}

static void other_files_need_another_token(void **state)
{
	struct qrig *r = *state;

	assert_int_equal(get_for("ada"), HF_EAGAIN);
	assert_int_equal(get_for("bob"), HF_EAGAIN);
	answer(r, 200, NULL, "{\"access_token\":\"of-ada\"," LIFE "}");
	assert_int_equal(get_for("bob"), HF_EAGAIN); /* not hers */
	answer(r, 200, NULL, "{\"access_token\":\"of-bob\"," LIFE "}");
	assert_int_equal(get_for("bob"), 0);
	assert_true(hf_span_eq_str(t.value.value, "Bearer of-bob"));
	t.secret = "another";
	assert_int_equal(get_for("bob"), HF_EAGAIN);
	t.secret = NULL;
	answer(r, 200, NULL, "{\"access_token\":\"x\"," LIFE "}");
	assert_int_equal(get_for("bob"), HF_EIO);
}

/* ---- an endpoint in trouble ---- */

static void a_failure_is_waited_for_and_the_link_ends_the_wait(void **state)
{
	struct qrig *r = *state;

	assert_int_equal(get(), HF_EAGAIN);
	fake_end(asked(r), HF_END_CONNECT, HF_SENT_NONE);
	assert_int_equal(get(), HF_EBUSY);
	assert_int_equal(t.value.reason, HF_REASON_NETWORK);
	assert_true(t.value.delay_ms > 0);
	assert_int_equal(t.endpoint.performed, 1);
	hf_token_link(t.token);
	assert_int_equal(get(), HF_EAGAIN);
	fake_end(asked(r), HF_END_CONNECT, HF_SENT_NONE);
	assert_int_equal(get(), HF_EBUSY);
	advance(r, 600001);
	assert_int_equal(get(), HF_EAGAIN);
}

static void a_retry_after_is_kept_to(void **state)
{
	struct qrig *r = *state;

	assert_int_equal(get(), HF_EAGAIN);
	answer(r, 429, "Retry-After: 100\n", "");
	assert_int_equal(get(), HF_EBUSY);
	assert_int_equal(t.value.reason, HF_REASON_RETRY_AFTER);
	assert_true(t.value.delay_ms >= 100000);
	hf_token_link(t.token);
	hf_token_now(t.token);
	advance(r, 99999);
	assert_int_equal(get(), HF_EBUSY);
	advance(r, 60000);
	assert_int_equal(get(), HF_EAGAIN);
}

static void an_answer_that_does_not_end_is_given_up(void **state)
{
	struct qrig *r = *state;
	struct hf_exchange *x;

	assert_int_equal(get(), HF_EAGAIN);
	x = asked(r);
	fake_head(x, 200, NULL);
	fake_body(x, HF_SPAN("{"));
	advance(r, 60001);
	assert_null(fake_exchange(&t.endpoint, 0));
	assert_int_equal(get(), HF_EBUSY);
}

static void a_refusal_stays_until_something_changes(void **state)
{
	struct qrig *r = *state;
	struct hf_token_figures f;

	assert_int_equal(get(), HF_EAGAIN);
	answer(r, 401, NULL, "{\"error\":\"invalid_client\"}");
	assert_int_equal(get(), HF_ESTATE);
	hf_token_figures(t.token, &f);
	assert_string_equal(f.why, "invalid_client");
	hf_token_link(t.token);
	advance(r, 300000);
	assert_int_equal(get(), HF_ESTATE);
	t.secret = "another";
	assert_int_equal(get(), HF_EAGAIN);
	answer(r, 400, NULL, "{\"error\":\"unauthorized_client\"}");
	assert_int_equal(get(), HF_ESTATE);
	hf_token_now(t.token); /* a person */
	assert_int_equal(get(), HF_EAGAIN);
	answer(r, 200, NULL, "{\"access_token\":\"one\"," LIFE "}");
	assert_value("Bearer one");
}

static void nothing_is_begun_while_it_stops(void **state)
{
	(void)state;
	t.world.stopping = true;
	assert_int_equal(get(), HF_EBUSY);
	assert_int_equal(t.endpoint.performed, 0);
	assert_true(hf_token_is_idle(t.token));
}

/* ---- refresh tokens ---- */

static void assert_sent(struct hf_exchange *x, const char *token)
{
	char form[128];

	snprintf(form, sizeof(form), "grant_type=refresh_token&refresh_token=%s", token);
	assert_true(hf_span_eq_str(hf_buf_span(&x->body), form));
}

static void restart(struct qrig *r)
{
	qrig_restart(r); /* the store goes first: it may have work of the token's */
	hf_token_destroy(t.token);
	r->store.port.port.file_read = read_file;
	create(r);
}

static void a_rotated_one_is_committed_before_its_token_is_used(void **state)
{
	struct qrig *r = *state;

	assert_int_equal(get(), HF_EAGAIN);
	assert_sent(asked(r), "seed");
	answer(r, 200, NULL, "{\"access_token\":\"one\",\"refresh_token\":\"next\"," LIFE "}");
	assert_int_equal(get(), HF_EAGAIN); /* the commit is under way */
	assert_false(hf_token_is_idle(t.token));
	assert_int_equal(t.settled, 0);
	fake_port_settle(&r->store.port);
	assert_int_equal(t.settled, 1);
	assert_value("Bearer one");
	restart(r);
	assert_int_equal(get(), HF_EAGAIN);
	assert_sent(asked(r), "next");
}

static void when_the_last_is_refused_the_one_before_it_goes(void **state)
{
	struct qrig *r = *state;

	assert_int_equal(get(), HF_EAGAIN);
	answer(r, 200, NULL, "{\"access_token\":\"one\",\"refresh_token\":\"next\"," LIFE "}");
	fake_port_settle(&r->store.port);
	restart(r);
	assert_int_equal(get(), HF_EAGAIN);
	assert_sent(asked(r), "next");
	answer(r, 400, NULL, "{\"error\":\"invalid_grant\"}");
	assert_int_equal(state_of(), HF_TOKEN_REFRESHING);
	assert_sent(asked(r), "seed");
	answer(r, 200, NULL, "{\"access_token\":\"two\"," LIFE "}");
	fake_port_settle(&r->store.port);
	assert_value("Bearer two");
	restart(r); /* the one that is good is first now */
	assert_int_equal(get(), HF_EAGAIN);
	assert_sent(asked(r), "seed");
	answer(r, 400, NULL, "{\"error\":\"invalid_grant\"}");
	assert_int_equal(get(), HF_ESTATE);
}

static void another_text_in_the_file_counts(void **state)
{
	struct qrig *r = *state;

	assert_int_equal(get(), HF_EAGAIN);
	answer(r, 200, NULL, "{\"access_token\":\"one\",\"refresh_token\":\"next\"," LIFE "}");
	fake_port_settle(&r->store.port);
	t.refresh = "signed-in-anew";
	assert_int_equal(get(), HF_EAGAIN);
	assert_sent(asked(r), "signed-in-anew");
	answer(r, 200, NULL, "{\"access_token\":\"two\"," LIFE "}");
	assert_value("Bearer two");
	t.refresh = "seed"; /* whose was kept */
	assert_int_equal(get(), HF_EAGAIN);
	assert_sent(asked(r), "next");
}

static void a_store_that_lost_it_gets_it_again(void **state)
{
	struct qrig *r = *state;
	struct hf_store_meta m = { .key = "token/till", .put = true };

	assert_int_equal(get(), HF_EAGAIN);
	answer(r, 200, NULL, "{\"access_token\":\"one\",\"refresh_token\":\"next\"," LIFE "}");
	fake_port_settle(&r->store.port);
	hf_buf_init(&m.value, 100);
	assert_int_equal(hf_buf_append_str(&m.value, "\x01"), 0);
	assert_int_equal(RIG_DO(&r->store, hf_store_meta, &m), 0);
	hf_buf_finish(&m.value);
	hf_token_restore(t.token);
	fake_port_settle(&r->store.port);
	restart(r);
	assert_int_equal(get(), HF_EAGAIN);
	assert_sent(asked(r), "next");
}

#define CASE(name)	 cmocka_unit_test_setup_teardown(name, with_credentials, end)
#define OF_REFRESH(name) cmocka_unit_test_setup_teardown(name, with_refresh, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_request_serves_all_that_wait),
		CASE(what_is_sent_is_encoded),
		CASE(it_is_renewed_before_it_expires_and_used_meanwhile),
		CASE(a_short_life_does_not_ask_for_ever),
		CASE(one_that_was_refused_is_got_anew),
		CASE(other_files_need_another_token),
		CASE(a_failure_is_waited_for_and_the_link_ends_the_wait),
		CASE(a_retry_after_is_kept_to),
		CASE(an_answer_that_does_not_end_is_given_up),
		CASE(a_refusal_stays_until_something_changes),
		CASE(nothing_is_begun_while_it_stops),
		OF_REFRESH(a_rotated_one_is_committed_before_its_token_is_used),
		OF_REFRESH(when_the_last_is_refused_the_one_before_it_goes),
		OF_REFRESH(another_text_in_the_file_counts),
		OF_REFRESH(a_store_that_lost_it_gets_it_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

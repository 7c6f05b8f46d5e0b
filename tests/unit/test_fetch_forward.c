/* SPDX-License-Identifier: Apache-2.0 */
/* Heads on their way through the proxy, and the problem documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fetch/forward.h"
#include "fetch/problem.h"

static struct hf_arena arena;
static struct hf_peer peer;
static struct hf_forward fw;

static int set_up(void **state)
{
	(void)state;
	hf_arena_init(&arena, 65536);
	peer = (struct hf_peer){ .addr = { .family = HF_FAMILY_IPV4, .ip = { 127, 0, 0, 1 } } };
	fw = (struct hf_forward){
		.scheme = HF_SPAN("https"),
		.authority = HF_SPAN("shop.example:8443"),
		.host = HF_SPAN("localhost:8480"),
		.peer = &peer,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hf_arena_finish(&arena);
	return 0;
}

static struct hf_message message(void)
{
	struct hf_message m = { .method = HF_SPAN("GET"), .target = HF_SPAN("/"), .minor = 1 };

	hf_fields_init(&m.fields, &arena);
	return m;
}

static void add(struct hf_message *m, const char *name, const char *value)
{
	assert_int_equal(hf_fields_add(&m->fields, hf_span_str(name), hf_span_str(value)), 0);
}

static void assert_field(const struct hf_message *m, const char *name, const char *value)
{
	const struct hf_span *v = hf_fields_get(&m->fields, name);

	if (!value) {
		assert_null(v);
		return;
	}
	assert_non_null(v);
	if (!hf_span_eq_str(*v, value))
		fail_msg("%s is \"%.*s\", wanted \"%s\"", name, HF_SPAN_ARG(*v), value);
}

static void forwarded_for(struct hf_addr addr, const char *value)
{
	struct hf_message in = message(), out;

	peer.addr = addr;
	assert_int_equal(hf_forward_request(&fw, &in, &arena, &out), 0);
	assert_field(&out, "Forwarded", value);
}

static void names_the_peer(void **state)
{
	(void)state;
	forwarded_for((struct hf_addr){ .family = HF_FAMILY_IPV4, .ip = { 10, 0, 0, 7 } },
		      "for=10.0.0.7;host=\"localhost:8480\";proto=http");
	forwarded_for((struct hf_addr){ .family = HF_FAMILY_UNIX },
		      "for=unknown;host=\"localhost:8480\";proto=http");
	forwarded_for((struct hf_addr){ .family = HF_FAMILY_IPV6, .ip = { [15] = 1 } },
		      "for=\"[::1]\";host=\"localhost:8480\";proto=http");
	forwarded_for((struct hf_addr){ .family = HF_FAMILY_IPV6,
					.ip = { [10] = 0xff, 0xff, 10, 0, 0, 7 } },
		      "for=10.0.0.7;host=\"localhost:8480\";proto=http");
	forwarded_for((struct hf_addr){ .family = HF_FAMILY_IPV6,
					.ip = { 0x20, 1, 0xd, 0xb8, [15] = 0x2a } },
		      "for=\"[2001:db8:0:0:0:0:0:2a]\";host=\"localhost:8480\";proto=http");
}

static void location(const char *sent, const char *wanted)
{
	struct hf_message in = message(), out;

	in.status = 302;
	add(&in, "Location", sent);
	assert_int_equal(hf_forward_response(&fw, &in, &arena, &out), 0);
	assert_field(&out, "Location", wanted);
}

static void renames_only_its_own_origin(void **state)
{
	(void)state;
	location("https://shop.example:8443/a?b#c", "http://localhost:8480/a?b#c");
	location("HTTPS://Shop.Example:8443", "http://localhost:8480");
	location("//shop.example:8443/a", "http://localhost:8480/a");
	location("/a", "/a");
	location("a", "a");
	location("https://shop.example/a", "https://shop.example/a");
	location("http://shop.example:8443/a", "http://shop.example:8443/a");
	location("https://shop.example:84430/a", "https://shop.example:84430/a");
	location("https://shop.example:8443.evil.example/",
		 "https://shop.example:8443.evil.example/");
	fw.authority = HF_SPAN("shop.example");
	location("https://shop.example:443/a", "http://localhost:8480/a");
	fw.host = hf_span(NULL, 0);
	location("https://shop.example/a", "/a");
	location("https://shop.example", "/");
}

static void drops_what_only_holdfast_says(void **state)
{
	struct hf_message in = message(), out;

	(void)state;
	in.status = 202;
	add(&in, "Holdfast-State", "queued");
	add(&in, "X-Order", "7");
	add(&in, "holdfast-truncated", "?1");
	add(&in, "Holdfast", "a");
	assert_int_equal(hf_forward_response(&fw, &in, &arena, &out), 0);
	assert_field(&out, "Holdfast-State", NULL);
	assert_field(&out, "Holdfast-Truncated", NULL);
	assert_field(&out, "X-Order", "7");
	assert_field(&out, "Holdfast", "a");
}

static void prefer(const char *sent, const char *wanted)
{
	struct hf_message m = message();

	add(&m, "Prefer", sent);
	assert_int_equal(hf_forward_without_prefer(&m.fields), 0);
	assert_field(&m, "Prefer", wanted);
}

static void takes_out_the_preferences_it_honours(void **state)
{
	(void)state;
	prefer("respond-async", NULL);
	prefer("wait=10", NULL);
	prefer("wait=10, return=minimal", "return=minimal");
	prefer("return=minimal; x=\"a,b\", Respond-Async, handling=lenient",
	       "return=minimal; x=\"a,b\", handling=lenient");
	prefer("x=\"wait=1, respond-async\"", "x=\"wait=1, respond-async\"");
}

static bool loops(const char *via)
{
	struct hf_message m = message();

	add(&m, "Via", via);
	return hf_forward_is_loop(&m.fields);
}

static void knows_its_own_name_in_via(void **state)
{
	(void)state;
	assert_true(loops("1.1 holdfast"));
	assert_true(loops("1.0 a, HTTP/1.1 Holdfast (kiosk)"));
	assert_false(loops("1.1 holdfast.example"));
	assert_false(loops("1.1 proxy (holdfast)"));
	assert_false(loops("holdfast"));
	assert_false(loops(""));
}

static void describes(enum hf_end end, int err, int status, const char *error)
{
	struct hf_exchange_result result = { .end = end, .err = err, .detail = "why \"so\"" };
	struct hf_message m = message();
	struct hf_problem p;
	const struct hf_span *v;

	hf_problem_of_end(&result, "shop", HF_SPAN("shop.example"), &arena, &p);
	assert_int_equal(p.status, status);
	assert_string_equal(p.error, error);
	assert_non_null(strstr(p.detail, "\"shop\" (shop.example)"));
	assert_int_equal(hf_problem_fields(&p, &m.fields), 0);
	v = hf_fields_get(&m.fields, "Proxy-Status");
	assert_non_null(v);
	assert_true(hf_span_starts(*v, HF_SPAN("holdfast; error=")));
}

static void has_words_for_every_end(void **state)
{
	(void)state;
	describes(HF_END_DNS, HF_EDNS, 502, "dns_error");
	describes(HF_END_CONNECT, HF_ECONNREFUSED, 502, "connection_refused");
	describes(HF_END_CONNECT, HF_EUNREACH, 502, "destination_ip_unroutable");
	describes(HF_END_CONNECT, HF_ETIMEDOUT, 504, "connection_timeout");
	describes(HF_END_CONNECT, HF_EIO, 502, "destination_unavailable");
	describes(HF_END_TLS, HF_ETLS, 502, "tls_protocol_error");
	describes(HF_END_TLS_CERT, HF_ECERT, 502, "tls_certificate_error");
	describes(HF_END_TLS_TIME, HF_ECERTTIME, 502, "tls_certificate_error");
	describes(HF_END_LIMIT, HF_ELIMIT, 503, "connection_limit_reached");
	describes(HF_END_RESET, HF_ECONNRESET, 502, "connection_terminated");
	describes(HF_END_TIMEOUT, HF_ETIMEDOUT, 504, "http_response_timeout");
	describes(HF_END_MALFORMED, HF_EPROTO, 502, "http_protocol_error");
	describes(HF_END_TRUNCATED, HF_EEOF, 502, "http_response_incomplete");
	describes(HF_END_INTERNAL, HF_ENOMEM, 503, "proxy_internal_error");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_the_peer),
		TEST(renames_only_its_own_origin),
		TEST(drops_what_only_holdfast_says),
		TEST(takes_out_the_preferences_it_honours),
		TEST(knows_its_own_name_in_via),
		TEST(has_words_for_every_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "http/url.h"

static void assert_url(const char *text, const char *scheme, const char *host, int port,
		       const char *path, const char *query)
{
	struct hf_url url;

	assert_int_equal(hf_url_parse(hf_span_str(text), &url), 0);
	assert_true(hf_span_eq_str(url.scheme, scheme));
	assert_true(hf_span_eq_str(url.host, host));
	assert_int_equal(url.port, port);
	assert_true(hf_span_eq_str(url.path, path));
	assert_true((query != NULL) == (url.query.ptr != NULL));
	if (query)
		assert_true(hf_span_eq_str(url.query, query));
}

static void splits_urls(void **state)
{
	(void)state;
	assert_url("http://a", "http", "a", 80, "/", NULL);
	assert_url("HTTPS://A.example/", "https", "A.example", 443, "/", NULL);
	assert_url("coap://a", "coap", "a", 5683, "/", NULL);
	assert_url("coaps://a:1", "coaps", "a", 1, "/", NULL);
	assert_url("coap+tcp://a", "coap+tcp", "a", 5683, "/", NULL);
	assert_url("coaps+tcp://a:1/b", "coaps+tcp", "a", 1, "/b", NULL);
	assert_url("http://a:8080/b/c?d=e?f", "http", "a", 8080, "/b/c", "d=e?f");
	assert_url("http://a?", "http", "a", 80, "/", "");
	assert_url("http://[::1]:65535/", "http", "::1", 65535, "/", NULL);
	assert_url("http://127.0.0.1/@:", "http", "127.0.0.1", 80, "/@:", NULL);
}

static void tells_whether_host_is_ipv6_and_port_given(void **state)
{
	struct hf_url url;

	(void)state;
	assert_int_equal(hf_url_parse(HF_SPAN("http://[fe80::1.2.3.4]"), &url), 0);
	assert_true(url.host_is_ipv6);
	assert_false(url.port_given);
	assert_int_equal(hf_url_parse(HF_SPAN("http://a:80"), &url), 0);
	assert_false(url.host_is_ipv6);
	assert_true(url.port_given);
}

static void refuses_other_urls(void **state)
{
	static const char *const bad[] = {
		"",
		"http",
		"http:",
		"http:/",
		"http://",
		"http:///",
		"http://?",
		"//a",
		"/a",
		"a",
		"ftp://a",
		"http//a",
		"http://a#b",
		"http://u@a",
		"http://u:p@a/",
		"http://a b",
		"http://a/ b",
		"http://a/\t",
		"http://a/\x7f",
		"http://a/\xc3\xa9",
		"http://\xe4",
		"http://a:",
		"http://a:0",
		"http://a:65536",
		"http://a:+1",
		"http://a:1a",
		"http://a:000080",
		"http://:80",
		"http://[::1",
		"http://[]",
		"http://[a]",
		"http://[::1]a",
		"http://[::1]:",
		"http://::1",
		"http://[::1%25e]",
		"http://a,b",
		"http://a%20",
		"http://a\\b",
		" http://a",
		"http://a|b",
	};
	struct hf_url url;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (hf_url_parse(hf_span_str(bad[i]), &url) != HF_EINVAL)
			fail_msg("taken: %s", bad[i]);
}

static void knows_default_ports(void **state)
{
	(void)state;
	assert_int_equal(hf_url_default_port(HF_SPAN("http")), 80);
	assert_int_equal(hf_url_default_port(HF_SPAN("HTTPS")), 443);
	assert_int_equal(hf_url_default_port(HF_SPAN("coap")), 5683);
	assert_int_equal(hf_url_default_port(HF_SPAN("coaps")), 5684);
	assert_int_equal(hf_url_default_port(HF_SPAN("coap+tcp")), 5683);
	assert_int_equal(hf_url_default_port(HF_SPAN("coaps+tcp")), 5684);
	assert_int_equal(hf_url_default_port(HF_SPAN("ws")), 0);
}

static void splits_host_fields(void **state)
{
	struct hf_span host;
	uint16_t port;

	(void)state;
	assert_int_equal(hf_host_parse(HF_SPAN("a.example"), &host, &port), 0);
	assert_true(hf_span_eq_str(host, "a.example"));
	assert_int_equal(port, 0);
	assert_int_equal(hf_host_parse(HF_SPAN("[::1]:8080"), &host, &port), 0);
	assert_true(hf_span_eq_str(host, "::1"));
	assert_int_equal(port, 8080);
	assert_int_equal(hf_host_parse(HF_SPAN(""), &host, &port), HF_EINVAL);
	assert_int_equal(hf_host_parse(HF_SPAN("a:b"), &host, &port), HF_EINVAL);
	assert_int_equal(hf_host_parse(HF_SPAN("a/"), &host, &port), HF_EINVAL);
}

static void refuses_endless_hosts(void **state)
{
	char text[256];
	struct hf_span host;
	uint16_t port;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(hf_host_parse(hf_span(text, 255), &host, &port), 0);
	assert_int_equal(hf_host_parse(hf_span(text, 256), &host, &port), HF_EINVAL);
}

static void splits_targets(void **state)
{
	struct hf_span path, query;

	(void)state;
	assert_int_equal(hf_target_parse(HF_SPAN("/a?b?c"), &path, &query), 0);
	assert_true(hf_span_eq_str(path, "/a"));
	assert_true(hf_span_eq_str(query, "b?c"));
	assert_int_equal(hf_target_parse(HF_SPAN("/a"), &path, &query), 0);
	assert_null(query.ptr);
	assert_int_equal(hf_target_parse(HF_SPAN("/a?"), &path, &query), 0);
	assert_non_null(query.ptr);
	assert_int_equal(query.len, 0);
}

static void refuses_other_targets(void **state)
{
	static const char *const bad[] = { "", "*", "a", "?a", "/ ", "/#a", "/\n", "/\xff" };
	struct hf_span path, query;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(hf_target_parse(hf_span_str(bad[i]), &path, &query), HF_EINVAL);
}

static void normalizes_paths(void **state)
{
	static const char *const rows[][2] = {
		{ "", "/" },
		{ "/", "/" },
		{ "/a/b", "/a/b" },
		{ "/a//b/", "/a//b/" },
		{ "/%7eA%41%2D", "/~AA-" },
		{ "/%c3%a9%2f%2F", "/%C3%A9%2F%2F" },
		{ "/%", "/%" },
		{ "/%4", "/%4" },
		{ "/%zz%4g", "/%zz%4g" },
		{ "/%25%34%31", "/%2541" },
		{ "/.", "/" },
		{ "/..", "/" },
		{ "/../../a", "/a" },
		{ "/a/.", "/a/" },
		{ "/a/..", "/" },
		{ "/a/./b/../c", "/a/c" },
		{ "/a/b/..", "/a/" },
		{ "/a/b/../..", "/" },
		{ "/a/%2e%2E/b", "/b" },
		{ "/a/.../b", "/a/.../b" },
		{ "/a/..b", "/a/..b" },
		{ "//..", "/" },
		{ "/a//../b", "/a/b" },
		{ "*", "*" },
	};
	struct hf_arena arena;
	size_t i;

	(void)state;
	hf_arena_init(&arena, SIZE_MAX);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(hf_path_normalize(&arena, hf_span_str(rows[i][0])).ptr,
				    rows[i][1]);
	hf_arena_finish(&arena);
}

static void normalizes_nothing_without_memory(void **state)
{
	struct hf_arena arena;

	(void)state;
	hf_arena_init(&arena, 0);
	assert_null(hf_path_normalize(&arena, HF_SPAN("/a")).ptr);
	hf_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_urls),
		cmocka_unit_test(tells_whether_host_is_ipv6_and_port_given),
		cmocka_unit_test(refuses_other_urls),
		cmocka_unit_test(knows_default_ports),
		cmocka_unit_test(splits_host_fields),
		cmocka_unit_test(refuses_endless_hosts),
		cmocka_unit_test(splits_targets),
		cmocka_unit_test(refuses_other_targets),
		cmocka_unit_test(normalizes_paths),
		cmocka_unit_test(normalizes_nothing_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

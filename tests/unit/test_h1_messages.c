/* SPDX-License-Identifier: Apache-2.0 */
/* Good HTTP/1.1 messages and what they mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fuzz/h1_transcript.h"
#include "holdfast/err.h"
#include "http/h1_reader.h"

#define HEAD_MAX   4096
#define FIELDS_MAX 50

static const struct hf_h1_limits limits = { HEAD_MAX, FIELDS_MAX };

static struct h1_transcript read_as(enum hf_h1_kind kind, struct hf_span bytes)
{
	struct h1_transcript t = { .kind = kind, .limits = limits };

	h1_transcript_run(&t, bytes);
	return t;
}

/* The events of @bytes are @expected, and the stream ends well. */
static void assert_reads(enum hf_h1_kind kind, const char *bytes, const char *expected)
{
	struct h1_transcript t = read_as(kind, hf_span_str(bytes));

	assert_string_equal(hf_buf_cstr(&t.text), expected);
	h1_transcript_finish(&t);
}

static void assert_request(const char *bytes, const char *expected)
{
	assert_reads(HF_H1_REQUEST, bytes, expected);
}

static void assert_response(const char *bytes, const char *expected)
{
	assert_reads(HF_H1_RESPONSE, bytes, expected);
}

/* ---- good requests ---- */

static void reads_a_request_without_body(void **state)
{
	(void)state;
	assert_request("GET /a?b HTTP/1.1\r\nHost: a:80\r\nX-Y:\t v w \t\r\nEmpty:\r\n\r\n",
		       "head GET /a?b 0  minor=1 body=0 len=0 keep-alive [Host=a:80] [X-Y=v w] "
		       "[Empty=]\ncomplete\nend OK\n");
}

static void reads_a_body_of_given_length(void **state)
{
	(void)state;
	assert_request("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 003 \r\n\r\nabc",
		       "head PUT / 0  minor=1 body=1 len=3 keep-alive [Host=a] "
		       "[Content-Length=003]\nbody abc\ncomplete\nend OK\n");
}

static void reads_a_length_of_zero_as_complete(void **state)
{
	(void)state;
	assert_request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
		       "head POST / 0  minor=1 body=1 len=0 keep-alive [Host=a] "
		       "[Content-Length=0]\ncomplete\nend OK\n");
}

static void reads_chunks_with_extensions_and_trailers(void **state)
{
	(void)state;
	assert_request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
		       "3;a;b=c;d=\"e f\"\r\nabc\r\n00A\r\n0123456789\r\n0;x\r\nX-Sum:  9 \r\n\r\n",
		       "head POST / 0  minor=1 body=2 len=-1 keep-alive [Host=a] "
		       "[Transfer-Encoding=Chunked]\nbody abc0123456789\ncomplete [X-Sum=9]\n"
		       "end OK\n");
}

static void drops_trailers_that_frame_route_or_authenticate(void **state)
{
	(void)state;
	assert_request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
		       "Content-Length: 5\r\nA: 1\r\nTRANSFER-ENCODING: x\r\nHost: b\r\n"
		       "Authorization: c\r\nCookie: d\r\nTrailer: e\r\nB: 2\r\n\r\n",
		       "head POST / 0  minor=1 body=2 len=-1 keep-alive [Host=a] "
		       "[Transfer-Encoding=chunked]\ncomplete [A=1] [B=2]\nend OK\n");
}

static void reads_pipelined_requests_one_by_one(void **state)
{
	(void)state;
	assert_request("GET /a HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\n"
		       "Content-Length: 1\r\n\r\nxGET /c HTTP/1.1\r\nHost: a\r\n\r\n",
		       "head GET /a 0  minor=1 body=0 len=0 keep-alive [Host=a]\ncomplete\n"
		       "head POST /b 0  minor=1 body=1 len=1 keep-alive [Host=a] "
		       "[Content-Length=1]\nbody x\ncomplete\n"
		       "head GET /c 0  minor=1 body=0 len=0 keep-alive [Host=a]\ncomplete\n"
		       "end OK\n");
}

static void passes_over_empty_lines_before_a_request(void **state)
{
	(void)state;
	assert_request("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
		       "head GET / 0  minor=1 body=0 len=0 keep-alive [Host=a]\ncomplete\n"
		       "end OK\n");
}

static void takes_the_authority_of_an_absolute_target_for_host(void **state)
{
	(void)state;
	assert_request("GET http://b.example:8080?q HTTP/1.1\r\nHost: a\r\n\r\n",
		       "head GET http://b.example:8080?q 0  minor=1 body=0 len=0 keep-alive "
		       "[Host=b.example:8080]\ncomplete\nend OK\n");
}

static void reads_options_for_the_server(void **state)
{
	(void)state;
	assert_request("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		       "head OPTIONS * 0  minor=1 body=0 len=0 keep-alive [Host=a]\ncomplete\n"
		       "end OK\n");
}

static void reads_http_1_0_without_host_and_closes(void **state)
{
	(void)state;
	assert_request("GET / HTTP/1.0\r\n\r\n",
		       "head GET / 0  minor=0 body=0 len=0\ncomplete\nend OK\n");
}

static void keeps_http_1_0_alive_when_asked(void **state)
{
	(void)state;
	assert_request("GET / HTTP/1.0\r\nConnection: foo, Keep-Alive\r\n\r\n",
		       "head GET / 0  minor=0 body=0 len=0 keep-alive "
		       "[Connection=foo, Keep-Alive]\ncomplete\nend OK\n");
}

static void lets_close_win_over_keep_alive(void **state)
{
	(void)state;
	assert_request("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n"
		       "Connection: CLOSE\r\n\r\n",
		       "head GET / 0  minor=1 body=0 len=0 [Host=a] [Connection=keep-alive] "
		       "[Connection=CLOSE]\ncomplete\nend OK\n");
}

static void sees_an_upgrade_only_with_both_fields_and_http_1_1(void **state)
{
	(void)state;
	assert_request("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Upgrade\r\nUpgrade: w\r\n\r\n",
		       "head GET / 0  minor=1 body=0 len=0 keep-alive upgrade [Host=a] "
		       "[Connection=x, Upgrade] [Upgrade=w]\ncomplete\nend OK\n");
	assert_request("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: w\r\n\r\n",
		       "head GET / 0  minor=1 body=0 len=0 keep-alive [Host=a] [Upgrade=w]\n"
		       "complete\nend OK\n");
	assert_request("GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: w\r\n\r\n",
		       "head GET / 0  minor=0 body=0 len=0 [Host=a] [Connection=Upgrade] "
		       "[Upgrade=w]\ncomplete\nend OK\n");
}

static void reads_the_body_of_an_upgrade_request(void **state)
{
	(void)state;
	assert_request("POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: w\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
		       "head POST / 0  minor=1 body=2 len=-1 keep-alive upgrade [Host=a] "
		       "[Connection=upgrade] [Upgrade=w] [Transfer-Encoding=chunked]\nbody a\n"
		       "complete\nend OK\n");
}

static void sees_that_a_client_waits_for_100(void **state)
{
	(void)state;
	assert_request("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n",
		       "head PUT / 0  minor=1 body=0 len=0 keep-alive continue [Host=a] "
		       "[Expect=100-Continue]\ncomplete\nend OK\n");
}

static void passes_on_obs_text_in_values(void **state)
{
	(void)state;
	assert_request("GET / HTTP/1.1\r\nHost: a\r\nX: \xe9\r\n\r\n",
		       "head GET / 0  minor=1 body=0 len=0 keep-alive [Host=a] [X=\xe9]\n"
		       "complete\nend OK\n");
}

/* ---- good responses ---- */

static void reads_a_response_until_the_stream_ends(void **state)
{
	(void)state;
	assert_response("HTTP/1.1 200 OK\r\n\r\nabc",
			"head   200 OK minor=1 body=3 len=-1\nbody abc\ncomplete\nend OK\n");
}

static void reads_a_status_line_without_reason(void **state)
{
	(void)state;
	assert_response("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\nHTTP/1.1 404 \r\n"
			"Content-Length: 0\r\n\r\n",
			"head   404  minor=1 body=1 len=0 keep-alive [Content-Length=0]\n"
			"complete\nhead   404  minor=1 body=1 len=0 keep-alive "
			"[Content-Length=0]\ncomplete\nend OK\n");
}

static void reads_interim_responses_and_the_final_one(void **state)
{
	(void)state;
	assert_response("HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n"
			"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
			"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
			"head   100 Continue minor=1 body=0 len=0 keep-alive [Content-Length=0]\n"
			"head   103 Early minor=1 body=0 len=0 keep-alive [Link=x]\n"
			"head   200 OK minor=1 body=1 len=1 keep-alive [Content-Length=1]\n"
			"body a\ncomplete\nend OK\n");
}

static void refuses_endless_interim_responses(void **state)
{
	struct h1_transcript t;
	struct hf_buf bytes;
	int i;

	(void)state;
	hf_buf_init(&bytes, SIZE_MAX);
	for (i = 0; i < 65; i++)
		assert_int_equal(hf_buf_append_str(&bytes, "HTTP/1.1 102 P\r\n\r\n"), 0);
	t = read_as(HF_H1_RESPONSE, hf_buf_span(&bytes));
	assert_int_equal(t.err, HF_EPROTO);
	assert_string_equal(hf_h1_reader_error(t.reader), "too many interim responses");
	h1_transcript_finish(&t);
	hf_buf_finish(&bytes);
}

/* A name that is no coding: the body ends with the connection. */
static void reads_a_response_of_an_unknown_coding_to_its_end(void **state)
{
	(void)state;
	assert_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n5\r\nab",
			"head   200 OK minor=1 body=3 len=-1 [Transfer-Encoding=identity]\n"
			"body 5\r\n"
			"ab\n"
			"complete\n"
			"end OK\n");
}

static void misses_the_final_response_when_the_stream_ends(void **state)
{
	struct h1_transcript t = read_as(HF_H1_RESPONSE, HF_SPAN("HTTP/1.1 100 C\r\n\r\n"));

	(void)state;
	assert_int_equal(t.err, HF_EEOF);
	h1_transcript_finish(&t);
}

static void ends_at_204_and_304_whatever_the_length(void **state)
{
	(void)state;
	assert_response("HTTP/1.1 204 N\r\n\r\nHTTP/1.1 304 N\r\nContent-Length: 9\r\n\r\n"
			"HTTP/1.1 304 N\r\nTransfer-Encoding: chunked\r\n\r\n",
			"head   204 N minor=1 body=0 len=0 keep-alive\ncomplete\n"
			"head   304 N minor=1 body=0 len=0 keep-alive [Content-Length=9]\n"
			"complete\nhead   304 N minor=1 body=0 len=0 keep-alive "
			"[Transfer-Encoding=chunked]\ncomplete\nend OK\n");
}

static void does_not_keep_a_connection_with_a_204_that_promises_a_body(void **state)
{
	(void)state;
	assert_response("HTTP/1.1 204 N\r\nContent-Length: 1\r\n\r\n",
			"head   204 N minor=1 body=0 len=0 [Content-Length=1]\ncomplete\nend OK\n");
}

static void reads_no_body_after_head(void **state)
{
	struct h1_transcript t = { .kind = HF_H1_RESPONSE, .limits = limits, .no_body = true };

	(void)state;
	h1_transcript_run(&t, HF_SPAN("HTTP/1.1 200 O\r\nContent-Length: 9\r\n\r\n"
				      "HTTP/1.1 200 O\r\nContent-Length: 1\r\n\r\na"));
	assert_string_equal(hf_buf_cstr(&t.text),
			    "head   200 O minor=1 body=0 len=0 keep-alive [Content-Length=9]\n"
			    "complete\n"
			    "head   200 O minor=1 body=1 len=1 keep-alive [Content-Length=1]\n"
			    "body a\ncomplete\nend OK\n");
	h1_transcript_finish(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_request_without_body),
		cmocka_unit_test(reads_a_body_of_given_length),
		cmocka_unit_test(reads_a_length_of_zero_as_complete),
		cmocka_unit_test(reads_chunks_with_extensions_and_trailers),
		cmocka_unit_test(drops_trailers_that_frame_route_or_authenticate),
		cmocka_unit_test(reads_pipelined_requests_one_by_one),
		cmocka_unit_test(passes_over_empty_lines_before_a_request),
		cmocka_unit_test(takes_the_authority_of_an_absolute_target_for_host),
		cmocka_unit_test(reads_options_for_the_server),
		cmocka_unit_test(reads_http_1_0_without_host_and_closes),
		cmocka_unit_test(keeps_http_1_0_alive_when_asked),
		cmocka_unit_test(lets_close_win_over_keep_alive),
		cmocka_unit_test(sees_an_upgrade_only_with_both_fields_and_http_1_1),
		cmocka_unit_test(reads_the_body_of_an_upgrade_request),
		cmocka_unit_test(sees_that_a_client_waits_for_100),
		cmocka_unit_test(passes_on_obs_text_in_values),
		cmocka_unit_test(reads_a_response_until_the_stream_ends),
		cmocka_unit_test(reads_a_status_line_without_reason),
		cmocka_unit_test(reads_interim_responses_and_the_final_one),
		cmocka_unit_test(refuses_endless_interim_responses),
		cmocka_unit_test(reads_a_response_of_an_unknown_coding_to_its_end),
		cmocka_unit_test(misses_the_final_response_when_the_stream_ends),
		cmocka_unit_test(ends_at_204_and_304_whatever_the_length),
		cmocka_unit_test(does_not_keep_a_connection_with_a_204_that_promises_a_body),
		cmocka_unit_test(reads_no_body_after_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

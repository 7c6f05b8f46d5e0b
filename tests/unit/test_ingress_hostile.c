/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Malformed and hostile requests through a whole connection, each with the
 * answer it gets and what the origin may see of it: nothing, unless the answer
 * is 0 (passed on).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/panel_rig.h"

#define HOST "Host: " PANEL_RIG_HOST "\r\n"
#define OWN  " HTTP/1.1\r\n" HOST

struct hostile {
	const char *what;
	const char *request;
	int status;	  /* 0: goes to the origin */
	bool closes;	  /* the connection ends with the answer */
	const char *seen; /* part of what the origin got, when it goes there */
};

static const struct hostile table[] = {
	/* request line */
	{ "no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, true, NULL },
	{ "method with a control byte", "G\x01T / HTTP/1.1\r\n" HOST "\r\n", 400, true, NULL },
	{ "method that is no token", "GE(T / HTTP/1.1\r\n" HOST "\r\n", 400, true, NULL },
	{ "unknown method", "BREW /" OWN "\r\n", 501, true, NULL },
	{ "no target", "GET HTTP/1.1\r\n" HOST "\r\n", 400, true, NULL },
	{ "two spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400, true, NULL },
	{ "space in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n", 400, true, NULL },
	{ "tab between", "GET\t/\tHTTP/1.1\r\n" HOST "\r\n", 400, true, NULL },
	{ "bare LF after the request line", "GET / HTTP/1.1\n" HOST "\r\n", 400, true, NULL },
	{ "bare CR inside", "GET / HTTP/1.1\rX: y\r\n" HOST "\r\n", 400, true, NULL },
	{ "HTTP/0.9", "GET /\r\n\r\n", 400, true, NULL },
	{ "HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", 505, true, NULL },
	{ "HTTP/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", 505, true, NULL },
	{ "HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, true, NULL },
	{ "lower case version", "GET / http/1.1\r\n" HOST "\r\n", 400, true, NULL },
	{ "fragment", "GET /#frag" OWN "\r\n", 400, true, NULL },
	{ "byte above 126 in the target", "GET /\xc3\xa4" OWN "\r\n", 400, true, NULL },
	{ "target without slash", "GET index.html" OWN "\r\n", 400, true, NULL },
	{ "absolute target of another scheme", "GET ftp://localhost/" OWN "\r\n", 400, true, NULL },
	{ "absolute target with userinfo", "GET http://a:b@localhost/" OWN "\r\n", 400, true,
	  NULL },
	{ "absolute target for https", "GET https://localhost/" OWN "\r\n", 400, true, NULL },
	/* methods */
	{ "CONNECT", "CONNECT localhost:443" OWN "\r\n", 501, true, NULL },
	{ "TRACE", "TRACE /" OWN "\r\n", 405, false, NULL },
	{ "OPTIONS *", "OPTIONS *" OWN "\r\n", 501, false, NULL },
	{ "GET *", "GET *" OWN "\r\n", 400, true, NULL },
	/* Host */
	{ "no Host", "GET / HTTP/1.1\r\n\r\n", 400, true, NULL },
	{ "two Hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400, true, NULL },
	{ "empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, true, NULL },
	{ "Host with a path", "GET / HTTP/1.1\r\nHost: localhost/x\r\n\r\n", 400, true, NULL },
	{ "Host with a quote", "GET / HTTP/1.1\r\nHost: local\"host\r\n\r\n", 400, true, NULL },
	{ "Host of somebody else (DNS rebinding)", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
	  421, false, NULL },
	{ "absolute target of somebody else", "GET http://evil.example/" OWN "\r\n", 421, false,
	  NULL },
	/* fields */
	{ "bare LF after a field", "GET /" OWN "X: y\n\r\n", 400, true, NULL },
	{ "folded field", "GET /" OWN "X: y\r\n z\r\n\r\n", 400, true, NULL },
	{ "field before which a space stands", "GET / HTTP/1.1\r\n X: y\r\n" HOST "\r\n", 400, true,
	  NULL },
	{ "space before the colon", "GET /" OWN "X : y\r\n\r\n", 400, true, NULL },
	{ "no colon", "GET /" OWN "Xyz\r\n\r\n", 400, true, NULL },
	{ "empty name", "GET /" OWN ": y\r\n\r\n", 400, true, NULL },
	{ "control byte in a name", "GET /" OWN "X\x7fY: z\r\n\r\n", 400, true, NULL },
	{ "control byte in a value", "GET /" OWN "X: a\x01z\r\n\r\n", 400, true, NULL },
	{ "bare CR in a value", "GET /" OWN "X: a\rb\r\n\r\n", 400, true, NULL },
	/* framing */
	{ "Content-Length and Transfer-Encoding",
	  "POST /" OWN "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
	  true, NULL },
	{ "Transfer-Encoding and Content-Length",
	  "POST /" OWN "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400,
	  true, NULL },
	{ "two lengths", "POST /" OWN "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400,
	  true, NULL },
	{ "the same length twice", "POST /" OWN "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
	  400, true, NULL },
	{ "list of lengths", "POST /" OWN "Content-Length: 3, 3\r\n\r\nabc", 400, true, NULL },
	{ "negative length", "POST /" OWN "Content-Length: -1\r\n\r\n", 400, true, NULL },
	{ "length with a sign", "POST /" OWN "Content-Length: +3\r\n\r\nabc", 400, true, NULL },
	{ "length in hexadecimal", "POST /" OWN "Content-Length: 0x3\r\n\r\nabc", 400, true, NULL },
	{ "length past 63 bits", "POST /" OWN "Content-Length: 9223372036854775808\r\n\r\n", 400,
	  true, NULL },
	{ "length past 64 bits", "POST /" OWN "Content-Length: 18446744073709551616\r\n\r\n", 400,
	  true, NULL },
	{ "empty length", "POST /" OWN "Content-Length:\r\n\r\n", 400, true, NULL },
	{ "unknown coding", "POST /" OWN "Transfer-Encoding: gzip\r\n\r\n", 501, true, NULL },
	{ "chunked is not alone", "POST /" OWN "Transfer-Encoding: gzip, chunked\r\n\r\n", 501,
	  true, NULL },
	{ "chunked twice",
	  "POST /" OWN "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"
	  "\r\n\r\n0\r\n\r\n",
	  400, true, NULL },
	{ "chunked with a vertical tab", "POST /" OWN "Transfer-Encoding: \vchunked\r\n\r\n", 400,
	  true, NULL },
	{ "chunked in HTTP/1.0",
	  "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	  "0\r\n\r\n",
	  400, true, NULL },
	{ "chunk size that is no number",
	  "POST /api/x" OWN "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, true, NULL },
	{ "chunk size with a sign", "POST /api/x" OWN "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
	  400, true, NULL },
	{ "chunk size past 63 bits",
	  "POST /api/x" OWN "Transfer-Encoding: chunked\r\n\r\n8000000000000000\r\n", 400, true,
	  NULL },
	{ "chunk size past 64 bits",
	  "POST /api/x" OWN "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\n", 400, true,
	  NULL },
	{ "chunk size with a bare LF",
	  "POST /api/x" OWN "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n", 400, true, NULL },
	{ "chunk longer than its size",
	  "POST /api/x" OWN "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n", 400, true, NULL },
	{ "trailer without colon",
	  "POST /api/x" OWN "Transfer-Encoding: chunked\r\n\r\n0\r\nxyz\r\n\r\n", 400, true, NULL },
	{ "body larger than a queued one may be",
	  "POST /api/x" OWN "Content-Length: 999999999\r\n\r\n", 413, true, NULL },
	/* Holdfast's own paths */
	{ "our path, encoded dot", "GET /%2eholdfast/status" OWN "\r\n", 400, false, NULL },
	{ "our path, encoded letter", "GET /.%68oldfast/status" OWN "\r\n", 400, false, NULL },
	{ "our path, encoded twice", "GET /%252eholdfast/status" OWN "\r\n", 400, false, NULL },
	{ "our path, two slashes", "GET //.holdfast/status" OWN "\r\n", 400, false, NULL },
	{ "our path, encoded slash", "GET /%2f.holdfast/status" OWN "\r\n", 400, false, NULL },
	{ "our path, backslash", "GET /\\.holdfast/status" OWN "\r\n", 400, false, NULL },
	{ "our path, dot segments", "GET /a/../.holdfast/status" OWN "\r\n", 400, false, NULL },
	{ "our path, encoded dot segments", "GET /a/%2e%2e/.holdfast/status" OWN "\r\n", 400, false,
	  NULL },
	{ "our path, other case", "GET /.HoldFast/status" OWN "\r\n", 400, false, NULL },
	{ "our path, parameters", "GET /.holdfast;x/status" OWN "\r\n", 400, false, NULL },
	{ "out of our path", "GET /.holdfast/../x" OWN "\r\n", 0, false, "GET /.holdfast/../x " },
	{ "a name that begins like ours", "GET /.holdfastish" OWN "\r\n", 0, false,
	  "GET /.holdfastish " },
	{ "nothing of ours has that name", "GET /.holdfast/nothing" OWN "\r\n", 404, false, NULL },
	{ "wrong method on a resource", "PUT /.holdfast/status" OWN "Content-Length: 0\r\n\r\n",
	  405, false, NULL },
	{ "operator's resource from a panel", "GET /.holdfast/export" OWN "\r\n", 403, false,
	  NULL },
	{ "id with escapes", "GET /.holdfast/requests/%30%30" OWN "\r\n", 404, false, NULL },
	{ "id that is none", "GET /.holdfast/requests/../../etc/passwd" OWN "\r\n", 0, false,
	  "GET /.holdfast/requests/../../etc/passwd " },
	{ "from another site",
	  "POST /.holdfast/sync-now" OWN "Origin: http://evil.example\r\nContent-Length: 0\r\n\r\n",
	  403, false, NULL },
	{ "from no site",
	  "POST /.holdfast/sync-now" OWN "Origin: null\r\nContent-Length: 0\r\n\r\n", 403, false,
	  NULL },
	{ "from another port",
	  "DELETE /.holdfast/requests/x" OWN "Origin: http://shop.localhost:9999\r\n\r\n", 403,
	  false, NULL },
	{ "across sites by fetch metadata",
	  "GET /.holdfast/requests" OWN "Sec-Fetch-Site: cross-site\r\n\r\n", 403, false, NULL },
	{ "bad query", "GET /.holdfast/requests?state=lost" OWN "\r\n", 400, false, NULL },
	{ "bad escape in a query", "GET /.holdfast/requests?state=%zz" OWN "\r\n", 400, false,
	  NULL },
	/* loops and keys */
	{ "a loop", "GET /" OWN "Via: 1.1 a, 1.1 holdfast (x)\r\n\r\n", 508, false, NULL },
	{ "two idempotency keys",
	  "POST /api/x" OWN "Idempotency-Key: a\r\nIdempotency-Key: b\r\n"
	  "Content-Length: 0\r\n\r\n",
	  400, false, NULL },
	{ "an empty idempotency key",
	  "POST /api/x" OWN "Idempotency-Key: \"\"\r\n"
	  "Content-Length: 0\r\n\r\n",
	  400, false, NULL },
	/* what is odd and still right */
	{ "empty lines before the request", "\r\n\r\nGET /" OWN "\r\n", 0, false, "GET / " },
	{ "Connection names Content-Length",
	  "POST /x" OWN "Connection: content-length\r\n"
	  "Content-Length: 3\r\n\r\nabc",
	  0, false, "Content-Length: 3\r\n\r\nabc" },
	{ "absolute target of our own", "GET http://localhost?a=b HTTP/1.1\r\nHost: x\r\n\r\n", 0,
	  false, "GET /?a=b HTTP/1.1\r\n" },
};

#define TABLE_N (sizeof(table) / sizeof(table[0]))

static struct panel_rig rig;
static unsigned faults;

/* All rows are tried; the test fails at the end. */
#define FAULT(...)                        \
	do {                              \
		print_error(__VA_ARGS__); \
		faults++;                 \
	} while (0)

static void check_closed(const struct hostile *h, struct fake_peer *panel)
{
	if ((panel->closed || panel->fin) != h->closes)
		FAULT("%s: the connection %s\n", h->what, h->closes ? "stays" : "ends");
}

static void check_answer(const struct hostile *h, const char *text)
{
	char want[32];

	snprintf(want, sizeof(want), "HTTP/1.1 %d ", h->status);
	if (strncmp(text, want, strlen(want)) != 0)
		FAULT("%s: wanted %d, got:\n%s\n", h->what, h->status, text);
	else if (!strstr(text, "Content-Type: application/problem+json\r\n"))
		FAULT("%s: no problem document in:\n%s\n", h->what, text);
}

static void check_passed_on(const struct hostile *h, struct fake_peer *origin, const char *text)
{
	if (!origin || text[0]) {
		FAULT("%s: the origin got nothing, the panel:\n%s\n", h->what, text);
		return;
	}
	text = fake_peer_take(origin);
	if (!strstr(text, h->seen))
		FAULT("%s: \"%s\" is not in:\n%s\n", h->what, h->seen, text);
}

static void ask(const struct hostile *h, size_t piece)
{
	struct fake_peer *panel, *origin;
	const char *text;

	panel_rig_init(&rig);
	panel_rig_start(&rig);
	rig.net.data_max = piece;
	panel = panel_rig_connect(&rig);
	text = panel_rig_ask(&rig, panel, h->request);
	origin = panel_rig_origin(&rig);
	if (h->status == 0) {
		check_passed_on(h, origin, text);
	} else {
		check_answer(h, text);
		check_closed(h, panel);
		if (origin && origin->got.len > 0)
			FAULT("%s: the origin has heard of it\n", h->what);
	}
	panel_rig_finish(&rig);
}

static int no_faults(void **state)
{
	(void)state;
	faults = 0;
	return 0;
}

static void answers_each_as_the_table_says(void **state)
{
	size_t i;

	(void)state;
	assert_true(TABLE_N >= 60);
	for (i = 0; i < TABLE_N; i++)
		ask(&table[i], 65536);
	assert_int_equal(faults, 0);
}

static void answers_the_same_byte_by_byte(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < TABLE_N; i++)
		ask(&table[i], 1);
	assert_int_equal(faults, 0);
}

static void ask_long(const char *before, char fill, size_t n, const char *after, int status)
{
	struct hostile h = { .what = "too long", .status = status, .closes = true };
	size_t len = strlen(before);
	char *text = malloc(len + n + strlen(after) + 1);

	assert_non_null(text);
	memcpy(text, before, len);
	memset(text + len, fill, n);
	strcpy(text + len + n, after);
	h.request = text;
	ask(&h, 65536);
	ask(&h, 100);
	free(text);
	assert_int_equal(faults, 0);
}

static void refuses_what_is_too_long(void **state)
{
	(void)state;
	ask_long("GET /", 'a', 9000, OWN "\r\n", 414);
	ask_long("GET /" OWN "X: ", 'a', 9000, "\r\n\r\n", 431);
	ask_long("GET /" OWN, 'X', 9000, ": y\r\n\r\n", 431);
}

static void refuses_too_many_fields(void **state)
{
	struct hostile h = { .what = "too many fields", .status = 431, .closes = true };
	char text[2048] = "GET /" OWN;
	unsigned i;

	(void)state;
	for (i = 0; i < 70; i++)
		strcat(text, "A: b\r\n");
	strcat(text, "\r\n");
	h.request = text;
	ask(&h, 65536);
	assert_int_equal(faults, 0);
}

/* What stands behind a refused request is never taken for another one. */
static void reads_nothing_behind_a_refusal(void **state)
{
	struct hostile h = {
		.what = "smuggled",
		.request = "POST /x" OWN "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
			   "0\r\n\r\nGET /smuggled" OWN "\r\n",
		.status = 400,
		.closes = true,
	};

	(void)state;
	ask(&h, 65536);
	h.request = "POST /api/x" OWN "Content-Length: 999999999\r\n\r\nGET /smuggled" OWN "\r\n";
	h.status = 413;
	ask(&h, 65536);
	h.request = "POST /" OWN "Content-Length: 3\r\nContent-Length: 3\r\n\r\nGET /s" OWN "\r\n";
	h.status = 400;
	ask(&h, 65536);
	assert_int_equal(faults, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(answers_each_as_the_table_says, no_faults),
		cmocka_unit_test_setup(answers_the_same_byte_by_byte, no_faults),
		cmocka_unit_test_setup(refuses_what_is_too_long, no_faults),
		cmocka_unit_test_setup(refuses_too_many_fields, no_faults),
		cmocka_unit_test_setup(reads_nothing_behind_a_refusal, no_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile and malformed HTTP/1.1: refused in words, and the same however it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>

#include "fuzz/h1_transcript.h"
#include "holdfast/err.h"
#include "http/h1_reader.h"

#define HEAD_MAX   4096
#define FIELDS_MAX 50
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

static const struct hf_h1_limits limits = { HEAD_MAX, FIELDS_MAX };

struct row {
	struct hf_span bytes;
	int status;
	const char *words;
};

#define ROW(bytes, status, words)             \
	{                                     \
		HF_SPAN(bytes), status, words \
	}
/* Behind a request line and Host, before the empty line. */
#define FIELDS(lines, status, words) \
	ROW("POST / HTTP/1.1\r\nHost: a\r\n" lines "\r\n", status, words)
/* A chunked body. */
#define CHUNKS(body, status, words) \
	ROW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" body, status, words)

#define X16  "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16
#define X4K  X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256 X256

static const struct row bad_requests[] = {
	/* start line */
	ROW("GET /\r\n\r\n", 400, "malformed request line"),
	ROW("GET / \r\n\r\n", 400, "malformed HTTP version"),
	ROW("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"),
	ROW("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed HTTP version"),
	ROW("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, "malformed HTTP version"),
	ROW("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed method"),
	ROW("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"),
	ROW("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed HTTP version"),
	ROW(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed method"),
	ROW("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed method"),
	ROW("get / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "unknown method"),
	ROW("FETCH / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "unknown method"),
	ROW("GETX / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "unknown method"),
	ROW("DESCRIBE / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "unknown method"),
	ROW("OPTIONS / RTSP/1.0\r\nHost: a\r\n\r\n", 400, "malformed HTTP version"),
	ROW("GET / http/1.1\r\nHost: a\r\n\r\n", 400, "malformed HTTP version"),
	ROW("GET / HTTP/1\r\nHost: a\r\n\r\n", 400, "malformed HTTP version"),
	ROW("GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400, "malformed HTTP version"),
	ROW("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, "HTTP version not supported"),
	ROW("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "HTTP version not supported"),
	ROW("GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505, "HTTP version not supported"),
	ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP version not supported"),
	ROW("\x16\x03\x01\x02", 400, "malformed method"),
	ROW("\0", 400, "malformed method"),
	ROW("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "line ends with a bare LF"),
	ROW("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bare CR"),
	ROW("\r\n\r\n\r\n\r\n\r\nGET /", 400, "too many empty lines before the request"),
	/* target */
	ROW("GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"),
	ROW("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "fragment in the request target"),
	ROW("GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"),
	ROW("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"),
	ROW("GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"),
	ROW("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "target * is for OPTIONS only"),
	ROW("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501, "CONNECT is not supported"),
	ROW("GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"),
	ROW("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"),
	ROW("GET coap://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"),
	ROW("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"),
	ROW("GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed request target"),
	/* lines */
	ROW("GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "line ends with a bare LF"),
	ROW("GET / HTTP/1.1\r\nHost: a\n\r\n", 400, "line ends with a bare LF"),
	ROW("GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "line ends with a bare LF"),
	ROW("GET / HTTP/1.1\rHost: a\r\n\r\n", 400, "malformed HTTP version"),
	FIELDS("X: a\rY: b\r\n", 400, "control byte in a field value"),
	FIELDS("X: a\r\r\n", 400, "control byte in a field value"),
	FIELDS("X: a\r\n b\r\n", 400, "line begins with white space (folded field)"),
	FIELDS("X: a\r\n\tb\r\n", 400, "line begins with white space (folded field)"),
	FIELDS("X: a\r\n \r\n", 400, "line begins with white space (folded field)"),
	ROW("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400,
	    "line begins with white space (folded field)"),
	/* fields */
	FIELDS("X : a\r\n", 400, "white space before the colon"),
	FIELDS("X\t: a\r\n", 400, "white space before the colon"),
	FIELDS("Content-Length : 0\r\n", 400, "white space before the colon"),
	FIELDS(": a\r\n", 400, "malformed field name"),
	FIELDS("X Y: a\r\n", 400, "malformed field name"),
	FIELDS("X(: a\r\n", 400, "malformed field name"),
	FIELDS("\xc3\xa9: a\r\n", 400, "malformed field name"),
	FIELDS("X\0: a\r\n", 400, "malformed field name"),
	FIELDS("X\r\n", 400, "field line without colon"),
	FIELDS("X: \0\r\n", 400, "control byte in a field value"),
	FIELDS("X: \x01\r\n", 400, "control byte in a field value"),
	FIELDS("X: \x7f\r\n", 400, "control byte in a field value"),
	/* Host */
	ROW("GET / HTTP/1.1\r\n\r\n", 400, "no Host"),
	ROW("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "malformed Host"),
	ROW("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "malformed Host"),
	ROW("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "malformed Host"),
	ROW("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "malformed Host"),
	ROW("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, "malformed Host"),
	ROW("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400, "malformed Host"),
	ROW("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, "malformed Host"),
	ROW("GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "malformed Host"),
	FIELDS("Host: a\r\n", 400, "more than one Host"),
	FIELDS("hOST: b\r\n", 400, "more than one Host"),
	ROW("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, "more than one Host"),
	/* Content-Length */
	FIELDS("Content-Length:\r\n", 400, "malformed Content-Length"),
	FIELDS("Content-Length: +1\r\n", 400, "malformed Content-Length"),
	FIELDS("Content-Length: -1\r\n", 400, "malformed Content-Length"),
	FIELDS("Content-Length: 1 2\r\n", 400, "malformed Content-Length"),
	FIELDS("Content-Length: 1,1\r\n", 400, "malformed Content-Length"),
	FIELDS("Content-Length: 1, 1\r\n", 400, "malformed Content-Length"),
	FIELDS("Content-Length: 0x1\r\n", 400, "malformed Content-Length"),
	FIELDS("Content-Length: 1.0\r\n", 400, "malformed Content-Length"),
	FIELDS("Content-Length: 1a\r\n", 400, "malformed Content-Length"),
	FIELDS("Content-Length: 9223372036854775808\r\n", 400, "Content-Length is too large"),
	FIELDS("Content-Length: 18446744073709551615\r\n", 400, "Content-Length is too large"),
	FIELDS("Content-Length: 18446744073709551616\r\n", 400, "malformed Content-Length"),
	FIELDS("Content-Length: 1\r\nContent-Length: 1\r\n", 400, "more than one Content-Length"),
	FIELDS("Content-Length: 1\r\ncontent-length: 2\r\n", 400, "more than one Content-Length"),
	/* Transfer-Encoding */
	FIELDS("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400,
	       "Content-Length and Transfer-Encoding together"),
	FIELDS("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", 400,
	       "Content-Length and Transfer-Encoding together"),
	FIELDS("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400,
	       "more than one Transfer-Encoding"),
	FIELDS("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 400,
	       "more than one Transfer-Encoding"),
	FIELDS("Transfer-Encoding: gzip\r\n", 501, "transfer coding is not supported"),
	FIELDS("Transfer-Encoding: identity\r\n", 501, "transfer coding is not supported"),
	FIELDS("Transfer-Encoding: xchunked\r\n", 501, "transfer coding is not supported"),
	FIELDS("Transfer-Encoding: gzip, chunked\r\n", 501, "transfer coding is not supported"),
	FIELDS("Transfer-Encoding: chunked, gzip\r\n", 400, "malformed Transfer-Encoding"),
	FIELDS("Transfer-Encoding: chunked;q=1\r\n", 400, "malformed Transfer-Encoding"),
	FIELDS("Transfer-Encoding: \"chunked\"\r\n", 400, "malformed Transfer-Encoding"),
	FIELDS("Transfer-Encoding: \r\n", 400, "malformed Transfer-Encoding"),
	FIELDS("Transfer-Encoding: \x0b"
	       "chunked\r\n",
	       400, "control byte in a field value"),
	FIELDS("Transfer-Encoding : chunked\r\n", 400, "white space before the colon"),
	ROW("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
	    "Transfer-Encoding in HTTP/1.0"),
	/* chunks */
	CHUNKS("\r\n", 400, "malformed chunk size"),
	CHUNKS("g\r\n", 400, "malformed chunk size"),
	CHUNKS("-1\r\n", 400, "malformed chunk size"),
	CHUNKS("+1\r\n", 400, "malformed chunk size"),
	CHUNKS("0x1\r\n", 400, "malformed chunk size"),
	CHUNKS(" 1\r\n", 400, "malformed chunk size"),
	CHUNKS("1 \r\n", 400, "malformed chunk size"),
	CHUNKS("1\t\r\n", 400, "malformed chunk size"),
	CHUNKS("1\n", 400, "line ends with a bare LF"),
	CHUNKS("1\r\r\n", 400, "malformed chunk line"),
	CHUNKS("10000000000000000\r\n", 400, "malformed chunk size"),
	CHUNKS("fffffffffffffffff\r\n", 400, "malformed chunk size"),
	CHUNKS("1;\x01\r\n", 400, "malformed chunk line"),
	CHUNKS("1;a=\"\r\n", 400, "malformed chunk line"),
	CHUNKS("1;" X4K X256 "\r\n", 400, "chunk extensions too long"),
	CHUNKS("1;" X256 X256 X256 X256 X256 X256 X256 X256 "\r\n.\r\n"
	       "1;" X256 X256 X256 X256 X256 X256 X256 X256 "\r\n.\r\n"
	       "1;" X256 "\r\n.\r\n",
	       400, "chunk extensions too long"),
	CHUNKS("1\r\nabc", 400, "chunk is longer than its size"),
	CHUNKS("1\r\na\n", 400, "chunk is longer than its size"),
	CHUNKS("1\r\na\rb", 400, "chunk is longer than its size"),
	CHUNKS("0\r\nX\r\n\r\n", 400, "field line without colon"),
	CHUNKS("0\r\nX : a\r\n\r\n", 400, "white space before the colon"),
	CHUNKS("0\r\nX: a\r\n b\r\n\r\n", 400, "line begins with white space (folded field)"),
	CHUNKS("0\r\nX: a\n\r\n", 400, "line ends with a bare LF"),
	CHUNKS("0\r\n\n", 400, "line ends with a bare LF"),
	CHUNKS("0\r\nX: \x01\r\n\r\n", 400, "control byte in a field value"),
	CHUNKS("0\r\nX: " X4K "\r\n\r\n", 431, "trailers too large"),
	/* sizes */
	ROW("GET /" X4K " HTTP/1.1\r\n", 414, "request target too long"),
	FIELDS("X: " X4K "\r\n", 431, "head too large"),
};

static const struct row bad_responses[] = {
	ROW("SSH-2.0-OpenSSH\r\n", 400, "malformed HTTP version"),
	ROW("\r\nHTTP/1.1 200 OK\r\n\r\n", 400, "malformed HTTP version"),
	ROW("HTTP/2.0 200 OK\r\n\r\n", 505, "HTTP version not supported"),
	ROW("HTTP/1.1  200 OK\r\n\r\n", 400, "malformed status code"),
	ROW("HTTP/1.1 20 OK\r\n\r\n", 400, "malformed status code"),
	ROW("HTTP/1.1 2000 OK\r\n\r\n", 400, "malformed status code"),
	ROW("HTTP/1.1 099 OK\r\n\r\n", 400, "malformed status code"),
	ROW("HTTP/1.1 2x0 OK\r\n\r\n", 400, "malformed status code"),
	ROW("HTTP/1.1\r\n\r\n", 400, "malformed status code"),
	ROW("HTTP/1.1 200 O\x01K\r\n\r\n", 400, "control byte in the reason phrase"),
	ROW("HTTP/1.1 200 OK\n\n", 400, "line ends with a bare LF"),
	ROW("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", 400,
	    "line begins with white space (folded field)"),
	ROW("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400,
	    "more than one Content-Length"),
	ROW("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
	    "Content-Length and Transfer-Encoding together"),
	ROW("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501,
	    "transfer coding is not supported"),
	ROW("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", 501,
	    "transfer coding is not supported"),
	ROW("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
	    "Transfer-Encoding in HTTP/1.0"),
	ROW("HTTP/1.1 103 Early Hints\r\nContent-Length: 1\r\n\r\n", 400,
	    "interim response with a body"),
	ROW("HTTP/1.1 101 Switching\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
	    "interim response with a body"),
	ROW("HTTP/1.1 200 OK\r\nX: " X4K "\r\n", 431, "head too large"),
};

static void assert_refuses(enum hf_h1_kind kind, const struct row *row)
{
	struct h1_transcript t = { .kind = kind, .limits = limits };
	int status, err = row->status == 414 || row->status == 431 ? HF_ETOOBIG : HF_EPROTO;
	const char *words;

	h1_transcript_run(&t, row->bytes);
	words = hf_h1_reader_error(t.reader);
	status = hf_h1_reader_error_status(t.reader);
	if (t.err != err || status != row->status || strcmp(words, row->words) != 0)
		fail_msg("%.*s\ngives %s %d %s, not %s %d %s", HF_SPAN_ARG(row->bytes),
			 hf_errname(t.err), status, words, hf_errname(err), row->status,
			 row->words);
	h1_transcript_finish(&t);
}

static void refuses_hostile_requests_with_status_and_words(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad_requests); i++)
		assert_refuses(HF_H1_REQUEST, &bad_requests[i]);
}

static void refuses_hostile_responses_with_words(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad_responses); i++)
		assert_refuses(HF_H1_RESPONSE, &bad_responses[i]);
}

/* ---- however the bytes are cut ---- */

static void assert_same_when_cut(struct h1_transcript settings, struct hf_span bytes)
{
	struct h1_transcript whole = settings, other;
	int variant;

	h1_transcript_run(&whole, bytes);
	for (variant = 1; variant < 6; variant++) {
		other = settings;
		other.cut = (enum h1_cut)(variant % 3);
		other.pause = variant >= 3;
		other.seed = (uint64_t)variant;
		h1_transcript_run(&other, bytes);
		assert_string_equal(hf_buf_cstr(&whole.text), hf_buf_cstr(&other.text));
		h1_transcript_finish(&other);
	}
	h1_transcript_finish(&whole);
}

static void reads_the_tables_the_same_in_any_pieces(void **state)
{
	struct h1_transcript settings = { .kind = HF_H1_REQUEST, .limits = limits };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad_requests); i++)
		assert_same_when_cut(settings, bad_requests[i].bytes);
	settings.kind = HF_H1_RESPONSE;
	for (i = 0; i < COUNT(bad_responses); i++)
		assert_same_when_cut(settings, bad_responses[i].bytes);
}

/* A file of the fuzzer's corpus; its first byte is the fuzzer's. */
static void check_corpus_file(const char *path)
{
	struct h1_transcript settings = { .limits = limits };
	static char bytes[1 << 16];
	FILE *file = fopen(path, "rb");
	size_t n;

	assert_non_null(file);
	n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (n == 0)
		return;
	settings.kind = bytes[0] & 1 ? HF_H1_RESPONSE : HF_H1_REQUEST;
	settings.no_body = (bytes[0] & 3) == 3;
	assert_same_when_cut(settings, hf_span(bytes + 1, n - 1));
}

static void reads_the_corpus_the_same_in_any_pieces(void **state)
{
	const char *folder = HF_SOURCE_DIR "/tests/fuzz/corpus/h1_reader";
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[4096];
	size_t files = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		check_corpus_file(path);
		files++;
	}
	closedir(dir);
	assert_true(files >= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_hostile_requests_with_status_and_words),
		cmocka_unit_test(refuses_hostile_responses_with_words),
		cmocka_unit_test(reads_the_tables_the_same_in_any_pieces),
		cmocka_unit_test(reads_the_corpus_the_same_in_any_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>

#include "failing_alloc.h"
#include "fuzz/h1_transcript.h"
#include "holdfast/err.h"
#include "http/h1_reader.h"

#define HEAD_MAX   4096
#define FIELDS_MAX 50
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

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

/* ---- hostile and malformed bytes ---- */

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
	struct h1_transcript t = read_as(kind, row->bytes);
	const char *words = hf_h1_reader_error(t.reader);
	int status = hf_h1_reader_error_status(t.reader);
	int err = row->status == 414 || row->status == 431 ? HF_ETOOBIG : HF_EPROTO;

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

/* ---- the reader itself ---- */

struct fixture {
	struct hf_arena arena;
	struct hf_h1_reader *reader;
	unsigned heads, bodies, completes;
	bool pause;
	int fail;
};

static int count_head(void *user, struct hf_message *msg)
{
	struct fixture *f = user;

	(void)msg;
	f->heads++;
	if (f->pause)
		hf_h1_reader_pause(f->reader);
	return f->fail;
}

static int count_body(void *user, struct hf_span data)
{
	struct fixture *f = user;

	(void)data;
	f->bodies++;
	if (f->pause)
		hf_h1_reader_pause(f->reader);
	return 0;
}

static int count_complete(void *user, const struct hf_fields *trailers)
{
	struct fixture *f = user;

	(void)trailers;
	f->completes++;
	return 0;
}

static const struct hf_h1_events counting = {
	.on_head = count_head,
	.on_body = count_body,
	.on_complete = count_complete,
};

static void begin(struct fixture *f, enum hf_h1_kind kind)
{
	*f = (struct fixture){ .heads = 0 };
	hf_arena_init(&f->arena, SIZE_MAX);
	assert_int_equal(hf_h1_reader_create(kind, &limits, &counting, f, &f->reader), 0);
	hf_h1_reader_next(f->reader, &f->arena);
}

static void end(struct fixture *f)
{
	hf_h1_reader_destroy(f->reader);
	hf_arena_finish(&f->arena);
}

static ptrdiff_t feed(struct fixture *f, const char *bytes)
{
	return hf_h1_reader_feed(f->reader, hf_span_str(bytes));
}

static void leaves_the_bytes_behind_an_upgrade(void **state)
{
	static const char head[] = "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n";
	struct fixture f;
	char bytes[128];

	(void)state;
	begin(&f, HF_H1_RESPONSE);
	snprintf(bytes, sizeof(bytes), "%sother", head);
	assert_int_equal(feed(&f, bytes), sizeof(head) - 1);
	assert_int_equal(f.completes, 1);
	end(&f);
}

static void uses_no_bytes_after_the_message(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed(&f, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET"), 27);
	assert_int_equal(feed(&f, "GET"), 0);
	hf_h1_reader_next(f.reader, &f.arena);
	assert_int_equal(feed(&f, "GET"), 3);
	end(&f);
}

static void pauses_behind_the_head_to_the_byte(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
	struct fixture f;
	char bytes[128];

	(void)state;
	begin(&f, HF_H1_REQUEST);
	f.pause = true;
	snprintf(bytes, sizeof(bytes), "%sabc", head);
	assert_int_equal(feed(&f, bytes), sizeof(head) - 1);
	assert_int_equal(f.bodies, 0);
	assert_int_equal(feed(&f, "ab"), 2);
	assert_int_equal(f.bodies, 1);
	assert_int_equal(feed(&f, "c"), 1);
	assert_int_equal(f.completes, 0);
	assert_int_equal(feed(&f, ""), 0);
	assert_int_equal(f.completes, 1);
	end(&f);
}

static void pauses_behind_each_chunk(void **state)
{
	static const char head[] =
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed(&f, head), sizeof(head) - 1);
	f.pause = true;
	assert_int_equal(feed(&f, "1\r\na\r\n1\r\nb\r\n0\r\n\r\n"), 4);
	assert_int_equal(feed(&f, "\r\n1\r\nb\r\n0\r\n\r\n"), 6);
	assert_int_equal(feed(&f, "\r\n0\r\n\r\n"), 7);
	assert_int_equal(f.completes, 1);
	end(&f);
}

static void ends_a_paused_message_at_the_end_of_the_stream(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_RESPONSE);
	f.pause = true;
	assert_int_equal(feed(&f, "HTTP/1.1 204 N\r\n\r\n"), 18);
	assert_int_equal(f.completes, 0);
	assert_int_equal(hf_h1_reader_eof(f.reader), 0);
	assert_int_equal(f.completes, 1);
	end(&f);
}

static void stops_with_the_error_of_an_event(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	f.fail = HF_EPERM;
	assert_int_equal(feed(&f, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HF_EPERM);
	assert_int_equal(feed(&f, "GET"), HF_EPERM);
	assert_int_equal(f.heads, 1);
	end(&f);
}

static void is_idle_until_the_first_byte_of_a_message(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_true(hf_h1_reader_idle(f.reader));
	assert_int_equal(feed(&f, "\r\n"), 2);
	assert_true(hf_h1_reader_idle(f.reader));
	assert_int_equal(feed(&f, "G"), 1);
	assert_false(hf_h1_reader_idle(f.reader));
	end(&f);
}

static void tells_a_clean_end_from_a_cut_message(void **state)
{
	static const char *const cut[] = {
		"\r",
		"G",
		"GET / HTTP/1.1\r\nHost: a\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
	};
	struct fixture f;
	size_t i;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(hf_h1_reader_eof(f.reader), 0);
	end(&f);
	for (i = 0; i < COUNT(cut); i++) {
		begin(&f, HF_H1_REQUEST);
		assert_int_equal(feed(&f, cut[i]), strlen(cut[i]));
		assert_int_equal(hf_h1_reader_eof(f.reader), HF_EEOF);
		end(&f);
	}
}

static ptrdiff_t feed_head_of(struct fixture *f, size_t bytes, size_t fields)
{
	struct hf_buf head;
	ptrdiff_t n;
	size_t i;

	hf_buf_init(&head, SIZE_MAX);
	hf_buf_append_str(&head, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (i = 2; i < fields; i++)
		hf_buf_append_str(&head, "X:\r\n");
	hf_buf_append_str(&head, "Y:");
	while (head.len < bytes - 4)
		hf_buf_append_str(&head, "y");
	hf_buf_append_str(&head, "\r\n\r\n");
	n = hf_h1_reader_feed(f->reader, hf_buf_span(&head));
	hf_buf_finish(&head);
	return n;
}

static void takes_a_head_of_exactly_the_limit(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed_head_of(&f, HEAD_MAX, 2), HEAD_MAX);
	end(&f);
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed_head_of(&f, HEAD_MAX + 1, 2), HF_ETOOBIG);
	assert_int_equal(hf_h1_reader_error_status(f.reader), 431);
	end(&f);
}

static void takes_exactly_as_many_fields_as_the_limit(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed_head_of(&f, 1000, FIELDS_MAX), 1000);
	end(&f);
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed_head_of(&f, 1000, FIELDS_MAX + 1), HF_ETOOBIG);
	assert_string_equal(hf_h1_reader_error(f.reader), "too many fields");
	end(&f);
}

static void takes_a_chunk_of_the_largest_size(void **state)
{
	static const char bytes[] =
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"7fffffffffffffff\r\nabc";
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed(&f, bytes), sizeof(bytes) - 1);
	assert_int_equal(f.bodies, 1);
	end(&f);
}

static void reports_a_full_arena_at_any_size(void **state)
{
	static const char bytes[] =
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"1\r\na\r\n0\r\nX: y\r\n\r\n";
	struct h1_transcript t;
	size_t max, failures = 0;
	int err = HF_ENOMEM;

	(void)state;
	for (max = 1; err; max++) {
		t = (struct h1_transcript){ .limits = limits, .arena_max = max };
		h1_transcript_run(&t, HF_SPAN(bytes));
		err = t.err;
		assert_true(err == 0 || err == HF_ENOMEM);
		failures += err != 0;
		h1_transcript_finish(&t);
	}
	assert_true(failures > 100);
}

/* The arena, the reader and what it keeps of a head that comes in pieces. */
static int read_with_failing_allocation(int n)
{
	static const char bytes[] =
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"1\r\na\r\n0\r\nX: y\r\n\r\n";
	struct fixture f = { .heads = 0 };
	size_t i;
	int err;

	hf_arena_init(&f.arena, SIZE_MAX);
	alloc_countdown = n;
	err = hf_h1_reader_create(HF_H1_REQUEST, &limits, &counting, &f, &f.reader);
	if (!err)
		hf_h1_reader_next(f.reader, &f.arena);
	for (i = 0; i < sizeof(bytes) - 1 && err >= 0; i++)
		err = (int)hf_h1_reader_feed(f.reader, hf_span(bytes + i, 1));
	alloc_countdown = -1;
	if (err >= 0)
		assert_int_equal(f.completes, 1);
	end(&f);
	return err;
}

static void reports_any_failing_allocation(void **state)
{
	int n, err = HF_ENOMEM;

	(void)state;
	for (n = 0; err < 0; n++) {
		err = read_with_failing_allocation(n);
		assert_true(err >= 0 || err == HF_ENOMEM);
	}
	assert_true(n >= 4);
}

static void stays_ended_after_a_complete_message(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_RESPONSE);
	assert_int_equal(feed(&f, "HTTP/1.1 204 N\r\n\r\n"), 18);
	assert_int_equal(hf_h1_reader_eof(f.reader), 0);
	assert_int_equal(f.completes, 1);
	end(&f);
}

static void stays_failed_at_the_end_of_the_stream(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_RESPONSE);
	assert_int_equal(feed(&f, "X"), HF_EPROTO);
	assert_int_equal(hf_h1_reader_eof(f.reader), HF_EPROTO);
	end(&f);
}

static void takes_one_allocation_for_a_head(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed(&f, "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"), 33);
	/* 6 fields of 32 bytes on 64 bit and the 33 bytes, padded */
	assert_true(f.arena.used <= 6 * sizeof(struct hf_field) + 33 + 15);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_hostile_requests_with_status_and_words),
		cmocka_unit_test(refuses_hostile_responses_with_words),
		cmocka_unit_test(reads_the_tables_the_same_in_any_pieces),
		cmocka_unit_test(reads_the_corpus_the_same_in_any_pieces),
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
		cmocka_unit_test(leaves_the_bytes_behind_an_upgrade),
		cmocka_unit_test(uses_no_bytes_after_the_message),
		cmocka_unit_test(pauses_behind_the_head_to_the_byte),
		cmocka_unit_test(pauses_behind_each_chunk),
		cmocka_unit_test(ends_a_paused_message_at_the_end_of_the_stream),
		cmocka_unit_test(stops_with_the_error_of_an_event),
		cmocka_unit_test(is_idle_until_the_first_byte_of_a_message),
		cmocka_unit_test(tells_a_clean_end_from_a_cut_message),
		cmocka_unit_test(takes_a_head_of_exactly_the_limit),
		cmocka_unit_test(takes_exactly_as_many_fields_as_the_limit),
		cmocka_unit_test(takes_a_chunk_of_the_largest_size),
		cmocka_unit_test(reports_a_full_arena_at_any_size),
		cmocka_unit_test(reports_any_failing_allocation),
		cmocka_unit_test(stays_ended_after_a_complete_message),
		cmocka_unit_test(stays_failed_at_the_end_of_the_stream),
		cmocka_unit_test(takes_one_allocation_for_a_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

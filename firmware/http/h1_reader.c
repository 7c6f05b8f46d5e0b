/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How it works: a head is collected up to its empty line, copied into the
 * arena in one piece and read there twice, by the strict parser of this file
 * and by llhttp with all its lenient flags off. Both must accept it and agree
 * on the framing. Chunk lines are collected and given to llhttp in the same
 * way; chunk data and bodies with a length are counted and passed through.
 *
 *            +---------- interim response ---------+
 *            v                                     |
 *   DONE -> HEAD -> (on_head) -+-> LENGTH -----+-> COMPLETE -> (on_complete) -> DONE
 *                              +-> CLOSE ------+
 *                              +-> TRAILERS <--+-- CHUNK_LINE -> CHUNK_DATA -> CHUNK_END
 *                                                      ^                           |
 *                                                      +---------------------------+
 *
 * Everything that is refused is a property of the bytes alone, never of how
 * they were cut into pieces. Events are called from the loop in feed, outside
 * of llhttp, so that a pause takes effect at an exact byte.
 */
#include "http/h1_reader.h"

#include <assert.h>
#include <llhttp.h>
#include <stdlib.h>

#include "base/buf.h"
#include "holdfast/err.h"
#include "http/url.h"

#define CHUNK_LINE_BYTES 18   /* 16 hex digits and CRLF */
#define CHUNK_SPARE_MAX	 4096 /* bytes of chunk lines above that, per message */
#define EMPTY_LINES_MAX	 4    /* before a request (RFC 9112 section 2.2) */
#define INTERIM_MAX	 64   /* 1xx responses before the final one */
#define FIELDS_SPARE	 4    /* room in the field array for what the caller adds */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum state {
	STATE_HEAD,
	STATE_LENGTH,
	STATE_CLOSE,
	STATE_CHUNK_LINE,
	STATE_CHUNK_DATA,
	STATE_CHUNK_END,
	STATE_TRAILERS,
	STATE_COMPLETE,
	STATE_DONE,
	STATE_FAILED,
};

/* What a step of the loop came to; errors are negative. */
enum step {
	STEP_MORE, /* needs more bytes */
	STEP_ON,   /* the state has changed or bytes were used */
};

/* Lines that are being collected: a head, trailers or one chunk line. */
struct section {
	size_t left;	  /* bytes it may still have */
	size_t line_len;  /* of the line being read */
	size_t lines;	  /* complete ones, without the empty last one */
	char first, last; /* of the line being read */
};

struct hf_h1_reader {
	llhttp_t llhttp;
	const struct hf_h1_events *events;
	void *user;
	struct hf_arena *arena;
	struct hf_h1_limits limits;
	uint8_t kind, state;
	bool no_body, paused;
	bool empty_line_cr; /* the CR of an empty line before a request was seen */
	uint8_t empty_lines, interims;
	uint8_t chunk_end; /* how much of the CRLF behind a chunk was seen */
	uint16_t chunk_spare;
	short status; /* of the error */
	int err;
	const char *error;
	uint64_t body_left; /* of the body or the chunk */
	struct section section;
	struct hf_buf partial; /* the section's bytes of earlier feeds */
	struct hf_message msg;
	struct hf_fields trailers;
};

/* ---- errors ---- */

static int fail(struct hf_h1_reader *r, int err, int status, const char *words)
{
	assert(err < 0);
	r->state = STATE_FAILED;
	r->err = err;
	r->status = (short)status;
	r->error = words;
	return err;
}

static int bad(struct hf_h1_reader *r, const char *words)
{
	return fail(r, HF_EPROTO, 400, words);
}

static int no_memory(struct hf_h1_reader *r)
{
	return fail(r, HF_ENOMEM, 500, "out of memory");
}

/* What an event returned. */
static int heed(struct hf_h1_reader *r, int err)
{
	return err < 0 ? fail(r, err, 500, "the receiver stopped") : 0;
}

/* ---- llhttp ---- */

static int pause_llhttp(llhttp_t *p)
{
	(void)p;
	return HPE_PAUSED;
}

static const llhttp_settings_t llhttp_settings = {
	.on_headers_complete = pause_llhttp,
	.on_chunk_header = pause_llhttp,
};

/* True when llhttp takes all of @bytes and stops behind the last one, as the
 * two callbacks above make it. */
static bool llhttp_stops_behind(struct hf_h1_reader *r, struct hf_span bytes)
{
	return llhttp_execute(&r->llhttp, bytes.ptr, bytes.len) == HPE_PAUSED &&
	       llhttp_get_error_pos(&r->llhttp) == bytes.ptr + bytes.len;
}

static int llhttp_refused(struct hf_h1_reader *r)
{
	switch (llhttp_get_errno(&r->llhttp)) {
	case HPE_INVALID_METHOD:
	case HPE_INVALID_CONSTANT:
		return fail(r, HF_EPROTO, 501, "unknown method");
	case HPE_INVALID_URL:
		return bad(r, "malformed request target");
	case HPE_INVALID_VERSION:
		return fail(r, HF_EPROTO, 505, "HTTP version not supported");
	case HPE_UNEXPECTED_CONTENT_LENGTH:
	case HPE_INVALID_CONTENT_LENGTH:
		return bad(r, "malformed Content-Length");
	case HPE_INVALID_TRANSFER_ENCODING:
		return bad(r, "malformed Transfer-Encoding");
	default:
		return bad(r, "malformed head");
	}
}

/* ---- sections: collecting lines ---- */

static void section_begin(struct hf_h1_reader *r, size_t bytes_max)
{
	assert(r->partial.len == 0);
	r->section = (struct section){ .left = bytes_max };
}

static int section_too_big(struct hf_h1_reader *r)
{
	switch ((enum state)r->state) {
	case STATE_CHUNK_LINE:
		return bad(r, "chunk extensions too long");
	case STATE_TRAILERS:
		return fail(r, HF_ETOOBIG, 431, "trailers too large");
	default:
		break;
	}
	if (r->kind == HF_H1_REQUEST && r->section.lines == 0)
		return fail(r, HF_ETOOBIG, 414, "request target too long");
	return fail(r, HF_ETOOBIG, 431, "head too large");
}

/* Start lines are not fields. */
static bool too_many_fields(const struct hf_h1_reader *r)
{
	size_t start_lines = r->state == STATE_HEAD;

	return r->section.lines - start_lines > r->limits.fields_max;
}

/* A line ends with the LF at the end of @piece, its last part. 1 when that
 * ends the section. */
static int end_line(struct hf_h1_reader *r, struct hf_span piece)
{
	struct section *s = &r->section;
	size_t len = s->line_len + piece.len;
	char first = s->line_len ? s->first : piece.ptr[0];
	char before_lf = piece.len > 1 ? piece.ptr[piece.len - 2] : s->last;

	if (len < 2 || before_lf != '\r')
		return bad(r, "line ends with a bare LF");
	s->line_len = 0;
	if (r->state == STATE_CHUNK_LINE || len == 2)
		return 1;
	if (first == ' ' || first == '\t')
		return bad(r, "line begins with white space (folded field)");
	s->lines++;
	if (too_many_fields(r))
		return fail(r, HF_ETOOBIG, 431, "too many fields");
	return 0;
}

/* Looks for the section's end in @data, which is not empty: 1 and its offset in
 * *@end, 0 when all of @data belongs to the section. */
static int section_scan(struct hf_h1_reader *r, struct hf_span data, size_t *end)
{
	struct section *s = &r->section;
	struct hf_span rest = hf_span(data.ptr, data.len < s->left ? data.len : s->left);
	const char *lf;
	int ret;

	s->left -= rest.len;
	while (rest.len > 0 && (lf = memchr(rest.ptr, '\n', rest.len)) != NULL) {
		struct hf_span piece = hf_span(rest.ptr, (size_t)(lf - rest.ptr) + 1);

		rest = hf_span_skip(rest, piece.len);
		ret = end_line(r, piece);
		if (ret < 0)
			return ret;
		if (ret) {
			*end = (size_t)(rest.ptr - data.ptr);
			return 1;
		}
	}
	if (s->left == 0)
		return section_too_big(r);
	if (rest.len > 0) {
		if (s->line_len == 0)
			s->first = rest.ptr[0];
		s->last = rest.ptr[rest.len - 1];
		s->line_len += rest.len;
	}
	return 0;
}

static int section_keep(struct hf_h1_reader *r, struct hf_span bytes)
{
	return hf_buf_append(&r->partial, bytes) ? no_memory(r) : 0;
}

/* Takes bytes from @rest. 1: all of the section is in *@out, which is valid
 * until section_release. 0: more is needed. */
static int section_collect(struct hf_h1_reader *r, struct hf_span *rest, struct hf_span *out)
{
	size_t n = rest->len;
	int done, err;

	if (n == 0)
		return 0;
	done = section_scan(r, *rest, &n);
	if (done < 0)
		return done;
	*out = hf_span(rest->ptr, n);
	if (!done || r->partial.len > 0) {
		err = section_keep(r, *out);
		if (err)
			return err;
		*out = hf_buf_span(&r->partial);
	}
	*rest = hf_span_skip(*rest, n);
	return done;
}

static void section_release(struct hf_h1_reader *r)
{
	hf_buf_clear(&r->partial);
}

/* The next line of a complete section, without its CRLF. */
static struct hf_span next_line(struct hf_span *rest)
{
	struct hf_span line = hf_span_cut(rest, '\n');

	assert(line.len > 0 && line.ptr[line.len - 1] == '\r');
	line.len--;
	return line;
}

/* ---- start lines ---- */

static bool is_visible(struct hf_span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c <= 0x20 || c >= 0x7f)
			return false;
	}
	return s.len > 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.0" or "HTTP/1.1". */
static int parse_version(struct hf_h1_reader *r, struct hf_span text)
{
	const char *p = text.ptr;

	if (text.len != 8 || memcmp(p, "HTTP/", 5) != 0 || !is_digit(p[5]) || p[6] != '.' ||
	    !is_digit(p[7]))
		return bad(r, "malformed HTTP version");
	if (p[5] != '1' || p[7] > '1')
		return fail(r, HF_EPROTO, 505, "HTTP version not supported");
	r->msg.minor = p[7] - '0';
	return 0;
}

static int parse_request_line(struct hf_h1_reader *r, struct hf_span line)
{
	struct hf_message *msg = &r->msg;

	msg->method = hf_span_cut(&line, ' ');
	msg->target = hf_span_cut(&line, ' ');
	if (!hf_is_token(msg->method))
		return bad(r, "malformed method");
	if (!is_visible(msg->target))
		return bad(r, "malformed request target");
	if (!line.ptr)
		return bad(r, "malformed request line");
	return parse_version(r, line);
}

static int parse_status_line(struct hf_h1_reader *r, struct hf_span line)
{
	struct hf_message *msg = &r->msg;
	struct hf_span status;
	uint64_t number;
	int err;

	err = parse_version(r, hf_span_cut(&line, ' '));
	if (err)
		return err;
	status = hf_span_cut(&line, ' ');
	if (status.len != 3 || !hf_span_u64(status, &number) || number < 100)
		return bad(r, "malformed status code");
	if (!hf_is_field_value(line))
		return bad(r, "control byte in the reason phrase");
	msg->status = (int)number;
	msg->reason = line;
	return 0;
}

/* ---- fields ---- */

static int parse_field(struct hf_h1_reader *r, struct hf_span line, struct hf_field *out)
{
	struct hf_span value = line;
	struct hf_span name = hf_span_cut(&value, ':');

	if (!value.ptr)
		return bad(r, "field line without colon");
	if (name.len > 0 && (name.ptr[name.len - 1] == ' ' || name.ptr[name.len - 1] == '\t'))
		return bad(r, "white space before the colon");
	if (!hf_is_token(name))
		return bad(r, "malformed field name");
	if (!hf_is_field_value(value))
		return bad(r, "control byte in a field value");
	out->name = name;
	out->value = hf_span_trim(value);
	return 0;
}

/* @section lies in the arena, behind the room for its fields at @v. */
static int parse_fields(struct hf_h1_reader *r, struct hf_span section, struct hf_fields *fields)
{
	struct hf_span line;
	int err;

	while ((line = next_line(&section)).len > 0) {
		assert(fields->n < fields->cap);
		err = parse_field(r, line, &fields->v[fields->n]);
		if (err)
			return err;
		fields->n++;
	}
	return 0;
}

/* Copies @section into the arena with room for @cap fields before it. */
static int take_section(struct hf_h1_reader *r, struct hf_span *section, struct hf_fields *fields,
			size_t cap)
{
	char *copy;

	hf_fields_init(fields, r->arena);
	fields->v = hf_arena_alloc(r->arena, cap * sizeof(*fields->v) + section->len);
	if (!fields->v)
		return no_memory(r);
	fields->cap = cap;
	copy = (char *)(fields->v + cap);
	memcpy(copy, section->ptr, section->len);
	section->ptr = copy;
	return 0;
}

/* ---- what a request must be ---- */

/* The authority of an absolute-form target, as it stands there. */
static struct hf_span target_authority(struct hf_span target)
{
	const char *start = memchr(target.ptr, ':', target.len);
	struct hf_span rest;
	size_t n = 0;

	if (!start)
		return hf_span(NULL, 0);
	rest = hf_span_skip(target, (size_t)(start - target.ptr) + 3);
	while (n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?')
		n++;
	return hf_span(rest.ptr, n);
}

static bool is_http_url(struct hf_span target)
{
	struct hf_url url;

	return hf_url_parse(target, &url) == 0 &&
	       (hf_span_eq_str(url.scheme, "http") || hf_span_eq_str(url.scheme, "https"));
}

static int check_target(struct hf_h1_reader *r)
{
	const struct hf_message *msg = &r->msg;

	if (hf_span_eq_str(msg->method, "CONNECT"))
		return fail(r, HF_EPROTO, 501, "CONNECT is not supported");
	if (memchr(msg->target.ptr, '#', msg->target.len))
		return bad(r, "fragment in the request target");
	if (msg->target.ptr[0] == '/')
		return 0;
	if (hf_span_eq_str(msg->target, "*"))
		return hf_span_eq_str(msg->method, "OPTIONS") ?
			       0 :
			       bad(r, "target * is for OPTIONS only");
	return is_http_url(msg->target) ? 0 : bad(r, "malformed request target");
}

static struct hf_field *find_field(struct hf_fields *fields, const char *name)
{
	size_t i;

	for (i = 0; i < fields->n; i++)
		if (hf_span_ieq_str(fields->v[i].name, name))
			return &fields->v[i];
	return NULL;
}

static int check_host(struct hf_h1_reader *r)
{
	size_t hosts = hf_fields_count(&r->msg.fields, "Host");
	struct hf_field *field = find_field(&r->msg.fields, "Host");
	struct hf_span host;
	uint16_t port;

	if (hosts > 1)
		return bad(r, "more than one Host");
	if (hosts == 0)
		return r->msg.minor == 0 ? 0 : bad(r, "no Host");
	if (hf_host_parse(field->value, &host, &port))
		return bad(r, "malformed Host");
	if (r->msg.target.ptr[0] != '/' && r->msg.target.len > 1)
		field->value = target_authority(r->msg.target);
	return 0;
}

/* ---- framing (RFC 9112 section 6.3) ---- */

/* The last coding of the list is chunked, but it is not alone. */
static bool ends_in_chunked(struct hf_span codings)
{
	struct hf_span member, last = { NULL, 0 };

	while (hf_list_next(&codings, &member))
		last = member;
	return hf_span_ieq_str(last, "chunked");
}

static int check_transfer_encoding(struct hf_h1_reader *r, struct hf_span value)
{
	if (r->msg.minor == 0)
		return bad(r, "Transfer-Encoding in HTTP/1.0");
	if (hf_fields_count(&r->msg.fields, "Content-Length") > 0)
		return bad(r, "Content-Length and Transfer-Encoding together");
	if (hf_fields_count(&r->msg.fields, "Transfer-Encoding") > 1)
		return bad(r, "more than one Transfer-Encoding");
	if (hf_span_ieq_str(value, "chunked"))
		return 0;
	if (hf_is_token(value) || ends_in_chunked(value))
		return fail(r, HF_EPROTO, 501, "transfer coding is not supported");
	return bad(r, "malformed Transfer-Encoding");
}

static int check_content_length(struct hf_h1_reader *r, struct hf_span value)
{
	if (hf_fields_count(&r->msg.fields, "Content-Length") > 1)
		return bad(r, "more than one Content-Length");
	if (!hf_span_u64(value, &r->msg.body_len) || r->msg.body_len == HF_LEN_UNKNOWN)
		return bad(r, "malformed Content-Length");
	return 0;
}

/* Sets body and body_len from the fields alone. */
static int frame_by_fields(struct hf_h1_reader *r)
{
	struct hf_message *msg = &r->msg;
	const struct hf_span *coding = hf_fields_get(&msg->fields, "Transfer-Encoding");
	const struct hf_span *length = hf_fields_get(&msg->fields, "Content-Length");

	if (coding) {
		msg->body = HF_BODY_CHUNKED;
		msg->body_len = HF_LEN_UNKNOWN;
		return check_transfer_encoding(r, *coding);
	}
	if (length) {
		msg->body = HF_BODY_LENGTH;
		return check_content_length(r, *length);
	}
	if (r->kind == HF_H1_RESPONSE) {
		msg->body = HF_BODY_CLOSE;
		msg->body_len = HF_LEN_UNKNOWN;
	}
	return 0;
}

static bool is_interim(const struct hf_message *msg)
{
	return msg->status >= 100 && msg->status < 200 && msg->status != 101;
}

/* True when the fields promise a body that the status does not allow. */
static bool has_stray_body(const struct hf_message *msg)
{
	return msg->body == HF_BODY_CHUNKED || (msg->body == HF_BODY_LENGTH && msg->body_len > 0);
}

/* Responses that never have a body, whatever the fields say. */
static int frame_by_status(struct hf_h1_reader *r)
{
	struct hf_message *msg = &r->msg;
	bool bodiless = msg->status < 200 || msg->status == 204;

	if (bodiless && has_stray_body(msg)) {
		if (msg->status < 200)
			return bad(r, "interim response with a body");
		msg->keep_alive = false; /* it may be sent all the same */
	}
	if (bodiless || msg->status == 304 || r->no_body) {
		msg->body = HF_BODY_NONE;
		msg->body_len = 0;
	}
	return 0;
}

static bool wants_keep_alive(const struct hf_message *msg)
{
	if (hf_fields_has_token(&msg->fields, "Connection", "close"))
		return false;
	return msg->minor > 0 || hf_fields_has_token(&msg->fields, "Connection", "keep-alive");
}

static int frame(struct hf_h1_reader *r)
{
	struct hf_message *msg = &r->msg;
	int err;

	msg->keep_alive = wants_keep_alive(msg);
	err = frame_by_fields(r);
	if (!err && r->kind == HF_H1_RESPONSE)
		err = frame_by_status(r);
	if (err)
		return err;
	if (msg->body == HF_BODY_CLOSE)
		msg->keep_alive = false;
	return 0;
}

static void read_request_wishes(struct hf_message *msg)
{
	const struct hf_span *expect = hf_fields_get(&msg->fields, "Expect");

	if (msg->minor == 0) /* RFC 9110 sections 7.8 and 10.1.1 */
		return;
	msg->expect_continue = expect && hf_span_ieq_str(*expect, "100-continue");
	msg->upgrade = hf_fields_get(&msg->fields, "Upgrade") &&
		       hf_fields_has_token(&msg->fields, "Connection", "upgrade");
}

/* ---- the head ---- */

static int check_with_llhttp(struct hf_h1_reader *r, struct hf_span head)
{
	const struct hf_message *msg = &r->msg;

	llhttp_reset(&r->llhttp);
	if (!llhttp_stops_behind(r, head))
		return llhttp_refused(r);
	if (((r->llhttp.flags & F_CHUNKED) != 0) != (msg->body == HF_BODY_CHUNKED) &&
	    msg->body != HF_BODY_NONE)
		return bad(r, "ambiguous framing");
	if (msg->body == HF_BODY_LENGTH && r->llhttp.content_length != msg->body_len)
		return bad(r, "ambiguous framing");
	return 0;
}

static int parse_head(struct hf_h1_reader *r, struct hf_span head)
{
	struct hf_span rest;
	int err;

	r->msg = (struct hf_message){ .body = HF_BODY_NONE };
	err = take_section(r, &head, &r->msg.fields, r->section.lines - 1 + FIELDS_SPARE);
	if (err)
		return err;
	rest = head;
	if (r->kind == HF_H1_REQUEST)
		err = parse_request_line(r, next_line(&rest));
	else
		err = parse_status_line(r, next_line(&rest));
	if (!err)
		err = parse_fields(r, rest, &r->msg.fields);
	if (!err && r->kind == HF_H1_REQUEST)
		err = check_target(r);
	if (!err && r->kind == HF_H1_REQUEST)
		err = check_host(r);
	if (!err)
		err = frame(r);
	if (!err)
		err = check_with_llhttp(r, head);
	if (err)
		return err;
	if (r->kind == HF_H1_REQUEST)
		read_request_wishes(&r->msg);
	else
		r->msg.upgrade = r->msg.status == 101;
	return 0;
}

static void begin_head(struct hf_h1_reader *r)
{
	r->state = STATE_HEAD;
	r->empty_line_cr = false;
	r->empty_lines = 0;
	section_begin(r, r->limits.head_bytes_max);
}

static void begin_chunk_line(struct hf_h1_reader *r)
{
	r->state = STATE_CHUNK_LINE;
	section_begin(r, CHUNK_LINE_BYTES + (size_t)r->chunk_spare);
}

static void begin_body(struct hf_h1_reader *r)
{
	switch (r->msg.body) {
	case HF_BODY_NONE:
		r->state = STATE_COMPLETE;
		break;
	case HF_BODY_LENGTH:
		r->body_left = r->msg.body_len;
		r->state = r->body_left > 0 ? STATE_LENGTH : STATE_COMPLETE;
		break;
	case HF_BODY_CHUNKED:
		r->chunk_spare = CHUNK_SPARE_MAX;
		begin_chunk_line(r);
		break;
	case HF_BODY_CLOSE:
		r->state = STATE_CLOSE;
		break;
	}
}

/* The empty lines that may stand before a request. 1: they are over. */
static int skip_empty_lines(struct hf_h1_reader *r, struct hf_span *rest)
{
	for (; rest->len > 0; *rest = hf_span_skip(*rest, 1)) {
		char c = rest->ptr[0];

		if (r->empty_line_cr && c != '\n')
			return bad(r, "bare CR");
		if (!r->empty_line_cr && c == '\n')
			return bad(r, "line ends with a bare LF");
		if (c != '\r' && c != '\n')
			return 1;
		r->empty_line_cr = c == '\r';
		if (c == '\n' && ++r->empty_lines > EMPTY_LINES_MAX)
			return bad(r, "too many empty lines before the request");
	}
	return 0;
}

static bool head_begun(const struct hf_h1_reader *r)
{
	return r->partial.len > 0;
}

/* The first byte tells what does not speak HTTP, such as a TLS greeting. */
static int check_first_byte(struct hf_h1_reader *r, struct hf_span first)
{
	if (r->kind == HF_H1_REQUEST)
		return hf_is_token(first) ? 0 : bad(r, "malformed method");
	return first.ptr[0] == 'H' ? 0 : bad(r, "malformed HTTP version");
}

static int step_head(struct hf_h1_reader *r, struct hf_span *rest)
{
	struct hf_span head;
	int ret;

	if (!head_begun(r)) {
		ret = r->kind == HF_H1_REQUEST ? skip_empty_lines(r, rest) : rest->len > 0;
		if (ret <= 0)
			return ret;
		ret = check_first_byte(r, hf_span(rest->ptr, 1));
		if (ret)
			return ret;
	}
	ret = section_collect(r, rest, &head);
	if (ret <= 0)
		return ret;
	ret = parse_head(r, head);
	section_release(r);
	if (ret)
		return ret;
	if (is_interim(&r->msg)) {
		if (++r->interims > INTERIM_MAX)
			return bad(r, "too many interim responses");
		begin_head(r);
	} else {
		begin_body(r);
	}
	ret = heed(r, r->events->on_head(r->user, &r->msg));
	return ret ? ret : STEP_ON;
}

/* ---- bodies ---- */

/* Hands over what @rest holds of the @limit bytes, at least one. */
static struct hf_span take_body(struct hf_span *rest, uint64_t limit)
{
	struct hf_span piece = *rest;

	if (piece.len > limit)
		piece.len = (size_t)limit;
	*rest = hf_span_skip(*rest, piece.len);
	return piece;
}

static int give_body(struct hf_h1_reader *r, struct hf_span piece)
{
	int err = heed(r, r->events->on_body(r->user, piece));

	return err ? err : STEP_ON;
}

static int step_length(struct hf_h1_reader *r, struct hf_span *rest)
{
	struct hf_span piece;

	if (rest->len == 0)
		return STEP_MORE;
	piece = take_body(rest, r->body_left);
	r->body_left -= piece.len;
	if (r->body_left == 0)
		r->state = STATE_COMPLETE;
	return give_body(r, piece);
}

static int step_close(struct hf_h1_reader *r, struct hf_span *rest)
{
	if (rest->len == 0)
		return STEP_MORE;
	return give_body(r, take_body(rest, UINT64_MAX));
}

static int parse_chunk_line(struct hf_h1_reader *r, struct hf_span line)
{
	size_t spare = line.len > CHUNK_LINE_BYTES ? line.len - CHUNK_LINE_BYTES : 0;

	assert(spare <= r->chunk_spare);
	r->chunk_spare = (uint16_t)(r->chunk_spare - spare);
	llhttp_resume(&r->llhttp);
	if (!llhttp_stops_behind(r, line))
		return bad(r, llhttp_get_errno(&r->llhttp) == HPE_INVALID_CHUNK_SIZE ?
				      "malformed chunk size" :
				      "malformed chunk line");
	llhttp_resume(&r->llhttp);
	r->body_left = r->llhttp.content_length;
	return 0;
}

static int step_chunk_line(struct hf_h1_reader *r, struct hf_span *rest)
{
	struct hf_span line;
	int ret;

	ret = section_collect(r, rest, &line);
	if (ret <= 0)
		return ret;
	ret = parse_chunk_line(r, line);
	section_release(r);
	if (ret)
		return ret;
	if (r->body_left > 0) {
		r->state = STATE_CHUNK_DATA;
	} else {
		r->state = STATE_TRAILERS;
		section_begin(r, r->limits.head_bytes_max);
	}
	return STEP_ON;
}

static int step_chunk_data(struct hf_h1_reader *r, struct hf_span *rest)
{
	struct hf_span piece;

	if (rest->len == 0)
		return STEP_MORE;
	piece = take_body(rest, r->body_left);
	if (llhttp_execute(&r->llhttp, piece.ptr, piece.len) != HPE_OK)
		return bad(r, "malformed chunk");
	r->body_left -= piece.len;
	if (r->body_left == 0) {
		r->state = STATE_CHUNK_END;
		r->chunk_end = 0;
	}
	return give_body(r, piece);
}

static int step_chunk_end(struct hf_h1_reader *r, struct hf_span *rest)
{
	static const char crlf[] = "\r\n";

	while (r->chunk_end < 2) {
		if (rest->len == 0)
			return STEP_MORE;
		if (rest->ptr[0] != crlf[r->chunk_end])
			return bad(r, "chunk is longer than its size");
		r->chunk_end++;
		*rest = hf_span_skip(*rest, 1);
	}
	if (llhttp_execute(&r->llhttp, crlf, 2) != HPE_OK)
		return bad(r, "malformed chunk");
	begin_chunk_line(r);
	return STEP_ON;
}

/* Not in trailers: what frames, routes, authenticates or describes the content
 * (RFC 9110 section 6.5.1). */
static bool may_be_trailer(struct hf_span name)
{
	static const char *const not [] = {
		"Age",
		"Authorization",
		"Cache-Control",
		"Connection",
		"Content-Encoding",
		"Content-Length",
		"Content-Range",
		"Content-Type",
		"Cookie",
		"Expect",
		"Host",
		"Idempotency-Key",
		"Keep-Alive",
		"Location",
		"Max-Forwards",
		"Pragma",
		"Proxy-Authenticate",
		"Proxy-Authorization",
		"Proxy-Connection",
		"Range",
		"Set-Cookie",
		"TE",
		"Trailer",
		"Transfer-Encoding",
		"Upgrade",
		"WWW-Authenticate",
	};
	size_t i;

	for (i = 0; i < COUNT(not ); i++)
		if (hf_span_ieq_str(name, not [i]))
			return false;
	return true;
}

static void drop_forbidden(struct hf_fields *f)
{
	size_t i, kept = 0;

	for (i = 0; i < f->n; i++)
		if (may_be_trailer(f->v[i].name))
			f->v[kept++] = f->v[i];
	f->n = kept;
}

static int parse_trailers(struct hf_h1_reader *r, struct hf_span section)
{
	int err;

	if (r->section.lines == 0)
		return 0;
	err = take_section(r, &section, &r->trailers, r->section.lines);
	if (!err)
		err = parse_fields(r, section, &r->trailers);
	if (!err)
		drop_forbidden(&r->trailers);
	return err;
}

static int step_trailers(struct hf_h1_reader *r, struct hf_span *rest)
{
	struct hf_span section;
	int ret;

	ret = section_collect(r, rest, &section);
	if (ret <= 0)
		return ret;
	ret = parse_trailers(r, section);
	section_release(r);
	if (ret)
		return ret;
	r->state = STATE_COMPLETE;
	return STEP_ON;
}

static int complete(struct hf_h1_reader *r)
{
	r->state = STATE_DONE;
	return heed(r, r->events->on_complete(r->user, &r->trailers));
}

static int step(struct hf_h1_reader *r, struct hf_span *rest)
{
	switch ((enum state)r->state) {
	case STATE_HEAD:
		return step_head(r, rest);
	case STATE_LENGTH:
		return step_length(r, rest);
	case STATE_CLOSE:
		return step_close(r, rest);
	case STATE_CHUNK_LINE:
		return step_chunk_line(r, rest);
	case STATE_CHUNK_DATA:
		return step_chunk_data(r, rest);
	case STATE_CHUNK_END:
		return step_chunk_end(r, rest);
	case STATE_TRAILERS:
		return step_trailers(r, rest);
	case STATE_COMPLETE:
		r->paused = true; /* also when the event calls hf_h1_reader_next */
		return complete(r);
	case STATE_DONE:
		return STEP_MORE;
	case STATE_FAILED:
		return r->err;
	}
	return HF_ESTATE;
}

/* ---- public ---- */

int hf_h1_reader_create(enum hf_h1_kind kind, const struct hf_h1_limits *limits,
			const struct hf_h1_events *events, void *user, struct hf_h1_reader **out)
{
	struct hf_h1_reader *r;

	assert(events->on_head && events->on_body && events->on_complete);
	r = calloc(1, sizeof(*r));
	if (!r)
		return HF_ENOMEM;
	r->kind = (uint8_t)kind;
	r->limits = *limits;
	r->events = events;
	r->user = user;
	r->state = STATE_DONE;
	r->error = "";
	hf_buf_init(&r->partial, SIZE_MAX); /* sections have their own limits */
	llhttp_init(&r->llhttp, kind == HF_H1_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE,
		    &llhttp_settings);
	*out = r;
	return 0;
}

void hf_h1_reader_destroy(struct hf_h1_reader *r)
{
	if (!r)
		return;
	hf_buf_finish(&r->partial);
	free(r);
}

void hf_h1_reader_next(struct hf_h1_reader *r, struct hf_arena *arena)
{
	assert(r->state == STATE_DONE || hf_h1_reader_idle(r));
	r->arena = arena;
	r->no_body = false;
	r->interims = 0;
	r->msg = (struct hf_message){ .body = HF_BODY_NONE };
	hf_fields_init(&r->trailers, arena);
	begin_head(r);
}

void hf_h1_reader_no_body(struct hf_h1_reader *r)
{
	assert(r->kind == HF_H1_RESPONSE && hf_h1_reader_idle(r));
	r->no_body = true;
}

ptrdiff_t hf_h1_reader_feed(struct hf_h1_reader *r, struct hf_span data)
{
	struct hf_span rest = data;
	int ret = STEP_ON;

	r->paused = false;
	while (ret == STEP_ON && !r->paused)
		ret = step(r, &rest);
	return ret < 0 ? ret : (ptrdiff_t)(data.len - rest.len);
}

void hf_h1_reader_pause(struct hf_h1_reader *r)
{
	r->paused = true;
}

int hf_h1_reader_eof(struct hf_h1_reader *r)
{
	switch ((enum state)r->state) {
	case STATE_DONE:
		return 0;
	case STATE_FAILED:
		return r->err;
	case STATE_CLOSE:
	case STATE_COMPLETE: /* held up by a pause */
		return complete(r);
	case STATE_HEAD:
		if (hf_h1_reader_idle(r))
			return 0;
		break;
	case STATE_LENGTH:
	case STATE_CHUNK_LINE:
	case STATE_CHUNK_DATA:
	case STATE_CHUNK_END:
	case STATE_TRAILERS:
		break;
	}
	return fail(r, HF_EEOF, 400, "the stream ends inside a message");
}

const char *hf_h1_reader_error(const struct hf_h1_reader *r)
{
	return r->error;
}

int hf_h1_reader_error_status(const struct hf_h1_reader *r)
{
	return r->status ? r->status : 400;
}

bool hf_h1_reader_idle(const struct hf_h1_reader *r)
{
	return r->state == STATE_DONE ||
	       (r->state == STATE_HEAD && !head_begun(r) && !r->empty_line_cr && r->interims == 0);
}

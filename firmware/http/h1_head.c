/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A complete head: copied into the arena in one piece, its start line and
 * fields taken apart, what a request must be, and what llhttp says.
 */
#include "http/h1_private.h"

#include "holdfast/err.h"
#include "http/url.h"

#define FIELDS_SPARE 4 /* room in the field array for what the caller adds */

/* ---- start lines ---- */

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
		return hf_h1_bad(r, "malformed HTTP version");
	if (p[5] != '1' || p[7] > '1')
		return hf_h1_fail(r, HF_EPROTO, 505, "HTTP version not supported");
	r->msg.minor = p[7] - '0';
	return 0;
}

static int parse_request_line(struct hf_h1_reader *r, struct hf_span line)
{
	struct hf_message *msg = &r->msg;

	msg->method = hf_span_cut(&line, ' ');
	msg->target = hf_span_cut(&line, ' ');
	if (!hf_is_token(msg->method))
		return hf_h1_bad(r, "malformed method");
	if (!hf_is_visible(msg->target))
		return hf_h1_bad(r, "malformed request target");
	if (!line.ptr)
		return hf_h1_bad(r, "malformed request line");
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
		return hf_h1_bad(r, "malformed status code");
	if (!hf_is_field_value(line))
		return hf_h1_bad(r, "control byte in the reason phrase");
	msg->status = (int)number;
	msg->reason = line;
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
		return hf_h1_fail(r, HF_EPROTO, 501, "CONNECT is not supported");
	if (memchr(msg->target.ptr, '#', msg->target.len))
		return hf_h1_bad(r, "fragment in the request target");
	if (msg->target.ptr[0] == '/')
		return 0;
	if (hf_span_eq_str(msg->target, "*"))
		return hf_span_eq_str(msg->method, "OPTIONS") ?
			       0 :
			       hf_h1_bad(r, "target * is for OPTIONS only");
	return is_http_url(msg->target) ? 0 : hf_h1_bad(r, "malformed request target");
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
		return hf_h1_bad(r, "more than one Host");
	if (hosts == 0)
		return r->msg.minor == 0 ? 0 : hf_h1_bad(r, "no Host");
	if (hf_host_parse(field->value, &host, &port))
		return hf_h1_bad(r, "malformed Host");
	if (r->msg.target.ptr[0] != '/' && r->msg.target.len > 1)
		field->value = target_authority(r->msg.target);
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

/* ---- all of it ---- */

int hf_h1_head_parse(struct hf_h1_reader *r, struct hf_span head)
{
	struct hf_span rest;
	int err;

	r->msg = (struct hf_message){ .body = HF_BODY_NONE };
	err = hf_h1_fields_take(r, &head, &r->msg.fields, r->section.lines - 1 + FIELDS_SPARE);
	if (err)
		return err;
	rest = head;
	if (r->kind == HF_H1_REQUEST)
		err = parse_request_line(r, hf_h1_next_line(&rest));
	else
		err = parse_status_line(r, hf_h1_next_line(&rest));
	if (!err)
		err = hf_h1_fields_parse(r, rest, &r->msg.fields);
	if (!err && r->kind == HF_H1_REQUEST)
		err = check_target(r);
	if (!err && r->kind == HF_H1_REQUEST)
		err = check_host(r);
	if (!err)
		err = hf_h1_frame(r);
	if (!err)
		err = hf_h1_llhttp_agrees(r, head);
	if (err)
		return err;
	if (r->kind == HF_H1_REQUEST)
		read_request_wishes(&r->msg);
	else
		r->msg.upgrade = r->msg.status == 101;
	return 0;
}

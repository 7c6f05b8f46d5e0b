/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type is always "about:blank" (RFC 9457 section 4.2.1): the title is the
 * status' own phrase, the detail says what happened here, and a program looks
 * at the status and at Proxy-Status.
 */
#include "fetch/problem.h"

#include "fetch/problem_page.h"
#include "holdfast/err.h"
#include "http/values.h"

const struct hf_problem hf_problem_answer_damaged = {
	.status = 410,
	.detail = "The request has its answer, but what was stored of it is damaged.",
	.state = "settled",
	.reason = "damaged",
};

static int json_body(const struct hf_problem *p, struct hf_buf *out)
{
	const char *title = hf_status_reason(p->status);
	const char *reason = p->reason ? p->reason : p->error;
	int err;

	err = hf_buf_append_str(out, "{\"type\":\"about:blank\",\"title\":");
	if (!err)
		err = hf_json_append_string(out, hf_span_str(*title ? title : "Error"));
	if (!err)
		err = hf_buf_appendf(out, ",\"status\":%d", p->status);
	if (!err && p->detail) {
		err = hf_buf_append_str(out, ",\"detail\":");
		if (!err)
			err = hf_json_append_string(out, hf_span_str(p->detail));
	}
	if (!err && reason)
		err = hf_buf_appendf(out, ",\"reason\":\"%s\"", reason);
	if (!err)
		err = hf_buf_append_str(out, "}\n");
	return err;
}

int hf_problem_body(const struct hf_problem *p, struct hf_buf *out)
{
	return p->page ? hf_problem_page_body(p, out) : json_body(p, out);
}

/* A structured-field string may hold printable ASCII only; '"' and '\' are
 * escaped (RFC 8941 section 3.3.3). */
static int append_sf_string(struct hf_buf *out, const char *text)
{
	int err = hf_buf_append_str(out, "\"");

	for (; !err && *text; text++) {
		char c[2] = { '\\', *text };

		if (*text == '"' || *text == '\\')
			err = hf_buf_append(out, hf_span(c, 2));
		else if (*text < 0x20 || *text > 0x7e)
			err = hf_buf_append_str(out, "?");
		else
			err = hf_buf_append(out, hf_span(c + 1, 1));
	}
	return err ? err : hf_buf_append_str(out, "\"");
}

static int proxy_status(const struct hf_problem *p, struct hf_arena *arena, struct hf_span *value)
{
	struct hf_buf b;
	int err;

	hf_buf_init(&b, 1024);
	err = hf_buf_appendf(&b, "holdfast; error=%s", p->error);
	if (!err && p->detail) {
		err = hf_buf_append_str(&b, "; details=");
		if (!err)
			err = append_sf_string(&b, p->detail);
	}
	if (!err) {
		*value = hf_arena_copy(arena, hf_buf_span(&b));
		if (!value->ptr)
			err = HF_ENOMEM;
	}
	hf_buf_finish(&b);
	return err;
}

int hf_problem_fields(const struct hf_problem *p, struct hf_fields *fields)
{
	struct hf_span value, state = hf_span_str(p->state ? p->state : "refused");
	int err;

	err = p->page ? hf_problem_page_fields(p, fields) :
			hf_fields_add(fields, HF_SPAN("Content-Type"),
				      HF_SPAN("application/problem+json"));
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Cache-Control"), HF_SPAN("no-store"));
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Holdfast-State"), state);
	if (!err && p->error) {
		err = proxy_status(p, fields->arena, &value);
		if (!err)
			err = hf_fields_add(fields, HF_SPAN("Proxy-Status"), value);
	}
	if (!err && p->retry_after_s) {
		value = hf_arena_printf(fields->arena, "%u", (unsigned)p->retry_after_s);
		err = value.ptr ? hf_fields_add(fields, HF_SPAN("Retry-After"), value) : HF_ENOMEM;
	}
	if (!err && p->allow) {
		value = hf_arena_copy(fields->arena, hf_span_str(p->allow));
		err = value.ptr ? hf_fields_add(fields, HF_SPAN("Allow"), value) : HF_ENOMEM;
	}
	return err;
}

struct end_words {
	int status;
	const char *error;
	const char *words; /* after "Origin NAME (authority) " */
};

static struct end_words words_of_connect(int err)
{
	switch (err) {
	case HF_ECONNREFUSED:
		return (struct end_words){ 502, "connection_refused", "refuses connections" };
	case HF_EUNREACH:
		return (struct end_words){ 502, "destination_ip_unroutable",
					   "cannot be reached over the network" };
	case HF_ETIMEDOUT:
		return (struct end_words){ 504, "connection_timeout",
					   "did not accept a connection in time" };
	default:
		return (struct end_words){ 502, "destination_unavailable", "cannot be reached" };
	}
}

static struct end_words words_of_end(const struct hf_exchange_result *r)
{
	switch (r->end) {
	case HF_END_DNS:
		return (struct end_words){ 502, "dns_error", "was not found by name" };
	case HF_END_CONNECT:
		return words_of_connect(r->err);
	case HF_END_TLS:
		return (struct end_words){ 502, "tls_protocol_error",
					   "did not complete the TLS handshake" };
	case HF_END_TLS_CERT:
		return (struct end_words){ 502, "tls_certificate_error",
					   "shows a certificate that is not accepted" };
	case HF_END_TLS_TIME:
		return (struct end_words){ 502, "tls_certificate_error",
					   "shows a certificate that is not valid at this "
					   "device's time" };
	case HF_END_LIMIT:
		return (struct end_words){ 503, "connection_limit_reached",
					   "is busy: no connection to it became free in time" };
	case HF_END_RESET:
		return (struct end_words){ 502, "connection_terminated",
					   "closed the connection before it answered" };
	case HF_END_TIMEOUT:
		return (struct end_words){ 504, "http_response_timeout", "did not answer in time" };
	case HF_END_MALFORMED:
		return (struct end_words){ 502, "http_protocol_error",
					   "sent an answer that is not valid HTTP" };
	case HF_END_TRUNCATED:
		return (struct end_words){ 502, "http_response_incomplete",
					   "cut its answer short" };
	case HF_END_COMPLETE:
	case HF_END_UPGRADED:
	case HF_END_INTERNAL:
		break;
	}
	return (struct end_words){ 503, "proxy_internal_error",
				   "could not be asked: Holdfast is short of resources" };
}

void hf_problem_of_end(const struct hf_exchange_result *result, const char *origin,
		       struct hf_span authority, struct hf_arena *arena, struct hf_problem *out)
{
	struct end_words w = words_of_end(result);
	const char *why = result->detail;
	struct hf_span detail;

	detail = hf_arena_printf(arena, "Origin \"%s\" (%.*s) %s%s%s%s.", origin,
				 HF_SPAN_ARG(authority), w.words, why && *why ? " (" : "",
				 why ? why : "", why && *why ? ")" : "");
	*out = (struct hf_problem){
		.status = w.status,
		.error = w.error,
		.detail = detail.ptr ? detail.ptr : w.words,
		.retry_after_s = w.status == 503 ? 5 : 0,
	};
}

void hf_problem_of_queue(int err, struct hf_problem *out)
{
	switch (err) {
	case HF_EFULL:
		*out = (struct hf_problem){
			.status = 507,
			.error = "proxy_internal_response",
			.detail = "The device's store is full; the request was not accepted.",
		};
		return;
	case HF_ELIMIT:
		*out = (struct hf_problem){
			.status = 503,
			.error = "proxy_internal_response",
			.detail = "The lane holds as many requests as it may; the request was "
				  "not accepted.",
			.retry_after_s = 30,
		};
		return;
	case HF_EINVAL:
		*out = (struct hf_problem){
			.status = 400,
			.error = "http_request_error",
			.detail = "The idempotency key is repeated or malformed.",
		};
		return;
	case HF_EPERM:
		*out = (struct hf_problem){
			.status = 503,
			.error = "proxy_configuration_error",
			.detail = "The device cannot tell for whom the request is; it was not "
				  "accepted.",
			.retry_after_s = 30,
		};
		return;
	case HF_ETOOBIG:
		*out = (struct hf_problem){
			.status = 413,
			.error = "http_request_error",
			.detail = "The body is larger than a queued request may have.",
		};
		return;
	default:
		*out = (struct hf_problem){
			.status = 503,
			.error = "proxy_internal_error",
			.detail = "The device's store does not take requests now; the request "
				  "was not accepted.",
			.retry_after_s = 5,
		};
		return;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/problem_page.h"

#define AGAIN_S "5"

static const char head[] = "<!doctype html>\n"
			   "<html lang=\"en\">\n"
			   "<meta charset=\"utf-8\">\n"
			   "<meta name=\"viewport\" content=\"width=device-width\">\n"
			   "<title>";
static const char style[] =
	"</title>\n"
	"<style>\n"
	":root { color-scheme: light dark; font: 1.25rem/1.5 system-ui, sans-serif }\n"
	"body { max-width: 32em; margin: 20vh auto 0; padding: 0 1em; overflow-wrap: anywhere }\n"
	"h1 { font-size: 1.6em; font-weight: 600 }\n"
	"small { opacity: .7 }\n"
	"</style>\n"
	"<h1>";

/* The gateway's own statuses: the origin is away or the device is short of something. */
static bool may_pass(const struct hf_problem *p)
{
	return p->status >= 502 && p->status <= 504;
}

bool hf_problem_page_fits(const struct hf_message *request)
{
	const struct hf_span *mode = hf_fields_get(&request->fields, "sec-fetch-mode");

	if (!hf_span_eq(request->method, HF_SPAN("GET")))
		return false;
	if (mode)
		return hf_span_eq(*mode, HF_SPAN("navigate"));
	return hf_fields_has_token(&request->fields, "accept", "text/html");
}

static int append_text(struct hf_buf *out, const char *text)
{
	int err = 0;

	for (; !err && *text; text++) {
		if (*text == '<')
			err = hf_buf_append_str(out, "&lt;");
		else if (*text == '&')
			err = hf_buf_append_str(out, "&amp;");
		else
			err = hf_buf_append(out, hf_span(text, 1));
	}
	return err;
}

int hf_problem_page_body(const struct hf_problem *p, struct hf_buf *out)
{
	const char *title = may_pass(p) ? "This page is not here yet" : "This page cannot be shown";
	int err = hf_buf_append_str(out, head);

	if (!err)
		err = hf_buf_append_str(out, title);
	if (!err)
		err = hf_buf_append_str(out, style);
	if (!err)
		err = hf_buf_appendf(out, "%s</h1>\n", title);
	if (!err && may_pass(p))
		err = hf_buf_append_str(out, "<p>It will appear by itself. It is asked for again "
					     "every " AGAIN_S " seconds.</p>\n");
	if (!err)
		err = hf_buf_appendf(out, "<p><small>%d %s. ", p->status,
				     hf_status_reason(p->status));
	if (!err && p->detail)
		err = append_text(out, p->detail);
	return err ? err : hf_buf_append_str(out, "</small></p>\n");
}

int hf_problem_page_fields(const struct hf_problem *p, struct hf_fields *fields)
{
	int err =
		hf_fields_add(fields, HF_SPAN("Content-Type"), HF_SPAN("text/html; charset=utf-8"));

	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Content-Security-Policy"),
				    HF_SPAN("default-src 'none'; style-src 'unsafe-inline'"));
	if (!err && may_pass(p))
		err = hf_fields_add(fields, HF_SPAN("Refresh"), HF_SPAN(AGAIN_S));
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coap get, put, post, delete, fetch, patch, observe: the daemon asks a CoAP origin over its own
 * transport. The payload goes to stdout, the code to stderr.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "cli/client.h"
#include "cli/coap_answer.h"
#include "cli/commands.h"
#include "cli/event_json.h"
#include "cli/json.h"
#include "cli/sse_read.h"
#include "cli/text.h"
#include "http/message.h"

#define PAYLOAD_MAX	   ((size_t)16 * 1024 * 1024)
#define TIMEOUT_MS_DEFAULT 30000
#define TIMEOUT_MS_MAX	   3600000
#define SOCKET_MS	   10000 /* the daemon's own answer comes so much later at most */
#define TYPE_MAX	   128
#define ENOUGH		   -1 /* --count has come; no exit code */

/* ---- what is asked ---- */

struct call {
	struct cli *c;
	const struct cli_args *args;
	struct hf_buf target, payload;
	unsigned long long timeout_ms;
	char type[TYPE_MAX];
	struct cli_coap_answer answer;
};

/* "json" is application/json, "50" the number of a Content-Format. */
static int read_format(struct call *x)
{
	const char *name = x->args->option[CLI_FORMAT];
	int n;

	x->type[0] = '\0';
	if (!name)
		return 0;
	if (name[0] == '\0' || strpbrk(name, "\r\n\t "))
		return cli_usage("--format is a name, a media type or a number");
	if (strspn(name, "0123456789") == strlen(name) &&
	    (strlen(name) > 5 || atoi(name) > UINT16_MAX))
		return cli_usage("--format as a number is one of 0 to %u", UINT16_MAX);
	if (strspn(name, "0123456789") == strlen(name))
		n = snprintf(x->type, TYPE_MAX, "application/coap-payload;cf=%s", name);
	else if (strcmp(name, "text") == 0)
		n = snprintf(x->type, TYPE_MAX, "text/plain");
	else
		n = snprintf(x->type, TYPE_MAX, "%s%s", strchr(name, '/') ? "" : "application/",
			     name);
	return n < TYPE_MAX ? 0 : cli_usage("--format is too long");
}

static int read_timeout(struct call *x)
{
	const char *text = x->args->option[CLI_TIMEOUT];

	x->timeout_ms = TIMEOUT_MS_DEFAULT;
	if (!text || (cli_args_time(text, &x->timeout_ms) && x->timeout_ms > 0 &&
		      x->timeout_ms <= TIMEOUT_MS_MAX))
		return 0;
	return cli_usage("--timeout is a time up to 1h, as 500ms, 10s or 2m");
}

static int read_file(const char *path, struct hf_buf *out)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *f = standard ? stdin : fopen(path, "rb");
	char bytes[16384];
	size_t n;
	int err = 0;

	if (!f)
		return cli_fail(CLI_USAGE, "%s: %s", path, strerror(errno));
	while (!err && (n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		if (hf_buf_append(out, hf_span(bytes, n)))
			err = cli_fail(CLI_USAGE, "the payload is longer than 16 MiB");
	if (!err && ferror(f))
		err = cli_fail(CLI_USAGE, "%s: %s", path, strerror(errno));
	if (!standard)
		fclose(f);
	return err;
}

static int read_payload(struct call *x)
{
	const char *file = x->args->option[CLI_FILE], *text = x->args->second;

	if (file && text)
		return cli_usage("the payload is given twice: PAYLOAD and --file");
	if (file)
		return read_file(file, &x->payload);
	if (text && hf_buf_append_str(&x->payload, text))
		return cli_fail(CLI_NO, "out of memory");
	return 0;
}

static int make_target(struct call *x, const char *method)
{
	int err = hf_buf_appendf(&x->target, "/.holdfast/coap?timeout=%llu", x->timeout_ms);

	if (!err && method)
		err = hf_buf_appendf(&x->target, "&method=%s", method);
	if (!err)
		err = hf_buf_append_str(&x->target, "&url=");
	if (!err)
		err = cli_encode(&x->target, x->args->operand);
	if (!err)
		err = hf_buf_append(&x->target, hf_span("", 1));
	return err ? cli_usage("URI is too long") : 0;
}

static int begin(struct call *x, struct cli *c, const struct cli_args *args, const char *method)
{
	int err;

	*x = (struct call){ .c = c, .args = args };
	hf_buf_init(&x->target, 16 * 1024);
	hf_buf_init(&x->payload, PAYLOAD_MAX);
	err = read_timeout(x);
	if (!err)
		err = read_format(x);
	if (!err)
		err = read_payload(x);
	return err ? err : make_target(x, method);
}

static void finish(struct call *x)
{
	hf_buf_finish(&x->target);
	hf_buf_finish(&x->payload);
	cli_coap_answer_finish(&x->answer);
}

/* ---- one exchange ---- */

static void on_head(void *user, const struct hf_message *head)
{
	struct call *x = user;
	const struct hf_span *said = hf_fields_get(&head->fields, "Holdfast-CoAP");
	const struct hf_span *type = hf_fields_get(&head->fields, "Content-Type");

	if (said)
		x->answer.head = cli_json_parse(*said);
	if (type)
		snprintf(x->answer.type, sizeof(x->answer.type), "%.*s", HF_SPAN_ARG(*type));
}

static int print(struct call *x, struct hf_span payload)
{
	if (x->c->json) {
		cli_coap_put_json(&x->answer, x->args->operand, payload);
	} else {
		cli_coap_put_head(&x->answer, x->args->option[CLI_VERBOSE] != NULL);
		if (cli_is_text(payload))
			cli_put_raw(payload);
		else
			cli_put_bytes(payload);
	}
	return cli_coap_code(&x->answer)[0] == '2' ? CLI_OK : CLI_NO;
}

static int ask(struct cli *c, const struct cli_args *args, const char *method)
{
	bool reads = strcmp(method, "GET") == 0;
	struct cli_reply reply = { 0 };
	struct cli_request req = { .method = "POST", .on_head = on_head };
	struct call x;
	int err = begin(&x, c, args, method);

	if (!err) {
		req.target = hf_buf_span(&x.target).ptr;
		req.content_type = !reads && x.type[0] ? x.type : NULL;
		req.accept = reads && x.type[0] ? x.type : NULL;
		req.body = hf_buf_span(&x.payload);
		req.idle_timeout_ms = (int)x.timeout_ms + SOCKET_MS;
		req.user = &x;
		err = cli_call(c, &req, &reply);
		if (!err)
			err = reply.status / 100 == 2 ? print(&x, hf_buf_span(&reply.body)) :
							cli_said_no(c, &reply);
		cli_reply_finish(&reply);
	}
	finish(&x);
	return err;
}

int cli_coap_get(struct cli *c, const struct cli_args *args)
{
	return ask(c, args, "GET");
}

int cli_coap_put(struct cli *c, const struct cli_args *args)
{
	return ask(c, args, "PUT");
}

int cli_coap_post(struct cli *c, const struct cli_args *args)
{
	return ask(c, args, "POST");
}

int cli_coap_delete(struct cli *c, const struct cli_args *args)
{
	return ask(c, args, "DELETE");
}

int cli_coap_fetch(struct cli *c, const struct cli_args *args)
{
	return ask(c, args, "FETCH");
}

int cli_coap_patch(struct cli *c, const struct cli_args *args)
{
	return ask(c, args, "PATCH");
}

/* ---- observing ---- */

struct watch {
	struct cli *c;
	struct cli_sse sse;
	unsigned long long left; /* 0: no end */
	bool gone;
};

static void print_value(struct watch *w, struct hf_span event, struct hf_span data)
{
	char text[32] = "";
	time_t now = time(NULL);
	struct tm local;

	if (localtime_r(&now, &local))
		strftime(text, sizeof(text), "%H:%M:%S  ", &local);
	fputs(text, stdout);
	if (hf_span_eq_str(event, "stale"))
		fputs("(not heard of any more; it is asked again)", stdout);
	else if (w->gone)
		printf("(the origin has ended it: %.*s)", HF_SPAN_ARG(data));
	else
		cli_put_safe(stdout, data);
	putchar('\n');
}

static int on_event(void *user, struct hf_span event, struct hf_span id, struct hf_span data)
{
	struct watch *w = user;
	bool value = hf_span_eq_str(event, "message") || hf_span_eq_str(event, "binary");

	(void)id;
	w->gone = hf_span_eq_str(event, "gone");
	if (w->c->json)
		cli_put_event(event, hf_span(NULL, 0), data, false);
	else
		print_value(w, event, data);
	fflush(stdout);
	return value && w->left > 0 && --w->left == 0 ? ENOUGH : 0;
}

static int on_body(void *user, struct hf_span data)
{
	struct watch *w = user;
	int err = cli_sse_feed(&w->sse, data);

	if (err == 0 || err == ENOUGH)
		return err;
	return cli_fail(CLI_NO, "a value is too large");
}

static int read_count(const struct cli_args *args, struct watch *w)
{
	const char *text = args->option[CLI_COUNT];
	char *end;

	w->left = text ? strtoull(text, &end, 10) : 0;
	if (text && (w->left == 0 || *end || strspn(text, "0123456789") != strlen(text)))
		return cli_usage("--count is a number above 0");
	return 0;
}

int cli_coap_observe(struct cli *c, const struct cli_args *args)
{
	struct cli_request req = { .method = "GET", .idle_timeout_ms = -1, .on_body = on_body };
	struct cli_reply reply = { 0 };
	struct watch w = { .c = c };
	struct call x;
	int err = begin(&x, c, args, NULL);

	if (!err)
		err = read_count(args, &w);
	if (!err) {
		cli_sse_init(&w.sse, on_event, &w);
		req.target = hf_buf_span(&x.target).ptr;
		req.user = &w;
		err = cli_call(c, &req, &reply);
		if (err == ENOUGH)
			err = CLI_OK;
		else if (!err && reply.status / 100 != 2)
			err = cli_said_no(c, &reply);
		else if (!err)
			err = w.gone ? CLI_NO :
				       cli_fail(CLI_NO_DAEMON, "the daemon ended the stream");
		cli_sse_finish(&w.sse);
		cli_reply_finish(&reply);
	}
	finish(&x);
	return err;
}

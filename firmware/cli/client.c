/* SPDX-License-Identifier: Apache-2.0 */
/* See client.h. */
#include "cli/client.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/text.h"
#include "holdfast/err.h"
#include "http/h1_reader.h"
#include "http/h1_writer.h"

#define TIMEOUT_MS     30000
#define HEAD_BYTES_MAX (64 * 1024)
#define BODY_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct call {
	struct cli *c;
	const struct cli_request *req;
	struct cli_reply *reply;
	struct hf_h1_reader *reader;
	int fd;
	bool complete;
	int stopped; /* what on_body returned */
};

/* ---- the socket ---- */

static int no_daemon(struct call *x, const char *why)
{
	if (!x->req->quiet)
		fprintf(stderr, "holdfast: no daemon at %s: %s\n", x->c->socket, why);
	return CLI_NO_DAEMON;
}

static int no_permission(struct call *x)
{
	const struct passwd *pw = getpwuid(geteuid());

	if (!x->req->quiet)
		fprintf(stderr,
			"holdfast: user %s may not open %s; it is for root, the daemon's user and "
			"the group holdfast\n",
			pw ? pw->pw_name : "(without a name)", x->c->socket);
	return CLI_NO_PERMISSION;
}

/* connect() has failed with @err. */
static int not_connected(struct call *x, int err)
{
	struct stat st;

	if (err == EACCES || err == EPERM)
		return no_permission(x);
	if (err == ENOENT || err == ENOTDIR)
		return no_daemon(x,
				 "there is no such socket. Is holdfastd running? Is this `control` "
				 "of its holdfast.conf? --socket PATH names another");
	if (stat(x->c->socket, &st) == 0 && !S_ISSOCK(st.st_mode))
		return no_daemon(x, "that is not a socket. --socket PATH names another, `control` "
				    "of holdfast.conf");
	if (err == ECONNREFUSED)
		return no_daemon(x,
				 "nobody listens there. holdfastd has ended without removing it; "
				 "start it again");
	return no_daemon(x, strerror(err));
}

static int set_timeout(int fd, int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (ms < 0)
		tv = (struct timeval){ 0, 0 };
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) != 0)
		return -1;
	if (ms >= 0 && ms < TIMEOUT_MS)
		tv = (struct timeval){ .tv_sec = TIMEOUT_MS / 1000 };
	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static int open_socket(struct call *x)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(x->c->socket);
	int ms = x->req->idle_timeout_ms ? x->req->idle_timeout_ms : TIMEOUT_MS;

	if (len >= sizeof(addr.sun_path))
		return cli_usage("the path of a socket is at most %zu bytes long",
				 sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, x->c->socket, len + 1);
	x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (x->fd < 0 || set_timeout(x->fd, ms) != 0)
		return no_daemon(x, strerror(errno));
	if (connect(x->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		return not_connected(x, errno);
	return 0;
}

static int send_all(struct call *x, struct hf_span data)
{
	while (data.len > 0) {
		ssize_t n = send(x->fd, data.ptr, data.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return no_daemon(x, "the connection broke");
		data = hf_span_skip(data, (size_t)n);
	}
	return 0;
}

static int add_field(struct hf_message *msg, const char *name, const char *value)
{
	return value ? hf_fields_add(&msg->fields, hf_span_str(name), hf_span_str(value)) : 0;
}

static int send_request(struct call *x)
{
	bool read = strcmp(x->req->method, "GET") == 0;
	struct hf_message msg = {
		.method = hf_span_str(x->req->method),
		.target = hf_span_str(x->req->target),
		.minor = 1,
		.keep_alive = true, /* so that the daemon sees the end of one that was broken off */
		.body = read ? HF_BODY_NONE : HF_BODY_LENGTH,
		.body_len = x->req->body.len,
	};
	struct hf_arena arena;
	struct hf_buf head;
	int err;

	hf_arena_init(&arena, 16 * 1024);
	hf_buf_init(&head, 16 * 1024);
	hf_fields_init(&msg.fields, &arena);
	err = add_field(&msg, "Host", "localhost");
	if (!err)
		err = add_field(&msg, "User-Agent", "holdfast");
	if (!err)
		err = add_field(&msg, "Last-Event-ID", x->req->last_event_id);
	if (!err)
		err = add_field(&msg, "Content-Type", x->req->content_type);
	if (!err)
		err = add_field(&msg, "Accept", x->req->accept);
	if (!err)
		err = hf_h1_write_request(&head, &msg);
	if (err)
		err = cli_fail(CLI_USAGE, "the request cannot be written: %s", hf_strerror(err));
	else
		err = send_all(x, hf_buf_span(&head));
	if (!err)
		err = send_all(x, x->req->body);
	hf_buf_finish(&head);
	hf_arena_finish(&arena);
	return err;
}

/* ---- the answer ---- */

static int on_head(void *user, struct hf_message *msg)
{
	struct call *x = user;

	x->reply->status = msg->status;
	if (x->req->on_head && msg->status / 100 == 2)
		x->req->on_head(x->req->user, msg);
	return 0;
}

static int on_body(void *user, struct hf_span data)
{
	struct call *x = user;

	if (!x->req->on_body || x->reply->status / 100 != 2)
		return hf_buf_append(&x->reply->body, data);
	x->stopped = x->req->on_body(x->req->user, data);
	return x->stopped ? HF_ECANCELED : 0;
}

static int on_complete(void *user, const struct hf_fields *trailers)
{
	struct call *x = user;

	(void)trailers;
	x->complete = true;
	return 0;
}

static int feed(struct call *x, struct hf_span data)
{
	while (data.len > 0 && !x->complete) {
		ptrdiff_t used = hf_h1_reader_feed(x->reader, data);

		if (x->stopped)
			return x->stopped;
		if (used == HF_ELIMIT || used == HF_ENOMEM)
			return cli_fail(CLI_NO, "the answer is too large");
		if (used < 0)
			return cli_fail(CLI_NO_DAEMON, "%s does not speak Holdfast's protocol: %s",
					x->c->socket, hf_h1_reader_error(x->reader));
		data = hf_span_skip(data, (size_t)used);
	}
	return 0;
}

static int read_failed(struct call *x)
{
	if (errno != EAGAIN)
		return cli_fail(CLI_NO_DAEMON, "the connection to %s broke: %s", x->c->socket,
				strerror(errno));
	if (x->req->idle_is_end && x->reply->status / 100 == 2) {
		x->complete = true;
		return 0;
	}
	return cli_fail(CLI_NO_DAEMON, "%s did not answer within %d s", x->c->socket,
			TIMEOUT_MS / 1000);
}

static int read_answer(struct call *x)
{
	char bytes[16 * 1024];
	int err = 0;

	while (!x->complete && !err) {
		ssize_t n = recv(x->fd, bytes, sizeof(bytes), 0);

		if (n > 0)
			err = feed(x, hf_span(bytes, (size_t)n));
		else if (n < 0 && errno != EINTR)
			err = read_failed(x);
		else if (n == 0 && hf_h1_reader_eof(x->reader) != 0)
			err = cli_fail(CLI_NO_DAEMON, "the answer was cut short");
		else if (n == 0 && !x->complete)
			err = cli_fail(CLI_NO_DAEMON, "%s closed the connection without an answer",
				       x->c->socket);
	}
	return err;
}

static int receive(struct call *x)
{
	static const struct hf_h1_limits limits = { HEAD_BYTES_MAX, 100 };
	static const struct hf_h1_events events = { on_head, on_body, on_complete };
	struct hf_arena arena;
	int err;

	if (hf_h1_reader_create(HF_H1_RESPONSE, &limits, &events, x, &x->reader) != 0)
		return cli_fail(CLI_NO, "out of memory");
	hf_arena_init(&arena, 2 * HEAD_BYTES_MAX + 64 * 1024);
	hf_h1_reader_next(x->reader, &arena);
	err = read_answer(x);
	hf_h1_reader_destroy(x->reader);
	hf_arena_finish(&arena);
	return err;
}

int cli_call(struct cli *c, const struct cli_request *req, struct cli_reply *reply)
{
	struct call x = { .c = c, .req = req, .reply = reply, .fd = -1 };
	int err;

	*reply = (struct cli_reply){ 0 };
	hf_buf_init(&reply->body, BODY_BYTES_MAX);
	err = open_socket(&x);
	if (!err)
		err = send_request(&x);
	if (!err)
		err = receive(&x);
	if (x.fd >= 0)
		close(x.fd);
	return err;
}

void cli_reply_finish(struct cli_reply *reply)
{
	hf_buf_finish(&reply->body);
}

int cli_said_no(struct cli *c, const struct cli_reply *reply)
{
	struct cJSON *problem = cli_json_parse(hf_buf_span(&reply->body));
	const char *detail = cli_json_text(problem, "detail", NULL);
	const char *replaced_by = cli_json_text(problem, "replacedBy", NULL);

	if (!detail)
		detail = cli_json_text(problem, "title", NULL);
	if (c->json)
		cli_put_raw(hf_buf_span(&reply->body));
	fputs("holdfast: ", stderr);
	if (replaced_by) {
		fputs("the request was sent again under a new id; ask for ", stderr);
		cli_put_safe(stderr, hf_span_str(replaced_by));
	} else if (detail)
		cli_put_safe(stderr, hf_span_str(detail));
	else
		fprintf(stderr, "the daemon answered %d %s", reply->status,
			hf_status_reason(reply->status));
	fputc('\n', stderr);
	cli_json_free(problem);
	return CLI_NO;
}

int cli_ask(struct cli *c, const char *method, const char *target, struct cli_reply *reply)
{
	struct cli_request req = { .method = method, .target = target };
	int err = cli_call(c, &req, reply);

	if (!err && reply->status / 100 != 2)
		err = cli_said_no(c, reply);
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream: a TCP or UNIX connection, non-blocking, one registration in the
 * loop's epoll set, level triggered.
 *
 *	connecting --> open <-- offered (from a listener)
 *	     |          |  \       |
 *	     +--> dead <-+   \     |
 *	           |          v    v
 *	           +------> closed
 *
 * Per message in the steady state: the loop's epoll_wait, one recv, one send.
 * Reads of all streams go into one buffer of the port, so memory does not grow
 * with the number of streams. A read shorter than the buffer has emptied the
 * socket; after READ_ROUNDS full ones the other streams get their turn.
 *
 * Turning reading off leaves the kernel's mask as it is; only when data comes
 * while it is off is the mask narrowed. A peer that waits for its answer sends
 * nothing, so a request and its answer change no mask. It also means that a
 * reset is noticed while reading is off, unless unread data stands before it.
 *
 * A write goes straight to the kernel. The stream asks for room only after a
 * short one.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fsm.h"
#include "port/linux/loop.h"

#define READ_ROUNDS 4

enum stream_state {
	STREAM_CONNECTING,
	STREAM_OFFERED,
	STREAM_OPEN,
	STREAM_DEAD,
	STREAM_CLOSED,
};

struct hf_stream {
	struct hf_linux_watch watch;
	struct hf_linux_later later; /* tells of a connect that ended at once */
	struct hf_list node;	     /* on port->streams */
	const struct hf_stream_events *events;
	void *user;
	int connect_errno; /* for @later */
	uint8_t state;	   /* enum stream_state */
	bool tcp;
	bool reading;
	bool ended;	 /* the peer's end has been told */
	bool wants_room; /* after a short write */
};

static const uint32_t stream_moves[] = {
	[STREAM_CONNECTING] = HF_FSM_TO(STREAM_OPEN) | HF_FSM_TO(STREAM_DEAD) |
			      HF_FSM_TO(STREAM_CLOSED),
	[STREAM_OFFERED] = HF_FSM_TO(STREAM_OPEN) | HF_FSM_TO(STREAM_CLOSED),
	[STREAM_OPEN] = HF_FSM_TO(STREAM_DEAD) | HF_FSM_TO(STREAM_CLOSED),
	[STREAM_DEAD] = HF_FSM_TO(STREAM_CLOSED),
	[STREAM_CLOSED] = 0,
};

static const char *const stream_names[] = {
	[STREAM_CONNECTING] = "connecting",
	[STREAM_OFFERED] = "offered",
	[STREAM_OPEN] = "open",
	[STREAM_DEAD] = "dead",
	[STREAM_CLOSED] = "closed",
};

static const struct hf_fsm stream_fsm = {
	.name = "stream",
	.states = sizeof(stream_moves) / sizeof(stream_moves[0]),
	.allowed = stream_moves,
	.names = stream_names,
};

/* ---- events ---- */

static void want_more(struct hf_stream *s, int events)
{
	hf_linux_watch_want(&s->watch, s->watch.want | events);
}

static void want_less(struct hf_stream *s, int events)
{
	hf_linux_watch_want(&s->watch, s->watch.want & ~events);
}

static bool may_read(const struct hf_stream *s)
{
	return s->state == STREAM_OPEN && s->reading && !s->ended;
}

static void die(struct hf_stream *s)
{
	hf_fsm_move(&stream_fsm, &s->state, STREAM_DEAD);
	s->wants_room = false;
	hf_linux_watch_want(&s->watch, 0);
}

static int pending_errno(int fd)
{
	int errnum = 0;
	socklen_t len = sizeof(errnum);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len))
		return errno;
	return errnum;
}

/* As on_connect gives it. */
static int connect_err(int errnum)
{
	int err = hf_linux_err(errnum);

	switch (err) {
	case HF_ECONNREFUSED:
	case HF_EUNREACH:
	case HF_ETIMEDOUT:
	case HF_ECONNRESET:
		return err;
	default:
		/* a UNIX socket that is not there, or whose backlog is full */
		return errnum == ENOENT || errnum == EAGAIN ? HF_ECONNREFUSED : HF_EIO;
	}
}

/* As on_error and stream_write give it. */
static int stream_err(int errnum)
{
	switch (hf_linux_err(errnum)) {
	case HF_ECONNRESET:
		return HF_ECONNRESET;
	case HF_ETIMEDOUT:
	case HF_EUNREACH: /* what retransmissions ended with */
		return HF_ETIMEDOUT;
	default:
		return HF_EIO;
	}
}

static void tell_error(struct hf_stream *s, int errnum)
{
	die(s);
	s->events->on_error(s->user, stream_err(errnum));
}

static void finish_connect(struct hf_stream *s, int errnum)
{
	if (errnum) {
		die(s);
		s->events->on_connect(s->user, connect_err(errnum));
		return;
	}
	hf_fsm_move(&stream_fsm, &s->state, STREAM_OPEN);
	hf_linux_watch_want(&s->watch, 0);
	s->events->on_connect(s->user, 0);
}

static void connect_ended(struct hf_linux_later *l)
{
	struct hf_stream *s = hf_container_of(l, struct hf_stream, later);

	finish_connect(s, s->connect_errno);
}

enum read_end {
	READ_MORE,  /* the buffer was filled: there may be more */
	READ_EMPTY, /* the socket is empty, or has ended */
	READ_AGAIN, /* nothing was there */
};

static enum read_end read_once(struct hf_stream *s)
{
	char *buffer = s->watch.port->buffer;
	ssize_t n;

	do {
		n = recv(s->watch.fd, buffer, CONFIG_HF_STREAM_BUFFER_BYTES, 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		s->events->on_data(s->user, buffer, (size_t)n);
		return n == CONFIG_HF_STREAM_BUFFER_BYTES ? READ_MORE : READ_EMPTY;
	}
	if (n == 0) {
		s->ended = true;
		want_less(s, UV_READABLE);
		s->events->on_eof(s->user);
		return READ_EMPTY;
	}
	if (errno == EAGAIN)
		return READ_AGAIN;
	tell_error(s, errno);
	return READ_EMPTY;
}

static enum read_end read_rounds(struct hf_stream *s)
{
	enum read_end end = READ_MORE;

	for (int i = 0; i < READ_ROUNDS && end == READ_MORE && may_read(s); i++)
		end = read_once(s);
	return end;
}

/* The kernel has an error for us. What was received before it comes first, also
 * when the owner has turned reading off: then it is told once reading is on. */
static void take_failure(struct hf_stream *s)
{
	int unread = 0, errnum;

	if (may_read(s)) {
		if (read_rounds(s) != READ_AGAIN)
			return; /* told, or to be continued next turn */
	} else if (!s->wants_room && !s->ended && !ioctl(s->watch.fd, FIONREAD, &unread) &&
		   unread > 0) {
		hf_linux_watch_want(&s->watch, 0);
		return;
	}
	errnum = pending_errno(s->watch.fd);
	tell_error(s, errnum ? errnum : EIO);
}

static void take_room(struct hf_stream *s)
{
	s->wants_room = false;
	s->events->on_writable(s->user);
	if (s->state == STREAM_OPEN && !s->wants_room)
		want_less(s, UV_WRITABLE);
}

static void stream_ready(struct hf_linux_watch *w, int events, bool failed)
{
	struct hf_stream *s = hf_container_of(w, struct hf_stream, watch);

	if (s->state == STREAM_CONNECTING) {
		finish_connect(s, pending_errno(w->fd));
		return;
	}
	if (s->state != STREAM_OPEN)
		return;
	if (failed) {
		take_failure(s);
		return;
	}
	if ((events & UV_WRITABLE) && s->wants_room)
		take_room(s);
	if (!(events & UV_READABLE) || s->state != STREAM_OPEN)
		return;
	if (may_read(s))
		read_rounds(s);
	else
		want_less(s, UV_READABLE);
}

/* ---- operations ---- */

/* Small writes are whole messages here: they do not wait for more. A peer that
 * vanished without a word is noticed after about two minutes. */
void hf_linux_stream_tcp_options(int fd)
{
	static const struct {
		int level, option, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },   { SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 60 }, { IPPROTO_TCP, TCP_KEEPINTVL, 15 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].option, &options[i].value,
				 sizeof(options[i].value)); /* a wish */
}

/* Takes @fd; NULL: it is closed. */
static struct hf_stream *create_stream(struct hf_port_linux *p, int fd, enum stream_state state)
{
	struct hf_stream *s = calloc(1, sizeof(*s));

	if (!s || hf_linux_watch_init(p, &s->watch, fd, stream_ready)) {
		free(s);
		close(fd);
		return NULL;
	}
	s->state = (uint8_t)state;
	hf_linux_later_init(&s->later, connect_ended);
	hf_list_push(&p->streams, &s->node);
	return s;
}

static int stream_connect(struct hf_port *port, const struct hf_addr *to,
			  const struct hf_stream_events *events, void *user, struct hf_stream **out)
{
	struct hf_port_linux *p = hf_linux_of(port);
	struct sockaddr_storage ss;
	socklen_t len = hf_linux_addr_to_sock(to, &ss);
	int fd = hf_linux_socket(to);
	struct hf_stream *s;

	if (fd < 0)
		return fd;
	s = create_stream(p, fd, STREAM_CONNECTING);
	if (!s)
		return HF_ENOMEM;
	s->events = events;
	s->user = user;
	s->tcp = to->family != HF_FAMILY_UNIX;
	if (s->tcp)
		hf_linux_stream_tcp_options(fd);
	s->connect_errno = connect(fd, (struct sockaddr *)&ss, len) ? errno : 0;
	if (s->connect_errno == EINPROGRESS)
		hf_linux_watch_want(&s->watch, UV_WRITABLE);
	else
		hf_linux_later_add(p, &s->later);
	*out = s;
	return 0;
}

struct hf_stream *hf_linux_stream_offer(struct hf_port_linux *p, int fd, bool tcp)
{
	struct hf_stream *s = create_stream(p, fd, STREAM_OFFERED);

	if (s)
		s->tcp = tcp;
	return s;
}

static void stream_accept(struct hf_port *port, struct hf_stream *s,
			  const struct hf_stream_events *events, void *user)
{
	(void)port;
	hf_fsm_move(&stream_fsm, &s->state, STREAM_OPEN);
	s->events = events;
	s->user = user;
}

static void stream_read(struct hf_port *port, struct hf_stream *s, bool on)
{
	(void)port;
	assert(s->state == STREAM_OPEN || s->state == STREAM_DEAD);
	s->reading = on;
	if (may_read(s))
		want_more(s, UV_READABLE);
}

static ptrdiff_t stream_write(struct hf_port *port, struct hf_stream *s, const void *data,
			      size_t len)
{
	ssize_t n;

	(void)port;
	assert(s->state == STREAM_OPEN || s->state == STREAM_DEAD);
	if (s->state == STREAM_DEAD)
		return HF_ECONNRESET;
	do {
		n = send(s->watch.fd, data, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN) {
		int errnum = errno;

		die(s);
		return stream_err(errnum);
	}
	if (n < 0)
		n = 0;
	if ((size_t)n < len) {
		s->wants_room = true;
		want_more(s, UV_WRITABLE);
	}
	return n;
}

static void stream_shutdown(struct hf_port *port, struct hf_stream *s)
{
	(void)port;
	if (s->state == STREAM_OPEN)
		(void)shutdown(s->watch.fd, SHUT_WR); /* fails on a reset connection only */
}

static void free_stream(struct hf_linux_watch *w)
{
	free(hf_container_of(w, struct hf_stream, watch));
}

static void stream_close(struct hf_port *port, struct hf_stream *s, bool abort)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	(void)port;
	hf_fsm_move(&stream_fsm, &s->state, STREAM_CLOSED);
	hf_linux_later_cancel(&s->later);
	hf_list_remove(&s->node);
	if (abort && s->tcp)
		(void)setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	hf_linux_watch_close(&s->watch, free_stream);
}

void hf_linux_stream_offered(const struct hf_stream *s)
{
	/* memory of a closed stream lives until the closing phase of the turn */
	assert(s->state != STREAM_OFFERED);
}

static int stream_peer(struct hf_port *port, struct hf_stream *s, struct hf_peer *out)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	struct ucred cred;
	socklen_t cred_len = sizeof(cred);

	(void)port;
	memset(out, 0, sizeof(*out));
	if (getpeername(s->watch.fd, (struct sockaddr *)&ss, &len) ||
	    hf_linux_addr_from_sock((struct sockaddr *)&ss, len, &out->addr))
		return HF_EIO;
	if (s->tcp)
		return 0;
	if (getsockopt(s->watch.fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len))
		return HF_EIO;
	out->has_creds = true;
	out->uid = cred.uid;
	out->gid = cred.gid;
	out->pid = cred.pid;
	return 0;
}

void hf_linux_stream_init(struct hf_port_linux *p)
{
	p->port.stream_connect = stream_connect;
	p->port.stream_accept = stream_accept;
	p->port.stream_read = stream_read;
	p->port.stream_write = stream_write;
	p->port.stream_shutdown = stream_shutdown;
	p->port.stream_close = stream_close;
	p->port.stream_peer = stream_peer;
}

void hf_linux_stream_finish(struct hf_port_linux *p)
{
	struct hf_list *n;

	while ((n = hf_list_first(&p->streams)))
		stream_close(&p->port, hf_container_of(n, struct hf_stream, node), true);
}

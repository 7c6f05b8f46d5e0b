/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a port as cases. `inside` is raised around each operation, so
 * an event that comes inside its own call is seen.
 */
#include "lib/port_contract.h"

#include <stdlib.h>
#include <string.h>

#define TURNS	    500	      /* an event that has not come by then does not come */
#define QUIET_TURNS 5	      /* in which nothing may come */
#define FLOOD	    (4 << 20) /* bytes; more than any port buffers */

#define TEXT_(x) #x
#define TEXT(x)	 TEXT_(x)
#define CHECK(what)                                                    \
	do {                                                           \
		if (!(what))                                           \
			return __FILE__ ":" TEXT(__LINE__) ": " #what; \
	} while (0)

static bool inside;	  /* an operation is being called */
static bool event_inside; /* an event came then */

static void note_event(void)
{
	if (inside)
		event_inside = true;
}

/* ---- one end of a connection ---- */

struct end {
	struct port_world *w;
	struct hf_stream *stream; /* NULL: closed */
	int connects, connect_err, ends, errors, error, writables, events;
	uint64_t got;  /* bytes */
	bool in_order; /* every byte was pattern(its offset) */
	char head[64]; /* the first ones */
	bool echo, close_on_data, close_on_connect;
};

static char pattern(uint64_t offset)
{
	return (char)(offset * 31 + (offset >> 13));
}

static void shut_end(struct end *e, bool abort)
{
	struct hf_stream *s = e->stream;

	if (!s)
		return;
	e->stream = NULL;
	inside = true;
	e->w->port->stream_close(e->w->port, s, abort);
	inside = false;
}

static void on_connect(void *user, int err)
{
	struct end *e = user;

	note_event();
	e->events++;
	e->connects++;
	e->connect_err = err;
	if (e->close_on_connect)
		shut_end(e, false);
}

static void on_data(void *user, const void *data, size_t len)
{
	struct end *e = user;
	const char *bytes = data;

	note_event();
	e->events++;
	for (size_t i = 0; i < len; i++) {
		if (e->got + i < sizeof(e->head))
			e->head[e->got + i] = bytes[i];
		if (bytes[i] != pattern(e->got + i))
			e->in_order = false;
	}
	e->got += len;
	if (e->echo)
		e->w->port->stream_write(e->w->port, e->stream, data, len);
	if (e->close_on_data)
		shut_end(e, false);
}

static void on_eof(void *user)
{
	struct end *e = user;

	note_event();
	e->events++;
	e->ends++;
}

static void on_writable(void *user)
{
	struct end *e = user;

	note_event();
	e->events++;
	e->writables++;
}

static void on_error(void *user, int err)
{
	struct end *e = user;

	note_event();
	e->events++;
	e->errors++;
	e->error = err;
}

static const struct hf_stream_events end_events = {
	.on_connect = on_connect,
	.on_data = on_data,
	.on_eof = on_eof,
	.on_writable = on_writable,
	.on_error = on_error,
};

static void read_end(struct end *e, bool on)
{
	inside = true;
	e->w->port->stream_read(e->w->port, e->stream, on);
	inside = false;
}

static ptrdiff_t write_end(struct end *e, const void *data, size_t len)
{
	ptrdiff_t n;

	inside = true;
	n = e->w->port->stream_write(e->w->port, e->stream, data, len);
	inside = false;
	return n;
}

/* ---- two ends and the listener between them ---- */

struct pair {
	struct port_world *w;
	struct hf_listener *listener;
	struct hf_addr addr;
	struct end client, server;
	int accepted;
	bool refuse; /* close in on_accept */
};

static void on_accept(void *user, struct hf_stream *stream)
{
	struct pair *p = user;

	note_event();
	p->accepted++;
	if (p->refuse || p->server.stream) {
		p->w->port->stream_close(p->w->port, stream, false);
		return;
	}
	p->server.stream = stream;
	p->w->port->stream_accept(p->w->port, stream, &end_events, &p->server);
}

static const struct hf_listener_events pair_events = { .on_accept = on_accept };

static const char *open_listener(struct pair *p, struct port_world *w)
{
	struct hf_addr at = { .family = HF_FAMILY_IPV4, .ip = { 127, 0, 0, 1 } };
	int err;

	memset(p, 0, sizeof(*p));
	p->w = w;
	p->client.w = w;
	p->server.w = w;
	p->client.in_order = true;
	p->server.in_order = true;
	inside = true;
	err = w->port->listen(w->port, &at, &pair_events, p, &p->listener);
	inside = false;
	CHECK(err == 0);
	CHECK(w->port->listener_addr(w->port, p->listener, &p->addr) == 0);
	CHECK(p->addr.family == HF_FAMILY_IPV4 && p->addr.port != 0);
	return NULL;
}

static int connect_client(struct pair *p)
{
	int err;

	inside = true;
	err = p->w->port->stream_connect(p->w->port, &p->addr, &end_events, &p->client,
					 &p->client.stream);
	inside = false;
	return err;
}

static void quiet(struct port_world *w)
{
	for (int i = 0; i < QUIET_TURNS; i++)
		w->turn(w->user);
}

#define WAIT_FOR(world, what)                                             \
	do {                                                              \
		for (int turns_ = 0; turns_ < TURNS && !(what); turns_++) \
			(world)->turn((world)->user);                     \
		CHECK(what);                                              \
	} while (0)

static const char *open_pair(struct pair *p, struct port_world *w)
{
	const char *why = open_listener(p, w);

	if (why)
		return why;
	CHECK(connect_client(p) == 0);
	CHECK(p->client.connects == 0);
	WAIT_FOR(w, p->client.connects == 1 && p->server.stream);
	CHECK(p->client.connect_err == 0);
	return NULL;
}

static void close_listener(struct pair *p)
{
	if (p->listener)
		p->w->port->listener_close(p->w->port, p->listener);
	p->listener = NULL;
}

static const char *close_pair(struct pair *p)
{
	int before;

	shut_end(&p->client, false);
	shut_end(&p->server, false);
	close_listener(p);
	before = p->client.events + p->server.events;
	quiet(p->w);
	CHECK(p->client.events + p->server.events == before);
	return NULL;
}

#define OPEN(p, w)                                  \
	do {                                        \
		const char *why_ = open_pair(p, w); \
		if (why_)                           \
			return why_;                \
	} while (0)

/* ---- streams ---- */

static const char *both_ends_hear_each_other(struct port_world *w)
{
	struct pair p;

	OPEN(&p, w);
	p.server.echo = true;
	read_end(&p.client, true);
	read_end(&p.server, true);
	CHECK(write_end(&p.client, "hello", 5) == 5);
	WAIT_FOR(w, p.client.got == 5);
	CHECK(memcmp(p.client.head, "hello", 5) == 0);
	CHECK(p.client.writables == 0 && p.client.ends == 0 && p.client.errors == 0);
	return close_pair(&p);
}

static const char *the_peer_has_the_address_of_its_end(struct port_world *w)
{
	struct hf_peer peer;
	struct pair p;

	OPEN(&p, w);
	CHECK(w->port->stream_peer(w->port, p.client.stream, &peer) == 0);
	CHECK(peer.addr.family == HF_FAMILY_IPV4 && peer.addr.port == p.addr.port);
	CHECK(peer.addr.ip[0] == 127 && !peer.has_creds);
	CHECK(w->port->stream_peer(w->port, p.server.stream, &peer) == 0);
	CHECK(peer.addr.ip[0] == 127 && peer.addr.port != 0);
	return close_pair(&p);
}

static const char *nobody_there_is_refused_on_a_later_turn(struct port_world *w)
{
	const char *why;
	struct pair p;

	why = open_listener(&p, w);
	if (why)
		return why;
	close_listener(&p);
	quiet(w);
	CHECK(connect_client(&p) == 0);
	CHECK(p.client.connects == 0);
	WAIT_FOR(w, p.client.connects == 1);
	CHECK(p.client.connect_err == HF_ECONNREFUSED);
	quiet(w);
	CHECK(p.client.connects == 1 && p.client.errors == 0);
	return close_pair(&p);
}

static const char *data_waits_while_reading_is_off(struct port_world *w)
{
	struct pair p;

	OPEN(&p, w);
	CHECK(write_end(&p.client, "one", 3) == 3);
	quiet(w);
	CHECK(p.server.got == 0);
	read_end(&p.server, true);
	WAIT_FOR(w, p.server.got == 3);
	read_end(&p.server, false);
	CHECK(write_end(&p.client, "two", 3) == 3);
	quiet(w);
	CHECK(p.server.got == 3);
	read_end(&p.server, true);
	read_end(&p.server, false);
	quiet(w);
	CHECK(p.server.got == 3);
	read_end(&p.server, false);
	read_end(&p.server, true);
	WAIT_FOR(w, p.server.got == 6);
	CHECK(memcmp(p.server.head, "onetwo", 6) == 0);
	return close_pair(&p);
}

/* Writes the pattern from *sent to FLOOD, as far as it goes. */
static ptrdiff_t flood(struct end *e, uint64_t *sent)
{
	char chunk[16384];
	ptrdiff_t n;

	do {
		for (size_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = pattern(*sent + i);
		n = write_end(e, chunk, sizeof(chunk));
		if (n < 0)
			return n;
		*sent += (uint64_t)n;
	} while (n == (ptrdiff_t)sizeof(chunk) && *sent < FLOOD);
	return n;
}

static const char *a_slow_reader_stops_the_writer(struct port_world *w)
{
	uint64_t sent = 0;
	struct pair p;
	int seen;

	OPEN(&p, w);
	while (sent < FLOOD) {
		seen = p.client.writables;
		CHECK(flood(&p.client, &sent) >= 0);
		if (sent >= FLOOD)
			break;
		CHECK(p.client.writables == seen);
		read_end(&p.server, true);
		WAIT_FOR(w, p.client.writables > seen);
		read_end(&p.server, false);
	}
	CHECK(p.client.writables > 0);
	read_end(&p.server, true);
	WAIT_FOR(w, p.server.got == sent);
	CHECK(p.server.in_order);
	return close_pair(&p);
}

static const char *after_a_shutdown_the_other_side_still_speaks(struct port_world *w)
{
	struct pair p;

	OPEN(&p, w);
	read_end(&p.client, true);
	read_end(&p.server, true);
	CHECK(write_end(&p.client, "last", 4) == 4);
	w->port->stream_shutdown(w->port, p.client.stream);
	WAIT_FOR(w, p.server.ends == 1);
	CHECK(p.server.got == 4);
	CHECK(p.client.ends == 0);
	CHECK(write_end(&p.server, "answer", 6) == 6);
	WAIT_FOR(w, p.client.got == 6);
	quiet(w);
	CHECK(p.server.ends == 1 && p.client.ends == 0);
	shut_end(&p.server, false);
	WAIT_FOR(w, p.client.ends == 1);
	CHECK(p.client.errors == 0);
	return close_pair(&p);
}

static const char *the_end_waits_while_reading_is_off(struct port_world *w)
{
	struct pair p;

	OPEN(&p, w);
	CHECK(write_end(&p.client, "bye", 3) == 3);
	shut_end(&p.client, false);
	quiet(w);
	CHECK(p.server.events == 0);
	read_end(&p.server, true);
	WAIT_FOR(w, p.server.ends == 1);
	CHECK(p.server.got == 3 && p.server.errors == 0);
	return close_pair(&p);
}

static const char *an_abort_resets_the_other_side(struct port_world *w)
{
	struct pair p;

	OPEN(&p, w);
	read_end(&p.server, true);
	shut_end(&p.client, true);
	WAIT_FOR(w, p.server.errors == 1);
	CHECK(p.server.error == HF_ECONNRESET && p.server.ends == 0);
	CHECK(write_end(&p.server, "x", 1) < 0);
	quiet(w);
	CHECK(p.server.errors == 1);
	return close_pair(&p);
}

static const char *writing_to_a_dead_stream_fails(struct port_world *w)
{
	ptrdiff_t n = 0;
	struct pair p;

	OPEN(&p, w);
	shut_end(&p.server, true);
	for (int i = 0; i < TURNS && n >= 0 && p.client.errors == 0; i++) {
		n = write_end(&p.client, "x", 1);
		w->turn(w->user);
	}
	CHECK(n == HF_ECONNRESET || p.client.error == HF_ECONNRESET);
	return close_pair(&p);
}

static const char *closing_in_on_data_ends_all_events(struct port_world *w)
{
	struct pair p;
	int seen;

	OPEN(&p, w);
	p.server.close_on_data = true;
	read_end(&p.server, true);
	CHECK(write_end(&p.client, "stop", 4) == 4);
	WAIT_FOR(w, p.server.events == 1);
	seen = p.server.events;
	quiet(w);
	CHECK(p.server.events == seen);
	return close_pair(&p);
}

static const char *closing_in_on_connect_is_safe(struct port_world *w)
{
	const char *why;
	struct pair p;

	why = open_listener(&p, w);
	if (why)
		return why;
	p.client.close_on_connect = true;
	CHECK(connect_client(&p) == 0);
	WAIT_FOR(w, p.client.connects == 1 && p.accepted == 1);
	CHECK(!p.client.stream);
	return close_pair(&p);
}

static const char *closing_before_on_connect_ends_it(struct port_world *w)
{
	const char *why;
	struct pair p;

	why = open_listener(&p, w);
	if (why)
		return why;
	CHECK(connect_client(&p) == 0);
	shut_end(&p.client, false);
	quiet(w);
	CHECK(p.client.events == 0);
	return close_pair(&p);
}

/* ---- many streams at once ---- */

#define STORM_ENDS  24
#define STORM_STEPS 3000

struct storm {
	struct port_world *w;
	struct hf_listener *listener;
	struct hf_addr addr;
	struct storm_end {
		struct storm *storm;
		struct hf_stream *stream;
		bool open;
	} ends[STORM_ENDS];
	uint32_t seed;
	int opened, stray; /* events of a closed end */
	uint64_t bytes;
};

static uint32_t draw(struct storm *s, uint32_t below)
{
	s->seed = s->seed * 1664525 + 1013904223;
	return (s->seed >> 8) % below;
}

static void storm_close(struct storm_end *e)
{
	struct hf_stream *stream = e->stream;

	e->stream = NULL;
	e->open = false;
	e->storm->w->port->stream_close(e->storm->w->port, stream, draw(e->storm, 3) == 0);
}

/* Each event may end its stream, or another one. */
static void storm_event(struct storm_end *e, bool dead)
{
	struct storm_end *other = &e->storm->ends[draw(e->storm, STORM_ENDS)];

	note_event();
	if (!e->stream)
		e->storm->stray++;
	else if (dead || draw(e->storm, 20) == 0)
		storm_close(e);
	if (other->stream && draw(e->storm, 40) == 0)
		storm_close(other);
}

static void storm_connect(void *user, int err)
{
	struct storm_end *e = user;

	e->open = err == 0;
	storm_event(e, err != 0);
}

static void storm_data(void *user, const void *data, size_t len)
{
	struct storm_end *e = user;

	(void)data;
	e->storm->bytes += len;
	storm_event(e, false);
}

static void storm_eof(void *user)
{
	storm_event(user, false);
}

static void storm_error(void *user, int err)
{
	(void)err;
	storm_event(user, true);
}

static const struct hf_stream_events storm_events = {
	.on_connect = storm_connect,
	.on_data = storm_data,
	.on_eof = storm_eof,
	.on_writable = storm_eof,
	.on_error = storm_error,
};

static struct storm_end *free_end(struct storm *s)
{
	for (int i = 0; i < STORM_ENDS; i++)
		if (!s->ends[i].stream)
			return &s->ends[i];
	return NULL;
}

static void storm_accept(void *user, struct hf_stream *stream)
{
	struct storm *s = user;
	struct storm_end *e = free_end(s);

	note_event();
	if (!e || draw(s, 10) == 0) {
		s->w->port->stream_close(s->w->port, stream, draw(s, 2));
		return;
	}
	e->stream = stream;
	e->open = true;
	s->opened++;
	s->w->port->stream_accept(s->w->port, stream, &storm_events, e);
	s->w->port->stream_read(s->w->port, stream, true);
}

static const struct hf_listener_events storm_listener = { .on_accept = storm_accept };

static void storm_step(struct storm *s)
{
	static const char bytes[20000];
	struct hf_port *port = s->w->port;
	struct storm_end *e = &s->ends[draw(s, STORM_ENDS)];

	if (!e->stream) {
		port->stream_connect(port, &s->addr, &storm_events, e, &e->stream);
		return;
	}
	if (draw(s, 12) == 0) {
		storm_close(e);
		return;
	}
	if (!e->open)
		return;
	switch (draw(s, 4)) {
	case 0:
		port->stream_read(port, e->stream, draw(s, 2));
		break;
	case 1:
		port->stream_read(port, e->stream, true);
		break;
	case 2:
		if (port->stream_write(port, e->stream, bytes, draw(s, sizeof(bytes))) < 0)
			storm_close(e);
		break;
	default:
		if (draw(s, 4) == 0)
			port->stream_shutdown(port, e->stream);
	}
}

static const char *a_storm_of_streams_leaves_no_event_behind(struct port_world *w)
{
	struct hf_addr at = { .family = HF_FAMILY_IPV4, .ip = { 127, 0, 0, 1 } };
	static struct storm s;

	memset(&s, 0, sizeof(s));
	s.w = w;
	for (int i = 0; i < STORM_ENDS; i++)
		s.ends[i].storm = &s;
	CHECK(w->port->listen(w->port, &at, &storm_listener, &s, &s.listener) == 0);
	CHECK(w->port->listener_addr(w->port, s.listener, &s.addr) == 0);
	for (int i = 0; i < STORM_STEPS; i++) {
		inside = true;
		storm_step(&s);
		inside = false;
		if (draw(&s, 8) == 0)
			w->turn(w->user);
	}
	for (int i = 0; i < STORM_ENDS; i++)
		if (s.ends[i].stream)
			storm_close(&s.ends[i]);
	w->port->listener_close(w->port, s.listener);
	quiet(w);
	CHECK(s.stray == 0);
	CHECK(s.opened > 50 && s.bytes > 0);
	return NULL;
}

/* ---- listeners ---- */

static const char *closing_in_on_accept_is_safe(struct port_world *w)
{
	const char *why;
	struct pair p;

	why = open_listener(&p, w);
	if (why)
		return why;
	p.refuse = true;
	CHECK(connect_client(&p) == 0);
	WAIT_FOR(w, p.accepted == 1);
	CHECK(!p.server.stream);
	return close_pair(&p);
}

static const char *nobody_is_accepted_while_accepting_is_off(struct port_world *w)
{
	const char *why;
	struct pair p;

	why = open_listener(&p, w);
	if (why)
		return why;
	w->port->listener_accept(w->port, p.listener, false);
	CHECK(connect_client(&p) == 0);
	quiet(w);
	CHECK(p.accepted == 0);
	w->port->listener_accept(w->port, p.listener, true);
	WAIT_FOR(w, p.accepted == 1 && p.server.stream);
	return close_pair(&p);
}

static const char *an_address_is_listened_at_once(struct port_world *w)
{
	struct hf_listener *second = NULL;
	const char *why;
	struct pair p;

	why = open_listener(&p, w);
	if (why)
		return why;
	CHECK(w->port->listen(w->port, &p.addr, &pair_events, &p, &second) == HF_EBUSY);
	return close_pair(&p);
}

/* ---- names ---- */

struct answer {
	int calls, err;
	size_t n;
	struct hf_addr addrs[8];
};

static void on_answer(void *user, int err, const struct hf_addr *addrs, size_t n)
{
	struct answer *a = user;

	note_event();
	a->calls++;
	a->err = err;
	a->n = n;
	for (size_t i = 0; i < n && i < 8; i++)
		a->addrs[i] = addrs[i];
}

static const char *ask(struct port_world *w, const char *host, struct answer *a)
{
	struct hf_resolve *r = NULL;
	int err;

	memset(a, 0, sizeof(*a));
	inside = true;
	err = w->port->resolve(w->port, host, on_answer, a, &r);
	inside = false;
	CHECK(err == 0 && r && a->calls == 0);
	WAIT_FOR(w, a->calls == 1);
	return NULL;
}

static const char *numeric_hosts_are_their_own_answer(struct port_world *w)
{
	struct answer a;
	const char *why;

	why = ask(w, "192.0.2.7", &a);
	if (why)
		return why;
	CHECK(a.err == 0 && a.n == 1 && a.addrs[0].family == HF_FAMILY_IPV4);
	CHECK(memcmp(a.addrs[0].ip, "\xc0\x00\x02\x07", 4) == 0 && a.addrs[0].port == 0);
	why = ask(w, "2001:db8::1", &a);
	if (why)
		return why;
	CHECK(a.err == 0 && a.n == 1 && a.addrs[0].family == HF_FAMILY_IPV6);
	CHECK(memcmp(a.addrs[0].ip, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16) == 0);
	return NULL;
}

static const char *localhost_and_names_below_it_are_loopback(struct port_world *w)
{
	static const char *const names[] = { "localhost", "shop.localhost", "Shop.LocalHost." };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *why;
		struct answer a;
		bool has_ipv4 = false;

		why = ask(w, names[i], &a);
		if (why)
			return why;
		CHECK(a.err == 0 && a.n >= 1);
		for (size_t k = 0; k < a.n; k++)
			has_ipv4 |= a.addrs[k].family == HF_FAMILY_IPV4 && a.addrs[k].ip[0] == 127;
		CHECK(has_ipv4);
	}
	return NULL;
}

static const char *a_cancelled_look_up_never_answers(struct port_world *w)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "cancelled.invalid" };
	struct answer a = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct hf_resolve *r = NULL;

		CHECK(w->port->resolve(w->port, names[i], on_answer, &a, &r) == 0);
		w->port->resolve_cancel(w->port, r);
	}
	quiet(w);
	CHECK(a.calls == 0);
	return NULL;
}

/* ---- jobs ---- */

#define JOBS 100

struct job_log {
	int ran, done;
	bool ran_in_order, done_in_order, done_first;
	struct port_world *w;
};

struct test_job {
	struct hf_job job;
	struct job_log *log;
	int number;
	bool has_run, again;
};

static void run_job(struct hf_job *job)
{
	struct test_job *t = (struct test_job *)job;

	if (t->number != t->log->ran++)
		t->log->ran_in_order = false;
	t->has_run = true;
}

static void job_done(struct hf_job *job)
{
	struct test_job *t = (struct test_job *)job;

	note_event();
	if (!t->has_run)
		t->log->done_first = true;
	if (t->number != t->log->done++)
		t->log->done_in_order = false;
	if (t->again) {
		t->again = false;
		t->number = JOBS;
		t->log->w->port->job_submit(t->log->w->port, job);
	}
}

static void submit_jobs(struct port_world *w, struct test_job jobs[JOBS], struct job_log *log)
{
	*log = (struct job_log){ .ran_in_order = true, .done_in_order = true, .w = w };
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct test_job){
			.job = { .run = run_job, .done = job_done },
			.log = log,
			.number = i,
			.again = i == JOBS - 1,
		};
		inside = true;
		w->port->job_submit(w->port, &jobs[i].job);
		inside = false;
	}
}

static const char *jobs_run_and_are_done_in_order(struct port_world *w)
{
	struct test_job jobs[JOBS];
	struct job_log log;

	submit_jobs(w, jobs, &log);
	CHECK(log.done == 0);
	WAIT_FOR(w, log.done == JOBS + 1);
	CHECK(log.ran_in_order && log.done_in_order && !log.done_first);
	return NULL;
}

static const char *jobs_finish_runs_all_of_them(struct port_world *w)
{
	struct test_job jobs[JOBS];
	struct job_log log;

	submit_jobs(w, jobs, &log);
	w->port->jobs_finish(w->port);
	CHECK(log.done == JOBS + 1);
	CHECK(log.ran_in_order && log.done_in_order && !log.done_first);
	quiet(w);
	CHECK(log.done == JOBS + 1);
	w->port->jobs_finish(w->port); /* with none it returns */
	return NULL;
}

/* One job of each queue, given in turn. */
static void submit_to_both(struct port_world *w, struct test_job jobs[2][JOBS],
			   struct job_log logs[2])
{
	for (int q = 0; q < 2; q++)
		logs[q] = (struct job_log){ .ran_in_order = true, .done_in_order = true, .w = w };
	for (int i = 0; i < 2 * JOBS; i++) {
		struct test_job *job = &jobs[i % 2][i / 2];

		*job = (struct test_job){
			.job = { .run = run_job,
				 .done = job_done,
				 .queue = i % 2 ? HF_JOBS_CACHE : HF_JOBS_STORE },
			.log = &logs[i % 2],
			.number = i / 2,
			.again = i / 2 == JOBS - 1,
		};
		inside = true;
		w->port->job_submit(w->port, &job->job);
		inside = false;
	}
}

static bool both_in_order(const struct job_log logs[2])
{
	for (int q = 0; q < 2; q++) {
		if (!logs[q].ran_in_order || !logs[q].done_in_order || logs[q].done_first)
			return false;
	}
	return true;
}

static const char *each_queue_keeps_its_order(struct port_world *w)
{
	struct test_job jobs[2][JOBS];
	struct job_log logs[2];

	submit_to_both(w, jobs, logs);
	CHECK(logs[0].done == 0 && logs[1].done == 0);
	WAIT_FOR(w, logs[0].done == JOBS + 1 && logs[1].done == JOBS + 1);
	CHECK(both_in_order(logs));
	return NULL;
}

static const char *jobs_finish_runs_both_queues(struct port_world *w)
{
	struct test_job jobs[2][JOBS];
	struct job_log logs[2];

	submit_to_both(w, jobs, logs);
	w->port->jobs_finish(w->port);
	CHECK(logs[0].done == JOBS + 1 && logs[1].done == JOBS + 1);
	CHECK(both_in_order(logs));
	quiet(w);
	CHECK(logs[0].done == JOBS + 1 && logs[1].done == JOBS + 1);
	return NULL;
}

/* ---- clocks and the wake-up ---- */

struct wakes {
	struct port_world *w;
	int n;
	uint64_t at_ms, again_ms;
};

static void on_wake(void *user)
{
	struct wakes *k = user;

	note_event();
	k->n++;
	k->at_ms = k->w->port->boottime_ms(k->w->port);
	if (k->again_ms)
		k->w->port->wake_at(k->w->port, k->again_ms);
	k->again_ms = 0;
}

static void on_nothing(void *user)
{
	(void)user;
}

static void on_link(void *user, enum hf_link link)
{
	(void)user;
	(void)link;
}

static const struct hf_port_events wake_events = {
	.on_wake = on_wake,
	.on_link = on_link,
	.on_clock = on_nothing,
};

static void wake_at(struct port_world *w, uint64_t ms)
{
	inside = true;
	w->port->wake_at(w->port, ms);
	inside = false;
}

static const char *wakes(struct port_world *w, struct wakes *k)
{
	uint64_t now = w->port->boottime_ms(w->port);

	wake_at(w, now + 30);
	WAIT_FOR(w, k->n == 1);
	CHECK(k->at_ms >= now + 30 && k->at_ms < now + 1000);
	wake_at(w, now); /* in the past: at once, but later */
	CHECK(k->n == 1);
	WAIT_FOR(w, k->n == 2);
	now = w->port->boottime_ms(w->port);
	wake_at(w, now + 20);
	wake_at(w, now + 60); /* later than the one before */
	WAIT_FOR(w, k->n == 3);
	CHECK(k->at_ms >= now + 60);
	now = w->port->boottime_ms(w->port);
	wake_at(w, now + 100000);
	wake_at(w, now + 10); /* sooner */
	k->again_ms = now + 40;
	WAIT_FOR(w, k->n == 5);
	CHECK(k->at_ms >= now + 40);
	wake_at(w, w->port->boottime_ms(w->port) + 10);
	wake_at(w, UINT64_MAX);
	quiet(w);
	CHECK(k->n == 5);
	return NULL;
}

static const char *the_wake_up_comes_when_asked_for(struct port_world *w)
{
	const struct hf_port_events *before = w->port->events;
	void *before_user = w->port->events_user;
	struct wakes k = { .w = w };
	const char *why;

	w->port->events_user = &k;
	w->port->events = &wake_events;
	why = wakes(w, &k);
	w->port->events = before;
	w->port->events_user = before_user;
	return why;
}

static const char *boot_time_never_goes_back(struct port_world *w)
{
	uint64_t ms = w->port->boottime_ms(w->port), us = w->port->boottime_us(w->port);

	for (int i = 0; i < QUIET_TURNS; i++) {
		w->turn(w->user);
		CHECK(w->port->boottime_ms(w->port) >= ms);
		CHECK(w->port->boottime_us(w->port) >= us);
		ms = w->port->boottime_ms(w->port);
		us = w->port->boottime_us(w->port);
	}
	CHECK(us / 1000 + 1 >= ms);
	return NULL;
}

static const char *the_boot_id_stays(struct port_world *w)
{
	uint8_t first[16];

	memcpy(first, w->port->boot_id(w->port), 16);
	w->turn(w->user);
	CHECK(memcmp(first, w->port->boot_id(w->port), 16) == 0);
	return NULL;
}

static const char *entropy_does_not_repeat(struct port_world *w)
{
	char a[32], b[32];

	CHECK(w->port->entropy(w->port, a, sizeof(a)) == 0);
	CHECK(w->port->entropy(w->port, b, sizeof(b)) == 0);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	CHECK(w->port->entropy(w->port, a, 0) == 0);
	return NULL;
}

static const char *every_operation_is_there(struct port_world *w)
{
	return port_missing_operation(w->port);
}

/* ---- all of them ---- */

/* clang-format off */
#define CASE(test) { .name = #test, .run = test }
/* clang-format on */

const struct port_case port_cases[] = {
	CASE(every_operation_is_there),
	CASE(both_ends_hear_each_other),
	CASE(the_peer_has_the_address_of_its_end),
	CASE(nobody_there_is_refused_on_a_later_turn),
	CASE(data_waits_while_reading_is_off),
	CASE(a_slow_reader_stops_the_writer),
	CASE(after_a_shutdown_the_other_side_still_speaks),
	CASE(the_end_waits_while_reading_is_off),
	CASE(an_abort_resets_the_other_side),
	CASE(writing_to_a_dead_stream_fails),
	CASE(closing_in_on_data_ends_all_events),
	CASE(closing_in_on_connect_is_safe),
	CASE(closing_before_on_connect_ends_it),
	CASE(a_storm_of_streams_leaves_no_event_behind),
	CASE(closing_in_on_accept_is_safe),
	CASE(nobody_is_accepted_while_accepting_is_off),
	CASE(an_address_is_listened_at_once),
	CASE(numeric_hosts_are_their_own_answer),
	CASE(localhost_and_names_below_it_are_loopback),
	CASE(a_cancelled_look_up_never_answers),
	CASE(jobs_run_and_are_done_in_order),
	CASE(jobs_finish_runs_all_of_them),
	CASE(each_queue_keeps_its_order),
	CASE(jobs_finish_runs_both_queues),
	CASE(the_wake_up_comes_when_asked_for),
	CASE(boot_time_never_goes_back),
	CASE(the_boot_id_stays),
	CASE(entropy_does_not_repeat),
	CASE(port_watch_tells_on_each_turn),
	CASE(port_watch_closed_tells_nothing),
	{ NULL, NULL },
};

const char *port_case_run(const struct port_case *c, struct port_world *w)
{
	const char *why;

	event_inside = false;
	why = c->run(w);
	if (!why && event_inside)
		return "an event came inside the call of an operation";
	return why;
}

const char *port_missing_operation(const struct hf_port *port)
{
#define OPERATION(name)  \
	if (!port->name) \
	return #name
	OPERATION(boottime_ms);
	OPERATION(boottime_us);
	OPERATION(wall_ms);
	OPERATION(utc_offset_s);
	OPERATION(link_metered);
	OPERATION(captive_api);
	OPERATION(boot_id);
	OPERATION(wake_at);
	OPERATION(entropy);
	OPERATION(stream_connect);
	OPERATION(stream_accept);
	OPERATION(stream_read);
	OPERATION(stream_write);
	OPERATION(stream_shutdown);
	OPERATION(stream_close);
	OPERATION(stream_peer);
	OPERATION(listen);
	OPERATION(listener_close);
	OPERATION(listener_accept);
	OPERATION(listener_addr);
	OPERATION(resolve);
	OPERATION(resolve_cancel);
	OPERATION(job_submit);
	OPERATION(jobs_finish);
	OPERATION(vfs_name);
	OPERATION(state_dir);
	OPERATION(file_read);
	OPERATION(dir_read);
	OPERATION(log);
	OPERATION(ready);
	OPERATION(progress);
	OPERATION(tell);
#undef OPERATION
	if (!port->watch != !port->watch_close)
		return "one of watch and watch_close";
	if (!port->datagram_open != !port->datagram_send ||
	    !port->datagram_open != !port->datagram_addr ||
	    !port->datagram_open != !port->datagram_close)
		return "some of the operations of datagrams";
	/* an operation added to struct hf_port is added above too; file_exposed may be NULL */
	_Static_assert(sizeof(struct hf_port) == (2 + 39) * sizeof(void *), "39 operations");
	return NULL;
}

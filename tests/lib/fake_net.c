/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/fake_net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/addr.h"

#define ACTIVE_MAX 100000 /* rounds at one time: more is a loop */

static struct fake_net *of(struct hf_port *port)
{
	return hf_container_of(port, struct fake_net, port);
}

static struct fake_peer *peer_of(struct hf_list *node)
{
	return hf_container_of(node, struct fake_peer, node);
}

static struct fake_peer *peer(struct hf_stream *stream)
{
	return (struct fake_peer *)(void *)stream;
}

/* ---- the port ---- */

static uint64_t boottime_ms(struct hf_port *port)
{
	return of(port)->now_ms;
}

static uint64_t boottime_us(struct hf_port *port)
{
	return of(port)->now_ms * 1000;
}

static enum hf_clock_trust wall_ms(struct hf_port *port, int64_t *ms)
{
	*ms = of(port)->wall_ms;
	return of(port)->trust;
}

static int entropy(struct hf_port *port, void *out, size_t len)
{
	struct fake_net *n = of(port);
	unsigned char *p = out;

	while (len-- > 0) {
		n->random = n->random * UINT64_C(6364136223846793005) + 1442695040888963407;
		*p++ = (unsigned char)(n->random >> 56);
	}
	return 0;
}

static const struct fake_host *host_of(const struct fake_net *n, const struct hf_addr *to)
{
	struct hf_addr a;
	size_t i;

	for (i = 0; i < n->hosts_n; i++) {
		a = n->hosts[i].addr;
		a.port = to->port;
		if (hf_addr_eq(&a, to))
			return &n->hosts[i];
	}
	return NULL;
}

static int stream_connect(struct hf_port *port, const struct hf_addr *to,
			  const struct hf_stream_events *events, void *user, struct hf_stream **out)
{
	struct fake_net *n = of(port);
	const struct fake_host *host = host_of(n, to);
	struct fake_peer *p;

	if (!host || host->answer == FAKE_UNREACH)
		return HF_EUNREACH;
	p = calloc(1, sizeof(*p));
	if (!p)
		return HF_ENOMEM;
	p->net = n;
	p->to = *to;
	p->events = events;
	p->user = user;
	p->answer = host->answer;
	p->connect_at_ms = n->now_ms + host->delay_ms;
	p->window = SIZE_MAX;
	hf_buf_init(&p->got, SIZE_MAX / 2);
	hf_buf_init(&p->give, SIZE_MAX / 2);
	hf_list_push(&n->peers, &p->node);
	n->peers_n++;
	*out = (struct hf_stream *)(void *)p;
	return 0;
}

static void stream_read(struct hf_port *port, struct hf_stream *stream, bool on)
{
	(void)port;
	assert(!peer(stream)->closed);
	peer(stream)->reading = on;
}

static ptrdiff_t stream_write(struct hf_port *port, struct hf_stream *stream, const void *data,
			      size_t len)
{
	struct fake_peer *p = peer(stream);
	size_t taken = len < p->window ? len : p->window;

	(void)port;
	assert(p->connected && !p->closed && !p->fin && !p->error_told);
	if (p->write_error)
		return p->write_error;
	if (hf_buf_append(&p->got, hf_span(data, taken)))
		return HF_ECONNRESET;
	if (p->window != SIZE_MAX)
		p->window -= taken;
	if (taken > 0)
		p->writes++;
	if (taken < len)
		p->want_writable = true;
	return (ptrdiff_t)taken;
}

static void stream_shutdown(struct hf_port *port, struct hf_stream *stream)
{
	(void)port;
	assert(!peer(stream)->closed && !peer(stream)->fin);
	peer(stream)->fin = true;
}

static void stream_close(struct hf_port *port, struct hf_stream *stream, bool abort)
{
	(void)port;
	assert(!peer(stream)->closed);
	peer(stream)->closed = true;
	peer(stream)->aborted = abort;
}

static int resolve(struct hf_port *port, const char *host, hf_resolve_done *done, void *user,
		   struct hf_resolve **out)
{
	struct fake_net *n = of(port);

	(void)host;
	assert(!n->resolving);
	n->resolves++;
	n->resolving = true;
	n->resolve_at_ms = n->now_ms + n->resolve_delay_ms;
	n->resolve_done = done;
	n->resolve_user = user;
	*out = (struct hf_resolve *)(void *)n;
	return 0;
}

static void resolve_cancel(struct hf_port *port, struct hf_resolve *r)
{
	(void)r;
	assert(of(port)->resolving);
	of(port)->resolving = false;
}

static int file_read(struct hf_port *port, const char *path, size_t max, char **out, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *text;

	(void)port;
	if (!f)
		return HF_ENOENT;
	text = malloc(max + 1);
	assert(text);
	*len = fread(text, 1, max, f);
	fclose(f);
	text[*len] = '\0';
	*out = realloc(text, *len + 1);
	return 0;
}

/* ---- rounds ---- */

static bool turn_resolve(struct fake_net *n)
{
	if (!n->resolving || n->resolve_at_ms > n->now_ms)
		return false;
	n->resolving = false;
	n->resolve_done(n->resolve_user, n->resolve_err, n->addrs, n->resolve_err ? 0 : n->addrs_n);
	return true;
}

static bool turn_connect(struct fake_peer *p)
{
	if (p->told || p->answer == FAKE_SILENT || p->connect_at_ms > p->net->now_ms)
		return false;
	p->told = true;
	p->connected = p->answer == FAKE_ACCEPT;
	p->events->on_connect(p->user, p->connected ? 0 : HF_ECONNREFUSED);
	return true;
}

static bool turn_data(struct fake_peer *p)
{
	struct hf_span all = hf_buf_span(&p->give);
	struct hf_span piece;

	if (!p->reading || all.len == 0)
		return false;
	piece = hf_span(hf_span_dup(all), all.len < p->net->data_max ? all.len : p->net->data_max);
	if (!piece.ptr)
		return true; /* next time */
	hf_buf_consume(&p->give, piece.len);
	p->events->on_data(p->user, piece.ptr, piece.len);
	free((void *)(uintptr_t)piece.ptr);
	return true;
}

static bool turn_peer(struct fake_peer *p)
{
	if (p->closed)
		return false;
	if (!p->connected)
		return turn_connect(p);
	if (turn_data(p))
		return true;
	if (p->give_error && !p->error_told && (p->give.len == 0 || !p->reading)) {
		p->error_told = true;
		p->events->on_error(p->user, p->give_error);
		return true;
	}
	if (p->give_eof && p->give.len == 0 && p->reading && !p->eof_told) {
		p->eof_told = true;
		p->events->on_eof(p->user);
		return true;
	}
	if (p->want_writable && p->window > 0 && !p->error_told) {
		p->want_writable = false;
		p->events->on_writable(p->user);
		return true;
	}
	return false;
}

bool fake_net_turn(struct fake_net *n)
{
	struct hf_list *it, *tmp;
	bool did = false;

	if (hf_timerq_next(&n->timers) <= n->now_ms) {
		hf_timerq_run(&n->timers, n->now_ms);
		did = true;
	}
	did |= turn_resolve(n);
	hf_list_for(it, tmp, &n->peers)
		did |= turn_peer(peer_of(it));
	return did;
}

void fake_net_settle(struct fake_net *n)
{
	unsigned rounds = 0;

	while (fake_net_turn(n)) {
		assert(++rounds < ACTIVE_MAX);
	}
}

static uint64_t next_event(struct fake_net *n, uint64_t end)
{
	struct hf_list *it, *tmp;
	uint64_t next = end;

	if (hf_timerq_next(&n->timers) < next)
		next = hf_timerq_next(&n->timers);
	if (n->resolving && n->resolve_at_ms < next)
		next = n->resolve_at_ms;
	hf_list_for(it, tmp, &n->peers) {
		struct fake_peer *p = peer_of(it);

		if (!p->closed && !p->told && p->answer != FAKE_SILENT && p->connect_at_ms < next)
			next = p->connect_at_ms;
	}
	return next < n->now_ms ? n->now_ms : next;
}

void fake_net_advance(struct fake_net *n, uint64_t ms)
{
	uint64_t end = n->now_ms + ms;

	fake_net_settle(n);
	while (n->now_ms < end) {
		uint64_t to = next_event(n, end);

		n->wall_ms += (int64_t)(to - n->now_ms);
		n->now_ms = to;
		fake_net_settle(n);
	}
}

/* ---- set-up ---- */

static void log_nothing(void *user, enum hf_log_level level, const char *line)
{
	(void)user;
	if (getenv("HF_TEST_LOG"))
		fprintf(stderr, "%d %s\n", (int)level, line);
}

void fake_net_init(struct fake_net *n)
{
	*n = (struct fake_net){
		.now_ms = 100000,
		.wall_ms = INT64_C(1800000000000),
		.trust = HF_CLOCK_SYNCED,
		.data_max = 65536,
	};
	n->port = (struct hf_port){
		.boottime_ms = boottime_ms,
		.boottime_us = boottime_us,
		.wall_ms = wall_ms,
		.entropy = entropy,
		.stream_connect = stream_connect,
		.stream_read = stream_read,
		.stream_write = stream_write,
		.stream_shutdown = stream_shutdown,
		.stream_close = stream_close,
		.resolve = resolve,
		.resolve_cancel = resolve_cancel,
		.file_read = file_read,
	};
	n->log = (struct hf_log){ .level = HF_LOG_DEBUG, .write = log_nothing };
	hf_timerq_init(&n->timers, NULL, NULL);
	hf_list_init(&n->peers);
}

void fake_net_finish(struct fake_net *n)
{
	struct hf_list *node;

	while ((node = hf_list_pop(&n->peers))) {
		assert(peer_of(node)->closed);
		hf_buf_finish(&peer_of(node)->got);
		hf_buf_finish(&peer_of(node)->give);
		free(peer_of(node));
	}
	assert(n->timers.len == 0);
	hf_timerq_finish(&n->timers);
}

void fake_net_host(struct fake_net *n, const char *ip, enum fake_answer answer, uint64_t delay_ms)
{
	struct fake_host *h = &n->hosts[n->hosts_n++];

	assert(hf_addr_parse(ip, &h->addr) == 0);
	h->answer = answer;
	h->delay_ms = delay_ms;
	n->addrs[n->addrs_n++] = h->addr;
}

void fake_net_answer(struct fake_net *n, const char *ip, enum fake_answer answer)
{
	struct hf_addr a;
	size_t i;

	assert(hf_addr_parse(ip, &a) == 0);
	for (i = 0; i < n->hosts_n; i++)
		if (hf_addr_eq(&n->hosts[i].addr, &a))
			n->hosts[i].answer = answer;
}

struct fake_peer *fake_net_peer(struct fake_net *n, size_t i)
{
	struct hf_list *it, *tmp;

	assert(i < n->peers_n);
	hf_list_for(it, tmp, &n->peers)
		if (i-- == 0)
			return peer_of(it);
	abort();
}

void fake_peer_send_bytes(struct fake_peer *p, const void *data, size_t len)
{
	/* a second try: memory fails once in tests of that */
	if (hf_buf_append(&p->give, hf_span(data, len)))
		assert(hf_buf_append(&p->give, hf_span(data, len)) == 0);
}

void fake_peer_send(struct fake_peer *p, const char *text)
{
	fake_peer_send_bytes(p, text, strlen(text));
}

void fake_peer_open_window(struct fake_peer *p, size_t window)
{
	p->window = window;
}

const char *fake_peer_take(struct fake_peer *p)
{
	static char *last;

	free(last);
	last = hf_span_dup(hf_buf_span(&p->got));
	if (!last)
		last = calloc(1, 1);
	hf_buf_clear(&p->got);
	return last;
}

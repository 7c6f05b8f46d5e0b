/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport: connections in a pool, exchanges in a line. Whenever either
 * changes, hf_http1_pump gives the first in line the connection that was used
 * last, and dials one for each that remains, up to the limit.
 */
#include "net/http1.h"

#include <assert.h>
#include <stdlib.h>

#include "net/addr.h"
#include "net/http1_internal.h"
#include "net/tls.h"

static struct http1 *of(struct hf_transport *t)
{
	return hf_container_of(t, struct http1, base);
}

static struct conn *conn_of(struct hf_list *node)
{
	return hf_container_of(node, struct conn, node);
}

static struct hf_exchange *exchange_of(struct hf_list *node)
{
	return hf_container_of(node, struct hf_exchange, node);
}

/* ---- what is to be told later ---- */

void hf_http1_soon(struct hf_exchange *x)
{
	struct http1 *t = x->t;

	hf_list_remove(&x->soon);
	hf_list_push(&t->soon, &x->soon);
	if (!hf_timer_is_set(&t->soon_timer) &&
	    hf_timerq_set(t->opt.timers, &t->soon_timer, http1_now(t)))
		hf_log(t->opt.log, HF_LOG_ERROR, "http1.timer", "err=ENOMEM");
}

static void on_soon(void *user)
{
	struct http1 *t = user;
	struct hf_list now, *node;

	hf_list_init(&now);
	while ((node = hf_list_pop(&t->soon)))
		hf_list_push(&now, node);
	while ((node = hf_list_pop(&now)))
		hf_http1_x_run(hf_container_of(node, struct hf_exchange, soon));
}

/* ---- the pool ---- */

void hf_http1_wait(struct hf_exchange *x, bool front)
{
	struct http1 *t = x->t;

	assert(!x->c && x->state != X_WAITING);
	hf_list_remove(&x->node);
	hf_list_remove(&x->soon);
	if (front)
		hf_list_push_front(&t->waiting, &x->node);
	else
		hf_list_push(&t->waiting, &x->node);
	t->waiting_n++;
	x->state = X_WAITING;
	x->start_ms = http1_now(t);
	hf_http1_x_arm(x);
}

/* The connection to use next: the one used last; for an exchange that wants a
 * fresh one, one that served nobody yet. */
static struct conn *find_idle(struct http1 *t, bool fresh)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->idle)
		if (!fresh || conn_of(it)->uses == 0)
			return conn_of(it);
	return NULL;
}

/* Serves the first in line that can be served now. */
static bool give_idle(struct http1 *t)
{
	struct hf_list *it, *tmp;

	if (t->idle_n == 0)
		return false;
	hf_list_for(it, tmp, &t->waiting) {
		struct hf_exchange *x = exchange_of(it);
		struct conn *c = find_idle(t, x->fresh);

		if (c) {
			hf_http1_x_attach(x, c);
			return true;
		}
	}
	return false;
}

static bool make_room(struct http1 *t)
{
	if (t->connections < t->opt.connections_max)
		return true;
	if (hf_list_empty(&t->idle))
		return false;
	hf_http1_conn_close(conn_of(t->idle.prev), false); /* idle the longest */
	return true;
}

void hf_http1_pump(struct http1 *t)
{
	if (t->pumping)
		return; /* the loop below sees what has changed */
	t->pumping = true;
	while (t->waiting_n > 0) {
		if (give_idle(t))
			continue;
		if (t->connecting >= t->waiting_n || !make_room(t))
			break;
		if (!hf_http1_conn_open(t))
			hf_http1_x_end(exchange_of(hf_list_first(&t->waiting)), HF_END_INTERNAL,
				       HF_ENOMEM, "out of memory");
	}
	t->pumping = false;
}

void hf_http1_dial_failed(struct http1 *t, enum hf_end end, int err, const char *detail)
{
	struct hf_list *first = hf_list_first(&t->waiting);

	hf_log(t->opt.log, HF_LOG_DEBUG, "http1.connect", "host=%s err=%s", t->opt.host,
	       hf_errname(err));
	if (first) {
		struct hf_exchange *x = exchange_of(first);

		/* What an earlier connection took may have arrived. */
		if (x->sent != HF_SENT_NONE && end != HF_END_INTERNAL)
			end = HF_END_RESET;
		hf_http1_x_end(x, end, err, detail);
	}
	hf_http1_pump(t);
}

static void on_idle_timer(void *user)
{
	struct http1 *t = user;
	struct hf_list *it, *prev;
	uint64_t now = http1_now(t);

	for (it = t->idle.prev; it != &t->idle; it = prev) {
		uint64_t due = conn_of(it)->idle_since_ms + t->opt.keepalive_timeout_ms;

		prev = it->prev;
		if (due > now) {
			(void)hf_timerq_set(t->opt.timers, &t->idle_timer, due);
			return;
		}
		hf_http1_conn_close(conn_of(it), false);
	}
}

/* Connections that stand serve no further exchange. */
static void retire(struct http1 *t)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->idle)
		hf_http1_conn_close(conn_of(it), false);
	hf_list_for(it, tmp, &t->conns)
		conn_of(it)->last = conn_of(it)->state == CONN_BUSY;
}

/* Who we are to the origin may have changed: what stands was opened by who we were. */
static void renew(struct http1 *t)
{
	struct hf_list *it, *tmp;

	if (!t->opt.tls || !hf_tls_client_renew(t->opt.tls))
		return;
	retire(t);
	hf_list_for(it, tmp, &t->conns)
		if (conn_of(it)->state == CONN_HANDSHAKE)
			hf_http1_conn_restart(conn_of(it));
}

/* ---- the transport's operations ---- */

static int perform(struct hf_transport *base, const struct hf_transport_request *req,
		   const struct hf_exchange_events *events, void *user, struct hf_exchange **out)
{
	struct http1 *t = of(base);
	struct hf_exchange *x;
	struct conn *c;

	if (t->waiting_n >= HF_HTTP1_WAITING_MAX)
		return HF_ELIMIT;
	x = hf_http1_x_create(t);
	if (!x)
		return HF_ENOMEM;
	x->msg = *req->msg;
	x->msg.keep_alive = true;
	x->msg.minor = 1;
	x->events = events;
	x->user = user;
	x->body_left = req->msg->body == HF_BODY_LENGTH ? req->msg->body_len : 0;
	x->fresh = req->fresh;
	x->first_byte_ms = req->first_byte_timeout_ms ? req->first_byte_timeout_ms :
							t->opt.first_byte_timeout_ms;
	x->gone = events->on_send == NULL;
	*out = x;
	t->calls++;
	x->state = X_READY;
	renew(t);
	c = t->waiting_n == 0 ? find_idle(t, x->fresh) : NULL;
	if (c) {
		hf_http1_x_attach(x, c);
	} else {
		hf_http1_wait(x, false);
		hf_http1_pump(t);
	}
	t->calls--;
	return 0;
}

static void go(struct hf_transport *base, struct hf_exchange *x)
{
	of(base)->calls++;
	hf_http1_x_go(x);
	of(base)->calls--;
}

static size_t send(struct hf_transport *base, struct hf_exchange *x, struct hf_span data)
{
	size_t n;

	of(base)->calls++;
	n = hf_http1_x_send(x, data);
	of(base)->calls--;
	return n;
}

static void send_end(struct hf_transport *base, struct hf_exchange *x,
		     const struct hf_fields *trailers)
{
	of(base)->calls++;
	hf_http1_x_send_end(x, trailers);
	of(base)->calls--;
}

static void receive(struct hf_transport *base, struct hf_exchange *x, bool on)
{
	of(base)->calls++;
	hf_http1_x_receive(x, on);
	of(base)->calls--;
}

static void cancel(struct hf_transport *base, struct hf_exchange *x)
{
	struct http1 *t = of(base);

	t->calls++;
	hf_http1_x_cancel(x);
	hf_http1_pump(t);
	t->calls--;
}

/* ---- public ---- */

int hf_http1_create(const struct hf_http1_options *opt, struct hf_transport **out)
{
	struct http1 *t = calloc(1, sizeof(*t));

	assert(opt->connections_max > 0 && opt->connect_timeout_ms > 0);
	if (!t)
		return HF_ENOMEM;
	t->opt = *opt;
	if (hf_dialer_init(&t->dialer, opt->port, opt->timers, opt->host, opt->port_number)) {
		free(t);
		return HF_ENOMEM;
	}
	t->opt.host = t->dialer.host;
	t->base = (struct hf_transport){
		.perform = perform,
		.go = go,
		.send = send,
		.send_end = send_end,
		.receive = receive,
		.cancel = cancel,
	};
	hf_list_init(&t->idle);
	hf_list_init(&t->conns);
	hf_list_init(&t->waiting);
	hf_list_init(&t->running);
	hf_list_init(&t->spare);
	hf_list_init(&t->soon);
	hf_timer_init(&t->soon_timer, on_soon, t);
	hf_timer_init(&t->idle_timer, on_idle_timer, t);
	*out = &t->base;
	return 0;
}

static void close_all(struct hf_list *conns)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, conns)
		hf_http1_conn_close(conn_of(it), false);
}

static void destroy_all(struct hf_list *exchanges)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, exchanges)
		hf_http1_x_destroy(exchange_of(it));
}

void hf_http1_destroy(struct hf_transport *base)
{
	struct hf_list *node;
	struct http1 *t;

	if (!base)
		return;
	t = of(base);
	assert(t->calls == 0);
	close_all(&t->conns);
	close_all(&t->idle);
	destroy_all(&t->waiting);
	destroy_all(&t->running);
	assert(t->connections == 0 && t->connecting == 0 && t->idle_n == 0 && t->waiting_n == 0);
	while ((node = hf_list_pop(&t->spare))) {
		hf_arena_finish(&exchange_of(node)->arena);
		hf_buf_finish(&exchange_of(node)->out);
		free(exchange_of(node));
	}
	hf_timerq_clear(t->opt.timers, &t->soon_timer);
	hf_timerq_clear(t->opt.timers, &t->idle_timer);
	hf_dialer_finish(&t->dialer);
	free(t);
}

/* One that works for an exchange, when the network has changed. */
static void busy_changed(struct conn *c, bool up)
{
	struct hf_exchange *x = c->x;
	bool reused = c->uses > 0;

	if (up && x->state == X_ACTIVE)
		return; /* it may live on: its timeouts decide */
	if (x->rx_any)
		return;
	hf_http1_conn_close(c, true);
	if (x->state == X_ACTIVE)
		hf_http1_x_end(x, HF_END_RESET, HF_EUNREACH, "the network link is gone");
	else
		hf_http1_x_lost(x, reused, HF_EUNREACH, "the network link is gone");
}

void hf_http1_network_changed(struct hf_transport *base, bool up)
{
	struct http1 *t = of(base);
	struct hf_list *it, *tmp;

	t->calls++;
	hf_dialer_network_changed(&t->dialer);
	hf_list_for(it, tmp, &t->idle)
		if (!hf_addr_is_local(&conn_of(it)->addr))
			hf_http1_conn_close(conn_of(it), true);
	hf_list_for(it, tmp, &t->conns) {
		struct conn *c = conn_of(it);

		if (c->state == CONN_DIALING || hf_addr_is_local(&c->addr))
			continue;
		if (c->state == CONN_HANDSHAKE)
			hf_http1_conn_restart(c);
		else
			busy_changed(c, up);
	}
	hf_http1_pump(t);
	t->calls--;
}

void hf_http1_distrust(struct hf_transport *base)
{
	struct http1 *t = of(base);

	t->calls++;
	hf_dialer_forget(&t->dialer);
	retire(t);
	t->calls--;
}

void hf_http1_figures(struct hf_transport *base, struct hf_http1_figures *out)
{
	struct http1 *t = of(base);

	*out = (struct hf_http1_figures){
		.connections = t->connections,
		.idle = t->idle_n,
		.waiting = t->waiting_n,
		.opened = t->opened,
		.reused = t->reused,
	};
}

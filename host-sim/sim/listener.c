/* SPDX-License-Identifier: Apache-2.0 */
/* Listening and calling: who answers an address, and how a call arrives. */
#include <assert.h>

#include "sim/conn.h"
#include "sim/mem.h"

/* ---- listeners ---- */

static bool is_any(const struct hf_addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->ip, zero, sizeof(zero)) == 0;
}

static bool is_loopback(const struct hf_addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (a->family == HF_FAMILY_IPV6)
		return memcmp(a->ip, one, sizeof(one)) == 0;
	return a->family == HF_FAMILY_IPV4 && a->ip[0] == 127;
}

static bool answers(const struct hf_listener *l, const struct hf_addr *at)
{
	if (l->addr.family != at->family)
		return false;
	if (at->family == HF_FAMILY_UNIX)
		return strcmp(l->addr.path, at->path) == 0;
	return l->addr.port == at->port &&
	       (is_any(&l->addr) || memcmp(l->addr.ip, at->ip, sizeof(at->ip)) == 0);
}

struct hf_listener *sim_listener_find(struct sim_node *node, const struct hf_addr *at)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &node->listeners) {
		struct hf_listener *l = hf_container_of(it, struct hf_listener, item);

		if (!l->silent && answers(l, at))
			return l;
	}
	return NULL;
}

static void offer_all(void *user)
{
	struct hf_listener *l = user;
	struct sim_heap *heap;
	struct hf_list *item;

	while (l->accepting && !l->silent && (item = hf_list_pop(&l->backlog))) {
		struct sim_conn *c = hf_container_of(item, struct sim_conn, waiting);
		struct hf_stream *s = &c->end[1];

		c->busy++;
		heap = sim_heap_enter(l->heap);
		s->heap = l->heap;
		l->events->on_accept(l->user, s);
		sim_heap_enter(heap);
		assert(!s->open || s->events); /* taken or closed */
		c->busy--;
		sim_conn_free_if_done(c);
	}
}

void sim_listener_offer(struct hf_listener *l, struct sim_conn *c)
{
	hf_list_push(&l->backlog, &c->waiting);
	if (l->accepting)
		sim_event_in(l->node->net->world, &l->ev_accept, 0);
}

int sim_listen(struct sim_node *node, const void *owner, const struct hf_addr *at,
	       const struct hf_listener_events *events, void *user, struct hf_listener **out)
{
	struct hf_addr addr = *at;
	struct hf_listener *l;

	if (addr.family != HF_FAMILY_UNIX && addr.port == 0)
		addr.port = ++node->last_port;
	if (sim_listener_find(node, &addr))
		return HF_EBUSY;
	l = sim_alloc(sizeof(*l));
	l->node = node;
	l->owner = owner;
	l->heap = sim_heap_now();
	l->events = events;
	l->user = user;
	l->addr = addr;
	l->accepting = true;
	hf_list_init(&l->item);
	hf_list_init(&l->backlog);
	sim_event_init(&l->ev_accept, offer_all, l);
	hf_list_push(&node->listeners, &l->item);
	*out = l;
	return 0;
}

void sim_listener_close(struct hf_listener *l)
{
	struct hf_list *item;

	while ((item = hf_list_pop(&l->backlog)))
		sim_stream_close(&hf_container_of(item, struct sim_conn, waiting)->end[1], true);
	sim_event_clear(l->node->net->world, &l->ev_accept);
	hf_list_remove(&l->item);
	sim_free(l);
}

void sim_listener_accept(struct hf_listener *l, bool on)
{
	l->accepting = on;
	if (on && !hf_list_empty(&l->backlog))
		sim_event_in(l->node->net->world, &l->ev_accept, 0);
}

void sim_listener_addr(const struct hf_listener *l, struct hf_addr *out)
{
	*out = l->addr;
}

/* ---- calling ---- */

static void connected(void *user)
{
	struct hf_stream *s = user;
	struct sim_conn *c = s->conn;
	struct sim_heap *heap;

	if (!s->open || s->silent || s->err)
		return;
	s->established = true;
	c->busy++;
	heap = sim_heap_enter(s->heap);
	s->events->on_connect(s->user, 0);
	sim_heap_enter(heap);
	c->busy--;
	if (s->open && s->reading)
		sim_stream_read(s, true);
	if (s->open && s->wants_room) { /* a write came before the connection */
		s->wants_room = false;
		sim_event_in(c->net->world, &s->ev_room, 0);
	}
	sim_conn_free_if_done(c);
}

/* The call stands at the server; the caller hears it one way later. */
static void establish(struct sim_conn *c, struct hf_listener *l)
{
	struct sim_world *w = c->net->world;
	struct hf_stream *caller = &c->end[0], *called = &c->end[1];

	sim_end_open(called, l->node, l->owner);
	called->addr = c->to;
	called->established = true;
	called->last_at_us = w->now_us;
	sim_event_init(&caller->ev_connect, connected, caller);
	sim_event_in(w, &caller->ev_connect, sim_conn_latency(c));
	caller->last_at_us = caller->ev_connect.at_us;
	sim_listener_offer(l, c);
}

/* A call that nobody hears is heard of after two minutes. */
static void wait_in_vain(struct hf_stream *s)
{
	s->coming_err = HF_ETIMEDOUT;
	sim_event_in(s->conn->net->world, &s->ev_fail, SIM_SYN_GIVES_UP_US);
}

static void fail_soon(struct hf_stream *s, int err)
{
	s->coming_err = err;
	sim_event_in(s->conn->net->world, &s->ev_fail, sim_conn_latency(s->conn));
}

/* Whom a call from here meets as the world is now. */
static struct sim_node *aim(struct sim_conn *c)
{
	struct sim_node *from = c->end[0].node;

	c->via_portal = !c->loopback && from->captive && c->net->portal;
	return c->loopback ? from : c->via_portal ? c->net->portal : sim_node_at(c->net, &c->to);
}

static void call_arrives(void *user)
{
	struct hf_stream *s = user;
	struct sim_conn *c = s->conn;
	struct sim_node *target = aim(c);
	struct hf_listener *l;

	if (!c->loopback && !s->node->link_up) {
		fail_soon(s, HF_EUNREACH);
		return;
	}
	if (!target || (!c->loopback && !sim_net_open(s->node, target, c->via_portal))) {
		wait_in_vain(s);
		return;
	}
	if (c->via_portal)
		memcpy(c->to.ip, target->addr.ip, sizeof(c->to.ip));
	l = sim_listener_find(target, &c->to);
	c->end[1].node = target;
	if (l) {
		establish(c, l);
		return;
	}
	target->refused += !c->loopback;
	fail_soon(s, HF_ECONNREFUSED);
}

int sim_stream_connect(struct sim_node *node, const void *owner, const struct hf_addr *to,
		       const struct hf_stream_events *events, void *user, struct hf_stream **out)
{
	struct sim_conn *c = sim_conn_create(node);
	struct hf_stream *s = &c->end[0];

	sim_end_open(s, node, owner);
	s->events = events;
	s->user = user;
	s->addr = node->addr;
	s->addr.family = to->family;
	if (++node->last_port < 32768)
		node->last_port = 32768;
	s->addr.port = node->last_port;
	c->to = *to;
	c->loopback = to->family == HF_FAMILY_UNIX || is_loopback(to);
	c->end[1].node = aim(c); /* for the latency */
	if (c->loopback)
		memcpy(s->addr.ip, to->ip, sizeof(s->addr.ip));
	sim_event_init(&s->ev_connect, call_arrives, s);
	sim_event_in(node->net->world, &s->ev_connect, sim_conn_latency(c));
	*out = s;
	return 0;
}

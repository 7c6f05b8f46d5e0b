/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/datagram.h"

#include "sim/mem.h"

#define HEADERS_BYTES 28 /* IP and UDP */
#define FIRST_PORT    49152

/* One on its way. */
struct packet {
	struct hf_list item;
	struct sim_net *net;
	struct hf_addr from, to;
	struct sim_event due;
	bool refusal; /* says that nobody listens at @from */
	size_t len;
	uint8_t data[];
};

/* A node has every address that a socket of it is bound to. */
static struct hf_datagrams *find(struct sim_node *n, const struct hf_addr *at)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &n->sockets) {
		struct hf_datagrams *d = hf_container_of(it, struct hf_datagrams, item);

		if (!d->silent && d->addr.family == at->family && d->addr.port == at->port)
			return d;
	}
	return NULL;
}

/* ---- on the way ---- */

/* One side of the way, at its own time: what has left its sender arrives without it. */
static bool passes(const struct sim_node *n, const struct sim_node *other)
{
	if (n == other || n->local || (other && other->local))
		return n->powered;
	return n->powered && n->link_up && !n->black_hole && !n->captive;
}

static void leave(struct hf_datagrams *d)
{
	if (--d->busy == 0 && d->closed)
		sim_free(d);
}

static void deliver(struct hf_datagrams *d, const struct packet *p)
{
	size_t len = p->len < HF_DATAGRAM_BYTES_MAX ? p->len : HF_DATAGRAM_BYTES_MAX;
	struct sim_heap *before = sim_heap_enter(d->heap);

	d->busy++;
	if (!p->refusal)
		d->events->on_datagram(d->user, &p->from, p->data, len);
	else if (d->on_refused)
		d->on_refused(d->user, &p->from);
	leave(d);
	sim_heap_enter(before);
}

static void packet_free(struct packet *p)
{
	sim_event_clear(p->net->world, &p->due);
	hf_list_remove(&p->item);
	sim_free(p);
}

static void arrive(void *user);

static struct packet *launch(struct sim_net *net, const struct hf_addr *from,
			     const struct hf_addr *to, const void *data, size_t len, uint64_t in_us)
{
	struct packet *p = sim_alloc(sizeof(*p) + len);

	p->net = net;
	p->from = *from;
	p->to = *to;
	p->len = len;
	if (len)
		memcpy(p->data, data, len);
	sim_event_init(&p->due, arrive, p);
	hf_list_init(&p->item);
	hf_list_push(&net->packets, &p->item);
	sim_event_in(net->world, &p->due, in_us);
	return p;
}

/* The first bytes come back, with the news. */
static void refuse(struct packet *p, const struct sim_node *at)
{
	struct packet *back = launch(p->net, &p->to, &p->from, NULL, 0, at->latency_us + 1000);

	back->refusal = true;
}

static void arrive(void *user)
{
	struct packet *p = user;
	struct sim_node *to = sim_node_at(p->net, &p->to), *from = sim_node_at(p->net, &p->from);
	struct hf_datagrams *d;

	if (to && from && passes(to, from)) {
		if (to->metered && !from->local)
			to->metered_bytes += p->len + HEADERS_BYTES;
		d = find(to, &p->to);
		if (d)
			deliver(d, p);
		else if (!p->refusal)
			refuse(p, to);
	}
	packet_free(p);
}

/* ---- sockets ---- */

int sim_datagram_open(struct sim_node *node, const void *owner, const struct hf_addr *at,
		      const struct hf_datagram_events *events, void *user,
		      struct hf_datagrams **out)
{
	struct hf_addr addr = *at;
	struct hf_datagrams *d;
	char domain[96];

	if (addr.family != node->addr.family)
		return HF_EUNREACH;
	while (addr.port == 0 || (at->port == 0 && find(node, &addr)))
		addr.port = (uint16_t)(FIRST_PORT + node->sockets_opened++ % 16384);
	if (find(node, &addr))
		return HF_EBUSY;
	d = sim_alloc(sizeof(*d));
	d->node = node;
	d->owner = owner;
	d->events = events;
	d->user = user;
	d->addr = addr;
	d->heap = sim_heap_now();
	snprintf(domain, sizeof(domain), "%s/datagrams/%u", node->name, ++node->sockets_n);
	sim_rng_init(&d->rng, node->net->world->seed, domain);
	hf_list_init(&d->item);
	hf_list_push(&node->sockets, &d->item);
	*out = d;
	return 0;
}

/* Whose network it crosses: that of the side that has faults. */
static const struct sim_net_faults *faults_on(const struct sim_node *a, const struct sim_node *b)
{
	static const struct sim_net_faults none;

	if (a->local || (b && b->local)) /* the air between them */
		return a->local ? &a->faults : &b->faults;
	if (!b || a == b)
		return a == b ? &none : &a->faults;
	return memcmp(&a->faults, &none, sizeof(none)) ? &a->faults : &b->faults;
}

static uint64_t way_us(struct hf_datagrams *d, const struct sim_node *to,
		       const struct sim_net_faults *f, size_t len)
{
	const struct sim_node *from = d->node;
	uint64_t us = from->latency_us + (to ? to->latency_us : 0) + f->latency_us;

	us += sim_rng_below(&d->rng, from->jitter_us + (to ? to->jitter_us : 0) + 1);
	us += sim_rng_below(&d->rng, f->jitter_us + 1);
	if (f->bytes_per_s)
		us += (len + HEADERS_BYTES) * SIM_US_PER_S / f->bytes_per_s;
	return us;
}

void sim_datagram_send(struct hf_datagrams *d, const struct hf_addr *to, const void *data,
		       size_t len)
{
	struct sim_node *node = d->node, *target = sim_node_at(node->net, to);
	const struct sim_net_faults *f = faults_on(node, target);
	struct hf_addr from = d->addr;

	if (d->silent || !passes(node, target))
		return;
	memcpy(from.ip, node->addr.ip, sizeof(from.ip));
	node->datagrams += !node->local && !(target && target->local);
	if (node->metered && !(target && target->local))
		node->metered_bytes += len + HEADERS_BYTES;
	if (sim_rng_chance(&d->rng, f->loss_percent))
		return;
	launch(node->net, &from, to, data, len, way_us(d, target, f, len));
	if (f->double_percent && sim_rng_chance(&d->rng, f->double_percent))
		launch(node->net, &from, to, data, len, way_us(d, target, f, len));
}

void sim_datagram_close(struct hf_datagrams *d)
{
	hf_list_remove(&d->item);
	d->closed = true;
	d->silent = true;
	if (d->busy == 0)
		sim_free(d);
}

/* ---- all of an owner ---- */

void sim_datagram_silence(struct sim_net *net, const void *owner)
{
	struct hf_list *it, *tmp, *sit, *stmp;

	hf_list_for(it, tmp, &net->nodes) {
		struct sim_node *n = hf_container_of(it, struct sim_node, item);

		hf_list_for(sit, stmp, &n->sockets) {
			struct hf_datagrams *d = hf_container_of(sit, struct hf_datagrams, item);

			if (d->owner == owner)
				d->silent = true;
		}
	}
}

size_t sim_datagram_count(const struct sim_net *net, const void *owner)
{
	struct hf_list *it, *tmp, *sit, *stmp;
	size_t n = 0;

	hf_list_for(it, tmp, &net->nodes) {
		struct sim_node *node = hf_container_of(it, struct sim_node, item);

		hf_list_for(sit, stmp, &node->sockets)
			n += hf_container_of(sit, struct hf_datagrams, item)->owner == owner;
	}
	return n;
}

void sim_datagram_finish(struct sim_net *net)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &net->packets)
		packet_free(hf_container_of(it, struct packet, item));
}

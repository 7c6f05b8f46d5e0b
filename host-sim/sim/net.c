/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/net.h"

#include <assert.h>
#include <inttypes.h>

#include "sim/conn.h"
#include "sim/datagram.h"
#include "sim/mem.h"

void sim_net_init(struct sim_net *net, struct sim_world *world)
{
	memset(net, 0, sizeof(*net));
	net->world = world;
	hf_list_init(&net->nodes);
	hf_list_init(&net->conns);
	hf_list_init(&net->packets);
}

void sim_net_finish(struct sim_net *net)
{
	struct hf_list *item;

	assert(hf_list_empty(&net->conns));
	sim_datagram_finish(net);
	while ((item = hf_list_pop(&net->nodes))) {
		struct sim_node *n = hf_container_of(item, struct sim_node, item);

		assert(hf_list_empty(&n->listeners) && hf_list_empty(&n->sockets));
		sim_free(n);
	}
}

struct hf_addr sim_addr_ipv4(uint32_t ip, uint16_t port)
{
	struct hf_addr a = { .family = HF_FAMILY_IPV4, .port = port };

	a.ip[0] = (uint8_t)(ip >> 24);
	a.ip[1] = (uint8_t)(ip >> 16);
	a.ip[2] = (uint8_t)(ip >> 8);
	a.ip[3] = (uint8_t)ip;
	return a;
}

const char *sim_addr_text(const struct hf_addr *a, char out[128])
{
	if (a->family == HF_FAMILY_UNIX)
		snprintf(out, 128, "%s", a->path);
	else if (a->family == HF_FAMILY_IPV6)
		snprintf(out, 128, "[%02x%02x:..:%02x%02x]:%u", a->ip[0], a->ip[1], a->ip[14],
			 a->ip[15], a->port);
	else
		snprintf(out, 128, "%u.%u.%u.%u:%u", a->ip[0], a->ip[1], a->ip[2], a->ip[3],
			 a->port);
	return out;
}

struct sim_node *sim_node_add(struct sim_net *net, const char *name, uint32_t ipv4)
{
	struct sim_node *n = sim_alloc(sizeof(*n));

	n->net = net;
	snprintf(n->name, sizeof(n->name), "%s", name);
	n->addr = sim_addr_ipv4(ipv4, 0);
	n->powered = true;
	n->link_up = true;
	n->latency_us = 5 * SIM_US_PER_MS;
	n->jitter_us = SIM_US_PER_MS;
	n->last_port = 32768;
	hf_list_init(&n->listeners);
	hf_list_init(&n->sockets);
	hf_list_init(&n->item);
	hf_list_push(&net->nodes, &n->item);
	return n;
}

static bool is_at(const struct sim_node *n, const struct hf_addr *at)
{
	return n && n->addr.family == at->family && memcmp(n->addr.ip, at->ip, sizeof(at->ip)) == 0;
}

struct sim_node *sim_node_at(struct sim_net *net, const struct hf_addr *at)
{
	struct sim_node **known = &net->by_ip[at->ip[3]];
	struct hf_list *it, *tmp;

	if (is_at(*known, at))
		return *known;
	hf_list_for(it, tmp, &net->nodes) {
		struct sim_node *n = hf_container_of(it, struct sim_node, item);

		if (is_at(n, at))
			return *known = n;
	}
	return NULL;
}

struct sim_node *sim_node_by_name(struct sim_net *net, const char *name)
{
	struct hf_list *it, *tmp;

	if (net->by_name && strcmp(net->by_name->name, name) == 0)
		return net->by_name;
	hf_list_for(it, tmp, &net->nodes) {
		struct sim_node *n = hf_container_of(it, struct sim_node, item);

		if (strcmp(n->name, name) == 0)
			return net->by_name = n;
	}
	return NULL;
}

static bool passes(const struct sim_node *n)
{
	return n->powered && n->link_up && !n->black_hole;
}

bool sim_net_open(const struct sim_node *a, const struct sim_node *b, bool via_portal)
{
	const struct sim_node *portal = a->net->portal;

	if (!passes(a) || !passes(b))
		return false;
	if (via_portal)
		return a->captive || b->captive;
	return !portal || (!a->captive && !b->captive);
}

void sim_net_changed(struct sim_net *net)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &net->conns)
		sim_conn_kick(hf_container_of(it, struct sim_conn, item));
}

static void silence_end(struct hf_stream *s, bool reset)
{
	struct hf_stream *peer = sim_end_peer(s);
	struct sim_world *w = s->conn->net->world;

	if (reset && s->established && peer->open)
		sim_end_fail(peer, HF_ECONNRESET, w->now_us + sim_conn_latency(s->conn));
	s->silent = true;
	s->dark = !reset;
	if (s->dark && peer->held)
		peer->lost = true;
}

void sim_net_silence(struct sim_net *net, const void *owner, bool reset)
{
	struct hf_list *it, *tmp, *lit, *ltmp;
	int i;

	sim_datagram_silence(net, owner);
	hf_list_for(it, tmp, &net->conns) {
		struct sim_conn *c = hf_container_of(it, struct sim_conn, item);

		for (i = 0; i < 2; i++)
			if (c->end[i].open && c->end[i].owner == owner)
				silence_end(&c->end[i], reset);
	}
	hf_list_for(it, tmp, &net->nodes) {
		struct sim_node *n = hf_container_of(it, struct sim_node, item);

		hf_list_for(lit, ltmp, &n->listeners) {
			struct hf_listener *l = hf_container_of(lit, struct hf_listener, item);

			if (l->owner == owner)
				l->silent = true;
		}
	}
}

size_t sim_net_count(const struct sim_net *net, const void *owner)
{
	struct hf_list *it, *tmp, *lit, *ltmp;
	size_t n = sim_datagram_count(net, owner);

	hf_list_for(it, tmp, &net->conns) {
		const struct sim_conn *c = hf_container_of(it, struct sim_conn, item);

		n += c->end[0].open && c->end[0].owner == owner;
		n += c->end[1].open && c->end[1].owner == owner;
	}
	hf_list_for(it, tmp, &net->nodes) {
		const struct sim_node *node = hf_container_of(it, struct sim_node, item);

		hf_list_for(lit, ltmp, &node->listeners)
			n += hf_container_of(lit, struct hf_listener, item)->owner == owner;
	}
	return n;
}

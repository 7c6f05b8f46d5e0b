/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/coap_observers.h"

#include "sim/datagram.h"
#include "sim/mem.h"

#define MAX_AGE_S 60
#define ORDER_MAX 0xffffffu
#define REGISTER  0

struct observer {
	struct hf_list item;
	struct sim_coap_observers *all;
	struct hf_addr peer;
	char *path;
	struct hf_coap_message m; /* its token */
	struct sim_con con;	  /* the notification on its way */
};

/* The order of notifications outlives the server's process: it is the time. */
void sim_coap_value(struct sim_coap_value *v, struct sim_world *w, bool observed)
{
	uint32_t order = (uint32_t)(w->now_us / SIM_US_PER_MS) & ORDER_MAX;

	v->head = (struct hf_coap_head){ .code = HF_COAP_CODE(2, 5) };
	if (observed)
		(void)hf_coap_option_add(&v->head, HF_COAP_OBSERVE,
					 hf_coap_uint(order, v->bytes[0]));
	(void)hf_coap_option_add(&v->head, HF_COAP_CONTENT_FORMAT, hf_span("", 0));
	(void)hf_coap_option_add(&v->head, HF_COAP_MAX_AGE, hf_coap_uint(MAX_AGE_S, v->bytes[1]));
}

static void observer_free(struct observer *o)
{
	sim_con_stop(&o->con, o->all->world);
	hf_list_remove(&o->item);
	sim_free(o->path);
	sim_free(o);
}

void sim_coap_observers_finish(struct sim_coap_observers *o)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &o->list)
		observer_free(hf_container_of(it, struct observer, item));
}

static bool is_peer(const struct observer *o, const struct hf_addr *peer)
{
	return o->peer.port == peer->port && memcmp(o->peer.ip, peer->ip, sizeof(peer->ip)) == 0;
}

static void drop(struct sim_coap_observers *all, const struct hf_addr *peer,
		 const struct hf_coap_message *m)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &all->list) {
		struct observer *o = hf_container_of(it, struct observer, item);

		if (is_peer(o, peer) && o->m.token_len == m->token_len &&
		    memcmp(o->m.token, m->token, m->token_len) == 0)
			observer_free(o);
	}
}

static void repeat_due(void *user)
{
	struct observer *o = user;

	if (sim_con_again(&o->con, o->all->world))
		sim_datagram_send(o->all->datagrams, &o->peer, o->con.bytes, o->con.len);
	else
		observer_free(o);
}

bool sim_coap_observers_take(struct sim_coap_observers *all, const struct hf_addr *peer,
			     const struct hf_coap_message *m, const char *path)
{
	const struct hf_span *option = hf_coap_option_get(&m->head, HF_COAP_OBSERVE);
	struct observer *o;
	uint32_t what;

	if (!option || !hf_coap_uint_parse(*option, &what))
		return false;
	drop(all, peer, m);
	if (what != REGISTER)
		return false;
	o = sim_alloc(sizeof(*o));
	o->all = all;
	o->peer = *peer;
	o->path = sim_strdup(path);
	o->m = *m;
	sim_event_init(&o->con.due, repeat_due, o);
	hf_list_init(&o->con.item);
	hf_list_init(&o->item);
	hf_list_push(&all->list, &o->item);
	return true;
}

/* In place of the one before, which need not arrive any more. */
static void notify(struct observer *o, const struct sim_coap_value *value, const char *text)
{
	struct hf_coap_message m = o->m;

	sim_con_stop(&o->con, o->all->world);
	m.type = HF_COAP_CON;
	m.mid = ++*o->all->mid;
	m.head = value->head;
	m.payload = hf_span_str(text);
	if (!sim_con_init(&o->con, &m, repeat_due, o))
		sim_must(NULL);
	sim_datagram_send(o->all->datagrams, &o->peer, o->con.bytes, o->con.len);
	sim_con_sent(&o->con, o->all->world, (unsigned)sim_rng_below(o->all->rng, 1000));
}

void sim_coap_observers_tell(struct sim_coap_observers *all, const char *path, const char *text)
{
	struct sim_coap_value value;
	struct hf_list *it, *tmp;

	sim_coap_value(&value, all->world, true);
	hf_list_for(it, tmp, &all->list) {
		struct observer *o = hf_container_of(it, struct observer, item);

		if (strcmp(o->path, path) == 0)
			notify(o, &value, text);
	}
}

void sim_coap_observers_heard(struct sim_coap_observers *all, const struct hf_addr *peer,
			      const struct hf_coap_message *m)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &all->list) {
		struct observer *o = hf_container_of(it, struct observer, item);

		if (!is_peer(o, peer) || o->con.mid != m->mid)
			continue;
		if (m->type == HF_COAP_RST)
			observer_free(o);
		else
			sim_con_stop(&o->con, all->world);
	}
}

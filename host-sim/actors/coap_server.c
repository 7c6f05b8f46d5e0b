/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/coap_server.h"

#include "actors/coap_observers.h"
#include "actors/coap_words.h"
#include "coap/block.h"
#include "coap/con.h"
#include "sim/datagram.h"
#include "sim/mem.h"

#define ACK_AFTER_US SIM_US_PER_S
#define REST	     "\r\n\r\n"

/* A message with a request in it, as long as it may come again. */
struct sim_coap_ask {
	struct hf_list item;
	struct sim_coap_server *server;
	struct hf_addr peer;
	struct hf_coap_message m; /* type, mid and token */
	bool has_block;
	struct hf_coap_block block; /* Block1 of the last one */
	bool acked, done;
	struct sim_event ack_due, forget;
	struct sim_con con; /* the answer, if it follows the acknowledgement */
	char *bytes;	    /* the answer as it left; NULL: none */
	size_t len;
};

/* A body that comes, or an answer that goes, block by block: of one path of a sender. */
struct transfer {
	struct hf_list item;
	struct hf_addr peer;
	char *path;
	char *data;
	size_t len;
	uint8_t code; /* of the answer */
	bool breaks;  /* what lies behind @len never comes */
};

struct sim_coap_server {
	struct sim_node *node;
	struct sim_world *world;
	const struct sim_coap_server_events *events;
	void *user;
	struct hf_datagrams *datagrams;
	struct hf_list asks, uploads, answers;
	struct sim_coap_observers observers;
	struct sim_rng rng;
	uint16_t mid;
};

static bool same_addr(const struct hf_addr *a, const struct hf_addr *b)
{
	return a->port == b->port && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

/* ---- transfers ---- */

static void transfer_free(struct transfer *t)
{
	hf_list_remove(&t->item);
	sim_free(t->path);
	sim_free(t->data);
	sim_free(t);
}

static struct transfer *find_transfer(struct hf_list *list, const struct hf_addr *peer,
				      const char *path)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, list) {
		struct transfer *t = hf_container_of(it, struct transfer, item);

		if (same_addr(&t->peer, peer) && strcmp(t->path, path) == 0)
			return t;
	}
	return NULL;
}

static struct transfer *begin_transfer(struct hf_list *list, const struct hf_addr *peer,
				       const char *path)
{
	struct transfer *t = find_transfer(list, peer, path);

	if (t)
		transfer_free(t);
	t = sim_alloc(sizeof(*t));
	t->peer = *peer;
	t->path = sim_strdup(path);
	hf_list_init(&t->item);
	hf_list_push(list, &t->item);
	return t;
}

static void append(struct transfer *t, struct hf_span data)
{
	t->data = sim_realloc(t->data, t->len + data.len + 1);
	if (data.len)
		memcpy(t->data + t->len, data.ptr, data.len);
	t->len += data.len;
}

/* ---- asks ---- */

static void ask_free(struct sim_coap_ask *ask)
{
	struct sim_world *w = ask->server->world;

	sim_event_clear(w, &ask->ack_due);
	sim_event_clear(w, &ask->forget);
	sim_con_stop(&ask->con, w);
	hf_list_remove(&ask->item);
	sim_free(ask->bytes);
	sim_free(ask);
}

static void forget_due(void *user)
{
	ask_free(user);
}

static struct sim_coap_ask *find_ask(struct sim_coap_server *s, const struct hf_addr *peer,
				     uint16_t mid)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->asks) {
		struct sim_coap_ask *ask = hf_container_of(it, struct sim_coap_ask, item);

		if (ask->m.mid == mid && same_addr(&ask->peer, peer))
			return ask;
	}
	return NULL;
}

static void send_ack(struct sim_coap_ask *ask)
{
	struct hf_coap_message m = { .type = HF_COAP_ACK, .mid = ask->m.mid };
	char bytes[8];
	size_t len = hf_coap_message_format(&m, bytes, sizeof(bytes));

	ask->acked = true;
	sim_datagram_send(ask->server->datagrams, &ask->peer, bytes, len);
}

static void ack_due(void *user)
{
	send_ack(user);
}

static void repeat_due(void *user)
{
	struct sim_coap_ask *ask = user;

	if (sim_con_again(&ask->con, ask->server->world))
		sim_datagram_send(ask->server->datagrams, &ask->peer, ask->con.bytes, ask->con.len);
}

static struct sim_coap_ask *begin_ask(struct sim_coap_server *s, const struct hf_addr *peer,
				      const struct hf_coap_message *m)
{
	struct sim_coap_ask *ask = sim_alloc(sizeof(*ask));

	ask->server = s;
	ask->peer = *peer;
	ask->m = *m;
	ask->acked = m->type != HF_COAP_CON;
	hf_list_init(&ask->item);
	hf_list_init(&ask->con.item);
	sim_event_init(&ask->ack_due, ack_due, ask);
	sim_event_init(&ask->forget, forget_due, ask);
	sim_event_init(&ask->con.due, repeat_due, ask);
	hf_list_push(&s->asks, &ask->item);
	sim_event_in(s->world, &ask->forget, SIM_COAP_EXCHANGE_LIFETIME);
	return ask;
}

/* ---- answers ---- */

/* Keeps it, for those who ask again. */
static void send_bytes(struct sim_coap_ask *ask, const char *bytes, size_t len)
{
	ask->bytes = sim_alloc(len);
	ask->len = len;
	memcpy(ask->bytes, bytes, len);
	sim_datagram_send(ask->server->datagrams, &ask->peer, bytes, len);
}

static void send_answer(struct sim_coap_ask *ask, const struct hf_coap_head *head,
			struct hf_span payload)
{
	struct sim_coap_server *s = ask->server;
	struct hf_coap_message m = ask->m;

	sim_event_clear(s->world, &ask->ack_due);
	ask->done = true;
	m.type = !ask->acked ? HF_COAP_ACK : m.type == HF_COAP_CON ? HF_COAP_CON : HF_COAP_NON;
	if (ask->acked)
		m.mid = ++s->mid;
	m.head = *head;
	m.payload = payload;
	(void)sim_con_init(&ask->con, &m, repeat_due, ask);
	send_bytes(ask, ask->con.bytes, ask->con.len);
	if (m.type == HF_COAP_CON)
		sim_con_sent(&ask->con, s->world, (unsigned)sim_rng_below(&s->rng, 1000));
}

static void answer_code(struct sim_coap_ask *ask, uint8_t code)
{
	struct hf_coap_head head = { .code = code };
	char bytes[4];

	if (ask->has_block)
		(void)hf_coap_option_add(&head, HF_COAP_BLOCK1,
					 hf_coap_block_format(&ask->block, bytes));
	send_answer(ask, &head, hf_span(NULL, 0));
}

/* The block of @t that is asked for. */
static void send_block(struct sim_coap_ask *ask, struct hf_coap_head *head,
		       const struct transfer *t, struct hf_coap_block block)
{
	size_t size = hf_coap_block_size(block.szx), at = (size_t)block.num * size;
	struct hf_span rest = at < t->len ? hf_span(t->data + at, t->len - at) : hf_span("", 0);
	char bytes[4];

	if (t->breaks && rest.len == 0) {
		ask->done = true; /* nobody ever says it */
		return;
	}
	block.more = rest.len > size || t->breaks;
	if (rest.len > size)
		rest.len = size;
	(void)hf_coap_option_add(head, HF_COAP_BLOCK2, hf_coap_block_format(&block, bytes));
	send_answer(ask, head, rest);
}

void sim_coap_answer(struct sim_coap_ask *ask, const char *text)
{
	struct hf_coap_head head = { 0 };
	const char *body = text ? strstr(text, REST) : NULL;
	struct hf_coap_block first = { .szx = HF_COAP_SZX_MAX };
	struct sim_coap_words words;
	char path[512], block[4];

	sim_event_clear(ask->server->world, &ask->ack_due);
	ask->done = true;
	if (text && !sim_coap_words(text, &words)) { /* what is no HTTP is no CoAP either */
		send_bytes(ask, text, strlen(text) < 64 ? strlen(text) : 64);
		return;
	}
	if (!body)
		return;
	body += strlen(REST);
	head.code = words.code;
	if (ask->has_block)
		(void)hf_coap_option_add(&head, HF_COAP_BLOCK1,
					 hf_coap_block_format(&ask->block, block));
	sim_coap_words_options(&words, &head);
	if (words.length <= HF_COAP_BLOCK_MAX) {
		if (strlen(body) == words.length)
			send_answer(ask, &head, hf_span_str(body));
		return;
	}
	sim_coap_path(&ask->m.head, path, sizeof(path));
	struct transfer *t = begin_transfer(&ask->server->answers, &ask->peer, path);

	append(t, hf_span_str(body));
	t->code = words.code;
	t->breaks = t->len < words.length;
	if (t->breaks) /* whole blocks of it */
		t->len -= t->len % HF_COAP_BLOCK_MAX;
	send_block(ask, &head, t, first);
}

/* ---- requests ---- */

static void give(struct sim_coap_ask *ask, const struct hf_coap_message *m, struct hf_span body)
{
	struct sim_coap_server *s = ask->server;
	struct hf_arena arena;
	struct hf_message msg;

	hf_arena_init(&arena, 1 << 20);
	sim_coap_request(&m->head, &arena, &msg);
	sim_event_in(s->world, &ask->ack_due, ACK_AFTER_US);
	if (ask->acked)
		sim_event_clear(s->world, &ask->ack_due);
	s->events->on_request(s->user, ask, &msg, body);
	hf_arena_finish(&arena);
}

/* A block of a body; the last one brings the request. */
static void take_block(struct sim_coap_ask *ask, const struct hf_coap_message *m, const char *path)
{
	struct sim_coap_server *s = ask->server;
	struct transfer *t = find_transfer(&s->uploads, &ask->peer, path);
	uint64_t at = (uint64_t)ask->block.num * hf_coap_block_size(ask->block.szx);

	if (ask->block.num == 0)
		t = begin_transfer(&s->uploads, &ask->peer, path);
	if (!t || t->len != at) {
		answer_code(ask, HF_COAP_INCOMPLETE);
		return;
	}
	append(t, m->payload);
	if (ask->block.more) {
		answer_code(ask, HF_COAP_CONTINUE);
		return;
	}
	give(ask, m, hf_span(t->data, t->len));
	transfer_free(t);
}

/* A further block of an answer that was begun. */
static void take_follow(struct sim_coap_ask *ask, struct hf_coap_block block, const char *path)
{
	struct transfer *t = find_transfer(&ask->server->answers, &ask->peer, path);
	struct hf_coap_head head = { 0 };

	if (!t) {
		answer_code(ask, HF_COAP_INCOMPLETE);
		return;
	}
	head.code = t->code;
	send_block(ask, &head, t, block);
}

/* A GET of what the origin has a value of; false: it has none there. */
static bool take_look(struct sim_coap_ask *ask, const struct hf_coap_message *m, const char *path)
{
	struct sim_coap_server *s = ask->server;
	const char *text = m->head.code == 1 ? s->events->on_look(s->user, path) : NULL;
	struct sim_coap_value value;

	if (!text)
		return false;
	sim_coap_value(&value, s->world,
		       sim_coap_observers_take(&s->observers, &ask->peer, m, path));
	send_answer(ask, &value.head, hf_span_str(text));
	return true;
}

void sim_coap_server_changed(struct sim_coap_server *s, const char *path)
{
	sim_coap_observers_tell(&s->observers, path, s->events->on_look(s->user, path));
}

static void take_request(struct sim_coap_server *s, const struct hf_addr *from,
			 const struct hf_coap_message *m)
{
	const struct hf_span *one = hf_coap_option_get(&m->head, HF_COAP_BLOCK1);
	const struct hf_span *two = hf_coap_option_get(&m->head, HF_COAP_BLOCK2);
	struct sim_coap_ask *ask = find_ask(s, from, m->mid);
	struct hf_coap_block block = { 0 };
	char path[512];

	if (ask) {
		if (ask->bytes)
			sim_datagram_send(s->datagrams, &ask->peer, ask->bytes, ask->len);
		else if (ask->acked && !ask->done)
			send_ack(ask);
		return;
	}
	ask = begin_ask(s, from, m);
	sim_coap_path(&m->head, path, sizeof(path));
	ask->has_block = one && hf_coap_block_parse(*one, &ask->block);
	if (two && hf_coap_block_parse(*two, &block) && block.num > 0)
		take_follow(ask, block, path);
	else if (ask->has_block)
		take_block(ask, m, path);
	else if (!take_look(ask, m, path))
		give(ask, m, m->payload);
}

static void stop_repeating(struct sim_coap_server *s, const struct hf_addr *from, uint16_t mid)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->asks) {
		struct sim_coap_ask *ask = hf_container_of(it, struct sim_coap_ask, item);

		if (ask->con.mid == mid && same_addr(&ask->peer, from))
			sim_event_clear(s->world, &ask->con.due);
	}
}

static void on_datagram(void *user, const struct hf_addr *from, const void *data, size_t len)
{
	struct sim_coap_server *s = user;
	struct hf_coap_message m;

	if (hf_coap_message_parse(hf_span(data, len), &m))
		return;
	if (m.type == HF_COAP_ACK || m.type == HF_COAP_RST) {
		stop_repeating(s, from, m.mid);
		sim_coap_observers_heard(&s->observers, from, &m);
	} else if (m.head.code && m.head.code >> 5 == 0)
		take_request(s, from, &m);
}

/* ---- life ---- */

struct sim_coap_server *sim_coap_server_create(struct sim_node *node,
					       const struct sim_coap_server_events *events,
					       void *user)
{
	static const struct hf_datagram_events datagram_events = { .on_datagram = on_datagram };
	struct sim_coap_server *s = sim_alloc(sizeof(*s));
	struct hf_addr at = node->addr;
	char domain[96];

	s->node = node;
	s->world = node->net->world;
	s->events = events;
	s->user = user;
	snprintf(domain, sizeof(domain), "%s/coap", node->name);
	sim_rng_init(&s->rng, s->world->seed, domain);
	s->mid = (uint16_t)sim_rng_u64(&s->rng);
	hf_list_init(&s->asks);
	hf_list_init(&s->uploads);
	hf_list_init(&s->answers);
	at.port = SIM_COAP_PORT;
	if (sim_datagram_open(node, s, &at, &datagram_events, s, &s->datagrams))
		sim_must(NULL);
	s->observers = (struct sim_coap_observers){
		.world = s->world, .datagrams = s->datagrams, .rng = &s->rng, .mid = &s->mid
	};
	hf_list_init(&s->observers.list);
	return s;
}

static void free_transfers(struct hf_list *list)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, list)
		transfer_free(hf_container_of(it, struct transfer, item));
}

void sim_coap_server_destroy(struct sim_coap_server *s)
{
	struct hf_list *it, *tmp;

	if (!s)
		return;
	hf_list_for(it, tmp, &s->asks)
		ask_free(hf_container_of(it, struct sim_coap_ask, item));
	free_transfers(&s->uploads);
	free_transfers(&s->answers);
	sim_coap_observers_finish(&s->observers);
	sim_datagram_close(s->datagrams);
	sim_free(s);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes out: answers with the acknowledgement or without one, and confirmable
 * messages of ours, which are repeated until they are acknowledged (RFC 7252 section
 * 4.2). What goes to an address that is not proven is taken from its allowance.
 */
#include <stdlib.h>

#include "sensor/sensor_private.h"

#define ACK_TIMEOUT_MS 2000
#define RETRANSMIT_MAX 4
#define WORDS_MIN      16 /* fewer of a sentence say nothing */
#define OUTGOING_MAX   512

struct outgoing {
	struct hf_list link;
	struct hf_sensors *sensors;
	struct hf_sensor_ask ask;
	struct hf_timer timer;
	uint32_t wait_ms;
	unsigned repeated;
	uint16_t mid;
	size_t len;
	char bytes[];
};

/* False: it may not be said to that address. */
static bool spend(struct hf_sensor_ask *ask, size_t len)
{
	if (ask->allowance == HF_SENSOR_UNLIMITED)
		return true;
	if (len > ask->allowance)
		return false;
	ask->allowance -= len;
	return true;
}

static void emit(struct hf_sensors *s, const struct hf_sensor_peer *peer, struct hf_span bytes)
{
	struct hf_port *port = s->opt.port;

	if (peer->gone)
		return;
	if (peer->session)
		hf_sensor_dtls_send(s, peer->session, bytes);
	else
		port->datagram_send(port, peer->socket->datagrams, &peer->addr, bytes.ptr,
				    bytes.len);
}

/* ---- confirmable messages of ours ---- */

static void drop_outgoing(struct outgoing *o)
{
	hf_timerq_clear(o->sensors->opt.timers, &o->timer);
	hf_list_remove(&o->link);
	o->sensors->outgoing_n--;
	free(o);
}

static void give_up(struct outgoing *o)
{
	struct hf_sensors *s = o->sensors;
	struct hf_sensor_peer peer = o->ask.peer;
	uint16_t mid = o->mid;

	drop_outgoing(o);
	hf_sensor_observer_lost(s, &peer, mid);
}

static void repeat(void *user)
{
	struct outgoing *o = user;
	struct hf_sensors *s = o->sensors;

	if (o->repeated++ == RETRANSMIT_MAX || !spend(&o->ask, o->len)) {
		give_up(o);
		return;
	}
	o->wait_ms *= 2;
	emit(s, &o->ask.peer, hf_span(o->bytes, o->len));
	if (hf_timerq_set(s->opt.timers, &o->timer, hf_sensor_now(s) + o->wait_ms))
		give_up(o);
}

static bool send_confirmable(struct hf_sensors *s, const struct hf_sensor_ask *ask,
			     struct hf_span bytes, uint16_t mid)
{
	struct outgoing *o = NULL;

	if (s->outgoing_n < OUTGOING_MAX)
		o = calloc(1, sizeof(*o) + bytes.len);
	if (!o)
		return false;
	o->sensors = s;
	o->ask = *ask;
	o->mid = mid;
	o->len = bytes.len;
	memcpy(o->bytes, bytes.ptr, bytes.len);
	/* ACK_RANDOM_FACTOR 1.5 */
	o->wait_ms = ACK_TIMEOUT_MS + (uint32_t)hf_rand_below(&s->rand, ACK_TIMEOUT_MS / 2);
	hf_timer_init(&o->timer, repeat, o);
	hf_list_push(&s->outgoing, &o->link);
	s->outgoing_n++;
	if (!spend(&o->ask, bytes.len) ||
	    hf_timerq_set(s->opt.timers, &o->timer, hf_sensor_now(s) + o->wait_ms)) {
		drop_outgoing(o);
		return false;
	}
	emit(s, &o->ask.peer, bytes);
	return true;
}

void hf_sensor_acknowledged(struct hf_sensors *s, const struct hf_sensor_peer *peer, uint16_t mid,
			    bool reset)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->outgoing) {
		struct outgoing *o = hf_container_of(it, struct outgoing, link);

		if (o->mid != mid || !hf_sensor_same_peer(&o->ask.peer, peer))
			continue;
		if (reset)
			give_up(o);
		else
			drop_outgoing(o);
		return;
	}
	if (reset)
		hf_sensor_observer_lost(s, peer, mid);
}

void hf_sensor_outgoing_forget(struct hf_sensors *s, struct hf_sensor_session *session)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->outgoing) {
		struct outgoing *o = hf_container_of(it, struct outgoing, link);

		if (o->ask.peer.session == session)
			drop_outgoing(o);
	}
}

void hf_sensor_outgoing_finish(struct hf_sensors *s)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->outgoing)
		drop_outgoing(hf_container_of(it, struct outgoing, link));
}

/* ---- answers ---- */

static void begin(struct hf_sensors *s, const struct hf_sensor_ask *ask, struct hf_coap_message *m)
{
	m->token_len = ask->token_len;
	memcpy(m->token, ask->token, ask->token_len);
	m->payload = hf_span(NULL, 0);
	if (ask->type == HF_COAP_CON && !ask->acked) {
		m->type = HF_COAP_ACK;
		m->mid = ask->mid;
		return;
	}
	m->type = ask->type == HF_COAP_CON ? HF_COAP_CON : HF_COAP_NON;
	m->mid = s->mid++;
}

static bool is_unwanted(const struct hf_sensor_ask *ask, uint8_t code)
{
	return ask->silent >> ((code >> 5) - 1) & 1;
}

/* An Echo in the answer's place: the sender comes again with it. */
static size_t format_challenge(struct hf_sensors *s, const struct hf_sensor_ask *ask,
			       struct hf_coap_message *m, char *out, size_t size)
{
	char echo[HF_SENSOR_ECHO_LEN];

	hf_sensor_make_echo(s, &ask->peer, hf_sensor_now(s) / 1000, echo);
	m->head = (struct hf_coap_head){ .code = HF_COAP_CODE(4, 1) };
	m->payload = hf_span(NULL, 0);
	(void)hf_coap_option_add(&m->head, HF_COAP_ECHO, hf_span(echo, sizeof(echo)));
	return hf_coap_message_format(m, out, size);
}

/* The longest answer that may be said to it, with all its repetitions if there will be
 * some. */
static size_t room_for(const struct hf_sensor_ask *ask)
{
	size_t shortest = 4U + ask->token_len, room = ask->allowance;

	if (room != HF_SENSOR_UNLIMITED && ask->type == HF_COAP_CON && ask->acked)
		room /= RETRANSMIT_MAX + 1;
	if (room < shortest)
		room = shortest;
	return room < HF_COAP_DATAGRAM_MAX ? room : HF_COAP_DATAGRAM_MAX;
}

static size_t format_within(struct hf_sensors *s, const struct hf_sensor_ask *ask,
			    const struct hf_coap_head *head, struct hf_span payload, char *out)
{
	size_t room = room_for(ask);
	struct hf_coap_message m;
	size_t len;

	begin(s, ask, &m);
	m.head = *head;
	m.payload = payload;
	len = hf_coap_message_format(&m, out, room);
	if (len)
		return len;
	if (head->code >> 5 == 2 && payload.len > 0) {
		s->figures.unproven++;
		len = format_challenge(s, ask, &m, out, room);
		if (len)
			return len;
	}
	m.payload = hf_span(NULL, 0);
	m.head = *head;
	len = hf_coap_message_format(&m, out, room);
	m.head.n = 0;
	return len ? len : hf_coap_message_format(&m, out, room);
}

void hf_sensor_answer(struct hf_sensors *s, struct hf_sensor_ask *ask,
		      const struct hf_coap_head *head, struct hf_span payload)
{
	char bytes[HF_COAP_DATAGRAM_MAX];
	size_t len;

	if (head->code >> 5 == 4)
		s->figures.refused++;
	else if (head->code >> 5 == 5)
		s->figures.unavailable++;
	if (is_unwanted(ask, head->code)) {
		if (ask->type == HF_COAP_CON && !ask->acked)
			hf_sensor_ack(s, ask);
		return;
	}
	len = format_within(s, ask, head, payload, bytes);
	if (len == 0)
		return;
	if (ask->type == HF_COAP_CON && ask->acked)
		(void)send_confirmable(s, ask, hf_span(bytes, len),
				       (uint16_t)((uint8_t)bytes[2] << 8 | (uint8_t)bytes[3]));
	else if (spend(ask, len))
		emit(s, &ask->peer, hf_span(bytes, len));
}

/* As much of @words as may be said. */
static struct hf_span cut_words(const struct hf_sensor_ask *ask, const struct hf_coap_head *head,
				const char *words)
{
	struct hf_span text = hf_span_str(words);
	size_t used = 4U + ask->token_len + 1, room;

	for (size_t i = 0; i < head->n; i++)
		used += 3 + head->options[i].value.len;
	room = ask->allowance > used ? ask->allowance - used : 0;
	if (text.len > room)
		text.len = room < WORDS_MIN ? 0 : room;
	return text;
}

void hf_sensor_refuse(struct hf_sensors *s, struct hf_sensor_ask *ask, uint8_t code,
		      uint32_t max_age_s, const char *words)
{
	struct hf_coap_head head = { .code = code };
	char age[4];

	if (max_age_s)
		(void)hf_coap_option_add(&head, HF_COAP_MAX_AGE, hf_coap_uint(max_age_s, age));
	hf_sensor_answer(s, ask, &head, cut_words(ask, &head, words));
}

void hf_sensor_content(struct hf_sensors *s, struct hf_sensor_ask *ask,
		       const struct hf_coap_block *block, uint32_t format, int64_t observe,
		       struct hf_span body)
{
	struct hf_coap_head head = { .code = HF_COAP_CODE(2, 5) };
	struct hf_coap_block b = block ? *block : (struct hf_coap_block){ .szx = HF_COAP_SZX_MAX };
	size_t size = hf_coap_block_size(b.szx), at = (size_t)b.num << (b.szx + 4);
	char block_bytes[4], format_bytes[4], observe_bytes[4];
	struct hf_span part;

	if (at > 0 && at >= body.len) {
		hf_sensor_refuse(s, ask, HF_COAP_CODE(4, 0), 0, "There is no such block.");
		return;
	}
	part = hf_span_skip(body, at);
	b.more = part.len > size;
	if (b.more)
		part.len = size;
	(void)hf_coap_option_add(&head, HF_COAP_CONTENT_FORMAT, hf_coap_uint(format, format_bytes));
	if (observe >= 0)
		(void)hf_coap_option_add(&head, HF_COAP_OBSERVE,
					 hf_coap_uint((uint32_t)observe, observe_bytes));
	if (block || b.more)
		(void)hf_coap_option_add(&head, HF_COAP_BLOCK2,
					 hf_coap_block_format(&b, block_bytes));
	hf_sensor_answer(s, ask, &head, part);
}

/* ---- without an answer ---- */

static void send_empty(struct hf_sensors *s, const struct hf_sensor_peer *peer, uint8_t type,
		       uint16_t mid)
{
	struct hf_coap_message m;
	char bytes[8];
	size_t len;

	m.type = type;
	m.mid = mid;
	m.token_len = 0;
	m.head = (struct hf_coap_head){ 0 };
	m.payload = hf_span(NULL, 0);
	len = hf_coap_message_format(&m, bytes, sizeof(bytes));
	emit(s, peer, hf_span(bytes, len));
}

void hf_sensor_ack(struct hf_sensors *s, struct hf_sensor_ask *ask)
{
	ask->acked = true;
	if (spend(ask, 4))
		send_empty(s, &ask->peer, HF_COAP_ACK, ask->mid);
}

void hf_sensor_reset(struct hf_sensors *s, const struct hf_sensor_peer *peer, uint16_t mid)
{
	send_empty(s, peer, HF_COAP_RST, mid);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets, and what a message of a sensor is: who answers it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/strmap.h"
#include "holdfast/err.h"
#include "net/addr.h"
#include "sensor/sensor_private.h"

#define AMPLIFICATION 3 /* RFC 9175 section 2.6 */
#define METHOD_MAX    HF_COAP_CODE(0, 7)

bool hf_sensor_same_peer(const struct hf_sensor_peer *a, const struct hf_sensor_peer *b)
{
	return !a->gone && !b->gone && a->socket == b->socket && a->session == b->session &&
	       (a->session || hf_addr_eq(&a->addr, &b->addr));
}

struct hf_span hf_sensor_identity(const struct hf_sensor_peer *peer)
{
	return peer->session ? hf_sensor_session_identity(peer->session) : hf_span(NULL, 0);
}

uint64_t hf_sensor_hash(const struct hf_sensors *s, const struct hf_sensor_peer *peer,
			struct hf_span bytes)
{
	struct {
		uint64_t bytes;
		struct hf_sensor_socket *socket;
		uint64_t session;
		uint32_t scope;
		uint16_t port, family;
		uint8_t ip[16];
	} all;

	memset(&all, 0, sizeof(all));
	all.bytes = hf_siphash13(s->seed, bytes);
	all.socket = peer->socket;
	all.session = peer->session ? hf_sensor_session_number(peer->session) : 0;
	all.scope = peer->addr.scope;
	all.port = peer->addr.port;
	all.family = (uint16_t)peer->addr.family;
	memcpy(all.ip, peer->addr.ip, sizeof(all.ip));
	return hf_siphash13(s->seed, hf_span(&all, sizeof(all)));
}

/* ---- requests ---- */

/* The path is @a and @b, and perhaps a third part. */
static bool is_path(const struct hf_coap_head *head, const char *a, const char *b,
		    struct hf_span *third)
{
	struct hf_span parts[3] = { { NULL, 0 } };
	size_t n = 0;

	for (size_t i = 0; i < head->n; i++) {
		if (head->options[i].number != HF_COAP_URI_PATH)
			continue;
		if (n == 3)
			return false;
		parts[n++] = head->options[i].value;
	}
	if (third)
		*third = parts[2];
	return n == (third ? 3 : 2) && hf_span_eq_str(parts[0], a) && hf_span_eq_str(parts[1], b);
}

static void get(struct hf_sensors *s, struct hf_sensor_in *in)
{
	struct hf_span id;

	if (is_path(&in->m.head, ".well-known", "core", NULL))
		hf_sensor_links(s, in);
	else if (is_path(&in->m.head, ".holdfast", "requests", &id))
		hf_sensor_state(s, in, id);
	else
		hf_sensor_refuse(s, &in->ask, HF_COAP_CODE(4, 5), 0,
				 "Only /.well-known/core and /.holdfast/requests/ID can be read "
				 "here; readings are sent with POST or PUT.");
}

/* A method that changes something: once for each message. */
static void change(struct hf_sensors *s, struct hf_sensor_in *in)
{
	const struct hf_span *value = hf_coap_option_get(&in->m.head, HF_COAP_BLOCK1);
	struct hf_seen_entry *seen = hf_seen_find(&s->seen, in->hash, hf_sensor_now(s));
	struct hf_span body = in->m.payload, first = in->bytes;
	struct hf_sensor_upload *upload = NULL;
	struct hf_coap_block block;

	if (seen) {
		s->figures.repeated++;
		if (seen->code)
			hf_sensor_call_answered(s, in, seen);
		else
			hf_sensor_call_again(s, in);
		return;
	}
	if (value && !hf_coap_block_parse(*value, &block)) {
		hf_sensor_refuse(s, &in->ask, HF_COAP_CODE(4, 0), 0,
				 "Block1 is no block option (RFC 7959).");
		return;
	}
	if (value && !hf_sensor_upload_take(s, in, &block, &body, &first, &upload))
		return;
	hf_sensor_call(s, in, body, first, value ? &block : NULL);
	if (upload)
		hf_sensor_upload_end(upload);
}

static bool refuse_options(struct hf_sensors *s, struct hf_sensor_in *in)
{
	unsigned unknown = hf_sensor_unknown_option(s, &in->m.head);
	char words[64];

	if (hf_coap_option_get(&in->m.head, HF_COAP_PROXY_URI) ||
	    hf_coap_option_get(&in->m.head, HF_COAP_PROXY_SCHEME)) {
		hf_sensor_refuse(s, &in->ask, HF_COAP_CODE(5, 5), 0,
				 "This is no proxy; send to the path itself.");
		return true;
	}
	if (!unknown)
		return false;
	snprintf(words, sizeof(words), "Option %u is critical and not known here.", unknown);
	hf_sensor_refuse(s, &in->ask, HF_COAP_CODE(4, 2), 0, words);
	return true;
}

static void request(struct hf_sensors *s, struct hf_sensor_in *in)
{
	const struct hf_span *silent = hf_coap_option_get(&in->m.head, HF_COAP_NO_RESPONSE);
	uint32_t classes;

	if (silent && silent->len <= 1 && hf_coap_uint_parse(*silent, &classes))
		in->ask.silent = (uint8_t)classes;
	hf_sensor_take_echo(s, in);
	if (refuse_options(s, in))
		return;
	if (in->m.head.code > METHOD_MAX)
		hf_sensor_refuse(s, &in->ask, HF_COAP_CODE(4, 5), 0, "This method is not known.");
	else if (in->m.head.code == HF_COAP_CODE(0, 1))
		get(s, in);
	else
		change(s, in);
}

/* ---- messages ---- */

static void begin_ask(struct hf_sensors *s, const struct hf_sensor_peer *peer, size_t received,
		      struct hf_sensor_in *in)
{
	in->ask = (struct hf_sensor_ask){
		.peer = *peer, .type = in->m.type, .token_len = in->m.token_len, .mid = in->m.mid
	};
	memcpy(in->ask.token, in->m.token, in->m.token_len);
	in->ask.allowance = hf_sensor_is_proven(s, peer) ? HF_SENSOR_UNLIMITED :
							   AMPLIFICATION * received;
}

void hf_sensor_message(struct hf_sensors *s, const struct hf_sensor_peer *peer,
		       struct hf_span bytes)
{
	struct hf_sensor_in in;
	int err = hf_coap_message_parse(bytes, &in.m);
	uint8_t class = err == HF_EINVAL ? 0 : in.m.head.code >> 5;

	if (err == HF_EINVAL) {
		s->figures.dropped++;
		return;
	}
	if (in.m.type == HF_COAP_ACK || in.m.type == HF_COAP_RST) {
		if (!err && in.m.head.code == 0)
			hf_sensor_acknowledged(s, peer, in.m.mid, in.m.type == HF_COAP_RST);
		return;
	}
	/* Answers, a ping, what is malformed or of no class (RFC 7252 section 4.2). */
	if (err || class != 0 || in.m.head.code == 0) {
		s->figures.dropped += in.m.head.code != 0;
		if (in.m.type == HF_COAP_CON)
			hf_sensor_reset(s, peer, in.m.mid);
		return;
	}
	begin_ask(s, peer, bytes.len, &in);
	in.bytes = bytes;
	in.hash = hf_sensor_hash(s, peer, bytes);
	request(s, &in);
}

void hf_sensor_forget_session(struct hf_sensors *s, struct hf_sensor_session *session)
{
	hf_sensor_calls_forget(s, session);
	hf_sensor_upload_forget(s, session);
	hf_sensor_state_forget(s, session);
	hf_sensor_outgoing_forget(s, session);
}

/* ---- sockets ---- */

static void on_datagram(void *user, const struct hf_addr *from, const void *data, size_t len)
{
	struct hf_sensor_socket *socket = user;
	struct hf_sensors *s = socket->sensors;
	struct hf_sensor_peer peer = { .socket = socket, .addr = *from };

	s->figures.datagrams++;
	if (s->stopping)
		return;
	if (socket->secure)
		hf_sensor_dtls_input(s, socket, from, hf_span(data, len));
	else
		hf_sensor_message(s, &peer, hf_span(data, len));
}

static const struct hf_datagram_events datagram_events = { .on_datagram = on_datagram };

int hf_sensors_listen(struct hf_sensors *s, const struct hf_addr *at, bool secure)
{
	struct hf_sensor_socket *socket = &s->sockets[s->sockets_n];
	char text[HF_ADDR_TEXT_SIZE];
	int err = 0;

	if (s->sockets_n == HF_SENSOR_SOCKETS_MAX)
		return HF_ELIMIT;
	if (secure && !s->dtls)
		err = hf_sensor_dtls_create(s);
	*socket = (struct hf_sensor_socket){ .sensors = s, .secure = secure };
	if (!err)
		err = s->opt.port->datagram_open(s->opt.port, at, &datagram_events, socket,
						 &socket->datagrams);
	if (!err)
		s->sockets_n++;
	else
		hf_log(s->opt.log, HF_LOG_ERROR, "sensor.listen", "addr=%s err=\"%s\"",
		       hf_addr_format(at, text), hf_strerror(err));
	return err;
}

void hf_sensors_stop(struct hf_sensors *s)
{
	s->stopping = true;
}

/* ---- the server ---- */

int hf_sensors_create(const struct hf_sensor_options *opt, struct hf_sensors **out)
{
	struct hf_sensors *s = calloc(1, sizeof(*s));
	struct hf_port *port = opt->port;
	uint64_t random[6];
	int err;

	if (!s)
		return HF_ENOMEM;
	s->opt = *opt;
	hf_list_init(&s->calls);
	hf_list_init(&s->uploads);
	hf_list_init(&s->observers);
	hf_list_init(&s->loads);
	hf_list_init(&s->outgoing);
	hf_seen_init(&s->seen, CONFIG_HF_SENSOR_SEEN_MAX);
	hf_devices_init(&s->devices, port, opt->log, opt->devices_file);
	err = port->entropy(port, random, sizeof(random));
	if (err) {
		hf_sensors_destroy(s);
		return err;
	}
	memcpy(s->seed, random, sizeof(s->seed));
	memcpy(s->echo_seed, random + 2, sizeof(s->echo_seed));
	hf_rand_init(&s->rand, random[4]);
	s->mid = (uint16_t)random[5];
	hf_devices_look(&s->devices);
	*out = s;
	return 0;
}

void hf_sensors_destroy(struct hf_sensors *s)
{
	if (!s)
		return;
	hf_sensor_calls_finish(s);
	hf_sensor_uploads_finish(s);
	hf_sensor_state_finish(s);
	hf_sensor_outgoing_finish(s);
	hf_sensor_dtls_destroy(s);
	for (size_t i = 0; i < s->sockets_n; i++)
		s->opt.port->datagram_close(s->opt.port, s->sockets[i].datagrams);
	hf_seen_finish(&s->seen);
	hf_spare_finish(&s->blocks);
	hf_spare_finish(&s->spare_calls);
	hf_devices_finish(&s->devices);
	free(s);
}

void hf_sensors_figures(const struct hf_sensors *s, struct hf_sensor_figures *out)
{
	*out = s->figures;
}

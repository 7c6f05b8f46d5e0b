/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcoap in virtual time: the functions of it that have sockets, timers or chance,
 * over the datagrams of this world. The linker puts them in the place of its own
 * (--wrap), so that the agent's CoAP transport is the device's, unchanged; what only
 * builds and reads messages is libcoap's. UDP alone: a session with DTLS or over TCP
 * does not come about.
 */
#include <coap3/coap.h>

#include "coap/con.h"
#include "net/tls_platform.h"
#include "sim/datagram.h"
#include "sim/device.h"
#include "sim/mem.h"

#define PDU_BYTES_MAX 1148 /* COAP_DEFAULT_MTU without the header */

struct context {
	struct hf_port *port;
	int fd;
	void *app;
	coap_response_handler_t on_response;
	coap_nack_handler_t on_nack;
	coap_event_handler_t on_event;
	struct hf_list sessions;
};

struct session {
	struct hf_list item;
	struct context *context;
	void *app;
	struct hf_datagrams *datagrams;
	struct hf_addr to;
	uint16_t mid;
	uint64_t token;
	struct hf_list sent;  /* struct sent, until it is acknowledged */
	struct hf_list inbox; /* struct inbound */
	bool refused;	      /* nobody is at its port */
	bool has_heard;	      /* heard_mid: the last confirmable message of the peer */
	uint16_t heard_mid;
};

struct sent {
	struct sim_con con;
	struct session *session;
	coap_pdu_t *pdu;
	bool due;
};

struct inbound {
	struct hf_list item;
	size_t len;
	uint8_t bytes[];
};

static struct context *context_of(coap_context_t *c)
{
	return (struct context *)(void *)c;
}

static struct session *session_of(const coap_session_t *s)
{
	return (struct session *)(void *)(uintptr_t)s;
}

static coap_session_t *handle_of(struct session *s)
{
	return (coap_session_t *)(void *)s;
}

static struct sim_device *device_of(const struct context *c)
{
	return ((struct sim_port *)(void *)c->port)->dev;
}

static struct sim_world *world_of(const struct session *s)
{
	return device_of(s->context)->world;
}

static uint64_t draw(void)
{
	uint64_t n;

	(void)hf_tls_platform_random(NULL, (unsigned char *)&n, sizeof(n));
	return n;
}

/* ---- messages ---- */

static void read_pdu(const coap_pdu_t *pdu, struct hf_coap_message *m)
{
	coap_bin_const_t token = coap_pdu_get_token(pdu);
	coap_opt_iterator_t it;
	coap_opt_t *option;
	const uint8_t *data;
	size_t len;

	memset(m, 0, sizeof(*m));
	m->type = (uint8_t)coap_pdu_get_type(pdu);
	m->mid = (uint16_t)coap_pdu_get_mid(pdu);
	m->token_len = (uint8_t)token.length;
	if (token.length > 0)
		memcpy(m->token, token.s, token.length);
	m->head.code = (uint8_t)coap_pdu_get_code(pdu);
	coap_option_iterator_init(pdu, &it, COAP_OPT_ALL);
	while ((option = coap_option_next(&it)))
		(void)hf_coap_option_add(&m->head, it.number,
					 hf_span(coap_opt_value(option), coap_opt_length(option)));
	if (coap_get_data(pdu, &len, &data))
		m->payload = hf_span(data, len);
}

static void send_empty(struct session *s, enum hf_coap_type type, uint16_t mid)
{
	struct hf_coap_message m = { .type = (uint8_t)type, .mid = mid };
	char bytes[8];
	size_t len = hf_coap_message_format(&m, bytes, sizeof(bytes));

	sim_datagram_send(s->datagrams, &s->to, bytes, len);
}

/* Takes it out of what is repeated; the PDU is the caller's. */
static coap_pdu_t *take_sent(struct sent *x)
{
	coap_pdu_t *pdu = x->pdu;

	sim_con_stop(&x->con, world_of(x->session));
	sim_free(x);
	return pdu;
}

static struct sent *sent_by_mid(struct session *s, uint16_t mid)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->sent) {
		struct sent *x = hf_container_of(it, struct sent, con.item);

		if (x->con.mid == mid)
			return x;
	}
	return NULL;
}

static bool has_token(const coap_pdu_t *pdu, size_t len, const uint8_t *token)
{
	coap_bin_const_t own = coap_pdu_get_token(pdu);

	return own.length == len && memcmp(own.s, token, len) == 0;
}

static struct sent *sent_by_token(struct session *s, size_t len, const uint8_t *token)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->sent) {
		struct sent *x = hf_container_of(it, struct sent, con.item);

		if (has_token(x->pdu, len, token))
			return x;
	}
	return NULL;
}

static void nack(struct sent *x, coap_nack_reason_t reason)
{
	struct session *s = x->session;
	uint16_t mid = x->con.mid;
	coap_pdu_t *pdu = take_sent(x);

	s->context->on_nack(handle_of(s), pdu, reason, mid);
	coap_delete_pdu(pdu);
}

/* ---- what comes ---- */

static void take_response(struct session *s, coap_pdu_t *pdu, struct sent *x)
{
	coap_pdu_t *sent = x ? take_sent(x) : NULL;
	uint16_t mid = (uint16_t)coap_pdu_get_mid(pdu);
	bool con = coap_pdu_get_type(pdu) == COAP_MESSAGE_CON;
	coap_response_t took = s->context->on_response(handle_of(s), sent, pdu, mid);

	if (con)
		send_empty(s, took == COAP_RESPONSE_OK ? HF_COAP_ACK : HF_COAP_RST, mid);
	if (took == COAP_RESPONSE_OK) {
		s->has_heard = con;
		s->heard_mid = mid;
	}
	coap_delete_pdu(sent);
}

static void take_message(struct session *s, coap_pdu_t *pdu)
{
	coap_bin_const_t token = coap_pdu_get_token(pdu);
	uint16_t mid = (uint16_t)coap_pdu_get_mid(pdu);
	bool empty = coap_pdu_get_code(pdu) == COAP_EMPTY_CODE;
	struct sent *x = sent_by_mid(s, mid);

	switch (coap_pdu_get_type(pdu)) {
	case COAP_MESSAGE_RST:
		if (x)
			nack(x, COAP_NACK_RST);
		return;
	case COAP_MESSAGE_ACK:
		if (!empty)
			take_response(s, pdu, x);
		else if (x)
			coap_delete_pdu(take_sent(x)); /* the answer comes by itself */
		return;
	case COAP_MESSAGE_CON:
		if (empty || coap_pdu_get_code(pdu) >> 5 == 0) {
			send_empty(s, HF_COAP_RST, mid);
			return;
		}
		if (s->has_heard && s->heard_mid == mid) {
			send_empty(s, HF_COAP_ACK, mid);
			return;
		}
		break;
	case COAP_MESSAGE_NON:
		break;
	}
	take_response(s, pdu, sent_by_token(s, token.length, token.s));
}

static void take_inbox(struct session *s)
{
	struct hf_list *item;

	while ((item = hf_list_pop(&s->inbox))) {
		struct inbound *in = hf_container_of(item, struct inbound, item);
		coap_pdu_t *pdu = coap_pdu_init(COAP_MESSAGE_CON, COAP_EMPTY_CODE, 0, in->len);

		if (pdu && coap_pdu_parse(COAP_PROTO_UDP, in->bytes, in->len, pdu))
			take_message(s, pdu);
		coap_delete_pdu(pdu);
		sim_free(in);
	}
}

static void repeat(struct sent *x)
{
	struct session *s = x->session;

	x->due = false;
	if (!sim_con_again(&x->con, world_of(s))) {
		nack(x, COAP_NACK_TOO_MANY_RETRIES);
		return;
	}
	s->context->on_event(handle_of(s), COAP_EVENT_MSG_RETRANSMITTED);
	sim_datagram_send(s->datagrams, &s->to, x->con.bytes, x->con.len);
}

static void process(struct session *s)
{
	struct hf_list *it, *tmp;

	take_inbox(s);
	hf_list_for(it, tmp, &s->sent) {
		struct sent *x = hf_container_of(it, struct sent, con.item);

		if (s->refused)
			nack(x, COAP_NACK_ICMP_ISSUE);
		else if (x->due)
			repeat(x);
	}
	s->refused = false;
}

int __wrap_coap_io_process(coap_context_t *context, uint32_t timeout_ms);
int __wrap_coap_io_process(coap_context_t *context, uint32_t timeout_ms)
{
	struct hf_list *it, *tmp;

	(void)timeout_ms;
	hf_list_for(it, tmp, &context_of(context)->sessions)
		process(hf_container_of(it, struct session, item));
	return 0;
}

/* ---- events of the world ---- */

static void readable(struct session *s)
{
	sim_port_readable(s->context->port, s->context->fd);
}

static void on_datagram(void *user, const struct hf_addr *from, const void *data, size_t len)
{
	struct session *s = user;
	struct inbound *in;

	if (from->port != s->to.port || memcmp(from->ip, s->to.ip, sizeof(from->ip)) != 0)
		return; /* the socket is connected */
	in = sim_alloc(sizeof(*in) + len);
	in->len = len;
	memcpy(in->bytes, data, len);
	hf_list_init(&in->item);
	hf_list_push(&s->inbox, &in->item);
	readable(s);
}

static void on_refused(void *user, const struct hf_addr *by)
{
	struct session *s = user;

	(void)by;
	s->refused = true;
	readable(s);
}

static void repeat_due(void *user)
{
	struct sent *x = user;

	x->due = true;
	readable(x->session);
}

/* ---- sending ---- */

coap_pdu_t *__wrap_coap_new_pdu(coap_pdu_type_t type, coap_pdu_code_t code,
				coap_session_t *session);
coap_pdu_t *__wrap_coap_new_pdu(coap_pdu_type_t type, coap_pdu_code_t code, coap_session_t *session)
{
	return coap_pdu_init(type, code, ++session_of(session)->mid, PDU_BYTES_MAX);
}

void __wrap_coap_session_new_token(coap_session_t *session, size_t *len, uint8_t *token);
void __wrap_coap_session_new_token(coap_session_t *session, size_t *len, uint8_t *token)
{
	uint64_t n = ++session_of(session)->token;

	*len = 8;
	memcpy(token, &n, 8);
}

coap_mid_t __wrap_coap_send(coap_session_t *session, coap_pdu_t *pdu);
coap_mid_t __wrap_coap_send(coap_session_t *session, coap_pdu_t *pdu)
{
	struct session *s = session_of(session);
	struct hf_coap_message m;
	struct sent *x;
	coap_mid_t mid = coap_pdu_get_mid(pdu);

	if (!s->datagrams->node->link_up) {
		coap_delete_pdu(pdu);
		return COAP_INVALID_MID;
	}
	read_pdu(pdu, &m);
	x = sim_alloc(sizeof(*x));
	x->session = s;
	x->pdu = pdu;
	if (!sim_con_init(&x->con, &m, repeat_due, x)) {
		sim_free(x);
		coap_delete_pdu(pdu);
		return COAP_INVALID_MID;
	}
	hf_list_push(&s->sent, &x->con.item);
	sim_datagram_send(s->datagrams, &s->to, x->con.bytes, x->con.len);
	sim_con_sent(&x->con, world_of(s), draw() % 1000);
	return mid;
}

void __wrap_coap_cancel_all_messages(coap_context_t *context, coap_session_t *session,
				     coap_bin_const_t *token);
void __wrap_coap_cancel_all_messages(coap_context_t *context, coap_session_t *session,
				     coap_bin_const_t *token)
{
	struct sent *x;

	(void)context;
	while ((x = sent_by_token(session_of(session), token->length, token->s)))
		coap_delete_pdu(take_sent(x));
}

/* ---- sessions ---- */

static struct hf_addr addr_of(const coap_address_t *a)
{
	struct hf_addr out = sim_addr_ipv4(0, coap_address_get_port(a));

	memcpy(out.ip, &a->addr.sin.sin_addr, 4);
	return out;
}

coap_session_t *__wrap_coap_new_client_session(coap_context_t *context, const coap_address_t *from,
					       const coap_address_t *to, coap_proto_t proto);
coap_session_t *__wrap_coap_new_client_session(coap_context_t *context, const coap_address_t *from,
					       const coap_address_t *to, coap_proto_t proto)
{
	static const struct hf_datagram_events events = { .on_datagram = on_datagram };
	struct context *c = context_of(context);
	struct hf_addr any = sim_addr_ipv4(0, 0);
	struct session *s;

	(void)from;
	if (proto != COAP_PROTO_UDP || to->addr.sa.sa_family != AF_INET ||
	    !device_of(c)->node->link_up)
		return NULL;
	s = sim_alloc(sizeof(*s));
	s->context = c;
	s->to = addr_of(to);
	s->mid = (uint16_t)draw();
	s->token = draw();
	hf_list_init(&s->sent);
	hf_list_init(&s->inbox);
	hf_list_init(&s->item);
	if (c->port->datagram_open(c->port, &any, &events, s, &s->datagrams)) {
		sim_free(s);
		return NULL;
	}
	s->datagrams->on_refused = on_refused;
	hf_list_push(&c->sessions, &s->item);
	return handle_of(s);
}

coap_session_t *__wrap_coap_new_client_session_pki(coap_context_t *context,
						   const coap_address_t *from,
						   const coap_address_t *to, coap_proto_t proto,
						   coap_dtls_pki_t *setup);
coap_session_t *__wrap_coap_new_client_session_pki(coap_context_t *context,
						   const coap_address_t *from,
						   const coap_address_t *to, coap_proto_t proto,
						   coap_dtls_pki_t *setup)
{
	(void)setup;
	return __wrap_coap_new_client_session(context, from, to, proto);
}

void __wrap_coap_session_release(coap_session_t *session);
void __wrap_coap_session_release(coap_session_t *session)
{
	struct session *s = session_of(session);
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->sent)
		coap_delete_pdu(take_sent(hf_container_of(it, struct sent, con.item)));
	hf_list_for(it, tmp, &s->inbox)
		sim_free(hf_container_of(it, struct inbound, item));
	hf_list_remove(&s->item);
	s->context->port->datagram_close(s->context->port, s->datagrams);
	sim_free(s);
}

coap_session_state_t __wrap_coap_session_get_state(const coap_session_t *session);
coap_session_state_t __wrap_coap_session_get_state(const coap_session_t *session)
{
	(void)session;
	return COAP_SESSION_STATE_ESTABLISHED;
}

size_t __wrap_coap_session_max_pdu_size(const coap_session_t *session);
size_t __wrap_coap_session_max_pdu_size(const coap_session_t *session)
{
	(void)session;
	return PDU_BYTES_MAX;
}

coap_context_t *__wrap_coap_session_get_context(const coap_session_t *session);
coap_context_t *__wrap_coap_session_get_context(const coap_session_t *session)
{
	return (coap_context_t *)(void *)session_of(session)->context;
}

void __wrap_coap_session_set_app_data(coap_session_t *session, void *app);
void __wrap_coap_session_set_app_data(coap_session_t *session, void *app)
{
	session_of(session)->app = app;
}

void __wrap_coap_session_set_nstart(coap_session_t *session, uint16_t n);
void __wrap_coap_session_set_nstart(coap_session_t *session, uint16_t n)
{
	(void)session; /* the transport keeps to it too */
	(void)n;
}

/* ---- contexts ---- */

coap_context_t *__wrap_coap_new_context(const coap_address_t *at);
coap_context_t *__wrap_coap_new_context(const coap_address_t *at)
{
	struct context *c = sim_alloc(sizeof(*c));

	(void)at;
	c->port = hf_tls_platform_enter(NULL); /* the one that is on the stack */
	hf_tls_platform_leave(c->port);
	c->fd = ++((struct sim_port *)(void *)c->port)->fds;
	hf_list_init(&c->sessions);
	return (coap_context_t *)(void *)c;
}

void __wrap_coap_free_context(coap_context_t *context);
void __wrap_coap_free_context(coap_context_t *context)
{
	struct context *c = context_of(context);
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &c->sessions)
		__wrap_coap_session_release(handle_of(hf_container_of(it, struct session, item)));
	sim_free(c);
}

void __wrap_coap_context_set_app_data(coap_context_t *context, void *app);
void __wrap_coap_context_set_app_data(coap_context_t *context, void *app)
{
	context_of(context)->app = app;
}

void *__wrap_coap_context_get_app_data(const coap_context_t *context);
void *__wrap_coap_context_get_app_data(const coap_context_t *context)
{
	return ((const struct context *)(const void *)context)->app;
}

int __wrap_coap_context_get_coap_fd(const coap_context_t *context);
int __wrap_coap_context_get_coap_fd(const coap_context_t *context)
{
	return ((const struct context *)(const void *)context)->fd;
}

void __wrap_coap_context_set_csm_max_message_size(coap_context_t *context, uint32_t bytes);
void __wrap_coap_context_set_csm_max_message_size(coap_context_t *context, uint32_t bytes)
{
	(void)context;
	(void)bytes;
}

void __wrap_coap_register_response_handler(coap_context_t *context, coap_response_handler_t f);
void __wrap_coap_register_response_handler(coap_context_t *context, coap_response_handler_t f)
{
	context_of(context)->on_response = f;
}

void __wrap_coap_register_nack_handler(coap_context_t *context, coap_nack_handler_t f);
void __wrap_coap_register_nack_handler(coap_context_t *context, coap_nack_handler_t f)
{
	context_of(context)->on_nack = f;
}

void __wrap_coap_register_event_handler(coap_context_t *context, coap_event_handler_t f);
void __wrap_coap_register_event_handler(coap_context_t *context, coap_event_handler_t f)
{
	context_of(context)->on_event = f;
}

void __wrap_coap_startup(void);
void __wrap_coap_startup(void)
{
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "coap/observe.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "holdfast/err.h"
#include "net/addr.h"
#include "net/tls_platform.h"

#define DETAIL_SIZE	   320
#define STREAM_MESSAGE_MAX 1152

struct hf_port *hf_coap_enter(struct hf_coap *t)
{
	return hf_tls_platform_enter(t->opt.port);
}

struct hf_exchange *hf_coap_by_token(struct hf_coap *t, const coap_pdu_t *pdu)
{
	coap_bin_const_t token = coap_pdu_get_token(pdu);
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->running) {
		struct hf_exchange *x = hf_container_of(it, struct hf_exchange, node);

		if (x->outstanding && x->token_len == token.length &&
		    memcmp(x->token, token.s, token.length) == 0)
			return x;
	}
	return NULL;
}

/* ---- libcoap's handlers: they write down ---- */

static struct hf_coap *transport_of(coap_session_t *session)
{
	return coap_context_get_app_data(coap_session_get_context(session));
}

static coap_response_t on_response(coap_session_t *session, const coap_pdu_t *sent,
				   const coap_pdu_t *received, const coap_mid_t mid)
{
	struct hf_coap *t = transport_of(session);
	struct hf_exchange *x = hf_coap_by_token(t, received);
	int err;

	(void)sent;
	if (!x)
		return hf_coap_observe_heard(t, received) ? COAP_RESPONSE_OK : COAP_RESPONSE_FAIL;
	if (x->reply.there)
		return COAP_RESPONSE_FAIL;
	if (!t->opt.stream && coap_pdu_get_type(received) == COAP_MESSAGE_ACK && mid != x->mid)
		return COAP_RESPONSE_OK; /* to a block before, once more */
	err = hf_coap_message_read(received, &x->reply);
	if (err)
		x->nack = COAP_NACK_BAD_RESPONSE + 1;
	else
		x->reply.there = true;
	x->outstanding = false;
	hf_coap_soon(x);
	return COAP_RESPONSE_OK;
}

static void on_nack(coap_session_t *session, const coap_pdu_t *sent,
		    const coap_nack_reason_t reason, const coap_mid_t mid)
{
	struct hf_coap *t = transport_of(session);
	struct hf_exchange *x = sent ? hf_coap_by_token(t, sent) : NULL;

	(void)mid;
	if (x) {
		x->nack = (int)reason + 1;
		hf_coap_soon(x);
		return;
	}
	if (t->state == HF_COAP_HANDSHAKE || reason != COAP_NACK_ICMP_ISSUE)
		t->failed = true;
	hf_coap_wake(t);
}

static void mark_repeated(struct hf_coap *t)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->running)
		hf_container_of(it, struct hf_exchange, node)->repeated = true;
}

static int on_event(coap_session_t *session, const coap_event_t event)
{
	struct hf_coap *t = transport_of(session);

	switch (event) {
	case COAP_EVENT_DTLS_ERROR:
	case COAP_EVENT_DTLS_CLOSED:
	case COAP_EVENT_TCP_CLOSED:
	case COAP_EVENT_TCP_FAILED:
	case COAP_EVENT_SESSION_CLOSED:
	case COAP_EVENT_SESSION_FAILED:
		t->failed = true;
		break;
	case COAP_EVENT_MSG_RETRANSMITTED:
		mark_repeated(t);
		return 0;
	default:
		return 0;
	}
	hf_coap_wake(t);
	return 0;
}

static void on_ready(void *user)
{
	struct hf_coap *t = user;
	struct hf_port *before = hf_coap_enter(t);

	coap_io_process(t->context, COAP_IO_NO_WAIT);
	hf_tls_platform_leave(before);
	hf_coap_run(t);
}

/* ---- connecting ---- */

bool hf_coap_session_has_other(const struct hf_coap *t)
{
	return t->addr + 1 < t->addrs_n;
}

static void connect_session(struct hf_coap *t);

/* The address at hand leads nowhere: the next one, else all who wait end. */
static void fail(struct hf_coap *t, enum hf_end end, int err, const char *detail)
{
	bool other = t->state == HF_COAP_HANDSHAKE && end == HF_END_CONNECT &&
		     hf_coap_session_has_other(t) && hf_coap_now(t) < t->give_up_ms;

	hf_log(t->opt.log, HF_LOG_DEBUG, "coap.connect", "host=%s err=%s", t->host,
	       hf_errname(err));
	hf_coap_session_drop(t, true);
	if (other)
		connect_session(t);
	else
		hf_coap_fail_waiting(t, end, err, detail);
}

static void to_coap_address(const struct hf_addr *a, coap_address_t *out)
{
	coap_address_init(out);
	if (a->family == HF_FAMILY_IPV6) {
		out->size = sizeof(out->addr.sin6);
		out->addr.sin6.sin6_family = AF_INET6;
		memcpy(&out->addr.sin6.sin6_addr, a->ip, 16);
		out->addr.sin6.sin6_scope_id = a->scope;
	} else {
		out->size = sizeof(out->addr.sin);
		out->addr.sin.sin_family = AF_INET;
		memcpy(&out->addr.sin.sin_addr, a->ip, 4);
	}
	coap_address_set_port(out, a->port);
}

static coap_session_t *open_session(struct hf_coap *t, const coap_address_t *to)
{
	if (t->opt.tls)
		return hf_coap_tls_open(t, to);
	return coap_new_client_session(t->context, NULL, to,
				       t->opt.stream ? COAP_PROTO_TCP : COAP_PROTO_UDP);
}

/* What time is left is shared by the addresses that are left. */
static void arm_deadline(struct hf_coap *t)
{
	uint64_t now = hf_coap_now(t);
	uint64_t left = t->give_up_ms > now ? t->give_up_ms - now : 0;

	(void)hf_timerq_set(t->opt.timers, &t->deadline, now + left / (t->addrs_n - t->addr));
}

static void connect_session(struct hf_coap *t)
{
	struct hf_port *before = hf_coap_enter(t);
	struct hf_addr addr;
	coap_address_t to;

	t->addr %= t->addrs_n;
	addr = t->addrs[t->addr];
	arm_deadline(t);
	addr.port = t->opt.port_number;
	to_coap_address(&addr, &to);
	t->state = HF_COAP_HANDSHAKE;
	t->failed = false;
	t->session = open_session(t, &to);
	if (t->session) {
		coap_session_set_app_data(t->session, t);
		coap_session_set_nstart(t->session, CONFIG_HF_COAP_NSTART);
		/* so that its timer knows of the handshake: the first flight may be lost */
		coap_io_process(t->context, COAP_IO_NO_WAIT);
	} else {
		t->failed = true;
	}
	hf_tls_platform_leave(before);
	hf_coap_wake(t);
}

static void resolved(void *user, int err, const struct hf_addr *addrs, size_t n)
{
	struct hf_coap *t = user;
	char detail[160];

	t->resolve = NULL;
	if (!err && n == 0)
		err = HF_EDNS;
	if (err) {
		snprintf(detail, sizeof(detail), "name look-up of %s: %s", t->host,
			 hf_strerror(err));
		fail(t, err == HF_EDNS ? HF_END_DNS : HF_END_INTERNAL, err, detail);
		return;
	}
	t->addrs_n = n < HF_COAP_ADDRS_MAX ? n : HF_COAP_ADDRS_MAX;
	memcpy(t->addrs, addrs, t->addrs_n * sizeof(*addrs));
	t->addr = 0;
	connect_session(t);
}

void hf_coap_session_want(struct hf_coap *t)
{
	struct hf_port *port = t->opt.port;
	int err;

	if (t->state != HF_COAP_DOWN)
		return;
	t->give_up_ms = hf_coap_now(t) + t->opt.connect_timeout_ms;
	if (hf_timerq_set(t->opt.timers, &t->deadline,
			  hf_coap_now(t) + t->opt.connect_timeout_ms)) {
		hf_coap_fail_waiting(t, HF_END_INTERNAL, HF_ENOMEM, "out of memory");
		return;
	}
	if (t->addrs_n > 0) {
		connect_session(t);
		return;
	}
	t->state = HF_COAP_RESOLVING;
	err = port->resolve(port, t->host, resolved, t, &t->resolve);
	if (err) {
		t->resolve = NULL;
		fail(t, HF_END_DNS, err, "no name look-up");
	}
}

/* Why the session did not come about. */
static enum hf_end session_fault(struct hf_coap *t, char *words, size_t size, int *err)
{
	enum hf_end end = HF_END_CONNECT;

	if (t->opt.tls)
		end = hf_coap_tls_fault(t, words, size, err);
	if (end == HF_END_CONNECT) {
		*err = HF_ECONNREFUSED;
		snprintf(words, size, "the origin cannot be reached");
	}
	return end;
}

static void on_deadline(void *user)
{
	struct hf_coap *t = user;
	bool names = t->state == HF_COAP_RESOLVING;
	enum hf_end end = HF_END_DNS;
	int err = HF_ETIMEDOUT;
	char detail[DETAIL_SIZE];

	if (names)
		snprintf(detail, sizeof(detail), "name look-up of %s takes too long", t->host);
	else
		end = session_fault(t, detail, sizeof(detail), &err);
	if (!names && end == HF_END_CONNECT) {
		snprintf(detail, sizeof(detail), "no session with %s within %u ms", t->host,
			 t->opt.connect_timeout_ms);
		err = HF_ETIMEDOUT;
	}
	fail(t, end, err, detail);
}

/* ---- its life ---- */

static void on_idle(void *user)
{
	hf_coap_session_drop(user, false);
}

void hf_coap_session_rest(struct hf_coap *t)
{
	if (t->running_n > 0 || t->state != HF_COAP_UP)
		return;
	if (t->last)
		hf_coap_session_drop(t, t->silent);
	else if (t->observations_n > 0)
		hf_timerq_clear(t->opt.timers, &t->idle);
	else
		(void)hf_timerq_set(t->opt.timers, &t->idle,
				    hf_coap_now(t) + t->opt.keepalive_timeout_ms);
}

void hf_coap_session_drop(struct hf_coap *t, bool other_address)
{
	struct hf_port *before = hf_coap_enter(t);
	struct hf_list *it, *tmp;

	if (t->resolve)
		t->opt.port->resolve_cancel(t->opt.port, t->resolve);
	t->resolve = NULL;
	hf_list_for(it, tmp, &t->running)
		hf_coap_message_cancel(hf_container_of(it, struct hf_exchange, node));
	if (t->session)
		coap_session_release(t->session);
	t->session = NULL;
	hf_coap_tls_close(t);
	hf_coap_observe_lost(t);
	hf_tls_platform_leave(before);
	hf_timerq_clear(t->opt.timers, &t->deadline);
	hf_timerq_clear(t->opt.timers, &t->idle);
	t->state = HF_COAP_DOWN;
	t->failed = t->last = t->silent = t->used = false;
	if (!other_address)
		return;
	t->addr++;
	if (t->addr >= t->addrs_n && !t->literal)
		t->addrs_n = 0;
}

static void lose_running(struct hf_coap *t, const char *detail)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->running) {
		struct hf_exchange *x = hf_container_of(it, struct hf_exchange, node);

		if (x->state == HF_COAP_X_READY || x->state == HF_COAP_X_HELD ||
		    x->state == HF_COAP_X_ACTIVE)
			hf_coap_x_end(x, HF_END_RESET, HF_ECONNRESET, detail);
	}
}

void hf_coap_session_look(struct hf_coap *t)
{
	char detail[DETAIL_SIZE];
	enum hf_end end;
	int err;

	/* With Mbed TLS no event says that the handshake is done. */
	if (t->state == HF_COAP_HANDSHAKE && !t->failed &&
	    coap_session_get_state(t->session) == COAP_SESSION_STATE_ESTABLISHED) {
		t->state = HF_COAP_UP;
		hf_timerq_clear(t->opt.timers, &t->deadline);
	}
	if (!t->failed)
		return;
	if (t->state == HF_COAP_HANDSHAKE) {
		end = session_fault(t, detail, sizeof(detail), &err);
		fail(t, end, err, detail);
		return;
	}
	lose_running(t, "the session has ended");
	hf_coap_session_drop(t, false);
}

/* ---- the context ---- */

int hf_coap_session_init(struct hf_coap *t)
{
	struct hf_port *port = t->opt.port, *before;
	int fd, err = 0;

	if (!port->watch)
		return HF_ENOTSUP;
	hf_timer_init(&t->deadline, on_deadline, t);
	hf_timer_init(&t->idle, on_idle, t);
	t->literal = hf_addr_parse(t->host, &t->addrs[0]) == 0;
	t->addrs_n = t->literal;
	before = hf_coap_enter(t);
	coap_startup();
	coap_set_log_level(COAP_LOG_EMERG);
	coap_dtls_set_log_level(COAP_LOG_EMERG);
	t->context = coap_new_context(NULL);
	if (t->context) {
		coap_context_set_app_data(t->context, t);
		/* Without larger messages, blocks are those of datagrams (RFC 8323 section 6). */
		coap_context_set_csm_max_message_size(t->context, STREAM_MESSAGE_MAX);
		coap_register_response_handler(t->context, on_response);
		coap_register_nack_handler(t->context, on_nack);
		coap_register_event_handler(t->context, on_event);
		fd = coap_context_get_coap_fd(t->context);
		err = fd < 0 ? HF_EIO : port->watch(port, fd, on_ready, t, &t->watch);
	}
	hf_tls_platform_leave(before);
	return t->context ? err : HF_ENOMEM;
}

void hf_coap_session_finish(struct hf_coap *t)
{
	struct hf_port *before;

	if (!t->context)
		return;
	hf_coap_session_drop(t, false);
	if (t->watch)
		t->opt.port->watch_close(t->opt.port, t->watch);
	before = hf_coap_enter(t);
	coap_free_context(t->context);
	hf_tls_platform_leave(before);
}

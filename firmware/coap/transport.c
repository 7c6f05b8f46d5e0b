/* SPDX-License-Identifier: Apache-2.0 */
#include "coap/transport.h"

#include <assert.h>
#include <stdlib.h>

#include "coap/observe.h"
#include "holdfast/err.h"
#include "net/addr.h"
#include "net/tls_platform.h"

static struct hf_exchange *exchange_of(struct hf_list *node)
{
	return hf_container_of(node, struct hf_exchange, node);
}

/* ---- what is due on a later turn ---- */

void hf_coap_wake(struct hf_coap *t)
{
	if (!hf_timer_is_set(&t->soon_timer) &&
	    hf_timerq_set(t->opt.timers, &t->soon_timer, hf_coap_now(t)))
		hf_log(t->opt.log, HF_LOG_ERROR, "coap.timer", "err=ENOMEM");
}

void hf_coap_soon(struct hf_exchange *x)
{
	hf_list_remove(&x->soon);
	hf_list_push(&x->t->soon, &x->soon);
	hf_coap_wake(x->t);
}

void hf_coap_fail_waiting(struct hf_coap *t, enum hf_end end, int err, const char *detail)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->waiting)
		hf_coap_x_end(exchange_of(it), end, err, detail);
}

/* A session that serves this one, which may want a fresh one. */
static bool may_run(struct hf_coap *t, const struct hf_exchange *x)
{
	if (t->state != HF_COAP_UP || t->last || t->running_n >= CONFIG_HF_COAP_NSTART)
		return false;
	return !x->fresh || (!t->opt.tls && !t->opt.stream) || !t->used;
}

static void serve_waiting(struct hf_coap *t)
{
	struct hf_list *first;

	while ((first = hf_list_first(&t->waiting))) {
		struct hf_exchange *x = exchange_of(first);

		if (!may_run(t, x))
			break;
		hf_coap_x_leave(x);
		hf_list_push(&t->running, &x->node);
		t->running_n++;
		t->used = true;
		x->state = HF_COAP_X_READY;
		hf_timerq_clear(t->opt.timers, &t->idle);
		hf_timerq_clear(t->opt.timers, &x->timer);
		hf_coap_soon(x);
	}
	if (t->waiting_n == 0)
		return;
	if (t->state == HF_COAP_UP && t->running_n == 0)
		hf_coap_session_drop(t, t->silent); /* the first in line wants another one */
	hf_coap_session_want(t);
}

void hf_coap_run(struct hf_coap *t)
{
	struct hf_port *before;
	struct hf_list now, *node;

	if (t->depth > 0)
		return;
	before = hf_coap_enter(t);
	t->depth++;
	hf_coap_session_look(t);
	hf_list_take(&t->soon, &now);
	while ((node = hf_list_pop(&now)))
		hf_coap_x_step(hf_container_of(node, struct hf_exchange, soon));
	hf_coap_observe_look(t);
	serve_waiting(t);
	hf_coap_session_rest(t);
	t->depth--;
	hf_tls_platform_leave(before);
}

static void on_soon(void *user)
{
	hf_coap_run(user);
}

void hf_coap_x_queue(struct hf_exchange *x)
{
	hf_list_push(&x->t->waiting, &x->node);
	x->t->waiting_n++;
	hf_coap_x_arm(x);
	hf_coap_wake(x->t);
}

void hf_coap_x_local(struct hf_exchange *x)
{
	x->state = HF_COAP_X_LOCAL;
	hf_list_push(&x->t->running, &x->node);
	x->t->running_n++;
	hf_coap_soon(x);
}

/* ---- the transport's operations ---- */

static int perform(struct hf_transport *base, const struct hf_transport_request *req,
		   const struct hf_exchange_events *events, void *user, struct hf_exchange **out)
{
	struct hf_coap *t = hf_coap_of(base);
	struct hf_exchange *x;
	int err = 0;

	if (t->waiting_n >= CONFIG_HF_COAP_WAITING_MAX)
		return HF_ELIMIT;
	x = hf_coap_x_create(t);
	if (!x)
		return HF_ENOMEM;
	x->msg = req->msg;
	x->events = events;
	x->user = user;
	x->fresh = req->fresh;
	x->first_byte_ms = req->first_byte_timeout_ms ? req->first_byte_timeout_ms :
							t->opt.first_byte_timeout_ms;
	x->go = events->on_send == NULL;
	x->body_left = req->msg->body == HF_BODY_LENGTH ? req->msg->body_len : 0;
	x->body_done = req->msg->body == HF_BODY_NONE ||
		       (req->msg->body == HF_BODY_LENGTH && x->body_left == 0);
	x->refused = hf_coap_request_map(req->msg, t->literal ? NULL : t->host, &t->opt.key,
					 &x->arena, &x->request);
	if (x->refused < 0) {
		hf_coap_x_destroy(x);
		return HF_ENOMEM;
	}
	*out = x;
	if (x->refused) {
		hf_coap_x_local(x);
	} else if (hf_coap_wants_events(req->msg)) {
		err = hf_coap_observe(x);
		if (err)
			hf_coap_x_destroy(x);
	} else {
		hf_coap_x_queue(x);
	}
	return err;
}

static void go(struct hf_transport *base, struct hf_exchange *x)
{
	(void)base;
	assert(!x->go);
	x->go = true;
	hf_coap_soon(x);
}

static size_t send_body(struct hf_transport *base, struct hf_exchange *x, struct hf_span data)
{
	(void)base;
	return hf_coap_x_send(x, data);
}

static void send_end(struct hf_transport *base, struct hf_exchange *x,
		     const struct hf_fields *trailers)
{
	(void)base;
	(void)trailers; /* CoAP has none */
	x->body_done = true;
	hf_coap_soon(x);
}

static void receive(struct hf_transport *base, struct hf_exchange *x, bool on)
{
	(void)base;
	x->receiving = on;
	if (on)
		hf_coap_soon(x);
}

static void cancel(struct hf_transport *base, struct hf_exchange *x)
{
	struct hf_coap *t = hf_coap_of(base);
	struct hf_port *before = hf_coap_enter(t);

	hf_coap_x_cancel(x);
	hf_coap_wake(t);
	hf_tls_platform_leave(before);
}

/* ---- public ---- */

static int keep_copies(struct hf_coap *t)
{
	t->host = hf_span_dup(hf_span_str(t->opt.host));
	t->query = hf_span_dup(hf_span_str(t->opt.key.query));
	t->opt.host = t->host;
	if (t->opt.key.query)
		t->opt.key.query = t->query;
	return t->host && t->query ? 0 : HF_ENOMEM;
}

int hf_coap_create(const struct hf_coap_options *opt, struct hf_transport **out)
{
	struct hf_coap *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return HF_ENOMEM;
	t->opt = *opt;
	t->tag = (uint32_t)hf_coap_now(t); /* another one than before a restart */
	t->base = (struct hf_transport){
		.perform = perform,
		.go = go,
		.send = send_body,
		.send_end = send_end,
		.receive = receive,
		.cancel = cancel,
	};
	hf_list_init(&t->waiting);
	hf_list_init(&t->running);
	hf_list_init(&t->ended);
	hf_list_init(&t->observations);
	hf_list_init(&t->soon);
	hf_timer_init(&t->soon_timer, on_soon, t);
	err = keep_copies(t);
	if (!err)
		err = hf_coap_session_init(t);
	if (err) {
		hf_coap_destroy(&t->base);
		return err;
	}
	*out = &t->base;
	return 0;
}

static void destroy_all(struct hf_list *exchanges)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, exchanges)
		hf_coap_x_destroy(exchange_of(it));
}

void hf_coap_destroy(struct hf_transport *base)
{
	struct hf_coap *t;

	if (!base)
		return;
	t = hf_coap_of(base);
	assert(t->depth == 0);
	hf_coap_observe_finish(t);
	destroy_all(&t->waiting);
	destroy_all(&t->running);
	destroy_all(&t->ended);
	hf_coap_session_finish(t);
	hf_timerq_clear(t->opt.timers, &t->soon_timer);
	free(t->host);
	free(t->query);
	free(t);
}

void hf_coap_network_changed(struct hf_transport *base, bool up)
{
	struct hf_coap *t = hf_coap_of(base);
	struct hf_list *it, *tmp;

	if (t->addrs_n > 0 && hf_addr_is_local(&t->addrs[t->addr % t->addrs_n]))
		return;
	if (!t->literal)
		t->addrs_n = 0;
	t->last = t->state == HF_COAP_UP;
	if (up)
		hf_coap_observe_again(t);
	else
		hf_list_for(it, tmp, &t->running)
			if (!exchange_of(it)->head_seen)
				hf_coap_x_end(exchange_of(it), HF_END_RESET, HF_EUNREACH,
					      "the network link is gone");
	hf_coap_wake(t);
}

void hf_coap_distrust(struct hf_transport *base)
{
	struct hf_coap *t = hf_coap_of(base);

	if (!t->literal)
		t->addrs_n = 0;
	t->last = t->state == HF_COAP_UP;
	hf_coap_wake(t);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Observations: what the origin says of a resource, and when it is asked again. */
#include <stdlib.h>

#include "coap/observe_event.h"
#include "coap/observe_private.h"
#include "holdfast/err.h"
#include "net/tls_platform.h"

#define ARENA_MAX     (32u * 1024)
#define REPLY_MAX     (16u * 1024)
#define MAX_AGE_S     60    /* where none is said */
#define GRACE_MS      5000  /* behind Max-Age (RFC 7641 section 3.3.1), and up to */
#define GRACE_RAND_MS 10000 /* so much more */
#define RETRY_MS      1000  /* doubled each time, up to */
#define RETRY_MAX_MS  60000
#define LEAVE_MS      3000   /* for the answer to a deregistration */
#define ORDER_MS      128000 /* a notification so much later is newer (section 3.4) */
#define ORDER_HALF    (1u << 23)

enum {
	REGISTER = 0,
	DEREGISTER = 1
};

static struct hf_exchange *listener_of(struct hf_list *node)
{
	return hf_container_of(node, struct hf_exchange, node);
}

static struct hf_coap_observation *observation_of(struct hf_list *node)
{
	return hf_container_of(node, struct hf_coap_observation, node);
}

/* ---- making and freeing ---- */

static void on_timer(void *user)
{
	struct hf_coap_observation *o = user;

	hf_coap_wake(o->t);
}

static void destroy(struct hf_coap_observation *o)
{
	struct hf_list *it, *tmp;

	if (o->asking)
		hf_coap_x_cancel(o->asking);
	hf_list_for(it, tmp, &o->listeners)
		hf_coap_x_destroy(listener_of(it));
	hf_list_remove(&o->node);
	o->t->observations_n--;
	hf_timerq_clear(o->t->opt.timers, &o->timer);
	hf_arena_finish(&o->arena);
	hf_arena_finish(&o->reply.arena);
	hf_buf_finish(&o->next);
	hf_buf_finish(&o->event);
	free(o);
}

static int copy_request(struct hf_coap_observation *o, const struct hf_coap_head *request)
{
	o->request = *request;
	for (size_t i = 0; i < request->n; i++) {
		struct hf_span *value = &o->request.options[i].value;

		if (value->len == 0)
			continue;
		*value = hf_arena_copy(&o->arena, *value);
		if (!value->ptr)
			return HF_ENOMEM;
	}
	return 0;
}

static struct hf_coap_observation *create(struct hf_coap *t, const struct hf_coap_head *request)
{
	struct hf_coap_observation *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->t = t;
	hf_list_init(&o->listeners);
	hf_list_init(&o->node);
	hf_arena_init(&o->arena, ARENA_MAX);
	hf_arena_init(&o->reply.arena, REPLY_MAX);
	hf_buf_init(&o->next, CONFIG_HF_COAP_OBSERVED_BYTES_MAX);
	hf_buf_init(&o->event, HF_COAP_EVENT_MAX(CONFIG_HF_COAP_OBSERVED_BYTES_MAX));
	hf_timer_init(&o->timer, on_timer, o);
	o->msg = (struct hf_message){ .method = HF_SPAN("GET"), .body = HF_BODY_NONE };
	hf_fields_init(&o->msg.fields, &o->arena);
	hf_list_push(&t->observations, &o->node);
	t->observations_n++;
	if (copy_request(o, request)) {
		destroy(o);
		return NULL;
	}
	return o;
}

static bool same_request(const struct hf_coap_head *a, const struct hf_coap_head *b)
{
	if (a->code != b->code || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->options[i].number != b->options[i].number ||
		    !hf_span_eq(a->options[i].value, b->options[i].value))
			return false;
	return true;
}

static struct hf_coap_observation *find(struct hf_coap *t, const struct hf_coap_head *request)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->observations) {
		struct hf_coap_observation *o = observation_of(it);

		if (!o->leaving && !o->over && same_request(&o->request, request))
			return o;
	}
	return NULL;
}

/* ---- listeners ---- */

int hf_coap_observe(struct hf_exchange *x)
{
	struct hf_coap *t = x->t;
	struct hf_coap_observation *o = find(t, &x->request);

	if (!o && t->observations_n >= CONFIG_HF_COAP_OBSERVED_MAX) {
		hf_coap_listener_refuse(x, 503);
		return 0;
	}
	if (!o)
		o = create(t, &x->request);
	if (!o)
		return HF_ENOMEM;
	x->state = HF_COAP_X_LISTENING;
	x->observation = o;
	x->due = o->known;
	hf_list_push(&o->listeners, &x->node);
	hf_coap_soon(x); /* and the observation is looked at */
	return 0;
}

static void tell_all(struct hf_coap_observation *o)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &o->listeners)
		hf_coap_soon(listener_of(it));
}

/* ---- what is known ---- */

static void plan(struct hf_coap_observation *o, uint64_t in_ms)
{
	(void)hf_timerq_set(o->t->opt.timers, &o->timer, hf_coap_now(o->t) + in_ms);
}

static uint32_t some_ms(struct hf_coap_observation *o, uint32_t below)
{
	uint32_t n = 0;

	(void)o->t->opt.port->entropy(o->t->opt.port, &n, sizeof(n));
	return n % below;
}

/* The origin is asked again when it has not been heard of for so long. */
static void plan_lapse(struct hf_coap_observation *o)
{
	plan(o, (uint64_t)o->max_age * 1000 + GRACE_MS + some_ms(o, GRACE_RAND_MS));
}

static void finish_with(struct hf_coap_observation *o, int status)
{
	o->over = status;
	o->there = false;
	hf_timerq_clear(o->t->opt.timers, &o->timer);
	tell_all(o);
}

static void publish(struct hf_coap_observation *o, struct hf_span payload)
{
	struct hf_list *it, *tmp;

	hf_buf_clear(&o->event);
	if (hf_coap_event_write(&o->event, o->format, payload)) {
		finish_with(o, 502);
		return;
	}
	o->known = true;
	o->stale = false;
	o->failures = 0;
	hf_list_for(it, tmp, &o->listeners)
		listener_of(it)->due = true;
	plan_lapse(o);
	tell_all(o);
}

static void read_options(struct hf_coap_observation *o, const struct hf_coap_head *head)
{
	const struct hf_span *format = hf_coap_option_get(head, HF_COAP_CONTENT_FORMAT);
	const struct hf_span *age = hf_coap_option_get(head, HF_COAP_MAX_AGE);
	uint32_t number;

	o->format = format && hf_coap_uint_parse(*format, &number) ? (int32_t)number : -1;
	if (!age || !hf_coap_uint_parse(*age, &o->max_age))
		o->max_age = MAX_AGE_S;
}

/* ---- our exchange ---- */

static void on_head(void *user, const struct hf_message *head)
{
	struct hf_coap_observation *o = user;
	struct hf_exchange *x = o->asking;
	const struct hf_span *observe = hf_coap_option_get(&x->reply.head, HF_COAP_OBSERVE);

	o->status = head->status;
	o->overflow = false;
	hf_buf_clear(&o->next);
	read_options(o, &x->reply.head);
	if (!hf_coap_option_get(&x->request, HF_COAP_OBSERVE))
		return; /* the rest of a notification: it says nothing of the list */
	o->there = observe && hf_coap_uint_parse(*observe, &o->order);
	o->order_ms = hf_coap_now(o->t);
	memcpy(o->token, x->token, x->token_len);
	o->token_len = x->token_len;
}

static void on_body(void *user, struct hf_span data)
{
	struct hf_coap_observation *o = user;

	if (hf_buf_append(&o->next, data))
		o->overflow = true;
}

static void failed(struct hf_coap_observation *o, const struct hf_exchange_result *result)
{
	unsigned n = o->failures < 6 ? o->failures : 6;
	uint32_t ms = RETRY_MS << n;
	struct hf_list *it, *tmp;

	if (!o->known) {
		hf_list_for(it, tmp, &o->listeners)
			hf_coap_x_end(listener_of(it), result->end, result->err, result->detail);
		return;
	}
	o->failures++;
	o->there = false;
	o->stale = true;
	plan(o, (ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS) + some_ms(o, RETRY_MS));
	tell_all(o);
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct hf_coap_observation *o = user;

	(void)trailers;
	o->asking = NULL;
	hf_coap_wake(o->t);
	if (o->leaving)
		o->there = false;
	else if (result->end != HF_END_COMPLETE)
		failed(o, result);
	else if (o->status != 200)
		finish_with(o, o->status);
	else if (o->overflow)
		finish_with(o, 502);
	else
		publish(o, hf_buf_span(&o->next));
}

static const struct hf_exchange_events events = {
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

/* @observe: REGISTER, DEREGISTER, or -1 for the representation alone. */
static void ask(struct hf_coap_observation *o, int observe)
{
	struct hf_exchange *x = hf_coap_x_create(o->t);
	char *bytes = x ? hf_arena_alloc(&x->arena, 4) : NULL;

	if (!bytes) {
		if (x)
			hf_coap_x_destroy(x);
		plan(o, RETRY_MAX_MS);
		return;
	}
	x->msg = &o->msg;
	x->events = &events;
	x->user = o;
	x->go = x->body_done = true;
	x->first_byte_ms = observe == DEREGISTER ? LEAVE_MS : o->t->opt.first_byte_timeout_ms;
	x->request = o->request;
	if (observe >= 0)
		(void)hf_coap_option_add(&x->request, HF_COAP_OBSERVE,
					 hf_coap_uint((uint32_t)observe, bytes));
	if (observe >= 0 && o->there) {
		memcpy(x->token, o->token, o->token_len);
		x->token_len = o->token_len;
		x->keep_token = true;
	}
	o->asking = x;
	hf_coap_x_queue(x);
}

/* ---- what has come ---- */

/* RFC 7641 section 3.4. */
static bool is_newer(const struct hf_coap_observation *o, uint32_t order)
{
	if (o->t->opt.stream || hf_coap_now(o->t) > o->order_ms + ORDER_MS)
		return true;
	return (o->order < order && order - o->order < ORDER_HALF) ||
	       (o->order > order && o->order - order > ORDER_HALF);
}

static struct hf_coap_observation *by_token(struct hf_coap *t, const coap_pdu_t *pdu)
{
	coap_bin_const_t token = coap_pdu_get_token(pdu);
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->observations) {
		struct hf_coap_observation *o = observation_of(it);

		if (o->there && o->token_len == token.length &&
		    memcmp(o->token, token.s, token.length) == 0)
			return o;
	}
	return NULL;
}

bool hf_coap_observe_heard(struct hf_coap *t, const coap_pdu_t *pdu)
{
	struct hf_coap_observation *o = by_token(t, pdu);
	const struct hf_span *observe;
	struct hf_coap_reply reply = { 0 };
	uint32_t order = 0;

	if (!o || o->leaving || o->over || hf_list_empty(&o->listeners))
		return false;
	hf_arena_init(&reply.arena, REPLY_MAX);
	if (hf_coap_message_read(pdu, &reply)) {
		hf_arena_finish(&reply.arena);
		return false;
	}
	observe = hf_coap_option_get(&reply.head, HF_COAP_OBSERVE);
	if (observe && (!hf_coap_uint_parse(*observe, &order) || !is_newer(o, order))) {
		hf_arena_finish(&reply.arena);
		return true;
	}
	o->order = order;
	o->order_ms = hf_coap_now(t);
	hf_arena_finish(&o->reply.arena);
	o->reply = reply;
	o->reply.there = true;
	hf_coap_wake(t);
	return true;
}

static void take_notification(struct hf_coap_observation *o)
{
	const struct hf_span *block = hf_coap_option_get(&o->reply.head, HF_COAP_BLOCK2);
	struct hf_coap_block first = { 0 };
	int status = hf_coap_status(o->reply.head.code, o->reply.payload.len > 0);

	o->reply.there = false;
	read_options(o, &o->reply.head);
	if (!hf_coap_option_get(&o->reply.head, HF_COAP_OBSERVE))
		o->there = false; /* it is asked again when this lapses */
	if (status != 200) {
		finish_with(o, status);
		return;
	}
	if (block && (!hf_coap_block_parse(*block, &first) || first.num != 0)) {
		finish_with(o, 502);
		return;
	}
	if (!first.more)
		publish(o, o->reply.payload);
	else if (!o->asking)
		ask(o, -1);
}

/* ---- what is due ---- */

static void leave(struct hf_coap_observation *o)
{
	if (o->asking && !o->leaving) {
		hf_coap_x_cancel(o->asking);
		o->asking = NULL;
	}
	if (o->asking)
		return;
	if (o->there && !o->leaving && o->t->state == HF_COAP_UP && !o->t->last) {
		o->leaving = true;
		ask(o, DEREGISTER);
		return;
	}
	destroy(o);
}

static void look(struct hf_coap_observation *o)
{
	if (hf_list_empty(&o->listeners)) {
		leave(o);
		return;
	}
	if (o->over)
		return;
	if (o->reply.there)
		take_notification(o);
	if (!o->over && !o->asking && !hf_timer_is_set(&o->timer))
		ask(o, REGISTER);
}

void hf_coap_observe_look(struct hf_coap *t)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->observations)
		look(observation_of(it));
}

void hf_coap_observe_lost(struct hf_coap *t)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->observations) {
		struct hf_coap_observation *o = observation_of(it);

		if (o->there && !o->asking)
			plan(o, some_ms(o, RETRY_MS));
		o->there = false;
	}
}

void hf_coap_observe_again(struct hf_coap *t)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->observations) {
		struct hf_coap_observation *o = observation_of(it);

		if (o->stale && !o->over && !o->asking)
			plan(o, 0);
	}
}

void hf_coap_observe_finish(struct hf_coap *t)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->observations)
		destroy(observation_of(it));
}

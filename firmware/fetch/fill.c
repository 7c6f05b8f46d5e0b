/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/fill.h"

#include <assert.h>
#include <stdlib.h>

#include "fetch/event.h"
#include "fetch/fill_private.h"
#include "fetch/plan.h"
#include "holdfast/err.h"
#include "http/vary.h"

#define ARENA_MAX  (1024 * 1024)
#define WINDOW_MAX ((size_t)2 * HF_SHELF_PIECE)

/* ---- life ---- */

static void destroy(struct hf_fill *f)
{
	void (*over)(void *user, int err, int status) = f->over;
	void *user = f->over_user;
	bool kept = f->kept;
	int err = f->keep_err ? f->keep_err : f->err ? f->err : HF_ESTATE, status = f->status;

	assert(hf_list_empty(&f->listeners) && f->depth == 0);
	if (f->held && hf_cache_shelf(f->fetch->opt.cache))
		hf_shelf_release(hf_cache_shelf(f->fetch->opt.cache), &f->hold);
	hf_timerq_clear(f->fetch->opt.timers, &f->kick);
	hf_list_remove(&f->link);
	for (size_t i = 0; i < f->n; i++)
		hf_stored_unref(f->v[i]);
	hf_shelf_intake_finish(&f->intake);
	if (f->putting)
		hf_buf_finish(&f->put.head); /* it will not report any more */
	hf_buf_finish(&f->window);
	hf_buf_finish(&f->flight);
	hf_arena_finish(&f->arena);
	free(f);
	if (over)
		over(user, kept ? 0 : err, status);
}

static void heard(struct hf_fill *f, const struct hf_exchange_result *result)
{
	if (f->fetch->opt.connectivity)
		hf_connectivity_heard(f->fetch->opt.connectivity, f->origin, result, f->status);
}

static void give_up_exchange(struct hf_fill *f)
{
	struct hf_exchange_result result = { .end = HF_END_COMPLETE,
					     .sent = HF_SENT_ALL,
					     .detail = "" };

	f->transport->cancel(f->transport, f->exchange);
	f->exchange = NULL;
	if (f->status)
		heard(f, &result);
}

/* Nobody needs it any more and nothing of it is under way. */
static void release(struct hf_fill *f)
{
	if (!hf_list_empty(&f->listeners) || f->depth > 0)
		return;
	if (f->exchange && !f->storing && (f->state != HF_FILL_ASK || !f->keep))
		give_up_exchange(f);
	if (f->exchange || f->appending || f->putting || f->reads > 0)
		return;
	if (!f->kept && f->intake.body && hf_cache_shelf(f->fetch->opt.cache)) {
		hf_fill_discard(f);
		return;
	}
	destroy(f);
}

void hf_fill_enter(struct hf_fill *f)
{
	f->depth++;
}

void hf_fill_exit(struct hf_fill *f)
{
	f->depth--;
	release(f);
}

/* ---- listeners ---- */

static void detach(struct hf_fill_listener *l)
{
	if (l->read)
		l->read->listener = NULL;
	l->read = NULL;
	hf_list_remove(&l->link);
	l->fill = NULL;
}

void hf_fill_leave(struct hf_fill_listener *l)
{
	struct hf_fill *f = l->fill;

	if (!f)
		return;
	detach(l);
	if (f->depth > 0)
		return;
	hf_fill_enter(f);
	if (!f->storing)
		hf_fill_trim(f);
	hf_fill_exit(f);
}

static struct hf_fill_listener *first_listener(struct hf_fill *f)
{
	struct hf_list *it = hf_list_first(&f->listeners);

	return it ? hf_container_of(it, struct hf_fill_listener, link) : NULL;
}

void hf_fill_end_listener(struct hf_fill_listener *l, const struct hf_exchange_result *result,
			  const struct hf_fields *trailers)
{
	detach(l);
	l->events->on_end(l->user, result, trailers);
}

/* Tells all of them and lets them go, those too that come to be meanwhile. */
static void end_all(struct hf_fill *f, const struct hf_exchange_result *result)
{
	struct hf_fill_listener *l;

	while ((l = first_listener(f)))
		hf_fill_end_listener(l, result, NULL);
}

/* @s answers those who ask for @variant. */
static void validate_all(struct hf_fill *f, struct hf_stored *s, struct hf_span variant)
{
	struct hf_fill_listener *l;

	while ((l = first_listener(f))) {
		detach(l);
		if (l->own || hf_fill_is_for(f, variant, l->request))
			l->events->on_validated(l->user, s);
		else
			l->events->on_parted(l->user);
	}
}

static void kick_fired(void *user)
{
	hf_fill_pump(user);
}

void hf_fill_kick(struct hf_fill *f)
{
	struct hf_port *port = f->fetch->opt.port;

	if (!hf_timer_is_set(&f->kick) &&
	    hf_timerq_set(f->fetch->opt.timers, &f->kick, port->boottime_ms(port)))
		return; /* the next event of the exchange does it */
}

void hf_fill_join(struct hf_fill *f, struct hf_fill_listener *l)
{
	l->fill = f;
	l->read = NULL;
	l->at = 0;
	l->receiving = true;
	l->told_head = false;
	hf_list_push(&f->listeners, &l->link);
	if (f->state != HF_FILL_ASK)
		hf_fill_kick(f);
}

void hf_fill_receive(struct hf_fill_listener *l, bool on)
{
	struct hf_fill *f = l->fill;

	if (!f || l->receiving == on)
		return;
	l->receiving = on;
	if (f->state == HF_FILL_ASK)
		return;
	if (!hf_fill_is_direct(f)) {
		if (on)
			hf_fill_kick(f);
	} else if (f->exchange) {
		f->transport->receive(f->transport, f->exchange, on);
	}
}

void hf_fill_keep(struct hf_fill *f)
{
	f->keep = true;
}

/* ---- from the origin: the head ---- */

static void now_times(struct hf_fill *f)
{
	struct hf_cache_clock now;

	hf_cache_now(f->fetch->opt.cache, &now);
	f->times.response_ms = now.device_ms;
	f->times.boot = now.boot;
	f->times.wall_ms = now.wall_ms;
}

static void views(const struct hf_fill *f, struct hf_cache_entry out[HF_SHELF_VARIANTS_MAX])
{
	for (size_t i = 0; i < f->n; i++)
		out[i] = f->v[i]->entry;
}

/* 304 to our own condition. False: it confirms nothing that is stored. */
static bool validated(struct hf_fill *f, const struct hf_message *head)
{
	struct hf_cache_entry entries[HF_SHELF_VARIANTS_MAX];
	struct hf_stored *s, *fresh;
	struct hf_fields fields;
	int i;

	views(f, entries);
	i = hf_cache_confirmed(entries, f->n, f->selected, &head->fields);
	if (i < 0)
		return false;
	s = f->v[i];
	if (!hf_fill_may_update(f, s, head)) {
		f->state = HF_FILL_OVER;
		validate_all(f, s, s->entry.variant);
		return true;
	}
	if (hf_cache_updated_fields(&hf_http_rules, &s->fields, &head->fields, &f->times, &f->arena,
				    &fields))
		return false;
	f->state = HF_FILL_OVER;
	f->variant = s->entry.variant;
	if (hf_fill_is_for(f, s->entry.variant, &f->request.fields))
		fresh = hf_cache_update(f->fetch->opt.cache, s, &fields, &f->times,
					hf_fill_flags(f));
	else
		fresh = hf_fill_keep_twin(f, s, &fields);
	validate_all(f, fresh ? fresh : s, f->variant);
	hf_stored_unref(fresh);
	return true;
}

/* Those for whom the answer is not: all but the one it was asked for when it is not
 * stored, else those who ask for another variant. */
static void part(struct hf_fill *f)
{
	struct hf_list *it, *tmp, parted;

	hf_list_init(&parted);
	hf_list_for(it, tmp, &f->listeners) {
		struct hf_fill_listener *l = hf_container_of(it, struct hf_fill_listener, link);

		if (l->told_head || l->own ||
		    (f->storing && hf_fill_is_for(f, f->variant, l->request)))
			continue;
		detach(l);
		hf_list_push(&parted, &l->link);
	}
	while ((it = hf_list_pop(&parted))) {
		struct hf_fill_listener *l = hf_container_of(it, struct hf_fill_listener, link);

		l->events->on_parted(l->user);
	}
}

static int send_request(struct hf_fill *f, bool conditional);

static void on_head(void *user, const struct hf_message *head)
{
	struct hf_fill *f = user;
	struct hf_fill_listener *l;

	hf_fill_enter(f);
	now_times(f);
	f->status = head->status;
	if (head->status == 304 && f->own_condition) {
		f->again = !validated(f, head);
		hf_fill_exit(f);
		return;
	}
	if (f->selected >= 0 && hf_span_eq_str(f->request.method, "HEAD"))
		hf_fill_head_answered(f, head);
	f->state = HF_FILL_BODY;
	f->storing = hf_fill_may_store(f, head);
	if (f->storing && hf_fill_keep_head(f, head))
		f->storing = false;
	if (!f->storing)
		f->head = *head;
	part(f);
	l = first_listener(f);
	if (!f->storing && l && !l->receiving)
		f->transport->receive(f->transport, f->exchange, false);
	hf_fill_pump_heads(f);
	hf_fill_exit(f);
}

static void on_interim(void *user, const struct hf_message *head)
{
	struct hf_fill *f = user;
	struct hf_fill_listener *l = first_listener(f);

	hf_fill_enter(f);
	if (l && l->events->on_interim)
		l->events->on_interim(l->user, head);
	hf_fill_exit(f);
}

/* ---- the body ---- */

/* Without memory for what came: nobody gets a body with a hole. */
static void break_off(struct hf_fill *f)
{
	struct hf_exchange_result result = { .end = HF_END_TRUNCATED,
					     .sent = HF_SENT_ALL,
					     .err = HF_ENOMEM,
					     .detail = "short of memory" };

	hf_fill_give_up(f);
	give_up_exchange(f);
	f->state = HF_FILL_OVER;
	end_all(f, &result);
}

static void on_body(void *user, struct hf_span data)
{
	struct hf_fill *f = user;
	struct hf_fill_listener *l = first_listener(f);

	if (f->state != HF_FILL_BODY)
		return; /* of a 304, or nobody listens */
	hf_fill_enter(f);
	f->len += data.len;
	if (f->storing && f->len > hf_cache_body_max(f->fetch->opt.cache))
		hf_fill_give_up(f);
	if (hf_fill_is_direct(f)) {
		f->stored_len = f->len;
		if (l) {
			l->at = f->len;
			l->events->on_body(l->user, data);
		}
	} else if (hf_buf_append(&f->window, data)) {
		break_off(f);
	} else {
		hf_fill_append(f);
		hf_fill_pump(f);
		hf_fill_throttle(f);
	}
	hf_fill_exit(f);
}

void hf_fill_throttle(struct hf_fill *f)
{
	bool on = f->window.len < WINDOW_MAX;

	if (f->exchange && f->throttled == on) {
		f->throttled = !on;
		f->transport->receive(f->transport, f->exchange, on);
	}
}

/* ---- the end ---- */

static void ask_again(struct hf_fill *f)
{
	struct hf_exchange_result result = { .end = HF_END_INTERNAL,
					     .err = HF_ENOMEM,
					     .detail = "short of memory" };

	f->again = false;
	f->own_condition = false;
	f->status = 0;
	if (send_request(f, false))
		end_all(f, &result);
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct hf_fill *f = user;
	struct hf_fill_listener *l;

	f->exchange = NULL;
	hf_fill_enter(f);
	heard(f, result);
	if (f->again && result->end == HF_END_COMPLETE) {
		ask_again(f);
	} else if (f->state != HF_FILL_BODY) {
		f->err = result->err;
		f->state = HF_FILL_OVER;
		end_all(f, result);
	} else if (hf_fill_is_direct(f)) {
		f->state = HF_FILL_OVER;
		l = first_listener(f);
		if (l)
			hf_fill_end_listener(l, result, trailers);
	} else {
		f->end = result->end;
		f->err = result->err;
		f->state = HF_FILL_KEEP;
		if (result->end != HF_END_COMPLETE)
			hf_fill_give_up(f);
		hf_fill_append(f);
		hf_fill_pump(f);
	}
	hf_fill_exit(f);
}

static const struct hf_exchange_events origin_events = {
	.on_interim = on_interim,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

/* ---- asking ---- */

static int send_request(struct hf_fill *f, bool conditional)
{
	struct hf_transport_request tr = {
		.msg = conditional ? &f->conditional : &f->request,
		.first_byte_timeout_ms = f->first_byte_timeout_ms,
	};
	struct hf_cache_clock now;

	hf_cache_now(f->fetch->opt.cache, &now);
	f->times.request_ms = now.device_ms;
	f->way = hf_cache_way(f->fetch->opt.cache);
	return f->transport->perform(f->transport, &tr, &origin_events, f, &f->exchange);
}

static int make_key(struct hf_fill *f, const struct hf_fill_request *req)
{
	f->url = hf_arena_copy(&f->arena, req->url);
	f->terms.note = hf_arena_copy(&f->arena, req->terms.note);
	f->intake.integrity = hf_arena_copy(&f->arena, req->terms.integrity);
	return f->url.ptr && f->terms.note.ptr && f->intake.integrity.ptr ? 0 : HF_ENOMEM;
}

/* The request as the origin gets it, everything in the fill's own memory. */
static int make_request(struct hf_fill *f, const struct hf_fill_request *req)
{
	struct hf_message out;
	int err = hf_forward_request(req->forward, req->msg, &f->arena, &out);

	if (err)
		return err;
	f->request = out;
	f->request.method = hf_arena_copy(&f->arena, out.method);
	f->request.target = hf_arena_copy(&f->arena, out.target);
	if (!f->request.method.ptr || !f->request.target.ptr)
		return HF_ENOMEM;
	return hf_fields_copy(&f->request.fields, &out.fields, &f->arena);
}

static void strip_conditions(struct hf_fields *fields)
{
	static const char *const names_of[] = { "if-none-match", "if-modified-since",
						"if-match",	 "if-unmodified-since",
						"if-range",	 "range" };

	for (size_t i = 0; i < sizeof(names_of) / sizeof(names_of[0]); i++)
		hf_fields_remove(fields, names_of[i]);
}

static int make_condition(struct hf_fill *f, const struct hf_fill_request *req)
{
	struct hf_cache_entry entries[HF_SHELF_VARIANTS_MAX];

	if (!req->conditions)
		strip_conditions(&f->request.fields);
	f->own_condition = !req->conditions && f->n > 0;
	if (!f->own_condition)
		return 0;
	views(f, entries);
	f->conditional = f->request;
	return hf_cache_condition(entries, f->n, f->selected, &f->request.fields, &f->arena,
				  &f->conditional.fields);
}

int hf_fill_start(struct hf_fetch *fetch, const struct hf_fill_request *req, struct hf_fill **out)
{
	struct hf_fill *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return HF_ENOMEM;
	f->fetch = fetch;
	f->origin = req->origin;
	f->transport = hf_fetch_origin(fetch, req->origin)->transport;
	f->terms = req->terms;
	f->selected = req->selected;
	f->shared = !req->conditions && req->terms.cache != 0;
	f->keep = req->keep;
	f->first_byte_timeout_ms = req->first_byte_timeout_ms;
	for (size_t i = 0; i < req->n; i++)
		f->v[f->n++] = hf_stored_ref(req->v[i]);
	hf_arena_init(&f->arena, ARENA_MAX);
	hf_buf_init(&f->window, SIZE_MAX / 2);
	hf_buf_init(&f->flight, SIZE_MAX / 2);
	hf_list_init(&f->listeners);
	hf_list_init(&f->reading);
	hf_timer_init(&f->kick, kick_fired, f);
	hf_list_push(&fetch->fills, &f->link);
	err = make_key(f, req);
	if (!err)
		err = make_request(f, req);
	if (!err)
		err = make_condition(f, req);
	if (!err)
		err = send_request(f, f->own_condition);
	if (err) {
		destroy(f);
		return err;
	}
	f->over = req->over;
	f->over_user = req->user;
	*out = f;
	return 0;
}

void hf_fill_destroy_all(struct hf_fetch *fetch)
{
	struct hf_list *it;

	while ((it = hf_list_first(&fetch->fills))) {
		struct hf_fill *f = hf_container_of(it, struct hf_fill, link);

		if (f->exchange)
			f->transport->cancel(f->transport, f->exchange);
		while ((it = hf_list_first(&f->listeners)))
			detach(hf_container_of(it, struct hf_fill_listener, link));
		f->depth = 0;
		f->over = NULL;
		hf_fill_forget_reads(f);
		destroy(f);
	}
}

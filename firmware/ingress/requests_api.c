/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Below /.holdfast/requests: one request, its stored answer, cancelling it, and
 * (for the operator) trying it again.
 */
#include "holdfast/err.h"
#include "ingress/api.h"
#include "ingress/record_json.h"

#define JSON_MAX (4 * 1024 * 1024)
#define RETRY_S	 "5" /* Retry-After while there is no answer yet */

/* ---- GET requests/ID and requests/ID/response ---- */

struct load_call {
	struct hf_api_call call;
	struct hf_store_load load;
};

static struct load_call *load_of(struct hf_api_call *call)
{
	return hf_container_of(call, struct load_call, call);
}

static void unknown_id(struct hf_api_call *call)
{
	hf_api_problem_state(call, 404, "There is no request with this id.", "unknown", NULL);
}

static int load_start(struct hf_api_call *call, bool head_only,
		      void (*done)(struct hf_store_op *op, int err))
{
	struct load_call *l = load_of(call);

	hf_store_load_init(&l->load);
	l->load.op.done = done;
	l->load.op.user = l;
	if (hf_queue_find(call->in->opt.queue, call->id, head_only, &l->load))
		unknown_id(call);
	else
		call->busy = true;
	return 0;
}

static int fill_replaced(struct hf_api_call *call, const char *new_id, const char *suffix,
			 struct hf_reply *r)
{
	struct hf_fields *fields = hf_reply_fields(r);
	struct hf_span where =
		hf_arena_printf(hf_reply_arena(r), "/.holdfast/requests/%s%s", new_id, suffix);
	int err = where.ptr ? 0 : HF_ENOMEM;

	hf_reply_status(r, 308);
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Location"), where);
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Content-Type"), HF_SPAN("application/json"));
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Cache-Control"), HF_SPAN("no-store"));
	return err ? err :
		     hf_buf_appendf(hf_reply_body(r), "{\"id\":\"%.*s\",\"replacedBy\":\"%s\"}\n",
				    HF_SPAN_ARG(call->id), new_id);
}

/* It goes on as another one: there, under the same @suffix. */
static void replaced(struct hf_api_call *call, const char *new_id, const char *suffix)
{
	struct hf_reply *r = NULL;

	if (hf_api_reply_new(call, &r) == 0 && fill_replaced(call, new_id, suffix, r) == 0) {
		hf_api_reply(call, r);
		return;
	}
	hf_reply_destroy(r);
	hf_api_store_failed(call);
}

static void replaced_and_gone(struct hf_api_call *call)
{
	hf_api_problem_state(call, 410,
			     "The request was sent again under another id, which is kept no more.",
			     "unknown", NULL);
}

/* False: answered. @suffix: what of the request is asked for. */
static bool is_loaded(struct load_call *l, int err, const char *suffix)
{
	char new_id[HF_ULID_LEN + 1];

	struct hf_queue *q = l->call.in->opt.queue;

	if (!err && (!hf_queue_found(&l->load, l->call.id) ||
		     !hf_queue_is_for(q, &l->load, hf_api_origin_name(&l->call))))
		err = HF_ENOENT;
	if (err == HF_ENOENT)
		unknown_id(&l->call);
	else if (err)
		hf_api_store_failed(&l->call);
	else if (hf_queue_replaced_by(&l->load, new_id))
		replaced(&l->call, new_id, suffix);
	else if (l->load.replaced)
		replaced_and_gone(&l->call);
	else
		return true;
	return false;
}

static void show_done(struct hf_store_op *op, int err)
{
	struct load_call *l = op->user;
	struct hf_record_view v;
	struct hf_buf json;

	if (!hf_api_resume(&l->call) || !is_loaded(l, err, ""))
		return;
	v = (struct hf_record_view){
		.id = l->load.id,
		.state = &l->load.state,
		.head = hf_buf_span(l->load.head.len ? &l->load.head : &l->load.summary),
		.has_answer = l->load.has_outcome,
		.answer_head = hf_buf_span(&l->load.outcome_head),
	};
	hf_buf_init(&json, JSON_MAX);
	err = hf_buf_append_str(&json, "{");
	if (!err)
		err = hf_record_json(l->call.in->opt.queue, &v, &l->call.arena, &json);
	if (!err)
		err = hf_buf_append_str(&json, "}\n");
	if (!err) {
		hf_api_json(&l->call, 200, &json);
		return;
	}
	hf_buf_finish(&json);
	hf_api_store_failed(&l->call);
}

static int show_start(struct hf_api_call *call)
{
	return load_start(call, true, show_done);
}

static void load_finish(struct hf_api_call *call)
{
	hf_store_load_finish(&load_of(call)->load);
}

const struct hf_api_kind hf_api_show = {
	.size = sizeof(struct load_call),
	.start = show_start,
	.finish = load_finish,
};

/* "202 Accepted" of our own: Holdfast-State tells it from an origin's 202. */
static int fill_waiting(struct load_call *l, struct hf_reply *r)
{
	const char *state = hf_record_json_state(&l->load.state);
	struct hf_fields *fields = hf_reply_fields(r);
	int err;

	hf_reply_status(r, 202);
	err = hf_fields_add(fields, HF_SPAN("Content-Type"), HF_SPAN("application/json"));
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Cache-Control"), HF_SPAN("no-store"));
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Retry-After"), HF_SPAN(RETRY_S));
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Holdfast-State"), hf_span_str(state));
	if (!err)
		err = hf_buf_appendf(hf_reply_body(r), "{\"id\":\"%.*s\",\"state\":\"%s\"}\n",
				     HF_SPAN_ARG(l->call.id), state);
	return err;
}

static void still_waiting(struct load_call *l)
{
	struct hf_reply *r = NULL;

	if (hf_api_reply_new(&l->call, &r) == 0 && fill_waiting(l, r) == 0) {
		hf_api_reply(&l->call, r);
		return;
	}
	hf_reply_destroy(r);
	hf_api_store_failed(&l->call);
}

/* No answer is there: it may still come, or it will not. */
static void no_answer(struct load_call *l)
{
	const struct hf_record_state *s = &l->load.state;
	const char *words, *reason = s->reason ? hf_reason_name(s->reason) : NULL;

	switch (s->status) {
	case HF_RECORD_QUEUED:
	case HF_RECORD_HELD:
		still_waiting(l);
		return;
	case HF_RECORD_CANCELLED:
		words = "The request was cancelled.";
		break;
	case HF_RECORD_DEAD:
		words = !reason ? "The request was given up." :
				  hf_arena_printf(&l->call.arena, "The request was given up: %s.",
						  reason)
					  .ptr;
		break;
	default:
		words = "The answer was kept for its time and is gone.";
		break;
	}
	hf_api_problem_state(&l->call, 410, words, hf_record_json_state(s), reason);
}

/* Once for each record: pages ask again and again. */
static void tell_damaged(void *user, uint64_t id)
{
	struct hf_ingress *in = user;
	size_t places = sizeof(in->damaged) / sizeof(in->damaged[0]);

	for (size_t i = 0; i < places; i++) {
		if (in->damaged[i] == id)
			return;
	}
	in->damaged[in->damaged_n++ % places] = id;
	hf_log(in->opt.log, HF_LOG_ERROR, "answer.damaged", "lane=%u n=%llu",
	       (unsigned)HF_RECORD_LANE(id),
	       (unsigned long long)(id & ((UINT64_C(1) << HF_ORDINAL_BITS) - 1)));
}

/* The row could not be had whole: its request or its answer is damaged. */
static bool is_damaged(const struct load_call *l, int err)
{
	return err == HF_ECORRUPT && l->load.state.status != 0 &&
	       hf_queue_found(&l->load, l->call.id) &&
	       hf_queue_is_for(l->call.in->opt.queue, &l->load, hf_api_origin_name(&l->call));
}

static void damaged_answer(struct load_call *l)
{
	const struct hf_problem *p = &hf_problem_answer_damaged;
	const struct hf_record_state *s = &l->load.state;

	if (s->status == HF_RECORD_QUEUED || s->status == HF_RECORD_HELD) {
		still_waiting(l); /* its replay will find the damage */
		return;
	}
	tell_damaged(l->call.in, l->load.id);
	hf_api_problem_state(&l->call, p->status, p->detail, hf_record_json_state(s), p->reason);
}

static void response_done(struct hf_store_op *op, int err)
{
	struct load_call *l = op->user;
	struct hf_reply *r = NULL;

	if (!hf_api_resume(&l->call))
		return;
	if (is_damaged(l, err)) {
		damaged_answer(l);
		return;
	}
	if (!is_loaded(l, err, "/response"))
		return;
	err = hf_api_reply_new(&l->call, &r);
	if (!err)
		err = hf_fetch_stored(l->call.in->opt.fetch, &l->load, l->call.host, r);
	if (!err) {
		hf_reply_watch(r, tell_damaged, l->call.in, l->load.id);
		hf_api_reply(&l->call, r);
		return;
	}
	hf_reply_destroy(r);
	if (err == HF_ENOENT)
		no_answer(l);
	else if (err == HF_ECORRUPT)
		damaged_answer(l);
	else
		hf_api_store_failed(&l->call);
}

static int response_start(struct hf_api_call *call)
{
	return load_start(call, false, response_done);
}

const struct hf_api_kind hf_api_response = {
	.size = sizeof(struct load_call),
	.start = response_start,
	.finish = load_finish,
};

/* ---- DELETE requests/ID, POST requests/ID/retry ---- */

struct change_call {
	struct hf_api_call call;
	struct hf_queue_change change;
	bool retry;
};

static void refuse_change(struct change_call *c, int err)
{
	switch (err) {
	case HF_ENOENT:
	case HF_EINVAL:
		unknown_id(&c->call);
		return;
	case HF_EBUSY:
		hf_api_problem(&c->call, 409, "The request is being sent at this moment.");
		return;
	case HF_ESTATE:
		if (c->change.new_id[0]) {
			replaced(&c->call, c->change.new_id, c->retry ? "/retry" : "");
			return;
		}
		if (c->retry && c->change.load.state.status == HF_RECORD_DEAD)
			hf_api_problem(&c->call, 409, "The request itself is lost by damage.");
		else
			hf_api_problem(&c->call, 409,
				       c->retry ? "The request has its answer already." :
						  "The request is final already.");
		return;
	case HF_EFULL:
		hf_api_problem(&c->call, 507, "The device's store is full.");
		return;
	default:
		hf_api_problem(&c->call, 503, "The device's store does not take changes now.");
		return;
	}
}

static void change_done(struct hf_queue_change *change, int err)
{
	struct change_call *c = change->user;
	struct hf_span id;
	struct hf_buf json;

	if (!hf_api_resume(&c->call))
		return;
	if (err) {
		refuse_change(c, err);
		return;
	}
	id = change->new_id[0] ? hf_span_str(change->new_id) : c->call.id;
	hf_buf_init(&json, 256);
	if (hf_buf_appendf(&json, "{\"id\":\"%.*s\",\"state\":\"%s\"}\n", HF_SPAN_ARG(id),
			   c->retry ? "queued" : "cancelled")) {
		hf_buf_finish(&json);
		hf_api_store_failed(&c->call);
		return;
	}
	hf_api_json(&c->call, 200, &json);
}

static int change_start(struct hf_api_call *call, bool retry)
{
	struct change_call *c = hf_container_of(call, struct change_call, call);
	struct hf_queue *q = call->in->opt.queue;
	int err;

	c->retry = retry;
	c->change.public_id = call->id;
	c->change.origin = hf_api_origin_name(call);
	c->change.done = change_done;
	c->change.user = c;
	err = retry ? hf_queue_retry(q, &c->change) : hf_queue_cancel(q, &c->change);
	if (err)
		refuse_change(c, err);
	else
		call->busy = true;
	return 0;
}

static int cancel_start(struct hf_api_call *call)
{
	return change_start(call, false);
}

static int retry_start(struct hf_api_call *call)
{
	return change_start(call, true);
}

/* What is left of a change that was never done. */
static void change_finish(struct hf_api_call *call)
{
	struct hf_queue_change *change = &hf_container_of(call, struct change_call, call)->change;

	hf_store_load_finish(&change->load);
	hf_buf_finish(&change->summary);
	hf_arena_finish(&change->arena);
}

const struct hf_api_kind hf_api_cancel = {
	.size = sizeof(struct change_call),
	.start = cancel_start,
	.finish = change_finish,
};
const struct hf_api_kind hf_api_retry = {
	.size = sizeof(struct change_call),
	.start = retry_start,
	.finish = change_finish,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holdfast-After: a request that waits for another one. What that one's state
 * says at this moment is looked at once, when the body is there: delivered, and
 * this is an ordinary request from here on; waiting, and this is queued behind
 * it. That it still exists is seen again by the insert (store/dependent.c).
 */
#include "fetch/queued.h"
#include "holdfast_config.h"

static void bad_request(struct hf_problem *p, const char *detail)
{
	*p = (struct hf_problem){
		.status = 400,
		.error = "http_request_error",
		.detail = detail,
	};
}

static void failed_dependency(struct hf_problem *p, const char *detail)
{
	*p = (struct hf_problem){
		.status = 424,
		.error = "http_request_denied",
		.detail = detail,
	};
}

int hf_queued_after_read(struct hf_queued *q, const struct hf_fields *fields, struct hf_problem *p)
{
	const struct hf_span *field = hf_fields_get(fields, HF_AFTER_FIELD);
	const char *why = NULL;
	int err;

	if (!field)
		return 0;
	bad_request(p, "Holdfast-After is there more than once.");
	if (hf_fields_count(fields, HF_AFTER_FIELD) > 1)
		return HF_EINVAL;
	q->after_field = hf_arena_copy(&q->arena, *field);
	if (!q->after_field.ptr)
		err = HF_ENOMEM;
	else
		err = hf_after_parse(q->after_field, &q->arena, &q->after, &why);
	if (err == HF_ENOMEM)
		hf_problem_of_queue(err, p);
	else if (err)
		bad_request(p, why);
	return err;
}

bool hf_queued_after_refused(int err, struct hf_problem *p)
{
	if (err == HF_ESTATE) {
		failed_dependency(p, "The request that this one waits for was given up or "
				     "cancelled.");
		return true;
	}
	if (err == HF_EBUSY)
		*p = (struct hf_problem){
			.status = 503,
			.error = "proxy_internal_response",
			.detail = "As many requests as may wait for that one already.",
			.retry_after_s = 30,
		};
	return err == HF_EBUSY;
}

/* ---- the other one ---- */

/* The same origin, and not someone else's. */
static bool is_ours(struct hf_queued *q, const struct hf_record_head *head)
{
	const char *name = q->ev.fetch->opt.origins[q->origin].name;

	if (!hf_span_eq_str(head->origin, name))
		return false;
	return head->identity.len == 0 || q->identity.len == 0 ||
	       hf_span_eq(head->identity, q->identity);
}

/* Its values are here: they are filled in, and nothing is waited for. */
static int fill_in(struct hf_queued *q, struct hf_problem *p)
{
	struct hf_after_request req = {
		.target = q->stored.target,
		.fields = &q->stored.fields,
		.body = q->spool.blob ? NULL : &q->spool.memory,
	};
	const char *why = NULL;
	struct hf_span detail;
	int err = hf_after_apply(&q->after, &q->load, &q->arena, &req, &why);

	if (err == HF_ENOENT) {
		detail = hf_arena_printf(&q->arena, "The other request is delivered, but %s.", why);
		failed_dependency(p, detail.ptr ? detail.ptr : why);
	}
	if (err)
		return err;
	q->stored.target = req.target;
	if (req.body) {
		q->spool.len = req.body->len;
		q->stored.body_len = req.body->len;
		q->body.memory = hf_buf_span(req.body);
		q->body.len = req.body->len;
	}
	q->after_field = hf_span(NULL, 0);
	return 0;
}

static int wait_for(struct hf_queued *q, const struct hf_record_head *head, struct hf_problem *p)
{
	unsigned depth = head->after.len > 0 ? head->after_depth + 1U : 1;

	if (depth > CONFIG_HF_AFTER_DEPTH_MAX) {
		bad_request(p, "Too many requests would wait for one another.");
		return HF_EINVAL;
	}
	q->after_depth = (uint8_t)depth;
	q->parent = q->load.id;
	return 0;
}

/* 0: it may take its turn; else with @p. */
static int judge(struct hf_queued *q, struct hf_problem *p)
{
	const struct hf_buf *from = q->load.head.len > 0 ? &q->load.head : &q->load.summary;
	struct hf_record_head head;
	int err = hf_record_head_decode(hf_buf_span(from), &q->arena, &head);

	if (err == HF_ENOMEM)
		return err;
	if (err || !is_ours(q, &head))
		return HF_ENOENT;
	switch ((enum hf_record_status)q->load.state.status) {
	case HF_RECORD_QUEUED:
	case HF_RECORD_HELD:
		return wait_for(q, &head, p);
	case HF_RECORD_SETTLED:
		return fill_in(q, p);
	case HF_RECORD_DEAD:
	case HF_RECORD_CANCELLED:
		break;
	}
	hf_queued_after_refused(HF_ESTATE, p);
	return HF_ESTATE;
}

static void read_other(struct hf_queued *q, uint64_t id);

static void loaded(struct hf_store_op *op, int err)
{
	struct hf_queued *q = op->user;
	struct hf_problem p = { 0 };

	q->loading = false;
	if (q->state == HF_QUEUED_CLOSING) {
		hf_queued_release(q);
		return;
	}
	/* the id as it was given is that of the first */
	if (!err && q->parent == 0 && !hf_queue_found(&q->load, q->after.id))
		err = HF_ENOENT;
	q->parent = q->load.id;
	if (!err && q->load.replaced_by) {
		read_other(q, q->load.replaced_by);
		return;
	}
	if (!err)
		err = judge(q, &p);
	if (!err) {
		hf_queued_take_turn(q);
		return;
	}
	if (err == HF_ENOENT && !p.status)
		p = (struct hf_problem){
			.status = 404,
			.error = "http_request_denied",
			.detail = "There is no request with the id in Holdfast-After.",
		};
	else if (!p.status)
		hf_problem_of_queue(err, &p);
	hf_queued_refuse(q, &p);
}

static void read_other(struct hf_queued *q, uint64_t id)
{
	q->loading = true;
	q->load.id = id;
	q->load.next = false;
	q->load.head_only = false;
	q->load.op.done = loaded;
	q->load.op.user = q;
	hf_store_load(q->ev.fetch->opt.store, &q->load);
}

void hf_queued_after(struct hf_queued *q)
{
	enum hf_after_form form = hf_after_form(&q->stored.fields);
	struct hf_problem p;
	const char *why;
	uint64_t id;

	if (q->after.n > 0 && form != HF_AFTER_NONE && q->spool.blob) {
		hf_problem_of_queue(HF_ETOOBIG, &p);
		p.detail = "The body is larger than one may be in which values are filled in.";
		hf_queued_refuse(q, &p);
		return;
	}
	if (hf_after_check(&q->after, q->stored.target, form, hf_buf_span(&q->spool.memory),
			   &why) ||
	    hf_record_id_parse(q->after.id, &id)) {
		bad_request(&p, why);
		hf_queued_refuse(q, &p);
		return;
	}
	hf_queued_move(q, HF_QUEUED_AFTER);
	read_other(q, id);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live attempt of a queued request: the same request, key and verdicts as
 * in replay. What is the origin's final word goes to the page; everything else
 * leads into the queue.
 */
#include "fetch/queued.h"
#include "holdfast/err.h"
#include "http/url.h"

static void perform(struct hf_queued *q, bool fresh);

static bool is_listened_to(const struct hf_queued *q)
{
	return q->ev.events != NULL;
}

static void report(struct hf_queued *q, const struct hf_exchange_result *result)
{
	struct hf_connectivity *c = q->ev.fetch->opt.connectivity;

	if (c)
		hf_connectivity_report(c, q->origin, result, q->status);
}

/* An answer that is not the origin's must not count as its being up. */
static void report_answer(struct hf_queued *q, const struct hf_exchange_result *result,
			  const struct hf_verdict *v)
{
	struct hf_connectivity *c = q->ev.fetch->opt.connectivity;

	if (!v->captive)
		report(q, result);
	else if (c)
		hf_connectivity_captive(c, q->origin);
}

/* With the answer's head in hand: as far as the request goes, it is complete. */
static const struct hf_exchange_result answered = {
	.end = HF_END_COMPLETE,
	.sent = HF_SENT_ALL,
	.detail = "",
};

static struct hf_verdict classify(struct hf_queued *q, const struct hf_exchange_result *result,
				  const struct hf_message *head)
{
	const struct hf_fetch_options *opt = &q->ev.fetch->opt;
	const struct hf_record_state zero = { 0 };
	struct hf_attempt a = {
		.policy = &q->policy,
		.method = q->stored.method,
		.tls = opt->origins[q->origin].tls,
		.result = result,
		.head = head,
		.state = &zero,
		.retried_now = q->retried_now,
		.retry_after_max_s = opt->retry_after_max_s,
	};
	struct hf_verdict v = { .action = HF_ACTION_RETRY };

	if (hf_host_parse(q->forward.authority, &a.origin_host, &a.origin_port))
		a.origin_host = q->forward.authority;
	if (a.origin_port == 0)
		a.origin_port = hf_url_default_port(q->forward.scheme);
	a.device_now_ms = hf_queue_device_ms(opt->queue);
	a.trust = opt->port->wall_ms(opt->port, &a.wall_ms);
	hf_outcome_classify(&a, &v);
	return v;
}

/* ---- the answer ---- */

static void fail_answer(struct hf_queued *q)
{
	const struct hf_exchange_events *events = q->ev.events;
	void *user = q->ev.user;
	struct hf_exchange_result result = { .end = HF_END_INTERNAL,
					     .err = HF_ENOMEM,
					     .detail = "short of memory" };

	hf_queued_close(q);
	if (events)
		events->on_end(user, &result, NULL);
}

/* The origin's word is final: it goes to the page as it comes. */
static void pass_on(struct hf_queued *q, const struct hf_message *head)
{
	hf_queued_move(q, HF_QUEUED_PASS);
	if (!is_listened_to(q)) {
		report(q, &answered);
		hf_queued_close(q);
		return;
	}
	if (hf_forward_response(&q->forward, head, &q->arena, &q->response)) {
		report(q, &answered);
		fail_answer(q);
		return;
	}
	q->ev.events->on_head(q->ev.user, &q->response);
}

/* The token was refused: once with another one. */
static bool renew(struct hf_queued *q, const struct hf_verdict *v)
{
	struct hf_credentials *c = q->ev.fetch->opt.credentials;

	if (v->action != HF_ACTION_HOLD || v->reason != HF_REASON_AUTH || q->renewed ||
	    !hf_credential_is_token(c, q->origin, q->policy.credential))
		return false;
	q->renewed = true;
	hf_queued_leave_exchange(q);
	report_answer(q, &answered, v);
	hf_credential_refused(c, q->origin, q->policy.credential, q->credential_version);
	hf_queued_try_live(q);
	return true;
}

static void on_head(void *user, const struct hf_message *head)
{
	struct hf_queued *q = user;
	struct hf_verdict v;

	q->status = head->status;
	v = classify(q, &answered, head);
	if (renew(q, &v))
		return;
	switch (v.action) {
	case HF_ACTION_DELIVERED:
	case HF_ACTION_DEAD:
	case HF_ACTION_HOLD:
		hf_fetch_written(q->ev.fetch, q->origin, q->live.method, q->live.target, head);
		pass_on(q, head);
		return;
	case HF_ACTION_RETRY_NOW:
	case HF_ACTION_RETRY:
	case HF_ACTION_FOLLOW:
	case HF_ACTION_WAIT:
		break;
	}
	hf_queued_leave_exchange(q);
	report_answer(q, &answered, &v);
	if (v.action == HF_ACTION_RETRY_NOW && !q->retried_now) {
		q->retried_now = true;
		perform(q, true);
		return;
	}
	hf_queued_admit(q, &v, true);
}

static void on_body(void *user, struct hf_span data)
{
	struct hf_queued *q = user;

	if (q->state == HF_QUEUED_PASS)
		q->ev.events->on_body(q->ev.user, data);
}

static void end_of_pass(struct hf_queued *q, const struct hf_exchange_result *result,
			const struct hf_fields *trailers)
{
	const struct hf_exchange_events *events = q->ev.events;
	void *user = q->ev.user;

	hf_queued_give_back(q);
	hf_queued_close(q);
	events->on_end(user, result, trailers);
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct hf_queued *q = user;
	struct hf_verdict v;

	q->exchange = NULL;
	hf_body_send_detach(&q->body);
	report(q, result);
	if (q->state == HF_QUEUED_PASS) {
		end_of_pass(q, result, trailers);
		return;
	}
	v = classify(q, result, NULL);
	if (v.action == HF_ACTION_RETRY_NOW && !q->retried_now) {
		q->retried_now = true;
		perform(q, true);
		return;
	}
	hf_queued_admit(q, &v, result->sent != HF_SENT_NONE);
}

static void on_writable(void *user)
{
	struct hf_queued *q = user;

	hf_body_send_writable(&q->body);
}

static void on_interim(void *user, const struct hf_message *head)
{
	struct hf_queued *q = user;
	struct hf_message out;

	/* The page has had its 100 from us. */
	if (head->status == 100 || !is_listened_to(q) || !q->ev.events->on_interim)
		return;
	if (hf_forward_response(&q->forward, head, &q->arena, &out) == 0)
		q->ev.events->on_interim(q->ev.user, &out);
}

static const struct hf_exchange_events origin_events = {
	.on_writable = on_writable,
	.on_interim = on_interim,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

/* ---- the request ---- */

/* The spooled body cannot be read back: nothing complete reached the origin. */
static void body_failed(void *user, int err)
{
	struct hf_queued *q = user;
	struct hf_problem p;

	hf_queued_leave_exchange(q);
	if (q->state == HF_QUEUED_PASS) {
		report(q, &answered);
		fail_answer(q);
		return;
	}
	hf_problem_of_queue(err, &p);
	hf_queued_refuse(q, &p);
}

static void perform(struct hf_queued *q, bool fresh)
{
	struct hf_transport_request tr = { .msg = &q->live, .fresh = fresh };
	struct hf_verdict v = { .action = HF_ACTION_WAIT, .reason = HF_REASON_NETWORK };

	q->status = 0;
	if (q->transport->perform(q->transport, &tr, &origin_events, q, &q->exchange)) {
		q->exchange = NULL;
		hf_queued_admit(q, &v, q->retried_now);
		return;
	}
	hf_body_send_begin(&q->body, q->transport, q->exchange);
}

/* HF_EBUSY: *reason says why. */
static int add_credential(struct hf_queued *q, enum hf_reason *reason)
{
	struct hf_credential_value c = { 0 };
	int err;

	if (!q->policy.credential[0])
		return 0;
	err = hf_credential_get(q->ev.fetch->opt.credentials, q->origin, q->policy.credential,
				q->identity, &q->arena, &c);
	q->credential_version = c.version;
	*reason = c.reason;
	return err ? err : hf_fields_add(&q->live.fields, hf_span_str(c.header), c.value);
}

/* The stored request with what belongs to this attempt. */
static int make_live(struct hf_queued *q, enum hf_reason *reason)
{
	int err;

	q->live = q->stored;
	q->live.key = q->key;
	err = hf_forward_fields(&q->stored.fields, 2, &q->arena, &q->live.fields);
	if (!err)
		err = hf_fields_add_first(&q->live.fields, HF_SPAN("Host"), q->forward.authority);
	if (!err)
		err = hf_fields_add(&q->live.fields, hf_span_str(q->policy.key_header), q->key);
	return err ? err : add_credential(q, reason);
}

static void token_ready(struct hf_token_wait *w)
{
	hf_queued_try_live(hf_container_of(w, struct hf_queued, token));
}

void hf_queued_try_live(struct hf_queued *q)
{
	struct hf_verdict v = { .action = HF_ACTION_WAIT };
	int err = make_live(q, &v.reason);

	if (err == HF_EAGAIN) {
		q->token.ready = token_ready;
		hf_credential_wait(q->ev.fetch->opt.credentials, q->origin, q->policy.credential,
				   &q->token);
		return;
	}
	if (err == HF_EPERM)
		v.reason = HF_REASON_IDENTITY;
	if (err == HF_ESTATE)
		v.reason = HF_REASON_CREDENTIAL;
	if (err) {
		q->status = 0; /* of an attempt that had no effect */
		hf_queued_admit(q, &v, false);
		return;
	}
	q->body.failed = body_failed;
	if (q->state == HF_QUEUED_TURN)
		hf_queued_move(q, HF_QUEUED_LIVE);
	perform(q, false);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/replay_private.h"

#include <assert.h>
#include <stdlib.h>

#include "holdfast_config.h"
#include "http/url.h"
#include "net/backoff.h"

#define CHUNK_MAX (1024 * 1024)
/* Of an answer that does not end. What is delivered is delivered: its head has
 * said so, and the lane goes on. */
#define ANSWER_MAX_MS (600 * UINT64_C(1000))

static void release(struct hf_replay *r)
{
	hf_timerq_clear(r->opt->timers, &r->timer);
	hf_list_remove(&r->link);
	hf_list_remove(&r->token.link);
	hf_buf_finish(&r->chunk.data);
	hf_buf_finish(&r->body);
	hf_arena_finish(&r->arena);
	r->lease.lane->users--;
}

static void finish(struct hf_replay *r)
{
	r->over = true;
	if (r->reading_chunk)
		return;
	release(r);
	r->done(r->user, r, r->told);
	free(r);
}

/* The attempt is given up from our side. */
static void cancel(struct hf_replay *r)
{
	struct hf_transport *t = r->origin->transport;

	hf_timerq_clear(r->opt->timers, &r->timer);
	if (r->exchange)
		t->cancel(t, r->exchange);
	r->exchange = NULL;
}

/* ---- request body ---- */

static void pump(struct hf_replay *r);
static void attempt(struct hf_replay *r);

/* Part of the body cannot be had: for good, or for now. */
static void body_failed(struct hf_replay *r, int err)
{
	bool damaged = err == HF_ENOENT || err == HF_ECORRUPT;
	struct hf_lease_end end = {
		.verdict = { .action = damaged ? HF_ACTION_DEAD : HF_ACTION_RETRY,
			     .reason = damaged ? HF_REASON_DAMAGED : HF_REASON_BACKOFF,
			     .delay_ms = HF_REPLAY_FAILED_DELAY_MS },
		.sent = r->sent || r->gone,
	};

	hf_log(r->opt->log, HF_LOG_ERROR, damaged ? "queue.damaged" : "replay.body", "id=%s err=%s",
	       r->lease.public_id, hf_errname(err));
	cancel(r);
	hf_lease_end(&r->lease, &end);
}

static void chunk_read(struct hf_store_op *op, int err)
{
	struct hf_replay *r = op->user;

	r->reading_chunk = false;
	if (r->over) {
		finish(r);
		return;
	}
	if (r->again) {
		attempt(r);
		return;
	}
	if (!r->exchange)
		return; /* the attempt ended meanwhile */
	if (!err && (r->chunk.data.len == 0 || r->chunk.data.len > r->body_left))
		err = HF_ECORRUPT;
	if (err) {
		body_failed(r, err);
		return;
	}
	r->chunk.n++;
	r->body_left -= r->chunk.data.len;
	r->unsent = hf_buf_span(&r->chunk.data);
	pump(r);
}

static bool next_chunk(struct hf_replay *r)
{
	if (r->body_left == 0)
		return false;
	r->reading_chunk = true;
	r->chunk.blob = r->lease.load.blob;
	r->chunk.op.done = chunk_read;
	r->chunk.op.user = r;
	hf_store_blob_read(r->opt->store, &r->chunk);
	return true;
}

static void pump(struct hf_replay *r)
{
	struct hf_transport *t = r->origin->transport;

	if (!r->exchange || r->reading_chunk || r->sent_end)
		return;
	if (r->unsent.len > 0) {
		size_t n = t->send(t, r->exchange, r->unsent);

		r->unsent = hf_span_skip(r->unsent, n);
		if (r->unsent.len > 0)
			return; /* on_writable */
	}
	if (next_chunk(r))
		return;
	r->sent_end = true;
	t->send_end(t, r->exchange, NULL);
}

/* ---- the attempt ---- */

static void go(struct hf_replay *r)
{
	r->gone = true;
	r->origin->transport->go(r->origin->transport, r->exchange);
}

static void on_send(void *user)
{
	struct hf_replay *r = user;

	if (hf_lease_mark(&r->lease))
		go(r);
	else
		r->marking = true;
}

static void on_writable(void *user)
{
	pump(user);
}

static void on_head(void *user, const struct hf_message *head)
{
	struct hf_replay *r = user;
	uint64_t now = r->opt->port->boottime_ms(r->opt->port);

	r->has_head = true;
	r->answer.status = head->status;
	if (hf_fields_copy(&r->raw, &head->fields, &r->arena) ||
	    hf_fields_copy(&r->answer.fields, &head->fields, &r->arena))
		r->answer.truncated = true; /* fields are lost, the status is not */
	hf_fields_strip_hop(&r->answer.fields);
	hf_fields_remove(&r->answer.fields, "Content-Length");
	hf_timerq_set(r->opt->timers, &r->timer, now + ANSWER_MAX_MS);
}

static void answered(struct hf_replay *r, const struct hf_exchange_result *result);

/* Nothing more of the answer is needed: what the origin thinks of the request
 * stands in its head. */
static void cut_answer(void *user)
{
	struct hf_replay *r = user;
	struct hf_exchange_result result = { .end = HF_END_TRUNCATED, .sent = HF_SENT_ALL };

	cancel(r);
	answered(r, &result);
}

/* There is no memory for the body of a success: under the same key the origin gives it
 * again. False: it must not be asked again, or its status says all; what is there of the
 * answer stands. */
static bool ask_again(struct hf_replay *r)
{
	struct hf_exchange_result result = { .end = HF_END_INTERNAL,
					     .sent = HF_SENT_ALL,
					     .err = HF_ENOMEM,
					     .detail = "memory is short for the answer" };

	if (r->answer.status / 100 != 2 || r->lease.head.policy.idempotency == HF_IDEMPOTENCY_NEVER)
		return false;
	cancel(r);
	r->has_head = false;
	answered(r, &result);
	return true;
}

static void on_body(void *user, struct hf_span data)
{
	struct hf_replay *r = user;
	size_t room = r->opt->answer_bytes_max - r->body.len;
	struct hf_span kept = data.len <= room ? data : hf_span(data.ptr, room);
	bool lost = r->dropped > 0;

	if (!lost && hf_buf_append(&r->body, kept)) {
		if (ask_again(r))
			return;
		lost = true;
	}
	r->dropped += lost ? data.len : data.len - kept.len;
	if (r->dropped && (r->sent_end || r->msg.body == HF_BODY_NONE))
		cut_answer(r);
}

/* The origin-form target that Location names; ptr NULL: none. */
static struct hf_span location_target(struct hf_replay *r)
{
	const struct hf_span *location = hf_fields_get(&r->raw, "Location");
	struct hf_span none = { 0 }, rest, path, query;
	struct hf_url url;

	if (!location)
		return none;
	rest = *location;
	rest = hf_span_cut(&rest, '#');
	if (rest.len > 0 && rest.ptr[0] == '/')
		return hf_target_parse(rest, &path, &query) ? none : rest;
	if (hf_url_parse(rest, &url))
		return none;
	/* url.path is static text when there is none */
	if (url.query.ptr)
		return hf_arena_printf(&r->lease.arena, "%.*s?%.*s", HF_SPAN_ARG(url.path),
				       HF_SPAN_ARG(url.query));
	return url.path;
}

/* Same method and body to the path that Location names. */
static bool follow(struct hf_replay *r)
{
	struct hf_span target = location_target(r);

	if (!target.ptr || r->followed >= HF_REPLAY_FOLLOW_MAX)
		return false;
	target = hf_arena_copy(&r->lease.arena, target);
	if (!target.ptr)
		return false;
	r->lease.target = target;
	r->followed++;
	attempt(r);
	return true;
}

/* All that were refused together would otherwise come again together: up to half
 * as long again, the more the oftener it was refused. */
static void spread(const struct hf_replay *r, struct hf_verdict *v)
{
	uint32_t cap = r->opt->backoff_cap_ms;

	if (v->action != HF_ACTION_RETRY)
		return;
	if (v->delay_ms && v->reason != HF_REASON_RETRY_AFTER)
		return;
	if (v->delay_ms && v->delay_ms / 2 < cap)
		cap = (uint32_t)(v->delay_ms / 2);
	v->delay_ms +=
		hf_backoff_ms(r->opt->rand, r->opt->backoff_base_ms, cap, r->lease.lane->failures);
}

static void classify(struct hf_replay *r, const struct hf_exchange_result *result,
		     struct hf_verdict *v)
{
	struct hf_message head = { .status = r->answer.status, .fields = r->raw };
	struct hf_record_state before = r->lease.state;
	struct hf_attempt a = {
		.policy = &r->lease.head.policy,
		.method = r->lease.head.method,
		.tls = r->origin->tls,
		.origin_host = r->origin->host,
		.origin_port = r->origin->port,
		.result = result,
		.head = r->has_head ? &head : NULL,
		.body_hash = hf_span_hash(hf_buf_span(&r->body)),
		.state = &before,
		.retried_now = r->lease.lane->retried_now,
		.device_now_ms = hf_queue_device_ms(r->opt->queue),
		.retry_after_max_s = r->opt->retry_after_max_s,
	};

	a.trust = r->opt->port->wall_ms(r->opt->port, &a.wall_ms);
	/* Whether an earlier attempt may have arrived, not this one. */
	before.maybe_received = r->lease.load.state.maybe_received;
	before.first_sent_dev_ms = r->lease.load.state.first_sent_dev_ms;
	hf_outcome_classify(&a, v);
	spread(r, v);
}

static bool is_pushed_back(const struct hf_replay *r, const struct hf_verdict *v)
{
	if (!r->has_head || v->captive)
		return true;
	switch (r->answer.status) {
	case 429:
	case 502:
	case 503:
	case 504:
		return true;
	default:
		return false;
	}
}

/* Tells connectivity, once for each attempt. */
static void report(struct hf_replay *r, const struct hf_exchange_result *result,
		   const struct hf_verdict *v)
{
	struct hf_connectivity *c = r->opt->connectivity;
	unsigned origin = r->lease.lane->origin;

	r->told = is_pushed_back(r, v) ? HF_REPLAY_PUSHED_BACK : HF_REPLAY_ANSWERED;
	if (v->captive) /* the answer is not the origin's: it must not count as up */
		hf_connectivity_captive(c, origin);
	else
		hf_connectivity_report(c, origin, result, r->has_head ? r->answer.status : 0);
}

static void fill_end(struct hf_replay *r, struct hf_lease_end *end)
{
	end->result = &r->result;
	end->sent = r->sent;
	if (!r->has_head)
		return;
	r->answer.truncated |= r->dropped > 0 || r->result.end != HF_END_COMPLETE;
	end->answer = &r->answer;
	end->body = hf_buf_span(&r->body);
	end->body_hash = hf_span_hash(end->body);
}

static void log_end(struct hf_replay *r, const struct hf_exchange_result *result,
		    const struct hf_verdict *v)
{
	char quoted[128];

	hf_log(r->opt->log, HF_LOG_DEBUG, "replay.end",
	       "id=%s end=%s status=%d reason=%s detail=%s", r->lease.public_id,
	       hf_end_name(result->end), r->answer.status, hf_reason_name((uint8_t)v->reason),
	       hf_log_quote(hf_span_str(result->detail ? result->detail : ""), quoted,
			    sizeof(quoted)));
}

/* The attempt is over, with a head or without. */
static void answered(struct hf_replay *r, const struct hf_exchange_result *result)
{
	struct hf_lease_end end = { 0 };

	r->result = *result;
	r->result.detail = NULL; /* valid during the call only */
	r->sent |= r->has_head || (r->gone && result->sent != HF_SENT_NONE);
	classify(r, result, &end.verdict);
	log_end(r, result, &end.verdict);
	report(r, result, &end.verdict);
	if (end.verdict.action == HF_ACTION_FOLLOW) {
		if (follow(r))
			return;
		end.verdict.action = HF_ACTION_HOLD;
		end.verdict.reason = HF_REASON_REDIRECT;
	}
	switch (hf_replay_renew(r, &end.verdict)) {
	case HF_REPLAY_END:
		break;
	case HF_REPLAY_AGAIN:
		r->sent = false; /* what was refused had no effect */
		attempt(r);
		return;
	case HF_REPLAY_TOKEN:
		r->sent = false;
		return;
	}
	hf_replay_note_held(r, &end.verdict);
	fill_end(r, &end);
	if (r->marking) {
		r->end_waits = true;
		r->end = end;
	} else {
		hf_lease_end(&r->lease, &end);
	}
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct hf_replay *r = user;

	(void)trailers; /* of no use to whoever reads a stored answer */
	hf_timerq_clear(r->opt->timers, &r->timer);
	r->exchange = NULL;
	answered(r, result);
}

static const struct hf_exchange_events exchange_events = {
	.on_send = on_send,
	.on_writable = on_writable,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

static void reset_attempt(struct hf_replay *r)
{
	const struct hf_store_load *l = &r->lease.load;

	hf_arena_finish(&r->arena);
	hf_buf_clear(&r->body);
	memset(&r->answer, 0, sizeof(r->answer));
	hf_fields_init(&r->answer.fields, &r->arena);
	hf_fields_init(&r->raw, &r->arena);
	r->again = false;
	r->has_head = false;
	r->sent_end = false;
	r->gone = false;
	r->dropped = 0;
	r->chunk.n = 0;
	r->unsent = hf_buf_span(&l->body);
	r->body_left = l->blob ? l->body_len : 0;
}

static int start_exchange(struct hf_replay *r)
{
	struct hf_transport *t = r->origin->transport;
	int err = hf_replay_build(r);

	r->request = (struct hf_transport_request){ .msg = &r->msg,
						    .fresh = r->lease.lane->retried_now };
	return err ? err : t->perform(t, &r->request, &exchange_events, r, &r->exchange);
}

static void attempt(struct hf_replay *r)
{
	struct hf_exchange_result result = { .end = HF_END_LIMIT };
	struct hf_lease_end end = { .result = &result };

	if (r->reading_chunk) {
		r->again = true;
		return;
	}
	reset_attempt(r);
	if (hf_replay_bind(r, &end.verdict)) {
		result.err = start_exchange(r);
		if (!result.err)
			return;
		end.verdict = (struct hf_verdict){ .action = HF_ACTION_RETRY,
						   .reason = HF_REASON_BACKOFF,
						   .delay_ms = r->opt->backoff_base_ms };
	}
	r->exchange = NULL;
	end.sent = r->sent;
	hf_replay_note_held(r, &end.verdict);
	hf_lease_end(&r->lease, &end);
}

static void token_ready(struct hf_token_wait *w)
{
	attempt(hf_container_of(w, struct hf_replay, token));
}

/* ---- lease events ---- */

static void lease_ready(struct hf_lease *lease, int err)
{
	struct hf_replay *r = hf_container_of(lease, struct hf_replay, lease);

	if (err)
		finish(r);
	else
		attempt(r);
}

static void lease_stored(struct hf_lease *lease, int err)
{
	struct hf_replay *r = hf_container_of(lease, struct hf_replay, lease);
	struct hf_lease_end end = { .verdict = { .action = HF_ACTION_RETRY,
						 .reason = HF_REASON_BACKOFF,
						 .delay_ms = HF_REPLAY_FAILED_DELAY_MS } };

	if (hf_lease_is_over(lease)) {
		finish(r);
		return;
	}
	assert(r->marking);
	r->marking = false;
	if (r->end_waits) {
		r->end_waits = false;
		hf_lease_end(lease, &r->end);
	} else if (!err) {
		go(r);
	} else { /* without the mark nothing may be sent */
		cancel(r);
		end.sent = r->sent;
		hf_lease_end(lease, &end);
	}
}

/* ---- life ---- */

int hf_replay_start(const struct hf_sync_options *opt, struct hf_lane *lane,
		    void (*done)(void *user, struct hf_replay *r, enum hf_replay_end end),
		    void *user, struct hf_replay **out)
{
	struct hf_replay *r = calloc(1, sizeof(*r));

	if (!r)
		return HF_ENOMEM;
	r->opt = opt;
	r->origin = &opt->origins[lane->origin];
	r->done = done;
	r->user = user;
	r->lease.ready = lease_ready;
	r->lease.stored = lease_stored;
	hf_list_init(&r->link);
	hf_list_init(&r->token.link);
	r->token.ready = token_ready;
	hf_arena_init(&r->arena, 4 * CONFIG_HF_HEAD_BYTES_MAX);
	hf_buf_init(&r->body, opt->answer_bytes_max);
	hf_buf_init(&r->chunk.data, CHUNK_MAX);
	hf_timer_init(&r->timer, cut_answer, r);
	lane->users++;
	r->lease.lane = lane;
	*out = r;
	hf_lease_take(lane, &r->lease);
	return 0;
}

void hf_replay_destroy(struct hf_replay *r)
{
	cancel(r);
	hf_lease_abandon(&r->lease);
	release(r);
	free(r);
}

struct hf_list *hf_replay_link(struct hf_replay *r)
{
	return &r->link;
}

struct hf_replay *hf_replay_from_link(struct hf_list *link)
{
	return hf_container_of(link, struct hf_replay, link);
}

struct hf_lane *hf_replay_lane(struct hf_replay *r)
{
	return r->lease.lane;
}

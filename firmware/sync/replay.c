/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/replay.h"

#include <assert.h>
#include <stdlib.h>

#include "holdfast_config.h"
#include "http/url.h"
#include "net/backoff.h"

#define FOLLOW_MAX 5

struct hf_replay {
	const struct hf_sync_options *opt;
	const struct hf_sync_origin *origin;
	struct hf_lease lease;
	struct hf_list link;
	void (*done)(void *user, struct hf_replay *r, bool tried);
	void *user;
	struct hf_arena arena; /* of one attempt */
	/* request */
	struct hf_message msg;
	struct hf_transport_request request;
	struct hf_exchange *exchange;
	struct hf_store_blob_read chunk;
	bool reading_chunk, sent_end;
	struct hf_span unsent; /* of the inline body or of the chunk */
	bool sent;	       /* first byte handed over */
	/* answer */
	bool has_head;
	struct hf_answer_head answer;
	struct hf_fields raw; /* with hop-by-hop fields: what is classified */
	struct hf_buf body;
	uint64_t dropped; /* body bytes past the limit */
	unsigned followed;
	bool tried;
	/* the exchange ended while the mark was being stored */
	bool marking, end_waits;
	struct hf_lease_end end;
	struct hf_exchange_result result;
	bool over; /* finishes when the chunk read is back */
};

static uint32_t hash(struct hf_span s)
{
	uint32_t h = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (uint8_t)s.ptr[i]) * 16777619U;
	return h;
}

static void finish(struct hf_replay *r)
{
	void (*done)(void *user, struct hf_replay *r, bool tried) = r->done;
	bool tried = r->tried;

	r->over = true;
	if (r->reading_chunk)
		return;
	hf_list_remove(&r->link);
	hf_buf_finish(&r->chunk.data);
	hf_buf_finish(&r->body);
	hf_arena_finish(&r->arena);
	done(r->user, r, tried);
	free(r);
}

/* ---- request body ---- */

static void pump(struct hf_replay *r);

static void chunk_read(struct hf_store_op *op, int err)
{
	struct hf_replay *r = op->user;

	r->reading_chunk = false;
	if (r->over) {
		finish(r);
		return;
	}
	if (!r->exchange)
		return; /* the attempt ended meanwhile */
	if (err) {
		hf_log(r->opt->log, HF_LOG_ERROR, "replay.body", "id=%s err=%s",
		       r->lease.public_id, hf_errname(err));
		r->origin->transport->cancel(r->origin->transport, r->exchange);
		r->exchange = NULL;
		hf_lease_end(&r->lease,
			     &(struct hf_lease_end){
				     .verdict = { .action = err == HF_ENOMEM ? HF_ACTION_RETRY :
									       HF_ACTION_HOLD,
						  .reason = HF_REASON_DAMAGED,
						  .delay_ms = 5000 },
				     .sent = true });
		return;
	}
	r->chunk.n++;
	r->unsent = hf_buf_span(&r->chunk.data);
	pump(r);
}

static bool next_chunk(struct hf_replay *r)
{
	const struct hf_store_load *l = &r->lease.load;
	uint64_t at = (uint64_t)r->chunk.n * CONFIG_HF_BODY_CHUNK_BYTES;

	if (l->blob == 0 || at >= l->body_len)
		return false;
	r->reading_chunk = true;
	r->chunk.blob = l->blob;
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

static void attempt(struct hf_replay *r);

static void on_send(void *user)
{
	struct hf_replay *r = user;

	r->sent = true;
	if (hf_lease_mark(&r->lease))
		r->origin->transport->go(r->origin->transport, r->exchange);
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

	r->has_head = true;
	r->answer.status = head->status;
	if (hf_fields_copy(&r->raw, &head->fields, &r->arena) ||
	    hf_fields_copy(&r->answer.fields, &head->fields, &r->arena))
		r->answer.truncated = true; /* fields are lost, the status is not */
	hf_fields_strip_hop(&r->answer.fields);
	hf_fields_remove(&r->answer.fields, "Content-Length");
}

static void on_body(void *user, struct hf_span data)
{
	struct hf_replay *r = user;
	size_t room = r->opt->answer_bytes_max - r->body.len;
	struct hf_span kept = data.len <= room ? data : hf_span(data.ptr, room);

	if (r->dropped || hf_buf_append(&r->body, kept))
		kept.len = 0;
	r->dropped += data.len - kept.len;
}

/* Same method and body to the path that Location names. */
static bool follow(struct hf_replay *r)
{
	const struct hf_span *location = hf_fields_get(&r->raw, "Location");
	struct hf_url url;
	struct hf_span target;

	if (!location || r->followed >= FOLLOW_MAX)
		return false;
	target = *location;
	if (target.len == 0 || target.ptr[0] != '/') {
		if (hf_url_parse(*location, &url))
			return false;
		target = hf_span(url.path.ptr,
				 url.query.ptr ? (size_t)(url.query.ptr + url.query.len -
							  url.path.ptr) :
						 url.path.len);
		if (url.path.ptr < location->ptr ||
		    url.path.ptr >= location->ptr + location->len)
			target = HF_SPAN("/");
	}
	target = hf_arena_copy(&r->lease.arena, target);
	if (!target.ptr)
		return false;
	r->lease.target = target;
	r->followed++;
	attempt(r);
	return true;
}

static void classify(struct hf_replay *r, const struct hf_exchange_result *result,
		     struct hf_verdict *v)
{
	struct hf_message head = { .status = r->answer.status, .fields = r->raw };
	struct hf_attempt a = {
		.policy = &r->lease.head.policy,
		.method = r->lease.head.method,
		.tls = r->origin->tls,
		.origin_host = r->origin->host,
		.origin_port = r->origin->port,
		.result = result,
		.head = r->has_head ? &head : NULL,
		.body_hash = hash(hf_buf_span(&r->body)),
		.state = &r->lease.state,
		.retried_now = r->lease.lane->retried_now,
		.device_now_ms = hf_queue_device_ms(r->opt->queue),
		.retry_after_max_s = r->opt->retry_after_max_s,
	};

	a.trust = r->opt->port->wall_ms(r->opt->port, &a.wall_ms);
	/* Whether an earlier attempt may have arrived, not this one. */
	struct hf_record_state before = r->lease.state;

	before.maybe_received = r->lease.load.state.maybe_received;
	before.first_sent_dev_ms = r->lease.load.state.first_sent_dev_ms;
	a.state = &before;
	hf_outcome_classify(&a, v);
	if (v->action == HF_ACTION_RETRY && v->delay_ms == 0)
		v->delay_ms = hf_backoff_ms(r->opt->rand, r->opt->backoff_base_ms,
					    r->opt->backoff_cap_ms, r->lease.lane->failures);
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct hf_replay *r = user;
	struct hf_lease_end end = { .result = &r->result };
	unsigned origin = r->lease.lane->origin;
	char quoted[128];

	(void)trailers;
	r->exchange = NULL;
	r->tried = true;
	r->result = *result;
	r->result.detail = NULL;
	hf_connectivity_report(r->opt->connectivity, origin, result,
			       r->has_head ? r->answer.status : 0);
	classify(r, result, &end.verdict);
	if (end.verdict.captive)
		hf_connectivity_captive(r->opt->connectivity, origin);
	if (end.verdict.action == HF_ACTION_FOLLOW) {
		if (follow(r))
			return;
		end.verdict.action = HF_ACTION_HOLD;
		end.verdict.reason = HF_REASON_REDIRECT;
	}
	if (r->has_head) {
		r->answer.truncated |= r->dropped > 0 || result->end == HF_END_TRUNCATED;
		end.answer = &r->answer;
		end.body = hf_buf_span(&r->body);
		end.body_len = end.body.len;
		end.body_hash = hash(end.body);
	}
	end.sent = r->sent;
	hf_log(r->opt->log, HF_LOG_DEBUG, "replay.end", "id=%s end=%s status=%d reason=%s detail=%s",
	       r->lease.public_id, hf_end_name(result->end), r->answer.status,
	       hf_reason_name((uint8_t)end.verdict.reason),
	       hf_log_quote(hf_span_str(result->detail ? result->detail : ""), quoted,
			    sizeof(quoted)));
	if (r->marking) {
		r->end_waits = true;
		r->end = end;
	} else {
		hf_lease_end(&r->lease, &end);
	}
}

static const struct hf_exchange_events exchange_events = {
	.on_send = on_send,
	.on_writable = on_writable,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

static int build_request(struct hf_replay *r)
{
	const struct hf_record_head *h = &r->lease.head;
	const struct hf_store_load *l = &r->lease.load;
	int err;

	r->msg = (struct hf_message){
		.method = h->method,
		.target = r->lease.target,
		.minor = 1,
		.keep_alive = true,
		.body = l->body_len > 0 || !hf_method_is_safe(h->method) ? HF_BODY_LENGTH :
									     HF_BODY_NONE,
		.body_len = l->body_len,
	};
	hf_fields_init(&r->msg.fields, &r->arena);
	err = hf_fields_add(&r->msg.fields, HF_SPAN("Host"), r->origin->authority);
	for (size_t i = 0; i < h->fields.n && !err; i++)
		err = hf_fields_add(&r->msg.fields, h->fields.v[i].name, h->fields.v[i].value);
	if (!err)
		err = hf_fields_add(&r->msg.fields, hf_span_str(h->policy.key_header), h->key);
	return err;
}

static void reset_attempt(struct hf_replay *r)
{
	hf_arena_finish(&r->arena);
	hf_buf_clear(&r->body);
	memset(&r->answer, 0, sizeof(r->answer));
	hf_fields_init(&r->answer.fields, &r->arena);
	hf_fields_init(&r->raw, &r->arena);
	r->has_head = false;
	r->sent_end = false;
	r->sent = false;
	r->dropped = 0;
	r->chunk.n = 0;
	r->unsent = hf_buf_span(&r->lease.load.body);
}

static void attempt(struct hf_replay *r)
{
	struct hf_transport *t = r->origin->transport;
	int err;

	reset_attempt(r);
	err = build_request(r);
	r->request = (struct hf_transport_request){ .msg = &r->msg,
						    .fresh = r->lease.lane->retried_now };
	if (!err)
		err = t->perform(t, &r->request, &exchange_events, r, &r->exchange);
	if (err) {
		struct hf_exchange_result result = { .end = HF_END_LIMIT, .err = err };
		struct hf_lease_end end = { .result = &result,
					    .verdict = { .action = HF_ACTION_RETRY,
							 .reason = HF_REASON_BACKOFF,
							 .delay_ms = r->opt->backoff_base_ms } };

		r->exchange = NULL;
		hf_lease_end(&r->lease, &end);
	}
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
	struct hf_transport *t = r->origin->transport;

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
		t->go(t, r->exchange);
	} else { /* without the mark nothing may be sent */
		t->cancel(t, r->exchange);
		r->exchange = NULL;
		hf_lease_end(lease, &(struct hf_lease_end){
					    .verdict = { .action = HF_ACTION_RETRY,
							 .reason = HF_REASON_BACKOFF,
							 .delay_ms = 5000 } });
	}
}

/* ---- life ---- */

int hf_replay_start(const struct hf_sync_options *opt, struct hf_lane *lane,
		    void (*done)(void *user, struct hf_replay *r, bool tried), void *user,
		    struct hf_replay **out)
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
	hf_arena_init(&r->arena, 4 * CONFIG_HF_HEAD_BYTES_MAX);
	hf_buf_init(&r->body, opt->answer_bytes_max);
	hf_buf_init(&r->chunk.data, 1024 * 1024);
	*out = r;
	hf_lease_take(lane, &r->lease);
	return 0;
}

void hf_replay_destroy(struct hf_replay *r)
{
	struct hf_transport *t = r->origin->transport;

	if (r->exchange)
		t->cancel(t, r->exchange);
	hf_lease_abandon(&r->lease);
	hf_list_remove(&r->link);
	hf_buf_finish(&r->chunk.data);
	hf_buf_finish(&r->body);
	hf_arena_finish(&r->arena);
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

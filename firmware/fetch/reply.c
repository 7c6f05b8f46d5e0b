/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   FILLING -> HEAD -> BODY -> END -> gone
 *
 * Of a body in the store the first chunk is read before the head goes out: when
 * it cannot be, the reply is a 503, or a 410 when it is damaged; a later one that cannot be read cuts it.
 * A reply that was cancelled while the store reads a chunk for it lives until
 * the store is done with that.
 */
#include "fetch/reply.h"

#include <assert.h>
#include <stdlib.h>

#include "base/fsm.h"
#include "fetch/forward.h"
#include "holdfast/err.h"
#include "queue/record.h"

#define ARENA_MAX (1024 * 1024)
#define BODY_MAX  (256 * 1024 * 1024)
#define PIECE	  (16 * 1024)
#define CHUNK_MAX (1024 * 1024)

enum state {
	FILLING,
	HEAD,
	BODY,
	END,
	GONE
};

static const uint32_t allowed[] = {
	[FILLING] = HF_FSM_TO(HEAD),
	[HEAD] = HF_FSM_TO(BODY) | HF_FSM_TO(GONE),
	[BODY] = HF_FSM_TO(END) | HF_FSM_TO(GONE),
	[END] = HF_FSM_TO(GONE),
	[GONE] = 0,
};
static const char *const names[] = { "filling", "head", "body", "end", "gone" };
static const struct hf_fsm fsm = { "reply", 5, allowed, names };

struct hf_reply {
	struct hf_reply_world world;
	struct hf_arena arena;
	struct hf_message msg;
	struct hf_buf body;
	uint64_t blob, blob_left;
	uint32_t chunk;
	struct hf_store_blob_read read;
	bool reading;
	const struct hf_exchange_events *events;
	void *user;
	void (*ended)(void *owner);
	void *owner;
	void (*damaged)(void *user, uint64_t id);
	void *damaged_user;
	uint64_t damaged_id;
	struct hf_timer timer;
	uint8_t state;
	bool receiving, truncated;
	unsigned depth;
};

static void step(void *user);

int hf_reply_create(const struct hf_reply_world *world, struct hf_reply **out)
{
	struct hf_reply *r = calloc(1, sizeof(*r));

	if (!r)
		return HF_ENOMEM;
	r->world = *world;
	hf_arena_init_from(&r->arena, ARENA_MAX, world->blocks);
	hf_fields_init(&r->msg.fields, &r->arena);
	r->msg.status = 200;
	r->msg.minor = 1;
	r->msg.keep_alive = true;
	hf_buf_init(&r->body, BODY_MAX);
	hf_buf_init(&r->read.data, CHUNK_MAX);
	hf_timer_init(&r->timer, step, r);
	*out = r;
	return 0;
}

void hf_reply_destroy(struct hf_reply *r)
{
	if (!r)
		return;
	assert(!r->reading && r->depth == 0);
	hf_timerq_clear(r->world.timers, &r->timer);
	hf_buf_finish(&r->read.data);
	hf_buf_finish(&r->body);
	hf_arena_finish(&r->arena);
	free(r);
}

void hf_reply_status(struct hf_reply *r, int status)
{
	assert(r->state == FILLING);
	r->msg.status = status;
}

struct hf_fields *hf_reply_fields(struct hf_reply *r)
{
	return &r->msg.fields;
}

struct hf_arena *hf_reply_arena(struct hf_reply *r)
{
	return &r->arena;
}

struct hf_buf *hf_reply_body(struct hf_reply *r)
{
	return &r->body;
}

void hf_reply_blob(struct hf_reply *r, uint64_t blob, uint64_t len)
{
	assert(r->state == FILLING && r->world.store);
	r->blob = blob;
	r->blob_left = len;
}

int hf_reply_problem(struct hf_reply *r, const struct hf_problem *p)
{
	int err;

	hf_reply_status(r, p->status);
	err = hf_problem_fields(p, &r->msg.fields);
	return err ? err : hf_problem_body(p, &r->body);
}

int hf_reply_stored(struct hf_reply *r, struct hf_store_load *l)
{
	struct hf_answer_head head;
	struct hf_span bytes;
	size_t i;
	int err;

	if (!l->has_outcome || l->outcome_head.len == 0)
		return HF_ENOENT;
	bytes = hf_arena_copy(&r->arena, hf_buf_span(&l->outcome_head));
	if (!bytes.ptr)
		return HF_ENOMEM;
	err = hf_answer_head_decode(bytes, &r->arena, &head);
	if (err)
		return err;
	if (head.status < 200 || head.status > 999)
		return HF_ECORRUPT;
	r->msg.status = head.status;
	if (head.truncated)
		err = hf_fields_add(&r->msg.fields, HF_SPAN("Holdfast-Truncated"), HF_SPAN("?1"));
	for (i = 0; i < head.fields.n && !err; i++) {
		if (hf_span_ieq_str(head.fields.v[i].name, "content-length") ||
		    hf_forward_is_ours(head.fields.v[i].name))
			continue;
		err = hf_fields_add(&r->msg.fields, head.fields.v[i].name, head.fields.v[i].value);
	}
	if (err)
		return err;
	if (l->outcome_blob) {
		hf_reply_blob(r, l->outcome_blob, l->outcome_body_len);
		return 0;
	}
	hf_buf_finish(&r->body);
	r->body = l->outcome_body;
	hf_buf_init(&l->outcome_body, r->body.max);
	return 0;
}

void hf_reply_start(struct hf_reply *r, const struct hf_exchange_events *events, void *user,
		    void (*ended)(void *owner), void *owner)
{
	uint64_t len = r->blob ? r->blob_left : r->body.len;

	hf_fsm_move(&fsm, &r->state, HEAD);
	r->msg.body = r->msg.status == 204 || r->msg.status == 304 ? HF_BODY_NONE : HF_BODY_LENGTH;
	r->msg.body_len = r->msg.body == HF_BODY_NONE ? 0 : len;
	if (r->msg.body == HF_BODY_NONE) {
		r->blob = 0;
		hf_buf_clear(&r->body);
	}
	r->events = events;
	r->user = user;
	r->ended = ended;
	r->owner = owner;
	r->receiving = true;
	if (hf_timerq_set(r->world.timers, &r->timer, r->world.port->boottime_ms(r->world.port))) {
		/* Without memory for a timer there is no later turn: the answer comes
		 * when it is asked for next, at the latest with receive. */
		r->receiving = false;
	}
}

/* ---- body from a blob ---- */

void hf_reply_watch(struct hf_reply *r, void (*damaged)(void *user, uint64_t id), void *user,
		    uint64_t id)
{
	r->damaged = damaged;
	r->damaged_user = user;
	r->damaged_id = id;
}

static void body_lost(struct hf_reply *r, bool damaged)
{
	static const struct hf_problem unread = {
		.status = 503,
		.error = "proxy_internal_error",
		.detail = "The stored answer cannot be read.",
	};
	const struct hf_problem *lost = damaged ? &hf_problem_answer_damaged : &unread;

	if (damaged && r->damaged)
		r->damaged(r->damaged_user, r->damaged_id);
	hf_buf_clear(&r->read.data);
	r->blob_left = 0;
	if (r->state != HEAD) {
		r->truncated = true;
		return;
	}
	r->blob = 0;
	r->msg.status = lost->status;
	hf_fields_init(&r->msg.fields, &r->arena);
	if (hf_problem_fields(lost, &r->msg.fields) || hf_problem_body(lost, &r->body))
		hf_buf_clear(&r->body); /* the status has to do */
	r->msg.body_len = r->body.len;
}

static void chunk_done(struct hf_store_op *op, int err)
{
	struct hf_reply *r = hf_container_of(op, struct hf_reply, read.op);

	r->reading = false;
	if (r->state == GONE) {
		hf_reply_destroy(r);
		return;
	}
	if (err && err != HF_ENOENT && err != HF_ECORRUPT)
		body_lost(r, false);
	else if (err || r->read.data.len == 0 || r->read.data.len > r->blob_left)
		body_lost(r, true);
	r->chunk++;
	r->blob_left -= r->read.data.len;
	step(r);
}

static void read_chunk(struct hf_reply *r)
{
	r->reading = true;
	r->read.blob = r->blob;
	r->read.n = r->chunk;
	r->read.op.done = chunk_done;
	hf_store_blob_read(r->world.store, &r->read);
}

/* False: the first chunk is to come. */
static bool head_step(struct hf_reply *r)
{
	if (r->reading)
		return false;
	if (r->blob && r->blob_left > 0 && r->chunk == 0) {
		read_chunk(r);
		return false;
	}
	hf_fsm_move(&fsm, &r->state, BODY);
	r->events->on_head(r->user, &r->msg);
	return true;
}

/* Hands over one piece. False: nothing is there now. */
static bool body_step(struct hf_reply *r)
{
	struct hf_buf *b = r->blob ? &r->read.data : &r->body;
	struct hf_span piece = hf_buf_span(b);

	if (r->reading)
		return false;
	if (piece.len == 0 && r->blob && r->blob_left > 0) {
		read_chunk(r);
		return false;
	}
	if (piece.len == 0) {
		hf_fsm_move(&fsm, &r->state, END);
		return true;
	}
	if (piece.len > PIECE)
		piece.len = PIECE;
	r->events->on_body(r->user, piece);
	if (r->state != GONE)
		hf_buf_consume(b, piece.len);
	return true;
}

static void finish(struct hf_reply *r)
{
	struct hf_exchange_result result = {
		.end = r->truncated ? HF_END_TRUNCATED : HF_END_COMPLETE,
		.sent = HF_SENT_ALL,
		.err = r->truncated ? HF_EIO : 0,
		.detail = r->truncated ? "the stored body cannot be read" : "",
	};
	struct hf_fields none;

	hf_fields_init(&none, &r->arena);
	hf_fsm_move(&fsm, &r->state, GONE);
	if (r->ended)
		r->ended(r->owner);
	r->events->on_end(r->user, &result, r->truncated ? NULL : &none);
}

static void step(void *user)
{
	struct hf_reply *r = user;

	r->depth++;
	while (r->receiving && r->state != GONE) {
		if (r->state == HEAD) {
			if (!head_step(r))
				break;
		} else if (r->state == BODY) {
			if (!body_step(r))
				break;
		} else {
			finish(r);
		}
	}
	r->depth--;
	if (r->state == GONE && r->depth == 0 && !r->reading)
		hf_reply_destroy(r);
}

void hf_reply_receive(struct hf_reply *r, bool on)
{
	bool was = r->receiving;

	r->receiving = on;
	/* The first event waits for the timer of start. */
	if (on && !was && r->depth == 0 && !hf_timer_is_set(&r->timer))
		step(r);
}

void hf_reply_cancel(struct hf_reply *r)
{
	if (r->state == FILLING) {
		hf_reply_destroy(r);
		return;
	}
	assert(r->state != GONE);
	hf_fsm_move(&fsm, &r->state, GONE);
	hf_timerq_clear(r->world.timers, &r->timer);
	if (r->depth == 0 && !r->reading)
		hf_reply_destroy(r);
}

void hf_reply_abandon(struct hf_reply *r)
{
	r->reading = false;
	hf_reply_cancel(r);
}

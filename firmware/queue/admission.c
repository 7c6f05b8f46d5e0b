/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admission: from a panel's request to a committed record. Inserts of a lane
 * are submitted in the order of hf_queue_admit; the first one of a new lane
 * waits for the lane's id, and those behind it with it.
 */
#include <assert.h>
#include <stdlib.h>

#include "holdfast_config.h"
#include "http/values.h"
#include "queue/not_before.h"
#include "queue/queue_private.h"

/* ---- the key ---- */

int hf_queue_key(struct hf_queue *q, const struct hf_policy *policy, const struct hf_fields *fields,
		 struct hf_arena *arena, struct hf_span *key, bool *minted)
{
	size_t n = hf_fields_count(fields, policy->key_header);
	char uuid[HF_UUID_LEN + 1];
	uint8_t random[10];
	int64_t wall = 0;
	struct hf_span parsed;

	if (minted)
		*minted = n == 0;
	if (n > 1)
		return HF_EINVAL;
	if (n == 1) {
		*key = *hf_fields_get(fields, policy->key_header);
		return hf_idempotency_key_parse(*key, &parsed);
	}
	/* A clock that nobody vouches for will do: what tells keys apart is the
	 * random part. */
	q->opt.port->wall_ms(q->opt.port, &wall);
	if (wall < HF_WALL_MIN_MS)
		wall = 0;
	if (q->opt.port->entropy(q->opt.port, random, sizeof(random)))
		return HF_EIO;
	hf_uuid7_format((uint64_t)wall, random, uuid);
	*key = hf_arena_printf(arena, policy->key_quoted ? "\"%s\"" : "%s", uuid);
	return key->ptr ? 0 : HF_ENOMEM;
}

/* ---- the record ---- */

/* Fields that are made anew for every attempt. */
static bool is_per_attempt(struct hf_span name, const struct hf_policy *policy)
{
	static const char *const names[] = {
		"Host",	      "Content-Length", "Transfer-Encoding", "Expect",
		"Connection", "Keep-Alive",	"Upgrade",	     "TE",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (hf_span_ieq_str(name, names[i]))
			return true;
	return hf_span_ieq_str(name, policy->key_header);
}

static int encode_head(struct hf_queue *q, struct hf_admission *a)
{
	struct hf_record_head h = {
		.origin = hf_span_str(q->opt.origin_names[a->origin]),
		.method = a->msg->method,
		.target = a->msg->target,
		.key = a->key,
		.identity = a->identity,
		.after = a->after,
		.after_depth = a->after_depth,
		.policy = *a->policy,
	};
	struct hf_arena arena;
	int err = 0;

	hf_arena_init_from(&arena, 2 * CONFIG_HF_HEAD_BYTES_MAX, &q->blocks);
	hf_fields_init(&h.fields, &arena);
	for (size_t i = 0; i < a->msg->fields.n && !err; i++) {
		const struct hf_field *f = &a->msg->fields.v[i];

		if (!is_per_attempt(f->name, a->policy))
			err = hf_fields_add(&h.fields, f->name, f->value);
	}
	hf_buf_init(&a->head, 2 * CONFIG_HF_HEAD_BYTES_MAX);
	if (!err)
		err = hf_record_head_encode(&h, &a->head);
	if (err)
		hf_buf_finish(&a->head);
	hf_arena_finish(&arena);
	return err;
}

static void init_state(struct hf_queue *q, const struct hf_admission *a, struct hf_record_state *s)
{
	int64_t wall;

	memset(s, 0, sizeof(*s));
	s->status = a->hold ? HF_RECORD_HELD : HF_RECORD_QUEUED;
	s->reason = (uint8_t)a->reason;
	s->maybe_received = a->maybe_received;
	s->attempts = a->maybe_received;
	s->last_status = a->last_status;
	s->urgency = a->policy->urgency;
	s->tag = (uint32_t)hf_rand_u64(q->opt.rand);
	s->created_dev_ms = hf_queue_device_ms(q);
	if (a->maybe_received)
		s->first_sent_dev_ms = s->created_dev_ms;
	hf_not_before_set(q, s, a->not_before_delay_ms);
	if (q->opt.port->wall_ms(q->opt.port, &wall) != HF_CLOCK_UNSET && wall >= HF_WALL_MIN_MS)
		s->created_wall_ms = wall;
}

/* ---- steps ---- */

#define DISPLACE_SLACK 64 /* of a lane for a few: requests that come at once */

static void finish(struct hf_lane *lane, struct hf_admission *a, int err)
{
	lane->inserting--;
	hf_list_remove(&a->pending);
	hf_buf_finish(&a->head);
	lane->users++;
	a->done(a, err);
	lane->users--;
	hf_queue_lane_release(lane);
}

void hf_admission_abandon(struct hf_admission *a)
{
	hf_list_remove(&a->link);
	hf_list_remove(&a->pending);
	hf_buf_finish(&a->head);
}

/* The first one of its lane goes when its own attempt's end says so. */
static void schedule(struct hf_queue *q, struct hf_lane *lane, const struct hf_admission *a)
{
	uint64_t base = CONFIG_HF_BACKOFF_BASE_MS;

	lane->urgency = a->state.urgency;
	if (lane->state == HF_LANE_HELD && !lane->blocked)
		lane->state = HF_LANE_IDLE;
	if (lane->state == HF_LANE_IDLE && a->not_before_delay_ms)
		hf_lane_delay(lane, a->not_before_delay_ms, a->reason);
	else if (lane->state == HF_LANE_IDLE && a->maybe_received && !a->hold)
		hf_lane_delay(lane, base / 2 + hf_rand_below(q->opt.rand, base / 2 + 1), a->reason);
	else
		hf_lane_refresh(lane);
}

static void inserted(struct hf_store_op *op, int err)
{
	struct hf_admission *a = op->user;
	struct hf_queue *q = a->queue;
	struct hf_lane *lane = a->turn_lane;

	assert(lane->inserting > 0);
	if (err == HF_ENOENT && lane->id == a->insert.lane && lane->waiting == 0)
		hf_queue_lane_lost_id(lane);
	if (err == HF_EFULL)
		hf_queue_make_room(q, a->insert.head.len + a->insert.body.len);
	if (err) {
		if (hf_queue_may_log(q, &q->refused))
			hf_log(q->opt.log, HF_LOG_WARNING, "queue.refused", "lane=%s err=%s",
			       lane->key, hf_errname(err));
		finish(lane, a, err);
		return;
	}
	a->id = a->insert.id;
	a->state = a->insert.state;
	hf_record_id_format(a->id, &a->state, a->public_id);
	hf_log(q->opt.log, HF_LOG_INFO, "queue.queued", "id=%s lane=%s reason=%s", a->public_id,
	       lane->key, hf_reason_name(a->state.reason));
	if (lane->waiting == 0)
		lane->head_created_dev_ms = a->state.created_dev_ms;
	hf_queue_changed(q, lane, 0,
			 &(struct hf_queue_event){
				 .type = a->hold ? HF_QUEUE_HELD : HF_QUEUE_QUEUED,
				 .id = a->id,
				 .state = &a->state,
				 .public_id = a->public_id,
				 .origin = hf_span_str(lane->origin_name),
				 .lane = hf_span_str(lane->key),
				 .tag = hf_span_str(a->policy->tag),
				 .method = a->msg->method,
				 .target = a->msg->target,
				 .key = a->key,
			 });
	hf_queue_expiry_note(q, a->state.created_dev_ms, a->policy->max_age_s);
	schedule(q, lane, a);
	if (a->policy->when_full == HF_WHEN_FULL_DROP_OLDEST)
		hf_lane_displace(lane, a->policy->max_entries, a->id);
	finish(lane, a, 0);
}

static void insert(struct hf_lane *lane, struct hf_admission *a)
{
	a->insert.lane = lane->id;
	a->insert.state = a->state;
	a->insert.head = hf_buf_span(&a->head);
	a->insert.body = a->body;
	a->insert.blob = a->blob;
	a->insert.body_len = a->body_len;
	a->insert.parent = a->parent;
	a->insert.dependents_max = CONFIG_HF_AFTER_DEPENDENTS_MAX;
	a->insert.op.done = inserted;
	a->insert.op.user = a;
	hf_store_insert(lane->queue->opt.store, &a->insert);
}

static void create_lane(struct hf_lane *lane, struct hf_admission *a);

static void lane_created(struct hf_store_op *op, int err)
{
	struct hf_admission *first = op->user;
	struct hf_lane *lane = first->turn_lane;
	struct hf_list waiting;

	if (!err && hf_queue_is_leaving(lane->queue, first->lane_op.id)) {
		create_lane(lane, first); /* found before it went, or did not go */
		return;
	}
	lane->creating = false;
	if (err == HF_EFULL)
		hf_queue_make_room(lane->queue, first->head.len + first->body.len);
	if (!err)
		err = hf_queue_lane_got_id(lane, first->lane_op.id);
	hf_list_init(&waiting);
	while (!hf_list_empty(&lane->admissions))
		hf_list_push(&waiting, hf_list_pop(&lane->admissions));
	lane->users++;
	while (!hf_list_empty(&waiting)) {
		struct hf_admission *a =
			hf_container_of(hf_list_pop(&waiting), struct hf_admission, link);

		if (err)
			finish(lane, a, err);
		else
			insert(lane, a);
	}
	lane->users--;
	hf_queue_lane_release(lane);
}

static void create_lane(struct hf_lane *lane, struct hf_admission *a)
{
	lane->creating = true;
	a->lane_op.origin = hf_span_str(lane->origin_name);
	a->lane_op.key = hf_span_str(lane->key);
	a->lane_op.remove = false;
	a->lane_op.op.done = lane_created;
	a->lane_op.op.user = a;
	hf_store_lane(lane->queue->opt.store, &a->lane_op);
}

/* Where the oldest make room, twice as many may wait while they do. */
static bool is_full(const struct hf_lane *lane, const struct hf_policy *p)
{
	uint64_t most = p->max_entries;

	if (p->when_full == HF_WHEN_FULL_DROP_OLDEST)
		most = 2 * most + DISPLACE_SLACK;
	return lane->waiting + lane->inserting >= most;
}

int hf_queue_admit(struct hf_queue *q, struct hf_admission *a)
{
	struct hf_lane *lane = a->turn->lane;
	int err;

	assert(lane && a->key.len > 0);
	if (q->closing)
		return HF_ECANCELED;
	if (is_full(lane, a->policy))
		return HF_ELIMIT;
	err = encode_head(q, a);
	if (err)
		return err;
	a->queue = q;
	a->turn_lane = lane;
	init_state(q, a, &a->state);
	lane->inserting++;
	hf_list_init(&a->link);
	hf_list_init(&a->pending);
	hf_list_push(&q->admissions, &a->pending);
	if (lane->id) {
		insert(lane, a);
		return 0;
	}
	hf_list_push(&lane->admissions, &a->link);
	if (!lane->creating)
		create_lane(lane, a);
	return 0;
}

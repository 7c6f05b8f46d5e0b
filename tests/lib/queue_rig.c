/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/queue_rig.h"

#include <limits.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "holdfast_config.h"
#include "queue/queue_private.h"

/* ---- the world ---- */

static void ask_wake(void *user, uint64_t due_ms)
{
	struct qrig *r = user;

	r->store.port.port.wake_at(&r->store.port.port, due_ms);
}

static void on_wake(void *user)
{
	struct qrig *r = user;

	r->wakes++;
	hf_timerq_run(&r->timers, r->store.port.port.boottime_ms(&r->store.port.port));
}

static const struct hf_port_events port_events = { .on_wake = on_wake };

static void on_origin(void *user, unsigned origin, enum hf_reach reach)
{
	struct qrig *r = user;

	if (r->sync)
		hf_sync_origin_changed(r->sync, origin, reach);
	if (r->sync && r->part)
		r->part->reach(r->part_user, origin, reach);
}

static void on_trial(void *user, unsigned origin)
{
	struct qrig *r = user;

	if (r->sync && r->part && r->part->trial(r->part_user, origin))
		return;
	if (r->sync)
		hf_sync_trial(r->sync, origin);
}

static void on_answered(void *user, unsigned origin)
{
	struct qrig *r = user;

	if (r->sync)
		hf_sync_answered(r->sync, origin);
}

static const struct hf_connectivity_events connectivity_events = {
	.on_origin = on_origin,
	.on_trial = on_trial,
	.on_answered = on_answered,
};

static const char *event_name(enum hf_queue_event_type type)
{
	static const char *const names[] = {
		[HF_QUEUE_QUEUED] = "queued",	    [HF_QUEUE_SETTLED] = "settled",
		[HF_QUEUE_HELD] = "held",	    [HF_QUEUE_DEAD] = "dead",
		[HF_QUEUE_CANCELLED] = "cancelled", [HF_QUEUE_RELEASED] = "released",
	};

	return names[type];
}

static void on_event(void *user, const struct hf_queue_event *e)
{
	struct qrig *r = user;

	hf_buf_appendf(&r->events, "%s %.*s %s\n", event_name(e->type), HF_SPAN_ARG(e->target),
		       hf_reason_name(e->state->reason));
	if (r->on_event)
		r->on_event(r->user, e);
}

static void on_lane(void *user, struct hf_lane *lane)
{
	struct qrig *r = user;

	if (r->sync)
		hf_sync_lane(r->sync, lane);
}

/* ---- life ---- */

static void make_connectivity(struct qrig *r)
{
	struct hf_connectivity_options opt = {
		.port = &r->store.port.port,
		.timers = &r->timers,
		.log = &r->store.port.log,
		.rand = &r->rand,
		.events = &connectivity_events,
		.user = r,
		.probe_min_ms = 1000,
		.probe_max_ms = 300000,
	};

	if (hf_connectivity_create(&opt, &r->connectivity))
		abort();
	for (unsigned i = 0; i < QRIG_ORIGINS; i++)
		if (hf_connectivity_add(r->connectivity, r->names[i], &r->origin[i].base, "host",
					NULL))
			abort();
}

static void make_queue(struct qrig *r)
{
	struct hf_queue_options opt = {
		.port = &r->store.port.port,
		.store = r->store.store,
		.timers = &r->timers,
		.log = &r->store.port.log,
		.rand = &r->rand,
		.origin_names = r->names,
		.origins_n = r->origins_n,
		.device_ms = r->store.report.device_ms,
		.lanes_max = r->lanes_max,
		.on_event = on_event,
		.on_lane = on_lane,
		.user = r,
	};

	if (hf_queue_create(&opt, &r->queue))
		abort();
}

static void make_sync(struct qrig *r)
{
	struct hf_sync_options opt = {
		.port = &r->store.port.port,
		.timers = &r->timers,
		.log = &r->store.port.log,
		.rand = &r->rand,
		.store = r->store.store,
		.queue = r->queue,
		.connectivity = r->connectivity,
		.origins = r->origins,
		.origins_n = r->origins_n,
		.backoff_base_ms = CONFIG_HF_BACKOFF_BASE_MS,
		.backoff_cap_ms = CONFIG_HF_BACKOFF_CAP_MS,
		.retry_after_max_s = 86400,
		.answer_bytes_max = r->answer_bytes_max,
	};

	if (hf_sync_create(&opt, &r->sync))
		abort();
}

void qrig_begin(struct qrig *r)
{
	hf_timerq_init(&r->timers, ask_wake, r);
	r->store.port.port.events = &port_events;
	r->store.port.port.events_user = r;
	make_connectivity(r);
	make_queue(r);
	make_sync(r);
	if (r->part)
		r->part->begin(r->part_user);
}

static void loaded(void *user, int err)
{
	struct qrig *r = user;

	r->loaded = err;
}

void qrig_start(struct qrig *r)
{
	r->loaded = 1;
	hf_queue_load(r->queue, loaded, r);
	fake_port_settle(&r->store.port);
	if (r->loaded) {
		fprintf(stderr, "the lanes were not loaded: %d\n", r->loaded);
		abort();
	}
	hf_sync_start(r->sync);
	if (r->part)
		r->part->start(r->part_user);
}

void qrig_init_with(struct qrig *r, const struct qrig_part *part, void *user)
{
	static const struct hf_sync_origin origins[] = {
		{ .host = { "shop.example", 12 }, .port = 80, .authority = { "shop.example", 12 } },
		{ .host = { "bank.example", 12 },
		  .port = 443,
		  .authority = { "bank.example", 12 },
		  .tls = true },
	};

	memset(r, 0, sizeof(*r));
	r->part = part;
	r->part_user = user;
	rig_init(&r->store);
	hf_list_init(&r->requests);
	hf_buf_init(&r->events, 16u << 20);
	hf_rand_init(&r->rand, 1);
	r->names[0] = "shop";
	r->names[1] = "bank";
	r->origins_n = QRIG_ORIGINS;
	r->answer_bytes_max = 1000;
	for (unsigned i = 0; i < QRIG_ORIGINS; i++) {
		fake_transport_init(&r->origin[i]);
		r->origins[i] = origins[i];
		r->origins[i].transport = &r->origin[i].base;
	}
	if (rig_open(&r->store))
		abort();
	qrig_begin(r);
	qrig_start(r);
}

void qrig_init(struct qrig *r)
{
	qrig_init_with(r, NULL, NULL);
}

void qrig_kill(struct qrig *r)
{
	/* First the store: its last answers find everybody still there. */
	rig_kill(&r->store);
	hf_queue_abandon(r->queue);
	while (!hf_list_empty(&r->requests))
		qreq_free(hf_container_of(r->requests.next, struct qreq, link));
	if (r->part)
		r->part->end(r->part_user);
	hf_sync_destroy(r->sync);
	hf_connectivity_destroy(r->connectivity);
	hf_queue_destroy(r->queue);
	hf_timerq_finish(&r->timers);
	r->sync = NULL;
	r->queue = NULL;
	r->connectivity = NULL;
	r->store.port.port.events = NULL;
	r->store.port.wake_at_ms = UINT64_MAX;
}

void qrig_restart(struct qrig *r)
{
	qrig_kill(r);
	if (rig_open(&r->store))
		abort();
	qrig_begin(r);
	qrig_start(r);
}

void qrig_finish(struct qrig *r)
{
	qrig_kill(r);
	for (unsigned i = 0; i < QRIG_ORIGINS; i++)
		fake_transport_finish(&r->origin[i]);
	hf_buf_finish(&r->events);
	rig_finish(&r->store);
}

/* ---- time ---- */

bool qrig_turn(struct qrig *r)
{
	bool any = fake_port_turn(&r->store.port) > 0;

	for (unsigned i = 0; i < QRIG_ORIGINS; i++)
		any |= fake_transport_turn(&r->origin[i]);
	if (hf_timerq_next(&r->timers) <= r->store.port.port.boottime_ms(&r->store.port.port)) {
		on_wake(r);
		any = true;
	}
	return any || r->store.port.first; /* the wake-up may have brought jobs */
}

void qrig_settle(struct qrig *r)
{
	unsigned n = 0;

	while (qrig_turn(r))
		if (++n > 200000) {
			fprintf(stderr, "it never comes to rest\n");
			abort();
		}
}

void qrig_advance(struct qrig *r, uint64_t ms)
{
	struct hf_port *port = &r->store.port.port;
	uint64_t end = port->boottime_ms(port) + ms;

	qrig_settle(r);
	while (hf_timerq_next(&r->timers) <= end) {
		uint64_t now = port->boottime_ms(port), due = hf_timerq_next(&r->timers);

		fake_port_advance(&r->store.port, due > now ? due - now : 0);
		qrig_settle(r);
	}
	fake_port_advance(&r->store.port, end - port->boottime_ms(port));
	qrig_settle(r);
}

/* ---- requests ---- */

static void granted(struct hf_turn *turn, enum hf_grant grant)
{
	struct qreq *q = turn->user;

	q->grant = grant;
	q->grants++;
	if (q->on_grant)
		q->on_grant(q);
	else if (q->back_when_granted)
		hf_turn_give_back(turn);
	else if (q->admit_when_granted)
		qreq_admit(q);
}

struct qreq *qrig_request(struct qrig *r, const char *target, const char *body)
{
	struct qreq *q = calloc(1, sizeof(*q));
	struct hf_span text = hf_span_str(body ? body : "");

	if (!q)
		abort();
	q->r = r;
	hf_arena_init(&q->arena, 1u << 20);
	hf_list_init(&q->link);
	hf_list_push(&r->requests, &q->link);
	q->policy = (struct hf_policy){
		.tag = "orders",
		.lane = "lane",
		.key_header = "Idempotency-Key",
		.key_validity_s = HF_POLICY_KEY_VALIDITY_S,
		.max_age_s = HF_POLICY_MAX_AGE_S,
		.max_entries = HF_POLICY_MAX_ENTRIES,
	};
	q->msg = (struct hf_message){ .method = HF_SPAN("POST"), .minor = 1 };
	q->msg.target = hf_arena_copy(&q->arena, hf_span_str(target));
	hf_fields_init(&q->msg.fields, &q->arena);
	hf_fields_add(&q->msg.fields, HF_SPAN("Content-Type"), HF_SPAN("text/plain"));
	q->a.key = hf_arena_printf(&q->arena, "k%s", target);
	q->a.body = hf_arena_copy(&q->arena, text);
	q->a.body_len = text.len;
	q->turn = (struct hf_turn){ .granted = granted, .user = q };
	q->done = 1;
	return q;
}

void qreq_take(struct qreq *q, bool origin_down)
{
	q->err = hf_turn_take(q->r->queue, q->a.origin, &q->policy, origin_down, &q->turn,
			      &q->grant);
}

static void admitted(struct hf_admission *a, int err)
{
	struct qreq *q = a->user;

	q->done = err;
	hf_turn_give_back(&q->turn);
}

void qreq_admit(struct qreq *q)
{
	q->a.turn = &q->turn;
	q->a.policy = &q->policy;
	q->a.msg = &q->msg;
	q->a.done = admitted;
	q->a.user = q;
	q->err = hf_queue_admit(q->r->queue, &q->a);
	if (q->err)
		hf_turn_give_back(&q->turn);
}

void qreq_give_back(struct qreq *q)
{
	hf_turn_give_back(&q->turn);
}

void qreq_free(struct qreq *q)
{
	hf_turn_give_back(&q->turn);
	hf_list_remove(&q->link);
	hf_arena_finish(&q->arena);
	free(q);
}

struct qreq *qrig_leave(struct qrig *r, const char *target, const char *body)
{
	struct qreq *q = qrig_request(r, target, body);

	qreq_take(q, true);
	if (!q->err)
		qreq_admit(q);
	fake_port_settle(&r->store.port);
	return q;
}

struct qreq *qrig_leave_in(struct qrig *r, const char *lane, const char *target)
{
	struct qreq *q = qrig_request(r, target, "x");

	snprintf(q->policy.lane, sizeof(q->policy.lane), "%s", lane);
	qreq_take(q, true);
	if (!q->err)
		qreq_admit(q);
	fake_port_settle(&r->store.port);
	return q;
}

/* ---- looking ---- */

struct hf_lane *qrig_lane(struct qrig *r, const char *key)
{
	struct hf_list *lanes = &r->queue->lanes;

	for (struct hf_list *l = lanes->next; l != lanes; l = l->next) {
		struct hf_lane *lane = hf_container_of(l, struct hf_lane, link);

		if (strcmp(lane->key, key) == 0)
			return lane;
	}
	return NULL;
}

int qrig_load(struct qrig *r, uint64_t id, struct hf_store_load *l)
{
	hf_store_load_init(l);
	l->id = id;
	return RIG_DO(&r->store, hf_store_load, l);
}

struct hf_record_state qrig_state(struct qrig *r, uint64_t id)
{
	struct hf_store_load l;
	int err;

	hf_store_load_init(&l);
	l.id = id;
	l.head_only = true; /* a damaged one has a state, too */
	err = RIG_DO(&r->store, hf_store_load, &l);
	if (err)
		memset(&l.state, 0, sizeof(l.state));
	hf_store_load_finish(&l);
	return l.state;
}

const char *qrig_events(struct qrig *r)
{
	static char text[65536];
	struct hf_span all = hf_buf_span(&r->events);

	assert(all.len < sizeof(text));
	memcpy(text, all.ptr ? all.ptr : "", all.len);
	text[all.len] = '\0';
	hf_buf_clear(&r->events);
	return text;
}

const char *qrig_taken(struct qrig *r, unsigned i)
{
	static char text[65536];
	struct hf_span rest = hf_buf_span(&r->origin[i].log);
	size_t len = 0;

	while (rest.len > 0) {
		struct hf_span line = hf_span_cut(&rest, '\n');
		struct hf_span target = hf_span_cut(&line, ' ');

		assert(len + target.len + 2 < sizeof(text));
		if (len)
			text[len++] = ' ';
		memcpy(text + len, target.ptr, target.len);
		len += target.len;
	}
	text[len] = '\0';
	hf_buf_clear(&r->origin[i].log);
	return text;
}

/* ---- changes ---- */

static void changed(struct hf_queue_change *c, int err)
{
	*(int *)c->user = err;
}

static int change(struct qrig *r, const char *public_id, bool retry, char *new_id)
{
	int result = 1;
	struct hf_queue_change c = {
		.public_id = hf_span_str(public_id),
		.done = changed,
		.user = &result,
	};
	int err = retry ? hf_queue_retry(r->queue, &c) : hf_queue_cancel(r->queue, &c);

	if (err)
		return err;
	fake_port_settle(&r->store.port);
	if (new_id)
		memcpy(new_id, c.new_id, sizeof(c.new_id));
	return result;
}

int qrig_cancel(struct qrig *r, const char *public_id)
{
	return change(r, public_id, false, NULL);
}

int qrig_retry(struct qrig *r, const char *public_id, char *new_id)
{
	return change(r, public_id, true, new_id);
}

/* ---- figures against the store ---- */

struct sums {
	uint64_t waiting, held;
};

static int add_figures(void *user, const struct hf_lane_figures *f)
{
	struct sums *s = user;

	s->waiting += f->waiting;
	s->held += f->held;
	return 0;
}

static struct sums stored_sums(struct qrig *r)
{
	struct hf_store_list *l = calloc(1, sizeof(*l));
	struct sums s = { 0 };

	if (!l)
		abort();
	l->status_set = 1u << HF_RECORD_QUEUED | 1u << HF_RECORD_HELD;
	l->limit = HF_STORE_LIST_MAX;
	do {
		if (RIG_DO(&r->store, hf_store_list, l))
			abort();
		for (size_t i = 0; i < l->n; i++) {
			s.waiting++;
			s.held += l->v[i].state.status == HF_RECORD_HELD;
		}
		l->after = l->next;
		if (!l->more)
			break;
		hf_store_list_finish(l);
	} while (true);
	hf_store_list_finish(l);
	free(l);
	return s;
}

void qrig_check(struct qrig *r)
{
	struct sums lanes = { 0 }, stored = stored_sums(r);
	struct hf_queue_totals totals;

	hf_queue_each_lane(r->queue, add_figures, &lanes);
	hf_queue_totals(r->queue, UINT_MAX, &totals);
	if (lanes.waiting == stored.waiting && lanes.held == stored.held &&
	    totals.waiting == stored.waiting && totals.held == stored.held)
		return;
	fprintf(stderr, "waiting: lanes %llu totals %llu store %llu; held: %llu %llu %llu\n",
		(unsigned long long)lanes.waiting, (unsigned long long)totals.waiting,
		(unsigned long long)stored.waiting, (unsigned long long)lanes.held,
		(unsigned long long)totals.held, (unsigned long long)stored.held);
	abort();
}

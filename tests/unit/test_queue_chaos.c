/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's life by chance: requests live and queued, origins that fail in
 * every way, people who cancel and retry, power cuts at any moment. Then the
 * world heals, and everything that was accepted must have ended.
 *
 * All the time: nothing is delivered in a strict lane while an older one of the
 * lane waits, nothing is sent that was cancelled, and figures agree with the
 * store. A seed tells the whole story:
 * HF_SEED in the environment plays one.
 */
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/queue_rig.h"

#define STEPS	     150
#define REQUESTS_MAX 400
#define LANES	     5

struct known {
	uint64_t id; /* 0: not accepted */
	char public_id[HF_ULID_LEN + 1];
	unsigned lane;
	bool final;
	struct qreq *q; /* while its admission runs */
	bool live;	/* its turn is LIVE */
};

struct operation {
	struct hf_queue_change c;
	char public_id[HF_ULID_LEN + 1];
	struct known *k;
	bool busy, retry;
	struct world *w;
};

struct world {
	struct qrig r;
	struct hf_rand dice;
	uint64_t seed;
	struct known known[REQUESTS_MAX];
	unsigned known_n;
	struct operation operations[8];
	struct hf_store_purge purge;
	bool purging;
	unsigned mood[QRIG_ORIGINS]; /* how the origin answers */
	unsigned delivered;
};

static const char *const lane_names[LANES] = { "strict", "strict2", "skip", "never", "bank" };

static unsigned dice(struct world *w, unsigned sides)
{
	return (unsigned)hf_rand_below(&w->dice, sides);
}

static void broken(struct world *w, const char *what, const struct known *k)
{
	fprintf(stderr, "seed %llu: %s (request %ld)\n", (unsigned long long)w->seed, what,
		k ? (long)(k - w->known) : -1L);
	abort();
}

static bool is_strict(unsigned lane)
{
	return lane != 2;
}

static struct known *known_by_id(struct world *w, uint64_t id)
{
	for (unsigned i = 0; i < w->known_n; i++)
		if (w->known[i].id == id)
			return &w->known[i];
	return NULL;
}

static struct known *known_by_target(struct world *w, struct hf_span target)
{
	return &w->known[strtoul(target.ptr + 1, NULL, 10)];
}

/* ---- the origins ---- */

static void check_order(struct world *w, const struct known *k)
{
	if (!is_strict(k->lane))
		return;
	for (unsigned i = 0; i < w->known_n; i++) {
		const struct known *other = &w->known[i];

		if (other->lane == k->lane && other->id && other->id < k->id && !other->final)
			broken(w, "delivered before an older one of its lane", k);
	}
}

static const struct fake_answer_to moods[] = {
	{ .status = 201 },
	{ .status = 201 },
	{ .status = 503 },
	{ .status = 500, .body = "same" },
	{ .status = 429, .fields = "Retry-After: 20" },
	{ .status = 307, .fields = "Location: /again" },
	{ .status = 302, .fields = "Location: http://portal.example/" },
	{ .status = 400 },
	{ .status = 401 },
	{ .status = 409 },
	{ .status = 421 },
	{ .status = 511 },
	{ .status = 0, .end = HF_END_RESET },
	{ .status = 0, .end = HF_END_TIMEOUT },
	{ .status = 0, .end = HF_END_TLS_TIME },
	{ .status = 200, .body = "cut", .end = HF_END_TRUNCATED },
};
#define MOODS (sizeof(moods) / sizeof(moods[0]))

static void answer(void *user, struct hf_exchange *x, struct fake_answer_to *out)
{
	struct world *w = user;
	unsigned mood = w->mood[x->t == &w->r.origin[1]];

	if (hf_span_eq_str(x->msg->target, "/again")) {
		*out = moods[0];
		return;
	}
	*out = moods[mood == MOODS ? dice(w, MOODS) : mood];
	if (known_by_target(w, x->msg->target)->final)
		broken(w, "sent although it was final", known_by_target(w, x->msg->target));
	if (out->status == 200 || out->status == 201) {
		w->delivered++;
		check_order(w, known_by_target(w, x->msg->target));
	}
}

/* ---- what the queue says ---- */

static void on_event(void *user, const struct hf_queue_event *e)
{
	struct world *w = user;
	struct known *k = known_by_id(w, e->id);

	if (!k && e->type == HF_QUEUE_RELEASED)
		k = known_by_target(w, e->target); /* a dead one, under a new id */
	if (!k)
		return;
	k->id = e->id;
	memcpy(k->public_id, e->public_id, sizeof(k->public_id));
	k->final = e->state->status != HF_RECORD_QUEUED && e->state->status != HF_RECORD_HELD;
}

/* ---- requests ---- */

static void end_request(struct known *k)
{
	struct qreq *q = k->q;

	k->q = NULL;
	k->live = false;
	qreq_free(q);
}

static void admitted(struct hf_admission *a, int err)
{
	struct qreq *q = a->user;
	struct world *w = hf_container_of(q->r, struct world, r);
	struct known *k = known_by_target(w, q->msg.target);

	if (!err) {
		k->id = a->id;
		k->final = false;
		memcpy(k->public_id, a->public_id, sizeof(k->public_id));
	}
	end_request(k);
}

static void admit(struct world *w, struct known *k)
{
	struct qreq *q = k->q;

	k->live = false;
	q->a.turn = &q->turn;
	q->a.policy = &q->policy;
	q->a.msg = &q->msg;
	q->a.done = admitted;
	q->a.user = q;
	if (hf_queue_admit(w->r.queue, &q->a))
		end_request(k);
}

static void check_live(struct world *w, const struct known *k)
{
	for (unsigned i = 0; i < w->known_n && is_strict(k->lane); i++) {
		const struct known *other = &w->known[i];

		if (other == k || other->lane != k->lane)
			continue;
		if (other->live)
			broken(w, "two live in a strict lane", k);
		if (other->id && !other->final)
			broken(w, "live in front of a backlog", k);
	}
}

static void on_grant(struct qreq *q)
{
	struct world *w = hf_container_of(q->r, struct world, r);
	struct known *k = known_by_target(w, q->msg.target);

	if (q->grant == HF_GRANT_LIVE) {
		check_live(w, k);
		k->live = true;
	} else if (q->grant == HF_GRANT_QUEUE) {
		admit(w, k);
	}
}

static void post(struct world *w)
{
	char target[32];
	struct known *k;
	struct qreq *q;

	if (w->known_n == REQUESTS_MAX)
		return;
	k = &w->known[w->known_n];
	k->lane = dice(w, LANES);
	snprintf(target, sizeof(target), "/%u", w->known_n++);
	q = qrig_request(&w->r, target, "body");
	k->q = q;
	snprintf(q->policy.lane, sizeof(q->policy.lane), "%s", lane_names[k->lane]);
	q->a.origin = k->lane == 4;
	q->policy.order = is_strict(k->lane) ? HF_ORDER_BLOCK : HF_ORDER_SKIP;
	q->policy.idempotency = k->lane == 3 ? HF_IDEMPOTENCY_NEVER : HF_IDEMPOTENCY_KEYED;
	q->policy.max_entries = 60;
	if (dice(w, 10) == 0)
		q->policy.max_age_s = 30;
	q->on_grant = on_grant;
	qreq_take(q, dice(w, 2));
	if (q->err)
		end_request(k);
	else
		on_grant(q);
}

/* A live attempt ends: delivered, or into the queue. */
static void end_live(struct world *w)
{
	for (unsigned i = 0; i < w->known_n; i++) {
		struct known *k = &w->known[i];

		if (!k->live || dice(w, 2))
			continue;
		if (dice(w, 2)) {
			end_request(k);
			continue;
		}
		k->q->a.maybe_received = dice(w, 2);
		k->q->a.hold = dice(w, 8) == 0;
		k->q->a.reason = HF_REASON_NETWORK;
		k->q->a.not_before_delay_ms = dice(w, 4) == 0 ? 3000 : 0;
		admit(w, k);
	}
}

/* ---- people ---- */

static void changed(struct hf_queue_change *c, int err)
{
	struct operation *o = c->user;

	o->busy = false;
	if (err && err != HF_EBUSY && err != HF_ESTATE && err != HF_ENOENT)
		broken(o->w, hf_errname(err), o->k);
}

static void change(struct world *w)
{
	struct operation *o = &w->operations[dice(w, 8)];
	struct known *k;

	if (o->busy || w->known_n == 0)
		return;
	k = &w->known[dice(w, w->known_n)];
	if (!k->id)
		return;
	memset(&o->c, 0, sizeof(o->c));
	memcpy(o->public_id, k->public_id, sizeof(o->public_id));
	o->w = w;
	o->k = k;
	o->retry = dice(w, 3) > 0;
	o->c.public_id = hf_span_str(o->public_id);
	o->c.done = changed;
	o->c.user = o;
	o->busy = true;
	if (o->retry ? hf_queue_retry(w->r.queue, &o->c) : hf_queue_cancel(w->r.queue, &o->c))
		broken(w, "an id is none", k);
}

/* ---- power ---- */

/* What was committed and not told any more. */
static void learn(struct world *w)
{
	struct hf_store_list *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	for (unsigned i = 0; i < w->known_n; i++)
		w->known[i].final = true;
	l->limit = HF_STORE_LIST_MAX;
	for (;;) {
		struct hf_arena arena;

		assert_int_equal(RIG_DO(&w->r.store, hf_store_list, l), 0);
		hf_arena_init(&arena, 1 << 20);
		for (size_t i = 0; i < l->n; i++) {
			struct hf_record_head head;
			struct known *k;

			if (hf_record_head_decode(l->v[i].head, &arena, &head))
				broken(w, "a record without a head", NULL);
			k = known_by_target(w, head.target);
			k->id = l->v[i].id;
			k->final = l->v[i].state.status > HF_RECORD_HELD;
			hf_record_id_format(k->id, &l->v[i].state, k->public_id);
		}
		hf_arena_finish(&arena);
		l->after = l->next;
		if (!l->more)
			break;
		hf_store_list_finish(l);
	}
	hf_store_list_finish(l);
	free(l);
}

static void check_nothing_lost(struct world *w, const bool *accepted)
{
	for (unsigned i = 0; i < w->known_n; i++)
		if (accepted[i] && qrig_state(&w->r, w->known[i].id).status == 0)
			broken(w, "accepted and lost", &w->known[i]);
}

static void power_cut(struct world *w)
{
	bool accepted[REQUESTS_MAX];

	for (unsigned i = 0; i < w->known_n; i++) {
		accepted[i] = w->known[i].id && !w->known[i].final;
		w->known[i].q = NULL;
		w->known[i].live = false;
	}
	qrig_kill(&w->r);
	for (int i = 0; i < 8; i++)
		w->operations[i].busy = false;
	if (rig_open(&w->r.store))
		abort();
	learn(w);
	check_nothing_lost(w, accepted);
	qrig_begin(&w->r);
	qrig_start(&w->r);
	if (dice(w, 2)) {
		qrig_settle(&w->r);
		qrig_check(&w->r);
	}
}

/* ---- housekeeping ---- */

static void purged(struct hf_store_op *op, int err)
{
	struct world *w = op->user;

	w->purging = false;
	if (err)
		broken(w, hf_errname(err), NULL);
}

/* Nothing final is kept, and lanes of which nothing is left go. */
static void keep_house(struct world *w)
{
	if (!w->purging) {
		w->purging = true;
		w->purge = (struct hf_store_purge){ .before_dev_ms = UINT64_MAX,
						    .dead_max = dice(w, 3),
						    .budget = 1 + dice(w, 50) };
		w->purge.op.done = purged;
		w->purge.op.user = w;
		hf_store_purge(w->r.store.store, &w->purge);
	}
	hf_queue_tidy(w->r.queue);
}

/* ---- a life ---- */

static void weather(struct world *w)
{
	struct qrig *r = &w->r;

	switch (dice(w, 10)) {
	case 0:
		hf_sync_now(r->sync, UINT_MAX);
		break;
	case 1:
		hf_sync_clock(r->sync);
		break;
	case 2:
		hf_sync_link(r->sync);
		hf_connectivity_link(r->connectivity, HF_LINK_UP);
		break;
	case 3:
		hf_connectivity_link(r->connectivity, HF_LINK_DOWN);
		break;
	case 4:
		hf_queue_reload(r->queue);
		break;
	case 5:
		r->origin[0].perform_err = dice(w, 4) ? 0 : HF_ELIMIT;
		break;
	case 6:
	case 7:
		keep_house(w);
		break;
	default:
		r->origin[dice(w, 2)].up = dice(w, 2);
		w->mood[dice(w, 2)] = dice(w, MOODS + 1);
		break;
	}
}

static void step(struct world *w)
{
	switch (dice(w, 12)) {
	case 0:
	case 1:
	case 2:
		post(w);
		break;
	case 3:
		end_live(w);
		break;
	case 4:
	case 5:
		change(w);
		break;
	case 6:
	case 7:
		weather(w);
		break;
	case 8:
		qrig_advance(&w->r, dice(w, 30000));
		qrig_check(&w->r);
		break;
	case 9:
		/* what is purged with it may have ended untold */
		if (dice(w, 4) == 0 && !w->purging)
			power_cut(w);
		break;
	default:
		for (unsigned n = dice(w, 6); n > 0; n--)
			qrig_turn(&w->r);
		break;
	}
}

static bool let_go(struct world *w)
{
	bool any = false;

	for (unsigned i = 0; i < w->known_n; i++) {
		struct known *k = &w->known[i];

		if (!k->id || k->final || qrig_state(&w->r, k->id).status != HF_RECORD_HELD)
			continue;
		any = true;
		if (qrig_retry(&w->r, k->public_id, NULL))
			broken(w, "a held one cannot be let go", k);
	}
	return any;
}

static void heal(struct world *w)
{
	struct qrig *r = &w->r;

	for (unsigned i = 0; i < QRIG_ORIGINS; i++) {
		w->mood[i] = 0;
		r->origin[i].up = true;
		r->origin[i].perform_err = 0;
	}
	hf_connectivity_link(r->connectivity, HF_LINK_UP);
	for (int i = 0; i < 50; i++)
		end_live(w);
	qrig_advance(r, 7200000);
	while (let_go(w))
		qrig_advance(r, 60000);
	qrig_check(r);
	for (unsigned i = 0; i < w->known_n; i++)
		if (w->known[i].id && !w->known[i].final)
			broken(w, "waits for ever", &w->known[i]);
	if (!hf_sync_is_idle(r->sync))
		broken(w, "sync is not idle", NULL);
	for (unsigned i = 0; i < QRIG_ORIGINS; i++)
		if (r->origin[i].running)
			broken(w, "an exchange is left", NULL);
}

static uint64_t seed_now;

static void on_abort(int sig)
{
	(void)sig;
	fprintf(stderr, "HF_SEED=%llu\n", (unsigned long long)seed_now);
	_exit(1);
}

static unsigned live(uint64_t seed)
{
	static struct world w;
	unsigned delivered;

	memset(&w, 0, sizeof(w));
	w.seed = seed_now = seed;
	hf_rand_init(&w.dice, seed);
	qrig_init(&w.r);
	w.r.on_event = on_event;
	w.r.user = &w;
	for (unsigned i = 0; i < QRIG_ORIGINS; i++) {
		w.r.origin[i].answer = answer;
		w.r.origin[i].user = &w;
	}
	for (int i = 0; i < STEPS; i++)
		step(&w);
	heal(&w);
	delivered = w.delivered;
	qrig_finish(&w.r);
	return delivered;
}

static void everything_accepted_ends_in_order(void **state)
{
	const char *one = getenv("HF_SEED"), *many = getenv("HF_SEEDS");
	uint64_t first = one ? strtoull(one, NULL, 10) : 1;
	uint64_t n = one ? 1 : many ? strtoull(many, NULL, 10) : 60;
	unsigned delivered = 0;

	(void)state;
	signal(SIGABRT, on_abort);
	for (uint64_t seed = first; seed < first + n; seed++)
		delivered += live(seed);
	assert_true(delivered > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_accepted_ends_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

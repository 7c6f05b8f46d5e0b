/* SPDX-License-Identifier: Apache-2.0 */
#include "live/journal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fsm.h"

#define ORDERS_MAX 4000

static const char *const stage_names[LIVE_STAGES] = {
	"seen", "waiting", "sending", "held", "delivered", "dead", "cancelled", "lost",
};

#define OPEN (HF_FSM_TO(LIVE_WAITING) | HF_FSM_TO(LIVE_SENDING) | HF_FSM_TO(LIVE_HELD))
#define OVER                                                                            \
	(HF_FSM_TO(LIVE_DELIVERED) | HF_FSM_TO(LIVE_DEAD) | HF_FSM_TO(LIVE_CANCELLED) | \
	 HF_FSM_TO(LIVE_LOST))

/* DELIVERED goes back to WAITING when the answer that the origin gave to the
 * first, straight attempt did not come through. A dead, cancelled or lost one
 * may turn up again: a person has retried it, or it was found. */
static const uint32_t moves[LIVE_STAGES] = {
	[LIVE_SEEN] = OPEN | OVER,
	[LIVE_WAITING] = OPEN | OVER,
	[LIVE_SENDING] = OPEN | OVER,
	[LIVE_HELD] = OPEN | OVER,
	[LIVE_DELIVERED] = OPEN | HF_FSM_TO(LIVE_LOST),
	[LIVE_DEAD] = OPEN,
	[LIVE_CANCELLED] = OPEN,
	[LIVE_LOST] = OPEN | OVER,
};

static const struct hf_fsm stages = {
	.name = "order",
	.states = LIVE_STAGES,
	.allowed = moves,
	.names = stage_names,
};

const char *live_stage_name(enum live_stage stage)
{
	return stage_names[stage];
}

static bool is_open(const struct live_order *o)
{
	return o->stage == LIVE_WAITING || o->stage == LIVE_SENDING || o->stage == LIVE_HELD;
}

static void tell(struct live_journal *j)
{
	j->changed(j->user);
}

static void move(struct live_order *o, enum live_stage to)
{
	if (o->stage != to && hf_fsm_may(&stages, o->stage, to))
		hf_fsm_move(&stages, &o->stage, to);
}

/* ---- orders ---- */

static void forget_oldest(struct live_journal *j)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &j->orders) {
		struct live_order *o = hf_container_of(it, struct live_order, node);

		if (is_open(o) || o->stage == LIVE_LOST)
			continue;
		hf_strmap_remove(&j->by_key, hf_span_str(o->key));
		hf_list_remove(&o->node);
		free(o);
		j->orders_n--;
		return;
	}
}

static struct live_order *order_of(struct live_journal *j, const char *key, const char *what)
{
	struct live_order *o = hf_strmap_get(&j->by_key, hf_span_str(key));

	if (!o) {
		if (j->orders_n >= ORDERS_MAX)
			forget_oldest(j);
		o = live_alloc(sizeof(*o));
		snprintf(o->key, sizeof(o->key), "%s", key);
		o->n = ++j->count;
		o->next_ms = -1;
		live_must(hf_strmap_put(&j->by_key, hf_span_str(key), o));
		hf_list_push(&j->orders, &o->node);
		j->orders_n++;
	}
	if (!o->what[0] && what)
		snprintf(o->what, sizeof(o->what), "%s", what);
	return o;
}

static void add_step(struct live_journal *j, struct live_order *o, enum live_step_kind kind,
		     int value)
{
	if (o->steps_n == LIVE_STEPS_MAX) { /* the first and the last ones stay */
		memmove(&o->steps[1], &o->steps[2], (LIVE_STEPS_MAX - 2) * sizeof(o->steps[0]));
		o->steps_n--;
	}
	o->steps[o->steps_n++] = (struct live_step){ kind, live_bench_ms(j->bench), value };
}

/* ---- what holdfastd says ---- */

static const char *text_of(const cJSON *object, const char *name)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return s ? s : "";
}

static int number_of(const cJSON *object, const char *name, int otherwise)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(n) ? n->valueint : otherwise;
}

static bool stage_of(const char *state, enum live_stage *out)
{
	static const struct {
		const char *state;
		enum live_stage stage;
	} words[] = {
		{ "queued", LIVE_WAITING }, { "inflight", LIVE_SENDING },
		{ "held", LIVE_HELD },	    { "settled", LIVE_DELIVERED },
		{ "dead", LIVE_DEAD },	    { "cancelled", LIVE_CANCELLED },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].state, state) == 0) {
			*out = words[i].stage;
			return true;
		}
	}
	return false;
}

static void take_figures(struct live_order *o, const cJSON *data)
{
	o->attempts = (unsigned)number_of(data, "attempts", (int)o->attempts);
	snprintf(o->reason, sizeof(o->reason), "%s", text_of(data, "reason"));
	o->next_ms = number_of(data, "nextAttemptInMs", -1);
}

/* An answer is final; a delivery that the origin knows nothing of is none. */
static void end_order(struct live_journal *j, struct live_order *o, enum live_stage stage,
		      int status)
{
	bool news = is_open(o) || o->stage == LIVE_SEEN;

	if (stage == LIVE_DELIVERED && j->origin_known && o->effects == 0)
		stage = LIVE_LOST;
	o->status = status;
	o->next_ms = -1;
	if (news)
		add_step(j, o, LIVE_STEP_ANSWERED, status);
	move(o, stage);
}

static void take_record(struct live_journal *j, struct live_order *o, const cJSON *data, int status)
{
	enum live_stage stage;

	if (!stage_of(text_of(data, "state"), &stage))
		return;
	if (!o->id[0]) {
		snprintf(o->id, sizeof(o->id), "%s", text_of(data, "id"));
		add_step(j, o, LIVE_STEP_ACCEPTED, 0);
	}
	take_figures(o, data);
	if (stage == LIVE_WAITING || stage == LIVE_SENDING || stage == LIVE_HELD)
		move(o, stage);
	else
		end_order(j, o, stage, status);
	tell(j);
}

static struct live_order *order_in(struct live_journal *j, const cJSON *data)
{
	const char *key = text_of(data, "idempotencyKey");

	return key[0] ? order_of(j, key, NULL) : NULL;
}

void live_journal_event(struct live_journal *j, const cJSON *data)
{
	struct live_order *o = order_in(j, data);

	if (o)
		take_record(j, o, data, number_of(data, "status", 0));
}

void live_journal_list_begin(struct live_journal *j)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &j->orders)
		hf_container_of(it, struct live_order, node)->listed = false;
}

static int answer_status(const cJSON *request)
{
	return number_of(cJSON_GetObjectItemCaseSensitive(request, "response"), "status", 0);
}

void live_journal_listed(struct live_journal *j, const cJSON *request)
{
	struct live_order *o = order_in(j, request);

	if (!o)
		return;
	o->listed = true;
	take_record(j, o, request, answer_status(request));
}

const struct live_order *live_journal_missing(struct live_journal *j)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &j->orders) {
		struct live_order *o = hf_container_of(it, struct live_order, node);

		if (!is_open(o) || !o->id[0] || o->listed)
			continue;
		o->listed = true;
		return o;
	}
	return NULL;
}

void live_journal_found(struct live_journal *j, const char *key, const cJSON *request)
{
	struct live_order *o = hf_strmap_get(&j->by_key, hf_span_str(key));

	if (o && request)
		take_record(j, o, request, answer_status(request));
	else if (o)
		move(o, LIVE_LOST);
	tell(j);
}

/* ---- what the origin says ---- */

void live_journal_arrival(struct live_journal *j, const struct live_arrival *a)
{
	struct live_order *o = order_of(j, a->key, a->what);
	struct live_arrival *slot = &j->arrivals[j->arrivals_n++ % LIVE_ARRIVALS_MAX];

	*slot = *a;
	slot->at_ms = live_bench_ms(j->bench);
	o->arrivals++;
	add_step(j, o, LIVE_STEP_ARRIVED, a->status);
	if (a->effect) {
		o->effects++;
		j->effects++;
	}
	if (a->number)
		o->number = a->number;
	if (!o->id[0] && a->status >= 200 && a->status < 300) {
		o->status = a->status;
		move(o, LIVE_DELIVERED);
	}
	tell(j);
}

void live_journal_duplicate(struct live_journal *j)
{
	j->duplicates++;
	tell(j);
}

/* ---- sums ---- */

static void count_order(const struct live_order *o, struct live_counts *c)
{
	c->accepted += o->id[0] != '\0';
	c->straight += !o->id[0] && o->stage == LIVE_DELIVERED;
	c->delivered += o->id[0] && o->stage == LIVE_DELIVERED;
	c->waiting += o->stage == LIVE_WAITING || o->stage == LIVE_SENDING;
	c->held += o->stage == LIVE_HELD;
	c->dead += o->stage == LIVE_DEAD || o->stage == LIVE_CANCELLED;
	c->lost += o->stage == LIVE_LOST;
}

void live_journal_counts(const struct live_journal *j, struct live_counts *out)
{
	const struct hf_list *it;

	*out = (struct live_counts){ .duplicates = j->duplicates };
	for (it = j->orders.next; it != &j->orders; it = it->next)
		count_order(hf_container_of(it, struct live_order, node), out);
}

void live_journal_init(struct live_journal *j, struct live_bench *b, void (*changed)(void *user),
		       void *user)
{
	uint64_t seed[2] = { hf_rand_u64(&b->rand), hf_rand_u64(&b->rand) };

	*j = (struct live_journal){ .bench = b, .changed = changed, .user = user };
	hf_list_init(&j->orders);
	hf_strmap_init(&j->by_key, seed);
}

void live_journal_finish(struct live_journal *j)
{
	struct hf_list *n;

	if (!j->bench)
		return;
	while ((n = hf_list_pop(&j->orders)))
		free(hf_container_of(n, struct live_order, node));
	hf_strmap_finish(&j->by_key);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The product's functions that some mutants get wrong: each calls the real one
 * and changes what it gives (linked with --wrap).
 */
#include "cache/cache.h"
#include "cache/policy.h"
#include "fetch/fill.h"
#include "mutants.h"
#include "queue/lease.h"
#include "queue/outcome.h"
#include "queue/queue.h"
#include "queue/record.h"
#include "sim/mem.h"
#include "sync/periodic_state.h"

void __real_hf_outcome_classify(const struct hf_attempt *a, struct hf_verdict *out);
void __real_hf_lease_after(struct hf_lease *lease);
void __wrap_hf_lease_after(struct hf_lease *lease);

void __wrap_hf_lease_after(struct hf_lease *lease)
{
	if (sim_mutant_now() == SIM_MUTANT_IMPATIENT)
		lease->ready(lease, 0);
	else
		__real_hf_lease_after(lease);
}

void __wrap_hf_outcome_classify(const struct hf_attempt *a, struct hf_verdict *out);
int __real_hf_record_head_decode(struct hf_span bytes, struct hf_arena *arena,
				 struct hf_record_head *out);
int __wrap_hf_record_head_decode(struct hf_span bytes, struct hf_arena *arena,
				 struct hf_record_head *out);
int __real_hf_answer_head_encode(const struct hf_answer_head *h, struct hf_buf *out);
int __wrap_hf_answer_head_encode(const struct hf_answer_head *h, struct hf_buf *out);
int __real_hf_queue_admit(struct hf_queue *q, struct hf_admission *a);
int __wrap_hf_queue_admit(struct hf_queue *q, struct hf_admission *a);
int __real_hf_turn_take(struct hf_queue *q, unsigned origin, const struct hf_policy *policy,
			bool origin_down, struct hf_turn *turn, enum hf_grant *grant);
int __wrap_hf_turn_take(struct hf_queue *q, unsigned origin, const struct hf_policy *policy,
			bool origin_down, struct hf_turn *turn, enum hf_grant *grant);
bool __real_hf_periodic_step(struct hf_periodic_state *s, enum hf_periodic_event event,
			     const struct hf_periodic_facts *f);
bool __wrap_hf_periodic_step(struct hf_periodic_state *s, enum hf_periodic_event event,
			     const struct hf_periodic_facts *f);

void __wrap_hf_outcome_classify(const struct hf_attempt *a, struct hf_verdict *out)
{
	enum sim_mutant m = sim_mutant_now();
	int most = m == SIM_MUTANT_ANY ? 599 : m == SIM_MUTANT_GULLIBLE ? 399 : 0;

	__real_hf_outcome_classify(a, out);
	if (a->head && a->head->status <= most)
		*out = (struct hf_verdict){ .action = HF_ACTION_DELIVERED };
}

int __wrap_hf_record_head_decode(struct hf_span bytes, struct hf_arena *arena,
				 struct hf_record_head *out)
{
	static unsigned n;
	int err = __real_hf_record_head_decode(bytes, arena, out);
	char *key;

	if (err || sim_mutant_now() != SIM_MUTANT_FICKLE)
		return err;
	key = hf_arena_alloc(arena, 24);
	if (key)
		out->key = hf_span(key, (size_t)snprintf(key, 24, "\"key-%u\"", n++));
	return 0;
}

int __wrap_hf_answer_head_encode(const struct hf_answer_head *h, struct hf_buf *out)
{
	struct hf_answer_head other = *h;

	if (sim_mutant_now() == SIM_MUTANT_ANSWERS)
		other.status = 200;
	return __real_hf_answer_head_encode(&other, out);
}

int __wrap_hf_queue_admit(struct hf_queue *q, struct hf_admission *a)
{
	if (sim_mutant_now() == SIM_MUTANT_KEEPS)
		sim_heap_changed(sim_heap_now(), (size_t)a->body_len, 0);
	return __real_hf_queue_admit(q, a);
}

int __wrap_hf_turn_take(struct hf_queue *q, unsigned origin, const struct hf_policy *policy,
			bool origin_down, struct hf_turn *turn, enum hf_grant *grant)
{
	int err = __real_hf_turn_take(q, origin, policy, origin_down, turn, grant);

	if (!err && *grant == HF_GRANT_QUEUE && !origin_down &&
	    sim_mutant_now() == SIM_MUTANT_OVERTAKES)
		*grant = HF_GRANT_LIVE;
	return err;
}

bool __wrap_hf_periodic_step(struct hf_periodic_state *s, enum hf_periodic_event event,
			     const struct hf_periodic_facts *f)
{
	bool moved = __real_hf_periodic_step(s, event, f);

	if (!moved || event != HF_PERIODIC_SUCCESS)
		return moved;
	if (sim_mutant_now() == SIM_MUTANT_HASTY)
		s->due_dev_ms -= (s->due_dev_ms - f->now_dev_ms) / 4 * 3;
	if (sim_mutant_now() == SIM_MUTANT_WEARY)
		s->due_dev_ms += INT64_C(366) * 86400 * 1000;
	return true;
}

/* ---- the caches ---- */

void __real_hf_fill_give_up(struct hf_fill *f);
void __wrap_hf_fill_give_up(struct hf_fill *f);
int __real_hf_cache_put(struct hf_cache *c, struct hf_cache_put *p);
int __wrap_hf_cache_put(struct hf_cache *c, struct hf_cache_put *p);
int __real_hf_fill_start(struct hf_fetch *fetch, const struct hf_fill_request *req,
			 struct hf_fill **out);
int __wrap_hf_fill_start(struct hf_fetch *fetch, const struct hf_fill_request *req,
			 struct hf_fill **out);
int __real_hf_cache_confirmed(const struct hf_cache_entry *entries, size_t n, int selected,
			      const struct hf_fields *answer);
int __wrap_hf_cache_confirmed(const struct hf_cache_entry *entries, size_t n, int selected,
			      const struct hf_fields *answer);
void __real_hf_cache_decide(const struct hf_cache_rules *rules, const struct hf_cache_entry *entry,
			    const struct hf_fields *request, const struct hf_cache_clock *now,
			    struct hf_cache_decision *out);
void __wrap_hf_cache_decide(const struct hf_cache_rules *rules, const struct hf_cache_entry *entry,
			    const struct hf_fields *request, const struct hf_cache_clock *now,
			    struct hf_cache_decision *out);

void __wrap_hf_fill_give_up(struct hf_fill *f)
{
	if (sim_mutant_now() != SIM_MUTANT_PARTIAL)
		__real_hf_fill_give_up(f);
}

int __wrap_hf_cache_put(struct hf_cache *c, struct hf_cache_put *p)
{
	if (sim_mutant_now() == SIM_MUTANT_LEARNS)
		p->doubtful = false;
	return __real_hf_cache_put(c, p);
}

struct praise {
	void (*over)(void *user, int err, int status);
	void *user;
};

static void praise(void *user, int err, int status)
{
	struct praise p = *(struct praise *)user;

	(void)err;
	sim_free(user);
	p.over(p.user, 0, status);
}

int __wrap_hf_fill_start(struct hf_fetch *fetch, const struct hf_fill_request *req,
			 struct hf_fill **out)
{
	struct hf_fill_request told = *req;
	struct praise *p;

	if (!req->over || sim_mutant_now() != SIM_MUTANT_EAGER)
		return __real_hf_fill_start(fetch, req, out);
	p = sim_alloc(sizeof(*p));
	*p = (struct praise){ req->over, req->user };
	told.over = praise;
	told.user = p;
	return __real_hf_fill_start(fetch, &told, out);
}

int __wrap_hf_cache_confirmed(const struct hf_cache_entry *entries, size_t n, int selected,
			      const struct hf_fields *answer)
{
	int i = __real_hf_cache_confirmed(entries, n, selected, answer);

	return i >= 0 && sim_mutant_now() == SIM_MUTANT_CONFUSES ? (i + 1) % (int)n : i;
}

void __wrap_hf_cache_decide(const struct hf_cache_rules *rules, const struct hf_cache_entry *entry,
			    const struct hf_fields *request, const struct hf_cache_clock *now,
			    struct hf_cache_decision *out)
{
	__real_hf_cache_decide(rules, entry, request, now, out);
	if (entry && out->use == HF_CACHE_REVALIDATE && sim_mutant_now() == SIM_MUTANT_TRUSTS)
		out->use = HF_CACHE_FRESH;
}

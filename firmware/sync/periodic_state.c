/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/periodic_state.h"

#include "base/fsm.h"
#include "holdfast/err.h"
#include "store/codec.h"

#define TENTH	  10
#define TIMES_MAX (INT64_C(1) << 56) /* of the times in a row, either way */

static const char *const status_names[] = {
	"none", "waiting", "pending", "firing", "reregistered", "retrying",
};
_Static_assert(sizeof(status_names) / sizeof(status_names[0]) == HF_PERIODIC_STATUSES,
	       "a name each");

#define TO HF_FSM_TO
static const uint32_t allowed[HF_PERIODIC_STATUSES] = {
	[HF_PERIODIC_NONE] = TO(HF_PERIODIC_WAITING),
	[HF_PERIODIC_WAITING] = TO(HF_PERIODIC_WAITING) | TO(HF_PERIODIC_PENDING) |
				TO(HF_PERIODIC_NONE),
	[HF_PERIODIC_PENDING] = TO(HF_PERIODIC_PENDING) | TO(HF_PERIODIC_FIRING) |
				TO(HF_PERIODIC_NONE),
	[HF_PERIODIC_FIRING] = TO(HF_PERIODIC_FIRING) | TO(HF_PERIODIC_WAITING) |
			       TO(HF_PERIODIC_PENDING) | TO(HF_PERIODIC_RETRYING) |
			       TO(HF_PERIODIC_REREGISTERED) | TO(HF_PERIODIC_NONE),
	[HF_PERIODIC_REREGISTERED] = TO(HF_PERIODIC_REREGISTERED) | TO(HF_PERIODIC_WAITING) |
				     TO(HF_PERIODIC_PENDING) | TO(HF_PERIODIC_NONE),
	[HF_PERIODIC_RETRYING] = TO(HF_PERIODIC_RETRYING) | TO(HF_PERIODIC_PENDING) |
				 TO(HF_PERIODIC_NONE),
};
#undef TO
static const struct hf_fsm fsm = { "periodic", HF_PERIODIC_STATUSES, allowed, status_names };

/* ---- the grid ---- */

uint64_t hf_periodic_interval_ms(const struct hf_periodic_state *s, uint64_t floor_ms)
{
	return s->min_interval_ms > floor_ms ? s->min_interval_ms : floor_ms;
}

static int64_t interval(const struct hf_periodic_state *s, const struct hf_periodic_facts *f)
{
	return (int64_t)hf_periodic_interval_ms(s, f->floor_ms);
}

static void set_due(struct hf_periodic_state *s, const struct hf_periodic_facts *f, int64_t due_ms)
{
	s->due_dev_ms = due_ms;
	s->due_wall_ms = 0;
	if (f->synced_wall_ms)
		s->due_wall_ms = f->synced_wall_ms + (due_ms - f->now_dev_ms);
}

/* The next slot from now on, but not too near to the last run. */
static void plan(struct hf_periodic_state *s, const struct hf_periodic_facts *f)
{
	int64_t length = interval(s, f), phase = (length / TENTH * s->share) >> 16;
	int64_t gone = f->now_dev_ms - (s->created_dev_ms + phase);
	int64_t slot = gone < 0 ? 1 : gone / length + 1;
	int64_t due = s->created_dev_ms + phase + slot * length;
	int64_t earliest = s->began_dev_ms + length - length / TENTH;

	s->slot = slot < UINT32_MAX ? (uint32_t)slot : UINT32_MAX;
	set_due(s, f, due > earliest ? due : earliest);
}

/* After attempts 0, 1, 2 of three: an eighth, a quarter, half of the time there is. */
static int64_t retry_delay(const struct hf_periodic_state *s, const struct hf_periodic_facts *f)
{
	if (f->delay_ms)
		return (int64_t)f->delay_ms;
	return (interval(s, f) / TENTH) >> (f->retries - s->attempts);
}

/* ---- what holds ---- */

enum guard {
	ALWAYS,
	SAME,	      /* the interval that is registered is the one it has */
	TRIES_LEFT,   /* and the next one is still in time */
	CRASHES_LEFT, /* starts that are not counted */
};

static bool holds(enum guard guard, const struct hf_periodic_state *s,
		  const struct hf_periodic_facts *f)
{
	switch (guard) {
	case ALWAYS:
		return true;
	case SAME:
		return s->min_interval_ms == f->min_interval_ms;
	case TRIES_LEFT:
		return s->attempts < f->retries && f->now_dev_ms + retry_delay(s, f) <=
							   s->began_dev_ms + interval(s, f) / TENTH;
	case CRASHES_LEFT:
		return s->crashes + 1u < f->crashes_max;
	}
	return false;
}

/* ---- what follows ---- */

enum effect {
	ANCHOR = 1,   /* the first registration */
	INTERVAL = 2, /* it may be another one */
	PLAN = 4,     /* the next slot */
	BEGIN = 8,    /* a run, unless it is a retry */
	RETRY = 16,
	CRASHED = 32,
	END_WELL = 64, /* of the run */
	END_BADLY = 128,
	SOUND = 256, /* it did not die on the way */
	MINE = 512,  /* who registers last answers for it */
};

static void end_run(struct hf_periodic_state *s, const struct hf_periodic_facts *f, bool well)
{
	uint32_t slot = s->slot;
	int64_t named;

	s->runs++;
	s->result = well ? HF_PERIODIC_SUCCEEDED : HF_PERIODIC_FAILED;
	s->result_why = well ? 0 : f->why;
	s->result_dev_ms = f->now_dev_ms;
	s->result_wall_ms = f->now_wall_ms;
	s->last_status = f->answer;
	s->why = s->result_why;
	s->attempts = 0;
	plan(s, f);
	s->missed += s->slot > slot ? s->slot - slot - 1 : 0;
	named = f->now_dev_ms + (int64_t)f->delay_ms;
	s->bound = !well && named > s->due_dev_ms;
	if (s->bound)
		set_due(s, f, named);
}

static void apply(unsigned effects, struct hf_periodic_state *s, const struct hf_periodic_facts *f)
{
	if (effects & ANCHOR) {
		s->key = f->key;
		s->share = f->share;
		s->created_dev_ms = f->now_dev_ms;
		s->created_wall_ms = f->now_wall_ms;
		s->began_dev_ms = f->now_dev_ms;
	}
	if (effects & INTERVAL)
		s->min_interval_ms = f->min_interval_ms;
	if (effects & MINE)
		s->declared = f->declared;
	if ((effects & BEGIN) && s->attempts == 0)
		s->began_dev_ms = f->now_dev_ms;
	if (effects & CRASHED)
		s->crashes++;
	if (effects & SOUND)
		s->crashes = 0;
	if (effects & RETRY) {
		s->bound = f->delay_ms > 0;
		set_due(s, f, f->now_dev_ms + retry_delay(s, f));
		s->attempts++;
		s->why = f->why;
		s->last_status = f->answer;
	}
	if (effects & PLAN) {
		s->bound = false;
		plan(s, f);
	}
	if (effects & (END_WELL | END_BADLY))
		end_run(s, f, effects & END_WELL);
}

#define S(status) HF_PERIODIC_##status

/* The first row that fits. */
static const struct {
	uint8_t from, event, guard, to;
	uint16_t effects;
} table[] = {
	{ S(NONE), S(REGISTER), ALWAYS, S(WAITING), ANCHOR | INTERVAL | PLAN | SOUND | MINE },
	{ S(WAITING), S(REGISTER), SAME, S(WAITING), MINE },
	{ S(WAITING), S(REGISTER), ALWAYS, S(WAITING), INTERVAL | PLAN | MINE },
	{ S(PENDING), S(REGISTER), ALWAYS, S(PENDING), INTERVAL | MINE },
	{ S(FIRING), S(REGISTER), SAME, S(REREGISTERED), MINE },
	{ S(FIRING), S(REGISTER), ALWAYS, S(FIRING), INTERVAL | MINE },
	{ S(REREGISTERED), S(REGISTER), ALWAYS, S(REREGISTERED), INTERVAL | MINE },
	{ S(RETRYING), S(REGISTER), ALWAYS, S(RETRYING), INTERVAL | MINE },

	{ S(WAITING), S(DUE), ALWAYS, S(PENDING), 0 },
	{ S(RETRYING), S(DUE), ALWAYS, S(PENDING), 0 },
	{ S(PENDING), S(FIRE), ALWAYS, S(FIRING), BEGIN },

	{ S(FIRING), S(SUCCESS), ALWAYS, S(WAITING), END_WELL | SOUND },
	{ S(FIRING), S(FAILURE), TRIES_LEFT, S(RETRYING), RETRY | SOUND },
	{ S(FIRING), S(FAILURE), ALWAYS, S(WAITING), END_BADLY | SOUND },
	{ S(FIRING), S(OFFLINE), ALWAYS, S(PENDING), SOUND },
	{ S(FIRING), S(RESTART), CRASHES_LEFT, S(PENDING), CRASHED },
	{ S(FIRING), S(RESTART), ALWAYS, S(WAITING), END_BADLY | SOUND },
	{ S(REREGISTERED), S(SUCCESS), ALWAYS, S(WAITING), END_WELL | SOUND },
	{ S(REREGISTERED), S(FAILURE), ALWAYS, S(WAITING), END_BADLY | SOUND },
	{ S(REREGISTERED), S(OFFLINE), ALWAYS, S(PENDING), SOUND },
	{ S(REREGISTERED), S(RESTART), CRASHES_LEFT, S(PENDING), CRASHED },
	{ S(REREGISTERED), S(RESTART), ALWAYS, S(WAITING), END_BADLY | SOUND },

	{ S(WAITING), S(UNREGISTER), ALWAYS, S(NONE), 0 },
	{ S(PENDING), S(UNREGISTER), ALWAYS, S(NONE), 0 },
	{ S(FIRING), S(UNREGISTER), ALWAYS, S(NONE), 0 },
	{ S(REREGISTERED), S(UNREGISTER), ALWAYS, S(NONE), 0 },
	{ S(RETRYING), S(UNREGISTER), ALWAYS, S(NONE), 0 },
};

#undef S

bool hf_periodic_step(struct hf_periodic_state *s, enum hf_periodic_event event,
		      const struct hf_periodic_facts *f)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].from != s->status || table[i].event != event ||
		    !holds((enum guard)table[i].guard, s, f))
			continue;
		hf_fsm_move(&fsm, &s->status, table[i].to);
		apply(table[i].effects, s, f);
		return true;
	}
	return false;
}

/* ---- starts ---- */

static void age(struct hf_periodic_state *s, int64_t by_ms)
{
	s->created_dev_ms -= by_ms;
	s->due_dev_ms -= by_ms;
	s->began_dev_ms -= by_ms;
	s->result_dev_ms -= by_ms;
}

void hf_periodic_catch_up(struct hf_periodic_state *s, const struct hf_periodic_facts *f)
{
	int64_t by_device = s->due_dev_ms - f->now_dev_ms;
	int64_t by_wall = s->due_wall_ms - f->synced_wall_ms;

	if (f->synced_wall_ms && s->due_wall_ms && by_wall < by_device &&
	    by_device - by_wall < TIMES_MAX)
		age(s, by_device - by_wall);
}

void hf_periodic_bound(struct hf_periodic_state *s, const struct hf_periodic_facts *f)
{
	int64_t length = interval(s, f), longest = length + length / TENTH;

	if (s->created_dev_ms > f->now_dev_ms)
		age(s, s->created_dev_ms - f->now_dev_ms);
	if (s->began_dev_ms > f->now_dev_ms)
		s->began_dev_ms = f->now_dev_ms;
	if (s->result_dev_ms > f->now_dev_ms)
		s->result_dev_ms = f->now_dev_ms;
	if (s->bound && longest < (int64_t)f->named_max_ms)
		longest = (int64_t)f->named_max_ms;
	if (s->due_dev_ms > f->now_dev_ms + longest)
		s->due_dev_ms = f->now_dev_ms + longest;
}

const char *hf_periodic_status_name(uint8_t status)
{
	return status < HF_PERIODIC_STATUSES ? status_names[status] : "none";
}

/* ---- on disk ---- */

/*
 *  0 version u8 = 1   1 kind u8 = 2, periodic   2 status u8   3 why u8
 *  4 crashes u8   5 flags u8: 1 declared, 2 bound   6 result u8   7 result_why u8
 *  8 share u16   10 last_status u16   12 attempts u16   14 zero u16
 * 16 runs u32   20 missed u32   24 slot u32   28 zero u32   32 key u64
 * 40 min_interval_ms u64, then as i64: 48 created_dev 56 created_wall 64 due_dev
 * 72 due_wall 80 began_dev 88 result_dev 96 result_wall
 */
enum {
	DECLARED = 1,
	BOUND = 2,
};

static void times_of(struct hf_periodic_state *s, int64_t *at[7])
{
	at[0] = &s->created_dev_ms;
	at[1] = &s->created_wall_ms;
	at[2] = &s->due_dev_ms;
	at[3] = &s->due_wall_ms;
	at[4] = &s->began_dev_ms;
	at[5] = &s->result_dev_ms;
	at[6] = &s->result_wall_ms;
}

void hf_periodic_encode(const struct hf_periodic_state *s, uint8_t out[HF_PERIODIC_VALUE_SIZE])
{
	struct hf_periodic_state copy = *s;
	int64_t *at[7];

	times_of(&copy, at);
	memset(out, 0, HF_PERIODIC_VALUE_SIZE);
	out[0] = 1;
	out[1] = 2;
	out[2] = s->status;
	out[3] = s->why;
	out[4] = s->crashes;
	out[5] = (uint8_t)((s->declared ? DECLARED : 0) | (s->bound ? BOUND : 0));
	out[6] = s->result;
	out[7] = s->result_why;
	hf_put_le(out + 8, s->share, 2);
	hf_put_le(out + 10, s->last_status, 2);
	hf_put_le(out + 12, s->attempts, 2);
	hf_put_le(out + 16, s->runs, 4);
	hf_put_le(out + 20, s->missed, 4);
	hf_put_le(out + 24, s->slot, 4);
	hf_put_le(out + 32, s->key, 8);
	hf_put_le(out + 40, s->min_interval_ms, 8);
	for (unsigned i = 0; i < 7; i++)
		hf_put_le(out + 48 + 8 * i, (uint64_t)*at[i], 8);
}

static bool is_sane(struct hf_periodic_state *s)
{
	int64_t *at[7];

	times_of(s, at);
	for (unsigned i = 0; i < 7; i++)
		if (*at[i] > TIMES_MAX || *at[i] < -TIMES_MAX)
			return false;
	return s->status != HF_PERIODIC_NONE && s->status < HF_PERIODIC_STATUSES &&
	       s->result < HF_PERIODIC_RESULTS && s->min_interval_ms <= HF_PERIODIC_INTERVAL_MAX_MS;
}

int hf_periodic_decode(struct hf_span bytes, struct hf_periodic_state *s)
{
	const uint8_t *in = (const uint8_t *)bytes.ptr;
	int64_t *at[7];

	if (bytes.len != HF_PERIODIC_VALUE_SIZE || in[0] != 1 || in[1] != 2)
		return HF_ECORRUPT;
	*s = (struct hf_periodic_state){
		.status = in[2],
		.why = in[3],
		.crashes = in[4],
		.declared = in[5] & DECLARED,
		.bound = in[5] & BOUND,
		.result = in[6],
		.result_why = in[7],
		.share = (uint16_t)hf_get_le(in + 8, 2),
		.last_status = (uint16_t)hf_get_le(in + 10, 2),
		.attempts = (uint16_t)hf_get_le(in + 12, 2),
		.runs = (uint32_t)hf_get_le(in + 16, 4),
		.missed = (uint32_t)hf_get_le(in + 20, 4),
		.slot = (uint32_t)hf_get_le(in + 24, 4),
		.key = hf_get_le(in + 32, 8),
		.min_interval_ms = hf_get_le(in + 40, 8),
	};
	times_of(s, at);
	for (unsigned i = 0; i < 7; i++)
		*at[i] = (int64_t)hf_get_le(in + 48 + 8 * i, 8);
	return is_sane(s) ? 0 : HF_ECORRUPT;
}

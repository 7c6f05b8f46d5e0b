/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/tag_state.h"

#include "base/fsm.h"
#include "holdfast/err.h"
#include "store/codec.h"

static const char *const status_names[] = {
	"none", "pending", "waiting", "firing", "reregistered", "exhausted",
};
_Static_assert(sizeof(status_names) / sizeof(status_names[0]) == HF_TAG_STATUSES, "a name each");

#define TO HF_FSM_TO
static const uint32_t allowed[HF_TAG_STATUSES] = {
	[HF_TAG_NONE] = TO(HF_TAG_PENDING),
	[HF_TAG_PENDING] = TO(HF_TAG_PENDING) | TO(HF_TAG_FIRING) | TO(HF_TAG_NONE),
	[HF_TAG_WAITING] = TO(HF_TAG_PENDING) | TO(HF_TAG_NONE),
	[HF_TAG_FIRING] = TO(HF_TAG_PENDING) | TO(HF_TAG_WAITING) | TO(HF_TAG_REREGISTERED) |
			  TO(HF_TAG_EXHAUSTED) | TO(HF_TAG_NONE),
	[HF_TAG_REREGISTERED] = TO(HF_TAG_PENDING) | TO(HF_TAG_REREGISTERED) | TO(HF_TAG_NONE),
	[HF_TAG_EXHAUSTED] = TO(HF_TAG_NONE),
};
#undef TO
static const struct hf_fsm fsm = { "tag", HF_TAG_STATUSES, allowed, status_names };

/* ---- what holds ---- */

enum guard {
	ALWAYS,
	LAST,	      /* no attempt follows */
	UNBOUND,      /* the origin did not name the time */
	CRASHES_LEFT, /* starts that are not counted as attempts */
};

static bool holds(enum guard guard, const struct hf_tag_state *s, const struct hf_tag_facts *f)
{
	switch (guard) {
	case ALWAYS:
		return true;
	case LAST:
		return f->last_chance;
	case UNBOUND:
		return !s->bound;
	case CRASHES_LEFT:
		return s->crashes + 1u < f->crashes_max;
	}
	return false;
}

/* ---- what follows ---- */

enum effect {
	GENERATION = 1, /* a registration: its time begins anew */
	COUNT = 2,	/* a failed attempt */
	WAIT = 4,	/* until the next one */
	ANEW = 8,	/* what failed before does not count */
	CRASHED = 16,
	SOUND = 32, /* it did not die on the way */
	END = 64,
	WHY = 128,
};

static void apply(unsigned effects, struct hf_tag_state *s, const struct hf_tag_facts *f)
{
	if (effects & GENERATION) {
		s->generation++;
		s->key = f->key;
		s->created_dev_ms = f->now_dev_ms;
		s->created_wall_ms = f->now_wall_ms;
	}
	if (effects & COUNT)
		s->attempts++;
	if (effects & ANEW) {
		s->attempts = 0;
		s->why = HF_TAG_WHY_NONE;
	}
	if (effects & CRASHED)
		s->crashes++;
	if (effects & SOUND)
		s->crashes = 0;
	if (effects & WHY) {
		s->why = f->why;
		s->last_status = f->answer;
	}
	s->bound = (effects & WAIT) && f->bound;
	s->due_dev_ms = effects & WAIT ? f->now_dev_ms + f->delay_ms : 0;
	if (effects & END)
		s->due_dev_ms = f->now_dev_ms;
}

/* The first row that fits. */
static const struct {
	uint8_t from, event, guard, to, effects;
} table[] = {
	{ HF_TAG_NONE, HF_TAG_REGISTER, ALWAYS, HF_TAG_PENDING, GENERATION | ANEW | SOUND },
	{ HF_TAG_PENDING, HF_TAG_REGISTER, ALWAYS, HF_TAG_PENDING, GENERATION },
	{ HF_TAG_WAITING, HF_TAG_REGISTER, ALWAYS, HF_TAG_PENDING, GENERATION },
	{ HF_TAG_FIRING, HF_TAG_REGISTER, ALWAYS, HF_TAG_REREGISTERED, GENERATION },
	{ HF_TAG_REREGISTERED, HF_TAG_REGISTER, ALWAYS, HF_TAG_REREGISTERED, GENERATION },

	{ HF_TAG_PENDING, HF_TAG_FIRE, ALWAYS, HF_TAG_FIRING, 0 },

	{ HF_TAG_WAITING, HF_TAG_DUE, ALWAYS, HF_TAG_PENDING, 0 },
	{ HF_TAG_WAITING, HF_TAG_EDGE, UNBOUND, HF_TAG_PENDING, 0 },
	{ HF_TAG_WAITING, HF_TAG_NOW, UNBOUND, HF_TAG_PENDING, 0 },

	{ HF_TAG_FIRING, HF_TAG_SUCCESS, ALWAYS, HF_TAG_NONE, 0 },
	{ HF_TAG_FIRING, HF_TAG_OFFLINE, ALWAYS, HF_TAG_PENDING, SOUND },
	{ HF_TAG_FIRING, HF_TAG_FAILURE, LAST, HF_TAG_EXHAUSTED, COUNT | SOUND | WHY | END },
	{ HF_TAG_FIRING, HF_TAG_FAILURE, ALWAYS, HF_TAG_WAITING, COUNT | SOUND | WHY | WAIT },
	{ HF_TAG_REREGISTERED, HF_TAG_SUCCESS, ALWAYS, HF_TAG_PENDING, ANEW | SOUND },
	{ HF_TAG_REREGISTERED, HF_TAG_FAILURE, ALWAYS, HF_TAG_PENDING, ANEW | SOUND },
	{ HF_TAG_REREGISTERED, HF_TAG_OFFLINE, ALWAYS, HF_TAG_PENDING, ANEW | SOUND },

	{ HF_TAG_FIRING, HF_TAG_RESTART, CRASHES_LEFT, HF_TAG_PENDING, CRASHED },
	{ HF_TAG_FIRING, HF_TAG_RESTART, LAST, HF_TAG_EXHAUSTED, COUNT | SOUND | WHY | END },
	{ HF_TAG_FIRING, HF_TAG_RESTART, ALWAYS, HF_TAG_WAITING, COUNT | SOUND | WHY | WAIT },
	{ HF_TAG_REREGISTERED, HF_TAG_RESTART, CRASHES_LEFT, HF_TAG_PENDING, ANEW | CRASHED },
	/* a device that dies of it gets a pause, registered anew or not */
	{ HF_TAG_REREGISTERED, HF_TAG_RESTART, ALWAYS, HF_TAG_PENDING, ANEW | SOUND },

	{ HF_TAG_PENDING, HF_TAG_UNREGISTER, ALWAYS, HF_TAG_NONE, 0 },
	{ HF_TAG_WAITING, HF_TAG_UNREGISTER, ALWAYS, HF_TAG_NONE, 0 },
	{ HF_TAG_FIRING, HF_TAG_UNREGISTER, ALWAYS, HF_TAG_NONE, 0 },
	{ HF_TAG_REREGISTERED, HF_TAG_UNREGISTER, ALWAYS, HF_TAG_NONE, 0 },
	{ HF_TAG_EXHAUSTED, HF_TAG_UNREGISTER, ALWAYS, HF_TAG_NONE, 0 },
};

bool hf_tag_step(struct hf_tag_state *s, enum hf_tag_event event, const struct hf_tag_facts *f)
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

bool hf_tag_last_chance(const struct hf_tag_state *s, const struct hf_tag_terms *terms,
			uint64_t now_dev_ms, uint64_t delay_ms)
{
	if (terms->attempts_max && s->attempts + 1 >= terms->attempts_max)
		return true;
	return now_dev_ms + delay_ms > s->created_dev_ms + terms->max_age_ms;
}

const char *hf_tag_status_name(uint8_t status)
{
	return status < HF_TAG_STATUSES ? status_names[status] : "none";
}

const char *hf_tag_why_name(uint8_t why)
{
	static const char *const names[] = {
#define NAME(name, text) text,
		HF_TAG_WHYS(NAME)
#undef NAME
	};

	return why < sizeof(names) / sizeof(names[0]) ? names[why] : "";
}

/* ---- on disk ---- */

/*
 * 0 version u8 = 1   1 kind u8 = 1, one-off   2 status u8   3 why u8
 * 4 crashes u8       5 bound u8               6 last_status u16
 * 8 attempts u32    12 generation u32        16 key u64
 * 24 created_dev_ms u64   32 created_wall_ms i64   40 due_dev_ms u64   48 zero
 */
void hf_tag_encode(const struct hf_tag_state *s, uint8_t out[HF_TAG_VALUE_SIZE])
{
	memset(out, 0, HF_TAG_VALUE_SIZE);
	out[0] = 1;
	out[1] = 1;
	out[2] = s->status;
	out[3] = s->why;
	out[4] = s->crashes;
	out[5] = s->bound;
	hf_put_le(out + 6, s->last_status, 2);
	hf_put_le(out + 8, s->attempts, 4);
	hf_put_le(out + 12, s->generation, 4);
	hf_put_le(out + 16, s->key, 8);
	hf_put_le(out + 24, s->created_dev_ms, 8);
	hf_put_le(out + 32, (uint64_t)s->created_wall_ms, 8);
	hf_put_le(out + 40, s->due_dev_ms, 8);
}

int hf_tag_decode(struct hf_span bytes, struct hf_tag_state *s)
{
	const uint8_t *in = (const uint8_t *)bytes.ptr;

	if (bytes.len != HF_TAG_VALUE_SIZE || in[0] != 1 || in[1] != 1 || in[2] == HF_TAG_NONE ||
	    in[2] >= HF_TAG_STATUSES)
		return HF_ECORRUPT;
	*s = (struct hf_tag_state){
		.status = in[2],
		.why = in[3],
		.crashes = in[4],
		.bound = in[5] != 0,
		.last_status = (uint16_t)hf_get_le(in + 6, 2),
		.attempts = (uint32_t)hf_get_le(in + 8, 4),
		.generation = (uint32_t)hf_get_le(in + 12, 4),
		.key = hf_get_le(in + 16, 8),
		.created_dev_ms = hf_get_le(in + 24, 8),
		.created_wall_ms = (int64_t)hf_get_le(in + 32, 8),
		.due_dev_ms = hf_get_le(in + 40, 8),
	};
	return 0;
}

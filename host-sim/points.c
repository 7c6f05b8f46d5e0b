/* SPDX-License-Identifier: Apache-2.0 */
#include "points.h"

#include <inttypes.h>
#include <string.h>

#include "sim/mem.h"

static const char *const kinds[] = {
	[SIM_STRIKE_CUT] = "cut",
	[SIM_STRIKE_ALLOC] = "alloc",
	[SIM_STRIKE_IO] = "io",
	[SIM_STRIKE_CACHE] = "cache-cut",
};

/* ---- many ---- */

static void make_room(struct sim_points *p, uint64_t of, uint64_t sample)
{
	p->of = of;
	p->n = sample && sample < of ? sample : of;
	p->v = sim_alloc((size_t)p->n * sizeof(struct sim_strike));
}

/* The place of the @i-th point among all. */
static uint64_t place(const struct sim_points *p, uint64_t i)
{
	return (uint64_t)((double)i * (double)p->of / (double)p->n);
}

static uint64_t room_of(const struct sim_trial_result *plain, enum sim_strike_kind kind, size_t dev)
{
	return kind == SIM_STRIKE_ALLOC ? plain->allocations[dev] :
	       kind == SIM_STRIKE_CACHE ? plain->cache_ops[dev] :
					  plain->ops[dev];
}

void sim_points_of(struct sim_points *p, enum sim_strike_kind kind,
		   const struct sim_trial_result *plain, uint64_t sample)
{
	uint64_t of = 0, i, at;
	size_t dev;

	for (dev = 0; dev < plain->devices; dev++)
		of += room_of(plain, kind, dev);
	make_room(p, of, sample);
	for (i = 0; i < p->n; i++) {
		at = place(p, i);
		for (dev = 0; at >= room_of(plain, kind, dev); dev++)
			at -= room_of(plain, kind, dev);
		p->v[i] = (struct sim_strike){ .kind = kind, .device = dev, .at = at + 1 };
	}
}

void sim_points_pairs(struct sim_points *p, const struct sim_points *cuts, const uint64_t *recovery,
		      uint64_t sample)
{
	uint64_t of = 0, i, cut = 0, before = 0;

	for (i = 0; i < cuts->n; i++)
		of += recovery[i];
	make_room(p, of, sample);
	for (i = 0; i < p->n; i++) {
		uint64_t at = place(p, i);

		for (; at - before >= recovery[cut]; cut++)
			before += recovery[cut];
		p->v[i] = cuts->v[cut];
		p->v[i].again = at - before + 1;
	}
}

void sim_points_finish(struct sim_points *p)
{
	sim_free(p->v);
	memset(p, 0, sizeof(*p));
}

/* ---- one ---- */

const char *sim_point_text(const struct sim_strike *s, const struct sim_cast *cast, char out[96])
{
	char again[32] = "";

	if (s->again)
		snprintf(again, sizeof(again), ":%" PRIu64, s->again);
	snprintf(out, 96, "%s%s%s:%" PRIu64 "%s",
		 s->device && s->device < cast->devices_n ? cast->devices[s->device] : "",
		 s->device ? "/" : "", kinds[s->kind], s->at, again);
	return out;
}

static bool read_device(struct hf_span *text, const struct sim_cast *cast, size_t *out)
{
	struct hf_span name;

	*out = 0;
	if (!memchr(text->ptr, '/', text->len))
		return true;
	name = hf_span_cut(text, '/');
	for (; *out < cast->devices_n; ++*out)
		if (hf_span_eq_str(name, cast->devices[*out]))
			return true;
	return false;
}

bool sim_point_read(const char *words, const struct sim_cast *cast, struct sim_strike *out)
{
	struct hf_span text = hf_span_str(words), kind;
	int k;

	memset(out, 0, sizeof(*out));
	if (!read_device(&text, cast, &out->device))
		return false;
	kind = hf_span_cut(&text, ':');
	for (k = SIM_STRIKE_CUT; k <= SIM_STRIKE_CACHE; k++)
		if (hf_span_eq_str(kind, kinds[k]))
			out->kind = (enum sim_strike_kind)k;
	if (out->kind == SIM_STRIKE_NONE || !hf_span_u64(hf_span_cut(&text, ':'), &out->at) ||
	    out->at == 0)
		return false;
	return text.len == 0 || hf_span_u64(text, &out->again);
}

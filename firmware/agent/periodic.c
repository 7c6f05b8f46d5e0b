/* SPDX-License-Identifier: Apache-2.0 */
/* Periodic background sync: what its manager asks and tells. */
#include <inttypes.h>
#include <limits.h>

#include "agent/agent_private.h"
#include "ingress/tag_json.h"

static const struct hf_periodic_sync *what(void *user, unsigned worker, struct hf_span tag)
{
	struct hf_agent *a = user;
	const struct hf_periodic_sync *found =
		hf_manifest_periodic(a->settings->workers[worker].manifest, tag);

	return found ? found : &a->periodic_default;
}

static const struct hf_periodic_sync *entry(void *user, unsigned worker, size_t n)
{
	const struct hf_manifest *m = ((struct hf_agent *)user)->settings->workers[worker].manifest;

	return n < m->periodic_n ? &m->periodic[n] : NULL;
}

static bool metered(void *user)
{
	struct hf_agent *a = user;

	switch (a->settings->metered) {
	case HF_METERED_AUTO:
		break;
	case HF_METERED_YES:
		return true;
	case HF_METERED_NO:
		return false;
	}
	return a->port->link_metered(a->port);
}

static void save_time(void *user)
{
	hf_agent_save_time(user);
}

static int append_figures(struct hf_buf *b, const void *what)
{
	return hf_periodic_json(b, what);
}

static void on_event(void *user, const struct hf_periodic_figures *f)
{
	hf_agent_event(user, f->origin, "periodicsync", append_figures, f);
}

int hf_agent_periodic_create(struct hf_agent *a, const struct hf_sync_options *sync)
{
	struct hf_periodic_options opt = {
		.sync = *sync,
		.tags = a->tags,
		.workers = a->tags_workers,
		.workers_n = (unsigned)a->settings->workers_n,
		.what = what,
		.entry = entry,
		.lane = hf_agent_lane_of_tag,
		.metered = metered,
		.save_time = save_time,
		.on_event = on_event,
		.user = a,
	};

	hf_periodic_sync_defaults(&a->periodic_default);
	memcpy(opt.seed, a->report.seed, sizeof(opt.seed));
	return hf_periodic_create(&opt, &a->periodic);
}

/* ---- status ---- */

struct shown {
	unsigned origin; /* UINT_MAX: all */
	struct hf_buf *out;
	unsigned n;
};

static int append_one(void *user, const struct hf_periodic_figures *f)
{
	struct shown *s = user;
	int err;

	if (s->origin != UINT_MAX && s->origin != f->origin)
		return 0;
	err = hf_buf_append_str(s->out, s->n++ ? ",{" : "{");
	if (!err)
		err = hf_periodic_json(s->out, f);
	return err ? err : hf_buf_append_str(s->out, "}");
}

int hf_agent_periodic_status(struct hf_agent *a, unsigned origin, struct hf_buf *out)
{
	struct shown shown = { .origin = origin, .out = out };
	struct hf_periodic_totals t;
	int err;

	hf_periodic_totals(a->periodic, origin, &t);
	err = hf_buf_appendf(out,
			     "\"periodicSync\":{\"waiting\":%u,\"pending\":%u,\"firing\":%u,"
			     "\"retrying\":%u,\"fired\":%" PRIu64 ",\"succeeded\":%" PRIu64
			     ",\"failed\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"damaged\":%" PRIu64
			     ",\"registrations\":[",
			     t.waiting, t.pending, t.firing, t.retrying, t.fired, t.succeeded,
			     t.failed, t.dropped, t.damaged);
	if (!err)
		err = hf_periodic_each(a->periodic, UINT_MAX, 0, append_one, &shown);
	return err ? err : hf_buf_append_str(out, "]}");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Background sync: workers of the settings as the sync manager sees them. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "agent/agent_private.h"
#include "ingress/tag_json.h"

#define TAGS_SHOWN 50

/* ---- what the sync manager asks ---- */

static const struct hf_manifest *manifest_of(struct hf_agent *a, unsigned worker)
{
	return a->settings->workers[worker].manifest;
}

static const struct hf_sync_action *action(void *user, unsigned worker, struct hf_span tag)
{
	struct hf_agent *a = user;
	const struct hf_sync_action *found = hf_manifest_sync(manifest_of(a, worker), tag);

	return found ? found : &a->sync_default;
}

const char *hf_agent_lane_of_tag(void *user, unsigned worker, struct hf_span tag, unsigned n,
				 bool *family)
{
	const struct hf_manifest *m = manifest_of(user, worker);

	for (size_t i = 0; i < m->routes_n; i++) {
		const struct hf_route *r = &m->routes[i];

		if (!r->queued || !hf_span_eq_str(tag, r->policy.tag) || n-- != 0)
			continue;
		*family = r->lane_rule.by != HF_LANE_BY_NOTHING || r->policy.credential[0];
		return r->policy.lane;
	}
	return NULL;
}

static int append_figures(struct hf_buf *b, const void *what)
{
	return hf_tag_json(b, what);
}

static void on_tag(void *user, const struct hf_tag_figures *f)
{
	hf_agent_event(user, f->origin, "sync", append_figures, f);
}

/* ---- what pages and operators ask ---- */

int hf_agent_worker_by_path(void *user, unsigned origin, struct hf_span path)
{
	const struct hf_settings *s = ((struct hf_agent *)user)->settings;
	const struct hf_worker_settings *w = NULL;
	int only = -1;
	unsigned n = 0;

	if (origin != UINT_MAX)
		w = hf_settings_worker(s, origin, path.ptr ? path : HF_SPAN("/"));
	for (size_t i = 0; i < s->workers_n; i++) {
		if (w == &s->workers[i])
			return (int)i;
		if (origin == UINT_MAX || s->workers[i].origin == origin) {
			only = (int)i;
			n++;
		}
	}
	/* a program that is no page says nothing of its path */
	return !path.ptr && n == 1 ? only : -1;
}

int hf_agent_worker_by_name(void *user, struct hf_span name)
{
	const struct hf_settings *s = ((struct hf_agent *)user)->settings;

	for (size_t i = 0; i < s->workers_n; i++)
		if (hf_span_eq_str(name, s->workers[i].name))
			return (int)i;
	return -1;
}

unsigned hf_agent_worker_origin(void *user, unsigned worker)
{
	return ((struct hf_agent *)user)->settings->workers[worker].origin;
}

const char *hf_agent_worker_name(void *user, unsigned worker)
{
	return ((struct hf_agent *)user)->settings->workers[worker].name;
}

/* ---- status ---- */

struct shown {
	unsigned origin;
	struct hf_buf *out;
	unsigned n, hidden;
};

static int append_tag(void *user, const struct hf_tag_figures *f)
{
	struct shown *s = user;
	int err;

	if (s->origin != UINT_MAX && s->origin != f->origin)
		return 0;
	if (s->n == TAGS_SHOWN) {
		s->hidden++;
		return 0;
	}
	err = hf_buf_append_str(s->out, s->n++ ? ",{" : "{");
	if (!err)
		err = hf_tag_json(s->out, f);
	return err ? err : hf_buf_append_str(s->out, "}");
}

int hf_agent_background_status(struct hf_agent *a, unsigned origin, struct hf_buf *out)
{
	struct shown shown = { .origin = origin, .out = out };
	struct hf_tags_totals t;
	int err;

	hf_tags_totals(a->tags, origin, &t);
	err = hf_buf_appendf(out,
			     "\"sync\":{\"pending\":%u,\"waiting\":%u,\"firing\":%u,"
			     "\"exhausted\":%u,\"fired\":%" PRIu64 ",\"succeeded\":%" PRIu64
			     ",\"failed\":%" PRIu64 ",\"givenUp\":%" PRIu64
			     ",\"forgotten\":%" PRIu64 ",\"dropped\":%" PRIu64
			     ",\"damaged\":%" PRIu64 ",\"registrations\":[",
			     t.pending, t.waiting, t.firing, t.exhausted, t.fired, t.succeeded,
			     t.failed, t.given_up, t.forgotten, t.dropped, t.damaged);
	if (!err)
		err = hf_tags_each(a->tags, UINT_MAX, 0, append_tag, &shown);
	return err ? err : hf_buf_appendf(out, "],\"registrationsNotShown\":%u}", shown.hidden);
}

/* ---- life ---- */

int hf_agent_background_create(struct hf_agent *a, const struct hf_sync_options *sync)
{
	struct hf_tags_options opt = {
		.sync = *sync,
		.workers_n = (unsigned)a->settings->workers_n,
		.action = action,
		.lane = hf_agent_lane_of_tag,
		.on_event = on_tag,
		.user = a,
	};
	int err;

	hf_sync_action_defaults(&a->sync_default);
	a->tags_workers = calloc(a->settings->workers_n + 1, sizeof(*a->tags_workers));
	if (!a->tags_workers)
		return HF_ENOMEM;
	for (size_t i = 0; i < a->settings->workers_n; i++)
		a->tags_workers[i] = (struct hf_tags_worker){ a->settings->workers[i].name,
							      a->settings->workers[i].origin };
	opt.workers = a->tags_workers;
	err = hf_tags_create(&opt, &a->tags);
	return err ? err : hf_agent_periodic_create(a, sync);
}

void hf_agent_background_destroy(struct hf_agent *a)
{
	hf_periodic_destroy(a->periodic);
	hf_tags_destroy(a->tags);
	free(a->tags_workers);
}

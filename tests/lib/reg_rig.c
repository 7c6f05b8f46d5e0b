/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/reg_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "holdfast_config.h"
#include "store/codec.h"

/* ---- what the managers ask ---- */

static char refresh_target[CONFIG_HF_SYNC_TAG_BYTES_MAX + 2];
static char *refresh_targets[] = { refresh_target };

static void fill(struct hf_sync_action *a, struct hf_span tag)
{
	static char post[] = "POST", path[] = "/q", body[] = "body";

	a->time_limit_s = 180;
	a->retry_s = 2;
	a->max_age_s = CONFIG_HF_SYNC_MAX_AGE_S;
	a->kind = tag.len > 0 && tag.ptr[0] == 'p' ? HF_SYNC_PAGE :
		  tag.len > 0 && tag.ptr[0] == 'q' ? HF_SYNC_REQUEST :
						     HF_SYNC_REFRESH;
	a->method = post;
	a->target = path;
	a->body = body;
	snprintf(refresh_target, sizeof(refresh_target), "/%.*s", HF_SPAN_ARG(tag));
	a->refresh = refresh_targets;
	a->refresh_n = 1;
}

static const struct hf_sync_action *action(void *user, unsigned worker, struct hf_span tag)
{
	struct regrig *r = user;

	(void)worker;
	fill(&r->what.action, tag);
	return &r->what.action;
}

static const struct hf_periodic_sync *what(void *user, unsigned worker, struct hf_span tag)
{
	struct regrig *r = user;

	for (size_t i = 0; i < r->declared_n; i++)
		if (hf_span_eq_str(tag, r->declared[i].action.tag))
			return &r->declared[i];
	action(user, worker, tag);
	return &r->what;
}

static const struct hf_periodic_sync *entry(void *user, unsigned worker, size_t n)
{
	struct regrig *r = user;

	(void)worker;
	return n < r->declared_n ? &r->declared[n] : NULL;
}

static const char *lane(void *user, unsigned worker, struct hf_span tag, unsigned n, bool *family)
{
	(void)user;
	(void)worker;
	(void)tag;
	*family = false;
	return n == 0 ? "lane" : NULL;
}

static bool metered(void *user)
{
	struct regrig *r = user;

	return r->q.store.port.metered;
}

/* As the agent does it. */
struct saving {
	struct hf_store_meta meta;
	uint8_t bytes[8];
};

static void saved(struct hf_store_op *op, int err)
{
	struct saving *s = op->user;

	(void)err;
	hf_buf_finish(&s->meta.value);
	free(s);
}

static void save_time(void *user)
{
	struct regrig *r = user;
	struct saving *s = calloc(1, sizeof(*s));

	r->saved++;
	if (!s)
		return;
	hf_put_le(s->bytes, hf_queue_device_ms(r->q.queue), 8);
	hf_buf_init(&s->meta.value, sizeof(s->bytes));
	if (hf_buf_append(&s->meta.value, hf_span(s->bytes, sizeof(s->bytes)))) {
		free(s);
		return;
	}
	s->meta.key = "device_ms";
	s->meta.put = true;
	s->meta.op.done = saved;
	s->meta.op.user = s;
	hf_store_meta(r->q.store.store, &s->meta);
}

/* ---- what they tell ---- */

static void tell(struct regrig *r, struct hf_span tag, const char *state)
{
	(void)hf_buf_appendf(&r->told, "%.*s %s\n", HF_SPAN_ARG(tag), state);
}

static void on_tag(void *user, const struct hf_tag_figures *f)
{
	tell(user, f->tag, f->state);
}

static void on_periodic(void *user, const struct hf_periodic_figures *f)
{
	struct regrig *r = user;
	uint64_t now = hf_queue_device_ms(r->q.queue);

	tell(r, f->tag, f->state);
	if (strcmp(f->state, "firing") != 0)
		return;
	r->wakeups += r->fired == 0 || now - r->last_fired_ms > 100;
	r->fired++;
	r->last_fired_ms = now;
	if (f->event)
		snprintf(r->event, sizeof(r->event), "%s", f->event);
}

/* ---- life ---- */

static const struct hf_tags_worker workers[] = { { "kiosk", 0 } };

static void begin(void *user)
{
	struct regrig *r = user;
	struct hf_tags_options tags = {
		.sync = { .port = &r->q.store.port.port,
			  .timers = &r->q.timers,
			  .log = &r->q.store.port.log,
			  .rand = &r->q.rand,
			  .store = r->q.store.store,
			  .queue = r->q.queue,
			  .connectivity = r->q.connectivity,
			  .origins = r->q.origins,
			  .origins_n = r->q.origins_n,
			  .backoff_base_ms = 1000,
			  .backoff_cap_ms = 600000,
			  .retry_after_max_s = 86400,
			  .answer_bytes_max = 1000 },
		.workers = workers,
		.workers_n = 1,
		.action = action,
		.lane = lane,
		.on_event = on_tag,
		.user = r,
	};
	struct hf_periodic_options periodic = {
		.sync = tags.sync,
		.workers = workers,
		.workers_n = 1,
		.what = what,
		.entry = entry,
		.lane = lane,
		.metered = metered,
		.save_time = save_time,
		.on_event = on_periodic,
		.user = r,
	};

	if (hf_tags_create(&tags, &r->tags))
		abort();
	periodic.tags = r->tags;
	memcpy(periodic.seed, r->q.store.report.seed, sizeof(periodic.seed));
	if (hf_periodic_create(&periodic, &r->periodic))
		abort();
}

static void loaded(void *user, int err)
{
	((struct regrig *)user)->err = err;
}

static void start(void *user)
{
	struct regrig *r = user;

	if (r->before_start)
		r->before_start();
	r->err = 1;
	hf_tags_load(r->tags, loaded, r);
	fake_port_settle(&r->q.store.port);
	if (!r->err) {
		r->err = 1;
		hf_periodic_load(r->periodic, loaded, r);
		fake_port_settle(&r->q.store.port);
	}
	if (r->after_start)
		r->after_start();
	if (r->err)
		return; /* the test says whether it may be so */
	hf_tags_start(r->tags);
	hf_periodic_start(r->periodic);
}

static void end(void *user)
{
	struct regrig *r = user;

	hf_periodic_destroy(r->periodic);
	hf_tags_destroy(r->tags);
	r->periodic = NULL;
	r->tags = NULL;
}

static void reach(void *user, unsigned origin, enum hf_reach to)
{
	struct regrig *r = user;

	if (!r->periodic)
		return;
	hf_tags_origin_changed(r->tags, origin, to);
	hf_periodic_origin_changed(r->periodic, origin, to);
}

static bool trial(void *user, unsigned origin)
{
	struct regrig *r = user;

	return !hf_sync_wants(r->q.sync, origin) && hf_tags_trial(r->tags, origin);
}

static const struct qrig_part part = { begin, start, end, reach, trial };

void regrig_init(struct regrig *r)
{
	memset(r, 0, sizeof(*r));
	hf_buf_init(&r->told, 16u << 20);
	qrig_init_with(&r->q, &part, r);
}

void regrig_finish(struct regrig *r)
{
	qrig_finish(&r->q);
	hf_buf_finish(&r->told);
}

void regrig_restart(struct regrig *r)
{
	qrig_restart(&r->q);
}

/* ---- changes ---- */

static void changed(struct hf_tag_change *c, int err)
{
	*(int *)c->user = err;
}

static int change(struct regrig *r, struct hf_tag_change *c,
		  int (*how)(struct regrig *r, struct hf_tag_change *c))
{
	int err, done = 1;

	c->done = changed;
	c->user = &done;
	err = how(r, c);
	if (err)
		return err;
	for (int i = 0; done == 1 && i < 1000; i++)
		fake_port_turn(&r->q.store.port);
	return done;
}

static int do_sync(struct regrig *r, struct hf_tag_change *c)
{
	return hf_tags_register(r->tags, c);
}

static int do_periodic(struct regrig *r, struct hf_tag_change *c)
{
	return hf_periodic_register(r->periodic, c);
}

static int do_leave(struct regrig *r, struct hf_tag_change *c)
{
	return hf_periodic_unregister(r->periodic, c);
}

int regrig_sync(struct regrig *r, const char *tag)
{
	struct hf_tag_change c = { .tag = hf_span_str(tag) };

	return change(r, &c, do_sync);
}

int regrig_periodic(struct regrig *r, const char *tag, uint64_t min_interval_ms)
{
	struct hf_tag_change c = { .tag = hf_span_str(tag), .min_interval_ms = min_interval_ms };

	return change(r, &c, do_periodic);
}

int regrig_leave(struct regrig *r, const char *tag)
{
	struct hf_tag_change c = { .tag = hf_span_str(tag) };

	return change(r, &c, do_leave);
}

/* ---- looking ---- */

static int copy_periodic(void *user, const struct hf_periodic_figures *f)
{
	*(struct hf_periodic_figures *)user = *f;
	return 0;
}

struct hf_periodic_figures regrig_figures(struct regrig *r, const char *tag)
{
	struct hf_periodic_figures f = { 0 };

	(void)hf_periodic_show(r->periodic, 0, hf_span_str(tag), copy_periodic, &f);
	return f;
}

static int copy_tag(void *user, const struct hf_tag_figures *f)
{
	*(struct hf_tag_figures *)user = *f;
	return 0;
}

struct hf_tag_figures regrig_tag(struct regrig *r, const char *tag)
{
	struct hf_tag_figures f = { 0 };

	(void)hf_tags_show(r->tags, 0, hf_span_str(tag), copy_tag, &f);
	return f;
}

const char *regrig_told(struct regrig *r)
{
	static char text[1 << 16];
	struct hf_span all = hf_buf_span(&r->told);

	snprintf(text, sizeof(text), "%.*s", HF_SPAN_ARG(all));
	hf_buf_clear(&r->told);
	return text;
}

unsigned regrig_hits(struct regrig *r)
{
	struct hf_span log = hf_buf_span(&r->q.origin[0].log);
	unsigned n = 0;

	while (log.len > 0) {
		hf_span_cut(&log, '\n');
		n++;
	}
	return n;
}

void regrig_save_time(struct regrig *r)
{
	save_time(r);
	fake_port_settle(&r->q.store.port);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sync registrations, one-off and periodic ones, which differ in their manager:
 * the tag is what stands behind "sync/" or
 * "periodicsync/", or the parameter
 * "tag" (for one that is empty or would be cleaned from a path). The worker is
 * the one in charge of the page that asks, by Referer, or the parameter "worker".
 */
#include <inttypes.h>
#include <limits.h>

#include "holdfast/err.h"
#include "http/url.h"
#include "http/values.h"
#include "ingress/api.h"
#include "ingress/tag_json.h"
#include "sync/periodic_state.h"

#define LIST_MAX   1000
#define LIST_USUAL 100
#define JSON_MAX   (8 * 1024 * 1024)

struct sync_call;

struct manager {
	int (*enter)(struct sync_call *s);
	int (*leave)(struct sync_call *s);
	/* Appends one as a JSON object. */
	int (*show)(struct sync_call *s, unsigned worker, struct hf_span tag);
	/* Appends those behind @after, each by append_entry. */
	int (*list)(struct sync_call *s, unsigned worker, uint64_t after);
};

struct sync_call {
	struct hf_api_call call;
	const struct manager *manager;
	struct hf_tag_change change;
	bool registers;
	/* list */
	struct hf_buf json;
	unsigned n, limit;
	uint64_t last;
	bool more;
};

static struct sync_call *sync_of(struct hf_api_call *call)
{
	return hf_container_of(call, struct sync_call, call);
}

/* ---- whose ---- */

/* The path of the page that asks; ptr NULL: not known. */
static struct hf_span page_path(const struct hf_api_call *call)
{
	const struct hf_span *referer = hf_fields_get(&call->msg->fields, "Referer");
	struct hf_url url;

	if (!referer || hf_url_parse(*referer, &url))
		return hf_span(NULL, 0);
	return url.path;
}

int hf_api_worker(struct hf_api_call *call)
{
	const struct hf_ingress_options *opt = &call->in->opt;
	int worker;
	struct hf_span name;

	if (hf_api_query(call, "worker", &name)) {
		worker = name.ptr ? opt->worker_by_name(opt->user, name) : -1;
		if (worker >= 0 && !call->control &&
		    opt->worker_origin(opt->user, (unsigned)worker) != call->origin)
			worker = -1;
		if (worker < 0)
			hf_api_problem(call, 404, "There is no worker of this name.");
		return worker;
	}
	worker = opt->worker_by_path(opt->user, hf_api_origin(call), page_path(call));
	if (worker < 0)
		hf_api_problem(call, 409,
			       call->control ? "There are several workers, or none: name one." :
					       "No worker is in charge of this page.");
	return worker;
}

/* False: none, and the call has been answered. */
static bool find_tag(struct hf_api_call *call, struct hf_span *tag)
{
	bool found = call->id.len > 0;

	if (found)
		*tag = hf_api_decode(call, call->id, false);
	else
		found = hf_api_query(call, "tag", tag);
	if (!found)
		hf_api_problem(call, 400, "The tag is missing.");
	else if (!tag->ptr)
		hf_api_problem(call, 400, "The tag is malformed.");
	return found && tag->ptr;
}

/* ---- register, unregister ---- */

static void refuse(struct hf_api_call *call, int err)
{
	switch (err) {
	case HF_EINVAL:
		hf_api_problem(call, 400, "The tag is not UTF-8, or has control bytes.");
		return;
	case HF_ETOOBIG:
		hf_api_problem(call, 413, "The tag is too long.");
		return;
	case HF_ELIMIT:
		hf_api_problem(call, 503, "The worker has too many registrations.");
		return;
	case HF_ENOENT:
		hf_api_problem(call, 404, "The tag is not registered.");
		return;
	case HF_EFULL:
		hf_api_problem(call, 507, "The store is full.");
		return;
	default:
		hf_api_problem(call, 503, "The registration could not be stored.");
		return;
	}
}

static void answer_one(struct sync_call *s, unsigned worker, struct hf_span tag)
{
	int err;

	hf_buf_init(&s->json, JSON_MAX);
	err = s->manager->show(s, worker, tag);
	if (!err)
		err = hf_buf_append_str(&s->json, "\n");
	if (!err) {
		hf_api_json(&s->call, 200, &s->json);
		return;
	}
	hf_buf_finish(&s->json);
	refuse(&s->call, err);
}

static void answer_gone(struct hf_api_call *call, struct hf_span tag)
{
	struct hf_buf json;
	int err;

	hf_buf_init(&json, JSON_MAX);
	err = hf_buf_append_str(&json, "{\"tag\":");
	if (!err)
		err = hf_json_append_string(&json, tag);
	if (!err)
		err = hf_buf_append_str(&json, ",\"state\":\"unregistered\"}\n");
	if (!err) {
		hf_api_json(call, 200, &json);
		return;
	}
	hf_buf_finish(&json);
	refuse(call, err);
}

static void changed(struct hf_tag_change *c, int err)
{
	struct sync_call *s = c->user;
	struct hf_api_call *call = &s->call;

	if (!hf_api_resume(call))
		return;
	if (err)
		refuse(call, err);
	else if (s->registers)
		answer_one(s, c->worker, c->tag);
	else
		answer_gone(call, c->tag);
}

static int change(struct sync_call *s, bool registers)
{
	struct hf_api_call *call = &s->call;
	int worker, err;

	if (!find_tag(call, &s->change.tag))
		return 0;
	worker = hf_api_worker(call);
	if (worker < 0)
		return 0;
	s->registers = registers;
	s->change.worker = (unsigned)worker;
	s->change.done = changed;
	s->change.user = s;
	call->busy = true;
	err = registers ? s->manager->enter(s) : s->manager->leave(s);
	if (!err)
		return 0;
	call->busy = false;
	refuse(call, err);
	return 0;
}

/* ---- show, list ---- */

static int show(struct sync_call *s)
{
	struct hf_api_call *call = &s->call;
	struct hf_span tag;
	int worker;

	if (!find_tag(call, &tag))
		return 0;
	worker = hf_api_worker(call);
	if (worker >= 0)
		answer_one(s, (unsigned)worker, tag);
	return 0;
}

/* Makes room for the entry @id: 1 when the page is full. */
static int begin_entry(struct sync_call *s, uint64_t id)
{
	if (s->n == s->limit) {
		s->more = true;
		return 1;
	}
	s->last = id;
	return hf_buf_append_str(&s->json, s->n++ ? "," : "");
}

static bool number(struct hf_api_call *call, const char *name, uint64_t *out)
{
	struct hf_span text;

	return !hf_api_query(call, name, &text) || (text.ptr && hf_span_u64(text, out));
}

static int append_list(struct sync_call *s, unsigned worker, uint64_t after)
{
	int err = hf_buf_append_str(&s->json, "{\"registrations\":[");

	if (!err)
		err = s->manager->list(s, worker, after);
	if (err < 0)
		return err;
	if (s->more)
		return hf_buf_appendf(&s->json, "],\"next\":\"%" PRIu64 "\"}\n", s->last);
	return hf_buf_append_str(&s->json, "],\"next\":null}\n");
}

static int list(struct sync_call *s)
{
	struct hf_api_call *call = &s->call;
	uint64_t limit = LIST_USUAL, after = 0;
	unsigned worker = UINT_MAX;
	struct hf_span name;
	int found, err;

	if (hf_api_query(call, "tag", &name))
		return show(s);
	if (!number(call, "limit", &limit) || !number(call, "after", &after) || limit == 0) {
		hf_api_problem(call, 400, "limit and after are numbers.");
		return 0;
	}
	if (!call->control || hf_api_query(call, "worker", &name)) {
		found = hf_api_worker(call);
		if (found < 0)
			return 0;
		worker = (unsigned)found;
	}
	s->limit = limit > LIST_MAX ? LIST_MAX : (unsigned)limit;
	hf_buf_init(&s->json, JSON_MAX);
	err = append_list(s, worker, after);
	if (err)
		hf_buf_finish(&s->json);
	else
		hf_api_json(call, 200, &s->json);
	return err;
}

/* ---- one-off ---- */

static int tag_object(void *user, const struct hf_tag_figures *f)
{
	struct sync_call *s = user;
	int err = hf_buf_append_str(&s->json, "{");

	if (!err)
		err = hf_tag_json(&s->json, f);
	return err ? err : hf_buf_append_str(&s->json, "}");
}

static int tag_entry(void *user, const struct hf_tag_figures *f)
{
	int err = begin_entry(user, f->id);

	return err ? err : tag_object(user, f);
}

static int tag_enter(struct sync_call *s)
{
	return hf_tags_register(s->call.in->opt.tags, &s->change);
}

static int tag_leave(struct sync_call *s)
{
	return hf_tags_unregister(s->call.in->opt.tags, &s->change);
}

static int tag_show(struct sync_call *s, unsigned worker, struct hf_span tag)
{
	return hf_tags_show(s->call.in->opt.tags, worker, tag, tag_object, s);
}

static int tag_list(struct sync_call *s, unsigned worker, uint64_t after)
{
	return hf_tags_each(s->call.in->opt.tags, worker, after, tag_entry, s);
}

static const struct manager one_off = { tag_enter, tag_leave, tag_show, tag_list };

/* ---- periodic ---- */

static int periodic_object(void *user, const struct hf_periodic_figures *f)
{
	struct sync_call *s = user;
	int err = hf_buf_append_str(&s->json, "{");

	if (!err)
		err = hf_periodic_json(&s->json, f);
	return err ? err : hf_buf_append_str(&s->json, "}");
}

static int periodic_entry(void *user, const struct hf_periodic_figures *f)
{
	int err = begin_entry(user, f->id);

	return err ? err : periodic_object(user, f);
}

static int periodic_enter(struct sync_call *s)
{
	return hf_periodic_register(s->call.in->opt.periodic, &s->change);
}

static int periodic_leave(struct sync_call *s)
{
	return hf_periodic_unregister(s->call.in->opt.periodic, &s->change);
}

static int periodic_show(struct sync_call *s, unsigned worker, struct hf_span tag)
{
	return hf_periodic_show(s->call.in->opt.periodic, worker, tag, periodic_object, s);
}

static int periodic_list(struct sync_call *s, unsigned worker, uint64_t after)
{
	return hf_periodic_each(s->call.in->opt.periodic, worker, after, periodic_entry, s);
}

static const struct manager periodic = { periodic_enter, periodic_leave, periodic_show,
					 periodic_list };

/* ---- kinds ---- */

static struct sync_call *with(struct hf_api_call *call, const struct manager *m)
{
	struct sync_call *s = sync_of(call);

	s->manager = m;
	return s;
}

static int sync_register_start(struct hf_api_call *call)
{
	return change(with(call, &one_off), true);
}

static int periodic_register_start(struct hf_api_call *call)
{
	struct sync_call *s = with(call, &periodic);
	uint64_t *interval = &s->change.min_interval_ms;

	if (number(call, "minInterval", interval) && *interval <= HF_PERIODIC_INTERVAL_MAX_MS)
		return change(s, true);
	hf_api_problem(call, 400,
		       "minInterval is a whole number of milliseconds, "
		       "at most 366 days.");
	return 0;
}

static int sync_unregister_start(struct hf_api_call *call)
{
	return change(with(call, &one_off), false);
}

static int periodic_unregister_start(struct hf_api_call *call)
{
	return change(with(call, &periodic), false);
}

static int sync_show_start(struct hf_api_call *call)
{
	return show(with(call, &one_off));
}

static int periodic_show_start(struct hf_api_call *call)
{
	return show(with(call, &periodic));
}

static int sync_list_start(struct hf_api_call *call)
{
	return list(with(call, &one_off));
}

static int periodic_list_start(struct hf_api_call *call)
{
	return list(with(call, &periodic));
}

#define KIND(name)                                 \
	const struct hf_api_kind hf_api_##name = { \
		.size = sizeof(struct sync_call),  \
		.start = name##_start,             \
	}
KIND(sync_register);
KIND(sync_unregister);
KIND(sync_show);
KIND(sync_list);
KIND(periodic_register);
KIND(periodic_unregister);
KIND(periodic_show);
KIND(periodic_list);
#undef KIND

/* ---- what pages say of an event ---- */

static int settle(struct hf_api_call *call, bool success)
{
	unsigned origin = hf_api_origin(call);
	int err = hf_tags_settle(call->in->opt.tags, origin, call->id, success);
	struct hf_buf json;

	if (err == HF_ENOENT)
		err = hf_periodic_settle(call->in->opt.periodic, origin, call->id, success);
	if (err) {
		hf_api_problem(call, 404, "No such event is under way.");
		return 0;
	}
	hf_buf_init(&json, 64);
	err = hf_buf_appendf(&json, "{\"success\":%s}\n", success ? "true" : "false");
	if (err)
		hf_buf_finish(&json);
	else
		hf_api_json(call, 200, &json);
	return err;
}

static int succeeded_start(struct hf_api_call *call)
{
	return settle(call, true);
}

static int failed_start(struct hf_api_call *call)
{
	return settle(call, false);
}

const struct hf_api_kind hf_api_sync_succeeded = {
	.size = sizeof(struct sync_call),
	.start = succeeded_start,
};

const struct hf_api_kind hf_api_sync_failed = {
	.size = sizeof(struct sync_call),
	.start = failed_start,
};

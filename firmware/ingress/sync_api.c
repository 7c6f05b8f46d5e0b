/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sync registrations: the tag is what stands behind "sync/", or the parameter
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

#define LIST_MAX   1000
#define LIST_USUAL 100
#define JSON_MAX   (8 * 1024 * 1024)

struct sync_call {
	struct hf_api_call call;
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

/* -1: none, and the call has been answered. */
static int find_worker(struct hf_api_call *call)
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

static int append_one(void *user, const struct hf_tag_figures *f)
{
	struct hf_buf *json = user;
	int err = hf_buf_append_str(json, "{");

	if (!err)
		err = hf_tag_json(json, f);
	return err ? err : hf_buf_append_str(json, "}\n");
}

static void answer_one(struct hf_api_call *call, unsigned worker, struct hf_span tag)
{
	struct hf_buf json;
	int err;

	hf_buf_init(&json, JSON_MAX);
	err = hf_tags_show(call->in->opt.tags, worker, tag, append_one, &json);
	if (!err) {
		hf_api_json(call, 200, &json);
		return;
	}
	hf_buf_finish(&json);
	refuse(call, err);
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
		answer_one(call, c->worker, c->tag);
	else
		answer_gone(call, c->tag);
}

static int change(struct hf_api_call *call, bool registers)
{
	struct sync_call *s = sync_of(call);
	int worker, err;

	if (!find_tag(call, &s->change.tag))
		return 0;
	worker = find_worker(call);
	if (worker < 0)
		return 0;
	s->registers = registers;
	s->change.worker = (unsigned)worker;
	s->change.done = changed;
	s->change.user = s;
	call->busy = true;
	err = registers ? hf_tags_register(call->in->opt.tags, &s->change) :
			  hf_tags_unregister(call->in->opt.tags, &s->change);
	if (!err)
		return 0;
	call->busy = false;
	refuse(call, err);
	return 0;
}

static int register_start(struct hf_api_call *call)
{
	return change(call, true);
}

static int unregister_start(struct hf_api_call *call)
{
	return change(call, false);
}

const struct hf_api_kind hf_api_sync_register = {
	.size = sizeof(struct sync_call),
	.start = register_start,
};

const struct hf_api_kind hf_api_sync_unregister = {
	.size = sizeof(struct sync_call),
	.start = unregister_start,
};

/* ---- show, list ---- */

static int show_start(struct hf_api_call *call)
{
	struct hf_span tag;
	int worker;

	if (!find_tag(call, &tag))
		return 0;
	worker = find_worker(call);
	if (worker >= 0)
		answer_one(call, (unsigned)worker, tag);
	return 0;
}

const struct hf_api_kind hf_api_sync_show = {
	.size = sizeof(struct sync_call),
	.start = show_start,
};

static int append_entry(void *user, const struct hf_tag_figures *f)
{
	struct sync_call *s = user;
	int err;

	if (s->n == s->limit) {
		s->more = true;
		return 1;
	}
	err = hf_buf_append_str(&s->json, s->n++ ? ",{" : "{");
	if (!err)
		err = hf_tag_json(&s->json, f);
	s->last = f->id;
	return err ? err : hf_buf_append_str(&s->json, "}");
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
		err = hf_tags_each(s->call.in->opt.tags, worker, after, append_entry, s);
	if (err < 0)
		return err;
	if (s->more)
		return hf_buf_appendf(&s->json, "],\"next\":\"%" PRIu64 "\"}\n", s->last);
	return hf_buf_append_str(&s->json, "],\"next\":null}\n");
}

static int list_start(struct hf_api_call *call)
{
	struct sync_call *s = sync_of(call);
	uint64_t limit = LIST_USUAL, after = 0;
	unsigned worker = UINT_MAX;
	struct hf_span name;
	int found, err;

	if (hf_api_query(call, "tag", &name))
		return show_start(call);
	if (!number(call, "limit", &limit) || !number(call, "after", &after) || limit == 0) {
		hf_api_problem(call, 400, "limit and after are numbers.");
		return 0;
	}
	if (!call->control || hf_api_query(call, "worker", &name)) {
		found = find_worker(call);
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

const struct hf_api_kind hf_api_sync_list = {
	.size = sizeof(struct sync_call),
	.start = list_start,
};

/* ---- what pages say of an event ---- */

static int settle(struct hf_api_call *call, bool success)
{
	struct hf_buf json;
	int err = hf_tags_settle(call->in->opt.tags, hf_api_origin(call), call->id, success);

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

/* SPDX-License-Identifier: Apache-2.0 */
/* GET lanes; GET, POST and DELETE holds. */
#include <limits.h>

#include "holdfast/err.h"
#include "http/values.h"
#include "ingress/api.h"
#include "ingress/lane_json.h"

#define JSON_MAX    (4 * 1024 * 1024)
#define LANES_SHOWN 1000
#define FOR_MAX_S   (366 * 86400)

/* ---- lanes ---- */

/* Absent: ptr stays NULL. False: malformed, and said so. */
static bool read_name(struct hf_api_call *call, const char *name, struct hf_span *value)
{
	*value = hf_span(NULL, 0);
	if (!hf_api_query(call, name, value) || value->ptr)
		return true;
	hf_api_problem(call, 400, "A parameter is malformed: a \"%\" without two hex digits.");
	return false;
}

static bool read_filter(struct hf_api_call *call, struct hf_lane_filter *f)
{
	if (!read_name(call, "lane", &f->lane) || !read_name(call, "state", &f->state) ||
	    !read_name(call, "origin", &f->origin))
		return false;
	if (f->state.ptr && !hf_lane_states_are_known(f->state)) {
		hf_api_problem(call, 400,
			       "state is a list of idle, sending, waiting, offline, "
			       "after, held, paused, no-origin.");
		return false;
	}
	if (hf_api_origin(call) != UINT_MAX)
		f->origin = hf_api_origin_name(call);
	return true;
}

/* Ends the document with the holds that the caller may see. Takes @json. */
static int answer_with_holds(struct hf_api_call *call, struct hf_buf *json, int err)
{
	if (!err)
		err = hf_holds_json(call->in->opt.queue, hf_api_origin(call), json);
	if (!err)
		err = hf_buf_append_str(json, "}\n");
	if (err)
		hf_buf_finish(json);
	else
		hf_api_json(call, 200, json);
	return err ? HF_ENOMEM : 0;
}

static int lanes_start(struct hf_api_call *call)
{
	struct hf_lane_filter filter = { .most = LANES_SHOWN };
	struct hf_queue *q = call->in->opt.queue;
	struct hf_buf json;
	int err;

	if (!read_filter(call, &filter))
		return 0;
	hf_buf_init(&json, JSON_MAX);
	err = hf_buf_append_str(&json, "{");
	if (!err)
		err = hf_lanes_json(q, &filter, &json);
	if (!err)
		err = hf_buf_append_str(&json, ",");
	return answer_with_holds(call, &json, err);
}

const struct hf_api_kind hf_api_lanes = {
	.size = sizeof(struct hf_api_call),
	.start = lanes_start,
};

/* ---- which hold ---- */

struct hold_call {
	struct hf_api_call call;
	struct hf_hold_change change;
};

/* Counts the origins for which a lane of this name may be meant. */
struct candidates {
	const struct hf_queue *queue;
	struct hf_span lane;
	bool seen[HF_API_ORIGINS_MAX];
	unsigned n, last;
};

static void add_candidate(struct candidates *c, unsigned origin)
{
	c->n += !c->seen[origin];
	c->seen[origin] = true;
	c->last = origin;
}

static int look_at_hold(void *user, const struct hf_hold *h)
{
	struct candidates *c = user;

	if (h->lane.ptr && hf_span_eq(h->lane, c->lane))
		add_candidate(c, h->origin);
	return 0;
}

/* Of several origins the one that has such a lane, or such a hold. False: it cannot be
 * told, and that was said. */
static bool guess_origin(struct hold_call *h)
{
	struct hf_queue *q = h->call.in->opt.queue;
	unsigned n = hf_queue_origins(q);
	struct candidates c = { .queue = q, .lane = h->change.lane };

	for (unsigned i = 0; i < n && !h->change.release; i++)
		if (n == 1 || hf_queue_held_lanes(q, i, h->change.lane) > 0)
			add_candidate(&c, i);
	if (h->change.release)
		hf_queue_each_hold(q, look_at_hold, &c);
	h->change.origin = c.last;
	if (c.n == 1)
		return true;
	if (c.n > 1)
		hf_api_problem(
			&h->call, 409,
			"Lanes of several origins have this name; say which origin is meant.");
	else if (h->change.release)
		hf_api_problem(&h->call, 404, "No lane of this name is on hold.");
	else
		hf_api_problem(&h->call, 409,
			       "No lane has this name now; say which origin's it will be.");
	return false;
}

static bool find_origin(struct hold_call *h, struct hf_span name)
{
	struct hf_queue *q = h->call.in->opt.queue;

	for (unsigned i = 0; i < hf_queue_origins(q); i++) {
		if (!hf_span_eq(hf_queue_origin_name(q, i), name))
			continue;
		h->change.origin = i;
		return true;
	}
	hf_api_problem(&h->call, 404, "No origin of this name is configured.");
	return false;
}

static bool read_what(struct hold_call *h)
{
	struct hf_span origin;

	if (!read_name(&h->call, "lane", &h->change.lane) ||
	    !read_name(&h->call, "origin", &origin))
		return false;
	if (h->change.lane.ptr &&
	    (h->change.lane.len == 0 || h->change.lane.len > HF_HOLD_KEY_MAX)) {
		hf_api_problem(&h->call, 400, "lane is a name of 1 to 1024 bytes.");
		return false;
	}
	if (origin.ptr)
		return find_origin(h, origin);
	if (h->change.lane.ptr)
		return guess_origin(h);
	h->change.all = true;
	if (h->change.release)
		return true;
	hf_api_problem(&h->call, 400, "lane or origin says what is held.");
	return false;
}

static bool read_time(struct hold_call *h)
{
	struct hf_span value;
	uint64_t seconds = 0;

	if (!hf_api_query(&h->call, "for", &value))
		return true;
	if (!value.ptr || !hf_span_u64(value, &seconds) || seconds == 0 || seconds > FOR_MAX_S) {
		hf_api_problem(&h->call, 400, "for is a number of seconds, at most 366 days.");
		return false;
	}
	h->change.for_ms = seconds * 1000;
	return true;
}

/* ---- changing ---- */

static void hold_failed(struct hold_call *h, int err)
{
	switch (err) {
	case HF_ENOENT:
		hf_api_problem(&h->call, 404, "There is no such hold; `holdfast lanes` shows all.");
		break;
	case HF_EBUSY:
		hf_api_problem(&h->call, 409, "Another hold is being stored; ask again.");
		break;
	case HF_ELIMIT:
		hf_api_problem(&h->call, 409, "As many holds as there may be; release one.");
		break;
	case HF_EFULL:
		hf_api_problem(&h->call, 507, "The store is full.");
		break;
	default:
		hf_api_problem(&h->call, 503, "The hold could not be stored.");
		break;
	}
}

static int append_done(const struct hold_call *h, struct hf_buf *json)
{
	const struct hf_hold_change *c = &h->change;
	const struct hf_queue *q = h->call.in->opt.queue;
	int err = hf_buf_append_str(json, "{\"origin\":");

	if (!err)
		err = c->all ? hf_buf_append_str(json, "null") :
			       hf_json_append_string(json, hf_queue_origin_name(q, c->origin));
	if (!err)
		err = hf_buf_append_str(json, ",\"lane\":");
	if (!err)
		err = c->lane.ptr ? hf_json_append_string(json, c->lane) :
				    hf_buf_append_str(json, "null");
	if (!err && !c->release && c->for_ms)
		err = hf_buf_appendf(json, ",\"endsInSeconds\":%llu",
				     (unsigned long long)c->for_ms / 1000);
	else if (!err && !c->release)
		err = hf_buf_append_str(json, ",\"endsInSeconds\":null");
	if (!err && !c->all)
		err = hf_buf_appendf(json, ",\"lanes\":%u",
				     hf_queue_held_lanes(q, c->origin, c->lane));
	return err ? err : hf_buf_append_str(json, "}\n");
}

static void change_done(struct hf_hold_change *c, int err)
{
	struct hold_call *h = c->user;
	struct hf_buf json;

	if (!hf_api_resume(&h->call))
		return;
	if (err) {
		hold_failed(h, err);
		return;
	}
	hf_buf_init(&json, 8192);
	if (!append_done(h, &json)) {
		hf_api_json(&h->call, 200, &json);
		return;
	}
	hf_buf_finish(&json);
	hf_api_problem(&h->call, 503, "Holdfast is short of memory.");
}

static int change_start(struct hf_api_call *call, bool release)
{
	struct hold_call *h = hf_container_of(call, struct hold_call, call);
	int err;

	h->change.release = release;
	if (!read_what(h) || (!release && !read_time(h)))
		return 0;
	h->change.done = change_done;
	h->change.user = h;
	err = hf_queue_hold(call->in->opt.queue, &h->change);
	if (err)
		hold_failed(h, err);
	else
		call->busy = true;
	return 0;
}

static int hold_start(struct hf_api_call *call)
{
	return change_start(call, false);
}

static int release_start(struct hf_api_call *call)
{
	return change_start(call, true);
}

static int holds_start(struct hf_api_call *call)
{
	struct hf_buf json;
	int err;

	hf_buf_init(&json, JSON_MAX);
	err = hf_buf_append_str(&json, "{");
	return answer_with_holds(call, &json, err);
}

const struct hf_api_kind hf_api_holds = {
	.size = sizeof(struct hf_api_call),
	.start = holds_start,
};

const struct hf_api_kind hf_api_hold = {
	.size = sizeof(struct hold_call),
	.start = hold_start,
};

const struct hf_api_kind hf_api_release = {
	.size = sizeof(struct hold_call),
	.start = release_start,
};

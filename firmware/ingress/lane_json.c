/* SPDX-License-Identifier: Apache-2.0 */
#include "ingress/lane_json.h"

#include <inttypes.h>
#include <limits.h>

#include "http/date.h"
#include "http/values.h"

/* "name":123 or "name":null. */
static int append_number(struct hf_buf *b, const char *name, bool known, uint64_t value)
{
	if (!known)
		return hf_buf_appendf(b, ",\"%s\":null", name);
	return hf_buf_appendf(b, ",\"%s\":%" PRIu64, name, value);
}

/* ---- lanes ---- */

bool hf_lane_states_are_known(struct hf_span list)
{
	static const char *const states[] = { "idle",  "sending", "waiting", "offline",
					      "after", "held",	  "paused",  "no-origin" };
	size_t i;

	while (list.ptr) {
		struct hf_span word = hf_span_cut(&list, ',');

		for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
			if (hf_span_eq_str(word, states[i]))
				break;
		if (i == sizeof(states) / sizeof(states[0]))
			return false;
	}
	return true;
}

struct lanes {
	const struct hf_lane_filter *filter;
	struct hf_buf *out;
	unsigned shown, hidden;
};

static bool is_asked(const struct hf_lane_filter *f, const struct hf_lane_figures *l)
{
	struct hf_span states = f->state;

	if ((f->origin.ptr && !hf_span_eq(f->origin, l->origin)) ||
	    (f->lane.ptr && !hf_span_eq(f->lane, l->key)))
		return false;
	while (states.ptr)
		if (hf_span_eq_str(hf_span_cut(&states, ','), l->state))
			return true;
	return !f->state.ptr;
}

static int append_lane(struct hf_buf *b, const struct hf_lane_figures *f)
{
	int err = hf_buf_append_str(b, "{\"lane\":");

	if (!err)
		err = hf_json_append_string(b, f->key);
	if (!err)
		err = hf_buf_append_str(b, ",\"origin\":");
	if (!err)
		err = hf_json_append_string(b, f->origin);
	if (!err)
		err = hf_buf_appendf(b,
				     ",\"depth\":%" PRIu64 ",\"held\":%" PRIu64
				     ",\"oldestAgeSeconds\":%" PRIu64,
				     f->waiting, f->held, f->oldest_age_ms / 1000);
	if (!err)
		err = append_number(b, "nextAttemptInMs", f->next_attempt_ms != UINT64_MAX,
				    f->next_attempt_ms);
	if (!err)
		err = append_number(b, "lastProgressSecondsAgo", f->progress_ago_ms != UINT64_MAX,
				    f->progress_ago_ms / 1000);
	if (!err)
		err = f->reason ? hf_buf_appendf(b, ",\"reason\":\"%s\"", f->reason) :
				  hf_buf_append_str(b, ",\"reason\":null");
	return err ? err : hf_buf_appendf(b, ",\"state\":\"%s\"}", f->state);
}

static int add_lane(void *user, const struct hf_lane_figures *f)
{
	struct lanes *l = user;
	int err;

	if (!is_asked(l->filter, f))
		return 0;
	if (l->shown >= l->filter->most) {
		l->hidden++;
		return 0;
	}
	err = hf_buf_append_str(l->out, l->shown++ ? "," : "");
	return err ? err : append_lane(l->out, f);
}

int hf_lanes_json(struct hf_queue *q, const struct hf_lane_filter *filter, struct hf_buf *out)
{
	struct lanes l = { .filter = filter, .out = out };
	int err = hf_buf_append_str(out, "\"lanes\":[");

	if (!err)
		err = hf_queue_each_lane(q, add_lane, &l);
	return err ? err : hf_buf_appendf(out, "],\"lanesNotShown\":%u", l.hidden);
}

/* ---- holds ---- */

int hf_hold_json(const struct hf_queue *q, const struct hf_hold *h, struct hf_buf *out)
{
	uint64_t now = hf_queue_device_ms(q);
	char since[25];
	int err = hf_buf_append_str(out, "\"origin\":");

	if (!err)
		err = hf_json_append_string(out, hf_queue_origin_name(q, h->origin));
	if (!err)
		err = hf_buf_append_str(out, ",\"lane\":");
	if (!err)
		err = h->lane.ptr ? hf_json_append_string(out, h->lane) :
				    hf_buf_append_str(out, "null");
	if (!err && h->since_wall_ms > 0) {
		hf_rfc3339_format(h->since_wall_ms, since);
		err = hf_buf_appendf(out, ",\"since\":\"%s\"", since);
	} else if (!err) {
		err = hf_buf_append_str(out, ",\"since\":null");
	}
	if (!err)
		err = append_number(out, "ageSeconds", true,
				    now > h->since_dev_ms ? (now - h->since_dev_ms) / 1000 : 0);
	if (!err)
		err = append_number(out, "endsInSeconds", h->until_dev_ms != 0,
				    h->until_dev_ms > now ? (h->until_dev_ms - now + 999) / 1000 :
							    0);
	return err;
}

struct holds {
	const struct hf_queue *queue;
	struct hf_buf *out;
	unsigned origin, n;
};

static int add_hold(void *user, const struct hf_hold *hold)
{
	struct holds *h = user;
	int err;

	if (h->origin != UINT_MAX && h->origin != hold->origin)
		return 0;
	err = hf_buf_append_str(h->out, h->n++ ? ",{" : "{");
	if (!err)
		err = hf_hold_json(h->queue, hold, h->out);
	return err ? err : hf_buf_append_str(h->out, "}");
}

int hf_holds_json(const struct hf_queue *q, unsigned origin, struct hf_buf *out)
{
	struct holds h = { .queue = q, .out = out, .origin = origin };
	int err = hf_buf_append_str(out, "\"holds\":[");

	if (!err)
		err = hf_queue_each_hold(q, add_hold, &h);
	return err ? err : hf_buf_append_str(out, "]");
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/panel_answers.h"

#include <stdio.h>

#include "holdfast_config.h"

#define KEEP_US (CONFIG_HF_RESPONSE_KEEP_S * SIM_US_PER_S)

/* The id is what stands behind the last slash of Location. */
void sim_answer_id(struct sim_order *o, const struct hf_message *msg)
{
	const struct hf_span *location = hf_fields_get(&msg->fields, "Location");
	size_t i;

	if (!location || location->len == 0)
		return;
	for (i = location->len; i > 0 && location->ptr[i - 1] != '/'; i--)
		;
	snprintf(o->id, sizeof(o->id), "%.*s", HF_SPAN_ARG(hf_span_skip(*location, i)));
}

/* @body is what the shop has said, up to where it ends. */
static bool is_said(const struct sim_order *o, struct hf_span body)
{
	char right[64];
	size_t n = (size_t)snprintf(right, sizeof(right), SIM_ANSWER_BODY, o->n);

	for (size_t i = 0; i < body.len; i++)
		if (body.ptr[i] != (i < n ? right[i] : ' '))
			return false;
	return true;
}

/* Kept no more, or never there: the page cannot tell, the clock can. */
static bool is_gone(const struct hf_message *msg)
{
	const struct hf_span *state = hf_fields_get(&msg->fields, "Holdfast-State");

	return msg->status == 404 ||
	       (msg->status == 410 && state && hf_span_eq_str(*state, "settled"));
}

/* An answer is kept from its coming on, which is after the last attempt. Device time
 * is no faster than the world's. */
static void look_at_age(const struct sim_device *dev, struct sim_order *o,
			const struct hf_message *msg)
{
	bool gone = !o->answer_right && msg && is_gone(msg);
	bool old = dev->world->now_us - o->attempt_us > KEEP_US;

	o->answer_aged = gone && old;
	o->answer_gone |= gone && !old;
}

static bool may_be_cut(const struct sim_device *dev, const struct sim_order *o)
{
	return sim_disk_stats(dev->disk)->refused > 0 || o->broken_off ||
	       dev->node->struck_us >= o->attempt_us || dev->heap.failed > 0;
}

/* One that is cut is right only where there was no room for it or the way broke, and
 * it says so. */
void sim_answer_kept(const struct sim_device *dev, struct sim_order *o,
		     const struct hf_message *msg, struct hf_span body)
{
	bool cut = msg && hf_fields_get(&msg->fields, "Holdfast-Truncated");

	o->answer_status = msg ? msg->status : -1;
	o->answer_right = msg && msg->status == o->said_status;
	if (o->answer_right && o->said_status == 201)
		o->answer_right = is_said(o, body) &&
				  (cut ? may_be_cut(dev, o) : body.len == o->answer_bytes);
	look_at_age(dev, o, msg);
}

/* The text behind "@name":" up to the next quote; none: empty. */
static void member(struct hf_span json, const char *name, char *out, size_t size)
{
	char mark[24];
	size_t n = (size_t)snprintf(mark, sizeof(mark), "\"%s\":\"", name);
	const char *at = json.len ? memmem(json.ptr, json.len, mark, n) : NULL;
	struct hf_span rest;

	out[0] = '\0';
	if (!at)
		return;
	rest = hf_span_skip(json, (size_t)(at - json.ptr) + n);
	rest = hf_span_cut(&rest, '"');
	snprintf(out, size, "%.*s", HF_SPAN_ARG(rest));
}

/* It is given up for want of a value, and nothing brings that back. */
static bool is_hopeless(const struct sim_device *dev, const struct sim_order *o)
{
	if (!o->parent || strcmp(o->state, "dead") != 0)
		return false;
	if (strcmp(o->reason, "after-failed") == 0)
		return o->parent->hopeless;
	return strcmp(o->reason, "after-value") == 0 && may_be_cut(dev, o->parent);
}

void sim_answer_state(const struct sim_device *dev, struct sim_order *o, int status,
		      struct hf_span body)
{
	if (status != 200)
		return;
	member(body, "state", o->state, sizeof(o->state));
	member(body, "reason", o->reason, sizeof(o->reason));
	o->was_held |= strcmp(o->state, "held") == 0;
	o->hopeless = is_hopeless(dev, o);
}

void sim_answer_replaced(struct sim_order *o, struct hf_span body)
{
	char id[sizeof(o->id)];

	member(body, "replacedBy", id, sizeof(id));
	if (id[0])
		memcpy(o->id, id, sizeof(id));
	o->was_dead = true;
}

bool sim_answer_next_id(struct hf_span *list, char *id, size_t size)
{
	static const char mark[] = "{\"id\":\"";
	const char *at = list->len ? memmem(list->ptr, list->len, mark, sizeof(mark) - 1) : NULL;

	if (!at)
		return false;
	*list = hf_span_skip(*list, (size_t)(at - list->ptr) + 1);
	member(*list, "id", id, size);
	return true;
}

/* What was given up or cancelled goes on under a new id. */
void sim_answer_retry(struct sim_order *o, int status, struct hf_span body)
{
	char id[sizeof(o->id)];

	if (status != 200)
		return;
	member(body, "id", id, sizeof(id));
	o->was_dead |= strcmp(id, o->id) != 0;
	o->was_held = true;
	memcpy(o->id, id, sizeof(id));
	member(body, "state", o->state, sizeof(o->state));
}

void sim_answer_settled(struct sim_ledger *l, struct hf_span line)
{
	for (size_t i = 0; i < l->n; i++) {
		struct sim_order *o = l->v[i];

		if (o->id[0] && o->settled_us == SIM_NEVER &&
		    memmem(line.ptr, line.len, o->id, strlen(o->id)))
			o->settled_us = l->world->now_us;
	}
}

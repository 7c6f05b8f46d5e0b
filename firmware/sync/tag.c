/* SPDX-License-Identifier: Apache-2.0 */
/* One registration in memory: its name, what it counts for, its figures. */
#include <stdlib.h>

#include "holdfast_config.h"
#include "net/backoff.h"
#include "sync/tags_private.h"

const struct hf_sync_action *hf_tag_action(const struct hf_tag *tag)
{
	const struct hf_tags_options *opt = &tag->tags->opt;

	return opt->action(opt->user, tag->worker, hf_tag_text(tag));
}

void hf_tags_want(struct hf_tags *t, unsigned origin, bool wanted)
{
	struct hf_tag_origin *o = &t->origins[origin];

	if (wanted && o->wanted++ == 0)
		hf_connectivity_want(t->opt.sync.connectivity, origin, true);
	else if (!wanted && --o->wanted == 0)
		hf_connectivity_want(t->opt.sync.connectivity, origin, false);
}

void hf_tag_set_wanted(struct hf_tag *tag, bool wanted)
{
	if (wanted == tag->wanted)
		return;
	tag->wanted = wanted;
	hf_tags_want(tag->tags, tag->tags->opt.workers[tag->worker].origin, wanted);
}

void hf_tag_set_running(struct hf_tag *tag, bool running)
{
	struct hf_tag_origin *o = hf_tag_origin(tag);
	unsigned *n = tag->page ? &o->pages_running : &o->running;

	if (running == tag->running)
		return;
	tag->running = running;
	*n += running ? 1 : -1u;
	if (!running)
		hf_tag_origin_kick(o);
}

struct hf_tag *hf_tag_create(struct hf_tags *t, unsigned worker, struct hf_span text)
{
	struct hf_tag *tag;

	if (text.len > CONFIG_HF_SYNC_TAG_BYTES_MAX)
		return NULL;
	tag = calloc(1, sizeof(*tag) + text.len + 1);
	if (!tag)
		return NULL;
	tag->tags = t;
	tag->worker = (uint16_t)worker;
	tag->tag_len = (uint16_t)text.len;
	if (text.len > 0)
		memcpy(tag->tag, text.ptr, text.len);
	hf_list_init(&tag->link);
	hf_list_init(&tag->ready);
	tag->page = hf_tag_action(tag)->kind == HF_SYNC_PAGE;
	return tag;
}

void hf_tag_break_off(struct hf_tag *tag)
{
	hf_firing_destroy(tag->firing);
	tag->firing = NULL;
	hf_tag_set_running(tag, false);
}

void hf_tag_free(struct hf_tag *tag)
{
	hf_tag_break_off(tag);
	hf_list_remove(&tag->ready);
	hf_tag_set_wanted(tag, false);
	hf_tag_forget_name(tag);
	hf_list_remove(&tag->link);
	free(tag);
}

void hf_tag_facts(struct hf_tags *t, struct hf_tag_facts *f)
{
	int64_t wall = 0;

	t->opt.sync.port->wall_ms(t->opt.sync.port, &wall);
	*f = (struct hf_tag_facts){
		.now_dev_ms = hf_tags_device_ms(t),
		.now_wall_ms = wall < HF_WALL_MIN_MS ? 0 : wall,
		.crashes_max = CONFIG_HF_SYNC_CRASHES_MAX,
	};
}

void hf_tag_plan(struct hf_tag *tag)
{
	const struct hf_sync_action *a = hf_tag_action(tag);
	struct hf_tag_terms terms = { a->attempts_max, a->max_age_s * UINT64_C(1000) };

	tag->delay_ms = hf_backoff_ms(tag->tags->opt.sync.rand, a->retry_s * 1000,
				      CONFIG_HF_SYNC_RETRY_MAX_S * 1000, tag->state.attempts);
	tag->last_chance = hf_tag_last_chance(&tag->state, &terms, hf_tags_device_ms(tag->tags),
					      tag->delay_ms);
}

/* ---- figures ---- */

uint64_t hf_tag_next_ms(const struct hf_tag *tag)
{
	uint64_t device = hf_tags_device_ms(tag->tags);

	if (tag->state.status != HF_TAG_WAITING)
		return UINT64_MAX;
	return tag->state.due_dev_ms > device ? tag->state.due_dev_ms - device : 0;
}

void hf_tag_figures(struct hf_tag *tag, struct hf_tag_figures *f)
{
	const struct hf_tags *t = tag->tags;
	const struct hf_sync_action *a = hf_tag_action(tag);
	uint64_t device = hf_tags_device_ms(t), created = tag->state.created_dev_ms;

	*f = (struct hf_tag_figures){
		.id = tag->id,
		.tag = hf_tag_text(tag),
		.worker = hf_span_str(t->opt.workers[tag->worker].name),
		.origin = t->opt.workers[tag->worker].origin,
		.state = hf_tag_status_name(tag->state.status),
		.why = hf_tag_why_name(tag->state.why),
		.kind = hf_firing_kind_name(a->kind),
		.attempts = tag->state.attempts,
		.attempts_max = a->attempts_max,
		.status = tag->state.last_status,
		.firing = tag->firing != NULL,
		.last_chance = tag->firing && tag->last_chance,
		.event = tag->firing && tag->page ? hf_firing_id(tag->firing) : NULL,
		.age_ms = device > created ? device - created : 0,
		.created_wall_ms = tag->state.created_wall_ms,
		.next_ms = hf_tag_next_ms(tag),
		.left_ms = tag->firing ? hf_firing_left_ms(tag->firing) : 0,
	};
}

void hf_tag_tell(struct hf_tag *tag, const char *state)
{
	struct hf_tag_figures f;

	if (!tag->tags->opt.on_event)
		return;
	hf_tag_figures(tag, &f);
	f.state = state;
	tag->tags->opt.on_event(tag->tags->opt.user, &f);
}

/* ---- the exhausted ---- */

static void forget_oldest(struct hf_tags *t)
{
	struct hf_tag *tag = hf_container_of(t->exhausted.next, struct hf_tag, link);
	struct hf_tag_facts f;

	hf_log(t->opt.sync.log, HF_LOG_WARNING, "sync.forgotten", "id=%llu",
	       (unsigned long long)tag->id);
	hf_tag_facts(t, &f);
	hf_tag_step(&tag->state, HF_TAG_UNREGISTER, &f);
	tag->last_word = HF_TAG_FORGOTTEN;
	hf_tag_origin(tag)->totals.forgotten++;
	hf_tag_place(tag);
	hf_tag_store(tag, NULL);
}

void hf_tag_exhaust(struct hf_tag *tag)
{
	struct hf_tags *t = tag->tags;
	struct hf_list *behind;

	hf_tag_forget_name(tag);
	hf_list_remove(&tag->link);
	behind = t->exhausted.prev;
	while (behind != &t->exhausted &&
	       hf_container_of(behind, struct hf_tag, link)->id > tag->id)
		behind = behind->prev;
	hf_list_push_front(behind, &tag->link);
	t->exhausted_n++;
	hf_tag_place(tag);
	if (t->exhausted_n > CONFIG_HF_SYNC_EXHAUSTED_MAX)
		forget_oldest(t);
}

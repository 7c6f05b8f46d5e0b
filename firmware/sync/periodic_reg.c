/* SPDX-License-Identifier: Apache-2.0 */
/* One periodic registration in memory: its name, what it counts for, its figures. */
#include <stdlib.h>

#include "holdfast_config.h"
#include "store/codec.h"
#include "sync/periodic_private.h"

const struct hf_periodic_sync *hf_periodic_what(const struct hf_periodic_reg *r)
{
	const struct hf_periodic_options *opt = &r->all->opt;

	return opt->what(opt->user, r->worker, hf_periodic_text(r));
}

/* ---- life ---- */

struct hf_periodic_reg *hf_periodic_find(struct hf_periodic *p, unsigned worker,
					 struct hf_span text)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &p->regs) {
		struct hf_periodic_reg *r = hf_periodic_reg_at(it);

		if (r->worker == worker && r->state.status != HF_PERIODIC_NONE &&
		    hf_span_eq(hf_periodic_text(r), text))
			return r;
	}
	return NULL;
}

struct hf_periodic_reg *hf_periodic_add(struct hf_periodic *p, unsigned worker, struct hf_span text,
					uint64_t id)
{
	struct hf_periodic_reg *r;

	if (text.len > CONFIG_HF_SYNC_TAG_BYTES_MAX)
		return NULL;
	r = calloc(1, sizeof(*r) + text.len + 1);
	if (!r)
		return NULL;
	r->all = p;
	r->id = id;
	r->worker = (uint16_t)worker;
	r->tag_len = (uint16_t)text.len;
	if (text.len > 0)
		memcpy(r->tag, text.ptr, text.len);
	r->page = hf_periodic_what(r)->action.kind == HF_SYNC_PAGE;
	hf_list_push(&p->regs, &r->link);
	p->counts[worker]++;
	return r;
}

void hf_periodic_break_off(struct hf_periodic_reg *r)
{
	hf_firing_destroy(r->firing);
	r->firing = NULL;
	hf_periodic_set_running(r, false);
}

void hf_periodic_free(struct hf_periodic_reg *r)
{
	hf_periodic_break_off(r);
	r->state.status = HF_PERIODIC_NONE;
	hf_periodic_set_wanted(r);
	r->all->counts[r->worker]--;
	hf_list_remove(&r->link);
	free(r);
}

/* ---- what it counts for ---- */

void hf_periodic_set_running(struct hf_periodic_reg *r, bool running)
{
	struct hf_periodic_origin *o = &r->all->origins[hf_periodic_origin_of(r)];
	unsigned *n = r->page ? &o->pages_running : &o->running;

	if (running == r->running)
		return;
	r->running = running;
	*n += running ? 1 : -1u;
	if (!running)
		hf_periodic_kick(o);
}

void hf_periodic_set_wanted(struct hf_periodic_reg *r)
{
	bool wanted = r->state.status == HF_PERIODIC_FIRING ||
		      r->state.status == HF_PERIODIC_REREGISTERED ||
		      (r->state.status == HF_PERIODIC_PENDING && !hf_periodic_blocked(r));

	if (wanted == r->wanted)
		return;
	r->wanted = wanted;
	hf_tags_want(r->all->opt.tags, hf_periodic_origin_of(r), wanted);
}

/* ---- facts and figures ---- */

void hf_periodic_facts(struct hf_periodic *p, struct hf_periodic_facts *f)
{
	struct hf_port *port = p->opt.sync.port;
	int64_t wall = 0;
	bool synced = port->wall_ms(port, &wall) == HF_CLOCK_SYNCED;

	if (wall < HF_WALL_MIN_MS)
		wall = 0;
	*f = (struct hf_periodic_facts){
		.now_dev_ms = hf_periodic_device_ms(p),
		.now_wall_ms = wall,
		.synced_wall_ms = synced ? wall : 0,
		.floor_ms = CONFIG_HF_PERIODIC_MIN_INTERVAL_S * UINT64_C(1000),
		.named_max_ms = p->opt.sync.retry_after_max_s * UINT64_C(1000),
		.retries = CONFIG_HF_PERIODIC_RETRIES,
		.crashes_max = CONFIG_HF_SYNC_CRASHES_MAX,
	};
}

static uint64_t since(int64_t now_ms, int64_t then_ms)
{
	return now_ms > then_ms ? (uint64_t)(now_ms - then_ms) : 0;
}

static uint64_t next_ms(const struct hf_periodic_reg *r, int64_t now_ms)
{
	switch ((enum hf_periodic_status)r->state.status) {
	case HF_PERIODIC_WAITING:
	case HF_PERIODIC_RETRYING:
		return since(r->state.due_dev_ms, now_ms);
	case HF_PERIODIC_PENDING:
		return 0;
	case HF_PERIODIC_NONE:
	case HF_PERIODIC_FIRING:
	case HF_PERIODIC_REREGISTERED:
	case HF_PERIODIC_STATUSES:
		break;
	}
	return UINT64_MAX;
}

static const char *waits_for(const struct hf_periodic_reg *r)
{
	if (r->state.status != HF_PERIODIC_PENDING)
		return NULL;
	return hf_periodic_is_down(r) ? "network" : hf_periodic_blocked(r);
}

static void result_figures(const struct hf_periodic_reg *r, int64_t now_ms,
			   struct hf_periodic_figures *f)
{
	if (r->state.result == HF_PERIODIC_NO_RESULT)
		return;
	f->result = r->state.result == HF_PERIODIC_SUCCEEDED ? "success" : "failure";
	f->result_why = hf_tag_why_name(r->state.result_why);
	f->result_status = r->state.last_status;
	f->result_wall_ms = r->state.result_wall_ms;
	f->result_age_ms = since(now_ms, r->state.result_dev_ms);
}

void hf_periodic_figures(struct hf_periodic_reg *r, struct hf_periodic_figures *f)
{
	const struct hf_periodic_state *s = &r->state;
	struct hf_periodic_facts now;

	hf_periodic_facts(r->all, &now);
	*f = (struct hf_periodic_figures){
		.id = r->id,
		.tag = hf_periodic_text(r),
		.worker = hf_span_str(r->all->opt.workers[r->worker].name),
		.origin = hf_periodic_origin_of(r),
		.state = hf_periodic_status_name(s->status),
		.kind = hf_firing_kind_name(hf_periodic_what(r)->action.kind),
		.min_interval_ms = s->min_interval_ms,
		.interval_ms = hf_periodic_interval_ms(s, now.floor_ms),
		.next_ms = next_ms(r, now.now_dev_ms),
		.waits_for = waits_for(r),
		.attempts = s->attempts,
		.runs = s->runs,
		.missed = s->missed,
		.created_wall_ms = s->created_wall_ms,
		.age_ms = since(now.now_dev_ms, s->created_dev_ms),
		.firing = r->firing != NULL,
		.event = r->firing && r->page ? hf_firing_id(r->firing) : NULL,
		.left_ms = r->firing ? hf_firing_left_ms(r->firing) : 0,
	};
	if (f->next_ms != UINT64_MAX && now.now_wall_ms)
		f->next_wall_ms = now.now_wall_ms + (int64_t)f->next_ms;
	result_figures(r, now.now_dev_ms, f);
}

void hf_periodic_tell(struct hf_periodic_reg *r, const char *state)
{
	struct hf_periodic_figures f;

	if (!r->all->opt.on_event)
		return;
	hf_periodic_figures(r, &f);
	f.state = state;
	r->all->opt.on_event(r->all->opt.user, &f);
}

/* ---- its row ---- */

int hf_periodic_store(struct hf_periodic_reg *r, const char *word, struct hf_tag_change *change)
{
	uint8_t value[HF_PERIODIC_VALUE_SIZE];
	struct hf_row_write_job job = {
		.id = r->id,
		.fresh = !r->stored && r->writes == 0,
		.remove = r->state.status == HF_PERIODIC_NONE,
		.worker = hf_span_str(r->all->opt.workers[r->worker].name),
		.tag = hf_periodic_text(r),
		.value = hf_span(value, sizeof(value)),
		.owner = r,
		.change = change,
		.word = word,
	};
	int err;

	hf_periodic_encode(&r->state, value);
	err = hf_row_write(&r->all->writes, &job);
	if (!err)
		r->writes++;
	return err;
}

void hf_periodic_drop_row(struct hf_periodic *p, uint64_t id)
{
	struct hf_row_write_job job = { .id = id, .remove = true };

	(void)hf_row_write(&p->writes, &job); /* without: the next start finds it again */
}

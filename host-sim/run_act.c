/* SPDX-License-Identifier: Apache-2.0 */
/* Doing: what each step does to the stage. */
#include "run_private.h"

#include <inttypes.h>

#include "sim/mem.h"
#include "story_words.h"

static const char *origin_name(const struct sim_stage *s, const struct sim_step *step)
{
	return sim_origin_name(sim_stage_origin(s, step->origin));
}

/* ---- people ---- */

/* The one that is meant, if it was accepted by the same device for the same origin. */
static struct sim_order *other_order(struct sim_run *r, const struct sim_step *step,
				     const char *device)
{
	const struct sim_ledger *l = &r->stage->ledger;
	size_t i = step->a == SIM_NEVER ? l->n : step->a < l->n ? (size_t)step->a : l->n;

	for (; i > 0; i--) {
		struct sim_order *o = l->v[i - 1];

		if (sim_order_promised(o) && strcmp(o->device, device) == 0 &&
		    strcmp(o->origin, origin_name(r->stage, step)) == 0)
			return o;
		if (step->a != SIM_NEVER)
			break;
	}
	return NULL;
}

/* A page that knows the number needs nobody to fill it in; one that was refused the
 * first order has no second one. */
static struct sim_order *send_after(struct sim_run *r, const struct sim_step *step)
{
	struct sim_panel *panel = sim_stage_panel(r->stage, step->panel, step->device);
	struct sim_order *parent = other_order(r, step, sim_panel_device(panel)->name);
	char *path, *body;
	struct sim_order *o;

	if (!parent)
		return NULL;
	if (parent->id[0])
		return sim_panel_order_after(panel, parent, step->method, step->path, step->body);
	path = sim_ledger_fill(step->path, parent);
	body = sim_ledger_fill(step->body, parent);
	o = sim_panel_order(panel, parent->origin, step->method, path, body);
	free(path);
	free(body);
	return o;
}

/* The body with the order's number in place of "{n}"; NULL: there is no place for it. */
static char *numbered(const struct sim_run *r, const char *text)
{
	const char *mark = strstr(text, "{n}");
	char *body = NULL;

	if (mark && asprintf(&body, "%.*s%zu%s", (int)(mark - text), text, r->stage->ledger.n + 1,
			     mark + 3) < 0)
		sim_must(NULL);
	return body;
}

static void act_on_sensors(struct sim_run *r, const struct sim_step *step)
{
	struct sim_sensor *sensor;

	for (size_t i = 0; (sensor = sim_stage_sensor(r->stage, step->panel, &i)); i++) {
		char *body;

		if (step->what == SIM_DO_AIR) {
			sim_net_worsen(sim_sensor_node(sensor), (enum sim_net_fault)step->a,
				       step->b, SIM_UPLOADS);
			continue;
		}
		body = numbered(r, step->body);
		r->last_order = sim_sensor_send(sensor, origin_name(r->stage, step), step->method,
						step->path, body ? body : step->body);
		r->last = SIM_LAST_ORDER;
		free(body);
	}
}

static void send_order(struct sim_run *r, const struct sim_step *step)
{
	char *body = numbered(r, step->body);
	struct sim_order *o;

	if (step->a)
		o = send_after(r, step);
	else
		o = sim_panel_order(sim_stage_panel(r->stage, step->panel, step->device),
				    origin_name(r->stage, step), step->method, step->path,
				    body ? body : step->body);
	if (o) {
		r->last = SIM_LAST_ORDER;
		r->last_order = o;
	}
	free(body);
}

static void load_page(struct sim_run *r, const struct sim_step *step)
{
	r->last = SIM_LAST_PAGE;
	r->last_panel = sim_stage_panel(r->stage, step->panel, step->device);
	sim_panel_get(r->last_panel, origin_name(r->stage, step), step->path, step->body);
}

/* An order without an id was not kept: there is nothing to cancel. */
static void change_order(struct sim_run *r, const struct sim_step *step)
{
	struct sim_stage *s = r->stage;
	struct sim_order *o = step->a && step->a <= s->ledger.n ? s->ledger.v[step->a - 1] : NULL;

	if (!o || !o->id[0])
		return;
	if (step->what == SIM_DO_CANCEL)
		sim_panel_cancel(sim_stage_panel(s, NULL, o->device), o);
	else
		sim_panel_retry(sim_stage_operator(s, o->device), o);
}

/* ---- origins ---- */

static void change_mood(struct sim_origin *origin, const struct sim_step *step)
{
	struct sim_origin_mood mood = *sim_origin_mood_now(origin);

	switch (step->what) {
	case SIM_DO_ORIGIN_ANSWER:
		if (step->a == 0) /* normally: none of it */
			memset(&mood, 0, sizeof(mood));
		mood.status = (int)step->a;
		mood.retry_after_s = (uint32_t)step->b;
		break;
	case SIM_DO_ORIGIN_LARGE:
		mood.answer_bytes = (size_t)step->a;
		break;
	case SIM_DO_ORIGIN_LOSE:
		mood.lose_percent = (unsigned)step->a;
		break;
	case SIM_DO_ORIGIN_CUTS:
		mood.break_percent = (unsigned)step->a;
		break;
	case SIM_DO_ORIGIN_GARBLE:
		mood.garble_percent = (unsigned)step->a;
		break;
	default:
		mood.slow_us = step->a;
		break;
	}
	sim_origin_mood(origin, &mood);
}

static void reach(struct sim_stage *s, struct sim_origin *origin, bool up, bool silent)
{
	sim_origin_node(origin)->black_hole = silent;
	sim_origin_up(origin, up);
	sim_net_changed(&s->net);
}

static void act_on_origin(struct sim_run *r, struct sim_origin *origin, const struct sim_step *step)
{
	if (step->what == SIM_DO_ORIGIN_UP || step->what == SIM_DO_ORIGIN_DOWN ||
	    step->what == SIM_DO_ORIGIN_SILENT)
		reach(r->stage, origin, step->what != SIM_DO_ORIGIN_DOWN,
		      step->what == SIM_DO_ORIGIN_SILENT);
	else if (step->what == SIM_DO_ORIGIN_CERT)
		sim_origin_cert(origin, (enum sim_cert)step->a);
	else if (step->what == SIM_DO_ORIGIN_PUBLISH)
		sim_origin_publish(origin);
	else if (step->what == SIM_DO_ORIGIN_VALUE)
		sim_origin_value(origin, step->path, step->body);
	else if (step->what == SIM_DO_ORIGIN_TOKENS)
		sim_origin_tokens(origin, step->a);
	else
		change_mood(origin, step);
}

/* ---- devices ---- */

static void set_link(struct sim_stage *s, struct sim_device *dev, const struct sim_step *step)
{
	if (step->a == SIM_LINK_CAPTIVE)
		sim_origin_portal(s->portal, (enum sim_portal_kind)step->b);
	sim_link_set(dev, (enum sim_link)step->a);
}

static void cut(struct sim_device *dev, const struct sim_step *step)
{
	if (step->a == 0)
		sim_device_cut(dev);
	else
		sim_device_cut_at(dev, step->a, step->b);
}

static void act_on_device(struct sim_run *r, struct sim_device *dev, const struct sim_step *step)
{
	switch (step->what) {
	case SIM_DO_LINK:
		set_link(r->stage, dev, step);
		break;
	case SIM_DO_LINK_FLAPS:
		sim_link_flap(dev, step->a, step->b);
		break;
	case SIM_DO_METERED:
		sim_stage_metered(r->stage, dev, step->a != 0);
		break;
	case SIM_DO_DNS:
		dev->node->lied |= step->a == SIM_DNS_LIES;
		dev->node->dns = (struct sim_dns_faults){ (enum sim_dns_mode)step->a, step->b };
		break;
	case SIM_DO_NETWORK:
		sim_net_worsen(dev->node, (enum sim_net_fault)step->a, step->b,
			       (enum sim_direction)step->c);
		break;
	case SIM_DO_CLOCK:
		sim_device_clock(dev, (enum sim_clock_fault)step->a, step->b);
		break;
	case SIM_DO_CUT:
		cut(dev, step);
		break;
	case SIM_DO_BOOT:
		sim_device_boot(dev);
		break;
	case SIM_DO_REBOOT_AFTER:
		dev->reboot_after_us = step->a;
		break;
	case SIM_DO_DISK:
		sim_disk_worsen(dev->disk, (enum sim_disk_fault)step->a, step->b);
		break;
	case SIM_DO_MEMORY:
		dev->heap.fail_in = step->a;
		break;
	case SIM_DO_PROCESS:
		sim_device_process(dev, (enum sim_process_fault)step->a, step->b, step->c);
		break;
	default:
		break;
	}
}

/* What is done is in the trace that people read, not in its hash. */
static void show(struct sim_world *w, const struct sim_step *step)
{
	struct sim_said said;

	sim_story_words(step, &said);
	if (said.tone != SIM_TONE_NONE)
		fprintf(w->trace.out,
			"%12" PRIu64 ".%06" PRIu64 " world: %s (%" PRIu64 " %" PRIu64 " %" PRIu64
			")\n",
			w->now_us / SIM_US_PER_S, w->now_us % SIM_US_PER_S, said.text, step->a,
			step->b, step->c);
}

void sim_run_act(struct sim_run *r, const struct sim_step *step)
{
	struct sim_stage *s = r->stage;

	if (r->watch)
		r->watch->on_step(r->watch->user, step);
	if (s->world.trace.out)
		show(&s->world, step);
	if (sim_step_expects(step)) {
		sim_run_expect(r, step);
		return;
	}
	switch (step->what) {
	case SIM_DO_ORDER:
		send_order(r, step);
		break;
	case SIM_DO_GET:
		load_page(r, step);
		break;
	case SIM_DO_RELEASE:
		sim_stage_release(s, (unsigned)step->a);
		break;
	case SIM_DO_SENSOR:
	case SIM_DO_AIR:
		if (IS_ENABLED(CONFIG_HF_SENSOR))
			act_on_sensors(r, step);
		break;
	case SIM_DO_FOLLOW:
		sim_panel_follow(sim_stage_panel(s, step->panel, step->device), true);
		break;
	case SIM_DO_OBSERVE:
		sim_panel_observe(sim_stage_panel(s, step->panel, step->device),
				  origin_name(s, step), step->path);
		break;
	case SIM_DO_READ:
		sim_run_ask_answers(s);
		break;
	case SIM_DO_CANCEL:
	case SIM_DO_RETRY:
		change_order(r, step);
		break;
	case SIM_DO_WAIT:
		sim_world_run(&s->world, s->world.now_us + step->a);
		break;
	case SIM_DO_NOTE:
		break;
	case SIM_DO_ALL_WELL:
		sim_run_all_well(r, step->a);
		break;
	default:
		if (step->what >= SIM_DO_ORIGIN_UP)
			act_on_origin(r, sim_stage_origin(s, step->origin), step);
		else
			act_on_device(r, sim_stage_device(s, step->device), step);
		break;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a step does, in words: each function takes one phrase of the language
 * (docs/SIMULATOR.md) and leaves the rest of the line.
 */
#include "script_steps.h"

#include "sim/mem.h"

/* ---- names ---- */

static bool take_name(struct sim_script *s, const char *name, const char **out)
{
	if (!sim_words_take(s, name))
		return false;
	*out = name;
	return true;
}

bool sim_script_device(struct sim_script *s, const char **out)
{
	const struct sim_cast *cast = &s->plan->cast;
	size_t i;

	for (i = 0; i < cast->devices_n; i++)
		if (take_name(s, cast->devices[i], out))
			return true;
	return cast->devices_n == 0 && take_name(s, "kiosk", out);
}

bool sim_script_panel(struct sim_script *s, const char **out)
{
	const struct sim_cast *cast = &s->plan->cast;
	size_t i;

	for (i = 0; i < cast->panels_n; i++)
		if (take_name(s, cast->panels[i].name, out))
			return true;
	return false;
}

bool sim_script_origin_name(struct sim_script *s, const char **out)
{
	const struct sim_cast *cast = &s->plan->cast;
	size_t i;

	for (i = 0; i < cast->origins_n; i++)
		if (take_name(s, cast->origins[i].name, out))
			return true;
	return take_name(s, "shop", out);
}

int sim_script_one_of(struct sim_script *s, const char *const *words)
{
	int i;

	for (i = 0; words[i]; i++)
		if (sim_words_take(s, words[i]))
			return i;
	return -1;
}

/* ---- people ---- */

static bool need_path(struct sim_script *s, const char **out)
{
	if (sim_words_end(s) || s->words[s->at].text.len == 0 || s->words[s->at].text.ptr[0] != '/')
		return sim_words_fail(s, "a path is expected here, like /api/orders");
	return sim_words_text(s, "a path", out);
}

/* body of 200kB: that many bytes of text. */
static bool large_body(struct sim_script *s, const char **out)
{
	uint64_t size = 0;

	if (!sim_words_size(s, &size))
		return false;
	*out = sim_plan_filler(s->plan, (size_t)size);
	return true;
}

/* [body TEXT | body of BYTES] */
static bool body(struct sim_script *s, struct sim_step *step)
{
	step->body = "";
	if (!sim_words_take(s, "body"))
		return true;
	if (sim_words_take(s, "of"))
		return large_body(s, &step->body);
	return sim_words_text(s, "a body", &step->body);
}

/* PATH [to ORIGIN] */
static bool target(struct sim_script *s, struct sim_step *step)
{
	if (!need_path(s, &step->path))
		return false;
	return !sim_words_take(s, "to") || sim_script_origin_name(s, &step->origin) ||
	       sim_words_fail(s, "an origin that was named above is expected here");
}

/* order N */
static bool numbered_order(struct sim_script *s, struct sim_step *step, enum sim_do what)
{
	step->what = what;
	return sim_words_need(s, "order") && sim_words_number(s, &step->a);
}

/* order N, or: the last */
static bool other_order(struct sim_script *s, struct sim_step *step)
{
	step->a = SIM_NEVER;
	if (sim_words_take(s, "the"))
		return sim_words_need(s, "last");
	return numbered_order(s, step, SIM_DO_ORDER);
}

static bool panel_action(struct sim_script *s, struct sim_step *step)
{
	static const char *const methods[] = { "POST", "PUT", "PATCH", "DELETE", NULL };
	int method;

	(void)sim_script_panel(s, &step->panel);
	if (sim_words_take(s, "follows")) {
		step->what = SIM_DO_FOLLOW;
		return sim_words_need(s, "events");
	}
	if (sim_words_take(s, "observes")) {
		step->what = SIM_DO_OBSERVE;
		return target(s, step);
	}
	if (sim_words_take(s, "reads")) {
		step->what = SIM_DO_READ;
		return sim_words_need(s, "answers");
	}
	if (sim_words_take(s, "cancels"))
		return numbered_order(s, step, SIM_DO_CANCEL);
	if (sim_words_take(s, "GET")) {
		step->what = SIM_DO_GET;
		return target(s, step) &&
		       (!sim_words_take(s, "in") || sim_words_text(s, "a language", &step->body));
	}
	step->what = SIM_DO_ORDER;
	method = sim_script_one_of(s, methods);
	if (method < 0)
		return sim_words_fail(s, "a panel sends GET, POST, PUT, PATCH or DELETE, observes, "
					 "follows events, reads answers or cancels an order");
	step->method = methods[method];
	if (!target(s, step))
		return false;
	if (sim_words_take(s, "after") && !other_order(s, step))
		return false;
	return body(s, step);
}

static bool take_sensor(struct sim_script *s, struct sim_step *step)
{
	const struct sim_cast *cast = &s->plan->cast;

	for (size_t i = 0; i < cast->sensors_n; i++)
		if (take_name(s, cast->sensors[i].name, &step->panel))
			return true;
	return sim_words_fail(s, "a sensor that was named above is expected here");
}

/* POST | PUT | DELETE PATH ..., network ... */
static bool sensors_action(struct sim_script *s, struct sim_step *step)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE", NULL };
	bool fine = true;
	int method;

	if (sim_words_take(s, "network")) {
		fine = sim_script_network(s, step);
		step->what = SIM_DO_AIR;
		return fine;
	}
	step->what = SIM_DO_SENSOR;
	method = sim_script_one_of(s, methods);
	if (method < 0)
		return sim_words_fail(s, "a sensor sends POST, PUT or DELETE, or has a network");
	step->method = methods[method];
	if (!target(s, step))
		return false;
	return body(s, step);
}

static bool sensor_action(struct sim_script *s, struct sim_step *step)
{
	return take_sensor(s, step) && sensors_action(s, step);
}

static bool operator_action(struct sim_script *s, struct sim_step *step)
{
	return sim_words_need(s, "retries") && numbered_order(s, step, SIM_DO_RETRY);
}

/* ---- power ---- */

/* cut power [at write N [and at write M of the next start]] */
static bool cut_action(struct sim_script *s, struct sim_step *step)
{
	step->what = SIM_DO_CUT;
	if (!sim_words_need(s, "power"))
		return false;
	if (!sim_words_take(s, "at"))
		return true;
	if (!sim_words_need(s, "write") || !sim_words_number(s, &step->a))
		return false;
	if (step->a == 0) {
		s->at--;
		return sim_words_fail(s, "writes are counted from 1");
	}
	if (!sim_words_take(s, "and"))
		return true;
	return sim_words_need(s, "at") && sim_words_need(s, "write") &&
	       sim_words_number(s, &step->b) && sim_words_need(s, "of") &&
	       sim_words_need(s, "the") && sim_words_need(s, "next") && sim_words_need(s, "start");
}

static bool reboot_action(struct sim_script *s, struct sim_step *step)
{
	step->what = SIM_DO_REBOOT_AFTER;
	if (sim_words_take(s, "by")) {
		step->a = SIM_NEVER;
		return sim_words_need(s, "hand");
	}
	return sim_words_need(s, "after") && sim_words_duration(s, &step->a);
}

/* release N */
static bool release_action(struct sim_script *s, struct sim_step *step)
{
	step->what = SIM_DO_RELEASE;
	return sim_words_number(s, &step->a);
}

static bool boot_action(struct sim_script *s, struct sim_step *step)
{
	(void)s;
	step->what = SIM_DO_BOOT;
	return true;
}

static bool wait_action(struct sim_script *s, struct sim_step *step)
{
	step->what = SIM_DO_WAIT;
	return sim_words_duration(s, &step->a);
}

static bool note_action(struct sim_script *s, struct sim_step *step)
{
	step->what = SIM_DO_NOTE;
	return sim_words_text(s, "a text", &step->body);
}

/* all well [within T] */
static bool all_action(struct sim_script *s, struct sim_step *step)
{
	step->what = SIM_DO_ALL_WELL;
	step->a = SIM_ALL_WELL_US;
	return sim_words_need(s, "well") &&
	       (!sim_words_take(s, "within") || sim_words_duration(s, &step->a));
}

/* ---- a line ---- */

static const struct phrase {
	const char *word;
	bool (*take)(struct sim_script *s, struct sim_step *step);
} phrases[] = {
	{ "link", sim_script_link },
	{ "dns", sim_script_dns },
	{ "network", sim_script_network },
	{ "clock", sim_script_clock },
	{ "disk", sim_script_disk },
	{ "memory", sim_script_memory },
	{ "process", sim_script_process },
	{ "origin", sim_script_origin },
	{ "panel", panel_action },
	{ "sensor", sensor_action },
	{ "sensors", sensors_action },
	{ "operator", operator_action },
	{ "cut", cut_action },
	{ "reboot", reboot_action },
	{ "boot", boot_action },
	{ "release", release_action },
	{ "wait", wait_action },
	{ "note", note_action },
	{ "all", all_action },
	{ "expect", sim_script_expect },
};

bool sim_script_action(struct sim_script *s, struct sim_step *step)
{
	size_t i;

	(void)sim_script_device(s, &step->device);
	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (sim_words_take(s, phrases[i].word))
			return phrases[i].take(s, step);
	return sim_words_fail(
		s,
		"a step begins with link, dns, network, clock, disk, memory, "
		"process, origin, panel, sensor, operator, cut, reboot, boot, release, wait, note, "
		"all well or expect");
}

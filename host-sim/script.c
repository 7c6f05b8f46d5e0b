/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a scenario, and when its steps happen. */
#include "script.h"

#include "script_config.h"
#include "script_steps.h"
#include "sim/mem.h"
#include "stage_files.h"

/* ---- when ---- */

/* at TIME | after DURATION | every RANGE [until TIME] | repeat N every RANGE */
static bool when(struct sim_script *s, struct sim_step *step)
{
	if (sim_words_take(s, "at") && !sim_words_moment(s, &step->at_us))
		return false;
	if (sim_words_take(s, "after") && !sim_words_duration(s, &step->after_us))
		return false;
	if (sim_words_take(s, "repeat")) {
		return sim_words_number(s, &step->times) && sim_words_need(s, "every") &&
		       sim_words_range(s, &step->every_low_us, &step->every_high_us);
	}
	if (sim_words_take(s, "every")) {
		step->times = SIM_NEVER;
		if (!sim_words_range(s, &step->every_low_us, &step->every_high_us))
			return false;
		return !sim_words_take(s, "until") || sim_words_moment(s, &step->until_us);
	}
	return true;
}

static bool step_line(struct sim_script *s)
{
	struct sim_step *step = sim_plan_add(s->plan, SIM_DO_WAIT);
	struct sim_step built;

	step->line = s->number;
	if (!when(s, step))
		return false;
	step->column = s->words[s->at].column;
	built = *step; /* texts may move the list */
	if (!sim_script_action(s, &built))
		return false;
	if (built.every_low_us && (sim_step_expects(&built) || built.what == SIM_DO_ALL_WELL))
		return sim_words_fail(s, "what waits stands alone, once");
	s->plan->v[s->plan->n - 1] = built;
	return true;
}

/* ---- the cast ---- */

static bool new_name(struct sim_script *s, const char **out)
{
	const char *name = NULL;

	if (!sim_words_text(s, "a name", &name))
		return false;
	*out = name;
	if (strlen(name) < 32)
		return true;
	s->at--;
	return sim_words_fail(s, "a name has fewer than 32 letters");
}

static bool too_many(struct sim_script *s, size_t n, size_t max)
{
	return n == max && !sim_words_fail(s, "there are %zu at most", max);
}

/* device NAME */
static bool device_line(struct sim_script *s)
{
	struct sim_cast *cast = &s->plan->cast;

	return !too_many(s, cast->devices_n, SIM_DEVICES_MAX) &&
	       new_name(s, &cast->devices[cast->devices_n]) && ++cast->devices_n;
}

/* panel NAME [on DEVICE] */
static bool panel_line(struct sim_script *s)
{
	struct sim_cast *cast = &s->plan->cast;
	struct sim_cast_panel *p = &cast->panels[cast->panels_n];

	if (too_many(s, cast->panels_n, SIM_PANELS_MAX) || !new_name(s, &p->name))
		return false;
	if (sim_words_take(s, "on") && !sim_script_device(s, &p->device))
		return sim_words_fail(s, "a device that was named above is expected here");
	cast->panels_n++;
	return true;
}

/* origin NAME URL */
static bool origin_line(struct sim_script *s)
{
	struct sim_cast *cast = &s->plan->cast;
	struct sim_cast_origin *o = &cast->origins[cast->origins_n];

	if (too_many(s, cast->origins_n, SIM_ORIGINS_MAX) || !new_name(s, &o->name) ||
	    !sim_words_text(s, "a URL", &o->url))
		return false;
	if (!IS_ENABLED(CONFIG_HF_SENSOR) && strncmp(o->url, "coap:", 5) == 0) {
		s->at--;
		return sim_words_fail(s, "this build has no CoAP");
	}
	cast->origins_n++;
	return true;
}

/* sensor NAME [on DEVICE] [with keys] */
static bool sensor_line(struct sim_script *s)
{
	struct sim_cast *cast = &s->plan->cast;
	struct sim_cast_sensor *sensor = &cast->sensors[cast->sensors_n];

	if (!IS_ENABLED(CONFIG_HF_SENSOR))
		return sim_words_fail(s, "this build has no CoAP");
	if (too_many(s, cast->sensors_n, SIM_SENSORS_MAX) || !new_name(s, &sensor->name))
		return false;
	if (sim_words_take(s, "on") && !sim_script_device(s, &sensor->device))
		return sim_words_fail(s, "a device that was named above is expected here");
	sensor->keys = sim_words_take(s, "with");
	if (sensor->keys && !sim_words_need(s, "keys"))
		return false;
	cast->sensors_n++;
	return true;
}

static bool is_sensor_line(const struct sim_script *s)
{
	return sim_words_is(s, "sensor") && (s->n == 2 || hf_span_eq_str(s->words[2].text, "on") ||
					     hf_span_eq_str(s->words[2].text, "with"));
}

/* A step may begin with "panel", "origin" and "sensor" too. */
static bool is_panel_line(const struct sim_script *s)
{
	return sim_words_is(s, "panel") &&
	       (s->n == 2 || (s->n == 4 && hf_span_eq_str(s->words[2].text, "on")));
}

static bool is_origin_line(const struct sim_script *s)
{
	const struct hf_span *url = &s->words[2].text;

	return sim_words_is(s, "origin") && s->n == 3 &&
	       (hf_span_starts(*url, hf_span_str("http://")) ||
		hf_span_starts(*url, hf_span_str("https://")) ||
		hf_span_starts(*url, hf_span_str("coap://")));
}

static bool cast_line(struct sim_script *s, bool *ok)
{
	bool (*read)(struct sim_script * s) = NULL;

	if (sim_words_is(s, "device"))
		read = device_line;
	else if (is_sensor_line(s))
		read = sensor_line;
	else if (is_panel_line(s))
		read = panel_line;
	else if (is_origin_line(s))
		read = origin_line;
	if (!read)
		return false;
	s->at++;
	*ok = read(s);
	return true;
}

/* ---- the header ---- */

/* The lines up to one that says "end", as they are. */
static bool block(struct sim_script *s, char **out)
{
	const char *from = s->next, *to;

	if (*out)
		return sim_words_fail(s, "there is one already");
	for (;;) {
		to = s->next;
		if (!sim_words_next_line(s))
			return sim_words_fail(s, "the block has no \"end\"");
		if (s->n == 1 && sim_words_is(s, "end"))
			break;
	}
	s->at = 1;
	*out = sim_alloc((size_t)(to - from) + 1);
	memcpy(*out, from, (size_t)(to - from));
	return true;
}

/* Where a text stands. */
struct source {
	const char *name;
	unsigned first; /* line */
};

/* A file beside the scenario, or the lines that follow. */
static bool file_or_block(struct sim_script *s, char **out, struct source *from)
{
	const char *slash = strrchr(s->name, '/'), *file = NULL;
	char *path = NULL;

	*from = (struct source){ s->name, s->number + 1 };
	if (sim_words_end(s))
		return block(s, out);
	if (*out)
		return sim_words_fail(s, "there is one already");
	if (!sim_words_text(s, "the name of a file", &file))
		return false;
	if (asprintf(&path, "%.*s%s", file[0] == '/' || !slash ? 0 : (int)(slash + 1 - s->name),
		     s->name, file) < 0)
		sim_must(NULL);
	*out = sim_script_read(path, s->errors);
	*from = (struct source){ sim_plan_text(s->plan, path, strlen(path)), 1 };
	free(path);
	s->at--;
	return (*out || sim_words_fail(s, "this file cannot be read")) && s->at++ < s->n;
}

static bool config_line(struct sim_script *s)
{
	struct source from;

	return file_or_block(s, &s->plan->config, &from) &&
	       sim_script_config(s, from.name, from.first);
}

static bool manifest_line(struct sim_script *s)
{
	struct source from;

	return file_or_block(s, &s->plan->manifest, &from);
}

static bool caches_line(struct sim_script *s)
{
	if (s->plan->manifest)
		return sim_words_fail(s, "there is a manifest already");
	s->plan->manifest = sim_cached_manifest();
	return true;
}

static bool title_line(struct sim_script *s)
{
	const char *text = NULL;

	if (!sim_words_text(s, "a title", &text))
		return false;
	free(s->plan->title);
	s->plan->title = sim_strdup(text);
	return true;
}

static bool begins_line(struct sim_script *s)
{
	if (!sim_words_time_of_day(s, &s->plan->begins_us))
		return sim_words_fail(s, "a time of day is expected here, like 06:00");
	s->plan->has_clock = true;
	return true;
}

static bool whole_line(struct sim_script *s)
{
	bool ok;

	if (cast_line(s, &ok))
		return ok;
	if (sim_words_take(s, "title"))
		return title_line(s);
	if (sim_words_take(s, "begins"))
		return begins_line(s);
	if (sim_words_take(s, "seed"))
		return sim_words_number(s, &s->plan->seed);
	if (sim_words_take(s, "lasts"))
		return sim_words_duration(s, &s->plan->lasts_us);
	if (sim_words_take(s, "config"))
		return config_line(s);
	if (sim_words_take(s, "caches"))
		return caches_line(s);
	if (sim_words_take(s, "manifest"))
		return manifest_line(s);
	return step_line(s);
}

int sim_script_parse(const char *name, const char *text, struct sim_plan *plan, FILE *errors)
{
	struct sim_script s = { .name = name, .errors = errors, .plan = plan, .next = text };

	while (sim_words_next_line(&s)) {
		if (s.n == 0)
			continue;
		if (whole_line(&s) && !sim_words_end(&s))
			sim_words_fail(&s, "the line should end here");
	}
	return s.faults ? -1 : 0;
}

char *sim_script_read(const char *path, FILE *errors)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t size = 0;

	if (!f) {
		fprintf(errors, "%s: %m\n", path);
		return NULL;
	}
	if (getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		text = sim_strdup("");
	}
	fclose(f);
	return text;
}

int sim_script_load(const char *path, struct sim_plan *plan, FILE *errors)
{
	char *text = sim_script_read(path, errors);
	int err = text ? sim_script_parse(path, text, plan, errors) : -1;

	free(text);
	return err;
}

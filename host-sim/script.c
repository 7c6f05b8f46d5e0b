/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a scenario, and when its steps happen. */
#include "script.h"

#include "script_steps.h"
#include "sim/mem.h"

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
	if (built.every_low_us && sim_step_expects(&built))
		return sim_words_fail(s, "an expectation stands alone");
	s->plan->v[s->plan->n - 1] = built;
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
	if (sim_words_take(s, "title"))
		return title_line(s);
	if (sim_words_take(s, "begins"))
		return begins_line(s);
	if (sim_words_take(s, "lasts"))
		return sim_words_duration(s, &s->plan->lasts_us);
	if (sim_words_take(s, "config"))
		return block(s, &s->plan->config);
	if (sim_words_take(s, "manifest"))
		return block(s, &s->plan->manifest);
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

int sim_script_load(const char *path, struct sim_plan *plan, FILE *errors)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t size = 0;
	ssize_t n;
	int err;

	if (!f) {
		fprintf(errors, "%s: %m\n", path);
		return -1;
	}
	n = getdelim(&text, &size, '\0', f);
	err = sim_script_parse(path, n < 0 ? "" : text, plan, errors);
	free(text);
	fclose(f);
	return err;
}

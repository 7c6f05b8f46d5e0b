/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include "sim/mem.h"

#define WITHIN_US (60 * SIM_US_PER_S)

void sim_plan_init(struct sim_plan *p)
{
	memset(p, 0, sizeof(*p));
}

void sim_plan_finish(struct sim_plan *p)
{
	size_t i;

	for (i = 0; i < p->strings_n; i++)
		free(p->strings[i]);
	free(p->strings);
	free(p->v);
	free(p->title);
	free(p->config);
	free(p->manifest);
}

struct sim_step *sim_plan_add(struct sim_plan *p, enum sim_do what)
{
	struct sim_step *s;

	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 64;
		p->v = sim_realloc(p->v, p->cap * sizeof(struct sim_step));
	}
	s = &p->v[p->n++];
	memset(s, 0, sizeof(*s));
	s->what = what;
	s->at_us = SIM_NEVER;
	s->times = 1;
	s->until_us = SIM_NEVER;
	s->within_us = WITHIN_US;
	s->by_us = SIM_NEVER;
	return s;
}

const char *sim_plan_text(struct sim_plan *p, const char *text, size_t len)
{
	char *copy = sim_alloc(len + 1);

	memcpy(copy, text, len);
	p->strings = sim_realloc(p->strings, (p->strings_n + 1) * sizeof(char *));
	p->strings[p->strings_n++] = copy;
	return copy;
}

static char filler(size_t i, size_t len)
{
	return (char)('a' + (i * 7 + len + i / 512) % 26);
}

const char *sim_plan_filler(struct sim_plan *p, size_t len)
{
	char *text = sim_alloc(len + 1);
	const char *copy;
	size_t i;

	for (i = 0; i < len; i++)
		text[i] = filler(i, len);
	copy = sim_plan_text(p, text, len);
	sim_free(text);
	return copy;
}

bool sim_plan_is_filler(const char *text)
{
	size_t len = strlen(text), i;

	for (i = 0; i < len; i++)
		if (text[i] != filler(i, len))
			return false;
	return true;
}

bool sim_step_expects(const struct sim_step *s)
{
	return s->what >= SIM_DO_EXPECT_ANSWER;
}

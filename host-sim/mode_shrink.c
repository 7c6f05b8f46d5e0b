/* SPDX-License-Identifier: Apache-2.0 */
/* shrink: a seed that fails becomes a scenario that is as small as it can be. */
#include <inttypes.h>

#include "modes.h"
#include "scribe.h"
#include "seed.h"
#include "shrink.h"
#include "soak_plan.h"

static bool write_scenario(const struct sim_options *o, const struct sim_shrink *s)
{
	FILE *out = o->out ? fopen(o->out, "w") : stdout;
	char mutant[48];
	bool ok;

	if (!out) {
		fprintf(stderr, "%s: %m\n", o->out);
		return false;
	}
	sim_mutant_option(s->mutant, mutant);
	fprintf(out, "# Fails with %s: %s\n#   holdfast-sim run %s%s\n", s->wanted.check,
		s->wanted.what, o->out ? o->out : "THIS.scn", mutant);
	sim_scribe_plan(out, s->plan);
	ok = !ferror(out);
	if (o->out)
		ok = fclose(out) == 0 && ok;
	return ok;
}

int sim_mode_shrink(const struct sim_options *o)
{
	struct sim_seed seed = { .seed = o->seed, .days = (unsigned)o->days, .mutant = o->mutant };
	struct sim_plan plan;
	struct sim_shrink s = { .plan = &plan, .mutant = o->mutant };
	double begun = sim_real_s();
	char options[96];
	bool ok = false;
	size_t before;

	sim_plan_init(&plan);
	sim_soak_plan(o->seed, seed.days, &plan);
	before = plan.n;
	if (!sim_shrink_run(&s)) {
		fprintf(stderr, "%s does not fail\n", sim_seed_options(&seed, options));
	} else {
		sim_shrink_try(&plan, o->mutant, &s.wanted); /* what it says now */
		ok = write_scenario(o, &s);
		fprintf(stderr, "%zu steps have become %zu in %u tries, %.1f s\n", before, plan.n,
			s.tries, sim_real_s() - begun);
	}
	sim_plan_finish(&plan);
	return !ok;
}

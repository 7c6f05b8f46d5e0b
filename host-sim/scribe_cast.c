/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes part, as the lines of a scenario. */
#include "scribe.h"

static void placed_line(FILE *out, const char *what, const char *name, const char *device,
			const char *more)
{
	fprintf(out, "%s %s%s%s%s\n", what, name, device ? " on " : "", device ? device : "", more);
}

void sim_scribe_cast(FILE *out, const struct sim_cast *c)
{
	size_t i;

	for (i = 0; i < c->devices_n; i++)
		fprintf(out, "device %s\n", c->devices[i]);
	for (i = 0; i < c->panels_n; i++)
		placed_line(out, "panel", c->panels[i].name, c->panels[i].device, "");
	for (i = 0; i < c->origins_n; i++)
		fprintf(out, "origin %s %s\n", c->origins[i].name, c->origins[i].url);
	for (i = 0; i < c->sensors_n; i++)
		placed_line(out, "sensor", c->sensors[i].name, c->sensors[i].device,
			    c->sensors[i].keys ? " with keys" : "");
}

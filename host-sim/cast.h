/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who takes part in a run, by name. Of each kind the first is meant where no
 * name is given; without any there are the kiosk, its panel and the shop.
 */
#ifndef SIM_CAST_H
#define SIM_CAST_H

#include <stdbool.h>
#include <stddef.h>

#define SIM_DEVICES_MAX 8
#define SIM_PANELS_MAX	24 /* on all devices */
#define SIM_ORIGINS_MAX 8
#define SIM_SENSORS_MAX 32 /* on all devices */

struct sim_cast_panel {
	const char *name;
	const char *device; /* NULL: the first */
};

struct sim_cast_sensor {
	const char *name;
	const char *device; /* NULL: the first */
	bool keys;	    /* gives keys of its own */
};

struct sim_cast_origin {
	const char *name;
	const char *url; /* "http://parts.example", "https://parts.example" */
};

/* Each device has a panel of its own; @panels are more of them. An origin named
 * "shop" takes the place of the default one. Names live as long as the run. */
struct sim_cast {
	const char *devices[SIM_DEVICES_MAX];
	size_t devices_n;
	struct sim_cast_panel panels[SIM_PANELS_MAX];
	size_t panels_n;
	struct sim_cast_origin origins[SIM_ORIGINS_MAX];
	size_t origins_n;
	struct sim_cast_sensor sensors[SIM_SENSORS_MAX];
	size_t sensors_n;
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a run: holdfast.conf, the worker manifest, the state folder,
 * the control socket and holdfastd's log. */
#ifndef LIVE_SETUP_H
#define LIVE_SETUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct live_setup {
	char dir[PATH_MAX];
	char config[PATH_MAX], log[PATH_MAX], program[PATH_MAX];
	bool temporary;
};

struct live_setup_options {
	const char *dir;      /* NULL: a new one below TMPDIR, removed at the end */
	const char *program;  /* NULL: holdfastd beside this program */
	const char *manifest; /* NULL: one that queues every POST */
	uint16_t panel_port, relay_port;
	uint16_t sensor_port, meter_port; /* 0: no CoAP */
	bool demo;			  /* the demo shop's manifest */
};

/* 0, or HF_EIO after a line on stderr that says what is wrong. */
int live_setup_init(struct live_setup *s, const struct live_setup_options *opt);
/* Removes a temporary folder. */
void live_setup_finish(struct live_setup *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bands: what state something of the stage was in, over time. A band looks at
 * its device or origin and begins a new span when what it sees is another state
 * than the last one.
 */
#ifndef SIM_BANDS_H
#define SIM_BANDS_H

#include "stage.h"

/* Of a state, for who reads it. */
enum sim_mood {
	SIM_MOOD_GOOD,
	SIM_MOOD_POOR, /* works, but not well */
	SIM_MOOD_BAD,
	SIM_MOOD_OFF, /* nothing to say: the power is off */
};

/* A state from here until the next span of the band. */
struct sim_span {
	uint64_t from_us;
	enum sim_mood mood;
	char text[64];
};

struct sim_band {
	const char *name;	/* "Power" */
	char of[64];		/* the device or origin */
	bool rare;		/* of interest only when it was not good all the time */
	struct sim_device *dev; /* one of both */
	struct sim_origin *origin;
	void (*look)(struct sim_band *b, uint64_t now_us);
	uint64_t key; /* what the last span was made of */
	struct sim_span *v;
	size_t n, cap;
};

struct sim_bands {
	struct sim_band *v;
	size_t n, cap;
};

/* A band for each kind of state of each device and origin of @s. */
void sim_bands_init(struct sim_bands *all, const struct sim_stage *s);
void sim_bands_finish(struct sim_bands *all);
/* All of them look. */
void sim_bands_look(struct sim_bands *all, uint64_t now_us);
/* False: it has nothing to tell. */
bool sim_band_tells(const struct sim_band *b);

#endif

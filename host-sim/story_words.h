/* SPDX-License-Identifier: Apache-2.0 */
/* What a step does to the world, as a person would say it. */
#ifndef SIM_STORY_WORDS_H
#define SIM_STORY_WORDS_H

#include "plan.h"

enum sim_tone {
	SIM_TONE_NONE, /* nothing is said about it */
	SIM_TONE_PLAIN,
	SIM_TONE_BAD,
	SIM_TONE_GOOD,
};

struct sim_said {
	enum sim_tone tone;
	const char *relief; /* "after the shop was back"; NULL: it relieves nobody */
	char text[200];
};

void sim_story_words(const struct sim_step *step, struct sim_said *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of a scenario as words, and what is taken from it. A line is cut at
 * white space; "quoted text" is one word. Each take or need function looks at
 * the next word; a need function that does not find it complains, once a line,
 * with file, line, column and a caret. Inside of script.c and script_steps.c.
 */
#ifndef SIM_SCRIPT_WORDS_H
#define SIM_SCRIPT_WORDS_H

#include <stdio.h>

#include "base/span.h"
#include "plan.h"

#define SIM_WORDS_MAX 64

struct sim_word {
	struct hf_span text; /* without quotes */
	unsigned column;     /* from 1 */
	bool quoted;
};

struct sim_script {
	const char *name;
	FILE *errors;
	struct sim_plan *plan;
	const char *next; /* the line after this one */
	struct hf_span line;
	unsigned number;
	struct sim_word words[SIM_WORDS_MAX + 1]; /* one more than @n: the end of the line */
	unsigned n, at;
	unsigned faults;
	bool failed; /* this line has been complained about */
};

/* Moves to the next line; false at the end. */
bool sim_words_next_line(struct sim_script *s);
/* Complains at the next word. Always false. */
bool sim_words_fail(struct sim_script *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool sim_words_end(const struct sim_script *s);
/* True when the next word is @word. */
bool sim_words_is(const struct sim_script *s, const char *word);
/* Takes the word if it is the next one. */
bool sim_words_take(struct sim_script *s, const char *word);
bool sim_words_need(struct sim_script *s, const char *word);
/* Any word, copied into the plan; @what names it in the complaint. */
bool sim_words_text(struct sim_script *s, const char *what, const char **out);
/* A number; a percent sign behind it is fine. */
bool sim_words_number(struct sim_script *s, uint64_t *out);
/* "90s", "1h30m", "250ms". */
bool sim_words_duration(struct sim_script *s, uint64_t *out);
/* "500B", "200kB", "3MB": up to 64 MB. */
bool sim_words_size(struct sim_script *s, uint64_t *bytes);
/* "10s to 40s" or "10s". */
bool sim_words_range(struct sim_script *s, uint64_t *low, uint64_t *high);
/* "08:15" or "08:15:30", as microseconds since midnight. Silent when it is none. */
bool sim_words_time_of_day(struct sim_script *s, uint64_t *out);
/* A moment of the run. A time of day is the first such moment at or after the
 * beginning, or that of "day N" (1 is the first); a duration counts from the
 * beginning. */
bool sim_words_moment(struct sim_script *s, uint64_t *out);

#endif

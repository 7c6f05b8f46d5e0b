/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values that resources of origins have had, in order, and whether what pages hear
 * of them is true: a value that was there, and none older than the one before.
 */
#ifndef SIM_VALUES_H
#define SIM_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#define SIM_VALUE_SIZE 64

struct sim_value {
	char origin[32], path[96], text[SIM_VALUE_SIZE];
};

struct sim_values {
	struct sim_value *v;
	size_t n, cap;
	char fault[256]; /* the first thing that was heard and not true, "" */
};

/* One who observes. */
struct sim_value_view {
	char origin[32], path[96];
	size_t at; /* the value that was heard last, in the order of all */
};

void sim_values_finish(struct sim_values *l);
void sim_values_set(struct sim_values *l, const char *origin, const char *path, const char *text);
/* NULL: there is no such resource. */
const char *sim_values_now(const struct sim_values *l, const char *origin, const char *path);
void sim_value_view_init(struct sim_value_view *view, const char *origin, const char *path);
void sim_values_heard(struct sim_values *l, struct sim_value_view *view, const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mem.h"

void sim_values_finish(struct sim_values *l)
{
	free(l->v);
}

void sim_values_set(struct sim_values *l, const char *origin, const char *path, const char *text)
{
	struct sim_value *v;

	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->v = sim_realloc(l->v, l->cap * sizeof(*l->v));
	}
	v = &l->v[l->n++];
	snprintf(v->origin, sizeof(v->origin), "%s", origin);
	snprintf(v->path, sizeof(v->path), "%s", path);
	snprintf(v->text, sizeof(v->text), "%s", text);
}

static bool is_of(const struct sim_value *v, const char *origin, const char *path)
{
	return strcmp(v->origin, origin) == 0 && strcmp(v->path, path) == 0;
}

const char *sim_values_now(const struct sim_values *l, const char *origin, const char *path)
{
	for (size_t i = l->n; i > 0; i--)
		if (is_of(&l->v[i - 1], origin, path))
			return l->v[i - 1].text;
	return NULL;
}

void sim_value_view_init(struct sim_value_view *view, const char *origin, const char *path)
{
	view->at = 0;
	snprintf(view->origin, sizeof(view->origin), "%s", origin);
	snprintf(view->path, sizeof(view->path), "%s", path);
}

void sim_values_heard(struct sim_values *l, struct sim_value_view *view, const char *text)
{
	for (size_t i = view->at; i < l->n; i++) {
		if (!is_of(&l->v[i], view->origin, view->path) || strcmp(l->v[i].text, text) != 0)
			continue;
		view->at = i;
		return;
	}
	if (!l->fault[0])
		snprintf(l->fault, sizeof(l->fault), "a page heard \"%s\" of %s: %s", text,
			 view->path, "it is older than what it had heard, or was never there");
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "witness.h"

#include <string.h>

#define LOG_MAX (256 << 10)

static bool tells_of_damage(const char *line)
{
	static const char *const words[] = { "store.salvaged", "store.vanished", "queue.damaged" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

static void on_ready(void *user)
{
	struct sim_witness *w = user;

	if (w->lives)
		++*w->lives;
}

static void on_log(void *user, int level, const char *line)
{
	struct sim_witness *w = user;
	struct sim_heap *before = sim_heap_enter(NULL);

	(void)level;
	if (tells_of_damage(line) && w->damage++ == 0)
		snprintf(w->first_damage, sizeof(w->first_damage), "%s", line);
	if (hf_buf_append_str(&w->log, line) == 0)
		(void)hf_buf_append_str(&w->log, "\n");
	sim_heap_enter(before);
}

void sim_witness_init(struct sim_witness *w, struct sim_device *dev)
{
	memset(w, 0, sizeof(*w));
	hf_buf_init(&w->log, LOG_MAX);
	w->dev = dev;
	w->watch.on_log = on_log;
	w->watch.on_ready = on_ready;
	w->watch.user = w;
	sim_device_watch(dev, &w->watch);
}

void sim_witness_finish(struct sim_witness *w)
{
	sim_device_unwatch(&w->watch);
	hf_buf_finish(&w->log);
}

bool sim_witness_saw(const struct sim_witness *w, const char *text)
{
	struct hf_span log = hf_buf_span(&w->log);

	return log.len && memmem(log.ptr, log.len, text, strlen(text));
}

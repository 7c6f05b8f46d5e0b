/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define LINE_MAX_BYTES 600
#define BASIS	       UINT64_C(0xcbf29ce484222325)
#define PRIME	       UINT64_C(0x100000001b3)

void sim_trace_init(struct sim_trace *t, FILE *out)
{
	memset(t, 0, sizeof(*t));
	t->hash = BASIS;
	t->out = out;
}

/* FNV-1a, a word at a time for the number. */
static uint64_t hash_text(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * PRIME;
	return h;
}

/* Past the limit all share the last one. */
static struct sim_trace_who *who_of(struct sim_trace *t, const char *who)
{
	size_t i;

	for (i = 0; i < t->who_n; i++)
		if (strcmp(t->who[i].name, who) == 0)
			return &t->who[i];
	if (i == SIM_TRACE_WHO)
		return &t->who[i - 1];
	snprintf(t->who[i].name, sizeof(t->who[i].name), "%s", who);
	t->who[i].hash = BASIS;
	t->who_n++;
	return &t->who[i];
}

uint64_t sim_trace_of(struct sim_trace *t, const char *who)
{
	return who_of(t, who)->hash;
}

void sim_trace_line(struct sim_trace *t, uint64_t now_us, const char *who, const char *fmt, ...)
{
	struct sim_trace_who *one = who_of(t, who);
	char text[LINE_MAX_BYTES];
	uint64_t line;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line = hash_text(hash_text((BASIS ^ now_us) * PRIME, who), text);
	t->hash = (t->hash ^ line) * PRIME;
	one->hash = (one->hash ^ line) * PRIME;
	t->lines++;
	if (t->out)
		fprintf(t->out, "%12" PRIu64 ".%06" PRIu64 " %s: %s\n", now_us / 1000000,
			now_us % 1000000, who, text);
}

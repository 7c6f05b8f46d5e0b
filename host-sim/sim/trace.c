/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define LINE_MAX_BYTES 600

void sim_trace_init(struct sim_trace *t, FILE *out)
{
	memset(t, 0, sizeof(*t));
	t->hash = UINT64_C(0xcbf29ce484222325);
	t->out = out;
}

/* FNV-1a, a word at a time for the number. */
static uint64_t hash_text(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return h;
}

void sim_trace_line(struct sim_trace *t, uint64_t now_us, const char *who, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->hash = (t->hash ^ now_us) * UINT64_C(0x100000001b3);
	t->hash = hash_text(hash_text(t->hash, who), text);
	t->lines++;
	if (t->out)
		fprintf(t->out, "%12" PRIu64 ".%06" PRIu64 " %s: %s\n", now_us / 1000000,
			now_us % 1000000, who, text);
}

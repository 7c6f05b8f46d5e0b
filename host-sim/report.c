/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <inttypes.h>

#include "checks/checks.h"

void sim_totals(const struct sim_stage *s, struct sim_totals *t)
{
	struct sim_disk_stats disk;
	char why[256];
	size_t i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < s->ledger.n; i++) {
		const struct sim_order *o = s->ledger.v[i];
		uint64_t wait = 0;

		t->sent++;
		t->accepted += sim_order_promised(o);
		t->queued += o->status == 202;
		t->refused += !sim_order_promised(o);
		t->delivered += sim_order_promised(o) && o->effects > 0;
		t->cancelled += sim_order_cancelled(o);
		t->duplicated += o->effects > 1 ? o->effects - 1 : 0;
		if (o->status == 202 && o->effects > 0 && o->effect_us > o->answered_us)
			wait = o->effect_us - o->answered_us;
		if (wait > t->longest_wait_us)
			t->longest_wait_us = wait;
	}
	t->waiting_or_lost = t->accepted - t->delivered - t->cancelled;
	t->order_kept = sim_check_order.holds(s, why, sizeof(why));
	sim_stage_disk_stats(s, &disk);
	t->cuts = (unsigned)disk.cuts;
	t->bytes = disk.bytes;
	for (i = 0; i < s->panels_n; i++) {
		t->pages += sim_panel_stats(s->panels[i])->pages;
		t->pages_failed += sim_panel_stats(s->panels[i])->pages_failed;
	}
}

const char *sim_span_text(uint64_t us, char out[32])
{
	if (us < SIM_US_PER_S)
		snprintf(out, 32, "%" PRIu64 " ms", (us + 500) / SIM_US_PER_MS);
	else if (us < 100 * SIM_US_PER_S)
		snprintf(out, 32, "%.1f s", (double)us / (double)SIM_US_PER_S);
	else if (us < SIM_US_PER_H)
		snprintf(out, 32, "%" PRIu64 " min", (us + 30 * SIM_US_PER_S) / SIM_US_PER_MIN);
	else
		snprintf(out, 32, "%" PRIu64 " h %" PRIu64 " min", us / SIM_US_PER_H,
			 us % SIM_US_PER_H / SIM_US_PER_MIN);
	return out;
}

static void row(FILE *out, const char *name, const char *value, const char *colour)
{
	fprintf(out, "  %-26s %s%14s%s\n", name, colour, value, *colour ? "\033[0m" : "");
}

static void number_row(FILE *out, const char *name, uint64_t n, const char *colour)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	row(out, name, text, colour);
}

void sim_totals_print(FILE *out, const struct sim_totals *t, bool colour)
{
	const char *good = colour ? "\033[32m" : "", *bad = colour ? "\033[31m" : "";
	char text[32];

	number_row(out, "accepted from the panel", t->accepted, "");
	number_row(out, "  of these kept for later", t->queued, "");
	number_row(out, "delivered to the shop", t->delivered, "");
	if (t->cancelled)
		number_row(out, "cancelled", t->cancelled, "");
	number_row(out, "lost", t->waiting_or_lost, t->waiting_or_lost ? bad : good);
	number_row(out, "duplicated effects", t->duplicated, t->duplicated ? bad : good);
	row(out, "order kept", t->order_kept ? "yes" : "NO", t->order_kept ? good : bad);
	row(out, "longest wait", sim_span_text(t->longest_wait_us, text), "");
	number_row(out, "power cuts", t->cuts, "");
	snprintf(text, sizeof(text), "%.1f MB", (double)t->bytes / 1e6);
	row(out, "written to the disk", text, "");
}

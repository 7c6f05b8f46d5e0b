/* SPDX-License-Identifier: Apache-2.0 */
#include "report/data.h"

#include <inttypes.h>

#include "checks/checks.h"
#include "report/json.h"
#include "sim/mem.h"

#define BINS_MAX 1500

static void add_time(cJSON *to, const char *name, uint64_t at_us)
{
	sim_json_add(to, name,
		     at_us == SIM_NEVER ? sim_must(cJSON_CreateNull()) : sim_json_number(at_us));
}

/* ---- the run ---- */

/* The line of a scenario that @step stands in. */
static void add_line(cJSON *to, const char *file, unsigned wanted)
{
	FILE *in = fopen(file, "r");
	char *line = NULL;
	size_t size = 0;
	unsigned n = 0;

	while (in && n < wanted && getline(&line, &size, in) >= 0)
		n++;
	if (n == wanted && line) {
		line[strcspn(line, "\r\n")] = '\0';
		sim_json_add_text(to, "text", line);
	}
	free(line);
	if (in)
		fclose(in);
}

static cJSON *failure_json(const struct sim_about *a)
{
	const struct sim_failure *f = a->failure;
	cJSON *out;

	if (!f->what[0])
		return sim_must(cJSON_CreateNull());
	out = sim_json_object();
	sim_json_add_text(out, "what", f->what);
	if (f->check)
		sim_json_add_text(out, "check", f->check);
	if (a->file)
		sim_json_add_text(out, "file", a->file);
	if (a->file && f->step && f->step->line) {
		sim_json_add_number(out, "line", f->step->line);
		sim_json_add_number(out, "column", f->step->column);
		add_line(out, a->file, f->step->line);
	}
	return out;
}

static void add_title(cJSON *to, const struct sim_record *r, const struct sim_about *a)
{
	const char *name = a->file ? strrchr(a->file, '/') : NULL;
	char text[32];

	snprintf(text, sizeof(text), "Seed %" PRIu64, r->stage->world.seed);
	if (a->plan->title)
		sim_json_add_text(to, "title", a->plan->title);
	else if (a->file)
		sim_json_add_text(to, "title", name ? name + 1 : a->file);
	else
		sim_json_add_text(to, "title", text);
}

static void add_run(cJSON *to, const struct sim_record *r, const struct sim_about *a)
{
	sim_json_add_number(to, "format", 1);
	add_title(to, r, a);
	sim_json_add_text(to, "command", a->command);
	sim_json_add_origin(to, r->stage->world.seed, a->trace_hash);
	if (a->plan->has_clock)
		sim_json_add_number(to, "begins_us", a->plan->begins_us);
	sim_json_add_number(to, "end_us", r->end_us);
	sim_json_add(to, "failure", failure_json(a));
}

static cJSON *totals_json(const struct sim_totals *t)
{
	cJSON *out = sim_json_array(), *row;

	sim_json_total(out, "accepted", "accepted from the panel", t->accepted);
	sim_json_total(out, "kept", "of these kept for later", t->queued);
	sim_json_total(out, "delivered", "delivered to the origin", t->delivered);
	if (t->cancelled)
		sim_json_total(out, "cancelled", "cancelled", t->cancelled);
	row = sim_json_total(out, "lost", "lost", t->waiting_or_lost);
	sim_json_add_truth(row, "good", t->waiting_or_lost == 0);
	row = sim_json_total(out, "duplicated", "duplicated effects", t->duplicated);
	sim_json_add_truth(row, "good", t->duplicated == 0);
	row = sim_json_total(out, "order", "order kept", t->order_kept);
	sim_json_add_text(row, "unit", "truth");
	sim_json_add_truth(row, "good", t->order_kept);
	row = sim_json_total(out, "wait", "longest wait", t->longest_wait_us);
	sim_json_add_text(row, "unit", "us");
	sim_json_total(out, "cuts", "power cuts", t->cuts);
	row = sim_json_total(out, "bytes", "written to the disk", t->bytes);
	sim_json_add_text(row, "unit", "bytes");
	return out;
}

/* A run that ended at an expectation was not brought to its end: the checks say
 * nothing about it. */
static cJSON *checks_json(const struct sim_record *r, const struct sim_about *a)
{
	bool ended_early = a->failure->what[0] && !a->failure->check;
	cJSON *out = sim_json_array();
	size_t i;

	for (i = 0; sim_checks[i]; i++) {
		cJSON *row = sim_json_append(out, sim_json_object());
		char why[256] = "";
		bool holds;

		sim_json_add_text(row, "name", sim_checks[i]->name);
		sim_json_add_text(row, "promise", sim_checks[i]->promise);
		if (ended_early) {
			sim_json_add(row, "holds", sim_must(cJSON_CreateNull()));
			continue;
		}
		holds = sim_checks[i]->holds(r->stage, why, sizeof(why));
		sim_json_add_truth(row, "holds", holds);
		if (!holds)
			sim_json_add_text(row, "why", why);
	}
	return out;
}

/* ---- states and moments ---- */

static cJSON *bands_json(const struct sim_record *r)
{
	static const char *const moods[] = { "good", "poor", "bad", "off" };
	cJSON *out = sim_json_array();
	size_t i, k;

	for (i = 0; i < r->bands.n; i++) {
		const struct sim_band *b = &r->bands.v[i];
		cJSON *band, *spans;

		if (!sim_band_tells(b))
			continue;
		band = sim_json_append(out, sim_json_object());
		sim_json_add_text(band, "name", b->name);
		sim_json_add_text(band, "of", b->of);
		spans = sim_json_add(band, "spans", sim_json_array());
		for (k = 0; k < b->n; k++) {
			cJSON *span = sim_json_append(spans, sim_json_object());

			sim_json_add_number(span, "from", b->v[k].from_us);
			sim_json_add_text(span, "mood", moods[b->v[k].mood]);
			sim_json_add_text(span, "text", b->v[k].text);
		}
	}
	return out;
}

static void mark_text(const struct sim_mark *m, char *out, size_t size)
{
	switch (m->kind) {
	case SIM_MARK_CUT:
		snprintf(out, size, "The power goes%s%s", m->name ? ": " : "",
			 m->name ? m->name : "");
		break;
	case SIM_MARK_READY:
		snprintf(out, size, "Holdfast serves, start %u%s%s", m->n, m->name ? ": " : "",
			 m->name ? m->name : "");
		break;
	case SIM_MARK_PAGE:
		snprintf(out, size, "A page loads: %u", m->n);
		break;
	case SIM_MARK_NO_PAGE:
		if (m->n)
			snprintf(out, size, "A page cannot be loaded: %u", m->n);
		else
			snprintf(out, size, "A page gets no answer");
		break;
	}
}

static cJSON *marks_json(const struct sim_record *r)
{
	static const char *const kinds[] = { "cut", "ready", "page", "no-page" };
	cJSON *out = sim_json_array();
	size_t i;

	for (i = 0; i < r->marks_n; i++) {
		cJSON *mark = sim_json_append(out, sim_json_object());
		char text[96];

		mark_text(&r->marks[i], text, sizeof(text));
		sim_json_add_number(mark, "at", r->marks[i].at_us);
		sim_json_add_text(mark, "kind", kinds[r->marks[i].kind]);
		sim_json_add_text(mark, "text", text);
	}
	return out;
}

/* ---- series ---- */

static cJSON *add_series(cJSON *to, const char *name, const char *unit, const char *kind)
{
	cJSON *s = sim_json_append(to, sim_json_object());

	sim_json_add_text(s, "name", name);
	sim_json_add_text(s, "unit", unit);
	sim_json_add_text(s, "kind", kind);
	return s;
}

static void add_point(cJSON *points, uint64_t at_us, uint64_t value)
{
	cJSON *p = sim_json_append(points, sim_json_array());

	sim_json_append(p, sim_json_number(at_us));
	sim_json_append(p, sim_json_number(value));
}

/* When the origin saw the last of an order that had its effect. */
static uint64_t end_of(const struct sim_record *r, const struct sim_order *o)
{
	const struct sim_attempts *a = &r->orders[o->n - 1];

	return o->effects && a->n ? a->v[a->n - 1].at_us : SIM_NEVER;
}

/* When it waited no longer. */
static uint64_t left_at(const struct sim_record *r, const struct sim_order *o)
{
	return strcmp(o->state, "cancelled") == 0 ? o->settled_us : end_of(r, o);
}

struct change {
	uint64_t at_us;
	int by;
};

static int by_time(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

/* How many accepted orders wait. */
static void add_waiting(cJSON *to, const struct sim_record *r)
{
	cJSON *points = sim_json_add(add_series(to, "Waiting", "requests", "level"), "points",
				     sim_json_array());
	struct change *c = sim_alloc((2 * r->orders_n + 1) * sizeof(*c));
	size_t i, n = 0;
	int64_t depth = 0;

	for (i = 0; i < r->orders_n; i++) {
		const struct sim_order *o = r->stage->ledger.v[i];
		uint64_t end = left_at(r, o);

		if (o->status != 202 || end <= o->answered_us)
			continue;
		c[n++] = (struct change){ o->answered_us, 1 };
		if (end != SIM_NEVER)
			c[n++] = (struct change){ end, -1 };
	}
	qsort(c, n, sizeof(*c), by_time);
	add_point(points, 0, 0);
	for (i = 0; i < n; i++) {
		depth += c[i].by;
		if (i + 1 == n || c[i + 1].at_us != c[i].at_us)
			add_point(points, c[i].at_us, (uint64_t)depth);
	}
	free(c);
}

/* How many bins of @width hold anything. */
static size_t bins_of(const struct sim_record *r, uint64_t width)
{
	size_t i, n = 0;

	for (i = 0; i < r->written_n; i++)
		n += i == 0 || r->written[i].at_us / width != r->written[i - 1].at_us / width;
	return n;
}

/* The least width with no more than BINS_MAX bins. */
static uint64_t bin_width(const struct sim_record *r)
{
	static const unsigned tenths[] = { 1, 10, 100, 600, 3000, 6000, 36000 };
	uint64_t width = 0;
	size_t i;

	for (i = 0; i < sizeof(tenths) / sizeof(tenths[0]); i++) {
		width = tenths[i] * SIM_US_PER_S / 10;
		if (bins_of(r, width) <= BINS_MAX)
			break;
	}
	return width;
}

static void add_written(cJSON *to, const struct sim_record *r)
{
	uint64_t width = bin_width(r), bin = 0, sum = 0;
	cJSON *s = add_series(to, "Written", "bytes", "sum"), *points;
	size_t i;

	sim_json_add_number(s, "width", width);
	points = sim_json_add(s, "points", sim_json_array());
	for (i = 0; i < r->written_n; i++) {
		uint64_t of = r->written[i].at_us / width * width;

		if (of != bin && sum) {
			add_point(points, bin, sum);
			sum = 0;
		}
		bin = of;
		sum += r->written[i].bytes;
	}
	if (sum)
		add_point(points, bin, sum);
}

/* ---- requests ---- */

static size_t lane_number(cJSON *lanes, const char *lane)
{
	const cJSON *it;
	size_t n = 0;

	cJSON_ArrayForEach(it, lanes)
	{
		if (strcmp(it->valuestring, lane) == 0)
			return n;
		n++;
	}
	sim_json_append(lanes, sim_must(cJSON_CreateString(lane)));
	return n;
}

static void add_attempts(cJSON *to, const struct sim_attempts *a)
{
	cJSON *out = sim_json_add(to, "attempts", sim_json_array());
	size_t i;

	for (i = 0; i < a->n; i++) {
		cJSON *one = sim_json_append(out, sim_json_array());

		sim_json_append(one, sim_json_number(a->v[i].at_us));
		sim_json_append(one, sim_json_number((uint64_t)a->v[i].status));
		sim_json_append(one, sim_json_number(a->v[i].effect));
	}
}

/* A lane is a path where there is one device and one origin. */
static const char *lane_name(const struct sim_record *r, const struct sim_order *o)
{
	return r->stage->devices_n == 1 && r->stage->origins_n == 1 ? o->path : o->lane;
}

static void add_request(cJSON *to, cJSON *lanes, const struct sim_record *r,
			const struct sim_order *o)
{
	cJSON *out = sim_json_append(to, sim_json_object());

	sim_json_add_number(out, "number", o->n);
	sim_json_add_number(out, "lane", lane_number(lanes, lane_name(r, o)));
	if (r->stage->panels_n > 1)
		sim_json_add_text(out, "panel", o->panel);
	sim_json_add_text(out, "method", o->method);
	sim_json_add_text(out, "path", o->path);
	add_time(out, "sent", o->sent_us);
	add_time(out, "answered", o->answered_us);
	sim_json_add_number(out, "status", (uint64_t)o->status);
	if (o->answered_us != SIM_NEVER && !o->status)
		sim_json_add_text(out, "error",
				  o->lost_power ? "the panel went dark" : hf_errname(o->err));
	if (o->id[0])
		sim_json_add_text(out, "id", o->id);
	add_time(out, "end", end_of(r, o));
	if (o->state[0])
		sim_json_add_text(out, "state", o->state);
	if (o->reason[0])
		sim_json_add_text(out, "reason", o->reason);
	if (o->settled_us != SIM_NEVER)
		sim_json_add_number(out, "told", o->settled_us);
	if (o->answer_status)
		sim_json_add(out, "stored", sim_must(cJSON_CreateNumber(o->answer_status)));
	add_attempts(out, &r->orders[o->n - 1]);
}

cJSON *sim_data_create(const struct sim_record *r, const struct sim_about *about)
{
	cJSON *out = sim_json_object(), *series, *lanes, *requests;
	size_t i;

	add_run(out, r, about);
	sim_json_add(out, "totals", totals_json(about->totals));
	sim_json_add(out, "checks", checks_json(r, about));
	sim_json_add(out, "bands", bands_json(r));
	sim_json_add(out, "marks", marks_json(r));
	series = sim_json_add(out, "series", sim_json_array());
	add_waiting(series, r);
	add_written(series, r);
	lanes = sim_json_add(out, "lanes", sim_json_array());
	requests = sim_json_add(out, "requests", sim_json_array());
	for (i = 0; i < r->orders_n; i++)
		add_request(requests, lanes, r, r->stage->ledger.v[i]);
	return out;
}

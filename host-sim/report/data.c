/* SPDX-License-Identifier: Apache-2.0 */
#include "report/data.h"

#include <inttypes.h>

#include "checks/checks.h"
#include "holdfast/agent.h"
#include "report/commit.h"
#include "sim/mem.h"

#define BINS_MAX 1500

static cJSON *object(void)
{
	return sim_must(cJSON_CreateObject());
}

static cJSON *array(void)
{
	return sim_must(cJSON_CreateArray());
}

static cJSON *add(cJSON *to, const char *name, cJSON *what)
{
	cJSON_AddItemToObject(to, name, what);
	return what;
}

static cJSON *append(cJSON *to, cJSON *what)
{
	cJSON_AddItemToArray(to, what);
	return what;
}

static void add_text(cJSON *to, const char *name, const char *text)
{
	add(to, name, sim_must(cJSON_CreateString(text)));
}

/* Exact below 2^53: 285 years of microseconds. */
static cJSON *number(uint64_t n)
{
	return sim_must(cJSON_CreateNumber((double)n));
}

static void add_number(cJSON *to, const char *name, uint64_t n)
{
	add(to, name, number(n));
}

static void add_truth(cJSON *to, const char *name, bool truth)
{
	add(to, name, sim_must(cJSON_CreateBool(truth)));
}

static void add_time(cJSON *to, const char *name, uint64_t at_us)
{
	add(to, name, at_us == SIM_NEVER ? sim_must(cJSON_CreateNull()) : number(at_us));
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
		add_text(to, "text", line);
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
	out = object();
	add_text(out, "what", f->what);
	if (f->check)
		add_text(out, "check", f->check);
	if (a->file)
		add_text(out, "file", a->file);
	if (a->file && f->step && f->step->line) {
		add_number(out, "line", f->step->line);
		add_number(out, "column", f->step->column);
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
		add_text(to, "title", a->plan->title);
	else if (a->file)
		add_text(to, "title", name ? name + 1 : a->file);
	else
		add_text(to, "title", text);
}

static void add_run(cJSON *to, const struct sim_record *r, const struct sim_about *a)
{
	char text[32];

	add_number(to, "format", 1);
	add_title(to, r, a);
	add_text(to, "command", a->command);
	add_text(to, "version", HOLDFAST_VERSION);
	add_text(to, "commit", SIM_COMMIT);
	snprintf(text, sizeof(text), "%" PRIu64, r->stage->world.seed);
	add_text(to, "seed", text);
	snprintf(text, sizeof(text), "%016" PRIx64, a->trace_hash);
	add_text(to, "trace", text);
	if (a->plan->has_clock)
		add_number(to, "begins_us", a->plan->begins_us);
	add_number(to, "end_us", r->end_us);
	add(to, "failure", failure_json(a));
}

static cJSON *total(cJSON *to, const char *key, const char *name, uint64_t value)
{
	cJSON *row = append(to, object());

	add_text(row, "key", key);
	add_text(row, "name", name);
	add_number(row, "value", value);
	return row;
}

static cJSON *totals_json(const struct sim_totals *t)
{
	cJSON *out = array(), *row;

	total(out, "accepted", "accepted from the panel", t->accepted);
	total(out, "kept", "of these kept for later", t->queued);
	total(out, "delivered", "delivered to the origin", t->delivered);
	row = total(out, "lost", "lost", t->waiting_or_lost);
	add_truth(row, "good", t->waiting_or_lost == 0);
	row = total(out, "duplicated", "duplicated effects", t->duplicated);
	add_truth(row, "good", t->duplicated == 0);
	row = total(out, "order", "order kept", t->order_kept);
	add_text(row, "unit", "truth");
	add_truth(row, "good", t->order_kept);
	row = total(out, "wait", "longest wait", t->longest_wait_us);
	add_text(row, "unit", "us");
	total(out, "cuts", "power cuts", t->cuts);
	row = total(out, "bytes", "written to the disk", t->bytes);
	add_text(row, "unit", "bytes");
	return out;
}

/* A run that ended at an expectation was not brought to its end: the checks say
 * nothing about it. */
static cJSON *checks_json(const struct sim_record *r, const struct sim_about *a)
{
	bool ended_early = a->failure->what[0] && !a->failure->check;
	cJSON *out = array();
	size_t i;

	for (i = 0; sim_checks[i]; i++) {
		cJSON *row = append(out, object());
		char why[256] = "";
		bool holds;

		add_text(row, "name", sim_checks[i]->name);
		add_text(row, "promise", sim_checks[i]->promise);
		if (ended_early) {
			add(row, "holds", sim_must(cJSON_CreateNull()));
			continue;
		}
		holds = sim_checks[i]->holds(r->stage, why, sizeof(why));
		add_truth(row, "holds", holds);
		if (!holds)
			add_text(row, "why", why);
	}
	return out;
}

/* ---- states and moments ---- */

static cJSON *bands_json(const struct sim_record *r)
{
	static const char *const moods[] = { "good", "poor", "bad", "off" };
	cJSON *out = array();
	size_t i, k;

	for (i = 0; i < r->bands.n; i++) {
		const struct sim_band *b = &r->bands.v[i];
		cJSON *band, *spans;

		if (!sim_band_tells(b))
			continue;
		band = append(out, object());
		add_text(band, "name", b->name);
		add_text(band, "of", b->of);
		spans = add(band, "spans", array());
		for (k = 0; k < b->n; k++) {
			cJSON *span = append(spans, object());

			add_number(span, "from", b->v[k].from_us);
			add_text(span, "mood", moods[b->v[k].mood]);
			add_text(span, "text", b->v[k].text);
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
	cJSON *out = array();
	size_t i;

	for (i = 0; i < r->marks_n; i++) {
		cJSON *mark = append(out, object());
		char text[96];

		mark_text(&r->marks[i], text, sizeof(text));
		add_number(mark, "at", r->marks[i].at_us);
		add_text(mark, "kind", kinds[r->marks[i].kind]);
		add_text(mark, "text", text);
	}
	return out;
}

/* ---- series ---- */

static cJSON *add_series(cJSON *to, const char *name, const char *unit, const char *kind)
{
	cJSON *s = append(to, object());

	add_text(s, "name", name);
	add_text(s, "unit", unit);
	add_text(s, "kind", kind);
	return s;
}

static void add_point(cJSON *points, uint64_t at_us, uint64_t value)
{
	cJSON *p = append(points, array());

	append(p, number(at_us));
	append(p, number(value));
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
	cJSON *points = add(add_series(to, "Waiting", "requests", "level"), "points", array());
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

	add_number(s, "width", width);
	points = add(s, "points", array());
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
	append(lanes, sim_must(cJSON_CreateString(lane)));
	return n;
}

static void add_attempts(cJSON *to, const struct sim_attempts *a)
{
	cJSON *out = add(to, "attempts", array());
	size_t i;

	for (i = 0; i < a->n; i++) {
		cJSON *one = append(out, array());

		append(one, number(a->v[i].at_us));
		append(one, number((uint64_t)a->v[i].status));
		append(one, number(a->v[i].effect));
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
	cJSON *out = append(to, object());

	add_number(out, "number", o->n);
	add_number(out, "lane", lane_number(lanes, lane_name(r, o)));
	if (r->stage->panels_n > 1)
		add_text(out, "panel", o->panel);
	add_text(out, "method", o->method);
	add_text(out, "path", o->path);
	add_time(out, "sent", o->sent_us);
	add_time(out, "answered", o->answered_us);
	add_number(out, "status", (uint64_t)o->status);
	if (o->answered_us != SIM_NEVER && !o->status)
		add_text(out, "error", o->lost_power ? "the panel went dark" : hf_errname(o->err));
	if (o->id[0])
		add_text(out, "id", o->id);
	add_time(out, "end", end_of(r, o));
	if (o->state[0])
		add_text(out, "state", o->state);
	if (o->reason[0])
		add_text(out, "reason", o->reason);
	if (o->settled_us != SIM_NEVER)
		add_number(out, "told", o->settled_us);
	if (o->answer_status)
		add(out, "stored", sim_must(cJSON_CreateNumber(o->answer_status)));
	add_attempts(out, &r->orders[o->n - 1]);
}

cJSON *sim_data_create(const struct sim_record *r, const struct sim_about *about)
{
	cJSON *out = object(), *series, *lanes, *requests;
	size_t i;

	add_run(out, r, about);
	add(out, "totals", totals_json(about->totals));
	add(out, "checks", checks_json(r, about));
	add(out, "bands", bands_json(r));
	add(out, "marks", marks_json(r));
	series = add(out, "series", array());
	add_waiting(series, r);
	add_written(series, r);
	lanes = add(out, "lanes", array());
	requests = add(out, "requests", array());
	for (i = 0; i < r->orders_n; i++)
		add_request(requests, lanes, r, r->stage->ledger.v[i]);
	return out;
}

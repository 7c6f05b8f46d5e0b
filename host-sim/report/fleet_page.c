/* SPDX-License-Identifier: Apache-2.0 */
#include "report/fleet_page.h"

#include "report/json.h"
#include "report/page.h"
#include "sim/mem.h"

static cJSON *totals_json(const struct sim_fleet *f)
{
	cJSON *out = sim_json_array(), *row;

	sim_json_total(out, "kept", "orders waited", f->kept);
	row = sim_json_total(out, "half", "until half the devices were back",
			     sim_fleet_returned(f, 0.5));
	sim_json_add_text(row, "unit", "us");
	row = sim_json_total(out, "all", "until all were back", sim_fleet_returned(f, 1));
	sim_json_add_text(row, "unit", "us");
	row = sim_json_total(out, "drained", "until all was delivered", f->end_us - f->back_us);
	sim_json_add_text(row, "unit", "us");
	sim_json_add_truth(row, "good", f->drained);
	sim_json_total(out, "peak", "most requests in a second", sim_fleet_peak(f));
	sim_json_total(out, "refused", "refused with 503", f->refused);
	row = sim_json_total(out, "lost", "lost", f->totals.waiting_or_lost);
	sim_json_add_truth(row, "good", f->totals.waiting_or_lost == 0);
	row = sim_json_total(out, "duplicated", "duplicated effects", f->totals.duplicated);
	sim_json_add_truth(row, "good", f->totals.duplicated == 0);
	row = sim_json_total(out, "order", "order kept", f->totals.order_kept);
	sim_json_add_text(row, "unit", "truth");
	sim_json_add_truth(row, "good", f->totals.order_kept);
	return out;
}

static cJSON *ticks_json(const struct sim_fleet *f)
{
	cJSON *out = sim_json_array();
	size_t i;

	for (i = 0; i < f->ticks_n; i++) {
		cJSON *one;

		if (f->ticks[i].taken + f->ticks[i].refused == 0)
			continue;
		one = sim_json_append(out, sim_json_array());
		sim_json_append(one, sim_json_number(i));
		sim_json_append(one, sim_json_number(f->ticks[i].taken));
		sim_json_append(one, sim_json_number(f->ticks[i].refused));
	}
	return out;
}

static int by_time(const void *a, const void *b)
{
	const struct sim_fleet_device *x = a, *y = b;

	return (x->first_us > y->first_us) - (x->first_us < y->first_us);
}

static cJSON *first_json(const struct sim_fleet *f)
{
	struct sim_fleet_device *d = sim_alloc(f->opt.devices * sizeof(*d));
	cJSON *out = sim_json_array();
	size_t i;

	memcpy(d, f->devices, f->opt.devices * sizeof(*d));
	qsort(d, f->opt.devices, sizeof(*d), by_time);
	for (i = 0; i < f->opt.devices && d[i].first_us != SIM_NEVER; i++)
		sim_json_append(out, sim_json_number(d[i].first_us));
	sim_free(d);
	return out;
}

static cJSON *failure_json(const struct sim_fleet *f)
{
	cJSON *out;

	if (sim_fleet_holds(f))
		return sim_must(cJSON_CreateNull());
	out = sim_json_object();
	sim_json_add_text(out, "check", "A promise");
	sim_json_add_text(out, "what",
			  "Something was lost, done twice, out of order, or still waits.");
	return out;
}

static cJSON *data_json(const char *command, const struct sim_fleet *f)
{
	cJSON *out = sim_json_object();

	sim_json_add_number(out, "format", 1);
	sim_json_add_text(out, "title", "A fleet comes back");
	sim_json_add_text(out, "command", command);
	sim_json_add_origin(out, f->opt.seed, f->trace_hash);
	sim_json_add_number(out, "end_us", f->end_us);
	sim_json_add(out, "failure", failure_json(f));
	sim_json_add_number(out, "devices", f->opt.devices);
	sim_json_add_number(out, "queued", f->opt.queued);
	sim_json_add_number(out, "outage_us", f->opt.outage_us);
	sim_json_add_truth(out, "cables", f->opt.cables);
	sim_json_add_number(out, "capacity", f->opt.capacity);
	sim_json_add_number(out, "retry_after_s", f->opt.retry_after_s);
	sim_json_add(out, "totals", totals_json(f));
	sim_json_add(out, "ticks", ticks_json(f));
	sim_json_add(out, "first", first_json(f));
	return out;
}

bool sim_fleet_page_write(const char *path, const char *command, const struct sim_fleet *f)
{
	static const char *const scripts[] = {
		"page/words.js", "page/pen.js", "page/details.js", "page/head.js", "page/chart.js",
		"page/fleet.js", NULL
	};
	static const struct sim_page page = { "page/fleet.html", scripts };
	cJSON *data = data_json(command, f);
	bool ok = sim_page_put(path, &page, data);

	cJSON_Delete(data);
	return ok;
}

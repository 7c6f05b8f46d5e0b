/* SPDX-License-Identifier: Apache-2.0 */
/* [worker NAME]: a manifest, for a scope of an origin. */
#include "agent/settings_read.h"

#include <stdlib.h>

#include "holdfast/err.h"

struct worker_reader {
	struct hf_settings_reader *r;
	const struct hf_conf_section *section;
	struct hf_worker_settings *w;
};

static void read_scope(struct worker_reader *x, bool has_origin)
{
	const char *text = x->section->v[HF_WORKER_SCOPE].text;
	const struct hf_settings *s = x->r->s;
	struct hf_span path, query;
	char quoted[HF_QUOTE_SIZE];

	if (!text)
		text = "/";
	if (hf_target_parse(hf_span_str(text), &path, &query) != 0 || query.ptr) {
		hf_settings_fault(x->r, x->section, HF_WORKER_SCOPE, "%s is not a path, as /shop/",
				  hf_quote(hf_span_str(text), quoted));
		return;
	}
	x->w->scope = hf_settings_dup(x->r, text);
	for (const struct hf_worker_settings *w = s->workers; has_origin && w != x->w; w++) {
		if (w->scope && w->origin == x->w->origin && strcmp(w->scope, text) == 0)
			hf_settings_fault(x->r, x->section, HF_WORKER_SCOPE,
					  "%s of this origin belongs to [worker %s] already",
					  hf_quote(hf_span_str(text), quoted), w->name);
	}
}

static void read_manifest(struct worker_reader *x)
{
	const char *text = x->section->v[HF_WORKER_MANIFEST].text;
	struct hf_settings_reader *r = x->r;
	char quoted[HF_QUOTE_SIZE];
	char *json;
	size_t len;
	int err;

	if (!text) {
		if (!x->section->v[HF_WORKER_MANIFEST].line)
			hf_settings_fault(r, x->section, HF_WORKER_MANIFEST, "is missing");
		return;
	}
	x->w->manifest_path = hf_settings_path(r, text);
	if (!x->w->manifest_path)
		return;
	err = r->port->file_read(r->port, x->w->manifest_path, HF_MANIFEST_BYTES_MAX, &json, &len);
	if (err == HF_ENOMEM) {
		r->faults->nomem = true;
		return;
	}
	if (err) {
		hf_settings_fault(r, x->section, HF_WORKER_MANIFEST, "%s %s",
				  hf_quote(hf_span_str(x->w->manifest_path), quoted),
				  hf_settings_file_problem(err));
		return;
	}
	err = hf_manifest_parse(hf_span(json, len), x->w->manifest_path,
				hf_span_str(x->w->scope ? x->w->scope : "/"), &r->manifest_faults,
				&x->w->manifest);
	free(json);
	if (err == HF_ENOMEM)
		r->faults->nomem = true;
}

static void read_worker(struct worker_reader *x)
{
	int origin;

	x->w->line = x->section->line;
	x->w->name = hf_settings_dup(x->r, x->section->name);
	if (!x->w->name)
		return;
	origin = hf_settings_find_origin(x->r, x->section, HF_WORKER_ORIGIN);
	if (origin >= 0)
		x->w->origin = (unsigned)origin;
	read_scope(x, origin >= 0);
	read_manifest(x);
}

void hf_settings_read_workers(struct hf_settings_reader *r, const struct hf_conf *conf)
{
	struct hf_settings *s = r->s;

	s->workers = calloc(HF_WORKERS_MAX, sizeof(*s->workers));
	if (!s->workers) {
		r->faults->nomem = true;
		return;
	}
	for (size_t i = 0; i < conf->n && !r->faults->nomem; i++) {
		struct worker_reader x = { .r = r, .section = &conf->sections[i] };

		if (x.section->kind != HF_CONF_WORKER)
			continue;
		if (s->workers_n == HF_WORKERS_MAX) {
			hf_fault_add(r->faults, x.section->line, "", "more than %d workers",
				     HF_WORKERS_MAX);
			return;
		}
		x.w = &s->workers[s->workers_n++];
		read_worker(&x);
	}
}

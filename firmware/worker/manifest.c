/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest as a whole: its members, its life. The parts: manifest_parts.h. */
#include "worker/manifest.h"

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "holdfast/err.h"
#include "worker/condition.h"
#include "worker/manifest_parts.h"

#define NAME_BYTES_MAX	  255
#define NOTICES_BYTES_MAX (64 * 1024)

enum {
	KEY_NAME,
	KEY_VERSION,
	KEY_ROUTES,
	KEY_PRECACHE,
	KEY_SYNC,
	KEY_PERIODIC,
	KEYS
};
static const char *const keys[KEYS] = { "name",	    "version", "routes",
					"precache", "sync",    "periodicSync" };

/* "" when the member is absent. */
static char *read_name(struct hf_json_doc *d, const cJSON *item)
{
	char *copy;

	if (item)
		return hf_json_text_dup(d, item, NAME_BYTES_MAX);
	copy = hf_span_dup(HF_SPAN(""));
	if (!copy)
		d->faults->nomem = true;
	return copy;
}

static void read_manifest(struct hf_json_doc *d, struct hf_span scope, struct hf_manifest *out)
{
	const cJSON *m[KEYS];

	if (!hf_json_object(d, d->tree, keys, KEYS, m))
		return;
	out->name = read_name(d, m[KEY_NAME]);
	out->version = read_name(d, m[KEY_VERSION]);
	if (m[KEY_ROUTES])
		hf_manifest_read_routes(d, m[KEY_ROUTES], out);
	if (m[KEY_PRECACHE]) {
		hf_manifest_read_precache(d, m[KEY_PRECACHE], scope, out);
		if (!IS_ENABLED(CONFIG_HF_CACHE))
			hf_json_notice(d, m[KEY_PRECACHE],
				       "has no effect: this holdfastd was built without caches");
	}
	if (m[KEY_SYNC]) /* behind the routes: both refer to them */
		hf_manifest_read_sync(d, m[KEY_SYNC], out);
	if (m[KEY_PERIODIC])
		hf_manifest_read_periodic(d, m[KEY_PERIODIC], out);
}

/* HF_ECONFIG after a fault that ends it, HF_ENOMEM. */
static int read_text(struct hf_span text, struct hf_span scope, struct hf_faults *faults,
		     struct hf_manifest *out)
{
	struct hf_json_doc doc;
	int err;

	if (text.len > HF_MANIFEST_BYTES_MAX) {
		hf_fault_add(faults, 0, "", "is larger than %d bytes", HF_MANIFEST_BYTES_MAX);
		return HF_ECONFIG;
	}
	err = hf_json_doc_init(&doc, text, faults);
	if (err)
		return err;
	read_manifest(&doc, scope, out);
	err = hf_faults_finish(&doc.notices, &out->notices);
	hf_json_doc_finish(&doc);
	return err == HF_ENOMEM ? err : 0;
}

int hf_manifest_parse(struct hf_span text, const char *file, struct hf_span scope,
		      struct hf_buf *faults, struct hf_manifest **out)
{
	struct hf_manifest *m = calloc(1, sizeof(*m));
	struct hf_faults f;
	int err;

	*out = NULL;
	if (!m)
		return HF_ENOMEM;
	hf_faults_init(&f, file);
	hf_buf_init(&m->notices, NOTICES_BYTES_MAX);
	err = read_text(text, scope, &f, m);
	if (err == HF_ENOMEM)
		f.nomem = true;
	err = hf_faults_finish(&f, faults);
	if (err) {
		hf_manifest_destroy(m);
		return err;
	}
	*out = m;
	return 0;
}

static void destroy_lists(struct hf_manifest *m)
{
	for (size_t i = 0; i < m->precache_n; i++) {
		free(m->precache[i].url);
		free(m->precache[i].revision);
		free(m->precache[i].integrity);
	}
	free(m->precache);
}

void hf_manifest_destroy(struct hf_manifest *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->routes_n; i++) {
		hf_condition_destroy(m->routes[i].condition);
		hf_cache_rule_finish(&m->routes[i].cache);
	}
	free(m->routes);
	destroy_lists(m);
	hf_manifest_destroy_sync(m);
	hf_manifest_destroy_periodic(m);
	hf_buf_finish(&m->notices);
	free(m->name);
	free(m->version);
	free(m);
}

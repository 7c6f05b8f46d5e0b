/* SPDX-License-Identifier: Apache-2.0 */
/* What the status, the metrics and the event stream say of the caches. */
#include <inttypes.h>
#include <limits.h>

#include "agent/caches.h"
#include "http/values.h"

static const char *const tiers[HF_TIERS] = {
	[HF_TIER_HTTP] = "http",
	[HF_TIER_NAMED] = "named",
	[HF_TIER_PRECACHE] = "precache",
};

static const struct {
	enum hf_cache_result result;
	const char *member, *label;
} results[] = {
	{ HF_RESULT_HIT, "hits", "hit" },
	{ HF_RESULT_VALIDATED, "validated", "validated" },
	{ HF_RESULT_FALLBACK, "fallbacks", "fallback" },
	{ HF_RESULT_MISS, "misses", "miss" },
};
#define RESULTS_N (sizeof(results) / sizeof(results[0]))

static bool is_usable(const struct hf_agent *a)
{
	return a->cache && hf_cache_is_open(a->cache);
}

/* ---- precaches ---- */

static const char *state_name(enum hf_install_state state)
{
	switch (state) {
	case HF_INSTALL_IDLE:
		return "active";
	case HF_INSTALL_RUNNING:
		return "installing";
	case HF_INSTALL_WAITING:
		return "waiting";
	}
	return "waiting";
}

static int append_failure(struct hf_buf *b, const struct hf_install_figures *f)
{
	bool failed = f->state == HF_INSTALL_WAITING;
	int err = hf_buf_append_str(b, ",\"failedUrl\":");

	if (!err)
		err = failed && f->failed_url ?
			      hf_json_append_string(b, hf_span_str(f->failed_url)) :
			      hf_buf_append_str(b, "null");
	if (!err)
		err = hf_buf_append_str(b, ",\"failure\":");
	return err    ? err :
	       failed ? hf_json_append_string(b, hf_span_str(f->failure)) :
			hf_buf_append_str(b, "null");
}

/* The members of a worker's precache. */
static int append_precache(struct hf_buf *b, const void *what)
{
	const struct hf_agent_worker *w = what;
	struct hf_agent *a = w->agent;
	uint64_t now = a->port->boottime_ms(a->port);
	struct hf_install_figures f;
	int err;

	hf_install_figures(w->install, &f);
	err = hf_status_text(b, "worker", hf_span_str(a->settings->workers[w->number].name));
	if (!err)
		err = hf_buf_appendf(b,
				     ",\"version\":\"%s\",\"state\":\"%s\",\"files\":%zu"
				     ",\"done\":%zu",
				     f.version, state_name(f.state), f.files, f.done);
	if (!err)
		err = append_failure(b, &f);
	return err ? err :
		     hf_status_number(b, "nextTryInMs", f.next_try_ms != 0,
				      f.next_try_ms > now ? f.next_try_ms - now : 0);
}

void hf_agent_precache_event(void *user)
{
	struct hf_agent_worker *w = user;
	struct hf_agent *a = w->agent;
	struct hf_install_figures f;

	hf_install_figures(w->install, &f);
	if (f.state == HF_INSTALL_IDLE && !w->fresh)
		return; /* it was there before */
	w->fresh = false;
	hf_agent_event(a, a->settings->workers[w->number].origin, "precache", append_precache, w);
}

static int append_precaches(struct hf_agent *a, unsigned origin, struct hf_buf *b)
{
	unsigned n = 0;
	int err = hf_buf_append_str(b, ",\"precache\":[");

	for (size_t i = 0; a->workers && i < a->settings->workers_n && !err; i++) {
		struct hf_agent_worker *w = &a->workers[i];

		if (!w->install || (origin != UINT_MAX && a->settings->workers[i].origin != origin))
			continue;
		err = hf_buf_append_str(b, n++ ? ",{" : "{");
		if (!err)
			err = append_precache(b, w);
		if (!err)
			err = hf_buf_append_str(b, "}");
	}
	return err ? err : hf_buf_append_str(b, "]");
}

/* ---- status ---- */

static int append_counts(const struct hf_cache_counts *counts, struct hf_buf *b)
{
	int err = hf_buf_append_str(b, ",\"requests\":{");

	for (size_t t = 0; t < HF_TIERS && !err; t++) {
		err = hf_buf_appendf(b, "%s\"%s\":{", t ? "," : "", tiers[t]);
		for (size_t i = 0; i < RESULTS_N && !err; i++)
			err = hf_buf_appendf(b, "%s\"%s\":%" PRIu64, i ? "," : "",
					     results[i].member, counts->of[t][results[i].result]);
		if (!err)
			err = hf_buf_append_str(b, "}");
	}
	return err ? err : hf_buf_append_str(b, "}");
}

int hf_agent_caches_status(struct hf_agent *a, unsigned origin, struct hf_buf *out)
{
	struct hf_cache_memory memory;
	struct hf_shelf_usage u;
	int err;

	if (!is_usable(a))
		return hf_buf_append_str(out, "\"caches\":null,");
	hf_shelf_usage(hf_cache_shelf(a->cache), &u);
	hf_cache_memory(a->cache, &memory);
	err = hf_buf_appendf(
		out,
		"\"caches\":{\"usage\":%" PRIu64 ",\"quota\":%" PRIu64 ",\"fileBytes\":%" PRIu64
		",\"entries\":%" PRIu64 ",\"memoryBytes\":%zu,\"memoryBytesMax\":%zu,\"full\":%s"
		",\"stored\":%" PRIu64 ",\"evicted\":%" PRIu64 ",\"writtenBytes\":%" PRIu64,
		u.bytes, u.bytes_max, u.file_bytes, u.entries, memory.bytes, memory.bytes_max,
		u.full ? "true" : "false", memory.stored, u.evicted, u.written_total);
	if (!err)
		err = append_counts(hf_fetch_counts(a->fetch), out);
	if (!err)
		err = append_precaches(a, origin, out);
	return err ? err : hf_buf_append_str(out, "},");
}

/* ---- metrics ---- */

static int request_metrics(const struct hf_cache_counts *counts, struct hf_buf *b)
{
	static const struct hf_agent_metric m = {
		"cache_requests_total", "counter",
		"Requests that a cache had to do with, by how they were answered."
	};
	int err = hf_agent_metric_head(b, &m);

	for (size_t t = 0; t < HF_TIERS && !err; t++)
		for (size_t i = 0; i < RESULTS_N && !err; i++)
			err = hf_buf_appendf(
				b, "holdfast_%s{cache=\"%s\",result=\"%s\"} %" PRIu64 "\n", m.name,
				tiers[t], results[i].label, counts->of[t][results[i].result]);
	return err;
}

static int shelf_metrics(struct hf_agent *a, struct hf_buf *b)
{
	struct hf_cache_memory memory;
	struct hf_shelf_usage u;
	int err = 0;

	hf_shelf_usage(hf_cache_shelf(a->cache), &u);
	hf_cache_memory(a->cache, &memory);
	const struct {
		struct hf_agent_metric m;
		uint64_t value;
	} all[] = {
		{ { "cache_bytes", "gauge", "Of what the caches hold." }, u.bytes },
		{ { "cache_bytes_max", "gauge", "What they may grow to." }, u.bytes_max },
		{ { "cache_entries", "gauge", "Responses that are stored." }, u.entries },
		{ { "cache_memory_bytes", "gauge", "Of entries in memory." }, memory.bytes },
		{ { "cache_stored_total", "counter", "Responses since the start." },
		  memory.stored },
		{ { "cache_evicted_total", "counter", "Entries that gave way since the start." },
		  u.evicted },
		{ { "cache_written_bytes_total", "counter",
		    "Handed to the medium since the start." },
		  u.written_total },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !err; i++)
		err = hf_agent_metric(b, &all[i].m, all[i].value);
	return err;
}

static bool has_precache(const struct hf_agent *a)
{
	for (size_t i = 0; a->workers && i < a->settings->workers_n; i++)
		if (a->workers[i].install)
			return true;
	return false;
}

/* The @k-th metric of one worker's precache: its state as a label, or how far it is. */
static int precache_metric(const struct hf_agent_worker *w, size_t k, const char *name,
			   struct hf_buf *b)
{
	struct hf_install_figures f;
	int err;

	hf_install_figures(w->install, &f);
	err = hf_buf_appendf(b, "holdfast_%s{worker=\"%s\"", name,
			     w->agent->settings->workers[w->number].name);
	if (!err && k == 0)
		return hf_buf_appendf(b, ",state=\"%s\"} 1\n", state_name(f.state));
	return err ? err : hf_buf_appendf(b, "} %zu\n", k == 1 ? f.files : f.done);
}

static int precache_metrics(struct hf_agent *a, struct hf_buf *b)
{
	static const struct hf_agent_metric m[] = {
		{ "precache_state", "gauge",
		  "Of each worker's version: active, installing, waiting." },
		{ "precache_files", "gauge", "Of the version." },
		{ "precache_files_done", "gauge", "Of them that are there." },
	};
	int err = 0;

	if (!has_precache(a))
		return 0;
	for (size_t k = 0; k < sizeof(m) / sizeof(m[0]) && !err; k++) {
		err = hf_agent_metric_head(b, &m[k]);
		for (size_t i = 0; i < a->settings->workers_n && !err; i++)
			if (a->workers[i].install)
				err = precache_metric(&a->workers[i], k, m[k].name, b);
	}
	return err;
}

int hf_agent_caches_metrics(struct hf_agent *a, struct hf_buf *out)
{
	int err;

	if (!is_usable(a))
		return 0;
	err = request_metrics(hf_fetch_counts(a->fetch), out);
	if (!err)
		err = shelf_metrics(a, out);
	return err ? err : precache_metrics(a, out);
}

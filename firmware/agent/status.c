/* SPDX-License-Identifier: Apache-2.0 */
/* The status document: GET /.holdfast/status and `holdfast status`. */
#include <inttypes.h>
#include <limits.h>

#include "agent/agent_private.h"
#include "agent/health.h"
#include "http/values.h"
#include "ingress/lane_json.h"

#define LANES_SHOWN 200

int hf_status_text(struct hf_buf *b, const char *name, struct hf_span value)
{
	int err = hf_buf_appendf(b, "\"%s\":", name);

	return err ? err : hf_json_append_string(b, value);
}

int hf_status_number(struct hf_buf *b, const char *name, bool known, uint64_t value)
{
	if (!known)
		return hf_buf_appendf(b, ",\"%s\":null", name);
	return hf_buf_appendf(b, ",\"%s\":%" PRIu64, name, value);
}

static int append_origin(struct hf_agent *a, struct hf_buf *b, unsigned i)
{
	const struct hf_connectivity *c = a->connectivity;
	uint64_t now = a->port->boottime_ms(a->port);
	uint64_t last = hf_connectivity_last_success(c, i);
	uint64_t trial = hf_connectivity_next_trial(c, i);
	uint64_t since = hf_connectivity_since(c, i), failing;
	const char *failure = hf_connectivity_failure(c, i, &failing);
	int err = hf_buf_append_str(b, "{");

	if (!err)
		err = hf_status_text(b, "name", hf_span_str(a->settings->origins[i].name));
	if (!err)
		err = hf_buf_append_str(b, ",");
	if (!err)
		err = hf_status_text(b, "url", hf_span_str(a->settings->origins[i].url_text));
	if (!err)
		err = hf_buf_appendf(b, ",\"state\":\"%s\"",
				     hf_reach_name(hf_connectivity_origin(c, i)));
	if (!err)
		err = hf_status_number(b, "sinceSeconds", since != 0, (now - since) / 1000);
	if (!err)
		err = hf_status_number(b, "lastSuccessSecondsAgo", last != 0, (now - last) / 1000);
	if (!err)
		err = hf_status_number(b, "nextTrialInMs", trial != HF_TIMER_NEVER && trial != 0,
				       trial > now ? trial - now : 0);
	if (!err)
		err = hf_buf_append_str(b, failure ? ",\"failure\":" : ",\"failure\":null");
	if (!err && failure)
		err = hf_json_append_string(b, hf_span_str(failure));
	if (!err)
		err = hf_status_number(b, "failureSeconds", failure, (now - failing) / 1000);
	return err ? err : hf_buf_append_str(b, "}");
}

static int append_origins(struct hf_agent *a, unsigned origin, struct hf_buf *b)
{
	unsigned n = 0;
	int err = hf_buf_append_str(b, "\"origins\":[");

	for (unsigned i = 0; i < a->settings->origins_n && !err; i++) {
		if (origin != UINT_MAX && origin != i)
			continue;
		if (n++)
			err = hf_buf_append_str(b, ",");
		if (!err)
			err = append_origin(a, b, i);
	}
	return err ? err : hf_buf_append_str(b, "],");
}

static int append_lanes(struct hf_agent *a, unsigned origin, struct hf_buf *b)
{
	struct hf_lane_filter filter = { .most = LANES_SHOWN };
	int err;

	if (origin != UINT_MAX)
		filter.origin = hf_span_str(a->settings->origins[origin].name);
	err = hf_lanes_json(a->queue, &filter, b);
	if (!err)
		err = hf_buf_append_str(b, ",");
	if (!err)
		err = hf_holds_json(a->queue, origin, b);
	return err ? err : hf_buf_append_str(b, ",");
}

static int append_totals(struct hf_agent *a, unsigned origin, struct hf_buf *b)
{
	struct hf_queue_totals t;

	hf_queue_totals(a->queue, origin, &t);
	return hf_buf_appendf(b,
			      "\"totals\":{\"accepted\":%" PRIu64 ",\"delivered\":%" PRIu64
			      ",\"waiting\":%" PRIu64 ",\"held\":%" PRIu64 ",\"dead\":%" PRIu64
			      ",\"cancelled\":%" PRIu64 "}",
			      t.accepted, t.delivered, t.waiting, t.held, t.dead, t.cancelled);
}

/* The damaged databases that are still there. */
static int append_aside(const struct hf_store_usage *u, struct hf_buf *b)
{
	int err = 0;

	for (unsigned i = 0; i < u->aside_n && !err; i++) {
		err = hf_buf_append_str(b, i > 0 ? "," : "");
		if (!err)
			err = hf_json_append_string(b, hf_span_str(u->aside[i].name));
	}
	return err;
}

/* Pages, the log, and what is free. */
static int append_pages(struct hf_agent *a, const struct hf_store_usage *u, struct hf_buf *b)
{
	uint64_t now = a->port->boottime_ms(a->port);
	int err = hf_buf_appendf(b,
				 "\"store\":{\"pages\":%" PRIu64 ",\"pageBytes\":%u"
				 ",\"fileBytes\":%" PRIu64 ",\"room\":%" PRIu64
				 ",\"logPages\":%" PRIu32 ",\"checkpoints\":%" PRIu32,
				 u->bytes / u->page_bytes, u->page_bytes, u->file_bytes, u->room,
				 u->log_pages, u->checkpoints);

	return err ? err :
		     hf_status_number(b, "lastCheckpointSecondsAgo", u->checkpoint_ms != 0,
				      (now - u->checkpoint_ms) / 1000);
}

static int append_store(struct hf_agent *a, struct hf_buf *b)
{
	struct hf_store_usage u;
	uint64_t saved = 0, lost = 0;
	int err;

	hf_store_usage(a->store, &u);
	for (unsigned i = 0; i < u.aside_n; i++) {
		saved += u.aside[i].saved;
		lost += u.aside[i].lost;
	}
	err = append_pages(a, &u, b);
	if (err)
		return err;
	err = hf_buf_appendf(b,
			     ",\"bytes\":%" PRIu64 ",\"bytesMax\":%" PRIu64
			     ",\"writtenToday\":%" PRIu64 ",\"writtenTotal\":%" PRIu64
			     ",\"boots\":%" PRIu32 ",\"full\":%s,\"salvaged\":%s,\"vanished\":%s"
			     ",\"rowsSaved\":%" PRIu64 ",\"rowsLost\":%" PRIu64
			     ",\"quarantined\":[",
			     u.bytes, u.bytes_max, u.written_today, u.written_total,
			     a->report.boots, u.full ? "true" : "false",
			     u.aside_n > 0 ? "true" : "false",
			     a->report.vanished ? "true" : "false", saved, lost);
	if (!err)
		err = append_aside(&u, b);
	return err ? err : hf_buf_append_str(b, "]}");
}

static int append_device(struct hf_agent *a, struct hf_buf *out)
{
	return hf_buf_appendf(
		out, ",\"version\":\"%s\",\"uptimeSeconds\":%" PRIu64 ",\"connectivity\":{",
		HOLDFAST_VERSION, (a->port->boottime_ms(a->port) - a->start_ms) / 1000);
}

int hf_agent_status(struct hf_agent *a, unsigned origin, struct hf_buf *out)
{
	int err = hf_buf_append_str(out, "{");

	if (!err)
		err = hf_agent_health_status(a, origin, out);
	if (!err)
		err = append_device(a, out);
	if (!err)
		err = hf_agent_append_ladder(a, out);
	if (!err)
		err = hf_buf_append_str(out, ",");
	if (!err)
		err = hf_agent_append_portal(a, out);
	if (!err)
		err = hf_buf_append_str(out, "},");
	if (!err)
		err = append_origins(a, origin, out);
	if (!err)
		err = append_lanes(a, origin, out);
	if (!err)
		err = append_totals(a, origin, out);
	if (!err)
		err = hf_buf_append_str(out, ",");
	if (!err)
		err = hf_agent_background_status(a, origin, out);
	if (!err)
		err = hf_buf_append_str(out, ",");
	if (!err)
		err = hf_agent_periodic_status(a, origin, out);
	if (!err)
		err = hf_buf_append_str(out, ",");
	if (!err && origin == UINT_MAX)
		err = hf_agent_credentials_status(a, out);
	if (!err && IS_ENABLED(CONFIG_HF_SENSOR) && origin == UINT_MAX && a->sensors)
		err = hf_agent_sensors_status(a, out);
	if (!err)
		err = hf_agent_caches_status(a, origin, out);
	if (!err)
		err = append_store(a, out);
	return err ? err :
		     hf_buf_appendf(out, ",\"connections\":%u}",
				    hf_ingress_connections(a->ingress));
}

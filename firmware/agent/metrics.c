/* SPDX-License-Identifier: Apache-2.0 */
/* GET /.holdfast/metrics: the figures of the status for Prometheus. Names of
 * origins and credentials are plain (settings_conf.c), so no label needs an escape. */
#include <inttypes.h>
#include <limits.h>

#include "agent/agent_private.h"
#include "agent/health.h"
#include "queue/hold.h"

int hf_agent_metric_head(struct hf_buf *b, const struct hf_agent_metric *m)
{
	return hf_buf_appendf(b, "# HELP holdfast_%s %s\n# TYPE holdfast_%s %s\n", m->name, m->help,
			      m->name, m->type);
}

int hf_agent_metric(struct hf_buf *b, const struct hf_agent_metric *m, uint64_t value)
{
	int err = hf_agent_metric_head(b, m);

	return err ? err : hf_buf_appendf(b, "holdfast_%s %" PRIu64 "\n", m->name, value);
}

/* 1 with the word as its label. */
static int word(struct hf_buf *b, const struct hf_agent_metric *m, const char *label,
		const char *value)
{
	int err = hf_agent_metric_head(b, m);

	return err ? err : hf_buf_appendf(b, "holdfast_%s{%s=\"%s\"} 1\n", m->name, label, value);
}

static int device(struct hf_agent *a, struct hf_buf *b)
{
	const struct hf_connectivity *c = a->connectivity;
	struct hf_portal_view portal;
	uint64_t up_s = (a->port->boottime_ms(a->port) - a->start_ms) / 1000;
	int err = word(b, &(struct hf_agent_metric){ "info", "gauge", "This holdfastd." },
		       "version", HOLDFAST_VERSION);

	if (!err)
		err = hf_agent_metric(b,
				      &(struct hf_agent_metric){ "uptime_seconds", "gauge",
								 "Since its start." },
				      up_s);
	if (!err)
		err = hf_agent_metric(b,
				      &(struct hf_agent_metric){ "link_up", "gauge",
								 "Whether there is a link." },
				      hf_agent_has_carrier(a));
	if (!err)
		err = hf_agent_metric(b,
				      &(struct hf_agent_metric){
					      "address_up", "gauge",
					      "Whether it has an address that reaches beyond it." },
				      hf_agent_has_address(a));
	if (!err)
		err = word(b,
			   &(struct hf_agent_metric){ "net_state", "gauge",
						      "What the probe says." },
			   "state", hf_net_state_name(hf_connectivity_net(c)));
	if (!err)
		err = word(b,
			   &(struct hf_agent_metric){ "clock_state", "gauge",
						      "Trust in the wall clock." },
			   "state", hf_agent_clock_name(a));
	hf_connectivity_portal(c, &portal);
	if (!err)
		err = word(b,
			   &(struct hf_agent_metric){ "portal_state", "gauge",
						      "What the network's captive portal says." },
			   "state", hf_portal_state_name(portal.state));
	return err ? err :
		     hf_agent_metric(
			     b,
			     &(struct hf_agent_metric){ "connections", "gauge",
							"Of panels and operators, open now." },
			     hf_ingress_connections(a->ingress));
}

static uint64_t origin_up(struct hf_agent *a, unsigned i)
{
	return hf_connectivity_origin(a->connectivity, i) == HF_REACH_UP;
}

static uint64_t failing(struct hf_agent *a, unsigned i)
{
	uint64_t since;

	return hf_connectivity_failure(a->connectivity, i, &since) != NULL;
}

struct hold_count {
	unsigned origin;
	uint64_t n;
};

static int count_hold(void *user, const struct hf_hold *hold)
{
	struct hold_count *count = user;

	count->n += hold->origin == count->origin;
	return 0;
}

static uint64_t holds(struct hf_agent *a, unsigned i)
{
	struct hold_count count = { i, 0 };

	hf_queue_each_hold(a->queue, count_hold, &count);
	return count.n;
}

static uint64_t oldest_s(struct hf_agent *a, unsigned i)
{
	struct hf_health h;

	hf_agent_health(a, i, &h);
	return h.oldest_age_ms / 1000;
}

static uint64_t health(struct hf_agent *a, unsigned i)
{
	struct hf_health h;

	hf_agent_health(a, i, &h);
	return h.state;
}

#define TOTAL(member)                                                  \
	static uint64_t total_##member(struct hf_agent *a, unsigned i) \
	{                                                              \
		struct hf_queue_totals t;                              \
                                                                       \
		hf_queue_totals(a->queue, i, &t);                      \
		return t.member;                                       \
	}
TOTAL(accepted)
TOTAL(delivered)
TOTAL(dead)
TOTAL(cancelled)
TOTAL(waiting)
TOTAL(held)

static const struct {
	struct hf_agent_metric m;
	uint64_t (*value)(struct hf_agent *a, unsigned origin);
} of_origin[] = {
	{ { "origin_up", "gauge", "Whether it is known to be reachable." }, origin_up },
	{ { "origin_failing", "gauge", "Whether the last attempt did not reach it." }, failing },
	{ { "requests_waiting", "gauge", "On disk, not final, held ones among them." },
	  total_waiting },
	{ { "requests_held", "gauge", "Waiting for a person." }, total_held },
	{ { "oldest_request_seconds", "gauge",
	    "Age of the oldest that waits, of lanes that are not on hold." },
	  oldest_s },
	{ { "holds", "gauge", "Lanes and origins that the operator holds." }, holds },
	{ { "health", "gauge", "0 ok, 1 degraded, 2 stuck." }, health },
	{ { "requests_accepted_total", "counter", "Since the start." }, total_accepted },
	{ { "requests_delivered_total", "counter", "Since the start." }, total_delivered },
	{ { "requests_dead_total", "counter", "Given up since the start." }, total_dead },
	{ { "requests_cancelled_total", "counter", "Since the start." }, total_cancelled },
};

static int origins(struct hf_agent *a, struct hf_buf *b)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(of_origin) / sizeof(of_origin[0]) && !err; i++) {
		const struct hf_agent_metric *m = &of_origin[i].m;

		err = hf_agent_metric_head(b, m);
		for (unsigned o = 0; o < a->settings->origins_n && !err; o++)
			err = hf_buf_appendf(b, "holdfast_%s{origin=\"%s\"} %" PRIu64 "\n", m->name,
					     a->settings->origins[o].name,
					     of_origin[i].value(a, o));
	}
	return err;
}

static int store(struct hf_agent *a, struct hf_buf *b)
{
	struct hf_store_usage u;
	int err;

	hf_store_usage(a->store, &u);
	err = hf_agent_metric(
		b, &(struct hf_agent_metric){ "store_bytes", "gauge", "Of the database." },
		u.bytes);
	if (!err)
		err = hf_agent_metric(b,
				      &(struct hf_agent_metric){ "store_bytes_max", "gauge",
								 "What it may grow to." },
				      u.bytes_max);
	if (!err)
		err = hf_agent_metric(b,
				      &(struct hf_agent_metric){
					      "store_written_bytes_total", "counter",
					      "Handed to the medium since the store was made." },
				      u.written_total);
	if (!err)
		err = hf_agent_metric(b,
				      &(struct hf_agent_metric){ "store_room_bytes", "gauge",
								 "For new requests." },
				      u.room);
	if (!err)
		err = hf_agent_metric(b,
				      &(struct hf_agent_metric){ "store_checkpoints_total",
								 "counter", "Since the start." },
				      u.checkpoints);
	return err ? err :
		     hf_agent_metric(b,
				     &(struct hf_agent_metric){
					     "store_full", "gauge",
					     "Whether the last request was refused for want of "
					     "space." },
				     u.full);
}

int hf_agent_metrics(struct hf_agent *a, struct hf_buf *out)
{
	int err = device(a, out);

	if (!err)
		err = origins(a, out);
	if (!err)
		err = hf_agent_credentials_metrics(a, out);
	if (!err)
		err = hf_agent_caches_metrics(a, out);
	if (!err && IS_ENABLED(CONFIG_HF_SENSOR) && a->sensors)
		err = hf_agent_sensors_metrics(a, out);
	return err ? err : store(a, out);
}

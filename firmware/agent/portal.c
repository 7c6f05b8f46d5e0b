/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API of the network's captive portal: its URI comes from the settings or from
 * the network, which may name another one at any time.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_private.h"
#include "http/values.h"
#include "net/capport.h"

static void drop(struct hf_agent *a)
{
	(void)hf_connectivity_portal_api(a->connectivity, NULL, NULL, NULL);
	hf_agent_portal_destroy(a);
}

static int open_api(struct hf_agent *a, const struct hf_url *url)
{
	struct hf_agent_portal *p = &a->portal;
	const struct hf_origin_settings trust = { .name = a->portal.uri,
						  .ca_file = a->settings->captive_ca_file };
	char *target = hf_agent_target(url);
	int err = target ? hf_agent_way_open(a, url, &trust, &p->way) : HF_ENOMEM;

	if (!err)
		err = hf_connectivity_portal_api(a->connectivity, p->way.transport,
						 p->way.authority, target);
	free(target);
	return err;
}

static void refuse(struct hf_agent *a, const char *uri, const char *why)
{
	char quoted[512];

	hf_log(&a->log, HF_LOG_WARNING, "portal.unusable", "uri=%s why=%s",
	       hf_log_quote(hf_span_str(uri), quoted, sizeof(quoted)), why);
}

/* NULL: there is none. */
static const char *wanted_uri(struct hf_agent *a)
{
	const char *set = a->settings->captive_api;

	if (strcmp(set, "off") == 0)
		return NULL;
	return strcmp(set, "auto") == 0 ? a->port->captive_api(a->port) : set;
}

static void take(struct hf_agent *a, const char *uri)
{
	struct hf_url url;
	int err;

	if (strcmp(uri, HF_CAPPORT_NO_PORTAL) == 0)
		return;
	if (hf_url_parse(hf_span_str(a->portal.uri), &url) ||
	    !hf_span_eq_str(url.scheme, "https")) {
		refuse(a, uri, "\"no https URL\"");
		return;
	}
	err = open_api(a, &url);
	if (err)
		refuse(a, uri, hf_strerror(err));
}

void hf_agent_portal_look(struct hf_agent *a)
{
	const char *uri = wanted_uri(a);

	if (uri && a->portal.uri ? strcmp(uri, a->portal.uri) == 0 : uri == a->portal.uri)
		return;
	drop(a);
	if (!uri)
		return;
	a->portal.uri = hf_span_dup(hf_span_str(uri));
	if (a->portal.uri)
		take(a, uri);
}

void hf_agent_portal_destroy(struct hf_agent *a)
{
	hf_agent_way_close(&a->portal.way);
	free(a->portal.uri);
	a->portal.uri = NULL;
}

static int append_text(struct hf_buf *b, const char *name, const char *text)
{
	int err = hf_buf_appendf(b, ",\"%s\":%s", name, text ? "" : "null");

	return err || !text ? err : hf_json_append_string(b, hf_span_str(text));
}

int hf_agent_append_portal(struct hf_agent *a, struct hf_buf *b)
{
	uint64_t now = a->port->boottime_ms(a->port);
	struct hf_portal_view v;
	int err;

	hf_connectivity_portal(a->connectivity, &v);
	err = hf_buf_appendf(b, "\"portal\":{\"state\":\"%s\"", hf_portal_state_name(v.state));
	if (!err)
		err = append_text(b, "api", a->portal.uri);
	if (!err)
		err = append_text(b, "url", v.url);
	if (!err)
		err = append_text(b, "failure", v.failure);
	if (!err && v.ends)
		err = hf_buf_appendf(b, ",\"secondsRemaining\":%" PRIu64,
				     v.ends_ms > now ? (v.ends_ms - now) / 1000 : 0);
	else if (!err)
		err = hf_buf_append_str(b, ",\"secondsRemaining\":null");
	return err ? err : hf_buf_append_str(b, "}");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Origins of the settings as transports, and as sync and fetch see them. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/agent_private.h"
#include "coap/transport.h"
#include "holdfast_config.h"
#include "net/addr.h"

/* Path and query, for the caller to free. */
char *hf_agent_target(const struct hf_url *url)
{
	size_t size = url->path.len + url->query.len + 2;
	char *target = malloc(size);

	if (target)
		snprintf(target, size, "%.*s%s%.*s", HF_SPAN_ARG(url->path),
			 url->query.ptr ? "?" : "", HF_SPAN_ARG(url->query));
	return target;
}

int hf_agent_authority(const struct hf_url *url, char **out)
{
	const char *open = url->host_is_ipv6 ? "[" : "";
	const char *close = url->host_is_ipv6 ? "]" : "";
	size_t size = url->host.len + 16;
	char *text = malloc(size);

	if (!text)
		return HF_ENOMEM;
	if (url->port == hf_url_default_port(url->scheme))
		snprintf(text, size, "%s%.*s%s", open, HF_SPAN_ARG(url->host), close);
	else
		snprintf(text, size, "%s%.*s%s:%u", open, HF_SPAN_ARG(url->host), close, url->port);
	*out = text;
	return 0;
}

static void log_faults(struct hf_agent *a, const char *origin, struct hf_buf *faults)
{
	struct hf_span rest = hf_buf_span(faults);
	char quoted[256];

	while (rest.len > 0) {
		struct hf_span line = hf_span_cut(&rest, '\n');

		if (line.len > 0)
			hf_log(&a->log, HF_LOG_ERROR, "origin.fault", "origin=%s fault=%s", origin,
			       hf_log_quote(line, quoted, sizeof(quoted)));
	}
}

int hf_agent_tls_open(struct hf_agent *a, const struct hf_origin_settings *s, const char *host,
		      const struct hf_tls_client_options *sort, struct hf_tls_client **out)
{
	struct hf_tls_client_options opt = {
		.port = a->port,
		.log = &a->log,
		.kind = sort->kind,
		.identity = sort->identity,
		.psk = sort->psk,
		.server_name = host,
		.ca_file = s->ca_file,
		.ca_dir = s->ca_dir,
		.trusts = &a->tls_trusts,
		.cert_file = s->client_cert,
		.key_file = s->client_key,
		.pins = (const char *const *)s->pins,
		.pins_n = s->pins_n,
	};
	struct hf_buf faults;
	int err;

	hf_buf_init(&faults, 4096);
	err = hf_tls_client_create(&opt, &faults, out);
	log_faults(a, s->name, &faults);
	hf_buf_finish(&faults);
	return err;
}

int hf_agent_tls(struct hf_agent *a, const struct hf_origin_settings *s, const char *host,
		 struct hf_tls_client **out)
{
	struct hf_tls_client_options opt = { .kind = HF_TLS_HTTP };

	return hf_agent_tls_open(a, s, host, &opt, out);
}

int hf_agent_transport(struct hf_agent *a, const struct hf_url *url, const char *host,
		       struct hf_tls_client *tls, const struct hf_origin_settings *s,
		       struct hf_transport **out)
{
	struct hf_http1_options opt = {
		.port = a->port,
		.timers = &a->timers,
		.log = &a->log,
		.host = host,
		.port_number = url->port,
		.tls = tls,
		.connect_timeout_ms = s && s->connect_timeout_ms ? s->connect_timeout_ms :
								   CONFIG_HF_CONNECT_TIMEOUT_MS,
		.first_byte_timeout_ms = s && s->first_byte_timeout_ms ?
						 s->first_byte_timeout_ms :
						 CONFIG_HF_FIRST_BYTE_TIMEOUT_MS,
		.idle_timeout_ms = CONFIG_HF_IDLE_TIMEOUT_MS,
		.keepalive_timeout_ms = CONFIG_HF_KEEPALIVE_TIMEOUT_MS,
		.connections_max = CONFIG_HF_ORIGIN_CONNECTIONS_MAX,
		.head_bytes_max = CONFIG_HF_HEAD_BYTES_MAX,
		.fields_max = CONFIG_HF_FIELDS_MAX,
	};

	return hf_http1_create(&opt, out);
}

static bool is_coap(const struct hf_url *url)
{
	return hf_span_starts(url->scheme, HF_SPAN("coap"));
}

int hf_agent_way_open(struct hf_agent *a, const struct hf_url *url,
		      const struct hf_origin_settings *s, struct hf_agent_origin *o)
{
	char *host = hf_span_dup(url->host);
	int err = host ? hf_agent_authority(url, &o->authority) : HF_ENOMEM;

	if (!err && hf_span_eq_str(url->scheme, "https"))
		err = hf_agent_tls(a, s, host, &o->tls);
	if (IS_ENABLED(CONFIG_HF_COAP) && !err && is_coap(url))
		err = hf_agent_coap_open(a, host, s, o);
	else if (!err)
		err = hf_agent_transport(a, url, host, o->tls, s, &o->transport);
	free(host);
	return err;
}

void hf_agent_way_close(struct hf_agent_origin *o)
{
	if (IS_ENABLED(CONFIG_HF_COAP) && o->coap)
		hf_coap_destroy(o->transport);
	else
		hf_http1_destroy(o->transport);
	hf_tls_client_destroy(o->tls);
	free(o->authority);
	*o = (struct hf_agent_origin){ 0 };
}

void hf_agent_way_distrust(struct hf_agent_origin *o)
{
	if (IS_ENABLED(CONFIG_HF_COAP) && o->coap)
		hf_coap_distrust(o->transport);
	else
		hf_http1_distrust(o->transport);
}

static void network_changed(struct hf_agent_origin *o, bool up)
{
	if (IS_ENABLED(CONFIG_HF_COAP) && o->coap)
		hf_coap_network_changed(o->transport, up);
	else
		hf_http1_network_changed(o->transport, up);
}

static int make_origin(struct hf_agent *a, size_t i)
{
	const struct hf_origin_settings *s = &a->settings->origins[i];
	struct hf_agent_origin *o = &a->origins[i];
	bool tls = hf_span_eq_str(s->url.scheme, "https") ||
		   hf_span_starts(s->url.scheme, HF_SPAN("coaps"));
	int err = hf_agent_way_open(a, &s->url, s, o);

	if (err)
		return err;
	a->origin_names[i] = s->name;
	a->sync_origins[i] = (struct hf_sync_origin){
		.host = s->url.host,
		.port = s->url.port,
		.authority = hf_span_str(o->authority),
		.tls = tls,
		.transport = o->transport,
		.interval_ms = s->replay_interval_ms,
		.burst = s->replay_burst,
	};
	a->fetch_origins[i] = (struct hf_fetch_origin){
		.name = s->name,
		.scheme = s->url.scheme,
		.host = s->url.host,
		.port = s->url.port,
		.authority = hf_span_str(o->authority),
		.tls = tls,
		.own = tls || hf_host_is_local(o->authority),
		.transport = o->transport,
	};
	return 0;
}

static int make_probe(struct hf_agent *a)
{
	char *host;
	int err;

	if (!a->settings->probe_url_text)
		return 0;
	err = hf_agent_authority(&a->settings->probe_url, &a->probe_authority);
	if (err)
		return err;
	host = hf_span_dup(a->settings->probe_url.host);
	if (!host)
		return HF_ENOMEM;
	err = hf_agent_transport(a, &a->settings->probe_url, host, NULL, NULL, &a->probe_transport);
	free(host);
	return err;
}

int hf_agent_origins_create(struct hf_agent *a)
{
	size_t n = a->settings->origins_n;
	int err = 0;

	a->origins = calloc(n + 1, sizeof(*a->origins));
	a->origin_names = calloc(n + 1, sizeof(*a->origin_names));
	a->sync_origins = calloc(n + 1, sizeof(*a->sync_origins));
	a->fetch_origins = calloc(n + 1, sizeof(*a->fetch_origins));
	if (!a->origins || !a->origin_names || !a->sync_origins || !a->fetch_origins)
		return HF_ENOMEM;
	for (size_t i = 0; i < n && !err; i++)
		err = make_origin(a, i);
	if (!err)
		err = hf_agent_credentials_create(a);
	return err ? err : make_probe(a);
}

void hf_agent_origins_destroy(struct hf_agent *a)
{
	hf_agent_credentials_destroy(a);
	for (size_t i = 0; a->origins && i < a->settings->origins_n; i++)
		hf_agent_way_close(&a->origins[i]);
	hf_http1_destroy(a->probe_transport);
	free(a->probe_authority);
	free(a->origins);
	free(a->origin_names);
	free(a->sync_origins);
	free(a->fetch_origins);
}

void hf_agent_origins_link(struct hf_agent *a, bool up)
{
	for (size_t i = 0; i < a->settings->origins_n; i++)
		network_changed(&a->origins[i], up);
	if (a->probe_transport)
		hf_http1_network_changed(a->probe_transport, up);
	if (a->portal.way.transport)
		hf_http1_network_changed(a->portal.way.transport, up);
}

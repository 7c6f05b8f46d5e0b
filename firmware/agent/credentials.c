/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of the settings with the tokens among them, and what is shown. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "agent/agent_private.h"
#include "holdfast_config.h"
#include "http/values.h"

/* ---- creating ---- */

/* Of an endpoint beside the origins: it is trusted as its credential says. */
static int make_elsewhere(struct hf_agent *a, const struct hf_credential_settings *c,
			  struct hf_agent_endpoint *e)
{
	const struct hf_token_settings *t = &c->token;
	const struct hf_origin_settings *origin = &a->settings->origins[c->origin];
	struct hf_origin_settings trust = {
		.name = c->name,
		.ca_file = t->ca_file ? t->ca_file : origin->ca_file,
		.ca_dir = t->ca_file ? NULL : origin->ca_dir,
	};
	char *host = hf_span_dup(t->url.host);
	int err = host ? hf_agent_authority(&t->url, &e->authority) : HF_ENOMEM;

	if (!err && hf_span_eq_str(t->url.scheme, "https"))
		err = hf_agent_tls(a, &trust, host, &e->tls);
	if (!err)
		err = hf_agent_transport(a, &t->url, host, e->tls, NULL, &e->transport);
	free(host);
	return err;
}

static void fill_endpoint(struct hf_agent *a, const struct hf_token_settings *t,
			  const struct hf_agent_endpoint *e, struct hf_token_endpoint *out)
{
	const struct hf_sync_origin *o = t->origin != UINT_MAX ? &a->sync_origins[t->origin] : NULL;

	if (o)
		*out = (struct hf_token_endpoint){ .transport = o->transport,
						   .origin = t->origin,
						   .tls = o->tls,
						   .host = o->host,
						   .port = o->port,
						   .authority = o->authority };
	else
		*out = (struct hf_token_endpoint){ .transport = e->transport,
						   .origin = HF_TOKEN_NO_ORIGIN,
						   .tls = e->tls != NULL,
						   .host = t->url.host,
						   .port = t->url.port,
						   .authority = hf_span_str(e->authority) };
	out->target = e->target;
}

static int make_token(struct hf_agent *a, size_t i)
{
	const struct hf_credential_settings *c = &a->settings->credentials[i];
	const struct hf_token_settings *t = &c->token;
	struct hf_agent_endpoint *e = &a->endpoints[i];
	struct hf_token_options opt = {
		.world = &a->credentials.world,
		.name = c->name,
		.origin = c->origin,
		.client_id = t->client_id,
		.secret_file = t->secret_file,
		.refresh_file = t->refresh_file,
		.scope = t->scope,
		.secret_in_body = t->secret_in_body,
	};
	int err = 0;

	e->target = t->url.host.ptr ? hf_agent_target(&t->url) :
				      hf_span_dup(hf_span_str(t->endpoint));
	if (!e->target)
		err = HF_ENOMEM;
	if (!err && t->origin == UINT_MAX)
		err = make_elsewhere(a, c, e);
	if (err)
		return err;
	fill_endpoint(a, t, e, &opt.endpoint);
	return hf_token_create(&opt, &a->credentials.v[i].token);
}

static void settled(void *user, unsigned origin)
{
	struct hf_agent *a = user;

	if (a->sync)
		hf_sync_credential(a->sync, origin);
	hf_agent_held_settled(a, origin);
}

int hf_agent_credentials_create(struct hf_agent *a)
{
	const struct hf_settings *s = a->settings;
	struct hf_credential *v = calloc(s->credentials_n + 1, sizeof(*v));
	int err = 0;

	a->endpoints = calloc(s->credentials_n + 1, sizeof(*a->endpoints));
	a->credentials = (struct hf_credentials){
		.port = a->port, .log = &a->log, .v = v, .n = v ? s->credentials_n : 0
	};
	if (!v || !a->endpoints)
		return HF_ENOMEM;
	a->credentials.world = (struct hf_token_world){
		.port = a->port,
		.timers = &a->timers,
		.log = &a->log,
		.rand = &a->rand,
		.backoff_base_ms = CONFIG_HF_BACKOFF_BASE_MS,
		.backoff_cap_ms = CONFIG_HF_BACKOFF_CAP_MS,
		.retry_after_max_s = CONFIG_HF_RETRY_AFTER_MAX_S,
		.settled = settled,
		.user = a,
	};
	for (size_t i = 0; i < s->credentials_n && !err; i++) {
		v[i] = (struct hf_credential){
			.name = s->credentials[i].name,
			.origin = s->credentials[i].origin,
			.header = s->credentials[i].header,
			.file = s->credentials[i].file,
			.identity_file = s->credentials[i].identity_file,
		};
		if (s->credentials[i].token.endpoint)
			err = make_token(a, i);
	}
	return err ? err : hf_agent_held_create(a);
}

void hf_agent_credentials_begin(struct hf_agent *a)
{
	a->credentials.world.store = a->store;
	a->credentials.world.connectivity = a->connectivity;
}

void hf_agent_credentials_destroy(struct hf_agent *a)
{
	for (size_t i = 0; i < a->credentials.n; i++)
		hf_token_destroy(a->credentials.v[i].token);
	for (size_t i = 0; a->endpoints && i < a->credentials.n; i++) {
		hf_http1_destroy(a->endpoints[i].transport);
		hf_tls_client_destroy(a->endpoints[i].tls);
		free(a->endpoints[i].authority);
		free(a->endpoints[i].target);
	}
	hf_agent_held_destroy(a);
	free(a->endpoints);
	free(a->credentials.v);
}

void hf_agent_credentials_link(struct hf_agent *a, bool up)
{
	for (size_t i = 0; i < a->credentials.n; i++)
		if (a->endpoints[i].transport)
			hf_http1_network_changed(a->endpoints[i].transport, up);
	if (up)
		hf_credentials_link(&a->credentials);
}

/* ---- what is shown: never a value ---- */

static const char *kind_of(const struct hf_credential_settings *c)
{
	if (!c->token.endpoint)
		return "file";
	return c->token.refresh_file ? "refresh-token" : "client-credentials";
}

/* A file's state is what was found when it was last needed. */
static void figures_of(const struct hf_credential *c, struct hf_token_figures *f)
{
	*f = (struct hf_token_figures){ .state = HF_TOKEN_OK };
	if (c->token)
		hf_token_figures(c->token, f);
	if (c->fault) {
		f->state = HF_TOKEN_BROKEN;
		f->why = "file";
	}
}

static int append_credential(struct hf_agent *a, size_t i, struct hf_buf *b)
{
	const struct hf_credential_settings *s = &a->settings->credentials[i];
	uint64_t now = a->port->boottime_ms(a->port);
	struct hf_token_figures f;
	int err;

	figures_of(&a->credentials.v[i], &f);
	err = hf_buf_append_str(b, i > 0 ? ",{" : "{");
	if (!err)
		err = hf_status_text(b, "name", hf_span_str(s->name));
	if (!err)
		err = hf_buf_appendf(b,
				     ",\"origin\":\"%s\",\"kind\":\"%s\",\"state\":\"%s\",\"why\":",
				     a->settings->origins[s->origin].name, kind_of(s),
				     hf_token_state_name(f.state));
	if (!err)
		err = f.why ? hf_json_append_string(b, hf_span_str(f.why)) :
			      hf_buf_append_str(b, "null");
	if (!err)
		err = hf_status_number(b, "sinceSeconds", f.since_ms != 0,
				       (now - f.since_ms) / 1000);
	if (!err)
		err = hf_status_number(b, "expiresInSeconds", f.expires_ms > now,
				       (f.expires_ms - now) / 1000);
	if (!err)
		err = hf_status_number(b, "nextTryInMs", f.next_ms > now, f.next_ms - now);
	return err ? err : hf_buf_append_str(b, "}");
}

int hf_agent_credentials_status(struct hf_agent *a, struct hf_buf *out)
{
	int err = hf_buf_append_str(out, "\"credentials\":[");

	for (size_t i = 0; i < a->credentials.n && !err; i++)
		err = append_credential(a, i, out);
	return err ? err : hf_buf_append_str(out, "],");
}

static uint64_t usable(const struct hf_token_figures *f, uint64_t now)
{
	(void)now;
	return f->state != HF_TOKEN_WAITING && f->state != HF_TOKEN_BROKEN;
}

static uint64_t expires(const struct hf_token_figures *f, uint64_t now)
{
	return f->expires_ms > now ? (f->expires_ms - now) / 1000 : 0;
}

#define COUNT_OF(member)                                                           \
	static uint64_t member##_n(const struct hf_token_figures *f, uint64_t now) \
	{                                                                          \
		(void)now;                                                         \
		return f->member;                                                  \
	}
COUNT_OF(got)
COUNT_OF(failed)
COUNT_OF(refused)

static const struct {
	struct hf_agent_metric m;
	uint64_t (*value)(const struct hf_token_figures *f, uint64_t now);
} of_credential[] = {
	{ { "credential_usable", "gauge", "Whether requests can be sent with it." }, usable },
	{ { "credential_expires_seconds", "gauge", "Left of its token, 0: none or unknown." },
	  expires },
	{ { "credential_tokens_total", "counter", "Got since the start." }, got_n },
	{ { "credential_failures_total", "counter", "Of the token endpoint since the start." },
	  failed_n },
	{ { "credential_refusals_total", "counter", "By the token endpoint since the start." },
	  refused_n },
};

int hf_agent_credentials_metrics(struct hf_agent *a, struct hf_buf *out)
{
	uint64_t now = a->port->boottime_ms(a->port);
	struct hf_token_figures f;
	int err = 0;

	for (size_t i = 0; i < sizeof(of_credential) / sizeof(of_credential[0]) && !err; i++) {
		const struct hf_agent_metric *m = &of_credential[i].m;

		if (a->credentials.n > 0)
			err = hf_agent_metric_head(out, m);
		for (size_t c = 0; c < a->credentials.n && !err; c++) {
			figures_of(&a->credentials.v[c], &f);
			err = hf_buf_appendf(out, "holdfast_%s{credential=\"%s\"} %" PRIu64 "\n",
					     m->name, a->credentials.v[c].name,
					     of_credential[i].value(&f, now));
		}
	}
	return err;
}

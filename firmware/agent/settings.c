/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast.conf as a whole. Reading has two steps: settings_conf.c makes
 * sections of lines, settings_read.c and its siblings make settings of sections.
 * Both go on after a fault, so that one run shows all of them.
 */
#include "agent/settings.h"

#include <stdlib.h>

#include "agent/settings_read.h"
#include "agent/settings_value.h"
#include "holdfast/err.h"
#include "worker/match_path.h"

#define CONF_BYTES_MAX (256 * 1024)

/* ---- life ---- */

static const struct hf_conf_section *first_of(const struct hf_conf *conf, enum hf_conf_kind kind)
{
	for (size_t i = 0; i < conf->n; i++) {
		if (conf->sections[i].kind == kind)
			return &conf->sections[i];
	}
	return NULL;
}

static void read_sections(struct hf_settings_reader *r, const struct hf_conf *conf)
{
	hf_settings_read_agent(r, first_of(conf, HF_CONF_AGENT));
	hf_settings_read_origins(r, conf);
	hf_settings_read_workers(r, conf);
	hf_settings_read_credentials(r, conf);
	hf_settings_read_probe(r, first_of(conf, HF_CONF_PROBE));
}

static struct hf_span folder_of(const char *path)
{
	size_t n = strlen(path);

	while (n > 0 && path[n - 1] != '/')
		n--;
	return hf_span(path, n);
}

/* The faults of the file itself first, then those of its manifests. */
static int read_text(struct hf_settings_reader *r, struct hf_span text, struct hf_buf *faults)
{
	struct hf_conf conf;
	int err;

	hf_buf_init(&r->manifest_faults, faults->max);
	hf_conf_init(&conf, text, r->faults);
	if (!r->faults->nomem)
		read_sections(r, &conf);
	hf_conf_finish(&conf);
	err = hf_faults_finish(r->faults, faults);
	if (r->manifest_faults.len > 0 && err != HF_ENOMEM) {
		err = HF_ECONFIG;
		if (hf_buf_append(faults, hf_buf_span(&r->manifest_faults)) == HF_ENOMEM)
			err = HF_ENOMEM;
	}
	hf_buf_finish(&r->manifest_faults);
	return err;
}

int hf_settings_load(struct hf_port *port, const char *path, struct hf_settings **out,
		     struct hf_buf *faults)
{
	struct hf_faults list;
	struct hf_settings_reader r = { .port = port, .faults = &list, .dir = folder_of(path) };
	char *text = NULL;
	size_t len;
	int err;

	*out = NULL;
	hf_faults_init(&list, path);
	err = port->file_read(port, path, CONF_BYTES_MAX, &text, &len);
	if (err == HF_ENOMEM)
		return err;
	if (err) {
		hf_fault_add(&list, 0, "", "%s", hf_settings_file_problem(err));
		return hf_faults_finish(&list, faults) == HF_ENOMEM ? HF_ENOMEM : err;
	}
	r.s = calloc(1, sizeof(*r.s));
	if (r.s)
		r.s->path = hf_settings_dup(&r, path);
	err = r.s ? read_text(&r, hf_span(text, len), faults) : HF_ENOMEM;
	free(text);
	if (err) {
		hf_settings_destroy(r.s);
		return err;
	}
	*out = r.s;
	return 0;
}

static void finish_origin(struct hf_origin_settings *o)
{
	for (size_t i = 0; i < o->pins_n; i++)
		free(o->pins[i]);
	free(o->pins);
	free(o->name);
	free(o->url_text);
	free(o->host);
	free(o->ca_file);
	free(o->ca_dir);
	free(o->client_cert);
	free(o->client_key);
	free(o->probe);
	free(o->psk_identity);
	free(o->psk_file);
	free(o->coap_key_query);
}

static void finish_worker(struct hf_worker_settings *w)
{
	hf_manifest_destroy(w->manifest);
	free(w->manifest_path);
	free(w->scope);
	free(w->name);
}

static void finish_credential(struct hf_credential_settings *c)
{
	free(c->name);
	free(c->header);
	free(c->file);
	free(c->identity_file);
	free(c->token.endpoint);
	free(c->token.ca_file);
	free(c->token.client_id);
	free(c->token.secret_file);
	free(c->token.refresh_file);
	free(c->token.scope);
}

void hf_settings_destroy(struct hf_settings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->origins_n; i++)
		finish_origin(&s->origins[i]);
	for (size_t i = 0; i < s->workers_n; i++)
		finish_worker(&s->workers[i]);
	for (size_t i = 0; i < s->credentials_n; i++)
		finish_credential(&s->credentials[i]);
	free(s->origins);
	free(s->workers);
	free(s->credentials);
	free(s->listen);
	free(s->sensor.devices_file);
	free(s->sensor.key_query);
	free(s->path);
	free(s->control);
	free(s->state_dir);
	free(s->ignore_links);
	free(s->captive_api);
	free(s->captive_ca_file);
	free(s->probe_url_text);
	free(s);
}

/* ---- questions ---- */

const char *hf_settings_state_dir(const struct hf_settings *s)
{
	return s->state_dir;
}

/* An address literal by which this device itself is reached. A literal cannot be
 * rebound to another host, so with a wildcard address any one is ours. */
static bool is_own_address(const struct hf_settings *s, const struct hf_addr *addr)
{
	if (hf_ip_is_loopback(addr))
		return true;
	for (size_t i = 0; i < s->listen_n; i++) {
		if (hf_ip_is_any(&s->listen[i]) || hf_ip_equal(&s->listen[i], addr))
			return true;
	}
	return false;
}

int hf_settings_origin_by_host(const struct hf_settings *s, struct hf_span host)
{
	struct hf_addr addr;

	if (host.len > 1 && host.ptr[host.len - 1] == '.')
		host.len--;
	for (size_t i = 0; i < s->origins_n; i++) {
		if (s->origins[i].host && hf_span_ieq_str(host, s->origins[i].host))
			return (int)i;
	}
	if (hf_span_ieq_str(host, "localhost"))
		return 0;
	if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		host = hf_span(host.ptr + 1, host.len - 2);
	return hf_ip_parse(host, &addr) == 0 && is_own_address(s, &addr) ? 0 : -1;
}

const struct hf_worker_settings *hf_settings_worker(const struct hf_settings *s, unsigned origin,
						    struct hf_span path)
{
	const struct hf_worker_settings *best = NULL;
	struct hf_match_path normal;
	size_t best_len = 0;

	hf_match_path_init(&normal, path);
	for (size_t i = 0; i < s->workers_n; i++) {
		const struct hf_worker_settings *w = &s->workers[i];
		struct hf_span scope = hf_span_str(w->scope);

		if (w->origin == origin && scope.len > best_len &&
		    hf_span_starts(normal.path, scope)) {
			best = w;
			best_len = scope.len;
		}
	}
	hf_match_path_finish(&normal);
	return best;
}

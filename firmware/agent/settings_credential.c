/* SPDX-License-Identifier: Apache-2.0 */
/* [credential NAME]: what is added to requests of an origin when they are sent. */
#include "agent/settings_read.h"

#include <stdlib.h>

#include "holdfast/err.h"
#include "http/message.h"
#include "sync/credential.h"
#include "worker/manifest.h"

struct credential_reader {
	struct hf_settings_reader *r;
	const struct hf_conf_section *section;
	struct hf_credential_settings *c;
};

/* Fields that frame a message or belong to a hop. */
static bool is_taken(const char *name)
{
	static const char *const taken[] = {
		"Connection", "Content-Length",	   "Date",	 "Expect", "Forwarded",
		"Host",	      "Idempotency-Key",   "Keep-Alive", "Prefer", "TE",
		"Trailer",    "Transfer-Encoding", "Upgrade",	 "Via",
	};

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (hf_span_ieq_str(hf_span_str(name), taken[i]))
			return true;
	return false;
}

static char *read_header(struct credential_reader *x)
{
	const char *text = x->section->v[HF_CREDENTIAL_HEADER].text;
	char quoted[HF_QUOTE_SIZE];

	if (!text)
		text = "Authorization";
	if (!hf_is_token(hf_span_str(text)))
		hf_settings_fault(x->r, x->section, HF_CREDENTIAL_HEADER,
				  "%s is not the name of a header field",
				  hf_quote(hf_span_str(text), quoted));
	else if (is_taken(text))
		hf_settings_fault(x->r, x->section, HF_CREDENTIAL_HEADER,
				  "%s cannot carry a credential: it has a meaning of its own",
				  hf_quote(hf_span_str(text), quoted));
	return hf_settings_dup(x->r, text);
}

/* What is in it may change while holdfastd runs, but it has to be there. */
char *hf_settings_line_file(struct hf_settings_reader *r, const struct hf_conf_section *section,
			    unsigned key, size_t max)
{
	const char *text = section->v[key].text;
	char quoted[HF_QUOTE_SIZE];
	char *path = text ? hf_settings_path(r, text) : NULL, *bytes;
	size_t len;
	int err;

	if (!path)
		return NULL;
	err = r->port->file_read(r->port, path, max, &bytes, &len);
	if (err == HF_ENOMEM) {
		r->faults->nomem = true;
	} else if (err) {
		hf_settings_fault(r, section, key, "%s %s", hf_quote(hf_span_str(path), quoted),
				  hf_settings_file_problem(err));
	} else {
		struct hf_span line = hf_credential_line(hf_span(bytes, len));

		if (!line.ptr)
			hf_settings_fault(r, section, key, "%s is not one line of text",
					  hf_quote(hf_span_str(path), quoted));
		free(bytes);
	}
	return path;
}

static void read_credential(struct credential_reader *x)
{
	const struct hf_conf_value *v = x->section->v;
	bool token = v[HF_CREDENTIAL_TOKEN_ENDPOINT].line != 0;
	int origin = hf_settings_find_origin(x->r, x->section, HF_CREDENTIAL_ORIGIN);

	x->c->name = hf_settings_dup(x->r, x->section->name);
	x->c->origin = origin >= 0 ? (unsigned)origin : 0;
	x->c->header = read_header(x);
	x->c->file = hf_settings_line_file(x->r, x->section, HF_CREDENTIAL_FILE,
					   HF_CREDENTIAL_BYTES_MAX);
	x->c->identity_file = hf_settings_line_file(x->r, x->section, HF_CREDENTIAL_IDENTITY_FILE,
						    HF_IDENTITY_BYTES_MAX);
	if (!v[HF_CREDENTIAL_FILE].line && !token)
		hf_settings_fault(x->r, x->section, HF_CREDENTIAL_FILE,
				  "is missing, and there is no token-endpoint either");
	if (v[HF_CREDENTIAL_FILE].line && token)
		hf_settings_fault(x->r, x->section, HF_CREDENTIAL_FILE,
				  "contradicts token-endpoint: the value is read or it is got");
	if (v[HF_CREDENTIAL_HEADER].line && token)
		hf_settings_fault(x->r, x->section, HF_CREDENTIAL_HEADER,
				  "contradicts token-endpoint: a token is sent as Authorization: "
				  "Bearer");
	if (origin >= 0)
		hf_settings_read_token(x->r, x->section, x->c);
}

/* ---- what manifests name ---- */

static const struct hf_credential_settings *find_credential(const struct hf_settings *s,
							    unsigned origin, const char *name)
{
	for (size_t i = 0; i < s->credentials_n; i++) {
		const struct hf_credential_settings *c = &s->credentials[i];

		if (c->name && c->origin == origin && strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static void check_worker(struct hf_settings_reader *r, const struct hf_worker_settings *w)
{
	char quoted[HF_QUOTE_SIZE];

	for (size_t i = 0; w->manifest && i < w->manifest->routes_n; i++) {
		const struct hf_route *route = &w->manifest->routes[i];
		const struct hf_policy *p = &route->policy;
		const struct hf_credential_settings *c;

		if (!route->queued || !p->credential[0])
			continue;
		c = find_credential(r->s, w->origin, p->credential);
		if (c && c->header && hf_span_ieq_str(hf_span_str(p->key_header), c->header))
			hf_fault_add(
				r->faults, w->line, "",
				"[worker %s] its manifest's routes[%u], line %u: %s carries its key, "
				"so [credential %s] cannot use it",
				w->name, route->index, route->line, c->header, c->name);
		if (c)
			continue;
		hf_fault_add(r->faults, w->line, "",
			     "[worker %s] its manifest's routes[%u], line %u, names credential %s: "
			     "there is no such [credential NAME] of origin %s",
			     w->name, route->index, route->line,
			     hf_quote(hf_span_str(p->credential), quoted),
			     r->s->origins[w->origin].name);
	}
}

void hf_settings_read_credentials(struct hf_settings_reader *r, const struct hf_conf *conf)
{
	struct hf_settings *s = r->s;

	s->credentials = calloc(HF_CREDENTIALS_MAX, sizeof(*s->credentials));
	if (!s->credentials) {
		r->faults->nomem = true;
		return;
	}
	for (size_t i = 0; i < conf->n && !r->faults->nomem; i++) {
		struct credential_reader x = { .r = r, .section = &conf->sections[i] };

		if (x.section->kind != HF_CONF_CREDENTIAL)
			continue;
		if (s->credentials_n == HF_CREDENTIALS_MAX) {
			hf_fault_add(r->faults, x.section->line, "", "more than %d credentials",
				     HF_CREDENTIALS_MAX);
			return;
		}
		x.c = &s->credentials[s->credentials_n++];
		read_credential(&x);
	}
	for (size_t i = 0; i < s->workers_n && r->faults->n == 0; i++)
		check_worker(r, &s->workers[i]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [credential NAME] that say how an OAuth 2.0 token is got. */
#include "agent/settings_read.h"

#include <limits.h>

#include "holdfast/err.h"
#include "sync/credential.h"

struct token_reader {
	struct hf_settings_reader *r;
	const struct hf_conf_section *section;
	const struct hf_origin_settings *origin; /* of the credential */
	unsigned origin_index;
	struct hf_token_settings *t;
};

static bool is_given(const struct token_reader *x, unsigned key)
{
	return x->section->v[key].line != 0;
}

static void refuse(struct token_reader *x, unsigned key, const char *words)
{
	if (is_given(x, key))
		hf_settings_fault(x->r, x->section, key, "%s", words);
}

/* ---- token-endpoint ---- */

static unsigned find_origin(const struct hf_settings *s, const struct hf_url *url)
{
	for (size_t i = 0; i < s->origins_n; i++) {
		const struct hf_url *o = &s->origins[i].url;

		if (hf_span_ieq(o->scheme, url->scheme) && hf_span_ieq(o->host, url->host) &&
		    o->port == url->port)
			return (unsigned)i;
	}
	return UINT_MAX;
}

static bool is_https(const struct hf_url *url)
{
	return hf_span_eq_str(url->scheme, "https");
}

/* What the endpoint's certificate is held against. */
static void read_trust(struct token_reader *x)
{
	bool elsewhere = x->t->origin == UINT_MAX && is_https(&x->t->url);

	if (!elsewhere) {
		refuse(x, HF_CREDENTIAL_TOKEN_CA_FILE,
		       "has no effect: token-endpoint is no https URL beside the origins");
		return;
	}
	x->t->ca_file =
		hf_settings_pem_file(x->r, x->section, HF_CREDENTIAL_TOKEN_CA_FILE, "CERTIFICATE");
	if (!is_given(x, HF_CREDENTIAL_TOKEN_CA_FILE) && !x->origin->ca_file && !x->origin->ca_dir)
		hf_settings_fault(x->r, x->section, HF_CREDENTIAL_TOKEN_ENDPOINT,
				  "https needs something to trust: token-ca-file, or ca-file or "
				  "ca-dir of [origin %s]",
				  x->origin->name);
}

static void read_endpoint(struct token_reader *x)
{
	const char *text = x->section->v[HF_CREDENTIAL_TOKEN_ENDPOINT].text;
	struct hf_token_settings *t = x->t;
	struct hf_span path, query;
	char quoted[HF_QUOTE_SIZE];

	t->endpoint = text ? hf_settings_dup(x->r, text) : NULL;
	if (!t->endpoint)
		return;
	t->origin = x->origin_index;
	if (text[0] == '/') {
		if (hf_target_parse(hf_span_str(text), &path, &query))
			hf_settings_fault(x->r, x->section, HF_CREDENTIAL_TOKEN_ENDPOINT,
					  "%s is not a path of the origin, as /oauth/token",
					  hf_quote(hf_span_str(text), quoted));
		return;
	}
	if (hf_url_parse(hf_span_str(t->endpoint), &t->url) ||
	    (!is_https(&t->url) && !hf_span_eq_str(t->url.scheme, "http"))) {
		hf_settings_fault(x->r, x->section, HF_CREDENTIAL_TOKEN_ENDPOINT,
				  "%s is neither a path of the origin, as /oauth/token, nor an "
				  "http:// or https:// URL",
				  hf_quote(hf_span_str(text), quoted));
		return;
	}
	if (is_https(&t->url) && !IS_ENABLED(CONFIG_HF_TLS))
		hf_settings_fault(x->r, x->section, HF_CREDENTIAL_TOKEN_ENDPOINT,
				  "https is not built into this binary");
	t->origin = find_origin(x->r->s, &t->url);
}

/* ---- the client ---- */

/* Printable characters; of a scope RFC 6749 section 3.3 leaves two out. */
static char *read_text(struct token_reader *x, unsigned key, const char *without)
{
	const char *text = x->section->v[key].text;
	char quoted[HF_QUOTE_SIZE];

	for (const char *p = text; p && *p; p++) {
		if (*p >= ' ' && *p < 0x7f && !strchr(without, *p))
			continue;
		hf_settings_fault(x->r, x->section, key, "%s has a character that is not allowed",
				  hf_quote(hf_span_str(text), quoted));
		return NULL;
	}
	return text ? hf_settings_dup(x->r, text) : NULL;
}

static void read_auth(struct token_reader *x)
{
	const char *text = x->section->v[HF_CREDENTIAL_CLIENT_AUTH].text;
	char quoted[HF_QUOTE_SIZE];

	if (!text)
		return;
	x->t->secret_in_body = strcmp(text, "post") == 0;
	if (!x->t->secret_in_body && strcmp(text, "basic") != 0)
		hf_settings_fault(x->r, x->section, HF_CREDENTIAL_CLIENT_AUTH,
				  "%s is neither basic nor post",
				  hf_quote(hf_span_str(text), quoted));
	if (!is_given(x, HF_CREDENTIAL_CLIENT_SECRET_FILE))
		hf_settings_fault(x->r, x->section, HF_CREDENTIAL_CLIENT_AUTH,
				  "has no effect without client-secret-file");
}

static void read_client(struct token_reader *x)
{
	struct hf_token_settings *t = x->t;

	t->client_id = read_text(x, HF_CREDENTIAL_CLIENT_ID, "");
	if (!is_given(x, HF_CREDENTIAL_CLIENT_ID))
		hf_settings_fault(x->r, x->section, HF_CREDENTIAL_CLIENT_ID, "is missing");
	t->secret_file = hf_settings_line_file(x->r, x->section, HF_CREDENTIAL_CLIENT_SECRET_FILE,
					       HF_CREDENTIAL_BYTES_MAX);
	t->refresh_file = hf_settings_line_file(x->r, x->section, HF_CREDENTIAL_REFRESH_TOKEN_FILE,
						HF_REFRESH_TOKEN_MAX);
	if (!is_given(x, HF_CREDENTIAL_CLIENT_SECRET_FILE) &&
	    !is_given(x, HF_CREDENTIAL_REFRESH_TOKEN_FILE))
		hf_settings_fault(x->r, x->section, HF_CREDENTIAL_CLIENT_SECRET_FILE,
				  "is missing, and there is no refresh-token-file either");
	t->scope = read_text(x, HF_CREDENTIAL_SCOPE, "\"\\");
	read_auth(x);
}

void hf_settings_read_token(struct hf_settings_reader *r, const struct hf_conf_section *section,
			    struct hf_credential_settings *c)
{
	static const unsigned keys[] = {
		HF_CREDENTIAL_TOKEN_CA_FILE,	  HF_CREDENTIAL_CLIENT_ID,
		HF_CREDENTIAL_CLIENT_SECRET_FILE, HF_CREDENTIAL_CLIENT_AUTH,
		HF_CREDENTIAL_REFRESH_TOKEN_FILE, HF_CREDENTIAL_SCOPE,
	};
	struct token_reader x = { .r = r,
				  .section = section,
				  .origin = &r->s->origins[c->origin],
				  .origin_index = c->origin,
				  .t = &c->token };

	if (is_given(&x, HF_CREDENTIAL_TOKEN_ENDPOINT)) {
		read_endpoint(&x);
		if (x.t->endpoint)
			read_trust(&x);
		read_client(&x);
		return;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		refuse(&x, keys[i], "has no effect without token-endpoint");
}

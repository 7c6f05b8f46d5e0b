/* SPDX-License-Identifier: Apache-2.0 */
/* [origin NAME]: where requests go, how it is trusted, how it is reached. */
#include "agent/settings_read.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/settings_value.h"
#include "holdfast/err.h"
#include "net/tls.h"

#define PEM_BYTES_MAX	       (4 * 1024 * 1024)
#define TIMEOUT_MIN_MS	       100
#define TIMEOUT_MAX_MS	       3600000
#define REPLAY_INTERVAL_MAX_MS 86400000
#define REPLAY_BURST_MAX       1000000

struct origin_reader {
	struct hf_settings_reader *r;
	const struct hf_conf_section *section;
	struct hf_origin_settings *o;
};

/* ---- url and host ---- */

static bool is_coap(const struct hf_origin_settings *o)
{
	return hf_span_starts(o->url.scheme, HF_SPAN("coap"));
}

/* What is trusted is a certificate. */
static bool has_tls(const struct origin_reader *x)
{
	if (hf_span_eq_str(x->o->url.scheme, "https"))
		return true;
	return IS_ENABLED(CONFIG_HF_COAP) && hf_settings_coap_certified(x->section, x->o);
}

static void check_scheme(struct origin_reader *x)
{
	struct hf_span scheme = x->o->url.scheme;

	if (is_coap(x->o)) {
		if (!IS_ENABLED(CONFIG_HF_COAP))
			hf_settings_fault(x->r, x->section, HF_ORIGIN_URL,
					  "coap origins are not built into this binary");
	} else if (hf_span_eq_str(scheme, "https")) {
		if (!IS_ENABLED(CONFIG_HF_TLS))
			hf_settings_fault(x->r, x->section, HF_ORIGIN_URL,
					  "https origins are not built into this binary");
	}
}

static bool has_scheme(const char *text)
{
	static const char *const known[] = { "http://",	 "https://",	"coap://",
					     "coaps://", "coap+tcp://", "coaps+tcp://" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct hf_span start = hf_span_str(text);

		if (start.len > strlen(known[i]))
			start.len = strlen(known[i]);
		if (hf_span_ieq_str(start, known[i]))
			return true;
	}
	return false;
}

/* Requests to @url come back to @listen. */
static bool leads_to(const struct hf_url *url, const struct hf_addr *listen)
{
	struct hf_addr addr;

	if (listen->port == 0 || url->port != listen->port)
		return false;
	if (hf_span_ieq_str(url->host, "localhost"))
		return hf_ip_is_loopback(listen) || hf_ip_is_any(listen);
	if (hf_ip_parse(url->host, &addr) != 0)
		return false;
	return hf_ip_equal(&addr, listen) || (hf_ip_is_any(listen) && hf_ip_is_loopback(&addr)) ||
	       (hf_ip_is_any(&addr) && hf_ip_is_loopback(listen));
}

static void check_loop(struct origin_reader *x)
{
	const struct hf_settings *s = x->r->s;

	for (size_t i = 0; i < s->listen_n; i++) {
		if (!leads_to(&x->o->url, &s->listen[i]))
			continue;
		hf_settings_fault(x->r, x->section, HF_ORIGIN_URL,
				  "leads back to this holdfastd, which listens on port %u there",
				  x->o->url.port);
		return;
	}
}

static void read_url(struct origin_reader *x)
{
	const char *text = x->section->v[HF_ORIGIN_URL].text;
	struct hf_origin_settings *o = x->o;
	char quoted[HF_QUOTE_SIZE];

	if (!text) {
		if (!x->section->v[HF_ORIGIN_URL].line)
			hf_settings_fault(x->r, x->section, HF_ORIGIN_URL, "is missing");
		return;
	}
	o->url_text = hf_settings_dup(x->r, text);
	if (!o->url_text)
		return;
	if (hf_url_parse(hf_span_str(o->url_text), &o->url) != 0) {
		o->url = (struct hf_url){ 0 };
		hf_settings_fault(x->r, x->section, HF_ORIGIN_URL, "%s %s",
				  hf_quote(hf_span_str(text), quoted),
				  has_scheme(text) ? "is not a URL as https://shop.example:8443" :
						     "does not begin with http://, https://, "
						     "coap:// or coaps://");
		return;
	}
	check_scheme(x);
	check_loop(x);
	if (!hf_span_eq_str(o->url.path, "/") || o->url.query.ptr)
		hf_settings_fault(x->r, x->section, HF_ORIGIN_URL,
				  "is more than an origin: leave path and query out; requests "
				  "bring their own");
}

/* Another origin that answers to @host, or NULL. */
static const struct hf_origin_settings *find_host(const struct hf_settings *s,
						  const struct hf_origin_settings *self)
{
	for (size_t i = 0; i < s->origins_n; i++) {
		const struct hf_origin_settings *o = &s->origins[i];

		if (o != self && o->host && hf_span_ieq_str(hf_span_str(self->host), o->host))
			return o;
	}
	return NULL;
}

static void read_host(struct origin_reader *x)
{
	const char *text = x->section->v[HF_ORIGIN_HOST].text;
	bool first = x->o == x->r->s->origins;
	const struct hf_origin_settings *other;
	struct hf_span host;
	uint16_t port = 0;
	char quoted[HF_QUOTE_SIZE];

	if (!text) {
		if (!first && !x->section->v[HF_ORIGIN_HOST].line)
			hf_settings_fault(x->r, x->section, HF_ORIGIN_HOST,
					  "is missing: only the first origin is reached without "
					  "one, as localhost");
		return;
	}
	if (hf_host_parse(hf_span_str(text), &host, &port) != 0 || port != 0 ||
	    !hf_span_eq_str(host, text)) {
		hf_settings_fault(x->r, x->section, HF_ORIGIN_HOST,
				  "%s is not a name alone, as shop.localhost",
				  hf_quote(hf_span_str(text), quoted));
		return;
	}
	x->o->host = hf_settings_dup(x->r, text);
	if (!x->o->host)
		return;
	other = find_host(x->r->s, x->o);
	if (other)
		hf_settings_fault(x->r, x->section, HF_ORIGIN_HOST,
				  "%s is the host of [origin %s] already",
				  hf_quote(hf_span_str(text), quoted), other->name);
	else if (!first && hf_span_ieq_str(hf_span_str(text), "localhost"))
		hf_settings_fault(x->r, x->section, HF_ORIGIN_HOST,
				  "localhost is the first origin, [origin %s]",
				  x->r->s->origins[0].name);
}

/* ---- trust ---- */

/* What is wrong with a PEM file, NULL: nothing, or no memory. @sort "CERTIFICATE"
 * or "PRIVATE KEY". */
static const char *pem_problem(struct hf_settings_reader *r, const char *path, const char *sort)
{
	const char *found, *problem = NULL;
	char *text;
	size_t len;
	int err = r->port->file_read(r->port, path, PEM_BYTES_MAX, &text, &len);

	if (err == HF_ENOMEM) {
		r->faults->nomem = true;
		return NULL;
	}
	if (err)
		return hf_settings_file_problem(err);
	found = strstr(text, "-----BEGIN ");
	while (found && !problem) {
		size_t n = strcspn(found + 11, "\r\n");
		const char *at = strstr(found + 11, sort);

		if (strncmp(found + 11, "ENCRYPTED", 9) == 0)
			problem = "is encrypted, and nobody can type its passphrase at start";
		else if (at && at < found + 11 + n)
			break;
		found = strstr(found + 11, "-----BEGIN ");
	}
	free(text);
	if (!found && !problem)
		problem = strcmp(sort, "CERTIFICATE") == 0 ? "holds no PEM certificate" :
							     "holds no PEM private key";
	return problem;
}

char *hf_settings_pem_file(struct hf_settings_reader *r, const struct hf_conf_section *section,
			   unsigned key, const char *sort)
{
	const char *text = section->v[key].text, *problem;
	char quoted[HF_QUOTE_SIZE];
	char *path;

	if (!text)
		return NULL;
	path = hf_settings_path(r, text);
	if (!path)
		return NULL;
	problem = pem_problem(r, path, sort);
	if (problem)
		hf_settings_fault(r, section, key, "%s %s", hf_quote(hf_span_str(path), quoted),
				  problem);
	return path;
}

static int count_file(void *user, const char *path)
{
	(void)path;
	++*(unsigned *)user;
	return 0;
}

static char *read_ca_dir(struct origin_reader *x)
{
	const char *text = x->section->v[HF_ORIGIN_CA_DIR].text;
	struct hf_port *port = x->r->port;
	char quoted[HF_QUOTE_SIZE];
	unsigned files = 0;
	char *path;
	int err;

	if (!text)
		return NULL;
	path = hf_settings_path(x->r, text);
	if (!path)
		return NULL;
	err = port->dir_read(port, path, count_file, &files);
	if (err == HF_ENOMEM)
		x->r->faults->nomem = true;
	else if (err || files == 0)
		hf_settings_fault(x->r, x->section, HF_ORIGIN_CA_DIR, "%s %s",
				  hf_quote(hf_span_str(path), quoted),
				  err == HF_ESTATE ? "is not a folder" :
				  err		   ? hf_settings_file_problem(err) :
						     "holds no files");
	return path;
}

static void read_pins(struct origin_reader *x)
{
	const struct hf_conf_section *section = x->section;
	char quoted[HF_QUOTE_SIZE], where[96];

	if (section->pins_n == 0)
		return;
	x->o->pins = calloc(section->pins_n, sizeof(*x->o->pins));
	if (!x->o->pins) {
		x->r->faults->nomem = true;
		return;
	}
	snprintf(where, sizeof(where), "[%s] pin", section->title);
	for (size_t i = 0; i < section->pins_n; i++) {
		const struct hf_conf_value *v = &section->pins[i];

		if (!v->text)
			continue;
		if (!hf_is_sha256_base64(hf_span_str(v->text)))
			hf_fault_add(x->r->faults, v->line, where,
				     "%s is not the base64 of a SHA-256 hash (44 characters)",
				     hf_quote(hf_span_str(v->text), quoted));
		else
			x->o->pins[x->o->pins_n++] = hf_settings_dup(x->r, v->text);
	}
}

/* TLS keys on an origin without TLS, or with a key in their place. */
static void refuse_tls_keys(struct origin_reader *x)
{
	const char *why = hf_span_starts(x->o->url.scheme, HF_SPAN("coaps")) ?
				  "has no effect beside psk-file" :
			  is_coap(x->o) ? "has no effect: the url is not coaps" :
					  "has no effect: the url is not https";
	static const unsigned keys[] = { HF_ORIGIN_CA_FILE, HF_ORIGIN_CA_DIR, HF_ORIGIN_CLIENT_CERT,
					 HF_ORIGIN_CLIENT_KEY };
	char where[96];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (x->section->v[keys[i]].text)
			hf_settings_fault(x->r, x->section, keys[i], "%s", why);
	}
	if (x->section->pins_n == 0)
		return;
	snprintf(where, sizeof(where), "[%s] pin", x->section->title);
	hf_fault_add(x->r->faults, x->section->pins[0].line, where, "%s", why);
}

/* What is found wrong when both are taken together. */
static void check_pair(struct origin_reader *x)
{
	const struct hf_origin_settings *o = x->o;
	struct hf_buf words;
	struct hf_span line, what, rest;

	hf_buf_init(&words, 4096);
	if (hf_tls_check_pair(x->r->port, o->client_cert, o->client_key, &words) == HF_ENOMEM)
		x->r->faults->nomem = true;
	rest = hf_buf_span(&words);
	line = hf_span_cut(&rest, '\n');
	what = hf_span_cut(&line, ':');
	if (what.len > 0)
		hf_settings_fault(x->r, x->section,
				  hf_span_eq_str(what, "client-cert") ? HF_ORIGIN_CLIENT_CERT :
									HF_ORIGIN_CLIENT_KEY,
				  "%.*s", HF_SPAN_ARG(hf_span_trim(line)));
	hf_buf_finish(&words);
}

static void read_tls(struct origin_reader *x)
{
	const struct hf_conf_value *v = x->section->v;
	struct hf_origin_settings *o = x->o;
	size_t faults;

	o->ca_file = hf_settings_pem_file(x->r, x->section, HF_ORIGIN_CA_FILE, "CERTIFICATE");
	o->ca_dir = read_ca_dir(x);
	faults = x->r->faults->n;
	o->client_cert =
		hf_settings_pem_file(x->r, x->section, HF_ORIGIN_CLIENT_CERT, "CERTIFICATE");
	o->client_key = hf_settings_pem_file(x->r, x->section, HF_ORIGIN_CLIENT_KEY, "PRIVATE KEY");
	if (o->client_cert && o->client_key && x->r->faults->n == faults && !x->r->faults->nomem)
		check_pair(x);
	read_pins(x);
	if (v[HF_ORIGIN_CLIENT_CERT].text && !v[HF_ORIGIN_CLIENT_KEY].line)
		hf_settings_fault(x->r, x->section, HF_ORIGIN_CLIENT_CERT,
				  "needs client-key beside it");
	if (v[HF_ORIGIN_CLIENT_KEY].text && !v[HF_ORIGIN_CLIENT_CERT].line)
		hf_settings_fault(x->r, x->section, HF_ORIGIN_CLIENT_KEY,
				  "needs client-cert beside it");
	if (!v[HF_ORIGIN_CA_FILE].line && !v[HF_ORIGIN_CA_DIR].line && x->section->pins_n == 0)
		hf_settings_fault(x->r, x->section, HF_ORIGIN_URL,
				  "%.*s needs something to trust: ca-file (on Debian "
				  "/etc/ssl/certs/ca-certificates.crt), ca-dir or pin%s",
				  HF_SPAN_ARG(o->url.scheme),
				  is_coap(o) ? ", or psk-identity and psk-file" : "");
}

/* ---- the section ---- */

static void read_probe_target(struct origin_reader *x)
{
	const char *text = x->section->v[HF_ORIGIN_PROBE].text;
	struct hf_span path, query;
	char quoted[HF_QUOTE_SIZE];

	if (!text)
		return;
	if (hf_target_parse(hf_span_str(text), &path, &query) != 0)
		hf_settings_fault(x->r, x->section, HF_ORIGIN_PROBE,
				  "%s is not a path of the origin, as /healthz",
				  hf_quote(hf_span_str(text), quoted));
	else
		x->o->probe = hf_settings_dup(x->r, text);
}

static void read_pace(struct origin_reader *x)
{
	const struct hf_conf_value *v = x->section->v;
	struct hf_origin_settings *o = x->o;

	o->replay_interval_ms = hf_settings_number(x->r, x->section, HF_ORIGIN_REPLAY_INTERVAL, 1,
						   REPLAY_INTERVAL_MAX_MS, 0);
	o->replay_burst = hf_settings_number(x->r, x->section, HF_ORIGIN_REPLAY_BURST, 1,
					     REPLAY_BURST_MAX, 1);
	if (v[HF_ORIGIN_REPLAY_BURST].text && !v[HF_ORIGIN_REPLAY_INTERVAL].line)
		hf_settings_fault(x->r, x->section, HF_ORIGIN_REPLAY_BURST,
				  "needs replay-interval-ms beside it");
}

static void read_origin(struct origin_reader *x)
{
	struct hf_origin_settings *o = x->o;

	o->line = x->section->line;
	o->name = hf_settings_dup(x->r, x->section->name);
	if (!o->name)
		return;
	read_url(x);
	read_host(x);
	if (has_tls(x))
		read_tls(x);
	else if (o->url.scheme.len > 0)
		refuse_tls_keys(x);
	if (IS_ENABLED(CONFIG_HF_COAP) && o->url.scheme.len > 0)
		hf_settings_read_coap(x->r, x->section, o);
	read_probe_target(x);
	o->connect_timeout_ms = hf_settings_number(x->r, x->section, HF_ORIGIN_CONNECT_TIMEOUT,
						   TIMEOUT_MIN_MS, TIMEOUT_MAX_MS,
						   CONFIG_HF_CONNECT_TIMEOUT_MS);
	o->first_byte_timeout_ms =
		hf_settings_number(x->r, x->section, HF_ORIGIN_FIRST_BYTE_TIMEOUT, TIMEOUT_MIN_MS,
				   TIMEOUT_MAX_MS, CONFIG_HF_FIRST_BYTE_TIMEOUT_MS);
	read_pace(x);
	o->http_cache = hf_settings_yes_no(x->r, x->section, HF_ORIGIN_HTTP_CACHE, true);
}

void hf_settings_read_origins(struct hf_settings_reader *r, const struct hf_conf *conf)
{
	struct hf_settings *s = r->s;

	s->origins = calloc(HF_ORIGINS_MAX, sizeof(*s->origins));
	if (!s->origins) {
		r->faults->nomem = true;
		return;
	}
	for (size_t i = 0; i < conf->n && !r->faults->nomem; i++) {
		struct origin_reader x = { .r = r, .section = &conf->sections[i] };

		if (x.section->kind != HF_CONF_ORIGIN)
			continue;
		if (s->origins_n == HF_ORIGINS_MAX) {
			hf_fault_add(r->faults, x.section->line, "", "more than %d origins",
				     HF_ORIGINS_MAX);
			return;
		}
		x.o = &s->origins[s->origins_n++];
		read_origin(&x);
	}
	if (s->origins_n == 0 && r->faults->n == 0)
		hf_fault_add(r->faults, 0, "", "there is no [origin NAME] with a url");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is the same for all connections to one origin: name, anchors, pins, our
 * own certificate, the settings of Mbed TLS, and the last session.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/base64.h>
#include <mbedtls/platform_util.h>

#include "net/addr.h"
#include "net/tls_internal.h"
#include "net/tls_platform.h"

#define RENEW_EVERY_MS 1000

/* ---- parts of the options ---- */

static int set_name(struct hf_tls_client *c, const char *name)
{
	struct hf_addr addr;

	c->server_name = hf_span_dup(hf_span_str(name));
	if (!c->server_name)
		return HF_ENOMEM;
	if (hf_addr_parse(name, &addr) == 0) {
		c->name_is_ip = true;
		c->ip_len = addr.family == HF_FAMILY_IPV4 ? 4 : 16;
		memcpy(c->ip, addr.ip, c->ip_len);
	}
	return 0;
}

static int set_trust(struct hf_tls_client *c, const struct hf_tls_client_options *opt,
		     struct hf_buf *faults)
{
	int err;

	if (!opt->ca_file && !opt->ca_dir && opt->pins_n == 0) {
		(void)hf_buf_append_str(faults, "ca-file: there is neither ca-file nor ca-dir nor "
						"pin, so no server can be trusted\n");
		return HF_ECONFIG;
	}
	err = hf_tls_trust_get(opt->ca_file, opt->ca_dir, opt->trusts, c->port, faults, &c->trust);
	if (err)
		return err;
	c->has_trust = opt->ca_file || opt->ca_dir;
	mbedtls_ssl_conf_ca_cb(&c->own->conf, hf_tls_trust_find, c->trust);
	return 0;
}

static int set_sort(struct hf_tls_client *c, const struct hf_tls_client_options *opt)
{
	c->identity = hf_span_dup(opt->identity);
	c->psk = hf_span_dup(opt->psk);
	if (!c->identity || !c->psk)
		return HF_ENOMEM;
	c->sort = (struct hf_tls_sort){
		.kind = opt->kind,
		.identity = hf_span(c->identity, opt->identity.len),
		.psk = hf_span(c->psk, opt->psk.len),
	};
	return 0;
}

static int set_pins(struct hf_tls_client *c, const struct hf_tls_client_options *opt,
		    struct hf_buf *faults)
{
	size_t i, len;

	if (opt->pins_n == 0)
		return 0;
	c->pins = calloc(opt->pins_n, sizeof(*c->pins));
	if (!c->pins)
		return HF_ENOMEM;
	for (i = 0; i < opt->pins_n; i++) {
		const unsigned char *text = (const unsigned char *)opt->pins[i];

		if (mbedtls_base64_decode(c->pins[i], HF_TLS_PIN_BYTES, &len, text,
					  strlen(opt->pins[i])) ||
		    len != HF_TLS_PIN_BYTES) {
			(void)hf_buf_appendf(faults, "pin: %.64s is not the base64 of a SHA-256\n",
					     opt->pins[i]);
			return HF_ECONFIG;
		}
	}
	c->pins_n = opt->pins_n;
	return 0;
}

/* ---- our own certificate ---- */

static int read_own(struct hf_tls_client *c, struct hf_buf *faults)
{
	struct hf_tls_pair pair;
	int err;

	if (!c->cert_file)
		return hf_tls_own_create(&c->sort, NULL, NULL, NULL, faults, &c->own);
	err = hf_tls_pair_read(c->port, c->cert_file, c->key_file, faults, &pair);
	if (err)
		return err;
	err = hf_tls_own_create(&c->sort, &pair, c->cert_file, c->key_file, faults, &c->own);
	hf_tls_pair_finish(&pair);
	return err;
}

static int set_own(struct hf_tls_client *c, const struct hf_tls_client_options *opt,
		   struct hf_buf *faults)
{
	if (!opt->cert_file != !opt->key_file) {
		(void)hf_buf_append_str(faults, "client-cert and client-key go together\n");
		return HF_ECONFIG;
	}
	if (opt->cert_file) {
		c->cert_file = hf_span_dup(hf_span_str(opt->cert_file));
		c->key_file = hf_span_dup(hf_span_str(opt->key_file));
		if (!c->cert_file || !c->key_file)
			return HF_ENOMEM;
	}
	c->looked_ms = c->port->boottime_ms(c->port);
	return read_own(c, faults);
}

/* It is told once of a pair that does not fit, and the one before it goes on. */
static void log_unfit(struct hf_tls_client *c, uint64_t version, struct hf_buf *faults)
{
	struct hf_span rest = hf_buf_span(faults), line = hf_span_cut(&rest, '\n');
	char quoted[256];

	if (c->unfit_version == version)
		return;
	c->unfit_version = version;
	hf_log(c->log, HF_LOG_ERROR, "tls.unfit", "server=%s fault=%s", c->server_name,
	       hf_log_quote(line, quoted, sizeof(quoted)));
}

static bool take_pair(struct hf_tls_client *c, const struct hf_tls_pair *pair,
		      struct hf_buf *faults)
{
	struct hf_tls_own *next;

	if (pair->version == c->own->version) {
		c->unfit_version = 0;
		return false;
	}
	if (hf_tls_own_create(&c->sort, pair, c->cert_file, c->key_file, faults, &next)) {
		log_unfit(c, pair->version, faults);
		return false;
	}
	mbedtls_ssl_conf_ca_cb(&next->conf, hf_tls_trust_find, c->trust);
	hf_tls_own_put(c->own);
	c->own = next;
	c->unfit_version = 0;
	hf_tls_client_forget(c); /* what is resumed shows no certificate */
	hf_log(c->log, HF_LOG_INFO, "tls.renewed", "server=%s cert=%s", c->server_name,
	       c->cert_file);
	return true;
}

bool hf_tls_client_renew(struct hf_tls_client *c)
{
	uint64_t now = c->port->boottime_ms(c->port);
	struct hf_tls_pair pair;
	struct hf_port *before;
	struct hf_buf faults;
	bool renewed = false;

	if (!c->cert_file || now - c->looked_ms < RENEW_EVERY_MS)
		return false;
	c->looked_ms = now;
	hf_buf_init(&faults, 4096);
	before = hf_tls_platform_enter(c->port);
	if (hf_tls_pair_read(c->port, c->cert_file, c->key_file, &faults, &pair))
		log_unfit(c, UINT64_MAX, &faults);
	else
		renewed = take_pair(c, &pair, &faults);
	hf_tls_pair_finish(&pair);
	hf_tls_platform_leave(before);
	hf_buf_finish(&faults);
	return renewed;
}

int hf_tls_check_pair(struct hf_port *port, const char *cert_file, const char *key_file,
		      struct hf_buf *faults)
{
	struct hf_port *before = hf_tls_platform_enter(port);
	struct hf_tls_sort sort = { .kind = HF_TLS_HTTP };
	struct hf_tls_own *own = NULL;
	struct hf_tls_pair pair;
	int err = hf_tls_pair_read(port, cert_file, key_file, faults, &pair);

	if (!err)
		err = hf_tls_own_create(&sort, &pair, cert_file, key_file, faults, &own);
	hf_tls_pair_finish(&pair);
	hf_tls_own_put(own);
	hf_tls_platform_leave(before);
	return err;
}

/* ---- public ---- */

static int fill(struct hf_tls_client *c, const struct hf_tls_client_options *opt,
		struct hf_buf *faults)
{
	int err = set_name(c, opt->server_name);

	if (!err)
		err = set_sort(c, opt);
	if (!err)
		err = set_own(c, opt, faults);
	if (!err && opt->psk.len == 0)
		err = set_trust(c, opt, faults);
	if (!err)
		err = set_pins(c, opt, faults);
	return err;
}

int hf_tls_client_create(const struct hf_tls_client_options *opt, struct hf_buf *faults,
			 struct hf_tls_client **out)
{
	struct hf_tls_client *c = calloc(1, sizeof(*c));
	struct hf_port *before;
	int err;

	if (!c)
		return HF_ENOMEM;
	c->port = opt->port;
	c->log = opt->log;
	before = hf_tls_platform_enter(c->port);
	err = fill(c, opt, faults);
	hf_tls_platform_leave(before);
	if (err) {
		hf_tls_client_destroy(c);
		return err;
	}
	if (c->trust)
		hf_log(c->log, HF_LOG_DEBUG, "tls.trust",
		       "server=%s anchors=%zu bytes=%zu pins=%zu", c->server_name, c->trust->n,
		       c->trust->der_cap + c->trust->cap * sizeof(*c->trust->entries), c->pins_n);
	*out = c;
	return 0;
}

void hf_tls_client_destroy(struct hf_tls_client *c)
{
	if (!c)
		return;
	hf_tls_client_forget(c);
	hf_tls_own_put(c->own);
	free(c->cert_file);
	free(c->key_file);
	hf_tls_trust_put(c->trust);
	if (c->psk)
		mbedtls_platform_zeroize(c->psk, c->sort.psk.len);
	free(c->identity);
	free(c->psk);
	free(c->pins);
	free(c->server_name);
	free(c);
}

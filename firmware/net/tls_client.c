/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is the same for all connections to one origin: name, anchors, pins, our
 * own certificate, the settings of Mbed TLS, and the last session.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/base64.h>
#include <mbedtls/error.h>
#include <mbedtls/platform_util.h>
#include <psa/crypto.h>

#include "net/addr.h"
#include "net/tls_internal.h"
#include "net/tls_platform.h"

#define PEM_FILE_MAX (256u * 1024)

static const char *alpn[] = { "http/1.1", NULL };

static int read_file(struct hf_tls_client *c, const char *what, const char *path,
		     struct hf_buf *faults, char **text, size_t *len)
{
	int err = c->port->file_read(c->port, path, PEM_FILE_MAX, text, len);

	if (!err || err == HF_ENOMEM)
		return err;
	(void)hf_buf_appendf(faults, "%s: cannot read %s: %s\n", what, path, hf_strerror(err));
	return HF_ECONFIG;
}

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
	mbedtls_ssl_conf_ca_cb(&c->conf, hf_tls_trust_find, c->trust);
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

static int parse_cert(struct hf_tls_client *c, const char *path, struct hf_buf *faults)
{
	char *text;
	size_t len;
	int ret, err = read_file(c, "client-cert", path, faults, &text, &len);

	if (err)
		return err;
	ret = mbedtls_x509_crt_parse(&c->cert, (const unsigned char *)text, len + 1);
	free(text);
	if (ret == 0)
		return 0;
	if (hf_tls_is_nomem(ret))
		return HF_ENOMEM;
	(void)hf_buf_appendf(faults, "client-cert: no usable certificate in %s\n", path);
	return HF_ECONFIG;
}

static int parse_key(struct hf_tls_client *c, const char *path, struct hf_buf *faults)
{
	char *text, words[96];
	size_t len;
	int ret, err = read_file(c, "client-key", path, faults, &text, &len);

	if (err)
		return err;
	ret = mbedtls_pk_parse_key(&c->key, (const unsigned char *)text, len + 1, NULL, 0,
				   hf_tls_platform_random, NULL);
	mbedtls_platform_zeroize(text, len);
	free(text);
	if (ret == 0)
		return 0;
	if (hf_tls_is_nomem(ret))
		return HF_ENOMEM;
	mbedtls_strerror(ret, words, sizeof(words));
	(void)hf_buf_appendf(faults, "client-key: no usable key in %s: %s\n", path, words);
	return HF_ECONFIG;
}

static int set_own_cert(struct hf_tls_client *c, const struct hf_tls_client_options *opt,
			struct hf_buf *faults)
{
	int err;

	if (!opt->cert_file && !opt->key_file)
		return 0;
	if (!opt->cert_file || !opt->key_file) {
		(void)hf_buf_append_str(faults, "client-cert and client-key go together\n");
		return HF_ECONFIG;
	}
	err = parse_cert(c, opt->cert_file, faults);
	if (!err)
		err = parse_key(c, opt->key_file, faults);
	if (err)
		return err;
	if (mbedtls_pk_check_pair(&c->cert.pk, &c->key, hf_tls_platform_random, NULL)) {
		(void)hf_buf_appendf(faults, "client-key: %s does not belong to %s\n",
				     opt->key_file, opt->cert_file);
		return HF_ECONFIG;
	}
	return mbedtls_ssl_conf_own_cert(&c->conf, &c->cert, &c->key) ? HF_ENOMEM : 0;
}

static int set_conf(struct hf_tls_client *c)
{
	if (psa_crypto_init() != PSA_SUCCESS)
		return HF_ENOMEM;
	if (mbedtls_ssl_config_defaults(&c->conf, MBEDTLS_SSL_IS_CLIENT,
					MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT))
		return HF_ENOMEM;
	mbedtls_ssl_conf_min_tls_version(&c->conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_authmode(&c->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_rng(&c->conf, hf_tls_platform_random, NULL);
	mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
		&c->conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
	return mbedtls_ssl_conf_alpn_protocols(&c->conf, alpn) ? HF_ENOMEM : 0;
}

/* ---- public ---- */

static int fill(struct hf_tls_client *c, const struct hf_tls_client_options *opt,
		struct hf_buf *faults)
{
	int err = set_name(c, opt->server_name);

	if (!err)
		err = set_conf(c);
	if (!err)
		err = set_trust(c, opt, faults);
	if (!err)
		err = set_pins(c, opt, faults);
	if (!err)
		err = set_own_cert(c, opt, faults);
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
	mbedtls_ssl_config_init(&c->conf);
	mbedtls_x509_crt_init(&c->cert);
	mbedtls_pk_init(&c->key);
	before = hf_tls_platform_enter(c->port);
	err = fill(c, opt, faults);
	hf_tls_platform_leave(before);
	if (err) {
		hf_tls_client_destroy(c);
		return err;
	}
	hf_log(c->log, HF_LOG_DEBUG, "tls.trust", "server=%s anchors=%zu bytes=%zu pins=%zu",
	       c->server_name, c->trust->n,
	       c->trust->der_cap + c->trust->cap * sizeof(*c->trust->entries), c->pins_n);
	*out = c;
	return 0;
}

void hf_tls_client_destroy(struct hf_tls_client *c)
{
	if (!c)
		return;
	hf_tls_client_forget(c);
	mbedtls_ssl_config_free(&c->conf);
	mbedtls_x509_crt_free(&c->cert);
	mbedtls_pk_free(&c->key);
	hf_tls_trust_put(c->trust);
	free(c->pins);
	free(c->server_name);
	free(c);
}

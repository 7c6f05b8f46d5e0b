/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls_own.h"

#include <assert.h>
#include <stdlib.h>

#include <mbedtls/error.h>
#include <mbedtls/platform_util.h>
#include <psa/crypto.h>

#include "net/tls_internal.h"
#include "net/tls_platform.h"

#define PEM_FILE_MAX (256u * 1024)

static const char *http_alpn[] = { "http/1.1", NULL };
static const char *coap_alpn[] = { "coap", NULL };

/* With a key that both sides know, a certificate would be one nobody has looked at. */
static const int psk_suites[] = {
	MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_PSK_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_PSK_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_PSK_WITH_AES_256_CCM,
	MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_PSK_WITH_AES_128_CCM,
	MBEDTLS_TLS_PSK_WITH_AES_256_CCM_8,
	MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8,
	0,
};

/* ---- the files ---- */

static int read_file(struct hf_port *port, const char *what, const char *path,
		     struct hf_buf *faults, char **text, size_t *len)
{
	int err = port->file_read(port, path, PEM_FILE_MAX, text, len);

	if (!err || err == HF_ENOMEM)
		return err;
	(void)hf_buf_appendf(faults, "%s: cannot read %s: %s\n", what, path, hf_strerror(err));
	return HF_ECONFIG;
}

int hf_tls_pair_read(struct hf_port *port, const char *cert_file, const char *key_file,
		     struct hf_buf *faults, struct hf_tls_pair *out)
{
	int err;

	*out = (struct hf_tls_pair){ 0 };
	err = read_file(port, "client-cert", cert_file, faults, &out->cert, &out->cert_len);
	if (!err)
		err = read_file(port, "client-key", key_file, faults, &out->key, &out->key_len);
	if (err) {
		hf_tls_pair_finish(out);
		return err;
	}
	out->version = (uint64_t)hf_span_hash(hf_span(out->cert, out->cert_len)) << 32 |
		       hf_span_hash(hf_span(out->key, out->key_len));
	return 0;
}

void hf_tls_pair_finish(struct hf_tls_pair *p)
{
	if (p->key)
		mbedtls_platform_zeroize(p->key, p->key_len);
	free(p->key);
	free(p->cert);
	p->key = p->cert = NULL;
}

/* ---- a generation ---- */

static int parse_cert(struct hf_tls_own *own, const struct hf_tls_pair *p, const char *path,
		      struct hf_buf *faults)
{
	int ret =
		mbedtls_x509_crt_parse(&own->cert, (const unsigned char *)p->cert, p->cert_len + 1);

	if (ret == 0)
		return 0;
	if (hf_tls_is_nomem(ret))
		return HF_ENOMEM;
	(void)hf_buf_appendf(faults, "client-cert: no usable certificate in %s\n", path);
	return HF_ECONFIG;
}

static int parse_key(struct hf_tls_own *own, const struct hf_tls_pair *p, const char *path,
		     struct hf_buf *faults)
{
	int ret = mbedtls_pk_parse_key(&own->key, (const unsigned char *)p->key, p->key_len + 1,
				       NULL, 0, hf_tls_platform_random, NULL);
	char words[96];

	if (ret == 0)
		return 0;
	if (hf_tls_is_nomem(ret))
		return HF_ENOMEM;
	mbedtls_strerror(ret, words, sizeof(words));
	(void)hf_buf_appendf(faults, "client-key: no usable key in %s: %s\n", path, words);
	return HF_ECONFIG;
}

static int set_pair(struct hf_tls_own *own, const struct hf_tls_pair *p, const char *cert_file,
		    const char *key_file, struct hf_buf *faults)
{
	int err = parse_cert(own, p, cert_file, faults);

	if (!err)
		err = parse_key(own, p, key_file, faults);
	if (err)
		return err;
	if (mbedtls_pk_check_pair(&own->cert.pk, &own->key, hf_tls_platform_random, NULL)) {
		(void)hf_buf_appendf(faults, "client-key: %s does not belong to %s\n", key_file,
				     cert_file);
		return HF_ECONFIG;
	}
	own->version = p->version;
	return mbedtls_ssl_conf_own_cert(&own->conf, &own->cert, &own->key) ? HF_ENOMEM : 0;
}

static int set_psk(struct hf_tls_own *own, const struct hf_tls_sort *sort)
{
	if (sort->psk.len == 0)
		return 0;
	mbedtls_ssl_conf_ciphersuites(&own->conf, psk_suites);
	mbedtls_ssl_conf_max_tls_version(&own->conf, MBEDTLS_SSL_VERSION_TLS1_2);
	return mbedtls_ssl_conf_psk(&own->conf, (const unsigned char *)sort->psk.ptr, sort->psk.len,
				    (const unsigned char *)sort->identity.ptr, sort->identity.len) ?
		       HF_ENOMEM :
		       0;
}

static int set_conf(struct hf_tls_own *own, const struct hf_tls_sort *sort)
{
	bool datagram = sort->kind == HF_TLS_DATAGRAM;

	if (psa_crypto_init() != PSA_SUCCESS)
		return HF_ENOMEM;
	if (mbedtls_ssl_config_defaults(&own->conf, MBEDTLS_SSL_IS_CLIENT,
					datagram ? MBEDTLS_SSL_TRANSPORT_DATAGRAM :
						   MBEDTLS_SSL_TRANSPORT_STREAM,
					MBEDTLS_SSL_PRESET_DEFAULT))
		return HF_ENOMEM;
	mbedtls_ssl_conf_min_tls_version(&own->conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_authmode(&own->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_rng(&own->conf, hf_tls_platform_random, NULL);
	mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
		&own->conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
	if (datagram)
		return set_psk(own, sort);
	if (mbedtls_ssl_conf_alpn_protocols(&own->conf,
					    sort->kind == HF_TLS_COAP ? coap_alpn : http_alpn))
		return HF_ENOMEM;
	return set_psk(own, sort);
}

int hf_tls_own_create(const struct hf_tls_sort *sort, const struct hf_tls_pair *pair,
		      const char *cert_file, const char *key_file, struct hf_buf *faults,
		      struct hf_tls_own **out)
{
	struct hf_tls_own *own = calloc(1, sizeof(*own));
	int err;

	if (!own)
		return HF_ENOMEM;
	own->users = 1;
	mbedtls_ssl_config_init(&own->conf);
	mbedtls_x509_crt_init(&own->cert);
	mbedtls_pk_init(&own->key);
	err = set_conf(own, sort);
	if (!err && pair)
		err = set_pair(own, pair, cert_file, key_file, faults);
	if (err) {
		hf_tls_own_put(own);
		return err;
	}
	*out = own;
	return 0;
}

void hf_tls_own_put(struct hf_tls_own *own)
{
	if (!own)
		return;
	assert(own->users > 0);
	if (--own->users > 0)
		return;
	mbedtls_ssl_config_free(&own->conf);
	mbedtls_x509_crt_free(&own->cert);
	mbedtls_pk_free(&own->key);
	free(own);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection's TLS: handshake, records, tickets. It never waits: when the
 * pipe has no more ciphertext, it says HF_EAGAIN and goes on at the next call.
 */
#include <assert.h>
#include <stdlib.h>

#include <mbedtls/net_sockets.h>

#include "net/tls_internal.h"
#include "net/tls_platform.h"

static int bio_send(void *user, const unsigned char *data, size_t len)
{
	struct hf_tls_session *s = user;
	ptrdiff_t n = s->bio.write(s->bio.user, data, len);

	if (n < 0)
		return MBEDTLS_ERR_NET_CONN_RESET;
	return n == 0 ? MBEDTLS_ERR_SSL_WANT_WRITE : (int)n;
}

static int bio_recv(void *user, unsigned char *data, size_t len)
{
	struct hf_tls_session *s = user;
	ptrdiff_t n = s->bio.read(s->bio.user, data, len);

	if (n < 0)
		return MBEDTLS_ERR_NET_CONN_RESET;
	return n == 0 ? MBEDTLS_ERR_SSL_WANT_READ : (int)n;
}

static bool wants_more(int ret)
{
	return ret == MBEDTLS_ERR_SSL_WANT_READ || ret == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* ---- resumption ---- */

void hf_tls_client_forget(struct hf_tls_client *c)
{
	if (!c->has_saved)
		return;
	mbedtls_ssl_session_free(&c->saved);
	c->has_saved = false;
}

void hf_tls_client_save(struct hf_tls_client *c, const mbedtls_ssl_context *ssl)
{
	mbedtls_ssl_session next;

	mbedtls_ssl_session_init(&next);
	if (mbedtls_ssl_get_session(ssl, &next)) {
		mbedtls_ssl_session_free(&next);
		return; /* nothing to resume with: the next handshake is a full one */
	}
	hf_tls_client_forget(c);
	c->saved = next;
	c->has_saved = true;
	c->saved_at_ms = c->port->boottime_ms(c->port);
}

static void offer_saved(struct hf_tls_session *s)
{
	struct hf_tls_client *c = s->client;

	if (c->has_saved && c->port->boottime_ms(c->port) - c->saved_at_ms > HF_TLS_SESSION_MS)
		hf_tls_client_forget(c);
	if (c->has_saved)
		s->offered = mbedtls_ssl_set_session(s->ssl, &c->saved) == 0;
}

/* ---- public ---- */

static int setup(struct hf_tls_session *s)
{
	struct hf_tls_client *c = s->client;
	int ret = mbedtls_ssl_setup(s->ssl, &s->own->conf);

	if (!ret)
		ret = mbedtls_ssl_set_hostname(s->ssl, c->name_is_ip ? NULL : c->server_name);
	if (ret)
		return HF_ENOMEM;
	mbedtls_ssl_set_verify(s->ssl, hf_tls_verify, s);
	offer_saved(s);
	return 0;
}

/* @ssl NULL: its own. */
static int create(struct hf_tls_client *c, mbedtls_ssl_context *ssl, struct hf_tls_session **out)
{
	struct hf_port *before = hf_tls_platform_enter(c->port);
	struct hf_tls_session *s = calloc(1, sizeof(*s));
	int err = HF_ENOMEM;

	if (s) {
		s->client = c;
		s->own = c->own;
		s->own->users++;
		s->err = HF_EAGAIN;
		mbedtls_ssl_init(&s->mine);
		s->ssl = ssl ? ssl : &s->mine;
		err = setup(s);
	}
	hf_tls_platform_leave(before);
	if (err)
		hf_tls_session_destroy(s);
	else
		*out = s;
	return err;
}

int hf_tls_session_create(struct hf_tls_client *c, const struct hf_tls_bio *bio,
			  struct hf_tls_session **out)
{
	int err = create(c, NULL, out);

	if (err)
		return err;
	(*out)->bio = *bio;
	mbedtls_ssl_set_bio((*out)->ssl, *out, bio_send, bio_recv, NULL);
	return 0;
}

int hf_tls_attach(struct hf_tls_client *c, mbedtls_ssl_context *ssl, struct hf_tls_session **out)
{
	return create(c, ssl, out);
}

void hf_tls_session_destroy(struct hf_tls_session *s)
{
	struct hf_port *before;

	if (!s)
		return;
	before = hf_tls_platform_enter(s->client->port);
	mbedtls_ssl_free(&s->mine);
	hf_tls_own_put(s->own);
	hf_tls_platform_leave(before);
	free(s);
}

static int opened(struct hf_tls_session *s)
{
	struct hf_tls_client *c = s->client;

	s->open = true;
	if (s->own == c->own &&
	    mbedtls_ssl_get_version_number(s->ssl) == MBEDTLS_SSL_VERSION_TLS1_2)
		hf_tls_client_save(c, s->ssl);
	hf_log(c->log, HF_LOG_DEBUG, "tls.open", "server=%s version=%s cipher=%s resumed=%d",
	       c->server_name, mbedtls_ssl_get_version(s->ssl), mbedtls_ssl_get_ciphersuite(s->ssl),
	       s->offered && !s->verified);
	return 0;
}

static int failed(struct hf_tls_session *s, int ret)
{
	int err = hf_tls_explain(s, ret);

	if (s->offered && !s->open)
		hf_tls_client_forget(s->client);
	return err;
}

/* What Mbed TLS returns; s->err says it as HF_E*. */
static int handshake(struct hf_tls_session *s)
{
	struct hf_port *before = hf_tls_platform_enter(s->client->port);
	int ret = mbedtls_ssl_handshake(s->ssl);

	if (ret == 0)
		s->err = opened(s);
	else if (wants_more(ret))
		s->err = HF_EAGAIN;
	else
		s->err = failed(s, ret);
	hf_tls_platform_leave(before);
	return ret;
}

int hf_tls_session_handshake(struct hf_tls_session *s)
{
	(void)handshake(s);
	return s->err;
}

/* A ticket (TLS 1.3) was in the way, of a read or of a write: once more. */
static bool took_ticket(struct hf_tls_session *s, int ret)
{
	if (ret != MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
		return false;
	if (s->own == s->client->own) /* else it would be resumed as who we were */
		hf_tls_client_save(s->client, s->ssl);
	return true;
}

static ptrdiff_t read_some(struct hf_tls_session *s, void *data, size_t len)
{
	int ret;

	do {
		ret = mbedtls_ssl_read(s->ssl, data, len);
	} while (took_ticket(s, ret));
	if (ret > 0)
		return ret;
	if (wants_more(ret))
		return HF_EAGAIN;
	if (ret == 0 || ret == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return HF_EEOF;
	return failed(s, ret);
}

ptrdiff_t hf_tls_session_read(struct hf_tls_session *s, void *data, size_t len)
{
	struct hf_port *before = hf_tls_platform_enter(s->client->port);
	ptrdiff_t n = read_some(s, data, len);

	hf_tls_platform_leave(before);
	return n;
}

ptrdiff_t hf_tls_session_write(struct hf_tls_session *s, const void *data, size_t len)
{
	struct hf_port *before = hf_tls_platform_enter(s->client->port);
	ptrdiff_t n;
	int ret;

	do {
		ret = mbedtls_ssl_write(s->ssl, data, len);
	} while (took_ticket(s, ret));
	if (ret >= 0)
		n = ret;
	else if (wants_more(ret))
		n = HF_EAGAIN;
	else
		n = failed(s, ret);
	hf_tls_platform_leave(before);
	return n;
}

int hf_tls_session_close_notify(struct hf_tls_session *s)
{
	struct hf_port *before = hf_tls_platform_enter(s->client->port);
	int ret = s->open ? mbedtls_ssl_close_notify(s->ssl) : 0;

	hf_tls_platform_leave(before);
	if (ret == 0)
		return 0;
	return wants_more(ret) ? HF_EAGAIN : HF_ETLS;
}

const char *hf_tls_session_error(const struct hf_tls_session *s)
{
	return s->error;
}

/* ---- attached ---- */

int hf_tls_attached_handshake(struct hf_tls_session *s)
{
	if (s->err && s->err != HF_EAGAIN)
		return MBEDTLS_ERR_SSL_INTERNAL_ERROR; /* it has ended, and is not begun anew */
	return handshake(s);
}

int hf_tls_attached_read(struct hf_tls_session *s, unsigned char *data, size_t len)
{
	struct hf_port *before = hf_tls_platform_enter(s->client->port);
	int ret;

	do {
		ret = mbedtls_ssl_read(s->ssl, data, len);
	} while (took_ticket(s, ret));
	if (ret == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
		s->err = failed(s, ret);
	hf_tls_platform_leave(before);
	return ret;
}

int hf_tls_attached_result(const struct hf_tls_session *s)
{
	return s->err;
}

bool hf_tls_attached_answered(const struct hf_tls_session *s)
{
	return s->ssl->MBEDTLS_PRIVATE(state) > MBEDTLS_SSL_SERVER_HELLO;
}

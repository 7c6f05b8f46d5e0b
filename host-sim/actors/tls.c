/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/tls.h"

#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <psa/crypto.h>

#include "net/tls_platform.h"
#include "sim/mem.h"

#define CIPHER_MAX    (64 << 20)
#define TICKET_LIFE_S 86400

/* A port that has a clock and randomness, and nothing else. */
struct platform {
	struct hf_port port; /* first */
	struct sim_world *world;
	int64_t epoch_ms;
	struct sim_rng rng;
};

struct sim_tls_server {
	struct platform platform;
	mbedtls_ssl_config conf;
	mbedtls_x509_crt cert;
	mbedtls_pk_context key;
	mbedtls_ssl_ticket_context tickets;
};

struct sim_tls {
	struct platform platform;
	mbedtls_ssl_context ssl;
	struct hf_buf in, out;
	bool open;
};

/* ---- the world ---- */

static struct platform *platform_of(struct hf_port *port)
{
	return (struct platform *)(void *)port;
}

static uint64_t boottime_ms(struct hf_port *port)
{
	return platform_of(port)->world->now_us / SIM_US_PER_MS;
}

static enum hf_clock_trust wall_ms(struct hf_port *port, int64_t *ms)
{
	*ms = platform_of(port)->epoch_ms + (int64_t)boottime_ms(port);
	return HF_CLOCK_SYNCED;
}

static int entropy(struct hf_port *port, void *out, size_t len)
{
	sim_rng_fill(&platform_of(port)->rng, out, len);
	return 0;
}

static void platform_init(struct platform *p, struct sim_world *world, int64_t epoch_ms)
{
	p->port.boottime_ms = boottime_ms;
	p->port.wall_ms = wall_ms;
	p->port.entropy = entropy;
	p->world = world;
	p->epoch_ms = epoch_ms;
}

static void must(int ret)
{
	if (ret)
		sim_must(NULL);
}

/* ---- a server ---- */

static void configure(struct sim_tls_server *s, const char *cert)
{
	must(psa_crypto_init() != PSA_SUCCESS);
	must(mbedtls_x509_crt_parse(&s->cert, (const unsigned char *)cert, strlen(cert) + 1));
	must(mbedtls_pk_parse_key(&s->key, (const unsigned char *)sim_cert_key,
				  strlen(sim_cert_key) + 1, NULL, 0, hf_tls_platform_random, NULL));
	must(mbedtls_ssl_config_defaults(&s->conf, MBEDTLS_SSL_IS_SERVER,
					 MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT));
	mbedtls_ssl_conf_rng(&s->conf, hf_tls_platform_random, NULL);
	must(mbedtls_ssl_conf_own_cert(&s->conf, &s->cert, &s->key));
	must(mbedtls_ssl_ticket_setup(&s->tickets, hf_tls_platform_random, NULL,
				      MBEDTLS_CIPHER_AES_256_GCM, TICKET_LIFE_S));
	mbedtls_ssl_conf_session_tickets_cb(&s->conf, mbedtls_ssl_ticket_write,
					    mbedtls_ssl_ticket_parse, &s->tickets);
}

struct sim_tls_server *sim_tls_server_create(struct sim_world *world, int64_t epoch_ms,
					     enum sim_cert cert, const char *host)
{
	struct sim_tls_server *s = sim_alloc(sizeof(*s));
	struct hf_port *before = hf_tls_platform_enter(&s->platform.port);
	char domain[96];

	platform_init(&s->platform, world, epoch_ms);
	snprintf(domain, sizeof(domain), "ticket keys/%s", host);
	sim_rng_init(&s->platform.rng, world->seed, domain);
	mbedtls_ssl_config_init(&s->conf);
	mbedtls_x509_crt_init(&s->cert);
	mbedtls_pk_init(&s->key);
	mbedtls_ssl_ticket_init(&s->tickets);
	configure(s, sim_certs[cert]);
	hf_tls_platform_leave(before);
	return s;
}

void sim_tls_server_destroy(struct sim_tls_server *s)
{
	if (!s)
		return;
	mbedtls_ssl_ticket_free(&s->tickets);
	mbedtls_pk_free(&s->key);
	mbedtls_x509_crt_free(&s->cert);
	mbedtls_ssl_config_free(&s->conf);
	sim_free(s);
}

/* ---- a connection ---- */

static int bio_send(void *user, const unsigned char *data, size_t len)
{
	struct sim_tls *t = user;

	must(hf_buf_append(&t->out, hf_span(data, len)));
	return (int)len;
}

static int bio_recv(void *user, unsigned char *out, size_t len)
{
	struct sim_tls *t = user;
	struct hf_span in = hf_buf_span(&t->in);

	if (in.len == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (len > in.len)
		len = in.len;
	memcpy(out, in.ptr, len);
	hf_buf_consume(&t->in, len);
	return (int)len;
}

struct sim_tls *sim_tls_create(struct sim_tls_server *s, const struct hf_stream *stream)
{
	struct sim_tls *t = sim_alloc(sizeof(*t));
	struct hf_port *before = hf_tls_platform_enter(&t->platform.port);

	platform_init(&t->platform, s->platform.world, s->platform.epoch_ms);
	sim_stream_rng(stream, "tls", &t->platform.rng);
	hf_buf_init(&t->in, CIPHER_MAX);
	hf_buf_init(&t->out, CIPHER_MAX);
	mbedtls_ssl_init(&t->ssl);
	must(mbedtls_ssl_setup(&t->ssl, &s->conf));
	mbedtls_ssl_set_bio(&t->ssl, t, bio_send, bio_recv, NULL);
	hf_tls_platform_leave(before);
	return t;
}

void sim_tls_destroy(struct sim_tls *t)
{
	if (!t)
		return;
	mbedtls_ssl_free(&t->ssl);
	hf_buf_finish(&t->in);
	hf_buf_finish(&t->out);
	sim_free(t);
}

void sim_tls_feed(struct sim_tls *t, const void *data, size_t len)
{
	must(hf_buf_append(&t->in, hf_span(data, len)));
}

static ptrdiff_t go_on(struct sim_tls *t, void *out, size_t len)
{
	int ret;

	if (!t->open) {
		ret = mbedtls_ssl_handshake(&t->ssl);
		if (ret)
			return ret;
		t->open = true;
	}
	return mbedtls_ssl_read(&t->ssl, out, len);
}

ptrdiff_t sim_tls_read(struct sim_tls *t, void *out, size_t len)
{
	struct hf_port *before = hf_tls_platform_enter(&t->platform.port);
	ptrdiff_t ret = go_on(t, out, len);

	hf_tls_platform_leave(before);
	if (ret > 0)
		return ret;
	if (ret == MBEDTLS_ERR_SSL_WANT_READ || ret == MBEDTLS_ERR_SSL_WANT_WRITE)
		return 0;
	return ret == 0 || ret == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ? HF_EEOF : HF_ETLS;
}

size_t sim_tls_write(struct sim_tls *t, struct hf_span data)
{
	struct hf_port *before;
	size_t done = 0;
	int n = 1;

	if (!t->open)
		return 0;
	before = hf_tls_platform_enter(&t->platform.port);
	while (done < data.len && n > 0) {
		n = mbedtls_ssl_write(&t->ssl, (const unsigned char *)data.ptr + done,
				      data.len - done);
		done += n > 0 ? (size_t)n : 0;
	}
	hf_tls_platform_leave(before);
	return done;
}

void sim_tls_close_notify(struct sim_tls *t)
{
	struct hf_port *before = hf_tls_platform_enter(&t->platform.port);

	if (t->open)
		(void)mbedtls_ssl_close_notify(&t->ssl);
	hf_tls_platform_leave(before);
}

struct hf_buf *sim_tls_out(struct sim_tls *t)
{
	return &t->out;
}

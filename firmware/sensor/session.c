/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DTLS 1.2 with the keys of the file of devices. Until a sender has given back the
 * cookie that was sent to its address nothing is kept of it: the greeter, a context
 * without a session, reads its first message and forgets it. Those that have not shown
 * their key yet have places of their own, so that they displace no device.
 */
#include <stdlib.h>

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>
#include <psa/crypto.h>

#include "base/strmap.h"
#include "holdfast/err.h"
#include "net/addr.h"
#include "net/tls_platform.h"
#include "sensor/sensor_private.h"

#define RECORD_HEAD	 13
#define HELLO_MIN	 (RECORD_HEAD + 12 + 2 + 32 + 1)
#define TYPE_HANDSHAKE	 22
#define TYPE_HELLO	 1
#define RETRANSMIT_MS	 2000
#define RETRANSMIT_MAX	 16000
#define HANDSHAKE_MS	 30000 /* one that takes longer gives way */
#define BAD_RECORDS_MAX	 16
#define MTU		 1400
#define MESSAGE_MAX	 2048
#define ADDRESS_ID_BYTES (16 + 4 + 2 + 1)

struct hf_sensor_session {
	struct hf_list link; /* the one used last at the end */
	struct hf_sensor_dtls *dtls;
	struct hf_sensor_socket *socket;
	struct hf_addr addr;
	mbedtls_ssl_context ssl;
	uint64_t number, key_hash, begun_ms;
	char identity[HF_DEVICE_NAME_MAX + 1];
	bool established;
	struct hf_span in; /* the datagram that is read now */
	unsigned sent;	   /* datagrams, in this call */
	struct hf_timer timer;
	uint64_t soon_ms, late_ms; /* Mbed TLS's two times; late 0: none */
};

struct hf_sensor_dtls {
	struct hf_sensors *sensors;
	mbedtls_ssl_config conf;
	mbedtls_ssl_cookie_ctx cookies;
	struct hf_sensor_session *greeter;
	struct hf_list sessions, handshakes;
	unsigned sessions_n, handshakes_n;
	uint64_t numbers, devices_version;
};

/* ---- what Mbed TLS calls ---- */

static int bio_send(void *user, const unsigned char *bytes, size_t len)
{
	struct hf_sensor_session *x = user;
	struct hf_port *port = x->dtls->sensors->opt.port;

	x->sent++;
	port->datagram_send(port, x->socket->datagrams, &x->addr, bytes, len);
	return (int)len;
}

static int bio_recv(void *user, unsigned char *out, size_t len)
{
	struct hf_sensor_session *x = user;

	if (x->in.len == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (len > x->in.len)
		len = x->in.len;
	memcpy(out, x->in.ptr, len);
	x->in = hf_span(NULL, 0);
	return (int)len;
}

static void set_times(void *user, uint32_t soon_ms, uint32_t late_ms)
{
	struct hf_sensor_session *x = user;
	struct hf_sensors *s = x->dtls->sensors;
	uint64_t now = hf_sensor_now(s);

	x->soon_ms = now + soon_ms;
	x->late_ms = late_ms ? now + late_ms : 0;
	if (!late_ms)
		hf_timerq_clear(s->opt.timers, &x->timer);
	else
		(void)hf_timerq_set(s->opt.timers, &x->timer, x->late_ms);
}

static int get_times(void *user)
{
	const struct hf_sensor_session *x = user;
	uint64_t now = hf_sensor_now(x->dtls->sensors);

	if (!x->late_ms)
		return -1;
	return now >= x->late_ms ? 2 : now >= x->soon_ms ? 1 : 0;
}

static uint64_t hash_of(const struct hf_sensors *s, const struct hf_device *d)
{
	return hf_siphash13(s->seed, hf_span(d->key, d->key_len));
}

static int find_key(void *user, mbedtls_ssl_context *ssl, const unsigned char *name, size_t len)
{
	struct hf_sensor_dtls *d = user;
	struct hf_sensor_session *x = mbedtls_ssl_get_user_data_p(ssl);
	const struct hf_device *device = hf_devices_find(&d->sensors->devices, hf_span(name, len));

	if (!device || device->key_len == 0)
		return MBEDTLS_ERR_SSL_UNKNOWN_IDENTITY;
	memcpy(x->identity, device->name.ptr, device->name.len);
	x->identity[device->name.len] = '\0';
	x->key_hash = hash_of(d->sensors, device);
	return mbedtls_ssl_set_hs_psk(ssl, device->key, device->key_len);
}

/* ---- sessions ---- */

static void on_timer(void *user);

static void free_session(struct hf_sensor_session *x)
{
	hf_timerq_clear(x->dtls->sensors->opt.timers, &x->timer);
	mbedtls_ssl_free(&x->ssl);
	hf_list_remove(&x->link);
	free(x);
}

static struct hf_sensor_session *create_session(struct hf_sensor_dtls *d)
{
	struct hf_sensor_session *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	hf_list_init(&x->link);
	hf_timer_init(&x->timer, on_timer, x);
	x->dtls = d;
	mbedtls_ssl_init(&x->ssl);
	if (mbedtls_ssl_setup(&x->ssl, &d->conf)) {
		free_session(x);
		return NULL;
	}
	mbedtls_ssl_set_user_data_p(&x->ssl, x);
	mbedtls_ssl_set_bio(&x->ssl, x, bio_send, bio_recv, NULL);
	mbedtls_ssl_set_timer_cb(&x->ssl, x, set_times, get_times);
	mbedtls_ssl_set_mtu(&x->ssl, MTU);
	return x;
}

static void close_session(struct hf_sensor_session *x)
{
	struct hf_sensor_dtls *d = x->dtls;

	if (x->established) {
		d->sessions_n--;
		(void)mbedtls_ssl_close_notify(&x->ssl);
		hf_log(d->sensors->opt.log, HF_LOG_INFO, "device.left", "identity=%s", x->identity);
	} else {
		d->handshakes_n--;
		d->sensors->figures.handshakes_failed++;
	}
	d->sensors->figures.sessions = d->sessions_n;
	hf_sensor_forget_session(d->sensors, x);
	free_session(x);
}

static void establish(struct hf_sensor_session *x)
{
	struct hf_sensor_dtls *d = x->dtls;
	char text[HF_ADDR_TEXT_SIZE];

	x->established = true;
	d->handshakes_n--;
	d->sessions_n++;
	d->sensors->figures.handshakes++;
	hf_list_remove(&x->link);
	hf_list_push(&d->sessions, &x->link);
	if (d->sessions_n > CONFIG_HF_SENSOR_SESSIONS_MAX)
		close_session(hf_container_of(hf_list_first(&d->sessions), struct hf_sensor_session,
					      link));
	d->sensors->figures.sessions = d->sessions_n;
	hf_log(d->sensors->opt.log, HF_LOG_INFO, "device.joined", "identity=%s addr=%s",
	       x->identity, hf_addr_format(&x->addr, text));
}

static struct hf_sensor_session *
find_in(struct hf_list *list, const struct hf_sensor_socket *socket, const struct hf_addr *from)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, list) {
		struct hf_sensor_session *x = hf_container_of(it, struct hf_sensor_session, link);

		if (x->socket == socket && hf_addr_eq(&x->addr, from))
			return x;
	}
	return NULL;
}

struct hf_span hf_sensor_session_identity(const struct hf_sensor_session *x)
{
	return hf_span_str(x->identity);
}

uint64_t hf_sensor_session_number(const struct hf_sensor_session *x)
{
	return x->number;
}

/* ---- reading ---- */

static bool is_waiting(int ret)
{
	return ret == MBEDTLS_ERR_SSL_WANT_READ || ret == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* What came in one record; false: the session has ended. */
static bool read_message(struct hf_sensor_session *x)
{
	struct hf_sensor_peer peer = { .socket = x->socket, .session = x, .addr = x->addr };
	unsigned char bytes[MESSAGE_MAX], rest[64];
	int n = mbedtls_ssl_read(&x->ssl, bytes, sizeof(bytes));

	if (is_waiting(n))
		return true;
	if (n <= 0)
		return false;
	if (mbedtls_ssl_get_bytes_avail(&x->ssl) > 0) {
		while (mbedtls_ssl_get_bytes_avail(&x->ssl) > 0)
			if (mbedtls_ssl_read(&x->ssl, rest, sizeof(rest)) <= 0)
				return false;
		x->dtls->sensors->figures.dropped++; /* longer than a message may be */
		return true;
	}
	hf_sensor_message(x->dtls->sensors, &peer, hf_span(bytes, (size_t)n));
	return true;
}

static bool more_to_read(struct hf_sensor_session *x)
{
	return x->in.len > 0 || mbedtls_ssl_check_pending(&x->ssl);
}

static void go_on(struct hf_sensor_session *x)
{
	int ret;

	if (!x->established) {
		ret = mbedtls_ssl_handshake(&x->ssl);
		if (ret == 0)
			establish(x);
		else if (!is_waiting(ret)) {
			close_session(x);
			return;
		}
	}
	while (x->established && more_to_read(x)) {
		if (!read_message(x)) {
			close_session(x);
			return;
		}
	}
	x->in = hf_span(NULL, 0);
}

static void on_timer(void *user)
{
	struct hf_sensor_session *x = user;
	struct hf_port *before = hf_tls_platform_enter(x->dtls->sensors->opt.port);

	go_on(x);
	hf_tls_platform_leave(before);
}

/* ---- greeting ---- */

static bool is_hello(struct hf_span b)
{
	return b.len >= HELLO_MIN && b.ptr[0] == TYPE_HANDSHAKE && b.ptr[RECORD_HEAD] == TYPE_HELLO;
}

static size_t address_id(const struct hf_addr *a, unsigned char out[ADDRESS_ID_BYTES])
{
	memcpy(out, a->ip, 16);
	memcpy(out + 16, &a->scope, 4);
	memcpy(out + 20, &a->port, 2);
	out[22] = (unsigned char)a->family;
	return ADDRESS_ID_BYTES;
}

/* Room for one more that has not shown its key. */
static bool make_room(struct hf_sensor_dtls *d)
{
	struct hf_list *first = hf_list_first(&d->handshakes);
	struct hf_sensor_session *x;

	if (d->handshakes_n < CONFIG_HF_SENSOR_HANDSHAKES_MAX)
		return true;
	x = hf_container_of(first, struct hf_sensor_session, link);
	if (hf_sensor_now(d->sensors) - x->begun_ms < HANDSHAKE_MS) {
		d->sensors->figures.dropped++;
		return false;
	}
	close_session(x);
	return true;
}

/* The cookie was right: the greeter has become this sender's. */
static void adopt(struct hf_sensor_dtls *d, struct hf_sensor_session *old)
{
	struct hf_sensor_session *x = d->greeter;

	if (old)
		close_session(old);
	d->greeter = NULL;
	x->number = ++d->numbers;
	x->begun_ms = hf_sensor_now(d->sensors);
	x->in = hf_span(NULL, 0);
	hf_list_push(&d->handshakes, &x->link);
	d->handshakes_n++;
}

static void greet(struct hf_sensor_dtls *d, struct hf_sensor_socket *socket,
		  const struct hf_addr *from, struct hf_span bytes, struct hf_sensor_session *old)
{
	unsigned char id[ADDRESS_ID_BYTES];
	struct hf_sensor_session *x;
	int ret;

	if (!d->greeter)
		d->greeter = create_session(d);
	x = d->greeter;
	if (!x || !make_room(d))
		return;
	x->socket = socket;
	x->addr = *from;
	x->in = bytes;
	x->sent = 0;
	ret = mbedtls_ssl_set_client_transport_id(&x->ssl, id, address_id(from, id));
	if (!ret)
		ret = mbedtls_ssl_handshake(&x->ssl);
	if (ret == MBEDTLS_ERR_SSL_WANT_READ && x->sent > 0) {
		adopt(d, old);
		return;
	}
	x->in = hf_span(NULL, 0);
	if (mbedtls_ssl_session_reset(&x->ssl)) {
		free_session(x);
		d->greeter = NULL;
	}
}

/* ---- the file of devices ---- */

static void sweep(struct hf_sensor_dtls *d)
{
	struct hf_sensors *s = d->sensors;
	struct hf_list *it, *tmp;

	hf_devices_look(&s->devices);
	if (d->devices_version == s->devices.version)
		return;
	d->devices_version = s->devices.version;
	hf_list_for(it, tmp, &d->sessions) {
		struct hf_sensor_session *x = hf_container_of(it, struct hf_sensor_session, link);
		const struct hf_device *device =
			hf_devices_find(&s->devices, hf_span_str(x->identity));

		if (!device || hash_of(s, device) != x->key_hash)
			close_session(x);
	}
}

/* ---- from the server ---- */

void hf_sensor_dtls_input(struct hf_sensors *s, struct hf_sensor_socket *socket,
			  const struct hf_addr *from, struct hf_span bytes)
{
	struct hf_port *before = hf_tls_platform_enter(s->opt.port);
	struct hf_sensor_dtls *d = s->dtls;
	struct hf_sensor_session *x;

	sweep(d);
	x = find_in(&d->sessions, socket, from);
	if (x) {
		hf_list_remove(&x->link);
		hf_list_push(&d->sessions, &x->link);
	} else {
		x = find_in(&d->handshakes, socket, from);
	}
	if (is_hello(bytes) && (!x || x->established)) {
		greet(d, socket, from, bytes, x);
	} else if (x) {
		x->in = bytes;
		go_on(x);
	} else {
		s->figures.dropped++;
	}
	hf_tls_platform_leave(before);
}

void hf_sensor_dtls_send(struct hf_sensors *s, struct hf_sensor_session *x, struct hf_span bytes)
{
	struct hf_port *before = hf_tls_platform_enter(s->opt.port);

	/* what does not go is asked for again, or sent again */
	(void)mbedtls_ssl_write(&x->ssl, (const unsigned char *)bytes.ptr, bytes.len);
	hf_tls_platform_leave(before);
}

/* ---- the server of it ---- */

static const int suites[] = {
	MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_PSK_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_PSK_WITH_AES_128_CCM,
	MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8, /* mandatory, RFC 7252 section 9.1.3.1 */
	0,
};

static int configure(struct hf_sensor_dtls *d)
{
	int ret = psa_crypto_init() == PSA_SUCCESS ? 0 : HF_EIO;

	if (!ret)
		ret = mbedtls_ssl_config_defaults(&d->conf, MBEDTLS_SSL_IS_SERVER,
						  MBEDTLS_SSL_TRANSPORT_DATAGRAM,
						  MBEDTLS_SSL_PRESET_DEFAULT);
	if (ret)
		return HF_EIO;
	mbedtls_ssl_conf_rng(&d->conf, hf_tls_platform_random, NULL);
	ret = mbedtls_ssl_cookie_setup(&d->cookies, hf_tls_platform_random, NULL);
	mbedtls_ssl_conf_dtls_cookies(&d->conf, mbedtls_ssl_cookie_write, mbedtls_ssl_cookie_check,
				      &d->cookies);
	mbedtls_ssl_conf_max_tls_version(&d->conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_ciphersuites(&d->conf, suites);
	mbedtls_ssl_conf_psk_cb(&d->conf, find_key, d);
	mbedtls_ssl_conf_handshake_timeout(&d->conf, RETRANSMIT_MS, RETRANSMIT_MAX);
	mbedtls_ssl_conf_dtls_badmac_limit(&d->conf, BAD_RECORDS_MAX);
	return ret ? HF_EIO : 0;
}

int hf_sensor_dtls_create(struct hf_sensors *s)
{
	struct hf_port *before = hf_tls_platform_enter(s->opt.port);
	struct hf_sensor_dtls *d = calloc(1, sizeof(*d));
	int err = d ? 0 : HF_ENOMEM;

	if (d) {
		d->sensors = s;
		hf_list_init(&d->sessions);
		hf_list_init(&d->handshakes);
		mbedtls_ssl_config_init(&d->conf);
		mbedtls_ssl_cookie_init(&d->cookies);
		d->devices_version = s->devices.version;
		s->dtls = d;
		err = configure(d);
	}
	hf_tls_platform_leave(before);
	return err;
}

static void close_all(struct hf_list *sessions)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, sessions)
		close_session(hf_container_of(it, struct hf_sensor_session, link));
}

void hf_sensor_dtls_destroy(struct hf_sensors *s)
{
	struct hf_sensor_dtls *d = s->dtls;
	struct hf_port *before;

	if (!d)
		return;
	before = hf_tls_platform_enter(s->opt.port);
	close_all(&d->sessions);
	close_all(&d->handshakes);
	if (d->greeter)
		free_session(d->greeter);
	mbedtls_ssl_cookie_free(&d->cookies);
	mbedtls_ssl_config_free(&d->conf);
	hf_tls_platform_leave(before);
	free(d);
	s->dtls = NULL;
}

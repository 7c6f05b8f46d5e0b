/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that show a key: DTLS sessions, their limits, their file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <mbedtls/ssl.h>
#include <psa/crypto.h>

#include "lib/sensor_case.h"
#include "net/tls_platform.h"

#define ROUNDS 20

struct device {
	uint16_t port;
	size_t seen; /* of what the rig has sent */
	mbedtls_ssl_config conf;
	mbedtls_ssl_context ssl;
	bool open;
	uint16_t mid;
};

static struct hf_sensor_figures figures(void)
{
	struct hf_sensor_figures f;

	hf_sensors_figures(rig.sensors, &f);
	return f;
}

/* ---- a device ---- */

static int bio_send(void *user, const unsigned char *bytes, size_t len)
{
	struct device *d = user;

	sensor_rig_send_secure(&rig, d->port, bytes, len);
	rig.taken = rig.sent_n; /* each device looks for itself */
	return (int)len;
}

static int bio_recv(void *user, unsigned char *out, size_t len)
{
	struct device *d = user;

	while (d->seen < rig.sent_n) {
		const struct sensor_sent *s = &rig.sent[d->seen++ % SENSOR_SENT_MAX];

		if (s->to.port != d->port)
			continue;
		assert_true(s->len <= len);
		memcpy(out, s->bytes, s->len);
		return (int)s->len;
	}
	return MBEDTLS_ERR_SSL_WANT_READ;
}

/* Nothing is lost here. */
static void no_times(void *user, uint32_t soon, uint32_t late)
{
	(void)user;
	(void)soon;
	(void)late;
}

static int no_time(void *user)
{
	(void)user;
	return 0;
}

static const int suites[] = { MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8, 0 };

static void begin(struct device *d, uint16_t port, const char *name, const char *key)
{
	struct hf_port *before = hf_tls_platform_enter(&rig.panel.net.port);

	*d = (struct device){ .port = port, .seen = rig.sent_n, .open = true };
	assert_int_equal(psa_crypto_init(), PSA_SUCCESS);
	mbedtls_ssl_config_init(&d->conf);
	mbedtls_ssl_init(&d->ssl);
	assert_int_equal(mbedtls_ssl_config_defaults(&d->conf, MBEDTLS_SSL_IS_CLIENT,
						     MBEDTLS_SSL_TRANSPORT_DATAGRAM,
						     MBEDTLS_SSL_PRESET_DEFAULT),
			 0);
	mbedtls_ssl_conf_rng(&d->conf, hf_tls_platform_random, NULL);
	mbedtls_ssl_conf_max_tls_version(&d->conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_ciphersuites(&d->conf, suites);
	assert_int_equal(mbedtls_ssl_conf_psk(&d->conf, (const unsigned char *)key, strlen(key),
					      (const unsigned char *)name, strlen(name)),
			 0);
	assert_int_equal(mbedtls_ssl_setup(&d->ssl, &d->conf), 0);
	mbedtls_ssl_set_bio(&d->ssl, d, bio_send, bio_recv, NULL);
	mbedtls_ssl_set_timer_cb(&d->ssl, d, no_times, no_time);
	hf_tls_platform_leave(before);
}

static void finish(struct device *d)
{
	struct hf_port *before = hf_tls_platform_enter(&rig.panel.net.port);

	mbedtls_ssl_free(&d->ssl);
	mbedtls_ssl_config_free(&d->conf);
	hf_tls_platform_leave(before);
}

static int shake(struct device *d)
{
	struct hf_port *before = hf_tls_platform_enter(&rig.panel.net.port);
	int ret = MBEDTLS_ERR_SSL_WANT_READ;

	for (int i = 0; i < ROUNDS && ret == MBEDTLS_ERR_SSL_WANT_READ; i++)
		ret = mbedtls_ssl_handshake(&d->ssl);
	hf_tls_platform_leave(before);
	return ret;
}

/* Posts, and returns the code of the answer; 0: none came. */
static uint8_t post(struct device *d, const char *path)
{
	struct hf_port *before = hf_tls_platform_enter(&rig.panel.net.port);
	struct sensor_ask ask = { .code = POST, .mid = ++d->mid, .path = path, .payload = "1" };
	static unsigned char in[HF_COAP_DATAGRAM_MAX];
	char bytes[HF_COAP_DATAGRAM_MAX];
	size_t len = sensor_rig_format(&rig, &ask, bytes);
	int n = mbedtls_ssl_write(&d->ssl, (const unsigned char *)bytes, len);

	if (n > 0)
		n = mbedtls_ssl_read(&d->ssl, in, sizeof(in));
	hf_tls_platform_leave(before);
	if (n <= 0)
		return 0;
	assert_int_equal(hf_coap_message_parse(hf_span(in, (size_t)n), &answer), 0);
	return answer.head.code;
}

static void start(const char *devices)
{
	rig.devices = devices;
	rig.secure = true;
	sensor_rig_start(&rig);
}

/* ---- */

static void a_device_with_its_key_is_known(void **state)
{
	struct device d;
	char id[27], text[256];

	(void)state;
	start("pump word POST:/api/a\nlamp other\n");
	begin(&d, 7000, "pump", "word");
	assert_int_equal(shake(&d), 0);
	assert_int_equal(post(&d, "/api/a"), CREATED);
	location(id); /* however short its message was */
	assert_int_equal(post(&d, "/api/b"), HF_COAP_CODE(4, 3));
	assert_int_equal(figures().sessions, 1);
	snprintf(text, sizeof(text),
		 "GET /.holdfast/requests/%.26s HTTP/1.1\r\nHost: localhost\r\n\r\n", id);
	assert_non_null(strstr(panel_rig_ask(&rig.panel, panel_rig_connect(&rig.panel), text),
			       "\"lane\":\"orders@pump\""));
	finish(&d);
}

static void another_key_or_name_is_refused(void **state)
{
	struct device d;

	(void)state;
	start("pump word\n- - /api/*\n");
	begin(&d, 7000, "pump", "wrong");
	assert_int_not_equal(shake(&d), 0);
	finish(&d);
	begin(&d, 7001, "nobody", "word");
	assert_int_not_equal(shake(&d), 0);
	finish(&d);
	begin(&d, 7002, "-", "-"); /* that line is about no device */
	assert_int_not_equal(shake(&d), 0);
	finish(&d);
	assert_int_equal(figures().sessions, 0);
	assert_int_equal(figures().handshakes_failed, 3);
}

static void another_ones_request_is_not_shown(void **state)
{
	struct device pump, lamp;
	struct hf_port *before;
	char id[27], path[64], bytes[HF_COAP_DATAGRAM_MAX];
	unsigned char in[HF_COAP_DATAGRAM_MAX];
	struct sensor_ask ask = { .code = GET, .path = path };

	(void)state;
	start("pump word\nlamp other\n");
	begin(&pump, 7000, "pump", "word");
	begin(&lamp, 7001, "lamp", "other");
	assert_int_equal(shake(&pump), 0);
	assert_int_equal(shake(&lamp), 0);
	assert_int_equal(post(&pump, "/api/a"), CREATED);
	location(id);
	snprintf(path, sizeof(path), "/.holdfast/requests/%s", id);
	for (int i = 0; i < 2; i++) {
		struct device *d = i ? &lamp : &pump;
		size_t len = sensor_rig_format(&rig, &ask, bytes);
		int n;

		before = hf_tls_platform_enter(&rig.panel.net.port);
		assert_true(mbedtls_ssl_write(&d->ssl, (unsigned char *)bytes, len) > 0);
		n = mbedtls_ssl_read(&d->ssl, in, sizeof(in));
		hf_tls_platform_leave(before);
		assert_true(n > 0);
		assert_int_equal(hf_coap_message_parse(hf_span(in, (size_t)n), &answer), 0);
		assert_int_equal(answer.head.code, i ? HF_COAP_CODE(4, 4) : CONTENT);
	}
	finish(&pump);
	finish(&lamp);
}

static void a_device_that_is_changed_loses_its_session(void **state)
{
	struct device pump, lamp;

	(void)state;
	start("pump word\nlamp other\n");
	begin(&pump, 7000, "pump", "word");
	begin(&lamp, 7001, "lamp", "other");
	assert_int_equal(shake(&pump), 0);
	assert_int_equal(shake(&lamp), 0);
	rig.devices = "pump new\nlamp other\n";
	panel_rig_advance(&rig.panel, 1100);
	assert_int_equal(post(&lamp, "/api/a"), CREATED);
	assert_int_equal(post(&pump, "/api/a"), 0);
	assert_int_equal(figures().sessions, 1);
	finish(&pump);
	begin(&pump, 7000, "pump", "new");
	assert_int_equal(shake(&pump), 0);
	assert_int_equal(post(&pump, "/api/a"), CREATED);
	finish(&pump);
	finish(&lamp);
}

/* From the same port, without a word: as after a reset. */
static void one_that_begins_anew_takes_the_place_of_its_session(void **state)
{
	struct device d;

	(void)state;
	start("pump word\n");
	for (int i = 0; i < 3; i++) {
		begin(&d, 7000, "pump", "word");
		assert_int_equal(shake(&d), 0);
		d.mid = 5; /* the same message of another session is another one */
		assert_int_equal(post(&d, "/api/a"), CREATED);
		finish(&d);
		assert_int_equal(figures().sessions, 1);
		assert_int_equal(sensor_rig_waiting(&rig), (unsigned)i + 1);
	}
}

static void past_the_limit_the_oldest_session_ends(void **state)
{
	static struct device d[CONFIG_HF_SENSOR_SESSIONS_MAX + 1];
	unsigned n = CONFIG_HF_SENSOR_SESSIONS_MAX + 1;

	(void)state;
	start("pump word\n");
	rig.panel.policy.max_entries = 1000;
	for (unsigned i = 0; i < n; i++) {
		begin(&d[i], (uint16_t)(7000 + i), "pump", "word");
		assert_int_equal(shake(&d[i]), 0);
		if (i == 5) /* so that the second is the oldest */
			assert_int_equal(post(&d[0], "/api/a"), CREATED);
	}
	assert_int_equal(figures().sessions, n - 1);
	assert_int_equal(post(&d[0], "/api/a"), CREATED);
	assert_int_equal(post(&d[1], "/api/a"), 0);
	assert_int_equal(post(&d[n - 1], "/api/a"), CREATED);
	for (unsigned i = 0; i < n; i++)
		finish(&d[i]);
}

/* Up to the server's flight: the cookie was right, no key was shown. */
static void stop_half_way(struct device *d)
{
	struct hf_port *before = hf_tls_platform_enter(&rig.panel.net.port);

	for (int i = 0; i < ROUNDS && d->ssl.MBEDTLS_PRIVATE(state) <= MBEDTLS_SSL_SERVER_HELLO;
	     i++)
		(void)mbedtls_ssl_handshake_step(&d->ssl);
	hf_tls_platform_leave(before);
}

static void those_without_a_key_do_not_displace_devices(void **state)
{
	static struct device stranger[CONFIG_HF_SENSOR_HANDSHAKES_MAX + 2];
	unsigned n = CONFIG_HF_SENSOR_HANDSHAKES_MAX + 2;
	struct device d, late;

	(void)state;
	start("pump word\n");
	begin(&d, 6000, "pump", "word");
	assert_int_equal(shake(&d), 0);
	for (unsigned i = 0; i < n; i++) {
		begin(&stranger[i], (uint16_t)(7000 + i), "x", "y");
		stop_half_way(&stranger[i]);
	}
	begin(&late, 8000, "pump", "word");
	assert_int_not_equal(shake(&late), 0);
	finish(&late);
	assert_int_equal(post(&d, "/api/a"), CREATED);
	assert_int_equal(figures().sessions, 1);
	/* they do not stay for ever */
	panel_rig_advance(&rig.panel, 31000);
	begin(&late, 8001, "pump", "word");
	assert_int_equal(shake(&late), 0);
	assert_int_equal(post(&late, "/api/a"), CREATED);
	finish(&late);
	finish(&d);
	for (unsigned i = 0; i < n; i++)
		finish(&stranger[i]);
}

/* Who sends a first message with another's address makes the server say less than that. */
static void a_greeting_is_shorter_than_what_it_answers(void **state)
{
	struct device d;
	struct hf_port *before;

	(void)state;
	start("pump word\n");
	begin(&d, 7000, "pump", "word");
	before = hf_tls_platform_enter(&rig.panel.net.port);
	(void)mbedtls_ssl_handshake_step(&d.ssl);
	(void)mbedtls_ssl_handshake_step(&d.ssl);
	hf_tls_platform_leave(before);
	assert_true(rig.bytes[7000].in > 0);
	assert_true(rig.bytes[7000].out > 0);
	assert_true(rig.bytes[7000].out <= rig.bytes[7000].in);
	panel_rig_advance(&rig.panel, 120000); /* and nothing is repeated */
	assert_true(rig.bytes[7000].out <= rig.bytes[7000].in);
	finish(&d);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_device_with_its_key_is_known),
		CASE(another_key_or_name_is_refused),
		CASE(another_ones_request_is_not_shown),
		CASE(a_device_that_is_changed_loses_its_session),
		CASE(one_that_begins_anew_takes_the_place_of_its_session),
		CASE(past_the_limit_the_oldest_session_ends),
		CASE(those_without_a_key_do_not_displace_devices),
		CASE(a_greeting_is_shorter_than_what_it_answers),
	};

	(void)expect;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

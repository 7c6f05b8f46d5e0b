/* SPDX-License-Identifier: Apache-2.0 */
/* A channel whose TLS session is the test's: 'd' is a byte of data, '!' breaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "lib/fake_net.h"
#include "net/addr.h"
#include "net/channel.h"
#include "net/tls.h"

#define READS_MAX 1000 /* more of them are a loop */

struct hf_tls_session {
	struct hf_tls_bio bio;
	unsigned reads;
	bool broken;
};

struct world {
	struct fake_net net;
	struct hf_channel *ch;
	unsigned bytes, errors;
	int err;
	bool open, pause; /* pause: reading is turned off inside on_data */
};

int __wrap_hf_tls_session_create(struct hf_tls_client *client, const struct hf_tls_bio *bio,
				 struct hf_tls_session **out);
void __wrap_hf_tls_session_destroy(struct hf_tls_session *s);
int __wrap_hf_tls_session_handshake(struct hf_tls_session *s);
ptrdiff_t __wrap_hf_tls_session_read(struct hf_tls_session *s, void *data, size_t len);
ptrdiff_t __wrap_hf_tls_session_write(struct hf_tls_session *s, const void *data, size_t len);
int __wrap_hf_tls_session_close_notify(struct hf_tls_session *s);
const char *__wrap_hf_tls_session_error(const struct hf_tls_session *s);

int __wrap_hf_tls_session_create(struct hf_tls_client *client, const struct hf_tls_bio *bio,
				 struct hf_tls_session **out)
{
	(void)client;
	*out = calloc(1, sizeof(**out));
	assert_non_null(*out);
	(*out)->bio = *bio;
	return 0;
}

void __wrap_hf_tls_session_destroy(struct hf_tls_session *s)
{
	free(s);
}

int __wrap_hf_tls_session_handshake(struct hf_tls_session *s)
{
	char hello;

	return s->bio.read(s->bio.user, &hello, 1) == 1 ? 0 : HF_EAGAIN;
}

ptrdiff_t __wrap_hf_tls_session_read(struct hf_tls_session *s, void *data, size_t len)
{
	char byte;

	assert_true(len > 0);
	assert_true(++s->reads < READS_MAX);
	if (s->broken)
		return HF_ETLS;
	if (s->bio.read(s->bio.user, &byte, 1) != 1)
		return HF_EAGAIN;
	s->broken = byte == '!';
	*(char *)data = byte;
	return s->broken ? HF_ETLS : 1;
}

/* One byte of plain text is one of ciphertext. */
ptrdiff_t __wrap_hf_tls_session_write(struct hf_tls_session *s, const void *data, size_t len)
{
	return s->bio.write(s->bio.user, data, len > 4096 ? 4096 : len);
}

int __wrap_hf_tls_session_close_notify(struct hf_tls_session *s)
{
	(void)s;
	return 0;
}

const char *__wrap_hf_tls_session_error(const struct hf_tls_session *s)
{
	(void)s;
	return "";
}

static void on_open(void *user, int err)
{
	struct world *w = user;

	assert_int_equal(err, 0);
	w->open = true;
}

static void on_data(void *user, struct hf_span data)
{
	struct world *w = user;

	w->bytes += (unsigned)data.len;
	if (w->pause)
		hf_channel_read(w->ch, false);
}

static void on_end(void *user)
{
	(void)user;
}

static void on_error(void *user, int err)
{
	struct world *w = user;

	w->errors++;
	w->err = err;
}

static const struct hf_channel_events events = {
	.on_open = on_open,
	.on_data = on_data,
	.on_eof = on_end,
	.on_writable = on_end,
	.on_error = on_error,
};

static int set_up(void **state)
{
	static struct world w;
	struct hf_addr addr;

	memset(&w, 0, sizeof(w));
	fake_net_init(&w.net);
	fake_net_host(&w.net, "192.0.2.1", FAKE_ACCEPT, 0);
	assert_int_equal(hf_addr_parse("192.0.2.1", &addr), 0);
	assert_int_equal(hf_channel_connect(&w.net.port, &w.net.timers, &addr, &events, &w, &w.ch),
			 0);
	fake_net_settle(&w.net);
	assert_true(w.open);
	w.open = false;
	assert_int_equal(hf_channel_start_tls(w.ch, NULL), 0);
	hf_channel_read(w.ch, true);
	fake_peer_send(fake_net_peer(&w.net, 0), "h");
	fake_net_settle(&w.net);
	assert_true(w.open);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	hf_channel_close(w->ch, true);
	fake_net_finish(&w->net);
	return 0;
}

static void a_broken_session_is_told_once(void **state)
{
	struct world *w = *state;

	fake_peer_send(fake_net_peer(&w->net, 0), "dd!dd");
	fake_net_settle(&w->net);
	assert_int_equal(w->bytes, 2);
	assert_int_equal(w->errors, 1);
	assert_int_equal(w->err, HF_ETLS);
}

/* The connection is lost while its rest waits, and the rest is broken. */
static void a_broken_rest_of_a_lost_connection_ends(void **state)
{
	struct world *w = *state;

	w->pause = true;
	fake_peer_send(fake_net_peer(&w->net, 0), "dd!dd");
	fake_net_settle(&w->net);
	assert_int_equal(w->bytes, 1);
	fake_net_peer(&w->net, 0)->events->on_error(fake_net_peer(&w->net, 0)->user, HF_ECONNRESET);
	assert_int_equal(w->errors, 0);
	w->pause = false;
	hf_channel_read(w->ch, true);
	fake_net_settle(&w->net);
	assert_int_equal(w->bytes, 2);
	assert_int_equal(w->errors, 1);
}

/* However little the peer takes at a time, a write ends, and all of it arrives. */
static void a_write_ends_at_every_width_of_the_pipe(void **state)
{
	static const size_t widths[] = { 0, 1, 4095, 4096, 16384, 65536, 1000000 };
	static char data[100000];
	struct world *w = *state;
	struct fake_peer *p = fake_net_peer(&w->net, 0);

	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		size_t done = 0;

		p->window = widths[i];
		for (int rounds = 0; done < sizeof(data); rounds++) {
			ptrdiff_t n = hf_channel_write(w->ch, data + done, sizeof(data) - done);

			assert_true(n >= 0 && rounds < 1000);
			done += (size_t)n;
			if (done < sizeof(data))
				fake_peer_open_window(p, 50000);
			fake_net_settle(&w->net);
		}
		fake_peer_open_window(p, SIZE_MAX);
		fake_net_settle(&w->net);
		fake_peer_take(p);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_broken_session_is_told_once),
		T(a_broken_rest_of_a_lost_connection_ends),
		T(a_write_ends_at_every_width_of_the_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

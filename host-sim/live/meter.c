/* SPDX-License-Identifier: Apache-2.0 */
#include "live/meter.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/datagram.h"

#define KEY	      "idempotency-key="
#define RETRY_AFTER_S 3
#define LOST_IN	      5 /* one datagram in so many, on a shaky line */

struct live_meter {
	struct live_bench *bench;
	struct hf_datagrams *datagrams; /* NULL: it is down */
	uint16_t port;
	struct live_levers levers;
	struct hf_strmap by_key, by_ref;
	struct live_meter_figures figures;
	void (*changed)(void *user);
	void *user;
};

static bool gets_lost(const struct live_meter *m)
{
	return !m->levers.link || m->levers.portal != LIVE_PORTAL_OFF ||
	       (m->levers.shaky && hf_rand_below(&m->bench->rand, LOST_IN) == 0);
}

/* ---- answers ---- */

static void answer(struct live_meter *m, const struct hf_addr *to,
		   const struct hf_coap_message *ask, uint8_t code, uint32_t max_age_s)
{
	struct hf_coap_message out = *ask;
	char bytes[64], age[4];
	size_t len;

	out.type = HF_COAP_ACK;
	out.head = (struct hf_coap_head){ .code = code };
	out.payload = hf_span(NULL, 0);
	if (max_age_s)
		(void)hf_coap_option_add(&out.head, HF_COAP_MAX_AGE, hf_coap_uint(max_age_s, age));
	len = hf_coap_message_format(&out, bytes, sizeof(bytes));
	if (!gets_lost(m))
		m->bench->port->datagram_send(m->bench->port, m->datagrams, to, bytes, len);
}

/* ---- readings ---- */

static struct hf_span key_of(const struct hf_coap_head *head)
{
	for (size_t i = 0; i < head->n; i++)
		if (head->options[i].number == HF_COAP_URI_QUERY &&
		    hf_span_starts(head->options[i].value, HF_SPAN(KEY)))
			return hf_span_skip(head->options[i].value, strlen(KEY));
	return hf_span(NULL, 0);
}

/* {"sensor":0,"n":17,...}: who it is from. */
static unsigned sensor_of(struct hf_span body)
{
	const char *at = memmem(body.ptr, body.len, "\"sensor\":", 9);

	return at && at + 9 < body.ptr + body.len ? (unsigned)(at[9] - '0') : LIVE_SENSORS;
}

static void do_reading(struct live_meter *m, struct hf_span key, struct hf_span body)
{
	unsigned sensor = sensor_of(body);

	live_must(hf_strmap_put(&m->by_key, key, m));
	m->figures.effects++;
	if (hf_strmap_get(&m->by_ref, body)) {
		m->figures.duplicates++;
		return;
	}
	live_must(hf_strmap_put(&m->by_ref, body, m));
	if (sensor < LIVE_SENSORS)
		m->figures.of[sensor]++;
}

static void take_reading(struct live_meter *m, const struct hf_addr *from,
			 const struct hf_coap_message *ask)
{
	struct hf_span key = key_of(&ask->head);
	enum live_mood mood = m->levers.mood;

	m->figures.arrivals++;
	if (mood == LIVE_MOOD_BUSY || mood == LIVE_MOOD_BROKEN) {
		answer(m, from, ask,
		       mood == LIVE_MOOD_BUSY ? HF_COAP_CODE(5, 3) : HF_COAP_CODE(5, 0),
		       mood == LIVE_MOOD_BUSY ? RETRY_AFTER_S : 0);
		return;
	}
	if (hf_strmap_get(&m->by_key, key))
		m->figures.repeated++;
	else
		do_reading(m, key, ask->payload);
	if (mood != LIVE_MOOD_LOSES)
		answer(m, from, ask, HF_COAP_CODE(2, 1), 0);
}

static void on_datagram(void *user, const struct hf_addr *from, const void *data, size_t len)
{
	struct live_meter *m = user;
	struct hf_coap_message ask;

	if (gets_lost(m) || hf_coap_message_parse(hf_span(data, len), &ask) ||
	    ask.type != HF_COAP_CON)
		return;
	if (ask.head.code == HF_COAP_CODE(0, 2) && key_of(&ask.head).len > 0)
		take_reading(m, from, &ask);
	else
		answer(m, from, &ask, HF_COAP_CODE(4, 0), 0);
	m->changed(m->user);
}

/* ---- life ---- */

struct live_meter *live_meter_create(struct live_bench *b, uint16_t port,
				     void (*changed)(void *user), void *user)
{
	static const uint64_t seed[2] = { 3, 4 };
	struct live_meter *m = live_alloc(sizeof(*m));

	m->bench = b;
	m->port = port;
	m->changed = changed;
	m->user = user;
	hf_strmap_init(&m->by_key, seed);
	hf_strmap_init(&m->by_ref, seed);
	return m;
}

static void close_socket(struct live_meter *m)
{
	if (m->datagrams)
		m->bench->port->datagram_close(m->bench->port, m->datagrams);
	m->datagrams = NULL;
}

void live_meter_destroy(struct live_meter *m)
{
	if (!m)
		return;
	close_socket(m);
	hf_strmap_finish(&m->by_key);
	hf_strmap_finish(&m->by_ref);
	free(m);
}

int live_meter_set(struct live_meter *m, const struct live_levers *l)
{
	static const struct hf_datagram_events events = { .on_datagram = on_datagram };
	struct hf_addr at = live_loopback(m->port);

	m->levers = *l;
	if (!l->origin)
		close_socket(m);
	else if (!m->datagrams)
		return m->bench->port->datagram_open(m->bench->port, &at, &events, m,
						     &m->datagrams);
	return 0;
}

const struct live_meter_figures *live_meter_figures(const struct live_meter *m)
{
	return &m->figures;
}

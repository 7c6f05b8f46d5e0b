/* SPDX-License-Identifier: Apache-2.0 */
#include "live/sensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/datagram.h"

#define READING_MS     4000
#define ACK_TIMEOUT_MS 2000
#define REPETITIONS    4
#define PAUSE_MS       5000
#define FORMAT_JSON    50

struct sensor {
	struct live_sensors *all;
	unsigned number;
	struct hf_datagrams *datagrams;
	struct hf_timer reading, again;
	unsigned made, taken, repeated; /* readings, and messages sent again */
	unsigned tries;			/* of the message that waits */
	bool waits;
	uint16_t mid;
	char bytes[256];
	size_t len;
};

struct live_sensors {
	struct live_bench *bench;
	struct hf_addr to;
	unsigned run; /* keys of two runs differ */
	struct sensor v[LIVE_SENSORS];
	void (*changed)(void *user);
	void *user;
};

static const struct {
	const char *name, *what, *unit;
	int low, span; /* tenths */
} kinds[LIVE_SENSORS] = {
	{ "pump", "Pump", "bar", 28, 9 },
	{ "cellar", "Cellar", "°C", 118, 23 },
	{ "tank", "Tank", "%", 610, 80 },
};

/* The n-th reading, up and down. */
static double value_of(const struct sensor *s, unsigned n)
{
	int span = kinds[s->number].span, at = (int)(n * 3 + s->number * 5) % (2 * span);

	return (kinds[s->number].low + (at < span ? at : 2 * span - at)) / 10.0;
}

/* ---- sending ---- */

static void transmit(struct sensor *s)
{
	struct live_bench *b = s->all->bench;

	b->port->datagram_send(b->port, s->datagrams, &s->all->to, s->bytes, s->len);
	live_bench_after(b, &s->again, (uint64_t)ACK_TIMEOUT_MS << s->tries);
}

static void begin(struct sensor *s)
{
	struct hf_coap_message m = { .type = HF_COAP_CON, .mid = ++s->mid, .token_len = 2 };
	unsigned n = s->taken + 1;
	char key[64], body[96], format[4];

	if (s->waits || s->taken == s->made)
		return;
	snprintf(key, sizeof(key), "idempotency-key=%s-%u-%u", kinds[s->number].name, s->all->run,
		 n);
	snprintf(body, sizeof(body), "{\"sensor\":%u,\"n\":%u,\"value\":%.1f}", s->number, n,
		 value_of(s, n));
	memcpy(m.token, &s->mid, 2);
	m.head.code = HF_COAP_CODE(0, 2);
	(void)hf_coap_option_add(&m.head, HF_COAP_URI_HOST, HF_SPAN("meter.localhost"));
	(void)hf_coap_option_add(&m.head, HF_COAP_URI_PATH, HF_SPAN("readings"));
	(void)hf_coap_option_add(&m.head, HF_COAP_CONTENT_FORMAT,
				 hf_coap_uint(FORMAT_JSON, format));
	(void)hf_coap_option_add(&m.head, HF_COAP_URI_QUERY, hf_span_str(key));
	m.payload = hf_span_str(body);
	s->len = hf_coap_message_format(&m, s->bytes, sizeof(s->bytes));
	s->waits = true;
	s->tries = 0;
	transmit(s);
}

static void again_due(void *user)
{
	struct sensor *s = user;

	if (s->waits && s->tries++ < REPETITIONS) {
		s->repeated++;
		transmit(s);
		return;
	}
	s->waits = false;
	begin(s);
}

static void reading_due(void *user)
{
	struct sensor *s = user;

	s->made++;
	begin(s);
	live_bench_after(s->all->bench, &s->reading, READING_MS);
	s->all->changed(s->all->user);
}

/* ---- what comes ---- */

static void on_datagram(void *user, const struct hf_addr *from, const void *data, size_t len)
{
	struct sensor *s = user;
	struct live_bench *b = s->all->bench;
	struct hf_coap_message m, ack = { .type = HF_COAP_ACK };
	char bytes[8];

	if (hf_coap_message_parse(hf_span(data, len), &m))
		return;
	ack.mid = m.mid;
	if (m.type == HF_COAP_CON)
		b->port->datagram_send(b->port, s->datagrams, from, bytes,
				       hf_coap_message_format(&ack, bytes, sizeof(bytes)));
	if (!s->waits || m.head.code == 0 || m.token_len != 2 || memcmp(m.token, &s->mid, 2) != 0)
		return;
	s->waits = false;
	hf_timerq_clear(&b->timers, &s->again);
	if (m.head.code >> 5 == 2) {
		s->taken++;
		begin(s);
	} else {
		live_bench_after(b, &s->again, PAUSE_MS);
	}
	s->all->changed(s->all->user);
}

/* ---- life ---- */

static void start(struct live_sensors *all, unsigned number)
{
	static const struct hf_datagram_events events = { .on_datagram = on_datagram };
	struct live_bench *b = all->bench;
	struct sensor *s = &all->v[number];
	struct hf_addr any = live_loopback(0);

	s->all = all;
	s->number = number;
	s->mid = (uint16_t)hf_rand_u64(&b->rand);
	hf_timer_init(&s->reading, reading_due, s);
	hf_timer_init(&s->again, again_due, s);
	live_must(b->port->datagram_open(b->port, &any, &events, s, &s->datagrams));
	live_bench_after(b, &s->reading, READING_MS / 4 * (number + 1));
}

struct live_sensors *live_sensors_create(struct live_bench *b, uint16_t port,
					 void (*changed)(void *user), void *user)
{
	struct live_sensors *s = live_alloc(sizeof(*s));

	s->bench = b;
	s->to = live_loopback(port);
	s->run = (unsigned)hf_rand_below(&b->rand, 1000000);
	s->changed = changed;
	s->user = user;
	for (unsigned i = 0; i < LIVE_SENSORS; i++)
		start(s, i);
	return s;
}

void live_sensors_destroy(struct live_sensors *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < LIVE_SENSORS; i++) {
		hf_timerq_clear(&s->bench->timers, &s->v[i].reading);
		hf_timerq_clear(&s->bench->timers, &s->v[i].again);
		s->bench->port->datagram_close(s->bench->port, s->v[i].datagrams);
	}
	free(s);
}

cJSON *live_sensors_json(const struct live_sensors *s, const struct live_meter_figures *f)
{
	cJSON *list = cJSON_CreateArray();

	for (unsigned i = 0; i < LIVE_SENSORS; i++) {
		const struct sensor *one = &s->v[i];
		cJSON *json = cJSON_CreateObject();

		cJSON_AddStringToObject(json, "name", kinds[i].what);
		cJSON_AddStringToObject(json, "unit", kinds[i].unit);
		cJSON_AddNumberToObject(json, "value", value_of(one, one->made));
		cJSON_AddNumberToObject(json, "made", one->made);
		cJSON_AddNumberToObject(json, "taken", one->taken);
		cJSON_AddNumberToObject(json, "delivered", f->of[i]);
		cJSON_AddNumberToObject(json, "again", one->repeated);
		cJSON_AddItemToArray(list, json);
	}
	return list;
}

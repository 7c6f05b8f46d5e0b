/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes to the sensor side, as steps of a length and an order each: datagrams to
 * the address without DTLS and to that with it, from a few senders, time that passes, a
 * store that stands still. No sender without a proof gets more than three times its
 * bytes, whatever is sent to it can be read, and nothing is counted twice.
 *
 *   step: length (2 bytes, little-endian, 11 bits), order: bits 0-1 sender, bit 2
 *   secure, bit 3 answers an Echo first, bit 4 time passes, bit 5 the store stands still
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/sensor_rig.h"

#define INPUTS_EACH 200 /* with one store: making one takes long */
#define SENDERS	    4
#define PORT	    40000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sensor_rig rig;
static unsigned inputs;
static bool proven[SENDERS];

static void begin(void)
{
	sensor_rig_init(&rig);
	rig.secure = true;
	rig.devices = "pump word POST:/api/a*\n- - /api/*\n";
	rig.panel.policy.max_entries = 20;
	panel_rig_origin_down(&rig.panel, true);
	sensor_rig_start(&rig);
}

static void end(void)
{
	sensor_rig_finish(&rig);
	inputs = 0;
}

static void end_all(void)
{
	if (inputs > 0)
		end();
}

/* Everything that went out is CoAP, or a record of DTLS. */
static void look(void)
{
	for (; rig.taken < rig.sent_n; rig.taken++) {
		const struct sensor_sent *s = &rig.sent[rig.taken % SENSOR_SENT_MAX];
		struct hf_coap_message m;
		bool record = s->len >= 13 && s->bytes[0] >= 20 && s->bytes[0] <= 25;

		assert(record || hf_coap_message_parse(hf_span(s->bytes, s->len), &m) == 0);
	}
	for (unsigned i = 0; i < SENDERS; i++)
		assert(proven[i] || rig.bytes[PORT + i].out <= 3 * rig.bytes[PORT + i].in);
}

/* As a sender does that gives back what it was sent. */
static void prove(unsigned sender)
{
	struct sensor_ask ask = { .code = HF_COAP_CODE(0, 1),
				  .path = "/.well-known/core",
				  .port = (uint16_t)(PORT + sender) };
	struct hf_coap_message m;
	const struct hf_span *echo;
	char copy[64];

	if (!sensor_rig_ask(&rig, &ask, &m))
		return;
	echo = hf_coap_option_get(&m.head, HF_COAP_ECHO);
	if (!echo)
		return;
	memcpy(copy, echo->ptr, echo->len);
	ask.more[0] = (struct hf_coap_option){ HF_COAP_ECHO, hf_span(copy, echo->len) };
	proven[sender] = true;
	(void)sensor_rig_ask(&rig, &ask, &m);
}

static void step(unsigned order, struct hf_span bytes)
{
	unsigned sender = order & 3;

	rig.panel.hold_jobs = order & 32;
	if (order & 8)
		prove(sender);
	if (order & 4)
		sensor_rig_send_secure(&rig, (uint16_t)(PORT + sender), bytes.ptr, bytes.len);
	else
		sensor_rig_send(&rig, (uint16_t)(PORT + sender), bytes.ptr, bytes.len);
	look();
	if (order & 16)
		panel_rig_advance(&rig.panel, 3000);
	look();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_sensor_figures f;

	static bool asked;

	if (!asked)
		atexit(end_all);
	asked = true;
	if (inputs++ == 0)
		begin();
	while (size >= 3) {
		size_t len = data[0] | (size_t)(data[1] & 7) << 8;
		unsigned order = data[2];

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		step(order, hf_span(data, len));
		data += len;
		size -= len;
	}
	rig.panel.hold_jobs = false;
	panel_rig_settle(&rig.panel);
	look();
	hf_sensors_figures(rig.sensors, &f);
	assert(f.calls == 0 && f.uploads <= CONFIG_HF_SENSOR_UPLOADS_MAX &&
	       f.observers <= CONFIG_HF_SENSOR_OBSERVERS_MAX);
	if (inputs == INPUTS_EACH)
		end();
	return 0;
}

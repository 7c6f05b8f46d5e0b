/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sensor side over a panel rig: the test is the sensor, on a network of datagrams
 * in memory, and the origin.
 */
#ifndef HF_TESTS_SENSOR_RIG_H
#define HF_TESTS_SENSOR_RIG_H

#include "lib/panel_rig.h"
#include "sensor/datagram.h"
#include "sensor/sensor.h"

#define SENSOR_SENT_MAX 256

struct sensor_sent {
	struct hf_addr to;
	char bytes[HF_COAP_DATAGRAM_MAX];
	size_t len;
};

struct sensor_rig {
	struct panel_rig panel;
	struct hf_sensor_options opt;
	struct hf_sensors *sensors;
	const char *devices; /* text of the file; NULL: there is none */
	bool exposed;
	bool secure; /* listens by DTLS, too */
	struct sensor_socket {
		const struct hf_datagram_events *events;
		void *user;
	} sockets[2];
	unsigned sockets_n;
	struct sensor_sent sent[SENSOR_SENT_MAX]; /* by the device, in order */
	size_t sent_n, taken;
	struct {
		size_t in, out;
	} bytes[1 << 16]; /* of each port of the sensor */
	uint16_t mid;	  /* of the last message that was made */
};

/* What a sensor asks. */
struct sensor_ask {
	uint8_t type, code;
	uint16_t mid; /* 0: the next one */
	const char *token, *path, *query, *payload;
	size_t payload_len; /* 0: payload is a string */
	int format;	    /* plus one; 0: none */
	struct hf_coap_option more[4];
	uint16_t port; /* of the sensor; 0: 40000 */
};

void sensor_rig_init(struct sensor_rig *r);
void sensor_rig_start(struct sensor_rig *r);
void sensor_rig_finish(struct sensor_rig *r);
/* As a power cut; sensor_rig_again goes on with what is on the disk. */
void sensor_rig_stop(struct sensor_rig *r);
void sensor_rig_again(struct sensor_rig *r);
/* Both. */
void sensor_rig_reboot(struct sensor_rig *r);
/* The message as bytes; settles. */
void sensor_rig_send(struct sensor_rig *r, uint16_t port, const void *bytes, size_t len);
/* The same to the address of DTLS. */
void sensor_rig_send_secure(struct sensor_rig *r, uint16_t port, const void *bytes, size_t len);
size_t sensor_rig_format(struct sensor_rig *r, const struct sensor_ask *ask,
			 char out[HF_COAP_DATAGRAM_MAX]);
/* The next datagram of the device; false: none. */
bool sensor_rig_take(struct sensor_rig *r, struct hf_coap_message *out);
/* Sends, and takes the answer. False: there is none. */
bool sensor_rig_ask(struct sensor_rig *r, const struct sensor_ask *ask,
		    struct hf_coap_message *out);
/* Records in the queue that wait. */
uint64_t sensor_rig_waiting(struct sensor_rig *r);

#endif

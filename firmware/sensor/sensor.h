/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sensor side: a CoAP server (RFC 7252) on addresses of the LAN. What a sensor
 * sends with POST, PUT, PATCH or DELETE to a route that queues it becomes a request of
 * the queue, as a page's does; it is answered 2.01 or 2.04 after the commit. Nothing
 * else is passed on.
 *
 *   datagram.c  one message as bytes
 *   seen.c      what was answered, for messages that come again
 *   server.c    sockets and messages: who answers what
 *   proof.c     whether an address is the sender's own (Echo, RFC 9175)
 *   reply.c     answers, and what is repeated until it is acknowledged
 *   request.c   a CoAP request as an HTTP one
 *   upload.c    bodies that come block by block (RFC 7959)
 *   call.c      one request on its way into the queue
 *   state.c     the state of a request, and who observes it (RFC 7641)
 *   links.c     /.well-known/core (RFC 6690)
 *   device.c    the file of devices: keys and what each may
 *   session.c   DTLS with those keys
 */
#ifndef HF_SENSOR_SENSOR_H
#define HF_SENSOR_SENSOR_H

#include "base/log.h"
#include "base/timerq.h"
#include "coap/map.h"
#include "fetch/fetch.h"
#include "holdfast/port.h"
#include "queue/queue.h"

struct hf_sensors;

struct hf_sensor_figures {			/* since start */
	uint64_t datagrams, accepted, repeated; /* repeated: answered again from memory */
	uint64_t refused, unavailable;		/* 4.xx, 5.xx */
	uint64_t unproven;			/* asked for an Echo instead of an answer */
	uint64_t dropped;			/* past a limit, or no CoAP */
	uint64_t handshakes, handshakes_failed;
	/* now */
	unsigned calls, uploads, observers, sessions;
};

struct hf_sensor_options {
	struct hf_port *port; /* with datagrams */
	struct hf_timerq *timers;
	struct hf_log *log;
	struct hf_fetch *fetch;
	struct hf_queue *queue;
	struct hf_store *store;
	struct hf_coap_key key;	  /* where a sensor's own key is; query: lives as long */
	const char *devices_file; /* NULL: none */
	/* -1: none of that name. */
	int (*origin_by_host)(void *user, struct hf_span host);
	bool (*origin_is_coap)(void *user, unsigned origin);
	const struct hf_route *(*route)(void *user, unsigned origin,
					const struct hf_match_request *req);
	/* Tells each path that a sensor may send to, patterns left out. */
	void (*each_path)(void *user, void (*each)(void *to, struct hf_span path), void *to);
	void *user;
};

/* HF_ENOMEM, HF_EIO; HF_ECONFIG: the file of devices (said in the log). */
int hf_sensors_create(const struct hf_sensor_options *opt, struct hf_sensors **out);
/* HF_EBUSY, HF_EPERM, ... @secure: DTLS. */
int hf_sensors_listen(struct hf_sensors *s, const struct hf_addr *at, bool secure);
/* Takes nothing in any more. Answers of what is on its way still go out. */
void hf_sensors_stop(struct hf_sensors *s);
/* After hf_store_destroy. NULL is fine. */
void hf_sensors_destroy(struct hf_sensors *s);
void hf_sensors_figures(const struct hf_sensors *s, struct hf_sensor_figures *out);

#endif

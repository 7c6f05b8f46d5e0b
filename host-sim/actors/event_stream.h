/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-Sent Events that a page follows, as EventSource does: over a connection of its
 * own, which is opened anew some time after it has ended, and when the device has power
 * again.
 */
#ifndef SIM_EVENT_STREAM_H
#define SIM_EVENT_STREAM_H

#include "actors/http.h"
#include "sim/device.h"

struct sim_event_stream {
	struct sim_device *dev;
	const void *owner;
	const struct hf_addr *to;
	char *request;					   /* NULL: nothing is followed */
	void (*on_event)(void *user, struct hf_span text); /* without the empty line */
	void *user;
	struct sim_http http;
	struct sim_event again;
	struct hf_buf text;
};

/* @owner of its connections, to @to, which outlives it. */
void sim_event_stream_init(struct sim_event_stream *s, struct sim_device *dev, const void *owner,
			   const struct hf_addr *to,
			   void (*on_event)(void *user, struct hf_span text), void *user);
void sim_event_stream_finish(struct sim_event_stream *s);
/* From now on; @request is its bytes, which it takes. */
void sim_event_stream_follow(struct sim_event_stream *s, char *request);
void sim_event_stream_stop(struct sim_event_stream *s);
void sim_event_stream_power(struct sim_event_stream *s, bool up);
/* The value of the line "NAME: value" of an event; ptr NULL: it has none. */
struct hf_span sim_event_field(struct hf_span text, const char *name);

#endif

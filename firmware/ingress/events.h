/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event stream: a ring of the latest events in memory, and readers that
 * each stand at one of them. A reader that is slow stays behind; one that falls
 * out of the ring, or comes with the Last-Event-ID of an earlier run, hears
 * "gap" first and looks its requests up anew.
 *
 * An id is "RUN-NUMBER"; RUN differs for every start.
 */
#ifndef HF_INGRESS_EVENTS_H
#define HF_INGRESS_EVENTS_H

#include "base/buf.h"
#include "base/list.h"
#include "base/span.h"
#include "base/timerq.h"
#include "holdfast/port.h"

struct hf_event_slot {
	char *text; /* one whole event as it is sent */
	size_t len;
	unsigned to; /* as for hf_ingress_event */
};

struct hf_event_hub {
	struct hf_event_slot *ring;
	unsigned size;
	uint64_t next; /* number of the next event; the ring holds those before it */
	uint32_t run;
	struct hf_buf text; /* where an event is made */
	struct hf_list readers;
	unsigned readers_n, readers_max;
	struct hf_timer beat; /* a comment now and then keeps connections alive */
	struct hf_timerq *timers;
	struct hf_port *port;
};

struct hf_event_reader {
	struct hf_list link;
	struct hf_event_hub *hub;
	unsigned origin; /* a page's; UINT_MAX: the operator's */
	uint64_t at;	 /* number of the next event to send */
	bool gap;	 /* "gap" is to be sent first */
	/* Something is there to read, or (@beat) a sign of life is due. */
	void (*wake)(struct hf_event_reader *r, bool beat);
};

int hf_event_hub_init(struct hf_event_hub *hub, unsigned size, unsigned readers_max,
		      struct hf_timerq *timers, struct hf_port *port);
void hf_event_hub_finish(struct hf_event_hub *hub);
void hf_event_hub_add(struct hf_event_hub *hub, unsigned to, const char *type, struct hf_span json);
/* @r with origin and wake; @last_id as the reader sent it, empty: from now on.
 * HF_ELIMIT. */
int hf_event_reader_open(struct hf_event_hub *hub, struct hf_span last_id,
			 struct hf_event_reader *r);
/* What the stream begins with: where it stands, so that a reader that has heard no
 * event yet resumes too; not before a gap was told. */
#define HF_EVENT_BEGIN_SIZE 96
struct hf_span hf_event_reader_begin(const struct hf_event_reader *r,
				     char out[HF_EVENT_BEGIN_SIZE]);
void hf_event_reader_close(struct hf_event_reader *r);
/* The next event's text, valid until the next event is added; false: none. */
bool hf_event_reader_next(struct hf_event_reader *r, struct hf_span *text);

#endif

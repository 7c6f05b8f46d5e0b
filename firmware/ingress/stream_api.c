/* SPDX-License-Identifier: Apache-2.0 */
/* GET /.holdfast/events: a reader of the event stream as Server-Sent Events. */
#include "holdfast/err.h"
#include "ingress/api.h"

struct events_call {
	struct hf_api_call call;
	struct hf_event_reader reader;
	bool open, begun, beat;
};

static struct events_call *self(struct hf_api_call *call)
{
	return hf_container_of(call, struct events_call, call);
}

static void wake(struct hf_event_reader *r, bool beat)
{
	struct events_call *e = hf_container_of(r, struct events_call, reader);

	e->beat |= beat;
	if (e->begun)
		hf_api_pump(&e->call);
}

static int events_start(struct hf_api_call *call)
{
	struct events_call *e = self(call);
	const struct hf_span *last = hf_fields_get(&call->msg->fields, "Last-Event-ID");

	hf_list_init(&e->reader.link);
	e->reader.wake = wake;
	e->reader.origin = hf_api_origin(call);
	if (hf_event_reader_open(&call->in->hub, last ? *last : hf_span(NULL, 0), &e->reader)) {
		hf_api_problem(call, 503, "As many event streams are open as there may be.");
		return 0;
	}
	e->open = true;
	return 0;
}

static void events_pump(struct hf_api_call *call)
{
	struct events_call *e = self(call);
	char begin[HF_EVENT_BEGIN_SIZE];
	struct hf_span text;

	if (!e->open)
		return; /* refused: the reply speaks */
	if (!e->begun) {
		e->begun = true;
		hf_api_begin_stream(call, HF_SPAN("text/event-stream"));
		hf_api_piece(call, hf_event_reader_begin(&e->reader, begin));
	}
	while (call->events && call->receiving && hf_event_reader_next(&e->reader, &text)) {
		e->beat = false;
		hf_api_piece(call, text);
	}
	if (e->beat && call->events && call->receiving)
		hf_api_piece(call, HF_SPAN(": alive\n\n"));
	e->beat = false;
}

static void events_stop(struct hf_api_call *call)
{
	hf_api_end_stream(call, true);
}

static void events_finish(struct hf_api_call *call)
{
	struct events_call *e = self(call);

	if (e->open)
		hf_event_reader_close(&e->reader);
}

const struct hf_api_kind hf_api_events = {
	.size = sizeof(struct events_call),
	.start = events_start,
	.pump = events_pump,
	.stop = events_stop,
	.finish = events_finish,
};

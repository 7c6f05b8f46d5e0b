/* SPDX-License-Identifier: Apache-2.0 */
/* Those who listen to an observation: their head, events and end. */
#include "coap/observe_private.h"
#include "holdfast/err.h"
#include "http/values.h"

bool hf_coap_wants_events(const struct hf_message *msg)
{
	const struct hf_span *accept = hf_fields_get(&msg->fields, "Accept");
	struct hf_span rest, one;

	if (!accept || !hf_span_eq_str(msg->method, "GET"))
		return false;
	rest = *accept;
	while (hf_list_next(&rest, &one))
		if (hf_span_ieq_str(hf_span_trim(hf_span_cut(&one, ';')), "text/event-stream"))
			return true;
	return false;
}

void hf_coap_listener_refuse(struct hf_exchange *x, int status)
{
	hf_coap_x_leave(x);
	x->refused = status;
	hf_coap_x_local(x);
}

static int make_head(struct hf_exchange *x)
{
	int err;

	x->head = (struct hf_message){
		.status = 200,
		.reason = hf_span_str(hf_status_reason(200)),
		.minor = 1,
		.keep_alive = true,
		.body = HF_BODY_CHUNKED,
		.body_len = HF_LEN_UNKNOWN,
	};
	hf_fields_init(&x->head.fields, &x->arena);
	err = hf_fields_add(&x->head.fields, HF_SPAN("Content-Type"), HF_SPAN("text/event-stream"));
	return err ? err :
		     hf_fields_add(&x->head.fields, HF_SPAN("Cache-Control"), HF_SPAN("no-store"));
}

static bool begin(struct hf_exchange *x)
{
	if (x->head_seen)
		return true;
	if (make_head(x)) {
		hf_coap_x_end(x, HF_END_INTERNAL, HF_ENOMEM, "out of memory");
		return false;
	}
	x->head_seen = true;
	return hf_coap_x_tell_head(x) && x->state == HF_COAP_X_LISTENING;
}

static bool tell(struct hf_exchange *x, struct hf_span bytes)
{
	return hf_coap_x_tell_body(x, bytes) && x->state == HF_COAP_X_LISTENING && x->receiving;
}

static void tell_over(struct hf_exchange *x, int status)
{
	struct hf_span text = hf_arena_printf(&x->arena, "event: gone\ndata: %d\n\n", status);

	if (!text.ptr || tell(x, text) || x->state == HF_COAP_X_LISTENING)
		hf_coap_x_end(x, HF_END_COMPLETE, 0, "");
}

void hf_coap_observe_step(struct hf_exchange *x)
{
	struct hf_coap_observation *o = x->observation;

	if (!x->receiving)
		return;
	if (o->over && !x->head_seen) {
		x->by_origin = true;
		hf_coap_listener_refuse(x, o->over);
		return;
	}
	if (o->known && !begin(x))
		return;
	if (x->due && o->known) {
		x->due = x->told_stale = false;
		if (!tell(x, hf_buf_span(&o->event)))
			return;
	}
	if (o->over) {
		tell_over(x, o->over);
	} else if (o->stale && x->head_seen && !x->told_stale) {
		x->told_stale = true;
		tell(x, HF_SPAN("event: stale\ndata:\n\n"));
	}
}

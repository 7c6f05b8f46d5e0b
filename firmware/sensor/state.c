/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /.holdfast/requests/ID: the state of a request, as pages see it. With Observe
 * (RFC 7641) a sensor hears of every change, confirmably, until the request is final.
 */
#include <stdlib.h>

#include "holdfast/err.h"
#include "ingress/record_json.h"
#include "sensor/sensor_private.h"

#define JSON_FORMAT  50
#define JSON_MAX     65536
#define ARENA_MAX    (256 * 1024)
#define OBSERVE_NONE UINT32_MAX
#define OBSERVE_END  1

struct observer {
	struct hf_list link;
	struct hf_sensors *sensors;
	struct hf_sensor_ask ask;
	char id[HF_ULID_LEN + 1];
	struct hf_watch watch;
	uint32_t number;
	uint16_t mid;	   /* of the last notification */
	struct load *load; /* under way for it */
	bool again;	   /* it has changed meanwhile */
};

struct load {
	struct hf_list link;
	struct hf_sensors *sensors;
	struct hf_sensor_ask ask;
	char id[HF_ULID_LEN + 1];
	bool has_block;
	struct hf_coap_block block;
	bool register_it;
	struct observer *observer; /* a notification of it, else NULL */
	struct hf_store_load load;
};

static void free_load(struct load *l)
{
	hf_list_remove(&l->link);
	hf_store_load_finish(&l->load);
	free(l);
}

static void drop_observer(struct observer *o)
{
	if (o->load)
		o->load->observer = NULL;
	if (o->load)
		o->load->ask.peer.gone = true;
	hf_queue_unwatch(&o->watch);
	hf_list_remove(&o->link);
	o->sensors->figures.observers--;
	free(o);
}

/* ---- loading ---- */

static void loaded(struct hf_store_op *op, int err);

static int begin_load(struct hf_sensors *s, struct load *l)
{
	hf_store_load_init(&l->load);
	hf_list_push(&s->loads, &l->link);
	l->sensors = s;
	l->load.op.done = loaded;
	l->load.op.user = l;
	return hf_queue_find(s->opt.queue, hf_span(l->id, HF_ULID_LEN), true, &l->load);
}

static void look_again(struct observer *o)
{
	struct load *l;

	if (o->sensors->stopping)
		return;
	if (o->load) {
		o->again = true;
		return;
	}
	l = calloc(1, sizeof(*l));
	if (!l) {
		drop_observer(o);
		return;
	}
	o->again = false;
	l->ask = o->ask;
	memcpy(l->id, o->id, sizeof(l->id));
	l->observer = o;
	o->load = l;
	if (begin_load(o->sensors, l)) {
		drop_observer(o);
		free_load(l);
	}
}

static void changed(struct hf_watch *w, const struct hf_queue_event *event)
{
	(void)event;
	look_again(w->user);
}

/* ---- what is there ---- */

static bool is_final(const struct hf_record_state *state)
{
	return state->status == HF_RECORD_SETTLED || state->status == HF_RECORD_DEAD ||
	       state->status == HF_RECORD_CANCELLED;
}

/* A request of a device is that device's to ask about. */
static bool may_see(const struct load *l, struct hf_span head, struct hf_arena *arena)
{
	struct hf_record_head h;

	if (hf_record_head_decode(head, arena, &h))
		return false;
	return h.identity.len == 0 || hf_span_eq(h.identity, hf_sensor_identity(&l->ask.peer));
}

static int write_state(struct load *l, struct hf_arena *arena, struct hf_buf *json)
{
	struct hf_record_view v = {
		.id = l->load.id,
		.state = &l->load.state,
		.head = hf_buf_span(l->load.head.len ? &l->load.head : &l->load.summary),
		.has_answer = l->load.has_outcome,
		.answer_head = hf_buf_span(&l->load.outcome_head),
	};
	int err = may_see(l, v.head, arena) ? 0 : HF_ENOENT;

	if (!err)
		err = hf_buf_append_str(json, "{");
	if (!err)
		err = hf_record_json(l->sensors->opt.queue, &v, arena, json);
	return err ? err : hf_buf_append_str(json, "}");
}

/* ---- observers ---- */

static struct observer *find_observer(struct hf_sensors *s, const struct hf_sensor_ask *ask)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->observers) {
		struct observer *o = hf_container_of(it, struct observer, link);

		if (o->ask.token_len == ask->token_len &&
		    memcmp(o->ask.token, ask->token, ask->token_len) == 0 &&
		    hf_sensor_same_peer(&o->ask.peer, &ask->peer))
			return o;
	}
	return NULL;
}

/* NULL: it is answered, and hears nothing more. */
static struct observer *add_observer(struct hf_sensors *s, const struct load *l)
{
	struct observer *o = find_observer(s, &l->ask);

	if (o)
		drop_observer(o);
	if (s->figures.observers == CONFIG_HF_SENSOR_OBSERVERS_MAX || is_final(&l->load.state) ||
	    l->ask.allowance != HF_SENSOR_UNLIMITED || l->ask.peer.gone)
		return NULL;
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->sensors = s;
	o->ask = l->ask;
	o->ask.type = HF_COAP_CON;
	o->ask.acked = true;
	o->ask.silent = 0;
	memcpy(o->id, l->id, sizeof(o->id));
	o->number = 1;
	o->watch = (struct hf_watch){ .id = l->load.id, .changed = changed, .user = o };
	hf_queue_watch(s->opt.queue, &o->watch);
	hf_list_push(&s->observers, &o->link);
	s->figures.observers++;
	return o;
}

void hf_sensor_observer_lost(struct hf_sensors *s, const struct hf_sensor_peer *peer, uint16_t mid)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->observers) {
		struct observer *o = hf_container_of(it, struct observer, link);

		if (o->number > 1 && o->mid == mid && hf_sensor_same_peer(&o->ask.peer, peer)) {
			drop_observer(o);
			return;
		}
	}
}

/* ---- answers ---- */

static void notify(struct load *l, struct hf_span json)
{
	struct hf_sensors *s = l->sensors;
	struct observer *o = l->observer;

	o->mid = s->mid;
	hf_sensor_content(s, &o->ask, NULL, JSON_FORMAT, ++o->number, json);
	if (is_final(&l->load.state))
		drop_observer(o);
	else if (o->again)
		look_again(o);
}

static void show(struct load *l, struct hf_span json)
{
	struct hf_sensors *s = l->sensors;
	struct observer *o = l->register_it ? add_observer(s, l) : NULL;

	hf_sensor_content(s, &l->ask, l->has_block ? &l->block : NULL, JSON_FORMAT,
			  o ? (int64_t)o->number : -1, json);
}

static void answer(struct load *l, int err, struct hf_span json)
{
	struct hf_sensors *s = l->sensors;
	bool unknown = err == HF_ENOENT || err == HF_EINVAL;

	if (l->observer)
		l->observer->load = NULL;
	if (!err && l->observer)
		notify(l, json);
	else if (!err)
		show(l, json);
	else if (l->observer)
		drop_observer(l->observer);
	else
		hf_sensor_refuse(s, &l->ask, unknown ? HF_COAP_CODE(4, 4) : HF_COAP_CODE(5, 3),
				 unknown ? 0 : HF_SENSOR_BUSY_S,
				 unknown ? "There is no request with this id." :
					   "The device's store cannot be read now.");
}

static void loaded(struct hf_store_op *op, int err)
{
	struct load *l = op->user;
	char new_id[HF_ULID_LEN + 1];
	struct hf_arena arena;
	struct hf_buf json;

	hf_arena_init(&arena, ARENA_MAX);
	hf_buf_init(&json, JSON_MAX);
	if (!err && (!hf_queue_found(&l->load, hf_span(l->id, HF_ULID_LEN)) || l->load.replaced ||
		     hf_queue_replaced_by(&l->load, new_id)))
		err = HF_ENOENT;
	if (!err)
		err = write_state(l, &arena, &json);
	answer(l, err, hf_buf_span(&json));
	hf_buf_finish(&json);
	hf_arena_finish(&arena);
	free_load(l);
}

/* ---- the request ---- */

static bool read_options(struct hf_sensors *s, struct hf_sensor_in *in, struct load *l)
{
	const struct hf_span *block = hf_coap_option_get(&in->m.head, HF_COAP_BLOCK2);
	const struct hf_span *observe = hf_coap_option_get(&in->m.head, HF_COAP_OBSERVE);
	uint32_t value = OBSERVE_NONE;
	struct observer *o;

	if (observe && !hf_coap_uint_parse(*observe, &value))
		value = OBSERVE_NONE;
	o = value == OBSERVE_END ? find_observer(s, &in->ask) : NULL;
	if (o)
		drop_observer(o);
	l->register_it = value == 0;
	l->has_block = block != NULL;
	return !block || hf_coap_block_parse(*block, &l->block);
}

void hf_sensor_state(struct hf_sensors *s, struct hf_sensor_in *in, struct hf_span id)
{
	struct load *l = calloc(1, sizeof(*l));
	int err = HF_EINVAL;

	if (!l) {
		hf_sensor_refuse(s, &in->ask, HF_COAP_CODE(5, 3), HF_SENSOR_BUSY_S,
				 "Holdfast is short of memory.");
		return;
	}
	hf_list_init(&l->link);
	l->ask = in->ask;
	l->sensors = s;
	if (!read_options(s, in, l)) {
		hf_sensor_refuse(s, &l->ask, HF_COAP_CODE(4, 0), 0,
				 "Block2 is no block option (RFC 7959).");
		free(l);
		return;
	}
	if (id.len == HF_ULID_LEN) {
		memcpy(l->id, id.ptr, HF_ULID_LEN);
		err = begin_load(s, l);
	} else {
		hf_store_load_init(&l->load);
	}
	if (err) {
		answer(l, err, hf_span(NULL, 0));
		free_load(l);
	}
}

void hf_sensor_state_forget(struct hf_sensors *s, struct hf_sensor_session *session)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->observers) {
		struct observer *o = hf_container_of(it, struct observer, link);

		if (o->ask.peer.session == session)
			drop_observer(o);
	}
	hf_list_for(it, tmp, &s->loads) {
		struct load *l = hf_container_of(it, struct load, link);

		if (l->ask.peer.session != session)
			continue;
		l->ask.peer.session = NULL;
		l->ask.peer.gone = true;
	}
}

void hf_sensor_state_finish(struct hf_sensors *s)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->loads) {
		struct load *l = hf_container_of(it, struct load, link);

		if (l->observer)
			l->observer->load = NULL;
		free_load(l);
	}
	hf_list_for(it, tmp, &s->observers)
		drop_observer(hf_container_of(it, struct observer, link));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/conn.h"

#include <assert.h>

#include "sim/mem.h"

struct hf_stream *sim_end_peer(struct hf_stream *s)
{
	return s == &s->conn->end[0] ? &s->conn->end[1] : &s->conn->end[0];
}

uint64_t sim_conn_latency(struct sim_conn *c)
{
	const struct sim_node *a = c->end[0].node, *b = c->end[1].node;
	uint64_t jitter;

	if (c->loopback)
		return 30;
	jitter = a->jitter_us + (b ? b->jitter_us : 0);
	return a->latency_us + (b ? b->latency_us : 0) + sim_rng_below(&c->rng, jitter + 1);
}

bool sim_conn_way_open(const struct sim_conn *c)
{
	const struct sim_node *a = c->end[0].node, *b = c->end[1].node;

	if (c->loopback)
		return a->powered;
	return b && sim_net_open(a, b, c->via_portal);
}

static bool hears(const struct hf_stream *s)
{
	return s->open && !s->silent && s->events && !s->err;
}

/* ---- freeing ---- */

static void drop_segments(struct hf_stream *s)
{
	struct hf_list *item;

	while ((item = hf_list_pop(&s->in)))
		sim_free(hf_container_of(item, struct sim_segment, item));
	s->in_bytes = 0;
}

static void clear_events(struct hf_stream *s)
{
	struct sim_world *w = s->conn->net->world;

	sim_event_clear(w, &s->ev_data);
	sim_event_clear(w, &s->ev_room);
	sim_event_clear(w, &s->ev_fail);
	sim_event_clear(w, &s->ev_connect);
}

void sim_conn_free_if_done(struct sim_conn *c)
{
	int i;

	if (c->busy || c->end[0].open || c->end[1].open)
		return;
	for (i = 0; i < 2; i++) {
		clear_events(&c->end[i]);
		drop_segments(&c->end[i]);
	}
	hf_list_remove(&c->waiting);
	hf_list_remove(&c->item);
	sim_free(c);
}

/* ---- arrival ---- */

static void schedule_data(struct hf_stream *s)
{
	struct hf_list *first = hf_list_first(&s->in);

	if (first && s->reading && hears(s) && s->established)
		sim_event_at(s->conn->net->world, &s->ev_data,
			     hf_container_of(first, struct sim_segment, item)->at_us);
}

static void tell_room(struct hf_stream *sender)
{
	if (!sender->wants_room || !hears(sender))
		return;
	sender->wants_room = false;
	sim_event_in(sender->conn->net->world, &sender->ev_room, sim_conn_latency(sender->conn));
}

static void deliver_segment(struct hf_stream *s, struct sim_segment *seg)
{
	if (seg->fin) {
		if (s->events->on_eof)
			s->events->on_eof(s->user);
		return;
	}
	s->in_bytes -= seg->len;
	tell_room(sim_end_peer(s));
	s->events->on_data(s->user, seg->data, seg->len);
}

/* Held bytes make their sender give up in the end. */
static void hold(struct hf_stream *s)
{
	struct hf_stream *sender = sim_end_peer(s);

	s->held = true;
	if (!s->conn->loopback)
		s->node->struck_us = s->conn->net->world->now_us;
	if (hears(sender) && !sim_event_is_set(&sender->ev_fail)) {
		sender->coming_err = HF_ETIMEDOUT;
		sim_event_in(s->conn->net->world, &sender->ev_fail, SIM_TCP_GIVES_UP_US);
	}
}

/* What has left a sender before its power went arrives; what would have to be
 * sent again does not. */
static bool comes_through(struct hf_stream *s)
{
	struct sim_node *from = sim_end_peer(s)->node;
	bool powered, open;

	if (s->lost || !sim_end_peer(s)->dark)
		return !s->lost && sim_conn_way_open(s->conn);
	powered = from->powered;
	from->powered = true;
	open = sim_conn_way_open(s->conn);
	from->powered = powered;
	s->lost = !open;
	return open;
}

static void data_due(void *user)
{
	struct hf_stream *s = user;
	struct sim_conn *c = s->conn;
	struct sim_heap *heap;
	struct hf_list *item;

	if (!comes_through(s)) {
		hold(s);
		return;
	}
	c->busy++;
	heap = sim_heap_enter(s->heap);
	while (hears(s) && s->reading && (item = hf_list_first(&s->in))) {
		struct sim_segment *seg = hf_container_of(item, struct sim_segment, item);

		if (seg->at_us > c->net->world->now_us)
			break;
		hf_list_remove(item);
		deliver_segment(s, seg);
		sim_free(seg);
	}
	sim_heap_enter(heap);
	c->busy--;
	schedule_data(s);
	sim_conn_free_if_done(c);
}

static void room_due(void *user)
{
	struct hf_stream *s = user;
	struct sim_conn *c = s->conn;
	struct sim_heap *heap;

	if (!hears(s))
		return;
	c->busy++;
	heap = sim_heap_enter(s->heap);
	if (s->events->on_writable)
		s->events->on_writable(s->user);
	sim_heap_enter(heap);
	c->busy--;
	sim_conn_free_if_done(c);
}

/* ---- failure ---- */

void sim_end_fail(struct hf_stream *s, int err, uint64_t at_us)
{
	if (!s->open || s->silent || s->err)
		return;
	s->coming_err = err;
	s->fail_since_us = s->conn->net->world->now_us;
	/* behind the bytes that are on their way */
	sim_event_at(s->conn->net->world, &s->ev_fail,
		     at_us > s->last_at_us ? at_us : s->last_at_us);
}

static void fail_now(struct hf_stream *s)
{
	struct sim_conn *c = s->conn;
	struct sim_heap *heap;

	s->err = s->coming_err;
	drop_segments(s);
	sim_event_clear(c->net->world, &s->ev_data);
	sim_event_clear(c->net->world, &s->ev_room);
	c->busy++;
	heap = sim_heap_enter(s->heap);
	if (!s->established)
		s->events->on_connect(s->user, s->err);
	else if (s->events->on_error)
		s->events->on_error(s->user, s->err);
	sim_heap_enter(heap);
	c->busy--;
	sim_conn_free_if_done(c);
}

/* A reset has to come through as everything else; a time-out does not. */
static void fail_due(void *user)
{
	struct hf_stream *s = user;
	struct sim_world *w = s->conn->net->world;

	if (!hears(s))
		return;
	if (s->coming_err == HF_ECONNRESET && (s->lost || !sim_conn_way_open(s->conn))) {
		if (w->now_us - s->fail_since_us < SIM_TCP_GIVES_UP_US) {
			sim_event_in(w, &s->ev_fail, 30 * SIM_US_PER_S);
			return;
		}
		s->coming_err = HF_ETIMEDOUT;
	}
	fail_now(s);
}

/* TCP doubles the distance of its attempts up to two minutes; somewhere inside
 * the last one the way has opened. */
void sim_conn_kick(struct sim_conn *c)
{
	struct sim_world *w = c->net->world;
	int i;

	if (!sim_conn_way_open(c))
		return;
	for (i = 0; i < 2; i++) {
		struct hf_stream *s = &c->end[i], *sender = &c->end[1 - i];

		if (!s->held || s->lost)
			continue;
		s->held = false;
		if (sender->coming_err == HF_ETIMEDOUT && !sender->err)
			sim_event_clear(w, &sender->ev_fail);
		if (!hf_list_empty(&s->in) && hears(s))
			sim_event_in(w, &s->ev_data,
				     sim_rng_range(&c->fate, 200 * SIM_US_PER_MS,
						   8 * SIM_US_PER_S));
	}
}

/* ---- making one ---- */

void sim_stream_rng(const struct hf_stream *s, const char *domain, struct sim_rng *out)
{
	const struct sim_conn *c = s->conn;
	char name[128];

	snprintf(name, sizeof(name), "%s/%s/%llu", domain, c->end[0].node->name,
		 (unsigned long long)c->nth);
	sim_rng_init(out, c->net->world->seed, name);
}

struct sim_conn *sim_conn_create(struct sim_node *node)
{
	struct sim_conn *c = sim_alloc(sizeof(*c));
	int i;

	c->net = node->net;
	c->nth = node->calls++;
	c->end[0].node = node;
	c->end[0].conn = c;
	sim_stream_rng(&c->end[0], "net", &c->rng);
	sim_stream_rng(&c->end[0], "net faults", &c->fate);
	hf_list_init(&c->item);
	hf_list_init(&c->waiting);
	hf_list_push(&c->net->conns, &c->item);
	for (i = 0; i < 2; i++) {
		struct hf_stream *s = &c->end[i];

		s->conn = c;
		hf_list_init(&s->in);
		sim_event_init(&s->ev_data, data_due, s);
		sim_event_init(&s->ev_room, room_due, s);
		sim_event_init(&s->ev_fail, fail_due, s);
	}
	return c;
}

void sim_end_open(struct hf_stream *s, struct sim_node *node, const void *owner)
{
	s->node = node;
	s->owner = owner;
	s->heap = sim_heap_now();
	s->open = true;
}

void sim_stream_accept(struct hf_stream *s, const struct hf_stream_events *events, void *user)
{
	assert(s->open && !s->events);
	s->events = events;
	s->user = user;
	if (s->coming_err == HF_ECONNRESET && !s->err)
		sim_event_in(s->conn->net->world, &s->ev_fail, 0);
}

/* ---- operations of the owner ---- */

void sim_stream_read(struct hf_stream *s, bool on)
{
	assert(s->open);
	s->reading = on;
	if (!on)
		sim_event_clear(s->conn->net->world, &s->ev_data);
	else if (!s->held && !sim_event_is_set(&s->ev_data))
		schedule_data(s);
}

static void send_segment(struct hf_stream *to, const void *data, size_t len, bool fin)
{
	struct sim_segment *seg = sim_alloc(sizeof(*seg) + len);
	uint64_t at = sim_wire_arrival(to, len);

	hf_list_init(&seg->item);
	seg->fin = fin;
	seg->len = len;
	if (len)
		memcpy(seg->data, data, len);
	seg->at_us = at > to->last_at_us ? at : to->last_at_us;
	to->last_at_us = seg->at_us;
	to->in_bytes += len;
	to->passed += len;
	hf_list_push(&to->in, &seg->item);
	if (!to->held && !sim_event_is_set(&to->ev_data))
		schedule_data(to);
}

static void send_bytes(struct hf_stream *to, const uint8_t *data, size_t len)
{
	struct sim_conn *c = to->conn;

	while (c->net->fragments && len > 1 && sim_rng_chance(&c->rng, 30)) {
		size_t piece = (size_t)sim_rng_range(&c->rng, 1, len - 1);

		send_segment(to, data, piece, false);
		data += piece;
		len -= piece;
	}
	send_segment(to, data, len, false);
}

/* All of it is taken, whatever arrives. */
static void send_through(struct hf_stream *to, const uint8_t *data, size_t len)
{
	size_t passes = sim_wire_passes(to, len);

	if (passes)
		send_bytes(to, data, passes);
	if (passes == len)
		return;
	sim_wire_strike(to);
	if (!to->broken)
		send_segment(to, data + passes, len - passes, false);
}

ptrdiff_t sim_stream_write(struct hf_stream *s, const void *data, size_t len)
{
	struct hf_stream *to = sim_end_peer(s);
	struct sim_world *w = s->conn->net->world;
	size_t room;

	assert(s->open);
	if (s->silent || s->fin_sent)
		return HF_ECONNRESET;
	if (s->err)
		return s->err;
	if (!s->established) {
		s->wants_room = true;
		return 0;
	}
	if (!to->open || to->silent) {
		/* nobody is there: the answer is a reset */
		if (!sim_event_is_set(&s->ev_fail) || s->coming_err == HF_ETIMEDOUT)
			sim_end_fail(s, HF_ECONNRESET, w->now_us + 2 * sim_conn_latency(s->conn));
		return (ptrdiff_t)len;
	}
	room = to->in_bytes < SIM_WINDOW_BYTES ? SIM_WINDOW_BYTES - to->in_bytes : 0;
	if (len > room) {
		len = room;
		s->wants_room = true;
	}
	if (to->broken)
		return (ptrdiff_t)len;
	if (len)
		send_through(to, data, len);
	return (ptrdiff_t)len;
}

void sim_stream_shutdown(struct hf_stream *s)
{
	struct hf_stream *to = sim_end_peer(s);

	assert(s->open);
	if (s->fin_sent || s->silent || s->err || !s->established)
		return;
	s->fin_sent = true;
	if (to->open && !to->silent && !to->broken)
		send_segment(to, NULL, 0, true);
}

void sim_stream_close(struct hf_stream *s, bool abort)
{
	struct sim_conn *c = s->conn;
	struct hf_stream *to = sim_end_peer(s);
	bool reset = abort || s->in_bytes > 0;

	assert(s->open);
	if (!s->silent && !s->err && s->established && to->open) {
		if (reset)
			sim_end_fail(to, HF_ECONNRESET,
				     c->net->world->now_us + sim_conn_latency(c));
		else
			sim_stream_shutdown(s);
	}
	s->open = false;
	clear_events(s);
	drop_segments(s);
	sim_conn_free_if_done(c);
}

int sim_stream_peer(struct hf_stream *s, struct hf_peer *out)
{
	memset(out, 0, sizeof(*out));
	out->addr = sim_end_peer(s)->addr;
	if (out->addr.family == HF_FAMILY_UNIX)
		out->has_creds = true;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* An event is made into its bytes once, whatever the number of readers. */
#include "ingress/events.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "holdfast/err.h"
#include "http/sse.h"
#include "ingress/ingress.h"

#define BEAT_MS	  25000
#define EVENT_MAX (128 * 1024)

static const char gap_event[] = "event: gap\ndata: {}\n\n";

static void on_beat(void *user);

int hf_event_hub_init(struct hf_event_hub *hub, unsigned size, unsigned readers_max,
		      struct hf_timerq *timers, struct hf_port *port)
{
	*hub = (struct hf_event_hub){
		.size = size ? size : 1,
		.next = 1,
		.readers_max = readers_max,
		.timers = timers,
		.port = port,
	};
	hf_buf_init(&hub->text, EVENT_MAX);
	hf_list_init(&hub->readers);
	hf_timer_init(&hub->beat, on_beat, hub);
	if (port->entropy(port, &hub->run, sizeof(hub->run)))
		hub->run = (uint32_t)port->boottime_us(port);
	hub->ring = calloc(hub->size, sizeof(*hub->ring));
	return hub->ring ? 0 : HF_ENOMEM;
}

void hf_event_hub_finish(struct hf_event_hub *hub)
{
	unsigned i;

	if (!hub->ring)
		return;
	hf_timerq_clear(hub->timers, &hub->beat);
	for (i = 0; i < hub->size; i++)
		free(hub->ring[i].text);
	free(hub->ring);
	hub->ring = NULL;
	hf_buf_finish(&hub->text);
}

static void wake_all(struct hf_event_hub *hub, bool beat)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &hub->readers) {
		struct hf_event_reader *r = hf_container_of(it, struct hf_event_reader, link);

		r->wake(r, beat);
	}
}

#define ID_SIZE 40

static struct hf_span id_of(const struct hf_event_hub *hub, uint64_t number, char out[ID_SIZE])
{
	int n = snprintf(out, ID_SIZE, "%08" PRIx32 "-%" PRIu64, hub->run, number);

	return hf_span(out, (size_t)n);
}

static int format(struct hf_event_hub *hub, const char *type, struct hf_span json,
		  struct hf_event_slot *out)
{
	struct hf_buf *b = &hub->text;
	char id[ID_SIZE];
	int err = hf_sse_write(b, hf_span_str(type), id_of(hub, hub->next, id), json);

	if (!err) {
		out->text = hf_span_dup(hf_buf_span(b));
		out->len = b->len;
		if (!out->text)
			err = HF_ENOMEM;
	}
	hf_buf_clear(b);
	return err;
}

void hf_event_hub_add(struct hf_event_hub *hub, unsigned to, const char *type, struct hf_span json)
{
	struct hf_event_slot *slot = &hub->ring[hub->next % hub->size];

	free(slot->text);
	*slot = (struct hf_event_slot){ 0 };
	/* Without memory the number is used up all the same: readers hear a gap. */
	if (format(hub, type, json, slot))
		*slot = (struct hf_event_slot){ 0 };
	slot->to = to;
	hub->next++;
	wake_all(hub, false);
}

static uint64_t oldest(const struct hf_event_hub *hub)
{
	return hub->next > hub->size ? hub->next - hub->size : 1;
}

/* "RUN-NUMBER" of this run, not in the future: its successor. */
static bool resume_at(const struct hf_event_hub *hub, struct hf_span id, uint64_t *at)
{
	char run[16];
	uint64_t number;
	struct hf_span head;

	snprintf(run, sizeof(run), "%08" PRIx32, hub->run);
	head = hf_span_cut(&id, '-');
	if (!hf_span_eq_str(head, run) || !id.ptr || !hf_span_u64(id, &number) ||
	    number >= hub->next)
		return false;
	*at = number + 1;
	return true;
}

static void set_beat(struct hf_event_hub *hub)
{
	/* Without memory there is no sign of life; events come all the same. */
	(void)hf_timerq_set(hub->timers, &hub->beat, hub->port->boottime_ms(hub->port) + BEAT_MS);
}

static void on_beat(void *user)
{
	struct hf_event_hub *hub = user;

	if (hub->readers_n == 0)
		return;
	wake_all(hub, true);
	set_beat(hub);
}

int hf_event_reader_open(struct hf_event_hub *hub, struct hf_span last_id,
			 struct hf_event_reader *r)
{
	if (hub->readers_n >= hub->readers_max)
		return HF_ELIMIT;
	r->hub = hub;
	r->gap = false;
	r->at = hub->next;
	if (last_id.len > 0 && !resume_at(hub, last_id, &r->at)) {
		r->gap = true;
		r->at = oldest(hub);
	}
	hf_list_push(&hub->readers, &r->link);
	hub->readers_n++;
	if (!hf_timer_is_set(&hub->beat))
		set_beat(hub);
	return 0;
}

void hf_event_reader_close(struct hf_event_reader *r)
{
	hf_list_remove(&r->link);
	r->hub->readers_n--;
}

struct hf_span hf_event_reader_begin(const struct hf_event_reader *r, char out[HF_EVENT_BEGIN_SIZE])
{
	char id[ID_SIZE] = "";
	int n;

	if (!r->gap)
		id_of(r->hub, r->at - 1, id);
	n = snprintf(out, HF_EVENT_BEGIN_SIZE, "retry: 2000\n%s%s%s: holdfast\n\n",
		     r->gap ? "" : "id: ", id, r->gap ? "" : "\n");
	return hf_span(out, (size_t)n);
}

static bool is_for(const struct hf_event_reader *r, unsigned to)
{
	if (r->origin == UINT_MAX)
		return to == HF_EVENT_OPERATOR || !(to & HF_EVENT_PAGES);
	return to != HF_EVENT_OPERATOR && (to & ~HF_EVENT_PAGES) == r->origin;
}

bool hf_event_reader_next(struct hf_event_reader *r, struct hf_span *text)
{
	const struct hf_event_slot *slot;

	if (r->at < oldest(r->hub)) {
		r->at = oldest(r->hub);
		r->gap = true;
	}
	while (!r->gap && r->at < r->hub->next) {
		slot = &r->hub->ring[r->at++ % r->hub->size];
		if (!is_for(r, slot->to))
			continue;
		if (slot->text) {
			*text = hf_span(slot->text, slot->len);
			return true;
		}
		r->gap = true;
	}
	if (!r->gap)
		return false;
	r->gap = false;
	*text = HF_SPAN(gap_event);
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/event_stream.h"

#include <stdlib.h>

#define RETRY_US     (3 * SIM_US_PER_S)
#define TEXT_MAX     (1u << 20)
#define BETWEEN	     "\n\n"
#define BETWEEN_SIZE strlen(BETWEEN)

static void on_body(void *user, struct hf_span data)
{
	struct sim_event_stream *s = user;
	struct hf_span text;
	char *end;

	if (hf_buf_append(&s->text, data))
		hf_buf_clear(&s->text);
	for (;;) {
		text = hf_buf_span(&s->text);
		end = text.len ? memmem(text.ptr, text.len, BETWEEN, BETWEEN_SIZE) : NULL;
		if (!end)
			return;
		text.len = (size_t)(end - text.ptr);
		s->on_event(s->user, text);
		hf_buf_consume(&s->text, text.len + BETWEEN_SIZE);
	}
}

static void on_message(void *user, const struct hf_message *msg, struct hf_span body)
{
	struct sim_event_stream *s = user;

	(void)msg;
	(void)body;
	sim_http_close(&s->http, false);
	sim_event_in(s->dev->world, &s->again, RETRY_US);
}

static void on_gone(void *user, int err)
{
	struct sim_event_stream *s = user;

	(void)err;
	sim_event_in(s->dev->world, &s->again, RETRY_US);
}

static const struct sim_http_events http_events = {
	.on_message = on_message,
	.on_body = on_body,
	.on_gone = on_gone,
};

static void due(void *user)
{
	struct sim_event_stream *s = user;

	if (!s->request || !sim_device_is_lit(s->dev) || s->http.stream)
		return;
	sim_http_finish(&s->http);
	sim_http_init(&s->http, HF_H1_RESPONSE, &http_events, s);
	hf_buf_clear(&s->text);
	sim_http_connect(&s->http, s->dev->node, s->owner, s->to);
	sim_http_send(&s->http, hf_span_str(s->request));
}

void sim_event_stream_init(struct sim_event_stream *s, struct sim_device *dev, const void *owner,
			   const struct hf_addr *to,
			   void (*on_event)(void *user, struct hf_span text), void *user)
{
	*s = (struct sim_event_stream){
		.dev = dev, .owner = owner, .to = to, .on_event = on_event, .user = user
	};
	sim_event_init(&s->again, due, s);
	sim_http_init(&s->http, HF_H1_RESPONSE, &http_events, s);
	hf_buf_init(&s->text, TEXT_MAX);
}

void sim_event_stream_finish(struct sim_event_stream *s)
{
	sim_event_clear(s->dev->world, &s->again);
	sim_http_finish(&s->http);
	hf_buf_finish(&s->text);
	free(s->request);
}

void sim_event_stream_follow(struct sim_event_stream *s, char *request)
{
	bool same = s->request && strcmp(s->request, request) == 0;

	free(s->request);
	s->request = request;
	if (!same)
		sim_http_close(&s->http, false);
	sim_event_in(s->dev->world, &s->again, 0);
}

void sim_event_stream_stop(struct sim_event_stream *s)
{
	free(s->request);
	s->request = NULL;
	sim_http_close(&s->http, false);
}

void sim_event_stream_power(struct sim_event_stream *s, bool up)
{
	if (!up) {
		sim_http_close(&s->http, true);
		sim_event_clear(s->dev->world, &s->again);
	} else if (s->request) {
		sim_event_in(s->dev->world, &s->again, RETRY_US);
	}
}

struct hf_span sim_event_field(struct hf_span text, const char *name)
{
	while (text.len > 0) {
		struct hf_span value = hf_span_cut(&text, '\n');

		if (hf_span_eq_str(hf_span_cut(&value, ':'), name))
			return hf_span_trim(value);
	}
	return hf_span(NULL, 0);
}

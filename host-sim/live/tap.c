/* SPDX-License-Identifier: Apache-2.0 */
#include "live/tap.h"

#include "http/h1_writer.h"
#include "live/bench.h"

#define HEAD_BYTES_MAX	(64 * 1024)
#define ARENA_BYTES_MAX (256 * 1024)
#define OUT_BYTES_MAX	(1024 * 1024)

static struct hf_span authority(struct live_tap *t)
{
	const struct hf_url *u = t->url;
	const char *open = u->host_is_ipv6 ? "[" : "", *close = u->host_is_ipv6 ? "]" : "";

	if (u->port == hf_url_default_port(u->scheme))
		return hf_arena_printf(&t->arena, "%s%.*s%s", open, HF_SPAN_ARG(u->host), close);
	return hf_arena_printf(&t->arena, "%s%.*s%s:%u", open, HF_SPAN_ARG(u->host), close,
			       u->port);
}

/* "http://127.0.0.1:1234/x" becomes "https://shop.example/x". */
static int rename_field(struct live_tap *t, struct hf_fields *fields, const char *name,
			struct hf_span host)
{
	const struct hf_span *old = hf_fields_get(fields, name);
	struct hf_span path = { NULL, 0 }, value;
	struct hf_url url;

	if (!old || hf_url_parse(*old, &url))
		return 0;
	if (hf_span_eq_str(hf_span_str(name), "Referer"))
		path = url.path;
	value = hf_arena_printf(&t->arena, "%.*s://%.*s%.*s", HF_SPAN_ARG(t->url->scheme),
				HF_SPAN_ARG(host), HF_SPAN_ARG(path));
	return value.ptr ? hf_fields_set(fields, hf_span_str(name), value) : HF_ENOMEM;
}

static int on_head(void *user, struct hf_message *msg)
{
	struct live_tap *t = user;
	struct hf_span host = authority(t);
	int err = host.ptr ? hf_fields_set(&msg->fields, HF_SPAN("Host"), host) : HF_ENOMEM;

	if (!err)
		err = rename_field(t, &msg->fields, "Origin", host);
	if (!err)
		err = rename_field(t, &msg->fields, "Referer", host);
	if (err)
		return err;
	t->chunked = msg->body == HF_BODY_CHUNKED;
	t->upgrade = msg->upgrade;
	t->on_request(t->user, msg);
	return hf_h1_write_request(&t->out, msg);
}

static int on_body(void *user, struct hf_span data)
{
	struct live_tap *t = user;
	char prefix[20];
	int err = 0;

	if (t->chunked)
		err = hf_buf_append(&t->out, hf_span(prefix, hf_h1_chunk_prefix(data.len, prefix)));
	if (!err)
		err = hf_buf_append(&t->out, data);
	if (!err && t->chunked)
		err = hf_buf_append(&t->out, HF_SPAN("\r\n"));
	return err;
}

static int on_complete(void *user, const struct hf_fields *trailers)
{
	struct live_tap *t = user;

	t->complete = true;
	return t->chunked ? hf_h1_write_last_chunk(&t->out, trailers) : 0;
}

static const struct hf_h1_events events = {
	.on_head = on_head,
	.on_body = on_body,
	.on_complete = on_complete,
};

static void next(struct live_tap *t)
{
	t->complete = false;
	t->raw = t->upgrade;
	hf_arena_reset(&t->arena);
	if (!t->raw)
		hf_h1_reader_next(t->reader, &t->arena);
}

int live_tap_feed(struct live_tap *t, struct hf_span data)
{
	while (data.len > 0 && !t->raw) {
		ptrdiff_t n = hf_h1_reader_feed(t->reader, data);

		if (n < 0)
			return (int)n;
		data = hf_span_skip(data, (size_t)n);
		if (t->complete)
			next(t);
	}
	return hf_buf_append(&t->out, data);
}

void live_tap_init(struct live_tap *t, const struct hf_url *url,
		   void (*on_request)(void *user, const struct hf_message *head), void *user)
{
	static const struct hf_h1_limits limits = { .head_bytes_max = HEAD_BYTES_MAX,
						    .fields_max = 200 };

	*t = (struct live_tap){ .url = url, .on_request = on_request, .user = user };
	hf_arena_init(&t->arena, ARENA_BYTES_MAX);
	hf_buf_init(&t->out, OUT_BYTES_MAX);
	live_must(hf_h1_reader_create(HF_H1_REQUEST, &limits, &events, t, &t->reader));
	hf_h1_reader_next(t->reader, &t->arena);
}

void live_tap_finish(struct live_tap *t)
{
	hf_h1_reader_destroy(t->reader);
	hf_arena_finish(&t->arena);
	hf_buf_finish(&t->out);
}

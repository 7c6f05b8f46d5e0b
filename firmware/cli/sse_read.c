/* SPDX-License-Identifier: Apache-2.0 */
/* See sse_read.h. Lines end with CR LF, LF or CR. */
#include "cli/sse_read.h"

#define LINE_BYTES_MAX (1024 * 1024)

void cli_sse_init(struct cli_sse *s,
		  int (*on_event)(void *user, struct hf_span event, struct hf_span id,
				  struct hf_span data),
		  void *user)
{
	*s = (struct cli_sse){ .on_event = on_event, .user = user };
	hf_buf_init(&s->line, LINE_BYTES_MAX);
	hf_buf_init(&s->data, LINE_BYTES_MAX);
	hf_buf_init(&s->event, 1024);
	hf_buf_init(&s->id, 1024);
}

void cli_sse_finish(struct cli_sse *s)
{
	hf_buf_finish(&s->line);
	hf_buf_finish(&s->data);
	hf_buf_finish(&s->event);
	hf_buf_finish(&s->id);
}

static int set(struct hf_buf *b, struct hf_span value)
{
	hf_buf_clear(b);
	return hf_buf_append(b, value);
}

static int dispatch(struct cli_sse *s)
{
	struct hf_span data = hf_buf_span(&s->data), event = hf_buf_span(&s->event);
	int err = 0;

	if (data.len > 0) {
		data.len--; /* the last line's break */
		err = s->on_event(s->user, event.len ? event : HF_SPAN("message"),
				  hf_buf_span(&s->id), data);
	}
	hf_buf_clear(&s->data);
	hf_buf_clear(&s->event);
	return err;
}

static int take_line(struct cli_sse *s, struct hf_span line)
{
	struct hf_span value = line, name;
	int err = 0;

	if (line.len == 0)
		return dispatch(s);
	name = hf_span_cut(&value, ':');
	if (value.len > 0 && value.ptr[0] == ' ')
		value = hf_span_skip(value, 1);
	if (hf_span_eq_str(name, "event"))
		err = set(&s->event, value);
	else if (hf_span_eq_str(name, "id"))
		err = set(&s->id, value);
	else if (hf_span_eq_str(name, "data"))
		err = hf_buf_append(&s->data, value);
	if (!err && hf_span_eq_str(name, "data"))
		err = hf_buf_append(&s->data, HF_SPAN("\n"));
	return err;
}

int cli_sse_feed(struct cli_sse *s, struct hf_span bytes)
{
	int err = 0;

	for (size_t i = 0; i < bytes.len && !err; i++) {
		char c = bytes.ptr[i];
		bool ends = c == '\r' || (c == '\n' && !s->after_cr);

		if (ends) {
			err = take_line(s, hf_buf_span(&s->line));
			hf_buf_clear(&s->line);
		} else if (c != '\n') {
			err = hf_buf_append(&s->line, hf_span(&c, 1));
		}
		s->after_cr = c == '\r';
	}
	return err;
}

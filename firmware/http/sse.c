/* SPDX-License-Identifier: Apache-2.0 */
#include "http/sse.h"

#include "holdfast/err.h"

/* Line breaks, and NUL, which makes a reader ignore the id. */
static bool is_one_line(struct hf_span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.ptr[i] == '\n' || s.ptr[i] == '\r' || s.ptr[i] == '\0')
			return false;
	return true;
}

/* Cuts the next line off, which ends with CR LF, LF or CR. */
static struct hf_span cut_line(struct hf_span *rest)
{
	struct hf_span line = *rest;
	size_t n = 0;

	while (n < rest->len && rest->ptr[n] != '\n' && rest->ptr[n] != '\r')
		n++;
	line.len = n;
	if (n == rest->len) {
		*rest = hf_span(NULL, 0);
		return line;
	}
	n += hf_span_starts(hf_span_skip(*rest, n), HF_SPAN("\r\n")) ? 2 : 1;
	*rest = hf_span_skip(*rest, n);
	return line;
}

static int write_line(struct hf_buf *out, const char *name, struct hf_span value)
{
	int err = hf_buf_append_str(out, name);

	if (!err)
		err = hf_buf_append(out, value);
	if (!err)
		err = hf_buf_append(out, HF_SPAN("\n"));
	return err;
}

static int write_data(struct hf_buf *out, struct hf_span data)
{
	int err;

	do {
		err = write_line(out, "data: ", cut_line(&data));
	} while (!err && data.ptr);
	return err;
}

static int write_event(struct hf_buf *out, struct hf_span event, struct hf_span id,
		       struct hf_span data)
{
	int err = 0;

	if (!is_one_line(event) || !is_one_line(id))
		return HF_EINVAL;
	if (event.len > 0)
		err = write_line(out, "event: ", event);
	if (!err && id.len > 0)
		err = write_line(out, "id: ", id);
	if (!err)
		err = write_data(out, data);
	if (!err)
		err = hf_buf_append(out, HF_SPAN("\n"));
	return err;
}

int hf_sse_write(struct hf_buf *out, struct hf_span event, struct hf_span id, struct hf_span data)
{
	size_t len = out->len;
	int err = write_event(out, event, id, data);

	if (err)
		hf_buf_truncate(out, len);
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/event_json.h"

#include "cli/json.h"
#include "cli/text.h"

#define EVENT_BYTES_MAX (8u * 1024 * 1024)

static int append_data(struct hf_buf *out, struct hf_span data, bool document)
{
	if (!document || memchr(data.ptr, '\n', data.len))
		return cli_json_append(out, ",\"data\":", data);
	return hf_buf_append_str(out, ",\"data\":") || hf_buf_append(out, data);
}

void cli_put_event(struct hf_span event, struct hf_span id, struct hf_span data, bool document)
{
	struct hf_buf out;
	int err;

	hf_buf_init(&out, EVENT_BYTES_MAX);
	err = cli_json_append(&out, "{\"event\":", event);
	if (!err && id.ptr)
		err = cli_json_append(&out, ",\"id\":", id);
	if (!err)
		err = append_data(&out, data, document);
	if (!err && hf_buf_append_str(&out, "}\n") == 0)
		cli_put_raw(hf_buf_span(&out));
	hf_buf_finish(&out);
}

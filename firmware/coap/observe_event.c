/* SPDX-License-Identifier: Apache-2.0 */
#include "coap/observe_event.h"

#include "coap/map.h"
#include "http/sse.h"
#include "http/values.h"

/* Whether people, and JSON.parse, can read it. */
static bool is_text(int32_t format, struct hf_span payload)
{
	static const char *const marks[] = { "json", "xml", "link-format", "javascript" };
	const char *type = format < 0 ? NULL : hf_coap_media_type((uint32_t)format);

	if (format < 0)
		return payload.len == 0 ||
		       (hf_is_utf8(payload) && !memchr(payload.ptr, 0, payload.len));
	if (!type || strncmp(type, "text/", 5) == 0)
		return type != NULL;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strstr(type, marks[i]))
			return true;
	return false;
}

int hf_coap_event_write(struct hf_buf *out, int32_t format, struct hf_span payload)
{
	int err;

	if (is_text(format, payload))
		return hf_sse_write(out, HF_SPAN(""), HF_SPAN(""), payload);
	err = hf_buf_append(out, HF_SPAN("event: binary\ndata: "));
	if (!err)
		err = hf_base64_append(out, payload);
	return err ? err : hf_buf_append(out, HF_SPAN("\n\n"));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second opinion: llhttp with all its lenient flags off. Its callbacks make
 * it stop behind a head and behind a chunk line.
 */
#include "http/h1_private.h"

#include "holdfast/err.h"

static int pause_llhttp(llhttp_t *p)
{
	(void)p;
	return HPE_PAUSED;
}

static const llhttp_settings_t llhttp_settings = {
	.on_headers_complete = pause_llhttp,
	.on_chunk_header = pause_llhttp,
};

void hf_h1_llhttp_init(struct hf_h1_reader *r)
{
	llhttp_init(&r->llhttp, r->kind == HF_H1_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE,
		    &llhttp_settings);
}

static int llhttp_refused(struct hf_h1_reader *r)
{
	switch (llhttp_get_errno(&r->llhttp)) {
	case HPE_INVALID_METHOD:
	case HPE_INVALID_CONSTANT:
		return hf_h1_fail(r, HF_EPROTO, 501, "unknown method");
	case HPE_INVALID_URL:
		return hf_h1_bad(r, "malformed request target");
	case HPE_INVALID_VERSION:
		return hf_h1_fail(r, HF_EPROTO, 505, "HTTP version not supported");
	case HPE_UNEXPECTED_CONTENT_LENGTH:
	case HPE_INVALID_CONTENT_LENGTH:
		return hf_h1_bad(r, "malformed Content-Length");
	case HPE_INVALID_TRANSFER_ENCODING:
		return hf_h1_bad(r, "malformed Transfer-Encoding");
	default:
		return hf_h1_bad(r, "malformed head");
	}
}

int hf_h1_llhttp_agrees(struct hf_h1_reader *r, struct hf_span head)
{
	const struct hf_message *msg = &r->msg;

	llhttp_reset(&r->llhttp);
	if (!hf_h1_llhttp_stops_behind(r, head))
		return llhttp_refused(r);
	if (((r->llhttp.flags & F_CHUNKED) != 0) != (msg->body == HF_BODY_CHUNKED) &&
	    msg->body != HF_BODY_NONE)
		return hf_h1_bad(r, "ambiguous framing");
	if (msg->body == HF_BODY_LENGTH && r->llhttp.content_length != msg->body_len)
		return hf_h1_bad(r, "ambiguous framing");
	return 0;
}

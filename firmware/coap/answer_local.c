/* SPDX-License-Identifier: Apache-2.0 */
/* What is answered in the origin's place, because CoAP cannot say the request. */
#include "coap/map.h"

#include "holdfast/err.h"

/* One sentence without quotation marks. */
static const char *words_of(int status)
{
	switch (status) {
	case 400:
		return "CoAP has no such target.";
	case 412:
		return "If-Match has no entity tag that a CoAP origin gives: an even number of "
		       "hexadecimal digits, up to 16.";
	case 414:
		return "A part of the path or the query is longer than 255 bytes, or all of it "
		       "than a CoAP message.";
	case 415:
		return "CoAP has no Content-Format for this Content-Type and Content-Encoding.";
	case 431:
		return "The request has more conditions, or a longer key, than a CoAP message.";
	case 501:
		return "CoAP has no such method, or no such condition.";
	case 503:
		return "As many resources of this origin are observed as can be.";
	}
	return "CoAP cannot say this request.";
}

int hf_coap_answer_local(int status, struct hf_arena *arena, struct hf_message *out,
			 struct hf_span *body)
{
	const char *words = words_of(status);
	const char *error = status == 503 ? "connection_limit_reached" : "http_request_error";
	struct hf_span proxy, length;
	int err;

	hf_coap_answer_begin(status, arena, out);
	*body = hf_arena_printf(arena,
				"{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
				"\"detail\":\"%s\",\"reason\":\"%s\"}\n",
				hf_status_reason(status), status, words, error);
	proxy = hf_arena_printf(arena, "holdfast; error=%s; details=\"%s\"", error, words);
	length = hf_arena_printf(arena, "%zu", body->len);
	if (!body->ptr || !proxy.ptr || !length.ptr)
		return HF_ENOMEM;
	out->local = true;
	out->body = HF_BODY_LENGTH;
	out->body_len = body->len;
	err = hf_fields_add(&out->fields, HF_SPAN("Content-Type"),
			    HF_SPAN("application/problem+json"));
	if (!err)
		err = hf_fields_add(&out->fields, HF_SPAN("Cache-Control"), HF_SPAN("no-store"));
	if (!err)
		err = hf_fields_add(&out->fields, HF_SPAN("Holdfast-State"), HF_SPAN("refused"));
	if (!err)
		err = hf_fields_add(&out->fields, HF_SPAN("Proxy-Status"), proxy);
	return err ? err : hf_fields_add(&out->fields, HF_SPAN("Content-Length"), length);
}

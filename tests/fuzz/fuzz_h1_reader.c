/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte chooses: bit 0 responses, bit 1 no body (HEAD), bit 2 small
 * limits, the rest seeds the cutting. The other bytes are the stream. Checked:
 * the same events whole, byte by byte, in random pieces and with pauses; what
 * every accepted head must be; that the writer's copy of it is read the same.
 */
#include "fuzz/h1_transcript.h"

#include "base/buf.h"
#include "http/h1_writer.h"
#include "http/url.h"

static void check_fields(const struct hf_fields *fields)
{
	size_t i;

	for (i = 0; i < fields->n; i++) {
		assert(hf_is_token(fields->v[i].name));
		assert(hf_is_field_value(fields->v[i].value));
		assert(hf_span_eq(hf_span_trim(fields->v[i].value), fields->v[i].value));
	}
}

static void check_framing(const struct hf_message *msg)
{
	size_t lengths = hf_fields_count(&msg->fields, "Content-Length");
	size_t codings = hf_fields_count(&msg->fields, "Transfer-Encoding");

	assert(lengths + codings <= 1);
	if (msg->body == HF_BODY_CHUNKED)
		assert(codings == 1 && msg->minor == 1);
	if (msg->body == HF_BODY_LENGTH)
		assert(lengths == 1);
	if (msg->body == HF_BODY_CLOSE)
		assert(msg->status && lengths + codings == 0 && !msg->keep_alive);
}

static void check_request(const struct hf_message *msg)
{
	const struct hf_span *host = hf_fields_get(&msg->fields, "Host");
	struct hf_span name;
	uint16_t port;

	assert(hf_is_token(msg->method));
	assert(hf_fields_count(&msg->fields, "Host") <= 1);
	assert(host || msg->minor == 0);
	assert(!host || hf_host_parse(*host, &name, &port) == 0);
	assert(msg->body != HF_BODY_CLOSE);
}

/* Body framing apart, which the writer takes from the message. */
static void check_written(const struct hf_message *msg)
{
	struct h1_transcript again = {
		.kind = msg->status ? HF_H1_RESPONSE : HF_H1_REQUEST,
		.limits = { SIZE_MAX, SIZE_MAX },
	};
	struct hf_buf out;
	int err;

	hf_buf_init(&out, SIZE_MAX);
	if (msg->status)
		err = hf_h1_write_response(&out, msg, true);
	else
		err = hf_h1_write_request(&out, msg);
	assert(err == 0);
	h1_transcript_run(&again, hf_buf_span(&out));
	assert(again.err == 0 || again.err == HF_EEOF); /* the body is missing */
	assert(strncmp(hf_buf_cstr(&again.text), "head ", 5) == 0);
	h1_transcript_finish(&again);
	hf_buf_finish(&out);
}

static void check(const struct hf_message *msg)
{
	check_fields(&msg->fields);
	check_framing(msg);
	if (!msg->status)
		check_request(msg);
	if (msg->status || hf_fields_get(&msg->fields, "Host")) /* not HTTP/1.0 without it */
		check_written(msg);
}

static void compare(const struct h1_transcript *base, struct hf_span stream, enum h1_cut cut,
		    bool pause)
{
	struct h1_transcript other = *base;

	other.cut = cut;
	other.pause = pause;
	other.check = NULL;
	h1_transcript_run(&other, stream);
	assert(hf_span_eq(hf_buf_span(&base->text), hf_buf_span(&other.text)));
	h1_transcript_finish(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct h1_transcript whole = { .limits = { 16384, 100 }, .check = check };
	struct h1_transcript settings;
	struct hf_span stream;

	if (size == 0)
		return 0;
	stream = hf_span((const char *)data + 1, size - 1);
	whole.kind = data[0] & 1 ? HF_H1_RESPONSE : HF_H1_REQUEST;
	whole.no_body = (data[0] & 3) == 3;
	if (data[0] & 4)
		whole.limits = (struct hf_h1_limits){ 64, 2 };
	whole.seed = data[0];
	settings = whole;
	h1_transcript_run(&whole, stream);
	settings.text = whole.text;
	compare(&settings, stream, H1_CUT_BYTES, false);
	compare(&settings, stream, H1_CUT_RANDOM, false);
	compare(&settings, stream, H1_CUT_WHOLE, true);
	compare(&settings, stream, H1_CUT_RANDOM, true);
	h1_transcript_finish(&whole);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chunk that is being read when its exchange ends is dropped when it comes
 * (stale); the next exchange begins again with the first.
 */
#include "fetch/body_send.h"

#include <assert.h>

#include "holdfast/err.h"

#define CHUNK_MAX (1024 * 1024)

static void pump(struct hf_body_send *b);

void hf_body_send_init(struct hf_body_send *b)
{
	hf_buf_init(&b->read.data, CHUNK_MAX);
}

static void chunk_done(struct hf_store_op *op, int err)
{
	struct hf_body_send *b = op->user;
	bool stale = b->stale;

	b->reading = false;
	b->stale = false;
	if (b->stopping) {
		b->stopped(b->user);
		return;
	}
	if (stale) {
		hf_buf_clear(&b->read.data);
		pump(b);
		return;
	}
	if (!b->exchange)
		return;
	if (!err && (b->read.data.len == 0 || b->read.data.len > b->left))
		err = HF_ECORRUPT;
	if (err) {
		b->failed(b->user, err);
		return;
	}
	b->chunk++;
	pump(b);
}

static void read_chunk(struct hf_body_send *b)
{
	b->reading = true;
	b->read.blob = b->blob;
	b->read.n = b->chunk;
	b->read.op.done = chunk_done;
	b->read.op.user = b;
	hf_store_blob_read(b->store, &b->read);
}

/* Hands over what is there. True: all of it was taken. */
static bool send_chunk(struct hf_body_send *b)
{
	struct hf_span data = hf_buf_span(&b->read.data);
	size_t n = b->transport->send(b->transport, b->exchange, data);

	assert(n <= data.len);
	hf_buf_consume(&b->read.data, n);
	b->left -= n;
	return n == data.len;
}

static bool send_memory(struct hf_body_send *b)
{
	struct hf_span data = hf_span_skip(b->memory, b->memory.len - b->left);
	size_t n = b->transport->send(b->transport, b->exchange, data);

	assert(n <= data.len);
	b->left -= n;
	return n == data.len;
}

static void pump(struct hf_body_send *b)
{
	if (!b->exchange || b->sent || b->reading)
		return;
	if (b->left > 0 && !b->blob && !send_memory(b))
		return;
	if (b->read.data.len > 0 && !send_chunk(b))
		return;
	if (b->left > 0) {
		read_chunk(b);
		return;
	}
	b->sent = true;
	b->transport->send_end(b->transport, b->exchange, NULL);
}

void hf_body_send_begin(struct hf_body_send *b, struct hf_transport *t, struct hf_exchange *x)
{
	b->transport = t;
	b->exchange = x;
	b->left = b->len;
	b->chunk = 0;
	b->sent = b->len == 0; /* a request without a body needs no end */
	if (b->reading)
		b->stale = true;
	else
		hf_buf_clear(&b->read.data);
}

void hf_body_send_writable(struct hf_body_send *b)
{
	pump(b);
}

void hf_body_send_detach(struct hf_body_send *b)
{
	b->exchange = NULL;
}

bool hf_body_send_stop(struct hf_body_send *b)
{
	b->stopping = true;
	b->exchange = NULL;
	return !b->reading;
}

void hf_body_send_finish(struct hf_body_send *b)
{
	hf_buf_finish(&b->read.data);
}

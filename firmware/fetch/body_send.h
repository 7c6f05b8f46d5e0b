/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body that is complete, on its way into an exchange: out of memory, or out of
 * a blob one chunk at a time.
 */
#ifndef HF_FETCH_BODY_SEND_H
#define HF_FETCH_BODY_SEND_H

#include "http/transport.h"
#include "store/records.h"

struct hf_body_send {
	/* in */
	struct hf_store *store;
	struct hf_span memory; /* the whole body, when blob is 0 */
	uint64_t blob, len;
	/* The store cannot give a chunk; the exchange should be cancelled. */
	void (*failed)(void *user, int err);
	/* After stop: the store holds nothing of ours any more. */
	void (*stopped)(void *user);
	void *user;
	/* private */
	struct hf_transport *transport;
	struct hf_exchange *exchange;
	struct hf_store_blob_read read;
	uint64_t left;
	uint32_t chunk;
	bool reading, stale, stopping, sent;
};

void hf_body_send_init(struct hf_body_send *b);
/* From the first byte, into a new exchange. */
void hf_body_send_begin(struct hf_body_send *b, struct hf_transport *t, struct hf_exchange *x);
void hf_body_send_writable(struct hf_body_send *b);
/* The exchange has ended. */
void hf_body_send_detach(struct hf_body_send *b);
/* Gives up. True: at once; else stopped() comes. */
bool hf_body_send_stop(struct hf_body_send *b);
void hf_body_send_finish(struct hf_body_send *b);

#endif

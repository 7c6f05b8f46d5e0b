/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte channel over one port stream, in the clear or under TLS: whoever talks
 * over it does not see the difference.
 *
 * Back-pressure: hf_channel_read. Under TLS, ciphertext that had already come
 * is kept (bounded by one read of the port) and goes on once reading is on
 * again, never inside hf_channel_read.
 */
#ifndef HF_NET_CHANNEL_H
#define HF_NET_CHANNEL_H

#include "base/span.h"
#include "base/timerq.h"
#include "holdfast/port.h"

struct hf_channel;
struct hf_tls_client;

struct hf_channel_events {
	/* The connection, or after hf_channel_start_tls the handshake, is there or
	 * has failed (@err as in struct hf_stream_events and tls.h). */
	void (*on_open)(void *user, int err);
	void (*on_data)(void *user, struct hf_span data);
	/* The other side has finished, cleanly (under TLS: with close_notify). */
	void (*on_eof)(void *user);
	/* After a short write. */
	void (*on_writable)(void *user);
	/* Dead; only close remains. */
	void (*on_error)(void *user, int err);
};

/* Connects; reading is off. The errors of stream_connect, HF_ENOMEM. */
int hf_channel_connect(struct hf_port *port, struct hf_timerq *timers, const struct hf_addr *to,
		       const struct hf_channel_events *events, void *user, struct hf_channel **out);
/* A new owner takes the events. */
void hf_channel_bind(struct hf_channel *ch, const struct hf_channel_events *events, void *user);
/* Begins the handshake on an open channel; on_open tells. HF_ENOMEM, HF_ETLS. */
int hf_channel_start_tls(struct hf_channel *ch, struct hf_tls_client *tls);
void hf_channel_read(struct hf_channel *ch, bool on);
/* How many bytes were taken, fewer than @len: on_writable comes. Negative: the
 * channel is dead. */
ptrdiff_t hf_channel_write(struct hf_channel *ch, const void *data, size_t len);
/* Finishes our direction behind what was written. */
void hf_channel_shutdown(struct hf_channel *ch);
/* Frees it, also inside its own events. NULL is fine. */
void hf_channel_close(struct hf_channel *ch, bool abort);
/* Bytes have come that the owner has not seen yet. */
bool hf_channel_pending(const struct hf_channel *ch);
/* What failed, for people; "" when nothing is known beyond the error number.
 * Valid until close. */
const char *hf_channel_error(const struct hf_channel *ch);

#endif

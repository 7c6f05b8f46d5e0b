/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of one connection on their way to an origin of another name:
 * Host, Origin and Referer are made the origin's own, everything else passes as
 * it is. After an upgrade bytes pass unread.
 */
#ifndef LIVE_TAP_H
#define LIVE_TAP_H

#include "base/buf.h"
#include "http/h1_reader.h"
#include "http/url.h"

struct live_tap {
	const struct hf_url *url;
	void (*on_request)(void *user, const struct hf_message *head);
	void *user;
	struct hf_h1_reader *reader;
	struct hf_arena arena;
	struct hf_buf out; /* the owner consumes it after live_tap_feed */
	bool complete, chunked, upgrade, raw;
};

/* @url stays the caller's. */
void live_tap_init(struct live_tap *t, const struct hf_url *url,
		   void (*on_request)(void *user, const struct hf_message *head), void *user);
void live_tap_finish(struct live_tap *t);
/* 0, HF_EPROTO and other errors of hf_h1_reader_feed. */
int live_tap_feed(struct live_tap *t, struct hf_span data);

#endif

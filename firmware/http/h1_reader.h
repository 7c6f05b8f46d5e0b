/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 reader over llhttp in its strict mode: bytes in, events out, for
 * requests (from panels) and responses (from origins). It refuses what
 * smuggling lives on (RFC 9112 sections 2.2, 5, 6, 7.1, 11.2): Content-Length
 * together with Transfer-Encoding, repeated or malformed lengths, bare CR or
 * LF, obs-fold, white space before the colon, bad chunk sizes, unknown transfer
 * codings, HTTP/1.0 with Transfer-Encoding, missing or repeated Host,
 * control bytes in values, more than the limits below.
 *
 * The head is collected in the caller's arena; body bytes pass through without
 * a copy. Of a request with an absolute-form target, whose authority wins over
 * Host (RFC 9112 section 3.2.2), the Host value is replaced by that authority.
 */
#ifndef HF_HTTP_H1_READER_H
#define HF_HTTP_H1_READER_H

#include "http/message.h"

enum hf_h1_kind {
	HF_H1_REQUEST,
	HF_H1_RESPONSE,
};

struct hf_h1_events {
	/* The head is complete; @msg is the reader's, its spans the arena's, valid
	 * until hf_h1_reader_next. For responses also called for 1xx (status < 200,
	 * but 101), after which the next head follows by itself. A 101 and an
	 * answer without body are followed by on_complete.
	 * Return: 0, or negative to stop with that error. */
	int (*on_head)(void *user, struct hf_message *msg);
	/* Body bytes, valid during the call. Return as above. */
	int (*on_body)(void *user, struct hf_span data);
	/* The message is complete. @trailers may be empty; fields that must not
	 * stand there (framing, routing, authentication) are dropped. The reader
	 * stops here: call hf_h1_reader_next, now or later, for the next message on
	 * the connection. */
	int (*on_complete)(void *user, const struct hf_fields *trailers);
};

struct hf_h1_reader; /* heap */

struct hf_h1_limits {
	size_t head_bytes_max; /* start line and fields, HF_ETOOBIG past it */
	size_t fields_max;     /* the same of trailers, each for itself */
};

/* @arena takes the head of each message. HF_ENOMEM. */
int hf_h1_reader_create(enum hf_h1_kind kind, const struct hf_h1_limits *limits,
			const struct hf_h1_events *events, void *user, struct hf_h1_reader **out);
/* Not from inside an event. */
void hf_h1_reader_destroy(struct hf_h1_reader *r);
/* Prepares for the next message, whose head goes into @arena. Required before
 * the first one too; after that when the message before is complete. */
void hf_h1_reader_next(struct hf_h1_reader *r, struct hf_arena *arena);
/* Response readers, before the response's first byte: the request was HEAD or
 * CONNECT (no body follows whatever the fields say). */
void hf_h1_reader_no_body(struct hf_h1_reader *r);
/* Feeds bytes. Returns how many were used: all, or fewer when the message is
 * complete, when an event paused it (hf_h1_reader_pause) or after an upgrade
 * (the rest belongs to the other protocol). Negative: HF_EPROTO, HF_ETOOBIG,
 * HF_ENOMEM or what an event returned; then hf_h1_reader_error says why and
 * only destroy remains. */
ptrdiff_t hf_h1_reader_feed(struct hf_h1_reader *r, struct hf_span data);
/* Inside an event: stop feeding after it. */
void hf_h1_reader_pause(struct hf_h1_reader *r);
/* The stream ended. 0 when that completes the message (HF_BODY_CLOSE, calls
 * on_complete) or when none had begun; HF_EEOF in the middle of one, also after
 * an interim response. */
int hf_h1_reader_eof(struct hf_h1_reader *r);
/* What was wrong, for people: "Content-Length and Transfer-Encoding together".
 * Static storage. */
const char *hf_h1_reader_error(const struct hf_h1_reader *r);
/* The status a server answers such an error with: 400, 414 (target alone is
 * past the limit), 431, 501 (method or transfer coding unknown), 505, and 500
 * when it is not the client's fault. */
int hf_h1_reader_error_status(const struct hf_h1_reader *r);
/* True when no byte of the next message has been seen (empty lines before a
 * request do not count). */
bool hf_h1_reader_idle(const struct hf_h1_reader *r);

#endif

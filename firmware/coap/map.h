/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP messages as CoAP messages and back (RFC 8075): pure, without a network.
 *
 * Methods keep their names, but QUERY is FETCH (RFC 8132); HEAD is a GET whose payload
 * is dropped. Path and
 * query become Uri-Path and Uri-Query, decoded. A CoAP entity tag of bytes is an
 * HTTP one of hexadecimal digits: 0x1a2b is "1a2b".
 */
#ifndef HF_COAP_MAP_H
#define HF_COAP_MAP_H

#include "base/buf.h"
#include "http/message.h"

#define HF_COAP_OPTIONS_MAX 64

/* Option numbers (RFC 7252 table 4, RFC 7641, RFC 7959, RFC 9175). */
enum hf_coap_number {
	HF_COAP_IF_MATCH = 1,
	HF_COAP_URI_HOST = 3,
	HF_COAP_ETAG = 4,
	HF_COAP_IF_NONE_MATCH = 5,
	HF_COAP_OBSERVE = 6,
	HF_COAP_LOCATION_PATH = 8,
	HF_COAP_URI_PATH = 11,
	HF_COAP_CONTENT_FORMAT = 12,
	HF_COAP_MAX_AGE = 14,
	HF_COAP_URI_QUERY = 15,
	HF_COAP_ACCEPT = 17,
	HF_COAP_LOCATION_QUERY = 20,
	HF_COAP_BLOCK2 = 23,
	HF_COAP_BLOCK1 = 27,
	HF_COAP_SIZE2 = 28,
	HF_COAP_SIZE1 = 60,
	HF_COAP_ECHO = 252,
	HF_COAP_REQUEST_TAG = 292,
};

/* A code as CoAP writes it: 4.04 is HF_COAP_CODE(4, 4). */
#define HF_COAP_CODE(class, detail) ((uint8_t)((class) << 5 | (detail)))
#define HF_COAP_CONTINUE	    HF_COAP_CODE(2, 31)
#define HF_COAP_UNAUTHORIZED	    HF_COAP_CODE(4, 1)
#define HF_COAP_INCOMPLETE	    HF_COAP_CODE(4, 8)
#define HF_COAP_TOO_LARGE	    HF_COAP_CODE(4, 13)

struct hf_coap_option {
	uint16_t number;
	struct hf_span value;
};

/* A request or an answer without header, token and payload; the options in the
 * order of their numbers. */
struct hf_coap_head {
	uint8_t code;
	struct hf_coap_option options[HF_COAP_OPTIONS_MAX];
	size_t n;
};

/* Where the Idempotency-Key goes. */
struct hf_coap_key {
	const char *query; /* name of a query parameter; NULL: none */
	uint16_t option;   /* its number; 0: none */
};

/* In its place. HF_ELIMIT: too many. */
int hf_coap_option_add(struct hf_coap_head *head, uint16_t number, struct hf_span value);
/* The first one, NULL: none. */
const struct hf_span *hf_coap_option_get(const struct hf_coap_head *head, uint16_t number);
/* An unsigned integer (RFC 7252 section 3.2), in @arena or @bytes. */
struct hf_span hf_coap_uint(uint32_t value, char bytes[4]);
/* False: it is longer than four bytes. */
bool hf_coap_uint_parse(struct hf_span value, uint32_t *out);

/* Content-Format of a media type with parameters in a content coding, empty: none;
 * -1: there is none. One that has no media type is the number behind this (RFC 8075
 * section 6.4). */
#define HF_COAP_PAYLOAD_TYPE "application/coap-payload;cf="
int hf_coap_format_of(struct hf_span media_type, struct hf_span coding);
/* Appends the media types that have one, without a content coding, with ", " between. */
int hf_coap_formats_write(struct hf_buf *out);
/* NULL: unknown. */
const char *hf_coap_media_type(uint32_t format);
/* NULL: none, or unknown. */
const char *hf_coap_coding(uint32_t format);

/* @host is said to the origin, NULL: it is reached by an address. 0, HF_ENOMEM, or the
 * HTTP status with which the request is answered because CoAP cannot say it. */
int hf_coap_request_map(const struct hf_message *msg, const char *host,
			const struct hf_coap_key *key, struct hf_arena *arena,
			struct hf_coap_head *out);

/* RFC 8075 table 2; 502 for codes that are no answer. @payload: there is one. */
int hf_coap_status(uint8_t code, bool payload);
/* Status and fields; the body is the caller's to say. HF_ENOMEM. */
int hf_coap_answer_map(const struct hf_coap_head *answer, bool payload, struct hf_arena *arena,
		       struct hf_message *out);
/* A head without fields and body. */
void hf_coap_answer_begin(int status, struct hf_arena *arena, struct hf_message *out);
/* A request that CoAP cannot say is answered here: problem+json (docs/PROTOCOL.md,
 * section 7), whose bytes are @body. HF_ENOMEM. */
int hf_coap_answer_local(int status, struct hf_arena *arena, struct hf_message *out,
			 struct hf_span *body);

#endif

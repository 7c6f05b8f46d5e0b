/* SPDX-License-Identifier: Apache-2.0 */
/* One CoAP message as the bytes of a datagram (RFC 7252 section 3): pure. */
#ifndef HF_SENSOR_DATAGRAM_H
#define HF_SENSOR_DATAGRAM_H

#include "coap/map.h"

#define HF_COAP_TOKEN_MAX    8
#define HF_COAP_DATAGRAM_MAX 1280 /* of ours: a block of 1024, its options */

enum hf_coap_type {
	HF_COAP_CON,
	HF_COAP_NON,
	HF_COAP_ACK,
	HF_COAP_RST,
};

/* Beside those of coap/map.h (RFC 7252, RFC 7967). */
enum hf_sensor_number {
	HF_COAP_URI_PORT = 7,
	HF_COAP_PROXY_URI = 35,
	HF_COAP_PROXY_SCHEME = 39,
	HF_COAP_NO_RESPONSE = 258,
};

struct hf_coap_message {
	uint8_t type; /* enum hf_coap_type */
	uint16_t mid;
	uint8_t token_len;
	uint8_t token[HF_COAP_TOKEN_MAX];
	struct hf_coap_head head;
	struct hf_span payload; /* empty: none */
};

/* Spans point into @bytes. HF_EINVAL: not CoAP, nothing is to be said; HF_EPROTO: the
 * header alone could be read (type, mid, code). */
int hf_coap_message_parse(struct hf_span bytes, struct hf_coap_message *out);
/* The length, 0: no room. */
size_t hf_coap_message_format(const struct hf_coap_message *m, char *out, size_t size);

#endif

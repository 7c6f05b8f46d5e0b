/* SPDX-License-Identifier: Apache-2.0 */
/* What observations and their listeners know of each other. */
#ifndef HF_COAP_OBSERVE_PRIVATE_H
#define HF_COAP_OBSERVE_PRIVATE_H

#include "coap/observe.h"

struct hf_coap_observation {
	struct hf_list node; /* of the transport's */
	struct hf_coap *t;
	struct hf_list listeners;
	struct hf_coap_head request; /* without Observe */
	struct hf_message msg;	     /* GET, for the exchange below */
	struct hf_arena arena;	     /* of both */
	struct hf_exchange *asking;  /* ours, on its way; NULL: none */
	bool leaving;		     /* it deregisters */
	bool there;		     /* the origin has us on its list, by */
	uint8_t token[8];
	size_t token_len;
	uint32_t order; /* of the last notification */
	uint64_t order_ms;
	unsigned failures; /* in a row */
	struct hf_timer timer;
	struct hf_coap_reply reply; /* what has come */
	struct hf_buf next;	    /* of the answer to asking */
	bool overflow;
	int status;	     /* of it */
	int32_t format;	     /* of it, -1: none */
	uint32_t max_age;    /* of it, in seconds */
	struct hf_buf event; /* the last representation, as listeners read it */
	bool known;	     /* there is one */
	bool stale;
	int over; /* status with which it ended, 0: it has not */
};

/* Is answered here, with @status. */
void hf_coap_listener_refuse(struct hf_exchange *x, int status);

#endif

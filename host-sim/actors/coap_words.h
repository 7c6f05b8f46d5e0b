/* SPDX-License-Identifier: Apache-2.0 */
/* What an origin of this world says and hears as HTTP, in CoAP: the other end's view,
 * not the agent's mapping. */
#ifndef SIM_COAP_WORDS_H
#define SIM_COAP_WORDS_H

#include "coap/map.h"

/* An answer as far as CoAP can say it. */
struct sim_coap_words {
	uint8_t code;
	size_t length; /* of the body that is promised */
	bool json;
	uint32_t max_age_s; /* 0: not said */
	char bytes[2][4];   /* of the options' values */
};

/* False: @text is no HTTP answer. */
bool sim_coap_words(const char *text, struct sim_coap_words *out);
/* Content-Format and Max-Age; their values lie in @w. */
void sim_coap_words_options(struct sim_coap_words *w, struct hf_coap_head *head);
/* "/api/orders?a=b", with everything that is in the query. */
void sim_coap_path(const struct hf_coap_head *head, char *out, size_t size);
/* A request as an HTTP one, in @arena. */
void sim_coap_request(const struct hf_coap_head *head, struct hf_arena *arena,
		      struct hf_message *out);

#endif

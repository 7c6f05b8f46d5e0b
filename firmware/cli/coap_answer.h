/* SPDX-License-Identifier: Apache-2.0 */
/* What a CoAP origin has answered, as the daemon passes it on: code, options, payload. */
#ifndef HF_CLI_COAP_ANSWER_H
#define HF_CLI_COAP_ANSWER_H

#include "base/buf.h"

struct cJSON;

struct cli_coap_answer {
	struct cJSON *head; /* {"code":"2.05","options":[[12,"32"]]}; NULL: none */
	char type[128];	    /* media type of the payload, "" when it has none */
};

void cli_coap_answer_finish(struct cli_coap_answer *a);
/* "2.05"; "?" when the daemon says none. */
const char *cli_coap_code(const struct cli_coap_answer *a);
/* "2.05 Content" and, when @options, a line for each option, to stderr. */
void cli_coap_put_head(const struct cli_coap_answer *a, bool options);
/* All of it as a JSON object, to stdout. */
void cli_coap_put_json(const struct cli_coap_answer *a, const char *uri, struct hf_span payload);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a captive portal API (RFC 8908 section 5). */
#ifndef HF_NET_CAPPORT_H
#define HF_NET_CAPPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define HF_CAPPORT_TYPE	     "application/captive+json"
#define HF_CAPPORT_BYTES_MAX 4096
#define HF_CAPPORT_URL_SIZE  1024
/* In place of an API's URI: there is no portal (RFC 8910 section 2). */
#define HF_CAPPORT_NO_PORTAL "urn:ietf:params:capport:unrestricted"

struct hf_capport_answer {
	bool captive;
	bool ends; /* the session does, in @seconds */
	uint32_t seconds;
	char url[HF_CAPPORT_URL_SIZE]; /* of the portal for people; "": none that is https */
};

/* HF_EINVAL: @body is no object with a boolean "captive", or memory is short. */
int hf_capport_answer_read(struct hf_span body, struct hf_capport_answer *out);

#endif

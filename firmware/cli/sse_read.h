/* SPDX-License-Identifier: Apache-2.0 */
/* A reader of Server-Sent Events (HTML standard, section 9.2.6). */
#ifndef HF_CLI_SSE_READ_H
#define HF_CLI_SSE_READ_H

#include "base/buf.h"

struct cli_sse {
	struct hf_buf line, data, event, id;
	bool after_cr;
	/* One event; @event is "message" when the stream names none. Non-zero stops. */
	int (*on_event)(void *user, struct hf_span event, struct hf_span id, struct hf_span data);
	void *user;
};

void cli_sse_init(struct cli_sse *s,
		  int (*on_event)(void *user, struct hf_span event, struct hf_span id,
				  struct hf_span data),
		  void *user);
void cli_sse_finish(struct cli_sse *s);
/* HF_ELIMIT, HF_ENOMEM, or what on_event returned. */
int cli_sse_feed(struct cli_sse *s, struct hf_span bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP/1.1 request over the control socket, blocking. Every request has a
 * connection of its own. What goes wrong below HTTP is printed here.
 */
#ifndef HF_CLI_CLIENT_H
#define HF_CLI_CLIENT_H

#include "base/buf.h"
#include "cli/cli.h"

struct hf_message; /* http/message.h */

struct cli_request {
	const char *method;
	const char *target;	   /* percent-encoded */
	const char *last_event_id; /* NULL: none */
	const char *content_type;  /* of body; NULL: none is said */
	const char *accept;	   /* NULL: anything */
	struct hf_span body;
	/* Milliseconds without a byte, 0: the usual 30 s, -1: for ever. */
	int idle_timeout_ms;
	bool quiet;	  /* print nothing when there is no daemon */
	bool idle_is_end; /* a timeout inside the body ends it well */
	/* The head of a 2xx answer. NULL: not wanted. */
	void (*on_head)(void *user, const struct hf_message *head);
	/* Takes the body of a 2xx answer as it comes; NULL: it is collected. Non-zero
	 * stops and becomes cli_call's result. */
	int (*on_body)(void *user, struct hf_span data);
	void *user;
};

struct cli_reply {
	int status;
	struct hf_buf body;
};

/* 0 with @reply, which is to be finished in any case, or an exit code. */
int cli_call(struct cli *c, const struct cli_request *req, struct cli_reply *reply);
void cli_reply_finish(struct cli_reply *reply);
/* As cli_call for @method and @target; an answer that is not 2xx is printed and
 * gives CLI_NO. */
int cli_ask(struct cli *c, const char *method, const char *target, struct cli_reply *reply);
/* Prints why the daemon said no: the detail of its problem document. CLI_NO. */
int cli_said_no(struct cli *c, const struct cli_reply *reply);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small request without a body, made again and again, whose status is all
 * that is wanted, or a short body of one type with it. One at a time, on a
 * connection of its own.
 */
#ifndef HF_NET_PROBE_H
#define HF_NET_PROBE_H

#include "base/buf.h"
#include "http/transport.h"

struct hf_probe {
	struct hf_arena arena;
	struct hf_message msg;
	struct hf_transport *transport;
	struct hf_exchange *x; /* NULL: none runs */
	int status;
	const char *type; /* the media type that is wanted; NULL: only the status is */
	struct hf_buf body;
	bool typed; /* the answer is of that type and has fitted into @body */
	/* The end; @status 0: no answer. */
	void (*done)(void *user, const struct hf_exchange_result *result, int status);
	void *user;
};

/* @host and @target must outlive it. HF_ENOMEM. */
int hf_probe_init(struct hf_probe *p, struct hf_transport *transport, struct hf_span method,
		  const char *host, const char *target);
/* Asks for a body of @type, at most @max bytes. Before the first start. HF_ENOMEM. */
int hf_probe_want(struct hf_probe *p, const char *type, size_t max);
void hf_probe_finish(struct hf_probe *p);
/* Not while one runs. @done comes later. The errors of perform. */
int hf_probe_start(struct hf_probe *p,
		   void (*done)(void *user, const struct hf_exchange_result *result, int status),
		   void *user);
static inline bool hf_probe_runs(const struct hf_probe *p)
{
	return p->x != NULL;
}
void hf_probe_cancel(struct hf_probe *p);

#endif

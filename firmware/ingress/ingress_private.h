/* SPDX-License-Identifier: Apache-2.0 */
/* Private to ingress/: the server, and what its parts know of it. */
#ifndef HF_INGRESS_PRIVATE_H
#define HF_INGRESS_PRIVATE_H

#include "base/list.h"
#include "http/date.h"
#include "ingress/events.h"
#include "ingress/ingress.h"

struct hf_connection;

/* Where a connection comes in. */
enum hf_side {
	HF_SIDE_PANEL,
	HF_SIDE_CONTROL,
	HF_SIDE_METRICS,
	HF_SIDES,
};

struct hf_ingress_listener {
	struct hf_ingress *ingress;
	struct hf_listener *listener;
	enum hf_side side;
};

struct hf_ingress {
	struct hf_ingress_options opt;
	struct hf_ingress_listener *listeners;
	size_t listeners_n;
	struct hf_list connections;
	unsigned open[HF_SIDES]; /* of them */
	struct hf_transport api; /* send, receive, cancel of API calls */
	struct hf_list calls;
	struct hf_event_hub hub;
	/* Connections with a head or a small piece that waits for more to go out
	 * in one write, at most until flush_timer. */
	struct hf_list unflushed;
	struct hf_timer flush_timer;
	char *joined; /* where a head and a piece of a body come together */
	/* The Date field, made anew once a second. */
	int64_t date_s;
	char date[HF_HTTP_DATE_LEN + 1];
	/* Records whose stored answer was found damaged, told of once: the last ones. */
	uint64_t damaged[16];
	unsigned damaged_n;
	bool stopping;
	struct hf_timer stop_timer;
	void (*stopped)(void *user);
	void *stopped_user;
};

static inline uint64_t hf_ingress_now(const struct hf_ingress *in)
{
	return in->opt.port->boottime_ms(in->opt.port);
}
/* The value of a Date field now; empty while the clock is not set. */
struct hf_span hf_ingress_date(struct hf_ingress *in);
/* A connection has closed. */
void hf_ingress_closed(struct hf_ingress *in, enum hf_side side);

#endif

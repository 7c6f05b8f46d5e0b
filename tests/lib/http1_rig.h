/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 transport over a port in memory, and exchanges on it that write
 * down what they hear as one line of words.
 */
#ifndef HF_TESTS_HTTP1_RIG_H
#define HF_TESTS_HTTP1_RIG_H

#include "lib/fake_net.h"
#include "net/http1.h"

/* One exchange and what it heard, as a line of words. */
struct shot {
	struct world *w;
	struct hf_arena arena;
	struct hf_message msg;
	struct hf_exchange *x;
	struct hf_buf heard;
	struct hf_exchange_result result;
	char detail[256];
	bool ended;
	/* behaviour */
	const char *body; /* sent as there is room */
	size_t body_at;
	bool hold_body;	 /* the body is not sent by itself */
	bool go_at_once; /* inside on_send */
	bool stop_on_body, stop_on_head, cancel_on_head, cancel_on_body;
	struct shot *next; /* performed inside on_end */
};

struct world {
	struct fake_net net;
	struct hf_transport *t;
	struct shot shots[4];
};

extern const struct hf_exchange_events plain_events; /* without on_send */
extern const struct hf_exchange_events held_events;
extern const char ok[];	      /* an answer */
extern const char get_head[]; /* what get() writes */

int http1_rig_set_up(void **state); /* cmocka: *state is a struct world */
int http1_rig_tear_down(void **state);
/* A new transport in place of the old. */
void http1_rig_make(struct world *w, unsigned connections_max);
/* Fills w->shots[i]; @body is sent as there is room. */
struct shot *shot(struct world *w, size_t i, const char *method, enum hf_body_kind kind,
		  const char *body);
struct shot *get(struct world *w, size_t i);
void shoot_as(struct shot *s, const struct hf_exchange_events *events, bool fresh);
void shoot(struct shot *s);
void pump_body(struct shot *s);
const char *heard(struct shot *s);
struct fake_peer *peer(struct world *w, size_t i);
/* The @i-th connection's other side says @text. */
void answer(struct world *w, size_t i, const char *text);
/* Leaves one used connection in the pool, idle for a while. */
void warm_up(struct world *w);
struct hf_http1_figures figures(struct world *w);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The panel: a web page on the device. It talks HTTP/1.1 to the local listener
 * over a few kept connections, as a browser does, follows the event stream, and
 * loses power together with the device.
 */
#ifndef SIM_PANEL_H
#define SIM_PANEL_H

#include "actors/http.h"
#include "actors/ledger.h"
#include "sim/device.h"

struct sim_panel;

struct sim_panel_stats {
	unsigned pages, pages_failed; /* GETs answered below 400, and the others */
	unsigned events;	      /* of the event stream */
	bool page_done;		      /* the last GET has ended */
	unsigned page_version;	      /* of content, 0: none */
	bool page_hit;		      /* out of a cache */
	int page_status;	      /* with this, 0: it failed */
	unsigned asked, answered;     /* requests, and those that have ended */
	char heard[SIM_VALUE_SIZE];   /* last, of what is observed */
	bool stale;		      /* and it was told since that it may be old */
};

/* @name is its own in the trace. @control: the path of a socket to call instead of
 * the listener (it is an operator then), else NULL. */
struct sim_panel *sim_panel_create(struct sim_device *dev, struct sim_ledger *ledger,
				   const char *name, const char *control);
/* Before the device is destroyed. */
void sim_panel_destroy(struct sim_panel *p);
const char *sim_panel_name(const struct sim_panel *p);
struct sim_device *sim_panel_device(const struct sim_panel *p);
/* Sends an order with a body to @origin; it is in the ledger from now on. */
struct sim_order *sim_panel_order(struct sim_panel *p, const char *origin, const char *method,
				  const char *path, const char *body);
/* The same, of one that waits for @parent, which was answered 202. */
struct sim_order *sim_panel_order_after(struct sim_panel *p, struct sim_order *parent,
					const char *method, const char *path, const char *body);
/* Loads something of @origin: GET. @lang NULL: in English. */
void sim_panel_get(struct sim_panel *p, const char *origin, const char *path, const char *lang);
/* Asks for the stored answer of an order that was answered 202. */
void sim_panel_ask_answer(struct sim_panel *p, struct sim_order *o);
/* Asks what has become of it, cancels it, or (an operator) has it sent again. */
void sim_panel_ask_state(struct sim_panel *p, struct sim_order *o);
void sim_panel_cancel(struct sim_panel *p, struct sim_order *o);
void sim_panel_retry(struct sim_panel *p, struct sim_order *o);
/* An operator has all sent again that is held, also what no page knows of because the
 * power went before its 202. */
void sim_panel_release(struct sim_panel *p);
/* Follows /.holdfast/events from now on, also after a reboot; off: nothing observed either. */
void sim_panel_follow(struct sim_panel *p, bool on);
/* Observes a resource of @origin in place of the one before, also after a reboot. */
void sim_panel_observe(struct sim_panel *p, const char *origin, const char *path);
/* True when every request has ended in some way. */
bool sim_panel_idle(const struct sim_panel *p);
const struct sim_panel_stats *sim_panel_stats(const struct sim_panel *p);

#endif

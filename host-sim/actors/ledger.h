/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What really happened to every order, seen from outside of the product: the
 * panel writes what it sent and heard, the origins what reached them. Checks
 * and the story read it. An order carries its number in the field Sim-Order,
 * so it is known again whatever the product makes of it.
 */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include <string.h>

#include "actors/pages.h"
#include "actors/values.h"
#include "base/list.h"
#include "base/span.h"
#include "http/message.h"
#include "sim/world.h"

#define SIM_ORDER_FIELD "Sim-Order"
/* A field does not get to an origin that speaks CoAP, nor does a sensor have one: there the
 * number stands at the end of the query. */
#define SIM_ORDER_QUERY "sim-order="
#define SIM_ANSWER_BODY "{\"order\":%u}" /* begins the answer to an order */

/* Who sends an order, through which device, to whom. */
struct sim_sender {
	const char *panel; /* as the trace names it */
	const char *device, *origin;
};

struct sim_order {
	unsigned n; /* from 1 */
	char panel[40], device[32], origin[32];
	/* Each route of a device has a lane of its own: "kiosk shop /api/orders". */
	char *lane;
	char *method, *path, *body;
	/* It waits for this one and takes its number in (NULL: for none): what is to
	 * reach the origin. */
	struct sim_order *parent;
	char *due_path, *due_body;
	bool by_query; /* its number goes there */
	/* the panel's side */
	uint64_t sent_us, answered_us; /* SIM_NEVER: not */
	int status;		       /* of the panel's answer, 0: none */
	int err;		       /* why there is none: HF_E* */
	bool lost_power;	       /* the panel went dark while it waited */
	char id[64];		       /* of a 202: what Location names */
	/* the origin's side */
	unsigned attempts; /* that reached it, whatever it answered */
	unsigned effects;
	uint64_t attempt_us;  /* of the last attempt */
	uint64_t effect_us;   /* of the first */
	uint64_t effect_turn; /* its place among all effects */
	char key[128];	      /* Idempotency-Key of the first attempt */
	bool key_changed;     /* a later attempt had another */
	bool altered;	      /* method, path or body was not as sent */
	bool too_early;	      /* the one it waits for was not delivered */
	size_t answer_bytes;  /* of the body it was answered with last */
	int said_status;      /* what the origin has answered last */
	bool broken_off;      /* an answer to it may have come in part */
	uint64_t settled_us;  /* the panel heard of the end: an event or the answer */
	/* what the device says of it, when the panel asked */
	char state[12], reason[24];
	bool was_dead; /* a person had it sent again, behind the others */
	bool was_held; /* the device has said so, or a person had it sent again */
	bool hopeless; /* given up: an answer that it needs was cut on its way */
	/* the stored answer, when the panel asked for it */
	int answer_status; /* 0: never asked, -1: no answer */
	bool answer_right;
	bool answer_aged; /* it was gone, and might be: kept no more */
	bool answer_gone; /* it was gone before its time */
};

/* A GET that is no order's has reached an origin. */
struct sim_visit {
	uint64_t at_us;
	uint64_t life;	     /* of the device, as far as there is one: how often it has started */
	int status;	     /* it was answered with */
	uint64_t metered_us; /* the link was metered for so long by then */
	char path[64];
};

/* Periodic sync fetches such a path each time: "/periodic/600000/menu" once in
 * 600000 ms; what follows the interval begins with SIM_UNMETERED for one that waits
 * while the link is metered. */
#define SIM_PERIODIC_PATH "/periodic/"
#define SIM_UNMETERED	  "free"

/* Who wants to know at once: the story. */
struct sim_ledger_watch {
	struct hf_list item;
	void (*on_sent)(void *user, const struct sim_order *o);
	void (*on_answer)(void *user, const struct sim_order *o); /* or its failure */
	void (*on_attempt)(void *user, const struct sim_order *o, int status);
	void (*on_effect)(void *user, const struct sim_order *o);
	/* A page was asked for at @sent_us; @status 0: it failed. */
	void (*on_page)(void *user, uint64_t sent_us, int status);
	void *user;
};

struct sim_ledger {
	struct sim_world *world;
	struct sim_order **v;
	size_t n, cap;
	uint64_t effects; /* in all */
	struct hf_list watches;
	struct sim_pages pages;
	struct sim_values values;
	struct sim_visit *visits;
	size_t visits_n, visits_cap;
	const char *fieldless[9]; /* origins to which a field does not get, up to a NULL */
	uint64_t lives;		  /* starts of devices so far */
	uint64_t metered_from_us; /* the link of a device is metered since then, SIM_NEVER: none */
};

void sim_ledger_init(struct sim_ledger *l, struct sim_world *world);
void sim_ledger_finish(struct sim_ledger *l);
void sim_ledger_watch(struct sim_ledger *l, struct sim_ledger_watch *w);

struct sim_order *sim_ledger_send(struct sim_ledger *l, const struct sim_sender *from,
				  const char *method, const char *path, const char *body);
/* @o waits for @parent: SIM_PLACE in its path and body becomes that one's number. */
#define SIM_PLACE "{holdfast:order}"
void sim_ledger_after(struct sim_order *o, struct sim_order *parent);
/* @text with the number of @order in its places; the caller frees it. */
char *sim_ledger_fill(const char *text, const struct sim_order *order);
/* The order that @msg is for, NULL: none; *target is that of @msg without the number. */
struct sim_order *sim_ledger_order_of(const struct sim_ledger *l, const struct hf_message *msg,
				      struct hf_span *target);
/* NULL: no such number. */
struct sim_order *sim_ledger_find(const struct sim_ledger *l, struct hf_span number);
/* The panel has its answer (@status) or none (@err). */
void sim_ledger_answer(struct sim_ledger *l, struct sim_order *o, int status, int err);
/* A request for the order has reached an origin, which answers @status (0: the
 * answer is lost) and, with @effect, did what was asked. */
void sim_ledger_attempt(struct sim_ledger *l, struct sim_order *o, int status, bool effect);
void sim_ledger_visit(struct sim_ledger *l, struct hf_span path, int status);
/* How many answers of 200 there were to GETs of @path. */
unsigned sim_ledger_fetched(const struct sim_ledger *l, const char *path);
/* A page has come to @panel, or not. */
void sim_ledger_page(struct sim_ledger *l, const char *panel, uint64_t sent_us, int status);

/* An order the product has promised: 2xx, 202 among them. */
static inline bool sim_order_promised(const struct sim_order *o)
{
	return o->status >= 200 && o->status < 300;
}

/* Promised, not done yet and not cancelled. */
static inline bool sim_order_open(const struct sim_order *o)
{
	return sim_order_promised(o) && o->effects == 0 && !o->hopeless &&
	       strcmp(o->state, "cancelled") != 0;
}

/* It, or one that it waits for, went again behind others. */
static inline bool sim_order_came_back(const struct sim_order *o)
{
	for (; o; o = o->parent)
		if (o->was_dead)
			return true;
	return false;
}

/* Taken back by the panel, or by a later one of its lane. */
static inline bool sim_order_cancelled(const struct sim_order *o)
{
	return sim_order_promised(o) && o->effects == 0 && strcmp(o->state, "cancelled") == 0;
}

/* It waits for a person, who sees why. */
static inline bool sim_order_accounted(const struct sim_order *o)
{
	return (strcmp(o->state, "held") == 0 || strcmp(o->state, "dead") == 0) && o->reason[0];
}

#endif

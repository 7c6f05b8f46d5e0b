/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host on the network that speaks HTTP/1.1, or CoAP: the shop (an origin that honours
 * Idempotency-Key), a connectivity check, the login page of a captive portal, or
 * somebody else. What it did survives its own crashes.
 */
#ifndef SIM_ORIGIN_H
#define SIM_ORIGIN_H

#include "actors/http.h"
#include "actors/ledger.h"
#include "sim/net.h"

enum sim_origin_kind {
	SIM_ORIGIN_SHOP,
	SIM_ORIGIN_CHECK,    /* 204 to everything */
	SIM_ORIGIN_PORTAL,   /* enum sim_portal_kind, to everything */
	SIM_ORIGIN_STRANGER, /* 200 and a page of its own, to everything */
};

/* What a portal answers. */
enum sim_portal_kind {
	SIM_PORTAL_REDIRECT, /* 302 to its login page */
	SIM_PORTAL_PAGE,     /* 200 and the page itself */
	SIM_PORTAL_511,
};

/* How the shop answers orders. */
struct sim_origin_mood {
	int status;		 /* 0: does them; else refuses with this, no effect */
	unsigned capacity;	 /* requests in a second; those beyond it get 503, 0: no limit */
	uint32_t retry_after_s;	 /* with @status or 503, 0: none */
	unsigned lose_percent;	 /* does them, but the answer gets lost */
	unsigned break_percent;	 /* ... or breaks off in its middle */
	unsigned garble_percent; /* ... or is not HTTP */
	uint64_t slow_us;	 /* thinks before it answers */
	size_t answer_bytes;	 /* an order's answer is filled up to this */
};

struct sim_origin;

struct sim_origin_options {
	enum sim_origin_kind kind;
	const char *name; /* in the ledger: "shop" */
	const char *host; /* "shop.example" */
	uint32_t ipv4;
	bool tls;	  /* at port 443 instead of 80 */
	bool coap;	  /* speaks CoAP, at port 5683 */
	int64_t epoch_ms; /* Unix time at the beginning of the world, for TLS */
};

struct sim_origin *sim_origin_create(struct sim_net *net, struct sim_ledger *ledger,
				     const struct sim_origin_options *opt);
void sim_origin_destroy(struct sim_origin *o);
const char *sim_origin_name(const struct sim_origin *o);
struct sim_node *sim_origin_node(struct sim_origin *o);
/* The server's process: down refuses calls and resets what is open. */
void sim_origin_up(struct sim_origin *o, bool up);
bool sim_origin_is_up(const struct sim_origin *o);
void sim_origin_mood(struct sim_origin *o, const struct sim_origin_mood *mood);
/* For the connections from now on. */
void sim_origin_cert(struct sim_origin *o, enum sim_cert cert);
void sim_origin_portal(struct sim_origin *o, enum sim_portal_kind kind);
/* The shop does orders only with an access token of its own, which lives so long; 0: it
 * asks for none. */
void sim_origin_tokens(struct sim_origin *o, uint64_t life_us);
/* What it has at @path from now on; over CoAP those who observe it are told. */
void sim_origin_value(struct sim_origin *o, const char *path, const char *text);
/* A new edition of its content; of the app only with a new release. */
void sim_origin_publish(struct sim_origin *o);
void sim_origin_release(struct sim_origin *o, unsigned release);
const struct sim_origin_mood *sim_origin_mood_now(const struct sim_origin *o);

#endif

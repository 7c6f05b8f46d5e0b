/* SPDX-License-Identifier: Apache-2.0 */
/* What connectivity.c and connectivity_net.c share. */
#ifndef HF_NET_CONNECTIVITY_PRIVATE_H
#define HF_NET_CONNECTIVITY_PRIVATE_H

#include "net/capport.h"
#include "net/connectivity.h"
#include "net/failure.h"
#include "net/pace.h"
#include "net/probe.h"

struct hf_origin_reach {
	struct hf_connectivity *c;
	unsigned number;
	char *name, *host, *target; /* target NULL: no active probe */
	struct hf_probe probe;	    /* with a target */
	struct hf_timer timer;	    /* DOWN: the next trial; TRIAL: its guard */
	uint8_t reach;		    /* enum hf_reach */
	bool local;		    /* on the device itself */
	bool near;		    /* on the link: it needs no other address */
	bool authenticated;	    /* an answer can only be its own */
	struct hf_failure failure;  /* the last one */
	uint64_t since_ms;	    /* UP, or not UP */
	unsigned wanted;	    /* by how many */
	unsigned failures;	    /* in a row */
	struct hf_pace pace;
	uint64_t last_success;
};

/* The API of the network's captive portal. */
struct hf_portal {
	enum hf_portal_state state;
	char *host, *target;   /* NULL: none is known */
	struct hf_probe probe; /* with a host */
	struct hf_timer timer; /* the next question; its guard while one is asked */
	struct hf_pace pace;
	bool asked; /* questions follow each other */
	uint64_t asked_ms;
	uint32_t asking;   /* on_asking() of the question */
	unsigned failures; /* in a row */
	struct hf_capport_answer last;
	uint64_t ends_ms; /* boot time, with last.ends */
	struct hf_failure failure;
};

struct hf_connectivity {
	struct hf_connectivity_options opt;
	struct hf_origin_reach **origins;
	unsigned n;
	bool link_known;
	enum hf_link link;
	enum hf_net_state net;
	char *net_host, *net_target;
	struct hf_probe net_probe; /* with a transport for it */
	struct hf_timer net_timer;
	struct hf_pace net_pace;
	bool net_asked;	 /* probes follow each other */
	uint32_t asking; /* on_asking() of the probe */
	bool proof_wanted;
	uint32_t proof_gap_ms;
	uint64_t proof_ms; /* of the last answer that was as it should be */
	struct hf_portal portal;
};

static inline uint64_t hf_connectivity_now(const struct hf_connectivity *c)
{
	return c->opt.port->boottime_ms(c->opt.port);
}

static inline void hf_connectivity_timer(struct hf_connectivity *c, struct hf_timer *t,
					 uint64_t due_ms)
{
	/* Without memory for the heap the next report or link event tries again. */
	if (hf_timerq_set(c->opt.timers, t, due_ms))
		hf_log(c->opt.log, HF_LOG_ERROR, "connectivity.timer", "err=ENOMEM");
}

/* It is known that there is no way to the network. */
static inline bool hf_connectivity_no_way(const struct hf_connectivity *c)
{
	return c->link_known && c->link != HF_LINK_UP;
}

/* connectivity_net.c */
void hf_net_set(struct hf_connectivity *c, enum hf_net_state state);
void hf_net_probe_now(struct hf_connectivity *c);
/* The next probe: while something waits and the net is not ONLINE. */
void hf_net_schedule(struct hf_connectivity *c);
/* What waits has changed: a probe that is planned stays where it is, or goes when
 * nothing waits. */
void hf_net_wanted(struct hf_connectivity *c);
/* A question goes out; the answer to that with @number shows that nobody is between. */
uint32_t hf_net_asking(const struct hf_connectivity *c);
void hf_net_in_order(const struct hf_connectivity *c, uint32_t number);
/* One more probe soon, whether something waits or not. */
void hf_net_look_again(struct hf_connectivity *c);
void hf_net_timer(void *user);
bool hf_net_any_wanted(const struct hf_connectivity *c);
/* connectivity_portal.c */
void hf_portal_init(struct hf_connectivity *c);
void hf_portal_finish(struct hf_connectivity *c);
/* Asks the API, if there is one, now or, when it has been asked just now, soon. */
void hf_portal_ask(struct hf_connectivity *c);
/* The link has changed. */
void hf_portal_link(struct hf_connectivity *c);
/* What waits has changed. */
void hf_portal_wanted(struct hf_connectivity *c);
/* connectivity.c: a probe has ended; @opens: it is ONLINE, and was known not to be. */
void hf_connectivity_net_probed(struct hf_connectivity *c, bool opens);

#endif

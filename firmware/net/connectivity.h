/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be reached: the link and its address (from the port), the net (a
 * configured probe with an expected answer) and each origin (from real traffic
 * and, where one is configured, an active probe). Only an origin's own state
 * gates its replay.
 *
 *   origin:  UNKNOWN -> UP | DOWN        DOWN -> TRIAL -> UP | DOWN
 *
 * DOWN comes after HF_CONNECTIVITY_FAILURES failed attempts in a row or at once
 * when the link or its address goes. While DOWN and wanted (something waits for it) a trial is
 * due at HF_PROBE_MIN_MS intervals during the first ten minutes, then doubling
 * to HF_PROBE_MAX_MS with jitter; an address makes one due at once, and while it
 * is known that there is none there are none, but to an origin on the device
 * itself (a loopback address, localhost), for which the link means nothing, and
 * to one on the link (a link-local address, .local), which needs carrier only. A
 * trial is the configured probe request or, without one, the next replay
 * itself: on_trial lets exactly one attempt through. UP comes after one
 * success. Idle and healthy: no timer, no traffic; the net probe goes once more when
 * something was stored that it would prove.
 */
#ifndef HF_NET_CONNECTIVITY_H
#define HF_NET_CONNECTIVITY_H

#include "base/log.h"
#include "base/rand.h"
#include "base/timerq.h"
#include "holdfast/port.h"
#include "http/transport.h"

#define HF_CONNECTIVITY_FAILURES 3

enum hf_reach {
	HF_REACH_UNKNOWN,
	HF_REACH_UP,
	HF_REACH_DOWN,
	HF_REACH_TRIAL,
};

enum hf_net_state {
	HF_NET_UNKNOWN, /* no probe configured or none done */
	HF_NET_ONLINE,
	HF_NET_CAPTIVE, /* the probe got another answer than it should, or 511, or the
			 * portal's API says so */
	HF_NET_OFFLINE,
};

/* What the API of a captive portal (RFC 8908) says. */
enum hf_portal_state {
	HF_PORTAL_NONE,	   /* the network names no API, or says that it has no portal */
	HF_PORTAL_UNKNOWN, /* it has not answered yet, or what it said has run out */
	HF_PORTAL_OPEN,
	HF_PORTAL_CAPTIVE,
};

struct hf_portal_view {
	enum hf_portal_state state;
	const char *url;     /* that people may open; NULL: none */
	const char *failure; /* why the API was not heard last; NULL: it was */
	bool ends;	     /* the session does */
	uint64_t ends_ms;    /* boot time */
};

struct hf_connectivity;

struct hf_connectivity_events {
	/* The origin's state has changed. */
	void (*on_origin)(void *user, unsigned origin, enum hf_reach reach);
	/* DOWN and wanted, no probe configured: one attempt may go now; its end
	 * must be reported. */
	void (*on_trial)(void *user, unsigned origin);
	/* An attempt had an answer that shows the origin at work: any status but
	 * 5xx and those that ask to come later. NULL: nobody wants to know. */
	void (*on_answered)(void *user, unsigned origin);
	/* A box between has answered in the origin's place. NULL: nobody wants to
	 * know. */
	void (*on_captive)(void *user, unsigned origin);
	/* Link or net changed. */
	void (*on_change)(void *user);
	/* A question goes out, the probe or without one that to the portal's API; its
	 * number, which comes back when the answer says that nobody is between. NULL:
	 * nobody wants to know. */
	uint32_t (*on_asking)(void *user);
	void (*on_in_order)(void *user, uint32_t number);
};

struct hf_connectivity_options {
	struct hf_port *port;
	struct hf_timerq *timers;
	struct hf_log *log;
	struct hf_rand *rand;
	const struct hf_connectivity_events *events;
	void *user;
	uint32_t probe_min_ms, probe_max_ms;
	/* The net probe; transport NULL: none. */
	struct hf_transport *probe_transport;
	const char *probe_host, *probe_target;
	int probe_status; /* 204 */
};

int hf_connectivity_create(const struct hf_connectivity_options *opt, struct hf_connectivity **out);
void hf_connectivity_destroy(struct hf_connectivity *c);
/* Adds origin number 0, 1, 2... @probe_target NULL: no active probe. Strings are
 * copied; @transport is not owned. */
int hf_connectivity_add(struct hf_connectivity *c, const char *name, struct hf_transport *transport,
			const char *host_field, const char *probe_target);
void hf_connectivity_link(struct hf_connectivity *c, enum hf_link link);
/* The end of every attempt to @origin, live or replayed. @status 0: no answer.
 * 407 and 511 mean that a box between answered. 502, 503, 504 and every other
 * status count as the origin being reachable. */
void hf_connectivity_report(struct hf_connectivity *c, unsigned origin,
			    const struct hf_exchange_result *result, int status);
/* The same for an attempt whose answer nobody has judged (a GET that passes, a HEAD):
 * while the probe meets a captive portal, one over plain HTTP is taken for the
 * portal's. */
void hf_connectivity_heard(struct hf_connectivity *c, unsigned origin,
			   const struct hf_exchange_result *result, int status);
/* Answers of @origin come over TLS: they are its own. */
void hf_connectivity_authenticated(struct hf_connectivity *c, unsigned origin);
/* A plain-HTTP answer that cannot be the origin's (redirect elsewhere, status
 * outside expect): the net is captive, the origin DOWN. */
void hf_connectivity_captive(struct hf_connectivity *c, unsigned origin);
/* The network names the API of its captive portal (@transport speaks TLS and is not
 * owned; strings are copied), or (NULL) no more: what was known of another one is
 * forgotten. Asked at once while there is an address, when a box between is suspected,
 * before the session ends, and while it says captive and something waits. HF_ENOMEM:
 * none is known. */
int hf_connectivity_portal_api(struct hf_connectivity *c, struct hf_transport *transport,
			       const char *host_field, const char *target);
/* There is something (or no more) that an answer to the probe would prove: one goes soon. */
void hf_connectivity_want_proof(struct hf_connectivity *c, bool wanted);
/* The clock has changed: what failed for its sake may work. */
void hf_connectivity_clock(struct hf_connectivity *c);
void hf_connectivity_portal(const struct hf_connectivity *c, struct hf_portal_view *out);
const char *hf_portal_state_name(enum hf_portal_state state);
/* Somebody has something that waits for @origin (or no more). Counted. */
void hf_connectivity_want(struct hf_connectivity *c, unsigned origin, bool wanted);
/* Tries @origin now (operator: "sync now"; an answer's Retry-After is not its
 * business). */
void hf_connectivity_poke(struct hf_connectivity *c, unsigned origin);

enum hf_reach hf_connectivity_origin(const struct hf_connectivity *c, unsigned origin);
enum hf_link hf_connectivity_link_now(const struct hf_connectivity *c);
enum hf_net_state hf_connectivity_net(const struct hf_connectivity *c);
/* Boot-time ms of the last success, 0: none yet; and of the next trial. */
uint64_t hf_connectivity_last_success(const struct hf_connectivity *c, unsigned origin);
uint64_t hf_connectivity_next_trial(const struct hf_connectivity *c, unsigned origin);
/* Boot-time ms since when @origin is up, or is not; 0: nothing is known yet. */
uint64_t hf_connectivity_since(const struct hf_connectivity *c, unsigned origin);
/* Why it was not reached last, and since when that is so; NULL: it was. */
const char *hf_connectivity_failure(const struct hf_connectivity *c, unsigned origin,
				    uint64_t *since_ms);
const char *hf_reach_name(enum hf_reach reach);
const char *hf_net_state_name(enum hf_net_state state);

#endif

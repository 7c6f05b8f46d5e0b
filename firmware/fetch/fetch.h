/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fetch event: a panel's request on its way. It looks like a transport to
 * ingress/: perform, stream, end. Inside, the worker's route decides: straight
 * to the origin, or live with the queue behind it.
 */
#ifndef HF_FETCH_FETCH_H
#define HF_FETCH_FETCH_H

#include "base/log.h"
#include "base/rand.h"
#include "base/timerq.h"
#include "holdfast/port.h"
#include "http/transport.h"
#include "net/connectivity.h"
#include "queue/queue.h"
#include "sync/credential.h"
#include "worker/manifest.h"

struct hf_cache; /* cache/cache.h */

struct hf_fetch_origin {
	const char *name;
	struct hf_span scheme, authority; /* "https", "shop.example" for the Host field */
	struct hf_span host;		  /* of its URL, without brackets */
	uint16_t port;
	bool tls;
	bool own; /* nobody else can answer in its place: by TLS, or on the device itself */
	struct hf_transport *transport;
	uint32_t cache; /* its HTTP cache; 0: none */
};

struct hf_fetch_options {
	struct hf_port *port;
	struct hf_timerq *timers;
	struct hf_log *log;
	struct hf_rand *rand;
	struct hf_queue *queue;
	struct hf_store *store;
	struct hf_connectivity *connectivity;
	struct hf_credentials *credentials; /* NULL: there are none */
	struct hf_cache *cache;		    /* NULL: there is none */
	struct hf_fetch_origin *origins;
	unsigned origins_n;
	/* The route of a request, NULL: none. */
	const struct hf_route *(*route)(void *user, unsigned origin,
					const struct hf_match_request *req);
	/* The active precache that holds @target, 0: none; @url is the key in it. */
	uint32_t (*precache)(void *user, unsigned origin, struct hf_span target,
			     struct hf_arena *arena, struct hf_span *url);
	/* A file that it holds is not there. NULL: nobody wants to know. */
	void (*precache_lost)(void *user, uint32_t cache);
	void *user;
	size_t inline_body_max; /* bodies up to it stay in memory during the live try */
	uint64_t body_max;	/* of queued requests: 413 past it */
	uint32_t chunk_bytes;	/* per blob chunk */
	uint32_t retry_after_max_s;
};

/* How requests that a cache had to do with were answered. */
enum hf_cache_result {
	HF_RESULT_NONE,
	HF_RESULT_HIT,	     /* from what is stored, without waiting for the origin */
	HF_RESULT_VALIDATED, /* the same after a 304 */
	HF_RESULT_FALLBACK, /* the origin gave none, or a worse one: what is stored, or an offline page */
	HF_RESULT_MISS, /* by the origin, or by a problem */
	HF_RESULTS,
};
enum hf_cache_tier {
	HF_TIER_HTTP,
	HF_TIER_NAMED,
	HF_TIER_PRECACHE,
	HF_TIERS,
};
struct hf_cache_counts {
	uint64_t of[HF_TIERS][HF_RESULTS]; /* since the start */
};

struct hf_fetch;
struct hf_forward; /* fetch/forward.h */
struct hf_reply;   /* fetch/reply.h */

int hf_fetch_create(const struct hf_fetch_options *opt, struct hf_fetch **out);
/* The store is destroyed, ingress is not yet: nothing is asked of it any more.
 * NULL is fine. */
void hf_fetch_abandon(struct hf_fetch *f);
/* After hf_store_destroy, before the queue and the transports. */
void hf_fetch_destroy(struct hf_fetch *f);

struct hf_fetch_request {
	struct hf_transport_request base; /* msg as the panel sent it, hop-by-hop included */
	unsigned origin;
	const struct hf_peer *peer; /* for Forwarded */
	struct hf_span host;	    /* the panel's Host, for Forwarded and Location */
	bool panel_minor0;	    /* HTTP/1.0 panel */
	/* Of a queued request that did not come over HTTP, else empty and NULL: its key, for
	 * whom it is, and the word for Forwarded. */
	struct hf_span key, identity;
	const char *proto;
};
/* As hf_transport.perform, and the rest likewise. */
int hf_fetch_perform(struct hf_fetch *f, const struct hf_fetch_request *req,
		     const struct hf_exchange_events *events, void *user, struct hf_exchange **out);
const struct hf_cache_counts *hf_fetch_counts(const struct hf_fetch *f);
/* What an answer out of a cache of @origin's needs on its way to a page that reaches us
 * by @host; its spans are the settings' and @host. */
void hf_fetch_forward(const struct hf_fetch *f, unsigned origin, struct hf_span host,
		      struct hf_forward *out);
/* Fills @r with the stored answer in @l (see hf_reply_stored), for a page that
 * reaches us by @host. HF_ENOENT, HF_ECORRUPT, HF_ENOMEM. */
int hf_fetch_stored(struct hf_fetch *f, struct hf_store_load *l, struct hf_span host,
		    struct hf_reply *r);
/* The queue has accepted a request that will change @target. */
void hf_fetch_pending_write(struct hf_fetch *f, unsigned origin, struct hf_span method,
			    struct hf_span target);
/* A request to @target was answered: what it changed is not taken out of a cache any
 * more without asking. */
void hf_fetch_written(struct hf_fetch *f, unsigned origin, struct hf_span method,
		      struct hf_span target, const struct hf_message *response);
/* send, send_end, receive, cancel of exchanges begun by the above. */
struct hf_transport *hf_fetch_transport(struct hf_fetch *f);

/* A transport to @origin by way of the caches, for GET alone: it asks the
 * origin in any case and renews what is stored; an answer that did not change comes without its body. */
struct hf_refresher {
	struct hf_transport transport;
	struct hf_fetch *fetch;
	unsigned origin;
};
void hf_refresher_init(struct hf_refresher *r, struct hf_fetch *f, unsigned origin);

#endif

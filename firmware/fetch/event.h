/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to fetch/: a fetch event under way. Each strategy is one kind with
 * its own operations; to ingress/ all look like exchanges of one transport.
 */
#ifndef HF_FETCH_EVENT_H
#define HF_FETCH_EVENT_H

#include "base/list.h"
#include "base/spare.h"
#include "cache/cache.h"
#include "fetch/fetch.h"
#include "fetch/forward.h"
#include "fetch/reply.h"

struct hf_event;

struct hf_event_ops {
	size_t (*send)(struct hf_event *ev, struct hf_span data);
	void (*send_end)(struct hf_event *ev, const struct hf_fields *trailers);
	void (*receive)(struct hf_event *ev, bool on);
	void (*cancel)(struct hf_event *ev);
	/* Frees without a word to anybody; the store is closed already. */
	void (*destroy)(struct hf_event *ev);
};

struct hf_event {
	const struct hf_event_ops *ops;
	struct hf_fetch *fetch;
	struct hf_list link;
	const struct hf_exchange_events *events; /* NULL: nobody listens any more */
	void *user;
};

struct hf_blob_discard; /* a blob on its way out of the store */

struct hf_fetch {
	struct hf_fetch_options opt;
	struct hf_transport transport;
	struct hf_list events;
	struct hf_list fills;
	struct hf_list posted;	/* answers to POSTs that are being stored */
	uint64_t asked_away_ms; /* the next time that an origin that is away is asked */
	struct hf_list discards;
	struct hf_cache_counts counts;
	struct hf_spare cached, serves, queued; /* blocks of those kinds */
	struct hf_spare blocks;			/* of arenas */
	unsigned queued_n; /* requests of queued routes, counted for their lanes */
	bool closing;	   /* no store any more: turns that are granted now come too late */
};

/* Puts @ev on the list of what runs. */
void hf_event_open(struct hf_event *ev, struct hf_fetch *f, const struct hf_event_ops *ops,
		   const struct hf_exchange_events *events, void *user);
int hf_event_reply(struct hf_event *ev, struct hf_reply **out);
static inline const struct hf_fetch_origin *hf_fetch_origin(const struct hf_fetch *f, unsigned n)
{
	return &f->opt.origins[n];
}
/* What the origin says may be stored: there is a cache, and no box between. */
bool hf_fetch_may_keep(const struct hf_fetch *f);
/* Somebody else may answer in the place of @origin, and a probe would tell. */
bool hf_fetch_is_doubtful(const struct hf_fetch *f, unsigned origin);
/* Deletes a blob that no record refers to. */
void hf_fetch_discard(struct hf_fetch *f, uint64_t blob);

/* The strategies. */
int hf_network_only(struct hf_fetch *f, const struct hf_fetch_request *req,
		    const struct hf_exchange_events *events, void *user, struct hf_event **out);
/* The same kind with an answer of ours and no origin. */
int hf_network_refuse(struct hf_fetch *f, const struct hf_problem *p,
		      const struct hf_exchange_events *events, void *user, struct hf_event **out);
/* A GET or HEAD that a cache has to do with; HF_ENOENT: none has. @refresh: the origin
 * is asked in any case, and of what is stored the head alone is told. */
int hf_cached(struct hf_fetch *f, const struct hf_fetch_request *req, const struct hf_route *route,
	      bool refresh, const struct hf_exchange_events *events, void *user,
	      struct hf_event **out);
int hf_queued(struct hf_fetch *f, const struct hf_fetch_request *req, const struct hf_route *route,
	      const struct hf_exchange_events *events, void *user, struct hf_event **out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to fetch/: one GET to the origin whose answer may be stored on its way,
 * with any number of listeners. Those who want the same URL meanwhile join it
 * (collapsed forwarding) and get the body while it is still arriving; without a
 * listener it goes on for the sake of what is stored.
 *
 *   ASK    sent, no answer yet
 *   BODY   the head is there, the body comes in
 *   KEEP   the body is complete, the shelf takes what is left of it
 *   OVER   listeners read the rest
 *
 * What is stored leaves memory piece by piece; a listener that is slow reads it
 * from the shelf and holds nobody back. What is not stored has one listener, who
 * holds the origin back.
 */
#ifndef HF_FETCH_FILL_H
#define HF_FETCH_FILL_H

#include "cache/cache.h"
#include "fetch/fetch.h"
#include "fetch/forward.h"
#include "worker/cache_rule.h"

struct hf_fill;

struct hf_fill_events {
	/* As those of an exchange; the head as the origin sent it. */
	void (*on_interim)(void *user, const struct hf_message *head);
	void (*on_head)(void *user, const struct hf_message *head);
	void (*on_body)(void *user, struct hf_span data);
	void (*on_end)(void *user, const struct hf_exchange_result *result,
		       const struct hf_fields *trailers);
	/* In place of on_head: 304, @s is what is valid. The last event. */
	void (*on_validated)(void *user, struct hf_stored *s);
	/* In place of on_head: the answer is for others only. The last event. */
	void (*on_parted)(void *user);
};

struct hf_fill_listener {
	/* in, before join */
	const struct hf_fill_events *events;
	void *user;
	const struct hf_fields *request; /* the page's, for Vary */
	bool own;			 /* the fill was begun for it */
	/* private */
	struct hf_fill *fill; /* NULL: not listening */
	struct hf_list link;
	struct hf_fill_read *read;
	uint64_t at; /* of the body */
	bool receiving, told_head;
};

/* Where and when an answer is stored. */
struct hf_fill_terms {
	uint32_t cache;		  /* 0: nowhere */
	bool worker;		  /* by the route's rule, else by RFC 9111 */
	struct hf_statuses store; /* by the route's rule: these, and */
	bool personal;		  /* also what is for one user alone, or says no-store */
	uint64_t entries_max, bytes_max;
	struct hf_span note, integrity; /* copied */
};

struct hf_fill_request {
	unsigned origin;
	const struct hf_message *msg;	  /* the page's; copied */
	const struct hf_forward *forward; /* copied, its spans too */
	struct hf_span url;		  /* the key; copied */
	struct hf_fill_terms terms;
	/* What is stored of the URL, of which @selected (-1: none) is to be validated. */
	struct hf_stored *const *v;
	size_t n;
	int selected;
	bool conditions; /* the page's own conditions go along: a 304 is the page's */
	bool keep;	 /* without a listener it goes on all the same */
	/* Last of all: it is stored (0), or why not. @status of the answer, 0: none. NULL:
	 * nobody wants to know. */
	void (*over)(void *user, int err, int status);
	void *user;
	uint32_t first_byte_timeout_ms;
};

/* HF_ENOMEM, HF_ELIMIT: nothing was begun. A listener may join inside the same turn. */
int hf_fill_start(struct hf_fetch *fetch, const struct hf_fill_request *req, struct hf_fill **out);
/* One under way that a page with the fields @request may join; NULL: none. */
struct hf_fill *hf_fill_find(struct hf_fetch *fetch, uint32_t cache, struct hf_span url,
			     const struct hf_fields *request);
void hf_fill_join(struct hf_fill *f, struct hf_fill_listener *l);
void hf_fill_receive(struct hf_fill_listener *l, bool on);
/* No more events. Fine when it is not listening. */
void hf_fill_leave(struct hf_fill_listener *l);
/* The listener that leaves wants it to go on. */
void hf_fill_keep(struct hf_fill *f);
/* It is being stored. */
bool hf_fill_is_storing(const struct hf_fill *f);
/* What is being stored, as the policy sees it. False: no answer came yet, or it is not
 * stored. */
bool hf_fill_entry(const struct hf_fill *f, struct hf_cache_entry *out);
/* It has all of the answer, and the shelf is about to. */
bool hf_fill_is_complete(const struct hf_fill *f);
/* Sets and clears flags of what of @url is on its way. HF_STORED_INVALIDATED: it may be of
 * before, so nobody joins it any more. */
void hf_fill_mark(struct hf_fetch *fetch, uint32_t cache, struct hf_span url, uint32_t set,
		  uint32_t clear);
/* The shelf has been destroyed: without a word to anybody. */
void hf_fill_destroy_all(struct hf_fetch *fetch);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to ingress/: calls of /.holdfast/. A call looks like an exchange to
 * its connection; most end in one reply, some stream.
 *
 * Each resource has a kind: its struct begins with struct hf_api_call.
 */
#ifndef HF_INGRESS_API_H
#define HF_INGRESS_API_H

#include "fetch/reply.h"
#include "fetch/serve.h"
#include "ingress/ingress_private.h"

struct hf_api_call;

struct hf_api_kind {
	size_t size; /* of the struct that begins with the call */
	/* Begins; an error becomes a 503. Must not tell events yet. */
	int (*start)(struct hf_api_call *call);
	/* Streaming kinds: after start, on a later turn, and whenever the peer can
	 * take more. NULL: ends in a reply. */
	void (*pump)(struct hf_api_call *call);
	/* The body of the request, as those of a transport; fewer bytes taken than given:
	 * hf_api_writable() asks for the rest. NULL: it is passed over. */
	size_t (*send)(struct hf_api_call *call, struct hf_span data);
	void (*send_end)(struct hf_api_call *call);
	/* Ends one that would never end by itself. NULL: it will. */
	void (*stop)(struct hf_api_call *call);
	/* Frees what the kind has of its own. NULL: nothing. */
	void (*finish)(struct hf_api_call *call);
};

struct hf_api_call {
	struct hf_ingress *in;
	struct hf_list link;
	const struct hf_api_kind *kind;
	const struct hf_exchange_events *events; /* NULL: cancelled */
	void *user;
	bool control;	 /* the operator's */
	unsigned origin; /* a page's: the one its Host names */
	/* valid until the call ends or is cancelled */
	const struct hf_message *msg;
	struct hf_span host, id, query; /* id: what "*" or "**" stands for; copied */
	struct hf_arena arena;
	struct hf_reply *reply;
	struct hf_serve *serve; /* in place of a reply: out of a cache */
	struct hf_timer timer;	/* first turn of streaming kinds */
	bool receiving;
	bool wanted; /* its body, and the client was told */
	bool busy;   /* a store operation of ours is under way */
	unsigned depth;
};

struct hf_api_request {
	const struct hf_message *msg; /* target in origin-form, plainly ours */
	struct hf_span host;
	bool control;
	unsigned origin; /* unless control */
};

/* As hf_transport.perform. */
int hf_api_perform(struct hf_ingress *in, const struct hf_api_request *req,
		   const struct hf_exchange_events *events, void *user, struct hf_exchange **out);
void hf_api_init(struct hf_ingress *in);
void hf_api_finish(struct hf_ingress *in);
/* Ends the streams that would never end by themselves. */
void hf_api_stop(struct hf_ingress *in);

/* ---- for the kinds ---- */

/* Whose requests, registrations and events the call may see: those of a page's
 * origin, UINT_MAX (the operator): all. */
unsigned hf_api_origin(const struct hf_api_call *call);
/* Its name; ptr NULL: all. */
struct hf_span hf_api_origin_name(const struct hf_api_call *call);

/* First thing in a store operation's done: false when the call was cancelled
 * meanwhile; it is gone then. */
bool hf_api_resume(struct hf_api_call *call);
int hf_api_reply_new(struct hf_api_call *call, struct hf_reply **out);
/* Takes @r. */
void hf_api_reply(struct hf_api_call *call, struct hf_reply *r);
void hf_api_problem(struct hf_api_call *call, int status, const char *detail);
/* 503: what is asked for cannot be had now. */
void hf_api_store_failed(struct hf_api_call *call);
/* Says how the request in question stands, too. @reason NULL: none. */
void hf_api_problem_state(struct hf_api_call *call, int status, const char *detail,
			  const char *state, const char *reason);
/* Answers with the document in @json (contents taken), Cache-Control: no-store. */
void hf_api_json(struct hf_api_call *call, int status, struct hf_buf *json);
/* The same of another @type. */
void hf_api_text(struct hf_api_call *call, int status, struct hf_span type, struct hf_buf *text);
/* Streaming kinds: the head, pieces, the end (after which the call is gone). */
void hf_api_begin_stream(struct hf_api_call *call, struct hf_span content_type);
void hf_api_piece(struct hf_api_call *call, struct hf_span data);
void hf_api_end_stream(struct hf_api_call *call, bool complete);
/* There is room for more of the request's body. The call may be gone then. */
void hf_api_writable(struct hf_api_call *call);
/* Answers with @s (see hf_serve_start; arena, events and owner are the call's). HF_ENOMEM. */
int hf_api_serve(struct hf_api_call *call, const struct hf_serve_options *opt, struct hf_stored *s);
/* Behind call->depth++ around events that are told: false when the call is over; it may
 * be gone then. */
bool hf_api_leave(struct hf_api_call *call);
/* Runs pump now. */
void hf_api_pump(struct hf_api_call *call);

/* @text percent-decoded into the call's arena; ptr NULL: malformed, or no memory.
 * @form: "+" is a space. */
struct hf_span hf_api_decode(struct hf_api_call *call, struct hf_span text, bool form);
/* A parameter of the query, decoded; false: absent. ptr NULL: malformed. */
bool hf_api_query(struct hf_api_call *call, const char *name, struct hf_span *value);
/* The worker that is meant: the parameter "worker", or the one in charge of the page; -1:
 * none, and the call has been answered. */
int hf_api_worker(struct hf_api_call *call);
/* Why the query as a whole is refused (400); NULL: it is not. */
const char *hf_api_query_fault(struct hf_span query);

#define HF_API_ORIGINS_MAX 64 /* as many as may be configured */

extern const struct hf_api_kind hf_api_list; /* requests_list.c */
extern const struct hf_api_kind hf_api_lanes, hf_api_holds, hf_api_hold,
	hf_api_release; /* lanes_api.c */
extern const struct hf_api_kind hf_api_caches, hf_api_cache_show, hf_api_cache_open,
	hf_api_cache_drop, hf_api_install;			     /* caches_api.c */
extern const struct hf_api_kind hf_api_entries, hf_api_entry_delete; /* entries_api.c */
extern const struct hf_api_kind hf_api_entry_put;		     /* entry_put.c */
extern const struct hf_api_kind hf_api_show, hf_api_response, hf_api_cancel,
	hf_api_retry;						      /* requests_api.c */
extern const struct hf_api_kind hf_api_export;			      /* export.c */
extern const struct hf_api_kind hf_api_coap_ask, hf_api_coap_observe; /* coap_call.c */
extern const struct hf_api_kind hf_api_events;			      /* stream_api.c */
extern const struct hf_api_kind hf_api_status, hf_api_metrics, hf_api_store_check,
	hf_api_sync_now; /* agent_api.c */
extern const struct hf_api_kind hf_api_client_js, hf_api_client_worker,
	hf_api_client_types; /* client_asset.c */
extern const struct hf_api_kind hf_api_sync_list, hf_api_sync_show, hf_api_sync_register,
	hf_api_sync_unregister, hf_api_sync_succeeded, hf_api_sync_failed; /* sync_api.c */
extern const struct hf_api_kind hf_api_periodic_list, hf_api_periodic_show,
	hf_api_periodic_register, hf_api_periodic_unregister; /* sync_api.c */

#endif

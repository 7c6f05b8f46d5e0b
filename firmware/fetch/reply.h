/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer that Holdfast makes itself, told as the events of an exchange:
 * head, body (from memory or from a blob of the store, chunk by chunk), end.
 * Problems, "202 Accepted", stored answers and the control API are replies.
 *
 *   create, fill in status, fields and body, start; then events come, from a
 *   later turn of the loop on; after on_end or cancel the reply is gone.
 */
#ifndef HF_FETCH_REPLY_H
#define HF_FETCH_REPLY_H

#include "base/buf.h"
#include "base/timerq.h"
#include "fetch/problem.h"
#include "holdfast/port.h"
#include "http/transport.h"
#include "store/records.h"

struct hf_reply; /* heap */

struct hf_reply_world {
	struct hf_port *port;
	struct hf_timerq *timers;
	struct hf_store *store;	 /* NULL: no blobs */
	struct hf_spare *blocks; /* of arenas; NULL: none stay at hand */
};

/* Status 200, no fields, no body. HF_ENOMEM. */
int hf_reply_create(const struct hf_reply_world *world, struct hf_reply **out);
/* Before start only. NULL is fine. */
void hf_reply_destroy(struct hf_reply *r);
void hf_reply_status(struct hf_reply *r, int status);
struct hf_fields *hf_reply_fields(struct hf_reply *r); /* their arena is the reply's */
struct hf_arena *hf_reply_arena(struct hf_reply *r);
struct hf_buf *hf_reply_body(struct hf_reply *r); /* append the body to it */
/* The body is @len bytes of @blob instead. */
void hf_reply_blob(struct hf_reply *r, uint64_t blob, uint64_t len);
/* Status, fields and body of @p. */
int hf_reply_problem(struct hf_reply *r, const struct hf_problem *p);
/* @ended (may be NULL) is called right before on_end. */
void hf_reply_start(struct hf_reply *r, const struct hf_exchange_events *events, void *user,
		    void (*ended)(void *owner), void *owner);
void hf_reply_receive(struct hf_reply *r, bool on);
/* No more events. */
void hf_reply_cancel(struct hf_reply *r);
/* @damaged is told when the body in the store turns out to be damaged. */
void hf_reply_watch(struct hf_reply *r, void (*damaged)(void *user, uint64_t id), void *user,
		    uint64_t id);
/* As cancel, when the store has been destroyed and will not call back. */
void hf_reply_abandon(struct hf_reply *r);

/* The stored answer in @l (its outcome) as @r's status, fields and body; takes
 * the body out of @l. HF_ENOENT: there is none; HF_ECORRUPT, HF_ENOMEM. */
int hf_reply_stored(struct hf_reply *r, struct hf_store_load *l);

#endif

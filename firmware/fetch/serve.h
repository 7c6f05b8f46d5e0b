/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer out of a cache, told as the events of an exchange: the whole of a
 * stored response, a range of it, or a 304 to the page's own condition.
 *
 *   start; then events come, from a later turn of the loop on; after on_end, lost
 *   or cancel the serve is gone.
 *
 * A body on the shelf is read piece by piece. When the first one cannot be read
 * nothing was said yet, and lost() comes in place of all events; a later one cuts
 * the answer.
 */
#ifndef HF_FETCH_SERVE_H
#define HF_FETCH_SERVE_H

#include "base/spare.h"
#include "base/timerq.h"
#include "cache/cache.h"
#include "fetch/forward.h"
#include "http/cache_status.h"
#include "http/transport.h"

struct hf_serve; /* heap */

struct hf_serve_options {
	struct hf_port *port;
	struct hf_timerq *timers;
	struct hf_cache *cache;
	struct hf_spare *spare; /* its memory is from there; NULL: malloc */
	struct hf_arena *arena; /* of the answer's head */
	const struct hf_forward *forward;
	const struct hf_message *request;     /* of the page */
	const struct hf_cache_status *status; /* NULL: no Cache-Status */
	bool head_only;
	bool plain; /* neither ranges nor conditions of the request count */
	const struct hf_exchange_events *events;
	void *user;
	void (*ended)(void *owner); /* right before on_end */
	void (*lost)(void *owner);
	void *owner;
};

/* Keeps a reference to @s. HF_ENOMEM. */
int hf_serve_start(const struct hf_serve_options *opt, struct hf_stored *s, struct hf_serve **out);
void hf_serve_receive(struct hf_serve *v, bool on);
/* No more events. */
void hf_serve_cancel(struct hf_serve *v);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Background sync: brings waiting records to their origins. The scheduler
 * (memory only, rebuilt from the store at start) picks lanes that are ready and
 * whose origin may be tried; a replay carries one record through one attempt.
 *
 * One lane has one attempt at a time; lanes of an origin run side by side, as
 * many as the origin's pace allows, up to CONFIG_HF_REPLAY_CONCURRENCY. A dead
 * origin stops nobody else.
 */
#ifndef HF_SYNC_SYNC_H
#define HF_SYNC_SYNC_H

#include "base/log.h"
#include "base/rand.h"
#include "base/timerq.h"
#include "http/transport.h"
#include "net/connectivity.h"
#include "queue/queue.h"
#include "sync/credential.h"

struct hf_sync;
struct hf_lane;

struct hf_sync_origin {
	struct hf_span host; /* of its URL, for Location */
	uint16_t port;
	struct hf_span authority; /* for the Host field */
	bool tls;
	struct hf_transport *transport;
	/* By way of the caches, which tell connectivity themselves; NULL: none. */
	struct hf_transport *refresher;
	uint32_t interval_ms, burst; /* of its token bucket; 0: none */
};

struct hf_sync_options {
	struct hf_port *port;
	struct hf_timerq *timers;
	struct hf_log *log;
	struct hf_rand *rand;
	struct hf_store *store;
	struct hf_queue *queue;
	struct hf_connectivity *connectivity;
	const struct hf_sync_origin *origins; /* stay valid */
	struct hf_credentials *credentials;   /* NULL: there are none */
	unsigned origins_n;
	uint32_t backoff_base_ms, backoff_cap_ms, retry_after_max_s;
	size_t answer_bytes_max;
};

int hf_sync_create(const struct hf_sync_options *opt, struct hf_sync **out);
/* Cancels running attempts; their records stay as they are in the store. */
void hf_sync_destroy(struct hf_sync *s);

/* From the queue: @lane has changed. Before hf_sync_start nothing is sent. */
void hf_sync_lane(struct hf_sync *s, struct hf_lane *lane);
void hf_sync_start(struct hf_sync *s);
/* Starts nothing new; what runs goes on until it is idle or destroyed. */
void hf_sync_stop(struct hf_sync *s);
bool hf_sync_is_idle(const struct hf_sync *s);
/* A lane waits for @origin: a trial is for it. */
bool hf_sync_wants(const struct hf_sync *s, unsigned origin);
/* From connectivity. */
void hf_sync_origin_changed(struct hf_sync *s, unsigned origin, enum hf_reach reach);
void hf_sync_trial(struct hf_sync *s, unsigned origin);
void hf_sync_answered(struct hf_sync *s, unsigned origin);
/* The link has come up: what waits for the network and not for a time that the
 * origin named goes with the next trial. */
void hf_sync_link(struct hf_sync *s);
/* The clock can be trusted now: what waited for it may go. */
void hf_sync_clock(struct hf_sync *s);
/* A token of @origin has come, or cannot be had for now: what waited for it goes. */
void hf_sync_credential(struct hf_sync *s, unsigned origin);
/* Tries everything of @origin (UINT_MAX: of all) that waits, at once (not before a
 * Retry-After). */
void hf_sync_now(struct hf_sync *s, unsigned origin);

#endif

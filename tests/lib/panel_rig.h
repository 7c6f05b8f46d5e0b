/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything between a panel and an origin, over a network in memory and a
 * store in a temporary directory: ingress, fetch, queue, sync, connectivity and
 * the HTTP/1.1 transport. The test is the panel and the origin.
 */
#ifndef HF_TESTS_PANEL_RIG_H
#define HF_TESTS_PANEL_RIG_H

#include "fetch/fetch.h"
#include "ingress/ingress.h"
#include "lib/fake_net.h"
#include "store/store.h"
#include "sync/sync.h"

#define PANEL_RIG_HOST "shop.localhost:8480"

struct panel_rig {
	struct fake_net net;
	char dir[64];
	struct hf_job *jobs, **jobs_end;
	bool hold_jobs;				    /* the store thread stands still */
	const struct hf_listener_events *accept[2]; /* panel, control */
	void *accept_user[2];
	struct hf_peer peer; /* of the next connection */
	struct hf_rand rand;
	/* settings; set between init and start */
	struct hf_fetch_options fetch_opt;
	struct hf_ingress_options ingress_opt;
	uint64_t store_bytes_max;
	unsigned origins_n;	 /* 1: shop; 2: till too, on the same host */
	struct hf_policy policy; /* of POST, PUT and DELETE below /api/ */
	/* the device */
	struct hf_store *store;
	struct hf_store_report report;
	struct hf_connectivity *connectivity;
	struct hf_transport *transport;
	struct hf_queue *queue;
	struct hf_sync *sync;
	struct hf_fetch *fetch;
	struct hf_ingress *ingress;
	struct hf_route route;
	struct hf_fetch_origin fetch_origin[2];
	struct hf_sync_origin sync_origin[2];
	bool loaded, stopped;
	unsigned sync_now_calls, sync_now_origin;
	size_t origin_at; /* connections to the origin that were looked at */
};

void panel_rig_init(struct panel_rig *r);
void panel_rig_start(struct panel_rig *r);
void panel_rig_finish(struct panel_rig *r);
/* As a power cut; panel_rig_start goes on with what is on the disk. */
void panel_rig_stop(struct panel_rig *r);
/* Both: same store, everything else new. */
void panel_rig_reboot(struct panel_rig *r);
/* Until nothing happens at this time. */
void panel_rig_settle(struct panel_rig *r);
void panel_rig_advance(struct panel_rig *r, uint64_t ms);

/* The origin refuses connections (or no more). */
void panel_rig_origin_down(struct panel_rig *r, bool down);

struct fake_peer *panel_rig_connect(struct panel_rig *r);
struct fake_peer *panel_rig_connect_control(struct panel_rig *r);
/* Sends @text, settles, and returns what came back. */
const char *panel_rig_ask(struct panel_rig *r, struct fake_peer *panel, const char *text);
/* The next connection the device has made to the origin, in order; NULL: none. */
struct fake_peer *panel_rig_origin(struct panel_rig *r);
/* The origin answers with @text; settles. */
void panel_rig_answer(struct panel_rig *r, struct fake_peer *origin, const char *text);

#endif

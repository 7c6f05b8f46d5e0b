/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The periodic sync manager: tags that pages, programs and the worker manifest
 * have registered, each fired once in its interval when its origin is reachable
 * and its conditions hold (sync/periodic_state.h). A registration is on the
 * medium before whoever registered hears of it; an event is marked there before
 * it begins.
 *
 * There is one timer for all of them, set to the earliest end of a slack: what is
 * due by then is fired in one wake-up.
 */
#ifndef HF_SYNC_PERIODIC_H
#define HF_SYNC_PERIODIC_H

#include "sync/tags.h"

struct hf_periodic;

/* One registration as others see it; valid during the call it is told in. */
struct hf_periodic_figures {
	uint64_t id;
	struct hf_span tag, worker;
	unsigned origin;
	const char *state; /* "waiting", "pending", "firing", "reregistered", "retrying"; of
			    * an event also "succeeded", "failed", "unregistered" */
	const char *kind;  /* "page", "replay", "refresh", "request" */
	uint64_t min_interval_ms, interval_ms;
	uint64_t next_ms;      /* until the next attempt may begin; UINT64_MAX: one is under way */
	int64_t next_wall_ms;  /* 0: not known */
	const char *waits_for; /* NULL or why one that is due is not fired */
	uint32_t attempts;     /* of the run under way, that failed */
	uint32_t runs, missed;
	const char *result; /* "success", "failure", NULL: none yet */
	const char *result_why;
	int result_status; /* 0: no answer */
	int64_t result_wall_ms;
	uint64_t result_age_ms;
	int64_t created_wall_ms; /* 0: the clock was not set */
	uint64_t age_ms;
	bool firing;
	const char *event; /* id of the event a page is asked to work on, or NULL */
	uint64_t left_ms;  /* of a running event */
};

struct hf_periodic_options {
	struct hf_sync_options sync;
	struct hf_tags *tags;		      /* looks for origins that are down */
	const struct hf_tags_worker *workers; /* stay valid */
	unsigned workers_n;
	uint8_t seed[16]; /* of the device: its share of each phase */
	/* What an event of @tag does and when; never NULL, stays valid. */
	const struct hf_periodic_sync *(*what)(void *user, unsigned worker, struct hf_span tag);
	/* The @n-th entry of the worker's manifest, NULL: no more. */
	const struct hf_periodic_sync *(*entry)(void *user, unsigned worker, size_t n);
	/* As of struct hf_tags_options. */
	const char *(*lane)(void *user, unsigned worker, struct hf_span tag, unsigned n,
			    bool *family);
	/* The link costs by the byte. */
	bool (*metered)(void *user);
	/* Device time is to be saved, so that a loss of power takes little of it. */
	void (*save_time)(void *user);
	/* Each change of a registration, after it is stored. */
	void (*on_event)(void *user, const struct hf_periodic_figures *f);
	void *user;
};

int hf_periodic_create(const struct hf_periodic_options *opt, struct hf_periodic **out);
/* After hf_store_destroy, before hf_tags_destroy. NULL is fine. */
void hf_periodic_destroy(struct hf_periodic *p);
/* Reads the registrations from the store, once, before anything else, and
 * registers what the manifests declare. Those of workers that are not configured
 * any more, and those that no manifest declares any more, are deleted. */
void hf_periodic_load(struct hf_periodic *p, void (*done)(void *user, int err), void *user);
/* Before it nothing is fired. */
void hf_periodic_start(struct hf_periodic *p);
/* Events under way end and do not count. */
void hf_periodic_stop(struct hf_periodic *p);

/* From hf_store_options.on_salvaged: what is known here is written again. */
void hf_periodic_restore(struct hf_periodic *p);
/* From connectivity. */
void hf_periodic_origin_changed(struct hf_periodic *p, unsigned origin, enum hf_reach reach);
/* The link or the net has changed. */
void hf_periodic_look(struct hf_periodic *p);
/* The clock was set, or its trust has changed. */
void hf_periodic_clock(struct hf_periodic *p);
/* What waits for a retry at @origin (UINT_MAX: at all) goes at once, but not before
 * a Retry-After. */
void hf_periodic_now(struct hf_periodic *p, unsigned origin);

/* ---- for pages, programs and the operator: as those of sync/tags.h ---- */

int hf_periodic_register(struct hf_periodic *p, struct hf_tag_change *c);
int hf_periodic_unregister(struct hf_periodic *p, struct hf_tag_change *c);
int hf_periodic_settle(struct hf_periodic *p, unsigned origin, struct hf_span id, bool success);
int hf_periodic_each(struct hf_periodic *p, unsigned worker, uint64_t after,
		     int (*each)(void *user, const struct hf_periodic_figures *f), void *user);
int hf_periodic_show(struct hf_periodic *p, unsigned worker, struct hf_span tag,
		     int (*each)(void *user, const struct hf_periodic_figures *f), void *user);

struct hf_periodic_totals {
	unsigned waiting, pending, firing, retrying; /* now */
	uint64_t fired, succeeded, failed;	     /* since start: events; runs */
	uint64_t dropped, damaged;		     /* at the start, of all origins */
};
/* Of @origin, UINT_MAX: of all. */
void hf_periodic_totals(const struct hf_periodic *p, unsigned origin,
			struct hf_periodic_totals *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sync manager: tags that pages and programs have registered, each fired
 * when its origin is reachable until its event succeeds, or its last chance is
 * gone (sync/tag_state.h). A registration is on the medium before whoever
 * registered hears of it; an event is marked there before it begins.
 *
 * Events that make requests go one at a time for each origin; those that pages
 * work on run beside them, up to CONFIG_HF_SYNC_PAGES_MAX.
 */
#ifndef HF_SYNC_TAGS_H
#define HF_SYNC_TAGS_H

#include "holdfast/sync_action.h"
#include "store/registrations.h"
#include "sync/sync.h"

struct hf_tags;
struct hf_tag;

struct hf_tags_worker {
	const char *name;
	unsigned origin;
};

/* One registration as others see it; valid during the call it is told in. */
struct hf_tag_figures {
	uint64_t id;
	struct hf_span tag, worker;
	unsigned origin;
	const char *state; /* "pending", "waiting", "firing", "reregistered", "exhausted";
			    * of an event also "succeeded", "unregistered", "forgotten" */
	const char *why;   /* "" or why it failed last */
	const char *kind;  /* "page", "replay", "refresh", "request" */
	uint32_t attempts, attempts_max;
	int status; /* of the last answer, 0: none */
	bool firing, last_chance;
	const char *event;	 /* id of the event a page is asked to work on, or NULL */
	uint64_t age_ms;	 /* since it was registered last */
	int64_t created_wall_ms; /* 0: the clock was not set */
	uint64_t next_ms;	 /* until the next attempt; UINT64_MAX: not known */
	uint64_t left_ms;	 /* of a running event */
};

/* UINT_MAX: none. */
unsigned hf_tags_worker_by_name(const struct hf_tags_worker *workers, unsigned n,
				struct hf_span name);

struct hf_tags_options {
	struct hf_sync_options sync;	      /* port, store, queue, origins and so on */
	const struct hf_tags_worker *workers; /* stay valid */
	unsigned workers_n;
	/* What an event of @tag does; never NULL, stays valid. */
	const struct hf_sync_action *(*action)(void *user, unsigned worker, struct hf_span tag);
	/* The @n-th lane in which requests of @tag are queued, NULL: no more. *family:
	 * and all whose names begin with it and '/' or '@'. */
	const char *(*lane)(void *user, unsigned worker, struct hf_span tag, unsigned n,
			    bool *family);
	/* Each change of a registration, after it is stored. */
	void (*on_event)(void *user, const struct hf_tag_figures *f);
	void *user;
};

int hf_tags_create(const struct hf_tags_options *opt, struct hf_tags **out);
/* After hf_store_destroy. NULL is fine. */
void hf_tags_destroy(struct hf_tags *t);
/* Reads the registrations from the store, once, before anything else. Those of
 * workers that are not configured any more are deleted. */
void hf_tags_load(struct hf_tags *t, void (*done)(void *user, int err), void *user);
/* Before it nothing is fired. */
void hf_tags_start(struct hf_tags *t);
/* Events under way end and do not count. */
void hf_tags_stop(struct hf_tags *t);

/* From hf_store_options.on_salvaged: what is known here is written again. */
void hf_tags_restore(struct hf_tags *t);

/* From connectivity. */
void hf_tags_origin_changed(struct hf_tags *t, unsigned origin, enum hf_reach reach);
/* The origin is down and one attempt may go; false: nothing waits for it. */
bool hf_tags_trial(struct hf_tags *t, unsigned origin);
/* Somebody else waits for @origin (or no more; counted): a trial may be ours. */
void hf_tags_want(struct hf_tags *t, unsigned origin, bool wanted);
/* Everything of @origin (UINT_MAX: of all) that waits goes at once, but not before
 * a Retry-After. */
void hf_tags_now(struct hf_tags *t, unsigned origin);

/* ---- for pages, programs and the operator ---- */

struct hf_tag_change {
	unsigned worker;	  /* in: index */
	struct hf_span tag;	  /* in: valid during the call */
	uint64_t min_interval_ms; /* in: of a periodic one that is registered */
	/* On the loop after the commit. register: 0, HF_EFULL, HF_EIO...;
	 * unregister: HF_ENOENT. */
	void (*done)(struct hf_tag_change *c, int err);
	void *user;
};
/* HF_EINVAL, HF_ETOOBIG. */
int hf_tag_check_text(struct hf_span text);
/* HF_EINVAL: not UTF-8, or control bytes; HF_ETOOBIG: longer than allowed;
 * HF_ELIMIT: the worker has too many; HF_ENOMEM. Nothing is begun then. */
int hf_tags_register(struct hf_tags *t, struct hf_tag_change *c);
/* Also dismisses an exhausted one. HF_ENOENT, HF_ENOMEM: nothing is begun. */
int hf_tags_unregister(struct hf_tags *t, struct hf_tag_change *c);
/* A page of @origin (UINT_MAX: the operator) says how event @id ended. HF_ENOENT. */
int hf_tags_settle(struct hf_tags *t, unsigned origin, struct hf_span id, bool success);

/* Calls @each for those with an id above @after, in the order of registration;
 * @worker UINT_MAX: of all. Stops at a non-zero return and returns it. */
int hf_tags_each(struct hf_tags *t, unsigned worker, uint64_t after,
		 int (*each)(void *user, const struct hf_tag_figures *f), void *user);
/* The one of @tag. HF_ENOENT. */
int hf_tags_show(struct hf_tags *t, unsigned worker, struct hf_span tag,
		 int (*each)(void *user, const struct hf_tag_figures *f), void *user);

struct hf_tags_totals {
	unsigned pending, waiting, firing, exhausted;		/* now */
	uint64_t fired, succeeded, failed, given_up, forgotten; /* since start */
	uint64_t dropped; /* at the start, of all origins: no such worker */
	uint64_t damaged; /* ... of all origins, too */
};
/* Of @origin; UINT_MAX: of all. */
void hf_tags_totals(const struct hf_tags *t, unsigned origin, struct hf_tags_totals *out);

#endif

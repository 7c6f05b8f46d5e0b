/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sync event of a tag does: declared by "sync" and "periodicSync" in the
 * worker manifest, carried out by sync/.
 */
#ifndef HOLDFAST_SYNC_ACTION_H
#define HOLDFAST_SYNC_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hf_sync_kind {
	HF_SYNC_PAGE,	 /* told on the event stream; a page says how it ended */
	HF_SYNC_REPLAY,	 /* the lanes of the routes that queue with the tag run dry */
	HF_SYNC_REFRESH, /* GET of each target, one after the other */
	HF_SYNC_REQUEST, /* one request */
};

struct hf_sync_field {
	char *name, *value;
};

struct hf_sync_action {
	char *tag; /* "*": every tag without an action of its own */
	enum hf_sync_kind kind;
	char **refresh;
	size_t refresh_n;
	char *method, *target, *body; /* body NULL: none */
	struct hf_sync_field *fields;
	size_t fields_n;
	uint32_t attempts_max; /* 0: as many as there is time for */
	uint32_t max_age_s;    /* from the registration on */
	uint32_t time_limit_s; /* of one event */
	uint32_t retry_s;      /* base of the back-off */
};

/* A periodic one: how it begins to be registered, and when it may be fired. */
struct hf_periodic_sync {
	struct hf_sync_action action; /* without its limits of attempts and age */
	bool declared;		      /* registered by the manifest, with */
	uint64_t min_interval_ms;     /* this */
	bool unmetered;		      /* not over a metered link */
	bool captive;		      /* also behind a captive portal */
	bool has_window;	      /* only between these minutes of the local day; */
	uint16_t from_min, to_min;    /* from above to: over midnight */
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pages of content (actors/content.h) a device has shown, and what was wrong
 * with them. A page is judged by what had been seen when it was asked for.
 */
#ifndef SIM_PAGES_H
#define SIM_PAGES_H

#include "actors/content.h"
#include "http/message.h"
#include "sim/device.h"

enum sim_page_fault {
	SIM_PAGE_BROKEN,   /* not whole, or another page */
	SIM_PAGE_OLD,	   /* older than one seen, where it has to be checked */
	SIM_PAGE_MIXED,	   /* of another release than the rest of the app */
	SIM_PAGE_STRANGER, /* somebody else's, and he is gone */
	SIM_PAGE_FAULTS,
};

/* One request for a page. */
struct sim_page_ask {
	struct sim_content content; /* its path is @path */
	char path[96], lang[8], origin[32];
	unsigned floor;	   /* it is no older, when it has to be checked */
	bool app_complete; /* the app had come out of the precache by then */
	bool stranger;	   /* somebody else may answer */
	uint64_t sent_us;
};

#define SIM_APP "/app"

struct sim_page_seen {
	const struct sim_device *dev;
	char path[96], lang[8], origin[32]; /* of the app: all its files in one, "/app" */
	unsigned version;		    /* the newest, 0: none yet */
};

/* The edition that an origin has published, and when. */
struct sim_edition {
	char origin[32];
	unsigned version;
	uint64_t at_us;
};

struct sim_pages {
	struct sim_edition *editions;
	size_t editions_n, editions_cap;
	struct sim_page_seen *v;
	size_t n, cap;
	uint64_t judged, hits;		   /* pages that were whole; those out of a cache */
	char faults[SIM_PAGE_FAULTS][360]; /* the first of each kind, "": none */
};

void sim_pages_finish(struct sim_pages *p);
void sim_pages_published(struct sim_pages *p, const char *origin, unsigned version,
			 uint64_t now_us);
/* False: @path is not content. */
bool sim_page_ask(struct sim_pages *p, const struct sim_device *dev, const char *origin,
		  const char *path, const char *lang, struct sim_page_ask *out);
/* @msg has come in full. Its version, 0: none; *@hit: out of a cache. */
unsigned sim_page_judge(struct sim_pages *p, const struct sim_device *dev,
			const struct sim_page_ask *ask, const struct hf_message *msg,
			struct hf_span body, bool *hit);

#endif

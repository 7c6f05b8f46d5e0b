/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Installs a worker's precache: fetches what its manifest lists into a precache of
 * its own and makes it the active one when it is whole. What is there already is
 * kept over power cuts; what did not change since the active version is taken over
 * from it. Until then the version before stays as it is.
 *
 * A file that the active version has lost is fetched again by itself; the others
 * stay as they are.
 *
 * A file that cannot be had (no answer, a status other than 200, a wrong integrity)
 * is tried again later, with back-off, and holds the version back. So does one that
 * somebody else may have given (cache/trial.h), unless its integrity says whose it is.
 */
#ifndef HF_FETCH_INSTALL_H
#define HF_FETCH_INSTALL_H

#include "cache/cache.h"
#include "fetch/fetch.h"
#include "worker/manifest.h"

struct hf_install;

enum hf_install_state {
	HF_INSTALL_IDLE, /* the active version is the manifest's */
	HF_INSTALL_RUNNING,
	HF_INSTALL_WAITING, /* a file could not be had: it goes on later */
};

struct hf_install_options {
	struct hf_fetch *fetch;
	const char *worker; /* its name */
	unsigned origin;
	const struct hf_manifest *manifest; /* stays */
	/* The active precache is @id now. */
	void (*activated)(void *user, uint32_t id);
	/* Its state, or what it waits for, has changed. */
	void (*changed)(void *user);
	void *user;
};

struct hf_install_figures {
	enum hf_install_state state;
	char version[33];	/* of the list, not the manifest's own word */
	size_t files, done;	/* of the version being installed, or active */
	const char *failed_url; /* the last that could not be had; NULL: none */
	const char *failure;	/* why: "404", "connection refused", "integrity" */
	uint64_t next_try_ms;	/* boot time; 0: none */
};

int hf_install_create(const struct hf_install_options *opt, struct hf_install **out);
/* @active: the worker's active precache, 0: none. */
void hf_install_start(struct hf_install *i, uint32_t active);
/* The origin is back: goes on now. */
void hf_install_poke(struct hf_install *i);
/* The active version was dropped: it is fetched anew. */
void hf_install_again(struct hf_install *i);
/* The active version has lost a file: what is not there is fetched again, into it. */
void hf_install_repair(struct hf_install *i);
/* Files that were open are proved, or never will be. */
void hf_install_judged(struct hf_install *i);
void hf_install_stop(struct hf_install *i);
/* After the shelf is gone. NULL is fine. */
void hf_install_destroy(struct hf_install *i);
void hf_install_figures(const struct hf_install *i, struct hf_install_figures *out);

#endif

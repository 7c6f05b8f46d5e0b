/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an origin has to give, so that it proves itself: the body follows from path,
 * language and version alone, so whoever has one can tell whether it is whole, of
 * this path, and how old.
 *
 *   /c/<policy>/<bytes>/<name>   changes with each edition of the origin
 *   /app/<bytes>/<name>          a file of the page's app: changes with each release
 *                                of it, unless its name begins with "same"
 */
#ifndef SIM_CONTENT_H
#define SIM_CONTENT_H

#include "base/span.h"

#define SIM_CONTENT_MAX (1u << 20)

struct sim_content {
	struct hf_span path;
	size_t size;
	const char *cache_control; /* "": the field is not there */
	bool app;		   /* a file of the app */
	bool fixed;		   /* the same in all releases */
	bool checked;		   /* never used without asking the origin */
	bool varies;		   /* by language */
};

/* False: it is no such path. */
bool sim_content_of(struct hf_span path, struct sim_content *out);
/* @lang "" where it does not vary. To be freed with sim_free(). */
char *sim_content_body(const struct sim_content *c, const char *lang, unsigned version);
/* The version that @body proves to be; 0: it is not the whole of any. */
unsigned sim_content_version(const struct sim_content *c, const char *lang, struct hf_span body);

/* The precache of a release, as a manifest has it: "precache": [...]. */
char *sim_content_precache(unsigned release);
/* @manifest with the precache of @release in place of its own. */
char *sim_content_upgraded(const char *manifest, unsigned release);
/* The files of the app, up to a NULL. */
extern const char *const sim_content_files[];

#endif

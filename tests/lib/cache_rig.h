/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cache of a few entries in memory, made of the decisions of cache/policy.h
 * alone, between a script's client and its origin. A script is a row of steps:
 * what is asked, what the origin would answer, how it must end.
 *
 * Fields are lines "Name: value" LF. A value "@-3000" is the HTTP date of the
 * step's time less 3000 seconds.
 */
#ifndef HF_TESTS_CACHE_RIG_H
#define HF_TESTS_CACHE_RIG_H

#include "cache/policy.h"

enum cache_end {
	END_ANY,	    /* not compared */
	END_CACHED,	    /* from the cache, without the origin */
	END_MISS,	    /* the origin's own answer, asked without our condition */
	END_ETAG_VALIDATED, /* If-None-Match sent, 304 */
	END_DATE_VALIDATED, /* If-Modified-Since alone sent, 304 */
	END_ASKED,	    /* a condition sent, another answer than 304 */
	END_TIMEOUT,	    /* 504 of the cache */
};

struct cache_step {
	const char *method; /* NULL: GET */
	const char *target; /* NULL: "/a/b" */
	const char *ask;
	int status;	    /* of the origin; 0: 200 */
	const char *answer; /* fields; NULL: those of the step before */
	const char *body;   /* NULL: "0123456789" */
	bool disconnect;    /* the origin cannot be reached */
	unsigned pause_s;   /* after the step */
	/* expectations */
	enum cache_end end;
	int expect_status;	 /* 0: not compared */
	const char *expect;	 /* fields that the client must get */
	const char *expect_not;	 /* names, or fields, that it must not */
	const char *expect_sent; /* fields that the origin must get */
	const char *expect_unsent;
	const char *expect_body; /* NULL: not compared */
};

#define CACHE_STEPS_MAX 4

struct cache_case {
	const char *id;
	struct cache_step steps[CACHE_STEPS_MAX];
	size_t n;
	bool is_private;
	bool offline_stale; /* rules: anything stale while disconnected */
	bool no_clock;	    /* the wall clock is not trusted */
};

#define CACHE_CASE(name, ...)                                                                  \
	{                                                                                      \
		.id = name, .steps = { __VA_ARGS__ },                                          \
		.n = sizeof((struct cache_step[]){ __VA_ARGS__ }) / sizeof(struct cache_step), \
	}
/* An answer that is asked for again after three seconds. */
#define CACHE_PAIR(name, text, how) \
	CACHE_CASE(name, { .answer = (text), .pause_s = 3 }, { .end = (how) })

/* Runs all rows; prints each failed one, returns how many failed. */
int cache_rig_run(const struct cache_case *cases, size_t n);

/* "Name: value" LF into fields of @arena, dates as above against @unix_s. */
void cache_rig_fields(struct hf_arena *arena, const char *text, int64_t unix_s,
		      struct hf_fields *out);

#endif

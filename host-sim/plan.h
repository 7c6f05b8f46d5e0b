/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan: what is done to the world and what is expected of it, step by step.
 * A scenario file is one way to get a plan (script.h), a seed another (soak.h);
 * run.h carries it out.
 */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cast.h"
#include "sim/world.h"

enum sim_do {
	/* the world of a device */
	SIM_DO_LINK,	   /* a: enum sim_link; captive: b: enum sim_portal_kind */
	SIM_DO_LINK_FLAPS, /* a: microseconds down, b: up */
	SIM_DO_METERED,	   /* a: 1: what crosses the link is counted from now on */
	SIM_DO_DNS,	   /* a: enum sim_dns_mode; slow: b: microseconds */
	SIM_DO_NETWORK,	   /* a: enum sim_net_fault; b: value; c: enum sim_direction */
	SIM_DO_CLOCK,	   /* a: enum sim_clock_fault; b: microseconds */
	SIM_DO_CUT,	   /* a: at the nth disk operation, 0: now; b: again, at the
			    * nth of the next boot */
	SIM_DO_BOOT,
	SIM_DO_REBOOT_AFTER, /* a: microseconds, SIM_NEVER: by hand */
	SIM_DO_DISK,	     /* a: enum sim_disk_fault; b: value */
	SIM_DO_MEMORY,	     /* a: the allocation from now that fails, 0: none */
	SIM_DO_PROCESS,	     /* a: enum sim_process_fault; b: times; c: microseconds */
	/* origins */
	SIM_DO_ORIGIN_UP,      /* also ends silence */
	SIM_DO_ORIGIN_DOWN,    /* refuses calls */
	SIM_DO_ORIGIN_SILENT,  /* nothing comes through to it */
	SIM_DO_ORIGIN_ANSWER,  /* a: status, 0: normally again; b: Retry-After seconds */
	SIM_DO_ORIGIN_LOSE,    /* a: percent of answers lost after the effect */
	SIM_DO_ORIGIN_CUTS,    /* a: percent of answers that break off */
	SIM_DO_ORIGIN_GARBLE,  /* a: percent of answers that are not HTTP */
	SIM_DO_ORIGIN_CERT,    /* a: enum sim_cert */
	SIM_DO_ORIGIN_SLOW,    /* a: microseconds */
	SIM_DO_ORIGIN_LARGE,   /* a: bytes of each order's answer, 0: short ones */
	SIM_DO_ORIGIN_TOKENS,  /* a: microseconds that a token lives, which orders need */
	SIM_DO_ORIGIN_PUBLISH, /* a new edition of its content */
	SIM_DO_ORIGIN_VALUE,   /* path, body: what is there from now on, to be observed */
	/* people */
	SIM_DO_ORDER,	 /* method, path, body; "{n}" is the order's number; a: the order
			  * that it waits for, 0: none, SIM_NEVER: the last one */
	SIM_DO_GET,	 /* path; body: the language, NULL: English */
	SIM_DO_SENSOR,	 /* method, path, body; panel: the sensor, NULL: each of them */
	SIM_DO_AIR,	 /* as SIM_DO_NETWORK, between a sensor and its device */
	SIM_DO_RELEASE,	 /* a: release of the app, for origins and manifests */
	SIM_DO_FOLLOW,	 /* the panel follows the event stream */
	SIM_DO_OBSERVE,	 /* path, which the panel observes */
	SIM_DO_READ,	 /* the pages read the stored answers they do not have yet */
	SIM_DO_CANCEL,	 /* a: the order */
	SIM_DO_RETRY,	 /* a: the order; the operator does it */
	SIM_DO_WAIT,	 /* a: microseconds */
	SIM_DO_NOTE,	 /* body: a line for the story */
	SIM_DO_ALL_WELL, /* every fault ends; a: microseconds until nothing may wait */
	/* expectations, from here on */
	SIM_DO_EXPECT_ANSWER,	 /* of the panel's last request: status[] */
	SIM_DO_EXPECT_RECEIVED,	 /* a: orders that have reached the origin, each once */
	SIM_DO_EXPECT_DELIVERED, /* a: orders that had their effect */
	SIM_DO_EXPECT_QUEUE_EMPTY,
	SIM_DO_EXPECT_ORDER_KEPT,
	SIM_DO_EXPECT_LOST,	  /* a */
	SIM_DO_EXPECT_DUPLICATED, /* a */
	SIM_DO_EXPECT_ANSWERS,	  /* the page gets each stored answer */
	SIM_DO_EXPECT_CUTS,	  /* a */
	SIM_DO_EXPECT_STATE,	  /* a: orders in the state @body, for the reason @path if any */
	SIM_DO_EXPECT_ATTEMPTS,	  /* a: at most so many attempts of any order */
	SIM_DO_EXPECT_EVENTS,	  /* a: at least so many of the event stream */
	SIM_DO_EXPECT_IDLE,	  /* a: for so many microseconds nothing happens */
	SIM_DO_EXPECT_METERED,	  /* a: at most so many bytes have crossed the link */
	SIM_DO_EXPECT_RESTARTS,	  /* a: of the process, power cuts not counted */
	SIM_DO_EXPECT_FETCHED,	  /* a: GETs of @path that were answered with 200 */
	SIM_DO_EXPECT_PAGE,	  /* a: version of the last page; b: 1 a cache's, 2 the origin's */
	SIM_DO_EXPECT_LOG,	  /* body: the agent has logged a line with this in it */
	SIM_DO_EXPECT_HEARD,	  /* body: the last value of what the panel observes */
	SIM_DO_EXPECT_STALE,	  /* the panel was told that it may be old */
};

#define SIM_STATUSES	4
#define SIM_ALL_WELL_US (6 * SIM_US_PER_H)

struct sim_step {
	enum sim_do what;
	/* When: at this time, or, SIM_NEVER, right after the step before. */
	uint64_t at_us;
	uint64_t after_us; /* and this much later */
	/* Again and again from then on, without holding up the steps below. */
	uint64_t every_low_us, every_high_us; /* 0: once */
	uint64_t times;			      /* SIM_NEVER: without number */
	uint64_t until_us;		      /* SIM_NEVER: without end */
	/* Expectations: become true at the latest then. */
	uint64_t within_us; /* after the step began */
	uint64_t by_us;	    /* at this time; SIM_NEVER: @within_us counts */
	uint64_t a, b, c;
	const char *device, *panel, *origin; /* names; NULL: the first */
	const char *method, *path, *body;
	uint16_t status[SIM_STATUSES]; /* any of them, up to the first 0 */
	unsigned line, column;	       /* in the scenario file, 0: none */
};

struct sim_plan {
	char *title;
	uint64_t seed; /* that it was found with, 0: any */
	struct sim_cast cast;
	char *config, *manifest; /* NULL: the stage's own */
	uint64_t begins_us;	 /* time of day at the beginning of the world */
	bool has_clock;		 /* a time of day was given */
	uint64_t lasts_us;	 /* 0: until the last step */
	struct sim_step *v;
	size_t n, cap;
	char **strings; /* owned texts of the steps */
	size_t strings_n;
};

void sim_plan_init(struct sim_plan *p);
void sim_plan_finish(struct sim_plan *p);
/* A step with the defaults: once, right after the one before. Valid until the
 * next call. */
struct sim_step *sim_plan_add(struct sim_plan *p, enum sim_do what);
/* A copy that lives as long as the plan. */
const char *sim_plan_text(struct sim_plan *p, const char *text, size_t len);
/* Text of that length, the same for the same length. */
const char *sim_plan_filler(struct sim_plan *p, size_t len);
/* True when @text is that of its length. */
bool sim_plan_is_filler(const char *text);
/* True for steps that look and do not touch. */
bool sim_step_expects(const struct sim_step *s);

#endif

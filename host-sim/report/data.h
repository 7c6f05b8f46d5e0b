/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record as JSON, the data of the report's page. Times are microseconds since
 * the beginning of the world; begins_us is the time of day at which it began.
 *
 *   { format, title, command, version, commit, seed, trace, begins_us?, end_us, lasts_us?,
 *     failure: null | { what, check, file, line, column, text },
 *     totals:   [{ key, name, value, unit?, good? }],
 *     checks:   [{ name, promise, holds: true | false | null, why? }],
 *     bands:    [{ name, of, spans: [{ from, mood, text }] }],
 *     marks:    [{ at, kind, text }],
 *     series:   [{ name, unit, kind: "level" | "sum", width?, points: [[at, value]] }],
 *     lanes:    [name],
 *     requests: [{ number, lane, panel?, method, path, sent, answered, status, error?, id?,
 *                  end, state?, reason?, attempts: [[at, status, effect]], told?, stored? }] }
 *
 * A span ends where the next begins. "level" holds until the next point; "sum"
 * is what came within width from there on. end is when the last attempt reached
 * the origin of a request that had its effect, null without one; told is when
 * the page heard of the end, stored the status of the stored answer, -1 for none;
 * state and reason are what the device said when a panel asked.
 */
#ifndef SIM_DATA_H
#define SIM_DATA_H

#include "plan.h"
#include "report.h"
#include "report/record.h"
#include "run.h"

#include <cjson/cJSON.h>

/* What the record cannot know. */
struct sim_about {
	const char *command; /* that repeats the run */
	const char *file;    /* the scenario, NULL: none */
	uint64_t trace_hash;
	const struct sim_plan *plan;
	const struct sim_failure *failure;
	const struct sim_totals *totals;
};

/* After the run, before the stage is finished. The caller deletes it. */
cJSON *sim_data_create(const struct sim_record *r, const struct sim_about *about);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port for unit tests: a clock that stands still until it is moved, jobs
 * that run when the test says so, a temporary state directory, a log kept in
 * memory. Streams, listeners and look-ups are refused with HF_ENOTSUP; a test
 * that needs them puts its own functions into port.
 */
#ifndef HF_TESTS_FAKE_PORT_H
#define HF_TESTS_FAKE_PORT_H

#include "base/log.h"
#include "base/rand.h"
#include "holdfast/port.h"

#define FAKE_LOG_SIZE 16384

struct fake_port {
	struct hf_port port;
	uint64_t boot_us;
	int64_t wall_ms;
	enum hf_clock_trust trust;
	int32_t utc_offset_s;
	bool metered;
	uint64_t wake_at_ms; /* UINT64_MAX: none */
	uint8_t boot_id[16];
	struct hf_rand rand;
	const char *vfs; /* NULL: SQLite's default */
	char dir[64];	 /* removed by fake_port_finish */
	struct hf_job *first, **end;
	unsigned jobs_run;
	bool ready;
	struct hf_log log;	      /* writes into log_text */
	char log_text[FAKE_LOG_SIZE]; /* lines; the oldest are dropped */
	size_t log_len;
	bool log_print; /* to stderr as well; set by FAKE_PORT_LOG in the environment */
};

/* Aborts when no temporary directory can be made. */
void fake_port_init(struct fake_port *f);
void fake_port_finish(struct fake_port *f);

/* Runs the jobs that wait now, in order, each followed by its done; fires the
 * wake-up when it is due. Returns the number of jobs. */
unsigned fake_port_turn(struct fake_port *f);
/* Turns until nothing happens. */
void fake_port_settle(struct fake_port *f);
/* Moves both clocks on. */
void fake_port_advance(struct fake_port *f, uint64_t ms);

#endif

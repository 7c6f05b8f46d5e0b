/* SPDX-License-Identifier: Apache-2.0 */
/* struct hf_port, jobs. */
#include "lib/port_contract_private.h"

#include <stdlib.h>
#include <string.h>

#define JOBS 100

struct job_log {
	int ran, done;
	bool ran_in_order, done_in_order, done_first;
	struct port_world *w;
};

struct test_job {
	struct hf_job job;
	struct job_log *log;
	int number;
	bool has_run, again;
};

static void run_job(struct hf_job *job)
{
	struct test_job *t = (struct test_job *)job;

	if (t->number != t->log->ran++)
		t->log->ran_in_order = false;
	t->has_run = true;
}

static void job_done(struct hf_job *job)
{
	struct test_job *t = (struct test_job *)job;

	port_note_event();
	if (!t->has_run)
		t->log->done_first = true;
	if (t->number != t->log->done++)
		t->log->done_in_order = false;
	if (t->again) {
		t->again = false;
		t->number = JOBS;
		t->log->w->port->job_submit(t->log->w->port, job);
	}
}

static void submit_jobs(struct port_world *w, struct test_job jobs[JOBS], struct job_log *log)
{
	*log = (struct job_log){ .ran_in_order = true, .done_in_order = true, .w = w };
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct test_job){
			.job = { .run = run_job, .done = job_done },
			.log = log,
			.number = i,
			.again = i == JOBS - 1,
		};
		port_inside = true;
		w->port->job_submit(w->port, &jobs[i].job);
		port_inside = false;
	}
}

static const char *jobs_run_and_are_done_in_order(struct port_world *w)
{
	struct test_job jobs[JOBS];
	struct job_log log;

	submit_jobs(w, jobs, &log);
	CHECK(log.done == 0);
	WAIT_FOR(w, log.done == JOBS + 1);
	CHECK(log.ran_in_order && log.done_in_order && !log.done_first);
	return NULL;
}

static const char *jobs_finish_runs_all_of_them(struct port_world *w)
{
	struct test_job jobs[JOBS];
	struct job_log log;

	submit_jobs(w, jobs, &log);
	w->port->jobs_finish(w->port);
	CHECK(log.done == JOBS + 1);
	CHECK(log.ran_in_order && log.done_in_order && !log.done_first);
	port_quiet(w);
	CHECK(log.done == JOBS + 1);
	w->port->jobs_finish(w->port); /* with none it returns */
	return NULL;
}

/* One job of each queue, given in turn. */
static void submit_to_both(struct port_world *w, struct test_job jobs[2][JOBS],
			   struct job_log logs[2])
{
	for (int q = 0; q < 2; q++)
		logs[q] = (struct job_log){ .ran_in_order = true, .done_in_order = true, .w = w };
	for (int i = 0; i < 2 * JOBS; i++) {
		struct test_job *job = &jobs[i % 2][i / 2];

		*job = (struct test_job){
			.job = { .run = run_job,
				 .done = job_done,
				 .queue = i % 2 ? HF_JOBS_CACHE : HF_JOBS_STORE },
			.log = &logs[i % 2],
			.number = i / 2,
			.again = i / 2 == JOBS - 1,
		};
		port_inside = true;
		w->port->job_submit(w->port, &job->job);
		port_inside = false;
	}
}

static bool both_in_order(const struct job_log logs[2])
{
	for (int q = 0; q < 2; q++) {
		if (!logs[q].ran_in_order || !logs[q].done_in_order || logs[q].done_first)
			return false;
	}
	return true;
}

static const char *each_queue_keeps_its_order(struct port_world *w)
{
	struct test_job jobs[2][JOBS];
	struct job_log logs[2];

	submit_to_both(w, jobs, logs);
	CHECK(logs[0].done == 0 && logs[1].done == 0);
	WAIT_FOR(w, logs[0].done == JOBS + 1 && logs[1].done == JOBS + 1);
	CHECK(both_in_order(logs));
	return NULL;
}

static const char *jobs_finish_runs_both_queues(struct port_world *w)
{
	struct test_job jobs[2][JOBS];
	struct job_log logs[2];

	submit_to_both(w, jobs, logs);
	w->port->jobs_finish(w->port);
	CHECK(logs[0].done == JOBS + 1 && logs[1].done == JOBS + 1);
	CHECK(both_in_order(logs));
	port_quiet(w);
	CHECK(logs[0].done == JOBS + 1 && logs[1].done == JOBS + 1);
	return NULL;
}

const struct port_case port_job_cases[] = {
	CASE(jobs_run_and_are_done_in_order),
	CASE(jobs_finish_runs_all_of_them),
	CASE(each_queue_keeps_its_order),
	CASE(jobs_finish_runs_both_queues),
	{ NULL, NULL },
};

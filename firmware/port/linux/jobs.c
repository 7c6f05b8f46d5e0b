/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store thread: runs jobs one after another in the order of submission.
 * What has run goes to a second list; the loop empties it on a later turn. Many
 * that finish meanwhile cost the loop one wake-up (uv_async does not count).
 * A thread without a job sleeps and never wakes.
 *
 *	job_submit -> todo -> [thread] run -> ran -> [loop] done
 */
#include <assert.h>
#include <pthread.h>
#include <signal.h>

#include "port/linux/loop.h"

#define STACK_BYTES (512 * 1024) /* musl's 128 KiB are short for SQLite */

static struct hf_linux_jobs *jobs_of(struct hf_port *port)
{
	return &hf_linux_of(port)->jobs;
}

/* ---- the thread ---- */

/* Waits for a job and takes it; NULL at the end. Under the lock. */
static struct hf_job *take_todo(struct hf_linux_jobs *j)
{
	struct hf_job *job;

	while (!j->todo && !j->stopping)
		uv_cond_wait(&j->work, &j->lock);
	job = j->todo;
	if (!job)
		return NULL;
	j->todo = job->next;
	if (!j->todo)
		j->todo_end = &j->todo;
	job->next = NULL;
	return job;
}

static void put_ran(struct hf_linux_jobs *j, struct hf_job *job)
{
	*j->ran_end = job;
	j->ran_end = &job->next;
	j->ran_count++;
	if (j->finishing)
		uv_cond_signal(&j->rest);
	else
		uv_async_send(&j->async);
}

static void run_jobs(void *user)
{
	struct hf_linux_jobs *j = user;
	struct hf_job *job;

	uv_mutex_lock(&j->lock);
	while ((job = take_todo(j))) {
		uv_mutex_unlock(&j->lock);
		job->run(job);
		uv_mutex_lock(&j->lock);
		put_ran(j, job);
	}
	uv_mutex_unlock(&j->lock);
}

/* ---- the loop's side ---- */

/* All that have run; with @wait, at least one if any is unfinished. */
static struct hf_job *take_ran(struct hf_linux_jobs *j, bool wait)
{
	struct hf_job *first;

	uv_mutex_lock(&j->lock);
	j->finishing = wait;
	while (wait && !j->ran && j->unfinished > 0)
		uv_cond_wait(&j->rest, &j->lock);
	j->finishing = false;
	first = j->ran;
	j->ran = NULL;
	j->ran_end = &j->ran;
	uv_mutex_unlock(&j->lock);
	return first;
}

static void call_done(struct hf_linux_jobs *j, struct hf_job *first)
{
	while (first) {
		struct hf_job *job = first;

		first = job->next; /* done may free or submit it */
		job->next = NULL;
		assert(j->unfinished > 0);
		j->unfinished--;
		job->done(job);
	}
}

static void jobs_ran(uv_async_t *async)
{
	struct hf_linux_jobs *j = hf_container_of(async, struct hf_linux_jobs, async);

	call_done(j, take_ran(j, false));
}

static void job_submit(struct hf_port *port, struct hf_job *job)
{
	struct hf_linux_jobs *j = jobs_of(port);

	job->next = NULL;
	j->unfinished++;
	uv_mutex_lock(&j->lock);
	*j->todo_end = job;
	j->todo_end = &job->next;
	uv_mutex_unlock(&j->lock);
	uv_cond_signal(&j->work); /* after the lock: the thread finds it free */
}

static void jobs_finish(struct hf_port *port)
{
	struct hf_linux_jobs *j = jobs_of(port);

	while (j->unfinished > 0)
		call_done(j, take_ran(j, true));
}

bool hf_linux_jobs_move(struct hf_port_linux *p, uint64_t *ran_count)
{
	struct hf_linux_jobs *j = &p->jobs;
	uint64_t before = *ran_count;

	uv_mutex_lock(&j->lock);
	*ran_count = j->ran_count;
	uv_mutex_unlock(&j->lock);
	return j->unfinished == 0 || *ran_count != before;
}

/* ---- beginning and end ---- */

/* Signals are the loop's business; none interrupts a write of the store. */
static int start_thread(struct hf_linux_jobs *j)
{
	const uv_thread_options_t options = {
		.flags = UV_THREAD_HAS_STACK_SIZE,
		.stack_size = STACK_BYTES,
	};
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = uv_thread_create_ex(&j->thread, &options, run_jobs, j);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err ? HF_ENOMEM : 0;
}

int hf_linux_jobs_init(struct hf_port_linux *p)
{
	struct hf_linux_jobs *j = &p->jobs;
	int err;

	p->port.job_submit = job_submit;
	p->port.jobs_finish = jobs_finish;
	j->todo_end = &j->todo;
	j->ran_end = &j->ran;
	if (uv_async_init(&p->loop, &j->async, jobs_ran))
		return HF_ELIMIT;
	if (uv_mutex_init(&j->lock))
		return HF_ENOMEM;
	if (uv_cond_init(&j->work))
		goto no_work;
	if (uv_cond_init(&j->rest))
		goto no_rest;
	err = start_thread(j);
	if (!err) {
		j->started = true;
		return 0;
	}
	uv_cond_destroy(&j->rest);
no_rest:
	uv_cond_destroy(&j->work);
no_work:
	uv_mutex_destroy(&j->lock);
	return HF_ENOMEM;
}

void hf_linux_jobs_finish(struct hf_port_linux *p)
{
	struct hf_linux_jobs *j = &p->jobs;

	if (!j->started)
		return;
	jobs_finish(&p->port);
	uv_mutex_lock(&j->lock);
	j->stopping = true;
	uv_cond_signal(&j->work);
	uv_mutex_unlock(&j->lock);
	uv_thread_join(&j->thread);
	uv_cond_destroy(&j->rest);
	uv_cond_destroy(&j->work);
	uv_mutex_destroy(&j->lock);
	j->started = false;
}

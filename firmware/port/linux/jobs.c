/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads of the databases: each runs the jobs of its queue one after another
 * in the order of submission. What has run goes to a second list; the loop empties
 * it on a later turn. Many that finish meanwhile cost the loop one wake-up (uv_async
 * does not count). A thread without a job sleeps and never wakes; the second one
 * begins with its first job.
 *
 *	job_submit -> todo -> [thread] run -> ran -> [loop] done
 */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "port/linux/loop.h"

#define STACK_BYTES (512 * 1024) /* musl's 128 KiB are short for SQLite */

static struct hf_linux_jobs *jobs_of(struct hf_port *port)
{
	return &hf_linux_of(port)->jobs;
}

/* ---- a thread ---- */

/* Waits for a job and takes it; NULL at the end. Under the lock. */
static struct hf_job *take_todo(struct hf_linux_worker *w)
{
	struct hf_job *job;

	while (!w->todo && !w->jobs->stopping)
		uv_cond_wait(&w->work, &w->jobs->lock);
	job = w->todo;
	if (!job)
		return NULL;
	w->todo = job->next;
	if (!w->todo)
		w->todo_end = &w->todo;
	job->next = NULL;
	w->running = job;
	return job;
}

static void put_ran(struct hf_linux_worker *w, struct hf_job *job)
{
	struct hf_linux_jobs *j = w->jobs;

	*j->ran_end = job;
	j->ran_end = &job->next;
	j->workers[job->queue].ran_count++;
	w->running = NULL;
	if (j->finishing)
		uv_cond_signal(&j->rest);
	else
		uv_async_send(&j->async);
}

static void run_jobs(void *user)
{
	struct hf_linux_worker *w = user;
	struct hf_linux_jobs *j = w->jobs;
	bool confined = false;
	struct hf_job *job;

	uv_mutex_lock(&j->lock);
	while ((job = take_todo(w))) {
		uv_mutex_unlock(&j->lock);
		/* before the first job: the rules are made after the first thread */
		if (!confined && hf_linux_confine_thread(j->port))
			abort();
		confined = true;
		job->run(job);
		uv_mutex_lock(&j->lock);
		put_ran(w, job);
	}
	uv_mutex_unlock(&j->lock);
}

/* Signals are the loop's business; none interrupts a write of a database. */
static int start_thread(struct hf_linux_worker *w)
{
	const uv_thread_options_t options = {
		.flags = UV_THREAD_HAS_STACK_SIZE,
		.stack_size = STACK_BYTES,
	};
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = uv_thread_create_ex(&w->thread, &options, run_jobs, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->started = !err;
	return err ? HF_ENOMEM : 0;
}

/* ---- the loop's side ---- */

static bool unfinished(const struct hf_linux_jobs *j)
{
	for (int i = 0; i < HF_JOB_QUEUES; i++) {
		if (j->workers[i].unfinished > 0)
			return true;
	}
	return false;
}

/* All that have run; with @wait, at least one if any is unfinished. */
static struct hf_job *take_ran(struct hf_linux_jobs *j, bool wait)
{
	struct hf_job *first;

	uv_mutex_lock(&j->lock);
	j->finishing = wait;
	while (wait && !j->ran && unfinished(j))
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
		struct hf_linux_worker *w = &j->workers[job->queue];

		first = job->next; /* done may free or submit it */
		job->next = NULL;
		assert(w->unfinished > 0);
		w->unfinished--;
		job->done(job);
	}
}

static void jobs_ran(uv_async_t *async)
{
	struct hf_linux_jobs *j = hf_container_of(async, struct hf_linux_jobs, async);

	call_done(j, take_ran(j, false));
}

/* The thread that runs @job: when its own cannot be had, the first one. */
static struct hf_linux_worker *worker_for(struct hf_linux_jobs *j, const struct hf_job *job)
{
	struct hf_linux_worker *w = &j->workers[job->queue];

	assert(job->queue < HF_JOB_QUEUES);
	return w->started || !start_thread(w) ? w : &j->workers[0];
}

static void job_submit(struct hf_port *port, struct hf_job *job)
{
	struct hf_linux_jobs *j = jobs_of(port);
	struct hf_linux_worker *w = worker_for(j, job);

	job->next = NULL;
	j->workers[job->queue].unfinished++;
	uv_mutex_lock(&j->lock);
	*w->todo_end = job;
	w->todo_end = &job->next;
	uv_mutex_unlock(&j->lock);
	uv_cond_signal(&w->work); /* after the lock: the thread finds it free */
}

static void jobs_finish(struct hf_port *port)
{
	struct hf_linux_jobs *j = jobs_of(port);

	while (unfinished(j))
		call_done(j, take_ran(j, true));
}

static unsigned moves_of(const struct hf_linux_worker *w)
{
	const struct hf_job *job = w->running;

	return job && job->moved ? atomic_load_explicit(job->moved, memory_order_relaxed) : 0;
}

bool hf_linux_jobs_move(struct hf_port_linux *p, struct hf_linux_moves seen[HF_JOB_QUEUES])
{
	struct hf_linux_moves now[HF_JOB_QUEUES];
	struct hf_linux_jobs *j = &p->jobs;
	bool all = true;

	uv_mutex_lock(&j->lock);
	for (int i = 0; i < HF_JOB_QUEUES; i++) {
		const struct hf_linux_worker *w = &j->workers[i];

		now[i] = (struct hf_linux_moves){ .ran = w->ran_count, .moved = moves_of(w) };
		if (w->unfinished > 0 && now[i].ran == seen[i].ran && now[i].moved == seen[i].moved)
			all = false;
	}
	uv_mutex_unlock(&j->lock);
	if (all)
		memcpy(seen, now, sizeof(now));
	return all;
}

/* ---- beginning and end ---- */

static void destroy(struct hf_linux_jobs *j)
{
	for (int i = 0; i < HF_JOB_QUEUES; i++) {
		if (j->workers[i].ready)
			uv_cond_destroy(&j->workers[i].work);
		j->workers[i].ready = false;
	}
	uv_cond_destroy(&j->rest);
	uv_mutex_destroy(&j->lock);
}

static int init_worker(struct hf_linux_jobs *j, struct hf_linux_worker *w)
{
	w->jobs = j;
	w->todo_end = &w->todo;
	if (uv_cond_init(&w->work))
		return HF_ENOMEM;
	w->ready = true;
	return 0;
}

int hf_linux_jobs_init(struct hf_port_linux *p)
{
	struct hf_linux_jobs *j = &p->jobs;
	int err = 0;

	j->port = p;
	p->port.job_submit = job_submit;
	p->port.jobs_finish = jobs_finish;
	j->ran_end = &j->ran;
	if (uv_async_init(&p->loop, &j->async, jobs_ran))
		return HF_ELIMIT;
	if (uv_mutex_init(&j->lock))
		return HF_ENOMEM;
	if (uv_cond_init(&j->rest)) {
		uv_mutex_destroy(&j->lock);
		return HF_ENOMEM;
	}
	for (int i = 0; i < HF_JOB_QUEUES && !err; i++)
		err = init_worker(j, &j->workers[i]);
	if (!err)
		err = start_thread(&j->workers[0]);
	if (err)
		destroy(j);
	j->started = !err;
	return err;
}

static void join(struct hf_linux_worker *w)
{
	if (!w->started)
		return;
	uv_mutex_lock(&w->jobs->lock);
	uv_cond_signal(&w->work);
	uv_mutex_unlock(&w->jobs->lock);
	uv_thread_join(&w->thread);
	w->started = false;
}

void hf_linux_jobs_finish(struct hf_port_linux *p)
{
	struct hf_linux_jobs *j = &p->jobs;

	if (!j->started)
		return;
	jobs_finish(&p->port);
	uv_mutex_lock(&j->lock);
	j->stopping = true;
	uv_mutex_unlock(&j->lock);
	for (int i = 0; i < HF_JOB_QUEUES; i++)
		join(&j->workers[i]);
	destroy(j);
	j->started = false;
}

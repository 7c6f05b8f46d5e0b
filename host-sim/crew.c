/* SPDX-License-Identifier: Apache-2.0 */
#include "crew.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interrupt.h"
#include "sim/mem.h"

#define JOBS_MAX 64
#define POLL_MS	 20
#define NOTHING	 UINT64_MAX

/* What all processes see. */
struct shared {
	_Atomic uint64_t next;		/* piece that nobody has begun */
	_Atomic uint64_t now[JOBS_MAX]; /* what each is at, NOTHING: none */
};

/* What comes through the pipe, in one write. */
struct parcel {
	uint64_t i;
	unsigned char result[SIM_CREW_RESULT_MAX];
};

struct office {
	struct sim_crew *crew;
	struct shared *shared;
	struct sim_crew_end *end;
	pid_t pids[JOBS_MAX]; /* 0: none */
	unsigned jobs;
	int pipe[2];
	bool closed; /* nothing more is begun */
};

unsigned sim_crew_jobs(unsigned jobs)
{
	long n = jobs ? (long)jobs : sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > JOBS_MAX ? JOBS_MAX : (unsigned)n;
}

/* ---- a process ---- */

static void send_result(int fd, const struct parcel *p, size_t size)
{
	ssize_t n;

	do
		n = write(fd, p, size);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)size)
		_exit(1);
}

static void work_on(const struct office *o, unsigned job)
{
	static struct parcel p;

	while ((p.i = atomic_fetch_add(&o->shared->next, 1)) < o->crew->n) {
		atomic_store(&o->shared->now[job], p.i);
		o->crew->work(o->crew->user, p.i, p.result);
		atomic_store(&o->shared->now[job], NOTHING);
		send_result(o->pipe[1], &p, offsetof(struct parcel, result) + o->crew->result_size);
	}
}

static void hire(struct office *o, unsigned job)
{
	pid_t pid;

	atomic_store(&o->shared->now[job], NOTHING);
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		perror("holdfast-sim: fork");
		exit(1);
	}
	if (pid == 0) {
		signal(SIGINT, SIG_IGN);
		close(o->pipe[0]);
		work_on(o, job);
		_exit(0);
	}
	o->pids[job] = pid;
}

/* ---- the office ---- */

static void close_early(struct office *o)
{
	o->closed = true;
	atomic_store(&o->shared->next, o->crew->n);
}

static void take(struct office *o, uint64_t i, const void *result, int sig)
{
	const struct sim_crew *c = o->crew;

	o->end->done++;
	if (!c->take(c->user, i, result, sig))
		close_early(o);
}

/* Writes of this size are whole, so reads are. */
static bool take_parcel(struct office *o)
{
	static struct parcel p;
	size_t size = offsetof(struct parcel, result) + o->crew->result_size;
	ssize_t n = read(o->pipe[0], &p, size);

	if (n != (ssize_t)size)
		return false;
	take(o, p.i, p.result, 0);
	return true;
}

/* A process has ended; true: another one has to take its place. */
static bool bury(struct office *o, unsigned job, int status)
{
	uint64_t i = atomic_load(&o->shared->now[job]);

	o->pids[job] = 0;
	if (i == NOTHING)
		return false;
	take(o, i, NULL, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	return !o->closed;
}

static unsigned look_after(struct office *o)
{
	unsigned job, alive = 0;
	int status;

	for (job = 0; job < o->jobs; job++) {
		if (o->pids[job] == 0)
			continue;
		if (waitpid(o->pids[job], &status, WNOHANG) == o->pids[job] && bury(o, job, status))
			hire(o, job);
		alive += o->pids[job] != 0;
	}
	return alive;
}

static void heed_interrupts(struct office *o)
{
	unsigned job;

	if (sim_interrupts() > 0) {
		o->end->interrupted = true;
		close_early(o);
	}
	for (job = 0; sim_interrupts() > 1 && job < o->jobs; job++)
		if (o->pids[job])
			kill(o->pids[job], SIGKILL);
}

static void run_office(struct office *o)
{
	struct pollfd fd = { .fd = o->pipe[0], .events = POLLIN };
	unsigned alive = o->jobs;

	while (alive) {
		heed_interrupts(o);
		alive = look_after(o);
		if (poll(&fd, 1, alive ? POLL_MS : 0) > 0 && (fd.revents & POLLIN))
			(void)take_parcel(o);
		sim_progress_show(&o->crew->progress, o->end->done,
				  o->crew->note ? o->crew->note(o->crew->user) : NULL);
	}
	while (poll(&fd, 1, 0) > 0 && (fd.revents & POLLIN) && take_parcel(o))
		;
}

void sim_crew_run(struct sim_crew *c, struct sim_crew_end *end)
{
	struct office o = { .crew = c, .end = end };
	double begun = sim_real_s();
	unsigned job;

	memset(end, 0, sizeof(*end));
	o.jobs = sim_crew_jobs(c->jobs);
	if (o.jobs > c->n)
		o.jobs = c->n ? (unsigned)c->n : 1;
	o.shared = mmap(NULL, sizeof(*o.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (o.shared == MAP_FAILED || pipe(o.pipe)) {
		perror("holdfast-sim");
		exit(1);
	}
	sim_interrupt_heed();
	sim_progress_begin(&c->progress, stderr, c->what, c->n);
	for (job = 0; job < o.jobs; job++)
		hire(&o, job);
	run_office(&o);
	sim_progress_clear(&c->progress);
	sim_interrupt_leave();
	close(o.pipe[0]);
	close(o.pipe[1]);
	munmap(o.shared, sizeof(*o.shared));
	end->took_s = sim_real_s() - begun;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "shrink.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interrupt.h"
#include "sim/mem.h"
#include "sim/net.h"

#define TRIES_MAX  4000
#define ROUNDS_MAX 6

/* ---- a try ---- */

static void run_child(const struct sim_plan *plan, enum sim_mutant mutant, int fd)
{
	struct sim_trial t = { .plan = plan, .seed = plan->seed, .mutant = mutant };
	struct sim_verdict v = { .sig = 0 };
	struct sim_trial_result r;

	signal(SIGINT, SIG_IGN);
	sim_trial_run(&t, &r);
	if (r.failure.what[0]) {
		snprintf(v.check, sizeof(v.check), "%s",
			 r.failure.check ? r.failure.check : "expectation");
		snprintf(v.what, sizeof(v.what), "%s", r.failure.what);
	}
	_exit(write(fd, &v, sizeof(v)) != (ssize_t)sizeof(v));
}

void sim_shrink_try(const struct sim_plan *plan, enum sim_mutant mutant, struct sim_verdict *out)
{
	int ends[2], status = 0;
	ssize_t n;
	pid_t pid;

	memset(out, 0, sizeof(*out));
	fflush(NULL);
	if (pipe(ends) || (pid = fork()) < 0) {
		perror("holdfast-sim");
		exit(1);
	}
	if (pid == 0)
		run_child(plan, mutant, ends[1]);
	close(ends[1]);
	do
		n = read(ends[0], out, sizeof(*out));
	while (n < 0);
	close(ends[0]);
	while (waitpid(pid, &status, 0) != pid)
		;
	if (n == (ssize_t)sizeof(*out))
		return;
	out->sig = WIFSIGNALED(status) ? WTERMSIG(status) : SIGABRT;
	snprintf(out->check, sizeof(out->check), "crash");
	snprintf(out->what, sizeof(out->what), "signal %d ended the process", out->sig);
}

static bool is_over(const struct sim_shrink *s)
{
	return s->tries >= TRIES_MAX || sim_interrupts() > 0;
}

static bool still_fails(struct sim_shrink *s)
{
	struct sim_verdict v;
	char note[32];

	if (is_over(s))
		return false;
	s->tries++;
	sim_shrink_try(s->plan, s->mutant, &v);
	snprintf(note, sizeof(note), "%zu steps", s->plan->n);
	sim_progress_show(&s->progress, s->tries, note);
	return strcmp(v.check, s->wanted.check) == 0 && v.sig == s->wanted.sig;
}

/* ---- fewer steps ---- */

/* The end, when everything works again, is no part of what is tried. */
static size_t steps_n(const struct sim_plan *p)
{
	return p->n && p->v[p->n - 1].what == SIM_DO_ALL_WELL ? p->n - 1 : p->n;
}

static bool without(struct sim_shrink *s, size_t from, size_t n)
{
	struct sim_plan *p = s->plan;
	size_t size = sizeof(p->v[0]), rest = p->n - from - n;
	struct sim_step *kept = sim_alloc(n * size);
	bool ok;

	memcpy(kept, &p->v[from], n * size);
	memmove(&p->v[from], &p->v[from + n], rest * size);
	p->n -= n;
	ok = still_fails(s);
	if (!ok) {
		memmove(&p->v[from + n], &p->v[from], rest * size);
		memcpy(&p->v[from], kept, n * size);
		p->n += n;
	}
	sim_free(kept);
	return ok;
}

/* From halves down to single steps. */
static bool fewer_steps(struct sim_shrink *s)
{
	bool better = false;
	size_t chunk, at, n;

	for (chunk = (steps_n(s->plan) + 1) / 2; chunk > 0; chunk /= 2) {
		for (at = 0; at < steps_n(s->plan) && !is_over(s);) {
			n = steps_n(s->plan) - at;
			n = n < chunk ? n : chunk;
			if (without(s, at, n))
				better = true;
			else
				at += n;
		}
	}
	return better;
}

static bool is_named(const struct sim_plan *p, const char *device)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->v[i].device && strcmp(p->v[i].device, device) == 0)
			return true;
	return false;
}

static bool fewer_devices(struct sim_shrink *s)
{
	struct sim_cast *cast = &s->plan->cast;
	bool better = false;

	while (cast->devices_n > 1 && !is_named(s->plan, cast->devices[cast->devices_n - 1])) {
		cast->devices_n--;
		if (!still_fails(s)) {
			cast->devices_n++;
			break;
		}
		better = true;
	}
	return better;
}

/* ---- simpler steps ---- */

static bool as(struct sim_shrink *s, size_t i, const struct sim_step *wanted)
{
	struct sim_step before = s->plan->v[i];

	s->plan->v[i] = *wanted;
	if (still_fails(s))
		return true;
	s->plan->v[i] = before;
	return false;
}

static bool shorter_body(struct sim_shrink *s, size_t i)
{
	static const size_t lengths[] = { 1, 100, 1000, 10000, 100000 };
	struct sim_step step = s->plan->v[i];
	size_t k;

	if (step.what != SIM_DO_ORDER)
		return false;
	for (k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
		if (strlen(step.body) <= lengths[k])
			break;
		step.body = sim_plan_filler(s->plan, lengths[k]);
		if (as(s, i, &step))
			return true;
		step = s->plan->v[i];
	}
	return false;
}

/* What is counted in microseconds of a step. */
static uint64_t *span_of(struct sim_step *step)
{
	switch (step->what) {
	case SIM_DO_LINK_FLAPS:
	case SIM_DO_REBOOT_AFTER:
	case SIM_DO_ORIGIN_SLOW:
	case SIM_DO_ORIGIN_TOKENS:
	case SIM_DO_WAIT:
		return &step->a;
	case SIM_DO_DNS:
	case SIM_DO_CLOCK:
		return &step->b;
	case SIM_DO_NETWORK:
		return step->a == SIM_NET_LATENCY || step->a == SIM_NET_JITTER ? &step->b : NULL;
	default:
		return NULL;
	}
}

static uint64_t rounded(uint64_t us)
{
	static const uint64_t units[] = { SIM_US_PER_H, SIM_US_PER_MIN, SIM_US_PER_S,
					  100 * SIM_US_PER_MS, SIM_US_PER_MS };
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (us >= units[i])
			return us - us % units[i];
	return us;
}

static bool rounder(struct sim_shrink *s, size_t i)
{
	struct sim_step step = s->plan->v[i];
	uint64_t *span = span_of(&step);

	if (!span || *span == SIM_NEVER || rounded(*span) == *span)
		return false;
	*span = rounded(*span);
	return as(s, i, &step);
}

/* A cut without a second one, an answer without Retry-After. */
static bool plainer(struct sim_shrink *s, size_t i)
{
	struct sim_step step = s->plan->v[i];

	if ((step.what != SIM_DO_CUT && step.what != SIM_DO_ORIGIN_ANSWER) || step.b == 0)
		return false;
	step.b = 0;
	return as(s, i, &step);
}

static bool simpler_steps(struct sim_shrink *s)
{
	bool better = false;
	size_t i;

	for (i = 0; i < steps_n(s->plan) && !is_over(s); i++) {
		better |= plainer(s, i);
		better |= shorter_body(s, i);
		better |= rounder(s, i);
	}
	return better;
}

/* ---- sooner ---- */

static void move(struct sim_plan *p, size_t from, uint64_t by_us)
{
	for (; from < p->n; from++)
		if (p->v[from].at_us != SIM_NEVER)
			p->v[from].at_us -= by_us;
}

static void move_back(struct sim_plan *p, size_t from, uint64_t by_us)
{
	for (; from < p->n; from++)
		if (p->v[from].at_us != SIM_NEVER)
			p->v[from].at_us += by_us;
}

/* This step and all after it come that much sooner. */
static bool sooner_by(struct sim_shrink *s, size_t i, uint64_t by_us, uint64_t most_us)
{
	if (by_us == 0 || by_us > most_us)
		return false;
	move(s->plan, i, by_us);
	if (still_fails(s))
		return true;
	move_back(s->plan, i, by_us);
	return false;
}

static bool sooner(struct sim_shrink *s)
{
	uint64_t before = 0, gap;
	bool better = false;
	size_t i;

	for (i = 0; i < steps_n(s->plan) && !is_over(s); i++) {
		uint64_t at = s->plan->v[i].at_us;

		if (at == SIM_NEVER)
			continue;
		gap = at > before ? at - before : 0;
		if (sooner_by(s, i, gap, gap) || sooner_by(s, i, gap - gap / 8, gap) ||
		    sooner_by(s, i, gap / 2, gap) || sooner_by(s, i, at - rounded(at), gap))
			better = true;
		before = s->plan->v[i].at_us;
	}
	return better;
}

/* ---- all of it ---- */

bool sim_shrink_run(struct sim_shrink *s)
{
	bool better = true;
	unsigned round;

	sim_shrink_try(s->plan, s->mutant, &s->wanted);
	if (!s->wanted.check[0])
		return false;
	sim_interrupt_heed();
	sim_progress_begin(&s->progress, stderr, "shrink: tries", TRIES_MAX);
	for (round = 0; round < ROUNDS_MAX && better && !is_over(s); round++) {
		better = fewer_steps(s);
		better |= fewer_devices(s);
		better |= simpler_steps(s);
		better |= sooner(s);
	}
	sim_progress_clear(&s->progress);
	sim_interrupt_leave();
	return true;
}

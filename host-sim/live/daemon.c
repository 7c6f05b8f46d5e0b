/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   OFF --boot--> ON --cut, crash--> OFF
 *                 ON --stop--> STOPPING --ended--> OFF
 *
 * The end of the process is noticed by asking for it every REAP_MS. It gets a
 * SIGKILL from the kernel when this program dies in any way.
 */
#include "live/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fsm.h"

#define REAP_MS	    50
#define PATIENCE_MS 5000

static const char *const power_names[] = { "off", "on", "stopping" };
static const uint32_t moves[] = {
	[LIVE_POWER_OFF] = HF_FSM_TO(LIVE_POWER_ON),
	[LIVE_POWER_ON] = HF_FSM_TO(LIVE_POWER_OFF) | HF_FSM_TO(LIVE_POWER_STOPPING),
	[LIVE_POWER_STOPPING] = HF_FSM_TO(LIVE_POWER_OFF),
};
static const struct hf_fsm powers = {
	.name = "power",
	.states = 3,
	.allowed = moves,
	.names = power_names,
};

static void describe_end(struct live_daemon *d, int status)
{
	d->end[0] = '\0';
	if (d->cut || d->power == LIVE_POWER_STOPPING)
		return;
	if (WIFSIGNALED(status))
		snprintf(d->end, sizeof(d->end), "holdfastd was ended by signal %d",
			 WTERMSIG(status));
	else
		snprintf(d->end, sizeof(d->end), "holdfastd ended by itself with code %d",
			 WEXITSTATUS(status));
}

static void ended(struct live_daemon *d, int status)
{
	describe_end(d, status);
	d->pid = 0;
	hf_timerq_clear(&d->bench->timers, &d->patience);
	hf_fsm_move(&powers, &d->power, LIVE_POWER_OFF);
	if (d->cut && d->boots_by_itself)
		live_bench_after(d->bench, &d->boot, LIVE_BOOT_MS);
	d->changed(d->user);
}

static void reap(void *user)
{
	struct live_daemon *d = user;
	int status;

	if (waitpid(d->pid, &status, WNOHANG) == d->pid)
		ended(d, status);
	else
		live_bench_after(d->bench, &d->reap, REAP_MS);
}

/* In the child, between fork and exec: calls that are safe there only. */
static void become(const struct live_daemon *d, pid_t parent)
{
	int fd = open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0640);
	int null = open("/dev/null", O_RDONLY);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || null < 0 || getppid() != parent)
		_exit(71);
	dup2(null, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	signal(SIGPIPE, SIG_DFL);
	/* A Ctrl-C in the terminal is for the parent, which ends it orderly. */
	setpgid(0, 0);
	execl(d->program, d->program, "--config", d->config, (char *)NULL);
	_exit(127);
}

int live_daemon_boot(struct live_daemon *d)
{
	pid_t parent = getpid(), pid;

	if (d->power != LIVE_POWER_OFF)
		return 0;
	hf_timerq_clear(&d->bench->timers, &d->boot);
	pid = fork();
	if (pid == 0)
		become(d, parent);
	if (pid < 0)
		return HF_EIO;
	d->pid = pid;
	d->cut = false;
	d->end[0] = '\0';
	d->boots++;
	hf_fsm_move(&powers, &d->power, LIVE_POWER_ON);
	live_bench_after(d->bench, &d->reap, REAP_MS);
	d->changed(d->user);
	return 0;
}

static void boot_by_itself(void *user)
{
	struct live_daemon *d = user;

	if (live_daemon_boot(d))
		snprintf(d->end, sizeof(d->end), "holdfastd could not be started");
}

void live_daemon_cut(struct live_daemon *d)
{
	if (d->power == LIVE_POWER_OFF)
		return;
	d->cut = true;
	d->cuts++;
	kill(d->pid, SIGKILL);
	hf_timerq_clear(&d->bench->timers, &d->reap);
	reap(d);
}

static void lose_patience(void *user)
{
	struct live_daemon *d = user;

	kill(d->pid, SIGKILL);
}

void live_daemon_stop(struct live_daemon *d)
{
	hf_timerq_clear(&d->bench->timers, &d->boot);
	if (d->power != LIVE_POWER_ON)
		return;
	hf_fsm_move(&powers, &d->power, LIVE_POWER_STOPPING);
	kill(d->pid, SIGTERM);
	live_bench_after(d->bench, &d->patience, PATIENCE_MS);
}

void live_daemon_init(struct live_daemon *d, struct live_bench *b, void (*changed)(void *user),
		      void *user)
{
	*d = (struct live_daemon){ .bench = b, .changed = changed, .user = user };
	hf_timer_init(&d->reap, reap, d);
	hf_timer_init(&d->boot, boot_by_itself, d);
	hf_timer_init(&d->patience, lose_patience, d);
}

void live_daemon_finish(struct live_daemon *d)
{
	if (!d->bench)
		return;
	hf_timerq_clear(&d->bench->timers, &d->reap);
	hf_timerq_clear(&d->bench->timers, &d->boot);
	hf_timerq_clear(&d->bench->timers, &d->patience);
	if (d->power == LIVE_POWER_OFF)
		return;
	kill(d->pid, SIGKILL);
	waitpid(d->pid, NULL, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The holdfastd process. Cutting its power is SIGKILL: no orderly end, no last
 * write. (What it had handed to the kernel is still written; a power cut that
 * takes that away too is what `holdfast-sim sweep` does.)
 */
#ifndef LIVE_DAEMON_H
#define LIVE_DAEMON_H

#include <sys/types.h>

#include "live/bench.h"

enum live_power {
	LIVE_POWER_OFF,
	LIVE_POWER_ON,
	LIVE_POWER_STOPPING, /* was asked to end */
};

struct live_daemon {
	struct live_bench *bench;
	const char *program, *config, *log;
	/* It has begun or ended. */
	void (*changed)(void *user);
	void *user;
	uint8_t power;
	pid_t pid;
	unsigned boots, cuts;
	bool cut;	      /* its end was ours */
	bool boots_by_itself; /* LIVE_BOOT_MS after a cut */
	char end[96];	      /* how it ended without being asked, "" if so */
	struct hf_timer reap, boot, patience;
};

#define LIVE_BOOT_MS 3000

/* @log is appended to. Strings stay the caller's. */
void live_daemon_init(struct live_daemon *d, struct live_bench *b, void (*changed)(void *user),
		      void *user);
/* HF_EIO: no process. No effect when it is on. */
int live_daemon_boot(struct live_daemon *d);
void live_daemon_cut(struct live_daemon *d);
/* Asks it to end, and after a while sees to it. */
void live_daemon_stop(struct live_daemon *d);
/* Kills what is left and waits for it. */
void live_daemon_finish(struct live_daemon *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t count;
static struct sigaction before;

static void on_interrupt(int sig)
{
	(void)sig;
	count = count + 1;
}

void sim_interrupt_heed(void)
{
	struct sigaction heed = { .sa_handler = on_interrupt };

	count = 0;
	sigaction(SIGINT, &heed, &before);
}

void sim_interrupt_leave(void)
{
	sigaction(SIGINT, &before, NULL);
}

int sim_interrupts(void)
{
	return count;
}

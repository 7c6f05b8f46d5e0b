/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one wake-up: a timerfd on CLOCK_BOOTTIME, so that time spent suspended
 * counts and a wake-up that fell into it comes on resume.
 *
 * The kernel hears of a wake-up only before the loop blocks and only when it is
 * earlier than the armed one. One that is moved later leaves the timer armed:
 * it fires once for nothing and is armed anew. Timeouts that are pushed back
 * with every request therefore cost no system call. A time that has come
 * already is met in the next turn without the timer.
 */
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "port/linux/loop.h"

#define NEVER UINT64_MAX

static void wake(struct hf_port_linux *p)
{
	if (p->wake.wanted_ms == NEVER || p->port.boottime_ms(&p->port) < p->wake.wanted_ms)
		return;
	p->wake.wanted_ms = NEVER;
	if (p->port.events && p->port.events->on_wake)
		p->port.events->on_wake(p->port.events_user);
}

static void wake_now(struct hf_linux_later *later)
{
	wake(hf_container_of(later, struct hf_port_linux, wake.now));
}

static void wake_at(struct hf_port *port, uint64_t boot_ms)
{
	struct hf_port_linux *p = hf_linux_of(port);

	p->wake.wanted_ms = boot_ms;
	if (hf_list_empty(&p->wake.now.node) && boot_ms <= port->boottime_ms(port))
		hf_linux_later_add(p, &p->wake.now);
}

static void wake_ready(struct hf_linux_watch *w, int events, bool failed)
{
	struct hf_port_linux *p = w->port;
	uint64_t expirations;

	(void)events;
	(void)failed;
	if (read(w->fd, &expirations, sizeof(expirations)) < 0)
		return; /* armed anew since */
	p->wake.armed_ms = NEVER;
	p->clock.fresh = false; /* the time must not be before the timer's */
	wake(p);
}

void hf_linux_wake_apply(struct hf_port_linux *p)
{
	uint64_t ms = p->wake.wanted_ms;
	struct itimerspec at = { 0 };

	if (ms >= p->wake.armed_ms || !hf_list_empty(&p->wake.now.node))
		return;
	at.it_value.tv_sec = (time_t)(ms / 1000);
	at.it_value.tv_nsec = (long)(ms % 1000) * 1000000;
	if (ms == 0)
		at.it_value.tv_nsec = 1; /* zero would disarm it */
	if (timerfd_settime(p->wake.watch.fd, TFD_TIMER_ABSTIME, &at, NULL) == 0)
		p->wake.armed_ms = ms;
}

int hf_linux_wake_init(struct hf_port_linux *p)
{
	int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	int err;

	p->port.wake_at = wake_at;
	p->wake.wanted_ms = NEVER;
	p->wake.armed_ms = NEVER;
	hf_linux_later_init(&p->wake.now, wake_now);
	if (fd < 0)
		return hf_linux_err(errno);
	err = hf_linux_watch_init(p, &p->wake.watch, fd, wake_ready);
	if (err) {
		close(fd);
		return err;
	}
	hf_linux_watch_want(&p->wake.watch, UV_READABLE);
	return 0;
}

void hf_linux_wake_finish(struct hf_port_linux *p)
{
	p->wake.wanted_ms = NEVER;
	hf_linux_later_cancel(&p->wake.now);
	if (p->wake.watch.port)
		hf_linux_watch_close(&p->wake.watch, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clocks. Boot time is CLOCK_BOOTTIME, read at most once in a turn. The
 * wall clock comes with its trust:
 *
 *	synced  the kernel says that somebody disciplines it (adjtimex without
 *		STA_UNSYNC), or systemd-timesyncd has said so since boot
 *	rtc     a hardware clock holds a plausible time that agrees with it
 *	unset   neither, or it is before this program was made
 *
 * Steps are told by a timerfd that the kernel cancels when the clock is set.
 * A clock that is pulled in slowly gives no sign, so it is looked at once a
 * minute as long as it is not synchronised, and never after.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "port/linux/loop.h"

#ifndef HF_BUILD_EPOCH		  /* seconds; from SOURCE_DATE_EPOCH */
#define HF_BUILD_EPOCH 1735689600 /* 2025-01-01 */
#endif
#define RECHECK_MS 60000
/* The RTC may run in local time, and drift. */
#define RTC_AGREES_S (26 * 3600)

#define TIMESYNCD_SAYS_SYNCED "/run/systemd/timesync/synchronized"
#define RTC_FOLDER	      "/sys/class/rtc"
#define BOOT_ID		      "/proc/sys/kernel/random/boot_id"

/* ---- boot time ---- */

static uint64_t read_boottime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t boottime_ms(struct hf_port *port)
{
	struct hf_linux_clock *c = &hf_linux_of(port)->clock;

	if (!c->fresh) {
		c->boot_ms = read_boottime_ns() / 1000000;
		c->fresh = true;
	}
	return c->boot_ms;
}

static uint64_t boottime_us(struct hf_port *port)
{
	(void)port;
	return read_boottime_ns() / 1000;
}

/* ---- trust ---- */

/* The number in a small file of the kernel; -1 without one. */
static long long read_number(const char *folder, const char *name, const char *file)
{
	char path[PATH_MAX], text[32];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return strtoll(text, NULL, 10);
}

/* A hardware clock without a battery starts at its epoch: no help. */
static bool rtc_agrees(time_t now)
{
	DIR *dir = opendir(RTC_FOLDER);
	bool agrees = false;
	struct dirent *d;

	if (!dir)
		return false;
	while (!agrees && (d = readdir(dir))) {
		long long rtc;

		if (strncmp(d->d_name, "rtc", 3) != 0)
			continue;
		rtc = read_number(RTC_FOLDER, d->d_name, "since_epoch");
		agrees = rtc >= HF_BUILD_EPOCH && llabs(rtc - (long long)now) <= RTC_AGREES_S;
	}
	closedir(dir);
	return agrees;
}

static bool is_synced(void)
{
	struct timex tx = { 0 };
	int state = adjtimex(&tx);

	if (state >= 0 && state != TIME_ERROR && !(tx.status & STA_UNSYNC))
		return true;
	return access(TIMESYNCD_SAYS_SYNCED, F_OK) == 0;
}

static enum hf_clock_trust judge(void)
{
	time_t now = time(NULL);

	if (now < HF_BUILD_EPOCH)
		return HF_CLOCK_UNSET;
	if (is_synced())
		return HF_CLOCK_SYNCED;
	return rtc_agrees(now) ? HF_CLOCK_RTC : HF_CLOCK_UNSET;
}

static void tell_clock(struct hf_port_linux *p)
{
	if (p->port.events && p->port.events->on_clock)
		p->port.events->on_clock(p->port.events_user);
}

static void recheck(uv_timer_t *timer)
{
	struct hf_port_linux *p = timer->data;
	enum hf_clock_trust trust = judge();
	bool changed = trust != p->clock.trust;

	p->clock.trust = trust;
	if (trust != HF_CLOCK_SYNCED)
		hf_linux_timer_start(timer, recheck, RECHECK_MS);
	if (changed)
		tell_clock(p);
}

static enum hf_clock_trust wall_ms(struct hf_port *port, int64_t *ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	*ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	return ts.tv_sec < HF_BUILD_EPOCH ? HF_CLOCK_UNSET : hf_linux_of(port)->clock.trust;
}

static int32_t utc_offset_s(struct hf_port *port, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm local;

	(void)port;
	tzset(); /* the device may have been given another time zone */
	return localtime_r(&seconds, &local) ? (int32_t)local.tm_gmtoff : 0;
}

/* ---- steps ---- */

static void arm_step(int fd)
{
	/* never fires; cancelled when the clock is set */
	struct itimerspec at = { .it_value.tv_sec = (time_t)(LLONG_MAX / 1000000000) };

	(void)timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL);
}

static void clock_stepped(struct hf_linux_watch *w, int events, bool failed)
{
	struct hf_port_linux *p = w->port;
	uint64_t expirations;

	(void)events;
	(void)failed;
	if (read(w->fd, &expirations, sizeof(expirations)) < 0 && errno != ECANCELED)
		return;
	arm_step(w->fd);
	p->clock.trust = judge();
	if (p->clock.trust == HF_CLOCK_SYNCED)
		uv_timer_stop(&p->clock.recheck);
	else
		hf_linux_timer_start(&p->clock.recheck, recheck, RECHECK_MS);
	tell_clock(p);
}

static int watch_steps(struct hf_port_linux *p)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	int err;

	if (fd < 0)
		return hf_linux_err(errno);
	err = hf_linux_watch_init(p, &p->clock.step, fd, clock_stepped);
	if (err) {
		close(fd);
		return err;
	}
	arm_step(fd);
	hf_linux_watch_want(&p->clock.step, UV_READABLE);
	return 0;
}

/* ---- boot id ---- */

/* The kernel's UUID of this boot; without one, this process stands for it. */
static int read_boot_id(struct hf_port_linux *p)
{
	char text[64] = "";
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	size_t digits = 0;

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		close(fd);
	}
	for (const char *c = text; *c && digits < 32; c++) {
		const char *at = strchr("0123456789abcdef", *c);
		unsigned value;

		if (!at)
			continue;
		value = (unsigned)(at - "0123456789abcdef") & 15;
		p->clock.boot_id[digits / 2] |= (uint8_t)(digits % 2 ? value : value << 4);
		digits++;
	}
	if (digits == 32)
		return 0;
	return p->port.entropy(&p->port, p->clock.boot_id, sizeof(p->clock.boot_id));
}

static const uint8_t *boot_id(struct hf_port *port)
{
	return hf_linux_of(port)->clock.boot_id;
}

int hf_linux_clock_init(struct hf_port_linux *p)
{
	int err;

	p->port.boottime_ms = boottime_ms;
	p->port.boottime_us = boottime_us;
	p->port.wall_ms = wall_ms;
	p->port.utc_offset_s = utc_offset_s;
	p->port.boot_id = boot_id;
	uv_timer_init(&p->loop, &p->clock.recheck);
	uv_unref((uv_handle_t *)&p->clock.recheck);
	p->clock.recheck.data = p;
	err = read_boot_id(p);
	if (!err)
		err = watch_steps(p);
	if (err)
		return err;
	p->clock.trust = judge();
	if (p->clock.trust != HF_CLOCK_SYNCED)
		hf_linux_timer_start(&p->clock.recheck, recheck, RECHECK_MS);
	return 0;
}

void hf_linux_clock_finish(struct hf_port_linux *p)
{
	if (p->clock.step.port)
		hf_linux_watch_close(&p->clock.step, NULL);
}

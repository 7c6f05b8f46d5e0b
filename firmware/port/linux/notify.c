/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager: sd_notify(3) by hand. READY=1 once; WATCHDOG=1 at half
 * the interval asked for, while the loop turns and each thread of a database either has
 * nothing to do or gets on. A daemon whose loop or whose disk hangs is
 * therefore started anew. Progress of the agent feeds it between, on the same
 * condition. A start that takes long, as that of a damaged store, asks for time on
 * that condition too. STATUS= says how the agent is.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "port/linux/loop.h"

#define START_TICK_MS 5000
#define START_MORE    "EXTEND_TIMEOUT_USEC=60000000"

static void say(const struct hf_port_linux *p, const char *words)
{
	const struct hf_linux_notify *n = &p->notify;

	if (n->fd >= 0)
		(void)sendto(n->fd, words, strlen(words), MSG_NOSIGNAL | MSG_DONTWAIT,
			     (const struct sockaddr *)&n->to, n->to_len);
}

static void feed(struct hf_port_linux *p)
{
	p->notify.fed_ms = p->port.boottime_ms(&p->port);
	say(p, "WATCHDOG=1");
}

static void watchdog_tick(uv_timer_t *timer)
{
	struct hf_port_linux *p = timer->data;

	if (hf_linux_jobs_move(p, p->notify.seen))
		feed(p);
}

static void start_tick(uv_timer_t *timer)
{
	struct hf_port_linux *p = timer->data;

	if (hf_linux_jobs_move(p, p->notify.seen))
		say(p, START_MORE);
}

static void tick(struct hf_port_linux *p, uv_timer_cb cb, uint64_t every_ms)
{
	uv_update_time(&p->loop);
	uv_timer_start(&p->notify.watchdog, cb, every_ms, every_ms);
}

static void ready(struct hf_port *port)
{
	struct hf_port_linux *p = hf_linux_of(port);

	say(p, "READY=1");
	uv_timer_stop(&p->notify.watchdog);
	if (p->notify.every_ms > 0)
		tick(p, watchdog_tick, p->notify.every_ms);
}

static void progress(struct hf_port *port)
{
	struct hf_port_linux *p = hf_linux_of(port);
	struct hf_linux_notify *n = &p->notify;

	if (n->every_ms > 0 && port->boottime_ms(port) - n->fed_ms >= n->every_ms &&
	    hf_linux_jobs_move(p, n->seen))
		feed(p);
}

/* One line: what follows a line end would be another variable. */
static void tell(struct hf_port *port, const char *words)
{
	struct hf_port_linux *p = hf_linux_of(port);
	struct hf_linux_notify *n = &p->notify;
	char line[sizeof(n->told)];

	snprintf(line, sizeof(line), "STATUS=%s", words);
	line[strcspn(line, "\r\n")] = '\0';
	if (strcmp(line, n->told) == 0)
		return;
	memcpy(n->told, line, sizeof(line));
	say(p, line);
}

/* "/run/..." or "@abstract". */
static bool read_address(struct hf_linux_notify *n, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&n->to;
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(un->sun_path) || (path[0] != '/' && path[0] != '@'))
		return false;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, len);
	if (path[0] == '@')
		un->sun_path[0] = '\0';
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

/* Half of WATCHDOG_USEC in milliseconds; 0 when it is not meant for us. */
static uint64_t watchdog_every_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return strtoull(usec, NULL, 10) / 2000;
}

void hf_linux_notify_init(struct hf_port_linux *p)
{
	struct hf_linux_notify *n = &p->notify;

	p->port.ready = ready;
	p->port.progress = progress;
	p->port.tell = tell;
	uv_timer_init(&p->loop, &n->watchdog);
	uv_unref((uv_handle_t *)&n->watchdog);
	n->watchdog.data = p;
	if (!read_address(n, getenv("NOTIFY_SOCKET")))
		return;
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0)
		return;
	n->every_ms = watchdog_every_ms();
	tick(p, start_tick, START_TICK_MS);
}

void hf_linux_notify_finish(struct hf_port_linux *p)
{
	if (p->notify.fd >= 0)
		close(p->notify.fd);
	p->notify.fd = -1;
}

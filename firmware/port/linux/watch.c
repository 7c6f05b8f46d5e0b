/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of libraries that have sockets of their own. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "port/linux/loop.h"

struct hf_watch {
	struct hf_linux_watch watch;
	void (*ready)(void *user);
	void *user;
};

static void on_ready(struct hf_linux_watch *w, int events, bool failed)
{
	struct hf_watch *watch = hf_container_of(w, struct hf_watch, watch);

	(void)events;
	(void)failed;
	watch->ready(watch->user);
}

static void on_closed(struct hf_linux_watch *w)
{
	free(hf_container_of(w, struct hf_watch, watch));
}

/* The loop closes what it watches, so that it gets a descriptor of its own. */
static int watch(struct hf_port *port, int fd, void (*ready)(void *user), void *user,
		 struct hf_watch **out)
{
	struct hf_watch *w = calloc(1, sizeof(*w));
	int err, own;

	if (!w)
		return HF_ENOMEM;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0) {
		err = hf_linux_err(errno);
		free(w);
		return err;
	}
	w->ready = ready;
	w->user = user;
	err = hf_linux_watch_init(hf_linux_of(port), &w->watch, own, on_ready);
	if (err) {
		close(own);
		free(w);
		return err;
	}
	hf_linux_watch_want(&w->watch, UV_READABLE);
	*out = w;
	return 0;
}

static void watch_close(struct hf_port *port, struct hf_watch *w)
{
	(void)port;
	hf_linux_watch_close(&w->watch, on_closed);
}

void hf_linux_watch_ops_init(struct hf_port_linux *p)
{
	p->port.watch = watch;
	p->port.watch_close = watch_close;
}

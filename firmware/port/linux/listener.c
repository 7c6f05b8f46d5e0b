/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener: TCP or UNIX. Per turn at most ACCEPT_ROUNDS connections are
 * taken, so a burst of them does not starve those that are open. Out of
 * descriptors or memory, all listeners rest for PAUSE_MS; the kernel's backlog
 * holds who comes meanwhile.
 *
 * A UNIX socket file that is left over is replaced, but only when it is a
 * socket and nobody answers on it. The file has mode 0660 and, where there is
 * one, the group `holdfast`. It is removed on close if it is still ours. Its
 * folder is made when only that one is missing: /run is empty after a boot.
 */
#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/linux/loop.h"

#define ACCEPT_ROUNDS 16
#define BACKLOG	      128
#define PAUSE_MS      100
#define SOCKET_GROUP  "holdfast"

struct hf_listener {
	struct hf_linux_watch watch;
	struct hf_list node; /* on port->listeners */
	const struct hf_listener_events *events;
	void *user;
	bool accepting;
	bool tcp;
	bool closed;
	char path[HF_UNIX_PATH_MAX + 1]; /* of our socket file, or "" */
	dev_t dev;
	ino_t ino;
};

/* ---- accepting ---- */

static void end_pause(uv_timer_t *timer)
{
	struct hf_port_linux *p = timer->data;
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &p->listeners) {
		struct hf_listener *l = hf_container_of(it, struct hf_listener, node);

		if (l->accepting)
			hf_linux_watch_want(&l->watch, UV_READABLE);
	}
}

static void start_pause(struct hf_port_linux *p)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &p->listeners)
		hf_linux_watch_want(&hf_container_of(it, struct hf_listener, node)->watch, 0);
	hf_linux_timer_start(&p->accept_pause, end_pause, PAUSE_MS);
}

static void offer(struct hf_listener *l, int fd)
{
	struct hf_stream *s = hf_linux_stream_offer(l->watch.port, fd, l->tcp);

	if (!s)
		return;
	l->events->on_accept(l->user, s);
	hf_linux_stream_offered(s);
}

/* False: nothing more now. */
static bool accept_one(struct hf_listener *l)
{
	int fd = accept4(l->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		offer(l, fd);
		return true;
	}
	switch (errno) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		start_pause(l->watch.port);
		return false;
	default:
		return true; /* this one connection has failed; the next may not */
	}
}

static void listener_ready(struct hf_linux_watch *w, int events, bool failed)
{
	struct hf_listener *l = hf_container_of(w, struct hf_listener, watch);

	(void)events;
	(void)failed;
	if (!l->accepting) {
		hf_linux_watch_want(w, 0);
		return;
	}
	for (int i = 0; i < ACCEPT_ROUNDS && l->accepting && !l->closed; i++)
		if (!accept_one(l))
			break;
}

/* ---- binding ---- */

static int bind_tcp(int fd, const struct hf_addr *at)
{
	int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	hf_linux_stream_tcp_options(fd);
	return hf_linux_bind(fd, at);
}

/* True when somebody listens at @ss, or may: only a refusal says nobody. */
static bool is_answered(const struct sockaddr_storage *ss, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool refused;

	if (fd < 0)
		return true;
	refused = connect(fd, (const struct sockaddr *)ss, len) && errno == ECONNREFUSED;
	close(fd);
	return !refused;
}

static int remove_left_over(const char *path, const struct sockaddr_storage *ss, socklen_t len)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : hf_linux_err(errno);
	if (!S_ISSOCK(st.st_mode))
		return HF_EEXIST;
	if (is_answered(ss, len))
		return HF_EBUSY;
	return unlink(path) && errno != ENOENT ? hf_linux_err(errno) : 0;
}

int hf_linux_make_folder(const char *folder)
{
	/* who may open the socket is said by its own mode, not by our umask */
	return (mkdir(folder, 0755) && errno != EEXIST) || chmod(folder, 0755) ?
		       hf_linux_err(errno) :
		       0;
}

/* bind() for a path whose folder may be missing. */
static int bind_path(int fd, const struct sockaddr_storage *ss, socklen_t len, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[HF_UNIX_PATH_MAX + 1];
	int err;

	if (!bind(fd, (const struct sockaddr *)ss, len))
		return 0;
	if (errno != ENOENT || !slash || slash == path)
		return hf_linux_err(errno);
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = 0;
	err = hf_linux_make_folder(folder);
	if (!err && bind(fd, (const struct sockaddr *)ss, len))
		err = hf_linux_err(errno);
	return err;
}

static int bind_unix(struct hf_listener *l, int fd, const struct hf_addr *at)
{
	struct sockaddr_storage ss;
	socklen_t len = hf_linux_addr_to_sock(at, &ss);
	const struct group *group;
	struct stat st;
	int err;

	err = remove_left_over(at->path, &ss, len);
	if (err)
		return err;
	/* Nobody can connect before listen(): the mode is right by then. */
	err = bind_path(fd, &ss, len, at->path);
	if (err)
		return err;
	if (chmod(at->path, 0660) || stat(at->path, &st))
		return hf_linux_err(errno);
	group = getgrnam(SOCKET_GROUP);
	if (group && chown(at->path, (uid_t)-1, group->gr_gid)) {
		/* not ours to give: the socket stays with our own group */
	}
	strcpy(l->path, at->path);
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

static void unlink_own(const struct hf_listener *l)
{
	struct stat st;

	if (l->path[0] && !lstat(l->path, &st) && st.st_dev == l->dev && st.st_ino == l->ino)
		unlink(l->path);
}

/* ---- operations ---- */

static int open_listener(struct hf_listener *l, const struct hf_addr *at)
{
	int fd = hf_linux_socket(at), err;

	if (fd < 0)
		return fd;
	err = l->tcp ? bind_tcp(fd, at) : bind_unix(l, fd, at);
	if (!err && listen(fd, BACKLOG))
		err = hf_linux_err(errno);
	if (err) {
		unlink_own(l);
		close(fd);
		return err;
	}
	return fd;
}

static int do_listen(struct hf_port *port, const struct hf_addr *at,
		     const struct hf_listener_events *events, void *user, struct hf_listener **out)
{
	struct hf_port_linux *p = hf_linux_of(port);
	struct hf_listener *l = calloc(1, sizeof(*l));
	int fd, err;

	if (!l)
		return HF_ENOMEM;
	l->events = events;
	l->user = user;
	l->tcp = at->family != HF_FAMILY_UNIX;
	fd = open_listener(l, at);
	if (fd < 0) {
		free(l);
		return fd;
	}
	err = hf_linux_watch_init(p, &l->watch, fd, listener_ready);
	if (err) {
		unlink_own(l);
		close(fd);
		free(l);
		return err;
	}
	l->accepting = true;
	hf_linux_watch_want(&l->watch, UV_READABLE);
	hf_list_push(&p->listeners, &l->node);
	*out = l;
	return 0;
}

static void free_listener(struct hf_linux_watch *w)
{
	free(hf_container_of(w, struct hf_listener, watch));
}

static void listener_close(struct hf_port *port, struct hf_listener *l)
{
	(void)port;
	assert(!l->closed);
	l->closed = true;
	hf_list_remove(&l->node);
	unlink_own(l);
	hf_linux_watch_close(&l->watch, free_listener);
}

/* Off narrows the kernel's mask only when somebody comes. */
static void listener_accept(struct hf_port *port, struct hf_listener *l, bool on)
{
	(void)port;
	l->accepting = on;
	if (on)
		hf_linux_watch_want(&l->watch, UV_READABLE);
}

static int listener_addr(struct hf_port *port, struct hf_listener *l, struct hf_addr *out)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);

	(void)port;
	if (getsockname(l->watch.fd, (struct sockaddr *)&ss, &len))
		return HF_EIO;
	return hf_linux_addr_from_sock((struct sockaddr *)&ss, len, out) ? HF_EIO : 0;
}

void hf_linux_listener_init(struct hf_port_linux *p)
{
	p->port.listen = do_listen;
	p->port.listener_close = listener_close;
	p->port.listener_accept = listener_accept;
	p->port.listener_addr = listener_addr;
}

void hf_linux_listener_finish(struct hf_port_linux *p)
{
	struct hf_list *n;

	while ((n = hf_list_first(&p->listeners)))
		listener_close(&p->port, hf_container_of(n, struct hf_listener, node));
}

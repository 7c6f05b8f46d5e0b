/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same conditions as state_dir.c and listener.c meet at a start, in the
 * words of someone who can change them. An address is tried by binding it for a
 * moment; one that the device does not have is no fault, as it may come with the
 * network. A folder that is missing is made at a start, those above it are not.
 */
#include "port/linux/place.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/linux/loop.h"

struct check {
	const struct hf_settings *s;
	struct hf_buf *faults, *notices;
	bool any;
};

static void say(const struct check *c, struct hf_buf *to, const char *key, unsigned line,
		const char *words)
{
	/* What is past the buffer's end is not shown; the first ones are. */
	if (line)
		(void)hf_buf_appendf(to, "%s:%u: [agent] %s: %s\n", c->s->path, line, key, words);
	else
		(void)hf_buf_appendf(to, "%s: [agent] %s (not given, so the default): %s\n",
				     c->s->path, key, words);
}

static void fault(struct check *c, const char *key, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void fault(struct check *c, const char *key, unsigned line, const char *fmt, ...)
{
	char words[HF_PLACE_PATH_SIZE];
	va_list args;

	c->any = true;
	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	say(c, c->faults, key, line, words);
}

/* ---- folders ---- */

static const char *user_name(char out[64])
{
	const struct passwd *pw = getpwuid(geteuid());

	if (pw)
		snprintf(out, 64, "%s", pw->pw_name);
	else
		snprintf(out, 64, "with number %u", (unsigned)geteuid());
	return out;
}

void hf_place_folder_above(const char *path, char out[HF_PLACE_PATH_SIZE])
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(out, HF_PLACE_PATH_SIZE, ".");
	else if (slash == path)
		snprintf(out, HF_PLACE_PATH_SIZE, "/");
	else
		snprintf(out, HF_PLACE_PATH_SIZE, "%.*s", (int)(slash - path), path);
}

static void unwritable(struct check *c, const char *key, unsigned line, const char *folder)
{
	char user[64];

	if (errno == EROFS)
		fault(c, key, line, "%s is on a file system that is read-only", folder);
	else
		fault(c, key, line, "user %s may not write in %s", user_name(user), folder);
}

/* @folder is there and can be written, or can be made. True: it is there. */
static bool check_folder(struct check *c, const char *key, unsigned line, const char *folder)
{
	char above[HF_PLACE_PATH_SIZE], user[64];
	struct stat st;

	if (stat(folder, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			fault(c, key, line, "%s is not a folder", folder);
		else if (access(folder, R_OK | W_OK | X_OK))
			unwritable(c, key, line, folder);
		else
			return true;
		return false;
	}
	hf_place_folder_above(folder, above);
	if (errno == EACCES)
		fault(c, key, line, "user %s may not enter a folder on the way to %s",
		      user_name(user), folder);
	else if (errno != ENOENT)
		fault(c, key, line, "%s cannot be reached: %s", folder, strerror(errno));
	else if (stat(above, &st))
		fault(c, key, line, "%s cannot be made, because %s does not exist; make that first",
		      folder, above);
	else if (access(above, W_OK | X_OK))
		unwritable(c, key, line, above);
	return false;
}

/* ---- state-dir ---- */

static bool is_locked(const char *dir)
{
	char path[HF_PLACE_PATH_SIZE];
	bool locked;
	int fd;

	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	locked = flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	return locked;
}

static void check_state_file(struct check *c, const char *path)
{
	unsigned line = c->s->state_dir_line;
	struct stat st;
	char user[64];

	if (stat(path, &st))
		fault(c, "state-dir", line, "%s cannot be reached: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		fault(c, "state-dir", line,
		      "%s is a %s where the store has a file; move it away, or name another folder",
		      path, S_ISDIR(st.st_mode) ? "folder" : "special file");
	else if (access(path, R_OK | W_OK) && errno == EROFS)
		fault(c, "state-dir", line, "%s is on a file system that is read-only", path);
	else if (access(path, R_OK | W_OK))
		fault(c, "state-dir", line,
		      "user %s may not read and write %s; give the file to that user",
		      user_name(user), path);
}

/* The store's files, if there are any yet. */
static void check_state_files(struct check *c)
{
	static const char store[] = "queue";
	DIR *dir = opendir(c->s->state_dir);
	char path[HF_PLACE_PATH_SIZE];
	struct dirent *e;

	while (dir && (e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, store, strlen(store)) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", c->s->state_dir, e->d_name);
		check_state_file(c, path);
	}
	if (dir)
		closedir(dir);
}

/* True: another holdfastd has it. */
static bool check_state_dir(struct check *c)
{
	const char *dir = c->s->state_dir;
	unsigned line = c->s->state_dir_line;

	if (!check_folder(c, "state-dir", line, dir))
		return false;
	if (is_locked(dir)) {
		fault(c, "state-dir", line,
		      "%s: another holdfastd holds it; stop that, or name another folder", dir);
		return true;
	}
	check_state_files(c);
	return false;
}

/* ---- control ---- */

static bool is_answered(const struct hf_addr *at)
{
	struct sockaddr_storage ss;
	socklen_t len = hf_linux_addr_to_sock(at, &ss);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool answered = fd >= 0 && connect(fd, (struct sockaddr *)&ss, len) == 0;

	if (fd >= 0)
		close(fd);
	return answered;
}

static void check_control(struct check *c)
{
	struct hf_addr at = { .family = HF_FAMILY_UNIX };
	unsigned line = c->s->control_line;
	char folder[HF_PLACE_PATH_SIZE];
	struct stat st;

	if (!c->s->control)
		return;
	snprintf(at.path, sizeof(at.path), "%s", c->s->control);
	hf_place_folder_above(at.path, folder);
	if (!check_folder(c, "control", line, folder) || lstat(at.path, &st))
		return;
	if (!S_ISSOCK(st.st_mode))
		fault(c, "control", line,
		      "%s exists and is not a socket; remove it, or name another path", at.path);
	else if (is_answered(&at))
		fault(c, "control", line,
		      "%s is in use by another program; stop that, or name another path", at.path);
}

/* ---- addresses ---- */

static void format(const struct hf_addr *at, char out[64])
{
	char ip[INET6_ADDRSTRLEN] = "";
	bool v6 = at->family == HF_FAMILY_IPV6;

	inet_ntop(v6 ? AF_INET6 : AF_INET, at->ip, ip, sizeof(ip));
	snprintf(out, 64, v6 ? "[%s]:%u" : "%s:%u", ip, at->port);
}

static int try_bind(const struct hf_addr *at, int type)
{
	struct sockaddr_storage ss;
	socklen_t len = hf_linux_addr_to_sock(at, &ss);
	int fd = socket(ss.ss_family, type | SOCK_CLOEXEC, 0);
	int on = 1, err = 0;

	if (fd < 0)
		return errno;
	if (type == SOCK_STREAM) /* of datagrams two could have one address then */
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->family == HF_FAMILY_IPV6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&ss, len))
		err = errno;
	close(fd);
	return err;
}

struct addresses {
	const char *key;
	unsigned line;
	int type;
	const struct hf_addr *all;
	size_t n;
};

static void check_address(struct check *c, const struct addresses *of, const struct hf_addr *at)
{
	int err = try_bind(at, of->type);
	char text[64], user[64], words[192];

	format(at, text);
	if (err == EADDRINUSE)
		fault(c, of->key, of->line,
		      "%s is in use by another program; stop that, or change the address", text);
	else if (err == EACCES)
		fault(c, of->key, of->line,
		      "user %s may not listen on port %u; choose one from 1024 on, or give the "
		      "program CAP_NET_BIND_SERVICE",
		      user_name(user), at->port);
	else if (err == EAFNOSUPPORT)
		fault(c, of->key, of->line, "%s: this device has no %s", text,
		      at->family == HF_FAMILY_IPV6 ? "IPv6" : "IPv4");
	else if (err && err != EADDRNOTAVAIL)
		fault(c, of->key, of->line, "%s cannot be listened on: %s", text, strerror(err));
	if (err != EADDRNOTAVAIL)
		return;
	snprintf(words, sizeof(words),
		 "%s is no address of this device now; it is heard there when it is one", text);
	say(c, c->notices, of->key, of->line, words);
}

static void check_addresses(struct check *c)
{
	const struct hf_settings *s = c->s;
	const struct addresses all[] = {
		{ "listen", s->listen_line, SOCK_STREAM, s->listen, s->listen_n },
		{ "metrics-listen", s->metrics_line, SOCK_STREAM, s->metrics, s->metrics_n },
		{ "coap-listen", s->sensor.coap_line, SOCK_DGRAM, s->sensor.coap,
		  s->sensor.coap_n },
		{ "coaps-listen", s->sensor.coaps_line, SOCK_DGRAM, s->sensor.coaps,
		  s->sensor.coaps_n },
	};

	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
		for (size_t i = 0; i < all[k].n; i++)
			check_address(c, &all[k], &all[k].all[i]);
}

enum hf_place hf_place_check(const struct hf_settings *s, struct hf_buf *faults,
			     struct hf_buf *notices)
{
	struct check c = { .s = s, .faults = faults, .notices = notices };

	if (check_state_dir(&c))
		return HF_PLACE_TAKEN;
	check_control(&c);
	check_addresses(&c);
	return c.any ? HF_PLACE_FAULTS : HF_PLACE_FITS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The URI of the captive portal's API that the network names (RFC 8910: option
 * 114 of DHCP, 103 of DHCPv6, 37 of router advertisements), as systemd-networkd
 * writes it into the state file of each link:
 *
 *	CAPTIVE_PORTAL=https://portal.example/api
 *
 * The folder is watched, because networkd writes behind what rtnetlink tells.
 * Without networkd there is no such file, and nothing is known.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "port/linux/loop.h"

#define LINKS_FOLDER   "/run/systemd/netif/links"
#define FILE_BYTES_MAX 16384
#define DRAIN_ROUNDS   64

/* The value of a line CAPTIVE_PORTAL=... into @uri; false: there is none that fits. */
static bool find_uri(const char *text, char uri[HF_LINUX_URI_SIZE])
{
	static const char key[] = "CAPTIVE_PORTAL=";
	const char *at = text;
	size_t len;

	while (strncmp(at, key, sizeof(key) - 1) != 0) {
		at = strchr(at, '\n');
		if (!at)
			return false;
		at++;
	}
	at += sizeof(key) - 1;
	len = strcspn(at, "\n");
	if (len == 0 || len >= HF_LINUX_URI_SIZE)
		return false;
	memcpy(uri, at, len);
	uri[len] = '\0';
	return true;
}

static bool read_link(const struct hf_port_linux *p, const char *name, char uri[HF_LINUX_URI_SIZE])
{
	char path[PATH_MAX], text[FILE_BYTES_MAX + 1];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", p->captive.folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, FILE_BYTES_MAX);
		close(fd);
	}
	if (n <= 0)
		return false;
	text[n] = '\0';
	return find_uri(text, uri);
}

/* Files are named by the number of their interface; 0: this one is not, or its
 * interface is left out. */
static unsigned number_of(const struct hf_port_linux *p, const char *name)
{
	char interface[IF_NAMESIZE], *end;
	unsigned long number = strtoul(name, &end, 10);

	if (*end || number == 0 || number > INT_MAX)
		return 0;
	if (if_indextoname((unsigned)number, interface) && hf_linux_link_is_left_out(p, interface))
		return 0;
	return (unsigned)number;
}

/* Of the interface with the lowest number that has one. */
static void find(const struct hf_port_linux *p, char uri[HF_LINUX_URI_SIZE])
{
	DIR *dir = opendir(p->captive.folder);
	char found[HF_LINUX_URI_SIZE];
	unsigned best = 0, number;
	struct dirent *d;

	uri[0] = '\0';
	while (dir && (d = readdir(dir))) {
		number = number_of(p, d->d_name);
		if (number == 0 || (best && number > best) || !read_link(p, d->d_name, found))
			continue;
		best = number;
		memcpy(uri, found, sizeof(found));
	}
	if (dir)
		closedir(dir);
}

static void folder_changed(struct hf_linux_watch *w, int events, bool failed)
{
	struct hf_port_linux *p = w->port;
	char waste[4096];

	(void)events;
	(void)failed;
	for (int i = 0; i < DRAIN_ROUNDS; i++)
		if (read(w->fd, waste, sizeof(waste)) < 0 && errno != EINTR)
			break;
	if (hf_linux_captive_look(p))
		hf_linux_link_tell_again(p);
}

static void watch(struct hf_port_linux *p)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0)
		return;
	if (inotify_add_watch(fd, p->captive.folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE) <
		    0 ||
	    hf_linux_watch_init(p, &p->captive.watch, fd, folder_changed)) {
		close(fd);
		return;
	}
	hf_linux_watch_want(&p->captive.watch, UV_READABLE);
}

bool hf_linux_captive_look(struct hf_port_linux *p)
{
	char uri[HF_LINUX_URI_SIZE];

	if (!p->captive.watch.port)
		watch(p); /* networkd may have been started meanwhile */
	find(p, uri);
	if (strcmp(uri, p->captive.uri) == 0)
		return false;
	memcpy(p->captive.uri, uri, sizeof(uri));
	return true;
}

static const char *captive_api(struct hf_port *port)
{
	const char *uri = hf_linux_of(port)->captive.uri;

	return uri[0] ? uri : NULL;
}

void hf_linux_captive_init(struct hf_port_linux *p, const char *folder)
{
	p->captive.folder = folder ? folder : LINKS_FOLDER;
	p->port.captive_api = captive_api;
}

void hf_linux_captive_finish(struct hf_port_linux *p)
{
	if (p->captive.watch.port)
		hf_linux_watch_close(&p->captive.watch, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files and folders, for configuration at start and on reload. Blocks.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/linux/loop.h"

#define READ_STEP 4096

/* ---- a file ---- */

/* Grows *out by doubling, to at most @max and the NUL. */
static int make_room(char **out, size_t *cap, size_t len, size_t max)
{
	size_t more = *cap ? *cap * 2 : READ_STEP;
	char *bigger;

	if (len + 1 < *cap)
		return 0;
	if (more > max + 2)
		more = max + 2; /* one byte past the limit shows that it is passed */
	bigger = realloc(*out, more);
	if (!bigger)
		return HF_ENOMEM;
	*out = bigger;
	*cap = more;
	return 0;
}

/* @out is to be freed in any case. */
static int read_rest(int fd, size_t max, char **out, size_t *len)
{
	size_t cap = 0;
	ssize_t n;
	int err;

	do {
		err = make_room(out, &cap, *len, max);
		if (err)
			return err;
		n = read(fd, *out + *len, cap - *len - 1);
		if (n < 0 && errno != EINTR)
			return HF_EIO;
		if (n > 0)
			*len += (size_t)n;
		if (*len > max)
			return HF_ETOOBIG;
	} while (n != 0);
	(*out)[*len] = '\0';
	return 0;
}

static int read_all(int fd, size_t max, char **out, size_t *len)
{
	char *bytes = NULL;
	size_t n = 0;
	int err = read_rest(fd, max, &bytes, &n);

	if (err) {
		free(bytes);
		return err;
	}
	*out = bytes;
	*len = n;
	return 0;
}

static int file_read(struct hf_port *port, const char *path, size_t max, char **out, size_t *len)
{
	/* non-blocking: a FIFO without a writer gives nothing instead of waiting */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int err;

	(void)port;
	if (fd < 0)
		return errno == ENOTDIR ? HF_ENOENT : hf_linux_err(errno);
	if (fstat(fd, &st))
		err = HF_EIO;
	else if (S_ISDIR(st.st_mode))
		err = HF_ESTATE;
	else if (S_ISREG(st.st_mode) && (uintmax_t)st.st_size > max)
		err = HF_ETOOBIG;
	else
		err = read_all(fd, max, out, len);
	close(fd);
	return err;
}

/* What cannot be looked at is read with a fault of its own. */
static bool file_exposed(struct hf_port *port, const char *path)
{
	struct stat st;

	(void)port;
	return stat(path, &st) == 0 && (st.st_mode & (S_IROTH | S_IWOTH)) != 0;
}

/* ---- a folder ---- */

static int is_wanted(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* bytes, whatever the locale */
}

static int give_file(const char *dir, const char *name, int (*each)(void *user, const char *path),
		     void *user)
{
	char path[PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return HF_ETOOBIG;
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return 0;
	return each(user, path);
}

static int dir_read(struct hf_port *port, const char *dir,
		    int (*each)(void *user, const char *path), void *user)
{
	struct dirent **names;
	int n = scandir(dir, &names, is_wanted, by_name), err = 0;

	(void)port;
	if (n < 0)
		return hf_linux_err(errno);
	for (int i = 0; i < n; i++) {
		if (err == 0)
			err = give_file(dir, names[i]->d_name, each, user);
		free(names[i]);
	}
	free(names);
	return err;
}

void hf_linux_file_init(struct hf_port_linux *p)
{
	p->port.file_read = file_read;
	p->port.file_exposed = file_exposed;
	p->port.dir_read = dir_read;
}

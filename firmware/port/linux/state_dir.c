/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state folder and its lock, a file `lock` in it. The lock belongs to the
 * open descriptor: it ends with the process, however that ends, and the file
 * stays.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/linux/loop.h"
#include "port/linux/port_linux.h"

static const char *vfs_name(struct hf_port *port)
{
	(void)port;
	return NULL;
}

static const char *state_dir(struct hf_port *port)
{
	struct hf_port_linux *p = hf_linux_of(port);

	return p->state_dir ? p->state_dir : "";
}

/* The lock file in @dir_fd, which must be writable itself too. */
static int open_lock(int dir_fd)
{
	int fd;

	if (faccessat(dir_fd, ".", W_OK | X_OK, 0))
		return hf_linux_err(errno);
	fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	return fd < 0 ? hf_linux_err(errno) : fd;
}

/* Takes the lock of @dir; the descriptor holds it as long as it is open. */
static int lock_state_dir(const char *dir)
{
	int dir_fd, fd, err;

	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return hf_linux_err(errno);
	fd = open_lock(dir_fd);
	close(dir_fd);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno == EWOULDBLOCK ? HF_EBUSY : HF_EIO;
		close(fd);
		return err;
	}
	return fd;
}

int hf_port_linux_set_state_dir(struct hf_port_linux *p, const char *dir)
{
	size_t len = strlen(dir);
	char *copy;
	int fd;

	assert(!p->state_dir);
	while (len > 1 && dir[len - 1] == '/')
		len--;
	copy = strndup(dir, len);
	if (!copy)
		return HF_ENOMEM;
	if (mkdir(copy, 0750) && errno != EEXIST) {
		fd = hf_linux_err(errno);
		goto fail;
	}
	fd = lock_state_dir(copy);
	if (fd < 0)
		goto fail;
	p->lock_fd = fd;
	p->state_dir = copy;
	return 0;
fail:
	free(copy);
	return fd;
}

void hf_linux_state_dir_init(struct hf_port_linux *p)
{
	p->port.vfs_name = vfs_name;
	p->port.state_dir = state_dir;
}

void hf_linux_state_dir_finish(struct hf_port_linux *p)
{
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	free(p->state_dir);
}

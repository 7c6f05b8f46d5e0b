/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that is confined to its folders. It cannot be undone, so each case is a
 * child, whose exit code is the number of the first thing that was not so.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "port/linux/port_linux.h"

#define NO_LANDLOCK 77

struct place {
	char dir[64], own[96], other[96], outside[96];
};

static void set_up(struct place *at)
{
	strcpy(at->dir, "/tmp/hf_port_confine_XXXXXX");
	assert_non_null(mkdtemp(at->dir));
	snprintf(at->own, sizeof(at->own), "%s/own", at->dir);
	snprintf(at->other, sizeof(at->other), "%s/other", at->dir);
	snprintf(at->outside, sizeof(at->outside), "%s/outside", at->dir);
	assert_int_equal(mkdir(at->own, 0755), 0);
	assert_int_equal(mkdir(at->outside, 0755), 0);
}

/* True: a file in @folder can be made, written to and removed. */
static bool can_change(const char *folder)
{
	char path[128];
	int fd;
	bool ok;

	snprintf(path, sizeof(path), "%s/file", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	ok = write(fd, "x", 1) == 1;
	close(fd);
	return unlink(path) == 0 && ok;
}

struct try_job {
	struct hf_job job;
	const struct place *at;
	bool own, outside;
};

static void run_try(struct hf_job *job)
{
	struct try_job *t = (struct try_job *)job;

	t->own = can_change(t->at->own);
	t->outside = can_change(t->at->outside);
}

static void done_try(struct hf_job *job)
{
	(void)job;
}

/* Of the thread of one database, which the port made before it was confined. */
static bool thread_keeps_to_it(struct hf_port *port, const struct place *at,
			       enum hf_job_queue queue)
{
	struct try_job t = { .job = { .run = run_try, .done = done_try, .queue = queue },
			     .at = at };

	port->job_submit(port, &t.job);
	port->jobs_finish(port);
	return t.own && !t.outside;
}

static bool can_run(const char *program)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execl(program, program, (char *)NULL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

/* The number of what is not so; 0: all is. */
static int live_confined(const struct place *at)
{
	const char *folders[] = { at->own, at->other };
	struct hf_port_linux *linux_port;
	struct hf_port *port;
	unsigned abi;

	if (hf_port_linux_create(NULL, &linux_port))
		return 1;
	port = hf_port_linux_port(linux_port);
	if (!can_change(at->outside) || !can_run("/bin/true"))
		return 2;
	if (hf_port_linux_confine(linux_port, folders, 2, &abi))
		return 3;
	if (abi == 0)
		return NO_LANDLOCK;
	if (!can_change(at->own))
		return 4;
	if (!can_change(at->other)) /* which was missing */
		return 5;
	if (can_change(at->outside) || mkdir("/tmp/hf_port_confine_made", 0700) == 0)
		return 6;
	if (!thread_keeps_to_it(port, at, HF_JOBS_STORE) ||
	    !thread_keeps_to_it(port, at, HF_JOBS_CACHE))
		return 7;
	if (access("/etc/passwd", R_OK))
		return 8;
#ifndef HF_SANITIZED
	if (can_run("/bin/true"))
		return 9;
#endif
	return hf_port_linux_destroy(linux_port) ? 0 : 10;
}

static void tear_down(const struct place *at)
{
	rmdir(at->own);
	rmdir(at->other);
	rmdir(at->outside);
	assert_int_equal(rmdir(at->dir), 0);
}

static void files_are_changed_in_its_own_folders_only(void **state)
{
	struct place at;
	int status = -1;
	pid_t pid;

	(void)state;
	set_up(&at);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(live_confined(&at));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	tear_down(&at);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_LANDLOCK)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
	const char *folders[] = { "/nonexistent/of/holdfast" };
	struct hf_port_linux *linux_port;
	unsigned abi;

	(void)state;
	assert_int_equal(hf_port_linux_create(NULL, &linux_port), 0);
	if (hf_port_linux_confine(linux_port, folders, 1, &abi) == 0)
		assert_int_equal(abi, 0);
	assert_true(hf_port_linux_destroy(linux_port));
	assert_int_equal(access("/tmp", W_OK), 0); /* nothing is confined after it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_changed_in_its_own_folders_only),
		cmocka_unit_test(a_folder_that_cannot_be_made_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

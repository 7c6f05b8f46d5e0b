/* SPDX-License-Identifier: Apache-2.0 */
/* Files, folders and the state folder of the Linux port. */
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

struct fixture {
	struct hf_port_linux *linux_port;
	struct hf_port *port;
	char dir[64];
};

static void set_up(struct fixture *f)
{
	strcpy(f->dir, "/tmp/hf_port_files_XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(hf_port_linux_create(NULL, &f->linux_port), 0);
	f->port = hf_port_linux_port(f->linux_port);
}

static void tear_down(struct fixture *f)
{
	char command[128];

	assert_true(hf_port_linux_destroy(f->linux_port));
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
}

static const char *in(const struct fixture *f, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

static void write_file(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void a_file_is_read_whole_with_a_nul_behind_it(void **state)
{
	struct fixture f;
	char *bytes, big[20000];
	size_t len;

	(void)state;
	set_up(&f);
	memset(big, 'x', sizeof(big));
	write_file(in(&f, "a"), big, sizeof(big));
	assert_int_equal(f.port->file_read(f.port, in(&f, "a"), sizeof(big), &bytes, &len), 0);
	assert_int_equal(len, sizeof(big));
	assert_memory_equal(bytes, big, len);
	assert_int_equal(bytes[len], 0);
	free(bytes);
	write_file(in(&f, "empty"), "", 0);
	assert_int_equal(f.port->file_read(f.port, in(&f, "empty"), 0, &bytes, &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(bytes[0], 0);
	free(bytes);
	tear_down(&f);
}

static void a_file_past_the_limit_is_too_big(void **state)
{
	struct fixture f;
	char *bytes;
	size_t len;

	(void)state;
	set_up(&f);
	write_file(in(&f, "a"), "12345", 5);
	assert_int_equal(f.port->file_read(f.port, in(&f, "a"), 4, &bytes, &len), HF_ETOOBIG);
	/* of these the size is not known before */
	assert_int_equal(f.port->file_read(f.port, "/dev/zero", 10000, &bytes, &len), HF_ETOOBIG);
	assert_int_equal(f.port->file_read(f.port, "/proc/self/maps", 10, &bytes, &len),
			 HF_ETOOBIG);
	tear_down(&f);
}

static void what_is_no_file_says_so(void **state)
{
	struct fixture f;
	char *bytes;
	size_t len;

	(void)state;
	set_up(&f);
	assert_int_equal(f.port->file_read(f.port, in(&f, "none"), 9, &bytes, &len), HF_ENOENT);
	assert_int_equal(f.port->file_read(f.port, f.dir, 9, &bytes, &len), HF_ESTATE);
	write_file(in(&f, "a"), "", 0);
	assert_int_equal(f.port->file_read(f.port, in(&f, "a/b"), 9, &bytes, &len), HF_ENOENT);
	assert_int_equal(mkfifo(in(&f, "fifo"), 0600), 0);
	assert_int_equal(f.port->file_read(f.port, in(&f, "fifo"), 9, &bytes, &len), 0);
	free(bytes);
	tear_down(&f);
}

struct listing {
	char text[256];
	int stop_after;
};

static int list(void *user, const char *path)
{
	struct listing *l = user;

	strcat(l->text, strrchr(path, '/') + 1);
	strcat(l->text, " ");
	return l->stop_after && --l->stop_after == 0 ? HF_EAGAIN : 0;
}

static void a_folder_gives_its_files_by_name(void **state)
{
	struct listing all = { .text = "" }, some = { .stop_after = 2 };
	struct fixture f;

	(void)state;
	set_up(&f);
	write_file(in(&f, "b"), "", 0);
	write_file(in(&f, "a"), "", 0);
	write_file(in(&f, "C"), "", 0);
	assert_int_equal(mkdir(in(&f, "folder"), 0700), 0);
	assert_int_equal(symlink("a", in(&f, "link")), 0);
	assert_int_equal(symlink("nothing", in(&f, "broken")), 0);
	assert_int_equal(f.port->dir_read(f.port, f.dir, list, &all), 0);
	assert_string_equal(all.text, "C a b link ");
	assert_int_equal(f.port->dir_read(f.port, f.dir, list, &some), HF_EAGAIN);
	assert_string_equal(some.text, "C a ");
	assert_int_equal(f.port->dir_read(f.port, in(&f, "none"), list, &all), HF_ENOENT);
	assert_int_equal(f.port->dir_read(f.port, in(&f, "a"), list, &all), HF_ESTATE);
	tear_down(&f);
}

static void the_state_folder_is_made_and_has_one_holder(void **state)
{
	struct hf_port_linux *other;
	struct fixture f;
	struct stat st;

	(void)state;
	set_up(&f);
	assert_string_equal(f.port->state_dir(f.port), "");
	assert_int_equal(hf_port_linux_set_state_dir(f.linux_port, in(&f, "state/")), 0);
	assert_string_equal(f.port->state_dir(f.port), in(&f, "state"));
	assert_int_equal(stat(in(&f, "state"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);

	assert_int_equal(hf_port_linux_create(NULL, &other), 0);
	assert_int_equal(hf_port_linux_set_state_dir(other, in(&f, "state")), HF_EBUSY);
	assert_true(hf_port_linux_destroy(f.linux_port));
	assert_int_equal(hf_port_linux_set_state_dir(other, in(&f, "state")), 0);
	f.linux_port = other;
	tear_down(&f);
}

static void a_bad_state_folder_says_why(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	write_file(in(&f, "file"), "", 0);
	assert_int_equal(hf_port_linux_set_state_dir(f.linux_port, in(&f, "file")), HF_ESTATE);
	assert_int_equal(hf_port_linux_set_state_dir(f.linux_port, in(&f, "no/state")), HF_ENOENT);
	assert_int_equal(hf_port_linux_set_state_dir(f.linux_port, in(&f, "file/state")),
			 HF_ESTATE);
	tear_down(&f);
}

static void a_folder_of_others_is_not_ours_to_write(void **state)
{
	struct fixture f;
	int status;

	(void)state;
	set_up(&f);
	assert_int_equal(mkdir(in(&f, "closed"), 0555), 0);
	if (fork() == 0) {
		/* a right that root has and a service has not */
		if (chmod(f.dir, 0755) || (getuid() == 0 && setuid(65534)))
			_exit(2);
		_exit(hf_port_linux_set_state_dir(f.linux_port, in(&f, "closed")) != HF_EPERM);
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_whole_with_a_nul_behind_it),
		cmocka_unit_test(a_file_past_the_limit_is_too_big),
		cmocka_unit_test(what_is_no_file_says_so),
		cmocka_unit_test(a_folder_gives_its_files_by_name),
		cmocka_unit_test(the_state_folder_is_made_and_has_one_holder),
		cmocka_unit_test(a_bad_state_folder_says_why),
		cmocka_unit_test(a_folder_of_others_is_not_ours_to_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

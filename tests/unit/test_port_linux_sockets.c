/* SPDX-License-Identifier: Apache-2.0 */
/* What the Linux port does with sockets beyond the contract of every port. */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "port/linux/port_linux.h"

#define TURNS 300

struct fixture {
	struct hf_port_linux *linux_port;
	struct hf_port *port;
	struct hf_listener *listener;
	struct hf_stream *streams[8];
	int accepted;
	char got[64];
	size_t got_n;
	int ends, errors, connect_err;
	bool connected;
};

static void on_connect(void *user, int err)
{
	struct fixture *f = user;

	f->connected = true;
	f->connect_err = err;
}

static void on_data(void *user, const void *data, size_t len)
{
	struct fixture *f = user;

	assert_true(f->got_n + len <= sizeof(f->got));
	memcpy(f->got + f->got_n, data, len);
	f->got_n += len;
}

static void on_eof(void *user)
{
	((struct fixture *)user)->ends++;
}

static void on_error(void *user, int err)
{
	(void)err;
	((struct fixture *)user)->errors++;
}

static const struct hf_stream_events events = {
	.on_connect = on_connect,
	.on_data = on_data,
	.on_eof = on_eof,
	.on_error = on_error,
};

static void on_accept(void *user, struct hf_stream *stream)
{
	struct fixture *f = user;

	assert_true(f->accepted < 8);
	f->streams[f->accepted++] = stream;
	f->port->stream_accept(f->port, stream, &events, f);
}

static const struct hf_listener_events listener_events = { .on_accept = on_accept };

static void set_up(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(hf_port_linux_create(NULL, &f->linux_port), 0);
	f->port = hf_port_linux_port(f->linux_port);
}

static void tear_down(struct fixture *f)
{
	assert_true(hf_port_linux_destroy(f->linux_port)); /* closes what is open */
}

static void quiet(struct fixture *f)
{
	for (int i = 0; i < 5; i++)
		hf_port_linux_turn(f->linux_port, 10);
}

#define WAIT_FOR(f, what)                                        \
	do {                                                     \
		for (int i_ = 0; i_ < TURNS && !(what); i_++)    \
			hf_port_linux_turn((f)->linux_port, 10); \
		assert_true(what);                               \
	} while (0)

static int listen_at(struct fixture *f, const struct hf_addr *at)
{
	return f->port->listen(f->port, at, &listener_events, f, &f->listener);
}

static struct hf_addr unix_addr(const char *path)
{
	struct hf_addr at = { .family = HF_FAMILY_UNIX };

	strcpy(at.path, path);
	return at;
}

/* A blocking socket from outside, connected to @at. */
static int plain_client(const struct hf_addr *at)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(at->port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&in4, sizeof(in4)), 0);
	return fd;
}

static struct hf_addr listen_tcp(struct fixture *f)
{
	struct hf_addr at = { .family = HF_FAMILY_IPV4, .ip = { 127, 0, 0, 1 } };

	assert_int_equal(listen_at(f, &at), 0);
	assert_int_equal(f->port->listener_addr(f->port, f->listener, &at), 0);
	return at;
}

/* ---- UNIX sockets ---- */

static const char *new_path(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/tmp/hf_port_sockets_%d", (int)getpid());
	unlink(path);
	return path;
}

static void a_unix_socket_is_for_its_group_and_knows_who_calls(void **state)
{
	struct hf_addr at = unix_addr(new_path());
	struct hf_stream *client;
	struct hf_peer peer;
	struct fixture f;
	struct stat st;

	(void)state;
	set_up(&f);
	assert_int_equal(listen_at(&f, &at), 0);
	assert_int_equal(stat(at.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(f.port->stream_connect(f.port, &at, &events, &f, &client), 0);
	assert_false(f.connected);
	WAIT_FOR(&f, f.connected && f.accepted == 1);
	assert_int_equal(f.connect_err, 0);
	assert_int_equal(f.port->stream_peer(f.port, f.streams[0], &peer), 0);
	assert_true(peer.has_creds);
	assert_int_equal(peer.uid, getuid());
	assert_int_equal(peer.gid, getgid());
	assert_int_equal(peer.pid, getpid());
	f.port->listener_close(f.port, f.listener);
	assert_int_equal(access(at.path, F_OK), -1);
	tear_down(&f);
}

/* A socket file whose process is gone. */
static void leave_socket(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(un.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
}

static void a_socket_file_left_over_is_replaced(void **state)
{
	struct hf_addr at = unix_addr(new_path());
	struct fixture f;

	(void)state;
	set_up(&f);
	leave_socket(at.path);
	assert_int_equal(listen_at(&f, &at), 0);
	tear_down(&f);
}

static void a_socket_that_answers_is_busy(void **state)
{
	struct hf_addr at = unix_addr(new_path());
	struct fixture f, other;

	(void)state;
	set_up(&f);
	set_up(&other);
	assert_int_equal(listen_at(&f, &at), 0);
	assert_int_equal(listen_at(&other, &at), HF_EBUSY);
	assert_int_equal(access(at.path, F_OK), 0);
	tear_down(&other);
	tear_down(&f);
}

static void a_file_in_the_socket_s_place_is_left_alone(void **state)
{
	struct hf_addr at = unix_addr(new_path());
	struct fixture f;
	int fd;

	(void)state;
	set_up(&f);
	fd = open(at.path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(listen_at(&f, &at), HF_EEXIST);
	assert_int_equal(access(at.path, F_OK), 0);
	unlink(at.path);
	tear_down(&f);
}

static void the_folder_of_a_socket_is_made_but_not_the_one_above(void **state)
{
	char folder[72], path[96];
	struct hf_addr at;
	struct fixture f;
	struct stat st;

	(void)state;
	set_up(&f);
	snprintf(folder, sizeof(folder), "%s.d", new_path());
	snprintf(path, sizeof(path), "%s/run/socket", folder);
	at = unix_addr(path);
	assert_int_equal(listen_at(&f, &at), HF_ENOENT);
	assert_int_not_equal(access(folder, F_OK), 0);

	snprintf(path, sizeof(path), "%s/socket", folder);
	at = unix_addr(path);
	umask(077);
	assert_int_equal(listen_at(&f, &at), 0);
	umask(022);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	tear_down(&f);
	assert_int_equal(rmdir(folder), 0);
}

static void another_s_socket_in_our_place_is_not_removed(void **state)
{
	struct hf_addr at = unix_addr(new_path());
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(listen_at(&f, &at), 0);
	unlink(at.path);
	leave_socket(at.path);
	tear_down(&f);
	assert_int_equal(access(at.path, F_OK), 0);
	unlink(at.path);
}

static void a_unix_socket_without_a_daemon_refuses(void **state)
{
	struct hf_addr at = unix_addr(new_path());
	struct hf_stream *client;
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(f.port->stream_connect(f.port, &at, &events, &f, &client), 0);
	WAIT_FOR(&f, f.connected);
	assert_int_equal(f.connect_err, HF_ECONNREFUSED);
	tear_down(&f);
}

/* ---- TCP ---- */

static void ipv6_listens_for_itself_only(void **state)
{
	struct hf_addr at4, at6 = { .family = HF_FAMILY_IPV6, .ip = { [15] = 1 } };
	struct hf_listener *second;
	struct fixture f;

	(void)state;
	set_up(&f);
	at4 = listen_tcp(&f);
	at6.port = at4.port;
	if (f.port->listen(f.port, &at6, &listener_events, &f, &second) == HF_EUNREACH) {
		tear_down(&f);
		skip(); /* no IPv6 here */
	}
	assert_int_equal(f.port->listener_addr(f.port, second, &at6), 0);
	assert_int_equal(at6.family, HF_FAMILY_IPV6);
	assert_int_equal(at6.port, at4.port);
	tear_down(&f);
}

static void what_came_before_a_reset_is_still_read(void **state)
{
	static const struct linger reset = { .l_onoff = 1 };
	struct hf_addr at;
	struct fixture f;
	int fd;

	(void)state;
	set_up(&f);
	at = listen_tcp(&f);
	fd = plain_client(&at);
	WAIT_FOR(&f, f.accepted == 1);
	f.port->stream_read(f.port, f.streams[0], true);
	f.port->stream_read(f.port, f.streams[0], false);
	quiet(&f);
	assert_int_equal(write(fd, "last words", 10), 10);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	quiet(&f);
	assert_int_equal(f.errors, 0);
	f.port->stream_read(f.port, f.streams[0], true);
	WAIT_FOR(&f, f.errors == 1);
	assert_int_equal(f.got_n, 10);
	assert_memory_equal(f.got, "last words", 10);
	tear_down(&f);
}

static void a_reset_is_noticed_while_an_answer_is_awaited(void **state)
{
	static const struct linger reset = { .l_onoff = 1 };
	struct hf_addr at;
	struct fixture f;
	int fd;

	(void)state;
	set_up(&f);
	at = listen_tcp(&f);
	fd = plain_client(&at);
	WAIT_FOR(&f, f.accepted == 1);
	f.port->stream_read(f.port, f.streams[0], true);
	assert_int_equal(write(fd, "GET", 3), 3);
	WAIT_FOR(&f, f.got_n == 3);
	f.port->stream_read(f.port, f.streams[0], false);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	WAIT_FOR(&f, f.errors == 1);
	tear_down(&f);
}

/* CPU time of this thread over half a second of turns, milliseconds. */
static long busy_ms(struct fixture *f)
{
	struct timespec before, after;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	for (int i = 0; i < 5; i++)
		hf_port_linux_turn(f->linux_port, 100);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	return (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
}

static void out_of_descriptors_waits_without_spinning(void **state)
{
	struct rlimit before, none;
	struct hf_addr at;
	struct fixture f;
	int fd;

	(void)state;
	set_up(&f);
	at = listen_tcp(&f);
	fd = plain_client(&at);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_true(busy_ms(&f) < 50);
	assert_int_equal(f.accepted, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	WAIT_FOR(&f, f.accepted == 1);
	close(fd);
	tear_down(&f);
}

static void data_that_nobody_reads_does_not_spin(void **state)
{
	struct hf_addr at;
	struct fixture f;
	int fd;

	(void)state;
	set_up(&f);
	at = listen_tcp(&f);
	fd = plain_client(&at);
	WAIT_FOR(&f, f.accepted == 1);
	f.port->stream_read(f.port, f.streams[0], true);
	quiet(&f);
	f.port->stream_read(f.port, f.streams[0], false);
	assert_int_equal(write(fd, "wait", 4), 4);
	shutdown(fd, SHUT_WR);
	f.port->stream_shutdown(f.port, f.streams[0]); /* a hang-up now */
	assert_true(busy_ms(&f) < 50);
	assert_int_equal(f.got_n, 0);
	f.port->stream_read(f.port, f.streams[0], true);
	WAIT_FOR(&f, f.ends == 1);
	assert_int_equal(f.got_n, 4);
	assert_true(busy_ms(&f) < 50);
	assert_int_equal(f.ends, 1);
	close(fd);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unix_socket_is_for_its_group_and_knows_who_calls),
		cmocka_unit_test(a_socket_file_left_over_is_replaced),
		cmocka_unit_test(a_socket_that_answers_is_busy),
		cmocka_unit_test(a_file_in_the_socket_s_place_is_left_alone),
		cmocka_unit_test(the_folder_of_a_socket_is_made_but_not_the_one_above),
		cmocka_unit_test(another_s_socket_in_our_place_is_not_removed),
		cmocka_unit_test(a_unix_socket_without_a_daemon_refuses),
		cmocka_unit_test(ipv6_listens_for_itself_only),
		cmocka_unit_test(what_came_before_a_reset_is_still_read),
		cmocka_unit_test(a_reset_is_noticed_while_an_answer_is_awaited),
		cmocka_unit_test(out_of_descriptors_waits_without_spinning),
		cmocka_unit_test(data_that_nobody_reads_does_not_spin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

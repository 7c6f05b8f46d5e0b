/* SPDX-License-Identifier: Apache-2.0 */
/* The Linux port as a service: notification, watchdog, log, signals, idleness. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "port/linux/port_linux.h"

struct fixture {
	struct hf_port_linux *linux_port;
	struct hf_port *port;
	int manager; /* the service manager's socket */
};

static void create_port(struct fixture *f)
{
	assert_int_equal(hf_port_linux_create(NULL, &f->linux_port), 0);
	f->port = hf_port_linux_port(f->linux_port);
}

static void turns(struct fixture *f, int n)
{
	for (int i = 0; i < n; i++)
		hf_port_linux_turn(f->linux_port, 10);
}

/* ---- notification ---- */

/* With an abstract name, as in containers. */
static void open_manager(struct fixture *f)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char name[64];
	int len = snprintf(name, sizeof(name), "@hf_port_service_%d", (int)getpid());

	memcpy(un.sun_path + 1, name + 1, (size_t)len - 1);
	f->manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(f->manager, (struct sockaddr *)&un,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void close_manager(struct fixture *f)
{
	close(f->manager);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/* "" when nothing has come. */
static const char *heard(struct fixture *f)
{
	static char words[64];
	ssize_t n = recv(f->manager, words, sizeof(words) - 1, 0);

	words[n > 0 ? n : 0] = '\0';
	return words;
}

static void ready_is_told_to_the_service_manager(void **state)
{
	struct fixture f;

	(void)state;
	open_manager(&f);
	create_port(&f);
	assert_string_equal(heard(&f), "");
	f.port->ready(f.port);
	assert_string_equal(heard(&f), "READY=1");
	f.port->progress(f.port); /* no watchdog was asked for */
	turns(&f, 5);
	assert_string_equal(heard(&f), "");
	assert_true(hf_port_linux_destroy(f.linux_port));
	close_manager(&f);
}

static void what_is_told_is_one_line_and_told_once(void **state)
{
	struct fixture f;

	(void)state;
	open_manager(&f);
	create_port(&f);
	f.port->tell(f.port, "ok");
	assert_string_equal(heard(&f), "STATUS=ok");
	f.port->tell(f.port, "ok");
	assert_string_equal(heard(&f), "");
	f.port->tell(f.port, "stuck: a\nREADY=1");
	assert_string_equal(heard(&f), "STATUS=stuck: a");
	assert_true(hf_port_linux_destroy(f.linux_port));
	close_manager(&f);
}

static atomic_bool hangs;

static void hang(struct hf_job *job)
{
	(void)job;
	for (int i = 0; i < 20000 && hangs; i++)
		usleep(1000);
}

static void nothing(struct hf_job *job)
{
	(void)job;
}

static void the_watchdog_is_fed_unless_the_store_thread_hangs(void **state)
{
	struct hf_job job = { .run = hang, .done = nothing };
	struct fixture f;
	int fed = 0;

	(void)state;
	setenv("WATCHDOG_USEC", "100000", 1);
	open_manager(&f);
	create_port(&f);
	f.port->ready(f.port);
	assert_string_equal(heard(&f), "READY=1");
	turns(&f, 15);
	assert_string_equal(heard(&f), "WATCHDOG=1");
	while (*heard(&f))
		;
	hangs = true;
	f.port->job_submit(f.port, &job);
	for (int i = 0; i < 20; i++) {
		turns(&f, 1);
		f.port->progress(f.port); /* the loop goes on, as with panels that ask */
	}
	while (*heard(&f))
		fed++;
	assert_int_equal(fed, 0);
	hangs = false;
	f.port->jobs_finish(f.port);
	turns(&f, 15);
	assert_string_equal(heard(&f), "WATCHDOG=1");
	assert_true(hf_port_linux_destroy(f.linux_port));
	close_manager(&f);
}

struct long_job {
	struct hf_job job;
	atomic_uint moved;
};

/* Long, but it gets on. */
static void crawl(struct hf_job *job)
{
	struct long_job *l = (struct long_job *)(void *)job;

	for (int i = 0; i < 20000 && hangs; i++) {
		atomic_fetch_add(&l->moved, 1);
		usleep(1000);
	}
}

static void the_watchdog_is_fed_while_a_long_job_gets_on(void **state)
{
	struct long_job l = { .job = { .run = crawl, .done = nothing } };
	struct fixture f;
	int fed = 0;

	(void)state;
	l.job.moved = &l.moved;
	setenv("WATCHDOG_USEC", "200000", 1);
	open_manager(&f);
	create_port(&f);
	f.port->ready(f.port);
	assert_string_equal(heard(&f), "READY=1");
	hangs = true;
	f.port->job_submit(f.port, &l.job);
	for (int i = 0; i < 1000 && fed < 3; i++) {
		turns(&f, 1);
		fed += strcmp(heard(&f), "WATCHDOG=1") == 0;
	}
	assert_int_equal(fed, 3);
	hangs = false;
	f.port->jobs_finish(f.port);
	assert_true(hf_port_linux_destroy(f.linux_port));
	close_manager(&f);
}

static void the_manager_is_asked_for_time_while_a_long_start_gets_on(void **state)
{
	struct long_job l = { .job = { .run = crawl, .done = nothing } };
	const char *words = "";
	struct fixture f;

	(void)state;
	l.job.moved = &l.moved;
	open_manager(&f);
	create_port(&f);
	hangs = true;
	f.port->job_submit(f.port, &l.job);
	for (int i = 0; i < 3000 && !*words; i++) {
		turns(&f, 1);
		words = heard(&f);
	}
	assert_string_equal(words, "EXTEND_TIMEOUT_USEC=60000000");
	hangs = false;
	f.port->jobs_finish(f.port);
	assert_true(hf_port_linux_destroy(f.linux_port));
	close_manager(&f);
}

struct gate_job {
	struct hf_job job;
	atomic_bool *open;
	bool was_open;
};

/* Ends when the gate is open, or with was_open unset after a long time. */
static void wait_for_gate(struct hf_job *job)
{
	struct gate_job *g = (struct gate_job *)(void *)job;

	for (int i = 0; i < 20000 && !g->was_open; i++) {
		g->was_open = atomic_load(g->open);
		if (!g->was_open)
			usleep(1000);
	}
}

static void open_gate(struct hf_job *job)
{
	atomic_store(((struct gate_job *)(void *)job)->open, true);
}

static void a_job_of_the_store_delays_none_of_the_caches(void **state)
{
	atomic_bool open = false;
	struct gate_job waits = { .job = { .run = wait_for_gate, .done = nothing }, .open = &open };
	struct gate_job opens = {
		.job = { .run = open_gate, .done = nothing, .queue = HF_JOBS_CACHE }, .open = &open
	};
	struct fixture f;

	(void)state;
	create_port(&f);
	f.port->job_submit(f.port, &waits.job);
	f.port->job_submit(f.port, &opens.job);
	f.port->jobs_finish(f.port);
	assert_true(waits.was_open);
	assert_true(hf_port_linux_destroy(f.linux_port));
}

static void another_process_s_watchdog_is_not_ours(void **state)
{
	struct fixture f;

	(void)state;
	setenv("WATCHDOG_USEC", "20000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	open_manager(&f);
	create_port(&f);
	f.port->ready(f.port);
	turns(&f, 5);
	assert_string_equal(heard(&f), "READY=1");
	assert_string_equal(heard(&f), "");
	assert_true(hf_port_linux_destroy(f.linux_port));
	close_manager(&f);
}

/* ---- log ---- */

/* What one warning looks like on stderr. With @journal, stderr is the journal. */
static void log_line(bool journal, char *out, size_t size)
{
	int to[2], before = dup(STDERR_FILENO);
	char stream[64];
	struct fixture f;
	struct stat st;
	ssize_t n;

	assert_int_equal(pipe(to), 0);
	dup2(to[1], STDERR_FILENO);
	fstat(STDERR_FILENO, &st);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino + !journal);
	setenv("JOURNAL_STREAM", stream, 1);
	create_port(&f);
	f.port->log(f.port, HF_LOG_WARNING, "queue.settled id=1");
	n = read(to[0], out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	dup2(before, STDERR_FILENO);
	close(before);
	close(to[0]);
	close(to[1]);
	unsetenv("JOURNAL_STREAM");
	assert_true(hf_port_linux_destroy(f.linux_port));
}

static void the_journal_gets_the_priority_and_people_the_time(void **state)
{
	char line[256];

	(void)state;
	log_line(true, line, sizeof(line));
	assert_string_equal(line, "<4>queue.settled id=1\n");
	log_line(false, line, sizeof(line));
	assert_int_equal(line[4], '-');
	assert_non_null(strstr(line, "Z warning queue.settled id=1\n"));
}

/* ---- signals ---- */

static void stop_on_signal(void *user, int signum)
{
	struct fixture *f = user;

	assert_int_equal(signum, SIGTERM);
	hf_port_linux_stop(f->linux_port);
}

static void a_signal_comes_on_the_loop(void **state)
{
	struct fixture f;

	(void)state;
	create_port(&f);
	assert_int_equal(hf_port_linux_on_signal(f.linux_port, stop_on_signal, &f), 0);
	raise(SIGTERM);
	assert_int_equal(hf_port_linux_run(f.linux_port), 0);
	assert_true(hf_port_linux_destroy(f.linux_port));
}

/* ---- idleness ---- */

static long switches(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0); /* of all threads */
	return usage.ru_nvcsw;
}

static void an_idle_port_does_not_wake(void **state)
{
	struct fixture f;
	long before;

	(void)state;
	create_port(&f);
	f.port->wake_at(f.port, f.port->boottime_ms(f.port) + 1000000);
	turns(&f, 5);
	before = switches();
	hf_port_linux_turn(f.linux_port, 1500);
	assert_true(switches() - before <= 2); /* to sleep, and at the end of the turn */
	assert_true(hf_port_linux_destroy(f.linux_port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ready_is_told_to_the_service_manager),
		cmocka_unit_test(what_is_told_is_one_line_and_told_once),
		cmocka_unit_test(the_watchdog_is_fed_unless_the_store_thread_hangs),
		cmocka_unit_test(the_watchdog_is_fed_while_a_long_job_gets_on),
		cmocka_unit_test(the_manager_is_asked_for_time_while_a_long_start_gets_on),
		cmocka_unit_test(a_job_of_the_store_delays_none_of_the_caches),
		cmocka_unit_test(another_process_s_watchdog_is_not_ours),
		cmocka_unit_test(the_journal_gets_the_priority_and_people_the_time),
		cmocka_unit_test(a_signal_comes_on_the_loop),
		cmocka_unit_test(an_idle_port_does_not_wake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

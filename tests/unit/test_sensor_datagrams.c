/* SPDX-License-Identifier: Apache-2.0 */
/* The Linux port's sockets for datagrams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "port/linux/port_linux.h"

#define TURNS 300

struct end {
	struct hf_datagrams *d;
	struct hf_addr at, from;
	char got[HF_DATAGRAM_BYTES_MAX];
	size_t len;
	unsigned n;
	bool close_on_data;
};

static struct hf_port_linux *world;
static struct hf_port *port;
static bool inside; /* an operation is being called */

static void on_datagram(void *user, const struct hf_addr *from, const void *data, size_t len)
{
	struct end *e = user;

	assert_false(inside);
	assert_non_null(e->d);
	e->from = *from;
	e->len = len;
	memcpy(e->got, data, len);
	e->n++;
	if (e->close_on_data) {
		port->datagram_close(port, e->d);
		e->d = NULL;
	}
}

static const struct hf_datagram_events events = { .on_datagram = on_datagram };

static void open_end(struct end *e, enum hf_family family)
{
	*e = (struct end){ .at = { .family = family } };
	if (family == HF_FAMILY_IPV4)
		memcpy(e->at.ip, (uint8_t[]){ 127, 0, 0, 1 }, 4);
	else
		e->at.ip[15] = 1;
	assert_int_equal(port->datagram_open(port, &e->at, &events, e, &e->d), 0);
	assert_int_equal(port->datagram_addr(port, e->d, &e->at), 0);
	assert_int_not_equal(e->at.port, 0);
}

static void send_to(struct end *from, const struct end *to, const void *data, size_t len)
{
	inside = true;
	port->datagram_send(port, from->d, &to->at, data, len);
	inside = false;
}

static void wait_for(const struct end *e, unsigned n)
{
	for (int i = 0; i < TURNS && e->n < n; i++)
		hf_port_linux_turn(world, 10);
	assert_int_equal(e->n, n);
}

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(hf_port_linux_create(NULL, &world), 0);
	port = hf_port_linux_port(world);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_true(hf_port_linux_destroy(world));
	return 0;
}

static void carries_both_ways(enum hf_family family)
{
	static char large[HF_DATAGRAM_BYTES_MAX + 100];
	struct end a, b;

	open_end(&a, family);
	open_end(&b, family);
	send_to(&a, &b, "hello", 5);
	wait_for(&b, 1);
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.got, "hello", 5);
	assert_int_equal(b.from.port, a.at.port);
	assert_memory_equal(b.from.ip, a.at.ip, 16);
	send_to(&b, &a, "", 0);
	wait_for(&a, 1);
	assert_int_equal(a.len, 0);
	send_to(&a, &b, large, sizeof(large));
	wait_for(&b, 2);
	assert_int_equal(b.len, HF_DATAGRAM_BYTES_MAX);
	/* a socket that is in use is not given twice */
	assert_int_equal(port->datagram_open(port, &b.at, &events, &a, &a.d), HF_EBUSY);
	/* nobody is there: no harm */
	port->datagram_close(port, b.d);
	send_to(&a, &b, "x", 1);
	hf_port_linux_turn(world, 10);
	send_to(&a, &b, "x", 1);
	hf_port_linux_turn(world, 10);
	send_to(&a, &a, "own", 3);
	wait_for(&a, 2);
	port->datagram_close(port, a.d);
	hf_port_linux_turn(world, 10);
}

static void datagrams_of_both_families(void **state)
{
	(void)state;
	carries_both_ways(HF_FAMILY_IPV4);
	carries_both_ways(HF_FAMILY_IPV6);
}

static void closing_inside_an_event_ends_the_events(void **state)
{
	struct end a, b;

	(void)state;
	open_end(&a, HF_FAMILY_IPV4);
	open_end(&b, HF_FAMILY_IPV4);
	b.close_on_data = true;
	for (int i = 0; i < 5; i++)
		send_to(&a, &b, "x", 1);
	wait_for(&b, 1);
	for (int i = 0; i < 5; i++)
		hf_port_linux_turn(world, 5);
	assert_int_equal(b.n, 1);
	port->datagram_close(port, a.d);
}

static void a_file_that_others_may_read_is_exposed(void **state)
{
	char path[] = "/tmp/exposed.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(chmod(path, 0640), 0);
	assert_false(port->file_exposed(port, path));
	assert_int_equal(chmod(path, 0644), 0);
	assert_true(port->file_exposed(port, path));
	assert_int_equal(chmod(path, 0602), 0);
	assert_true(port->file_exposed(port, path));
	unlink(path);
	assert_false(port->file_exposed(port, path));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(datagrams_of_both_families),
		CASE(closing_inside_an_event_ends_the_events),
		CASE(a_file_that_others_may_read_is_exposed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

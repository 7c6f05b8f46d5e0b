/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams of the simulated network: what comes, what gets lost, who hears of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/datagram.h"

struct scene {
	struct sim_world world;
	struct sim_net net;
	struct sim_node *device, *host;
	struct hf_datagrams *here, *there;
	unsigned received, refused;
	char last[16];
};

static void on_datagram(void *user, const struct hf_addr *from, const void *data, size_t len)
{
	struct scene *s = user;

	assert_int_equal(from->port, s->here->addr.port);
	assert_memory_equal(from->ip, s->device->addr.ip, 4);
	assert_true(len < sizeof(s->last));
	memcpy(s->last, data, len);
	s->last[len] = '\0';
	s->received++;
}

static void on_refused(void *user, const struct hf_addr *by)
{
	struct scene *s = user;

	assert_memory_equal(by->ip, s->host->addr.ip, 4);
	s->refused++;
}

static const struct hf_datagram_events events = { .on_datagram = on_datagram };

static void open_scene(struct scene *s)
{
	struct hf_addr any = sim_addr_ipv4(0, 0), at = sim_addr_ipv4(0, 5683);

	memset(s, 0, sizeof(*s));
	sim_world_init(&s->world, 1, NULL);
	sim_net_init(&s->net, &s->world);
	s->device = sim_node_add(&s->net, "kiosk", 0xc0000201);
	s->host = sim_node_add(&s->net, "meter.example", 0xcb00710a);
	assert_int_equal(sim_datagram_open(s->device, s, &any, &events, s, &s->here), 0);
	assert_int_equal(sim_datagram_open(s->host, s, &at, &events, s, &s->there), 0);
	s->here->on_refused = on_refused;
}

static void close_scene(struct scene *s)
{
	sim_datagram_close(s->here);
	if (s->there)
		sim_datagram_close(s->there);
	sim_net_finish(&s->net);
	sim_world_finish(&s->world);
}

static void send(struct scene *s, const char *text)
{
	struct hf_addr to = s->host->addr;

	to.port = 5683;
	sim_datagram_send(s->here, &to, text, strlen(text));
	sim_world_run(&s->world, s->world.now_us + SIM_US_PER_S);
}

static void one_arrives_as_it_was_sent(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	send(&s, "21.5");
	assert_int_equal(s.received, 1);
	assert_string_equal(s.last, "21.5");
	close_scene(&s);
}

static void what_is_sent_into_an_outage_is_lost(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	s.device->link_up = false;
	send(&s, "lost");
	s.device->link_up = true;
	sim_net_changed(&s.net);
	sim_world_run(&s.world, s.world.now_us + SIM_US_PER_MIN);
	assert_int_equal(s.received, 0);
	s.device->captive = true;
	send(&s, "lost");
	assert_int_equal(s.received, 0);
	close_scene(&s);
}

static void a_local_node_needs_no_link(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	s.host->local = true;
	s.device->link_up = false;
	send(&s, "near");
	assert_int_equal(s.received, 1);
	assert_int_equal(s.device->datagrams, 0);
	close_scene(&s);
}

static void a_port_without_a_socket_is_told_of(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	sim_datagram_close(s.there);
	s.there = NULL;
	send(&s, "nobody");
	assert_int_equal(s.refused, 1);
	s.host->black_hole = true;
	send(&s, "nobody");
	assert_int_equal(s.refused, 1);
	close_scene(&s);
}

static void so_many_in_a_hundred_are_lost_or_come_twice(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	sim_net_worsen(s.device, SIM_NET_LOSS, 30, SIM_UPLOADS);
	for (unsigned i = 0; i < 1000; i++)
		send(&s, "x");
	assert_in_range(s.received, 650, 750);
	sim_net_worsen(s.device, SIM_NET_NORMAL, 0, SIM_UPLOADS);
	sim_net_worsen(s.device, SIM_NET_DOUBLES, 20, SIM_UPLOADS);
	s.received = 0;
	for (unsigned i = 0; i < 1000; i++)
		send(&s, "x");
	assert_in_range(s.received, 1150, 1250);
	close_scene(&s);
}

static void what_an_owner_leaves_behind_is_silent_and_counted(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	assert_int_equal(sim_net_count(&s.net, &s), 2);
	sim_net_silence(&s.net, &s, false);
	send(&s, "late");
	assert_int_equal(s.received, 0);
	assert_int_equal(s.refused, 0);
	close_scene(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_arrives_as_it_was_sent),
		cmocka_unit_test(what_is_sent_into_an_outage_is_lost),
		cmocka_unit_test(a_local_node_needs_no_link),
		cmocka_unit_test(a_port_without_a_socket_is_told_of),
		cmocka_unit_test(so_many_in_a_hundred_are_lost_or_come_twice),
		cmocka_unit_test(what_an_owner_leaves_behind_is_silent_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

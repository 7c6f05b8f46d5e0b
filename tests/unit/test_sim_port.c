/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator's port: the contract that every port keeps, then what only
 * this world can do: latency, cables, black holes, portals, and power cuts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/port_contract.h"
#include "sim/device.h"

struct scene {
	struct sim_world world;
	struct sim_net net;
	struct sim_dns dns;
	struct sim_device *dev;
	struct sim_node *shop;
};

static int boot_nothing(struct sim_device *dev, void **guest)
{
	static const struct hf_port_events none;

	dev->port.port.events = &none;
	*guest = NULL;
	return 0;
}

static void destroy_nothing(void *guest)
{
	(void)guest;
}

static const struct sim_guest_ops nothing = { boot_nothing, destroy_nothing };

static void open_scene(struct scene *s)
{
	sim_world_init(&s->world, 1, NULL);
	sim_net_init(&s->net, &s->world);
	sim_dns_init(&s->dns, &s->net);
	s->dev = sim_device_create(&s->world, &s->net, &s->dns, "kiosk", 0xc0000201, &nothing);
	s->shop = sim_node_add(&s->net, "shop.example", 0xcb00710a);
	s->shop->latency_us = 20 * SIM_US_PER_MS;
	s->shop->jitter_us = 0;
	s->dev->node->latency_us = 0;
	s->dev->node->jitter_us = 0;
	sim_device_boot(s->dev);
	sim_world_run(&s->world, SIM_US_PER_S);
}

static void close_scene(struct scene *s)
{
	sim_device_destroy(s->dev);
	sim_net_finish(&s->net);
	sim_world_finish(&s->world);
}

static void turn(void *user)
{
	struct scene *s = user;

	sim_world_run(&s->world, s->world.now_us + SIM_US_PER_MS);
}

static void keeps_the_contract_of_every_port(void **state)
{
	const struct port_case *c;

	(void)state;
	for (size_t i = 0; (c = port_case_at(i)); i++) {
		struct scene s;
		struct port_world w = { .turn = turn, .user = &s };
		const char *why;

		open_scene(&s);
		w.port = &s.dev->port.port;
		why = port_case_run(c, &w);
		if (why)
			fail_msg("%s: %s", c->name, why);
		assert_int_equal(sim_net_count(&s.net, w.port), 0);
		close_scene(&s);
	}
}

/* ---- a caller and a shop that counts ---- */

struct peer {
	struct scene *scene;
	struct hf_stream *stream;
	int connects, connect_err, errors, error, eofs;
	uint64_t connected_us, got_us;
	size_t got;
};

static void on_connect(void *user, int err)
{
	struct peer *p = user;

	p->connects++;
	p->connect_err = err;
	p->connected_us = p->scene->world.now_us;
}

static void on_data(void *user, const void *data, size_t len)
{
	struct peer *p = user;

	(void)data;
	p->got += len;
	p->got_us = p->scene->world.now_us;
}

static void on_eof(void *user)
{
	((struct peer *)user)->eofs++;
}

static void on_error(void *user, int err)
{
	struct peer *p = user;

	p->errors++;
	p->error = err;
}

static const struct hf_stream_events peer_events = {
	.on_connect = on_connect,
	.on_data = on_data,
	.on_eof = on_eof,
	.on_error = on_error,
};

static void take(void *user, struct hf_stream *stream)
{
	struct peer *p = user;

	p->stream = stream;
	sim_stream_accept(stream, &peer_events, p);
	sim_stream_read(stream, true);
}

static const struct hf_listener_events take_events = { .on_accept = take };

struct call {
	struct scene scene;
	struct peer caller, called;
	struct hf_listener *listener;
};

static void run_s(struct call *c, uint64_t seconds)
{
	sim_world_run(&c->scene.world, c->scene.world.now_us + seconds * SIM_US_PER_S);
}

static void dial(struct call *c)
{
	struct hf_addr to = c->scene.shop->addr;
	struct hf_port *port = &c->scene.dev->port.port;

	to.port = 80;
	assert_int_equal(
		port->stream_connect(port, &to, &peer_events, &c->caller, &c->caller.stream), 0);
}

static void open_call(struct call *c)
{
	struct hf_addr at;

	memset(c, 0, sizeof(*c));
	open_scene(&c->scene);
	c->caller.scene = &c->scene;
	c->called.scene = &c->scene;
	at = c->scene.shop->addr;
	at.port = 80;
	assert_int_equal(sim_listen(c->scene.shop, c, &at, &take_events, &c->called, &c->listener),
			 0);
}

static void open_connected(struct call *c)
{
	open_call(c);
	dial(c);
	run_s(c, 1);
	assert_int_equal(c->caller.connects, 1);
	assert_int_equal(c->caller.connect_err, 0);
	assert_non_null(c->called.stream);
}

static void close_call(struct call *c)
{
	if (c->caller.stream)
		sim_stream_close(c->caller.stream, false);
	if (c->called.stream)
		sim_stream_close(c->called.stream, false);
	if (c->listener)
		sim_listener_close(c->listener);
	close_scene(&c->scene);
}

static void say(struct peer *p, const char *text)
{
	assert_int_equal(sim_stream_write(p->stream, text, strlen(text)), strlen(text));
}

static void bytes_take_the_latency_of_the_way(void **state)
{
	struct call c;
	uint64_t begin;

	(void)state;
	open_call(&c);
	begin = c.scene.world.now_us;
	dial(&c);
	run_s(&c, 1);
	assert_int_equal(c.caller.connected_us - begin, 40 * SIM_US_PER_MS);
	begin = c.scene.world.now_us;
	say(&c.caller, "hello");
	run_s(&c, 1);
	assert_int_equal(c.called.got, 5);
	assert_int_equal(c.called.got_us - begin, 20 * SIM_US_PER_MS);
	close_call(&c);
}

static void what_was_sent_into_an_outage_arrives_after_it(void **state)
{
	struct call c;

	(void)state;
	open_connected(&c);
	sim_device_link(c.scene.dev, false);
	say(&c.caller, "hello");
	run_s(&c, 120);
	assert_int_equal(c.called.got, 0);
	sim_device_link(c.scene.dev, true);
	run_s(&c, 20);
	assert_int_equal(c.called.got, 5);
	assert_int_equal(c.caller.errors, 0);
	close_call(&c);
}

static void a_long_outage_ends_the_stream(void **state)
{
	struct call c;

	(void)state;
	open_connected(&c);
	c.scene.dev->node->black_hole = true;
	sim_device_network_changed(c.scene.dev);
	say(&c.caller, "hello");
	run_s(&c, 1000);
	assert_int_equal(c.caller.errors, 1);
	assert_int_equal(c.caller.error, HF_ETIMEDOUT);
	close_call(&c);
}

static void without_a_link_there_is_no_route(void **state)
{
	struct call c;

	(void)state;
	open_call(&c);
	sim_device_link(c.scene.dev, false);
	dial(&c);
	run_s(&c, 1);
	assert_int_equal(c.caller.connect_err, HF_EUNREACH);
	close_call(&c);
}

static void a_black_hole_is_silence(void **state)
{
	struct call c;

	(void)state;
	open_call(&c);
	c.scene.shop->black_hole = true;
	dial(&c);
	run_s(&c, 100);
	assert_int_equal(c.caller.connects, 0);
	run_s(&c, 100);
	assert_int_equal(c.caller.connect_err, HF_ETIMEDOUT);
	close_call(&c);
}

static void a_captive_link_ends_at_the_portal(void **state)
{
	struct call c;
	struct peer portal = { 0 };
	struct hf_listener *l = NULL;
	struct hf_addr at;

	(void)state;
	open_call(&c);
	portal.scene = &c.scene;
	c.scene.net.portal = sim_node_add(&c.scene.net, "portal.example", 0xc6336401);
	at = c.scene.net.portal->addr;
	at.port = 80;
	assert_int_equal(sim_listen(c.scene.net.portal, &portal, &at, &take_events, &portal, &l),
			 0);
	c.scene.dev->node->captive = true;
	sim_device_network_changed(c.scene.dev);
	dial(&c);
	run_s(&c, 1);
	assert_int_equal(c.caller.connect_err, 0);
	assert_null(c.called.stream);
	assert_non_null(portal.stream);
	sim_stream_close(portal.stream, false);
	sim_listener_close(l);
	close_call(&c);
}

static void a_power_cut_is_silent_and_a_reboot_resets(void **state)
{
	struct call c;

	(void)state;
	open_connected(&c);
	c.scene.dev->reboot_after_us = 40 * SIM_US_PER_S;
	sim_device_cut(c.scene.dev);
	assert_true(sim_stream_write(c.caller.stream, "x", 1) < 0);
	sim_stream_close(c.caller.stream, false);
	c.caller.stream = NULL;
	run_s(&c, 20);
	assert_int_equal(c.called.errors + c.called.eofs, 0);
	say(&c.called, "are you there?");
	run_s(&c, 100);
	assert_int_equal(c.called.error, HF_ECONNRESET);
	assert_int_equal(c.scene.dev->boots, 2);
	close_call(&c);
}

static void a_process_that_dies_is_reset_at_once(void **state)
{
	struct call c;

	(void)state;
	open_connected(&c);
	sim_net_silence(&c.scene.net, &c.scene.dev->port.port, true);
	run_s(&c, 1);
	assert_int_equal(c.called.error, HF_ECONNRESET);
	close_call(&c);
}

/* ---- clocks and jobs ---- */

static void the_wall_clock_is_right_some_seconds_after_the_link(void **state)
{
	struct scene s;
	struct hf_port *port;
	int64_t before, after;

	(void)state;
	open_scene(&s);
	port = &s.dev->port.port;
	assert_int_equal(port->wall_ms(port, &before), HF_CLOCK_UNSET);
	sim_world_run(&s.world, 20 * SIM_US_PER_S);
	assert_int_equal(port->wall_ms(port, &after), HF_CLOCK_SYNCED);
	assert_true(after - before > 86400000);
	assert_int_equal(after, sim_clock_true_ms(&s.dev->clock));
	close_scene(&s);
}

struct disk_job {
	struct hf_job job;
	struct sim_disk *disk;
	struct sim_world *world;
	uint64_t done_us;
	int err;
};

static void write_and_sync(struct hf_job *job)
{
	struct disk_job *j = (struct disk_job *)(void *)job;
	struct sim_file *f = NULL;

	j->err = sim_disk_open(j->disk, "f", SIM_DISK_CREATE, SIM_DISK_OTHER, &f);
	if (j->err)
		return;
	j->err = sim_file_write(f, "abc", 3, 0);
	if (!j->err)
		j->err = sim_file_sync(f);
	sim_file_close(f);
}

static void note_done(struct hf_job *job)
{
	struct disk_job *j = (struct disk_job *)(void *)job;

	j->done_us = j->world->now_us;
}

static void a_job_takes_the_time_of_its_syncs(void **state)
{
	struct scene s;
	struct disk_job j = { .job = { .run = write_and_sync, .done = note_done } };
	uint64_t begin;

	(void)state;
	open_scene(&s);
	j.disk = s.dev->disk;
	j.world = &s.world;
	begin = s.world.now_us;
	s.dev->port.port.job_submit(&s.dev->port.port, &j.job);
	sim_world_run(&s.world, begin + SIM_US_PER_S);
	assert_int_equal(j.err, 0);
	assert_true(j.done_us - begin >= 3200 && j.done_us - begin < 3400);
	close_scene(&s);
}

static void do_nothing(struct hf_job *job)
{
	(void)job;
}

static void a_job_of_the_caches_does_not_wait_for_the_store(void **state)
{
	struct scene s;
	struct disk_job slow = { .job = { .run = write_and_sync, .done = note_done } };
	struct disk_job quick = {
		.job = { .run = do_nothing, .done = note_done, .queue = HF_JOBS_CACHE }
	};

	(void)state;
	open_scene(&s);
	slow.disk = s.dev->disk;
	slow.world = quick.world = &s.world;
	s.dev->port.port.job_submit(&s.dev->port.port, &slow.job);
	s.dev->port.port.job_submit(&s.dev->port.port, &quick.job);
	sim_world_run(&s.world, s.world.now_us + SIM_US_PER_S);
	assert_true(quick.done_us > 0 && quick.done_us + 3000 < slow.done_us);
	close_scene(&s);
}

static void a_job_that_is_reported_early_can_be_lost(void **state)
{
	static const bool lie[] = { false, true };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct scene s;
		struct disk_job j = { .job = { .run = write_and_sync, .done = note_done } };

		open_scene(&s);
		j.disk = s.dev->disk;
		j.world = &s.world;
		s.dev->port.lies.done_before_run = lie[i];
		s.dev->reboot_after_us = SIM_NEVER;
		sim_device_cut_at(s.dev, 4, 0); /* one after the last */
		s.dev->port.port.job_submit(&s.dev->port.port, &j.job);
		while (j.done_us == 0)
			assert_true(sim_world_step(&s.world));
		assert_int_equal(j.err, 0);
		sim_device_cut(s.dev);
		sim_world_run(&s.world, s.world.now_us + SIM_US_PER_S);
		sim_disk_revive(s.dev->disk);
		assert_int_equal(sim_disk_exists(s.dev->disk, "f"), !lie[i]);
		close_scene(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_contract_of_every_port),
		cmocka_unit_test(bytes_take_the_latency_of_the_way),
		cmocka_unit_test(what_was_sent_into_an_outage_arrives_after_it),
		cmocka_unit_test(a_long_outage_ends_the_stream),
		cmocka_unit_test(without_a_link_there_is_no_route),
		cmocka_unit_test(a_black_hole_is_silence),
		cmocka_unit_test(a_captive_link_ends_at_the_portal),
		cmocka_unit_test(a_power_cut_is_silent_and_a_reboot_resets),
		cmocka_unit_test(a_process_that_dies_is_reset_at_once),
		cmocka_unit_test(the_wall_clock_is_right_some_seconds_after_the_link),
		cmocka_unit_test(a_job_takes_the_time_of_its_syncs),
		cmocka_unit_test(a_job_of_the_caches_does_not_wait_for_the_store),
		cmocka_unit_test(a_job_that_is_reported_early_can_be_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's beginning and end, orderly, early and failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/settings.h"
#include "base/buf.h"
#include "holdfast/agent.h"
#include "lib/store_rig.h"

struct world {
	struct fake_port port;
	struct hf_agent *agent;
	int started; /* 1: not told */
	bool stopped;
	int self; /* what started and stopped get as user */
};

static int listen_nowhere(struct hf_port *port, const struct hf_addr *at,
			  const struct hf_listener_events *events, void *user,
			  struct hf_listener **out)
{
	(void)port, (void)at, (void)events, (void)user;
	*out = malloc(1);
	return *out ? 0 : HF_ENOMEM;
}

static void listener_close(struct hf_port *port, struct hf_listener *listener)
{
	(void)port;
	free(listener);
}

static const char *conf_path(struct world *w)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/holdfast.conf", w->port.dir);
	return path;
}

static int settings_in(struct world *w, struct hf_settings **out)
{
	static const char text[] = "[agent]\nlisten = 127.0.0.1:0\n"
				   "[origin shop]\nurl = http://shop.example\n"
				   "[probe]\nurl = http://probe.example:8080?x\n";
	const char *path = conf_path(w);
	struct hf_buf faults;
	FILE *file;
	int err;

	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	hf_buf_init(&faults, 4096);
	err = hf_settings_load(&w->port.port, path, out, &faults);
	if (err)
		fprintf(stderr, "%s", hf_buf_cstr(&faults));
	hf_buf_finish(&faults);
	return err;
}

static int setup(void **state)
{
	static struct world w;
	struct hf_settings *settings;

	memset(&w, 0, sizeof(w));
	fake_port_init(&w.port);
	w.port.port.listen = listen_nowhere;
	w.port.port.listener_close = listener_close;
	w.started = 1;
	assert_int_equal(settings_in(&w, &settings), 0);
	assert_int_equal(hf_agent_create(&w.port.port, settings, &w.agent), 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	hf_agent_destroy(w->agent);
	fake_port_finish(&w->port);
	return 0;
}

static void started(void *user, int err)
{
	struct world *w = user;

	w->started = err;
}

static void stopped(void *user)
{
	int *self = user;

	hf_container_of(self, struct world, self)->stopped = true;
}

static void settle(struct world *w)
{
	for (int i = 0; i < 200; i++) {
		fake_port_settle(&w->port);
		fake_port_advance(&w->port, 50);
	}
	fake_port_settle(&w->port);
}

static void start(struct world *w)
{
	hf_agent_start(w->agent, started, w);
}

static void stop(struct world *w)
{
	hf_agent_stop(w->agent, stopped, &w->self);
}

static void begins_and_ends(void **state)
{
	struct world *w = *state;

	start(w);
	settle(w);
	assert_int_equal(w->started, 0);
	assert_true(w->port.ready);
	stop(w);
	assert_false(w->stopped);
	settle(w);
	assert_true(w->stopped);
}

static void ends_before_it_has_begun(void **state)
{
	struct world *w = *state;

	start(w);
	stop(w);
	settle(w);
	assert_int_equal(w->started, HF_ECANCELED);
	assert_true(w->stopped);
	assert_false(w->port.ready);
}

static void ends_at_any_turn_of_its_beginning(void **state)
{
	struct world *w = *state;

	start(w);
	fake_port_turn(&w->port);
	stop(w);
	settle(w);
	assert_int_not_equal(w->started, 1);
	assert_true(w->stopped);
}

static void ends_after_a_beginning_that_failed(void **state)
{
	struct world *w = *state;

	remove(conf_path(w));
	assert_int_equal(remove(w->port.dir), 0);
	start(w);
	settle(w);
	assert_int_not_equal(w->started, 0);
	assert_int_not_equal(w->started, 1);
	stop(w);
	assert_false(w->stopped);
	settle(w);
	assert_true(w->stopped);
	assert_int_equal(mkdir(w->port.dir, 0700), 0);
}

static void may_be_destroyed_at_any_moment(void **state)
{
	struct world *w = *state;

	start(w);
	fake_port_turn(&w->port);
}

/* Its store, while it is not running. */
static void open_store(struct world *w, struct rig *r)
{
	*r = (struct rig){ .port = w->port };
	r->port.port = w->port.port;
	r->port.end = &r->port.first;
	r->opt = (struct hf_store_options){
		.port = &r->port.port, .log = &r->port.log, .bytes_max = 8 << 20, .wal_pages = 100
	};
	assert_int_equal(rig_open(r), 0);
}

static uint64_t device_ms_after(struct world *w)
{
	struct rig r;
	uint64_t device;

	open_store(w, &r);
	device = r.report.device_ms;
	rig_kill(&r);
	return device;
}

static void orderly_end_saves_the_devices_time(void **state)
{
	struct world *w = *state;

	start(w);
	settle(w);
	fake_port_advance(&w->port, 30000);
	stop(w);
	settle(w);
	assert_true(w->stopped);
	hf_agent_destroy(w->agent);
	w->agent = NULL;
	assert_true(device_ms_after(w) >= 30000);
}

static void lanes_of_which_nothing_is_left_leave_the_store(void **state)
{
	struct world *w = *state;
	struct hf_store_lanes l;
	struct rig r;
	char key[16];

	open_store(w, &r);
	for (int i = 0; i < 300; i++) {
		snprintf(key, sizeof(key), "lane%d", i);
		rig_lane(&r, "shop", key);
	}
	rig_kill(&r);
	start(w);
	settle(w);
	fake_port_advance(&w->port, 120000);
	settle(w);
	stop(w);
	settle(w);
	hf_agent_destroy(w->agent);
	w->agent = NULL;
	open_store(w, &r);
	assert_int_equal(RIG_DO(&r, hf_store_lanes, &l), 0);
	assert_int_equal(l.n, 0);
	hf_store_lanes_finish(&l);
	rig_kill(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(begins_and_ends),
		TEST(ends_before_it_has_begun),
		TEST(ends_at_any_turn_of_its_beginning),
		TEST(ends_after_a_beginning_that_failed),
		TEST(may_be_destroyed_at_any_moment),
		TEST(orderly_end_saves_the_devices_time),
		TEST(lanes_of_which_nothing_is_left_leave_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

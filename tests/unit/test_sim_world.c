/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual time, the heap of events, and split seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/rng.h"
#include "sim/world.h"

struct mark {
	struct sim_event event;
	struct sim_world *world;
	char letter;
	char *log;
};

static void note(void *user)
{
	struct mark *m = user;
	size_t n = strlen(m->log);

	m->log[n] = m->letter;
	m->log[n + 1] = '\0';
}

static void spin(void *user)
{
	struct mark *m = user;

	sim_event_in(m->world, &m->event, 0);
}

static void make(struct mark *m, struct sim_world *w, char letter, char *log)
{
	m->world = w;
	m->letter = letter;
	m->log = log;
	sim_event_init(&m->event, note, m);
}

static void events_come_by_time_then_by_order(void **state)
{
	struct sim_world w;
	struct mark a, b, c, d;
	char log[16] = "";

	(void)state;
	sim_world_init(&w, 1, NULL);
	make(&a, &w, 'a', log);
	make(&b, &w, 'b', log);
	make(&c, &w, 'c', log);
	make(&d, &w, 'd', log);
	sim_event_at(&w, &c.event, 20);
	sim_event_at(&w, &a.event, 10);
	sim_event_at(&w, &b.event, 10);
	sim_event_at(&w, &d.event, 30);
	sim_world_run(&w, 25);
	assert_string_equal(log, "abc");
	assert_int_equal(w.now_us, 25);
	sim_world_run(&w, 30);
	assert_string_equal(log, "abcd");
	sim_world_finish(&w);
}

static void an_event_can_be_moved_cleared_and_put_first(void **state)
{
	struct sim_world w;
	struct mark a, b, c;
	char log[16] = "";

	(void)state;
	sim_world_init(&w, 1, NULL);
	make(&a, &w, 'a', log);
	make(&b, &w, 'b', log);
	make(&c, &w, 'c', log);
	sim_event_at(&w, &a.event, 10);
	sim_event_at(&w, &a.event, 50);
	sim_event_at(&w, &b.event, 0);
	sim_event_first(&w, &c.event);
	assert_true(sim_event_is_set(&a.event));
	sim_world_run(&w, 40);
	assert_string_equal(log, "cb");
	sim_event_clear(&w, &a.event);
	sim_event_clear(&w, &a.event);
	assert_int_equal(sim_world_next(&w), SIM_NEVER);
	sim_world_finish(&w);
}

static void many_events_stay_in_order(void **state)
{
	struct sim_world w;
	static struct mark marks[500];
	static char log[1001];
	struct sim_rng rng;
	uint64_t last = 0;
	size_t i;

	(void)state;
	sim_world_init(&w, 1, NULL);
	sim_rng_init(&rng, 1, "test");
	for (i = 0; i < 500; i++) {
		make(&marks[i], &w, 'x', log);
		sim_event_at(&w, &marks[i].event, sim_rng_below(&rng, 100000));
	}
	for (i = 0; i < 500; i += 3)
		sim_event_clear(&w, &marks[i].event);
	while (sim_world_step(&w)) {
		assert_true(w.now_us >= last);
		last = w.now_us;
	}
	assert_int_equal(strlen(log), 500 - 167);
	sim_world_finish(&w);
}

static void whoever_spins_is_found(void **state)
{
	struct sim_world w;
	struct mark a;
	char log[16] = "";

	(void)state;
	sim_world_init(&w, 1, NULL);
	make(&a, &w, 'a', log);
	sim_event_init(&a.event, spin, &a);
	sim_event_at(&w, &a.event, 10);
	sim_world_run(&w, 1000);
	assert_true(w.stalled);
	sim_world_finish(&w);
}

static void the_trace_is_hashed_with_its_times(void **state)
{
	struct sim_world a, b;

	(void)state;
	sim_world_init(&a, 1, NULL);
	sim_world_init(&b, 1, NULL);
	sim_trace(&a, "x", "y %d", 1);
	sim_trace(&b, "x", "y %d", 1);
	assert_true(a.trace.hash == b.trace.hash);
	sim_world_run(&b, 1);
	sim_trace(&a, "x", "z");
	sim_trace(&b, "x", "z");
	assert_true(a.trace.hash != b.trace.hash);
	sim_world_finish(&a);
	sim_world_finish(&b);
}

static void domains_of_a_seed_do_not_move_each_other(void **state)
{
	struct sim_rng disk, net, disk_again;
	uint64_t a;

	(void)state;
	sim_rng_init(&disk, 7, "disk");
	sim_rng_init(&net, 7, "net");
	sim_rng_init(&disk_again, 7, "disk");
	a = sim_rng_u64(&disk);
	assert_true(a != sim_rng_u64(&net));
	(void)sim_rng_u64(&net);
	assert_true(a == sim_rng_u64(&disk_again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_by_time_then_by_order),
		cmocka_unit_test(an_event_can_be_moved_cleared_and_put_first),
		cmocka_unit_test(many_events_stay_in_order),
		cmocka_unit_test(whoever_spins_is_found),
		cmocka_unit_test(the_trace_is_hashed_with_its_times),
		cmocka_unit_test(domains_of_a_seed_do_not_move_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

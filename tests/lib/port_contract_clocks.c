/* SPDX-License-Identifier: Apache-2.0 */
/* struct hf_port: clocks, the wake-up, entropy. */
#include "lib/port_contract_private.h"

#include <stdlib.h>
#include <string.h>

struct wakes {
	struct port_world *w;
	int n;
	uint64_t at_ms, again_ms;
};

static void on_wake(void *user)
{
	struct wakes *k = user;

	port_note_event();
	k->n++;
	k->at_ms = k->w->port->boottime_ms(k->w->port);
	if (k->again_ms)
		k->w->port->wake_at(k->w->port, k->again_ms);
	k->again_ms = 0;
}

static void on_nothing(void *user)
{
	(void)user;
}

static void on_link(void *user, enum hf_link link)
{
	(void)user;
	(void)link;
}

static const struct hf_port_events wake_events = {
	.on_wake = on_wake,
	.on_link = on_link,
	.on_clock = on_nothing,
};

static void wake_at(struct port_world *w, uint64_t ms)
{
	port_inside = true;
	w->port->wake_at(w->port, ms);
	port_inside = false;
}

static const char *wakes(struct port_world *w, struct wakes *k)
{
	uint64_t now = w->port->boottime_ms(w->port);

	wake_at(w, now + 30);
	WAIT_FOR(w, k->n == 1);
	CHECK(k->at_ms >= now + 30 && k->at_ms < now + 1000);
	wake_at(w, now); /* in the past: at once, but later */
	CHECK(k->n == 1);
	WAIT_FOR(w, k->n == 2);
	now = w->port->boottime_ms(w->port);
	wake_at(w, now + 20);
	wake_at(w, now + 60); /* later than the one before */
	WAIT_FOR(w, k->n == 3);
	CHECK(k->at_ms >= now + 60);
	now = w->port->boottime_ms(w->port);
	wake_at(w, now + 100000);
	wake_at(w, now + 10); /* sooner */
	k->again_ms = now + 40;
	WAIT_FOR(w, k->n == 5);
	CHECK(k->at_ms >= now + 40);
	wake_at(w, w->port->boottime_ms(w->port) + 10);
	wake_at(w, UINT64_MAX);
	port_quiet(w);
	CHECK(k->n == 5);
	return NULL;
}

static const char *the_wake_up_comes_when_asked_for(struct port_world *w)
{
	const struct hf_port_events *before = w->port->events;
	void *before_user = w->port->events_user;
	struct wakes k = { .w = w };
	const char *why;

	w->port->events_user = &k;
	w->port->events = &wake_events;
	why = wakes(w, &k);
	w->port->events = before;
	w->port->events_user = before_user;
	return why;
}

static const char *boot_time_never_goes_back(struct port_world *w)
{
	uint64_t ms = w->port->boottime_ms(w->port), us = w->port->boottime_us(w->port);

	for (int i = 0; i < QUIET_TURNS; i++) {
		w->turn(w->user);
		CHECK(w->port->boottime_ms(w->port) >= ms);
		CHECK(w->port->boottime_us(w->port) >= us);
		ms = w->port->boottime_ms(w->port);
		us = w->port->boottime_us(w->port);
	}
	CHECK(us / 1000 + 1 >= ms);
	return NULL;
}

static const char *the_boot_id_stays(struct port_world *w)
{
	uint8_t first[16];

	memcpy(first, w->port->boot_id(w->port), 16);
	w->turn(w->user);
	CHECK(memcmp(first, w->port->boot_id(w->port), 16) == 0);
	return NULL;
}

static const char *entropy_does_not_repeat(struct port_world *w)
{
	char a[32], b[32];

	CHECK(w->port->entropy(w->port, a, sizeof(a)) == 0);
	CHECK(w->port->entropy(w->port, b, sizeof(b)) == 0);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	CHECK(w->port->entropy(w->port, a, 0) == 0);
	return NULL;
}

static const char *every_operation_is_there(struct port_world *w)
{
	return port_missing_operation(w->port);
}

const struct port_case port_clock_cases[] = {
	CASE(every_operation_is_there),	 CASE(the_wake_up_comes_when_asked_for),
	CASE(boot_time_never_goes_back), CASE(the_boot_id_stays),
	CASE(entropy_does_not_repeat),	 { NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "live/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FREE_FIRST 12000
#define FREE_RANGE 20000
#define FREE_TRIES 400

static void on_wake(void *user)
{
	struct live_bench *b = user;

	hf_timerq_run(&b->timers, b->port->boottime_ms(b->port));
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

static const struct hf_port_events port_events = {
	.on_wake = on_wake,
	.on_link = on_link,
	.on_clock = on_nothing,
};

static void wake(void *user, uint64_t due_ms)
{
	struct live_bench *b = user;

	b->port->wake_at(b->port, due_ms);
}

static void write_log(void *user, enum hf_log_level level, const char *line)
{
	(void)user;
	fprintf(stderr, "holdfast-sim: %s: %s\n", hf_log_level_name(level), line);
}

int live_bench_init(struct live_bench *b)
{
	uint64_t seed;
	int err = hf_port_linux_create(NULL, &b->linux_port);

	if (err)
		return err;
	b->port = hf_port_linux_port(b->linux_port);
	b->port->events = &port_events;
	b->port->events_user = b;
	hf_timerq_init(&b->timers, wake, b);
	b->log = (struct hf_log){ .level = HF_LOG_ERROR, .write = write_log };
	err = b->port->entropy(b->port, &seed, sizeof(seed));
	hf_rand_init(&b->rand, seed);
	b->start_ms = b->port->boottime_ms(b->port);
	return err;
}

void live_bench_finish(struct live_bench *b)
{
	if (!b->linux_port)
		return;
	hf_timerq_finish(&b->timers);
	if (!hf_port_linux_destroy(b->linux_port)) {
		fflush(stdout);
		_exit(0); /* a name look-up hangs in libc */
	}
}

uint64_t live_bench_ms(const struct live_bench *b)
{
	return b->port->boottime_ms(b->port) - b->start_ms;
}

void live_bench_after(struct live_bench *b, struct hf_timer *t, uint64_t ms)
{
	live_must(hf_timerq_set(&b->timers, t, b->port->boottime_ms(b->port) + ms));
}

struct hf_addr live_loopback(uint16_t port)
{
	return (struct hf_addr){ .family = HF_FAMILY_IPV4, .ip = { 127, 0, 0, 1 }, .port = port };
}

static void refuse(void *user, struct hf_stream *stream)
{
	struct live_bench *b = user;

	b->port->stream_close(b->port, stream, true);
}

static bool is_free(struct live_bench *b, uint16_t port)
{
	static const struct hf_listener_events events = { .on_accept = refuse };
	struct hf_addr at = live_loopback(port);
	struct hf_listener *l;

	if (b->port->listen(b->port, &at, &events, b, &l))
		return false;
	b->port->listener_close(b->port, l);
	return true;
}

uint16_t live_bench_free_port(struct live_bench *b, uint16_t wanted)
{
	for (unsigned i = 0; i < FREE_TRIES; i++) {
		uint32_t port = wanted ? wanted + i :
					 FREE_FIRST + (uint32_t)hf_rand_below(&b->rand, FREE_RANGE);

		if (port <= UINT16_MAX && is_free(b, (uint16_t)port))
			return (uint16_t)port;
	}
	return 0;
}

void *live_alloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		live_must(HF_ENOMEM);
	return p;
}

void live_must(int err)
{
	if (!err)
		return;
	fprintf(stderr, "holdfast-sim: %s\n", hf_strerror(err));
	_exit(71);
}

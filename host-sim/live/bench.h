/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every part of `holdfast-sim live` stands on: one Linux port with its
 * loop, timers, a log and a small random generator. Everything runs on that
 * one thread.
 */
#ifndef LIVE_BENCH_H
#define LIVE_BENCH_H

#include "base/log.h"
#include "base/rand.h"
#include "base/timerq.h"
#include "holdfast/port.h"
#include "port/linux/port_linux.h"

struct live_bench {
	struct hf_port_linux *linux_port;
	struct hf_port *port;
	struct hf_timerq timers;
	struct hf_log log;
	struct hf_rand rand;
	uint64_t start_ms;
};

/* HF_ENOMEM, HF_ELIMIT, HF_EIO. */
int live_bench_init(struct live_bench *b);
/* After everything on it is gone. Also after a failed init of zeroed memory. */
void live_bench_finish(struct live_bench *b);
/* Milliseconds since init. */
uint64_t live_bench_ms(const struct live_bench *b);
/* @t fires in @ms; running out of memory ends the program. */
void live_bench_after(struct live_bench *b, struct hf_timer *t, uint64_t ms);
/* A port on 127.0.0.1 at which nobody listens, from @wanted on (0: any below
 * the range that the kernel takes for outgoing connections, so that a server
 * can go away and come back there). 0: none. */
uint16_t live_bench_free_port(struct live_bench *b, uint16_t wanted);
struct hf_addr live_loopback(uint16_t port);

/* Memory that has to be there: a test bench without any ends here. */
void *live_alloc(size_t size); /* zeroed */
void live_must(int err);

#endif

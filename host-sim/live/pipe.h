/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One direction of a relayed connection as a line with a delay and a rate:
 * bytes go in as they come and go out when they would have arrived. The end of
 * the direction travels in line behind them.
 */
#ifndef LIVE_PIPE_H
#define LIVE_PIPE_H

#include "base/buf.h"
#include "live/bench.h"

/* Above this the sender is to be stopped. */
#define LIVE_PIPE_BYTES_HIGH (64 * 1024)

struct live_line {
	uint32_t delay_ms;	/* each way */
	uint32_t bytes_per_s;	/* 0: as fast as it goes */
	uint32_t reset_percent; /* of pieces that end the connection instead */
};

struct live_piece;

struct live_pipe_events {
	/* As hf_port.stream_write. */
	ptrdiff_t (*write)(void *user, struct hf_span bytes);
	/* All bytes before the end have been written. */
	void (*end)(void *user);
	/* It holds less than LIVE_PIPE_BYTES_HIGH again. */
	void (*room)(void *user);
	/* A piece was lost, or the other side cannot be written to: nothing of the
	 * pipe is touched after this call, which may finish it. */
	void (*broken)(void *user);
};

struct live_pipe {
	struct live_bench *bench;
	const struct live_line *line; /* may change at any time */
	const struct live_pipe_events *events;
	void *user;
	struct hf_buf bytes;
	struct live_piece *pieces; /* in order of @due_ms */
	size_t n, cap;
	uint64_t free_ms; /* when the line has sent what it was given */
	struct hf_timer timer;
	bool open;    /* the far side can be written to */
	bool blocked; /* it takes no more at present */
	bool ending, ended;
	bool stopped; /* the sender was to be stopped */
};

void live_pipe_init(struct live_pipe *p, struct live_bench *b, const struct live_line *line,
		    const struct live_pipe_events *events, void *user);
void live_pipe_finish(struct live_pipe *p);
/* The far side is there. */
void live_pipe_open(struct live_pipe *p);
/* False: the sender is to be stopped until room. */
bool live_pipe_put(struct live_pipe *p, struct hf_span bytes);
void live_pipe_end(struct live_pipe *p);
/* The far side takes bytes again. */
void live_pipe_go_on(struct live_pipe *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "live/pipe.h"

#include <assert.h>
#include <stdlib.h>

#define PIECE_BYTES_MAX 1400
#define BYTES_MAX	(4 * 1024 * 1024)

/* A packet, so to speak. */
struct live_piece {
	uint64_t due_ms;
	size_t len;
	bool lost;
};

/* ---- going in ---- */

static struct live_piece *add_piece(struct live_pipe *p)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 16;
		p->pieces = realloc(p->pieces, p->cap * sizeof(*p->pieces));
		if (!p->pieces)
			live_must(HF_ENOMEM);
	}
	return &p->pieces[p->n++];
}

static uint64_t arrival_ms(struct live_pipe *p, size_t len)
{
	uint64_t now = live_bench_ms(p->bench), due;

	if (p->free_ms < now)
		p->free_ms = now;
	if (p->line->bytes_per_s)
		p->free_ms += len * 1000 / p->line->bytes_per_s;
	due = p->free_ms + p->line->delay_ms;
	if (p->n > 0 && due < p->pieces[p->n - 1].due_ms)
		due = p->pieces[p->n - 1].due_ms; /* the line has become faster */
	return due;
}

static void put_piece(struct live_pipe *p, struct hf_span bytes)
{
	uint64_t due = arrival_ms(p, bytes.len);
	bool lost = p->line->reset_percent > hf_rand_below(&p->bench->rand, 100);

	*add_piece(p) = (struct live_piece){ .due_ms = due, .len = bytes.len, .lost = lost };
	live_must(hf_buf_append(&p->bytes, bytes));
}

/* ---- coming out ---- */

static void drop_first(struct live_pipe *p)
{
	p->n--;
	memmove(p->pieces, p->pieces + 1, p->n * sizeof(*p->pieces));
}

/* False: it is not gone yet, or the pipe is broken (*broken). */
static bool write_first(struct live_pipe *p, bool *broken)
{
	struct live_piece *first = &p->pieces[0];
	struct hf_span s = hf_buf_span(&p->bytes);
	ptrdiff_t n;

	assert(first->len <= s.len);
	n = first->lost ? HF_ECONNRESET : p->events->write(p->user, hf_span(s.ptr, first->len));
	*broken = n < 0;
	if (n < 0)
		return false;
	hf_buf_consume(&p->bytes, (size_t)n);
	first->len -= (size_t)n;
	p->blocked = first->len > 0;
	if (!p->blocked)
		drop_first(p);
	return !p->blocked;
}

static void tell_room(struct live_pipe *p)
{
	if (p->ending && !p->ended && p->n == 0) {
		p->ended = true;
		p->events->end(p->user);
	} else if (p->stopped && p->bytes.len < LIVE_PIPE_BYTES_HIGH) {
		p->stopped = false;
		p->events->room(p->user);
	}
}

static void run(struct live_pipe *p)
{
	uint64_t now = live_bench_ms(p->bench);
	bool broken = false;

	if (!p->open || p->blocked)
		return;
	while (p->n > 0 && p->pieces[0].due_ms <= now) {
		if (write_first(p, &broken))
			continue;
		if (broken)
			p->events->broken(p->user);
		return;
	}
	if (p->n > 0)
		live_bench_after(p->bench, &p->timer, p->pieces[0].due_ms - now);
	tell_room(p);
}

static void fire(void *user)
{
	run(user);
}

/* Not inside the call that brought the bytes: its owner may be closed by it. */
static void run_soon(struct live_pipe *p)
{
	if (!hf_timer_is_set(&p->timer))
		live_bench_after(p->bench, &p->timer, 0);
}

bool live_pipe_put(struct live_pipe *p, struct hf_span bytes)
{
	while (bytes.len > 0) {
		size_t n = bytes.len < PIECE_BYTES_MAX ? bytes.len : PIECE_BYTES_MAX;

		put_piece(p, hf_span(bytes.ptr, n));
		bytes = hf_span_skip(bytes, n);
	}
	run_soon(p);
	p->stopped = p->bytes.len >= LIVE_PIPE_BYTES_HIGH;
	return !p->stopped;
}

void live_pipe_end(struct live_pipe *p)
{
	p->ending = true;
	run_soon(p);
}

void live_pipe_open(struct live_pipe *p)
{
	p->open = true;
	run_soon(p);
}

void live_pipe_go_on(struct live_pipe *p)
{
	p->blocked = false;
	run_soon(p);
}

void live_pipe_init(struct live_pipe *p, struct live_bench *b, const struct live_line *line,
		    const struct live_pipe_events *events, void *user)
{
	*p = (struct live_pipe){ .bench = b, .line = line, .events = events, .user = user };
	hf_buf_init(&p->bytes, BYTES_MAX);
	hf_timer_init(&p->timer, fire, p);
}

void live_pipe_finish(struct live_pipe *p)
{
	hf_timerq_clear(&p->bench->timers, &p->timer);
	hf_buf_finish(&p->bytes);
	free(p->pieces);
	p->pieces = NULL;
}

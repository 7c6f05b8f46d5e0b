/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the contract share: checks, and two ends of a connection with
 * the listener between them. `port_inside` is raised around each operation, so that
 * an event that comes inside its own call is seen.
 */
#ifndef HF_TESTS_PORT_CONTRACT_PRIVATE_H
#define HF_TESTS_PORT_CONTRACT_PRIVATE_H

#include "lib/port_contract.h"

#define TURNS	    500	      /* an event that has not come by then does not come */
#define QUIET_TURNS 5	      /* in which nothing may come */
#define FLOOD	    (4 << 20) /* bytes; more than any port buffers */

#define TEXT_(x) #x
#define TEXT(x)	 TEXT_(x)
#define CHECK(what)                                                    \
	do {                                                           \
		if (!(what))                                           \
			return __FILE__ ":" TEXT(__LINE__) ": " #what; \
	} while (0)

#define WAIT_FOR(world, what)                                             \
	do {                                                              \
		for (int turns_ = 0; turns_ < TURNS && !(what); turns_++) \
			(world)->turn((world)->user);                     \
		CHECK(what);                                              \
	} while (0)

/* clang-format off */
#define CASE(test) { .name = #test, .run = test }
/* clang-format on */

extern bool port_inside;       /* an operation is being called */
extern bool port_event_inside; /* an event came then */

/* Of every event, first. */
void port_note_event(void);
/* Some turns in which nothing may come. */
void port_quiet(struct port_world *w);

struct end {
	struct port_world *w;
	struct hf_stream *stream; /* NULL: closed */
	int connects, connect_err, ends, errors, error, writables, events;
	uint64_t got;  /* bytes */
	bool in_order; /* every byte was port_pattern(its offset) */
	char head[64]; /* the first ones */
	bool echo, close_on_data, close_on_connect;
};

extern const struct hf_stream_events port_end_events;

char port_pattern(uint64_t offset);
void port_end_shut(struct end *e, bool abort);
void port_end_read(struct end *e, bool on);
ptrdiff_t port_end_write(struct end *e, const void *data, size_t len);

struct pair {
	struct port_world *w;
	struct hf_listener *listener;
	struct hf_addr addr;
	struct end client, server;
	int accepted;
	bool refuse; /* close in on_accept */
};

extern const struct hf_listener_events port_pair_events;

const char *port_listener_open(struct pair *p, struct port_world *w);
void port_listener_close(struct pair *p);
int port_client_connect(struct pair *p);
const char *port_pair_open(struct pair *p, struct port_world *w);
const char *port_pair_close(struct pair *p);

#define OPEN(p, w)                                       \
	do {                                             \
		const char *why_ = port_pair_open(p, w); \
		if (why_)                                \
			return why_;                     \
	} while (0)

/* By file; each ends with a NULL name. */
extern const struct port_case port_stream_cases[], port_listener_cases[], port_storm_cases[],
	port_name_cases[], port_job_cases[], port_clock_cases[], port_watch_cases[];

#endif

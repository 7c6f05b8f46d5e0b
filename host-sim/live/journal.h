/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of every order, put together from three witnesses who do not know
 * of each other: holdfastd's event stream and list of requests, the origin that
 * received it, and the clock. An order is known by its Idempotency-Key.
 *
 *   SEEN       the origin has it, holdfastd has said nothing: it went straight
 *   WAITING    accepted, on disk
 *   SENDING    an attempt is under way
 *   HELD       waits for a person
 *   DELIVERED  the origin's answer is final and stored, or went straight back
 *   DEAD, CANCELLED  given up, with holdfastd saying so
 *   LOST       it was accepted, and holdfastd does not know it any more
 */
#ifndef LIVE_JOURNAL_H
#define LIVE_JOURNAL_H

#include <cjson/cJSON.h>

#include "base/list.h"
#include "base/strmap.h"
#include "live/bench.h"

enum live_stage {
	LIVE_SEEN,
	LIVE_WAITING,
	LIVE_SENDING,
	LIVE_HELD,
	LIVE_DELIVERED,
	LIVE_DEAD,
	LIVE_CANCELLED,
	LIVE_LOST,
	LIVE_STAGES
};

enum live_step_kind {
	LIVE_STEP_ACCEPTED, /* holdfastd's 202 */
	LIVE_STEP_ARRIVED,  /* at the origin; value: the status it answered, 0: none */
	LIVE_STEP_ANSWERED, /* final */
};

struct live_step {
	enum live_step_kind kind;
	uint64_t at_ms;
	int value;
};

#define LIVE_STEPS_MAX 12

struct live_order {
	struct hf_list node;
	char key[256];
	char id[27]; /* holdfastd's, "" when it went straight */
	char what[96];
	uint8_t stage;
	bool listed; /* in the list that is being read, or asked for since */
	unsigned n;  /* running number */
	unsigned attempts, arrivals, effects;
	unsigned number; /* the shop's order number */
	int status;	 /* of the final answer */
	char reason[32];
	int64_t next_ms; /* until the next attempt, -1: unknown */
	struct live_step steps[LIVE_STEPS_MAX];
	unsigned steps_n;
};

struct live_arrival {
	uint64_t at_ms;
	char key[256];
	char what[96];
	int status; /* answered; 0: the connection was reset */
	bool effect, repeated;
	unsigned number;
};

#define LIVE_ARRIVALS_MAX 60

struct live_journal {
	struct live_bench *bench;
	/* Something has changed. */
	void (*changed)(void *user);
	void *user;
	struct hf_list orders; /* in the order they were first heard of */
	size_t orders_n;
	unsigned count; /* all there ever were */
	struct hf_strmap by_key;
	struct live_arrival arrivals[LIVE_ARRIVALS_MAX]; /* a ring */
	unsigned arrivals_n;				 /* all there ever were */
	unsigned effects;
	unsigned duplicates; /* effects beyond the first of an order */
	bool origin_known;   /* arrivals are complete: DELIVERED without an effect is LOST */
};

void live_journal_init(struct live_journal *j, struct live_bench *b, void (*changed)(void *user),
		       void *user);
void live_journal_finish(struct live_journal *j);

/* The data of an event of holdfastd's stream. */
void live_journal_event(struct live_journal *j, const cJSON *data);
/* One entry of its list of requests, between begin and end. */
void live_journal_list_begin(struct live_journal *j);
void live_journal_listed(struct live_journal *j, const cJSON *request);
/* An accepted order without an end that was not in the list, each once; NULL:
 * no more of them. */
const struct live_order *live_journal_missing(struct live_journal *j);
/* What asking for it gave: its record, or NULL when there is none. */
void live_journal_found(struct live_journal *j, const char *key, const cJSON *request);

/* A request with a key has come to the origin. */
void live_journal_arrival(struct live_journal *j, const struct live_arrival *a);
/* @o was effective more than once, under whatever keys. */
void live_journal_duplicate(struct live_journal *j);

struct live_counts {
	unsigned accepted, straight, delivered, waiting, held, dead, lost, duplicates;
};
void live_journal_counts(const struct live_journal *j, struct live_counts *out);
const char *live_stage_name(enum live_stage stage);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's own state. What stands under "store thread" is touched there
 * while a job runs, and on the loop only when none does: the port's hand-over
 * of a job orders the two. The inbox is the one thing both sides use at once.
 */
#ifndef HF_STORE_PRIVATE_H
#define HF_STORE_PRIVATE_H

#include "store/db.h"
#include "store/inbox.h"
#include "store/marker.h"
#include "store/store.h"

#define HF_PURGE_AT	   64 /* finished records whose requests are purged together */
#define HF_GENERATIONS_MAX 64 /* file names looked at when the marker is lost */
#define HF_PATH_MAX	   512

enum hf_job_kind {
	HF_JOB_OPEN,
	HF_JOB_BATCH,
	HF_JOB_CHECKPOINT,
	HF_JOB_SWEEP,	/* delete a few chunks of abandoned blobs */
	HF_JOB_RESERVE, /* make the reserve file */
	HF_JOB_CLOSE,
};

/* The stored total runs ahead of the true one, so that a start after a kill goes
 * on from a number that none before it has passed. */
#define HF_LEDGER_AHEAD (512u << 10)

struct hf_ledger {
	uint64_t before;  /* bytes written before this start */
	uint64_t stored;  /* total as it is in meta: no larger one is told */
	uint64_t storing; /* the same, in the transaction under way */
	int64_t stored_day;
	uint64_t day_start; /* total when the day began */
	int64_t day;
};

struct hf_store {
	struct hf_port *port;
	struct hf_log *log;
	uint64_t bytes_max, reserve_bytes;
	uint32_t wal_pages;
	void (*on_salvaged)(void *user, const struct hf_store_report *report);
	void (*on_full)(void *user);
	void *on_salvaged_user;
	char dir[HF_PATH_MAX];

	struct hf_inbox inbox; /* submitted operations */

	/* ---- loop ---- */
	struct hf_job job;
	enum hf_job_kind kind;
	bool busy;    /* job is with the port */
	bool open;    /* open has succeeded, close has not run */
	int refusal;  /* not 0: the store cannot be used, every operation gets this */
	bool closing; /* close as soon as the inbox is empty */
	bool dying;   /* destroy: callbacks are silent */
	void (*open_done)(void *user, int err, const struct hf_store_report *report);
	void *open_user;
	void (*close_done)(void *user, int err);
	void *close_user;
	struct hf_store_usage usage;
	int64_t usage_day;
	uint64_t reserve_at_ms; /* boot time the reserve was last tried */
	unsigned reserve_lost;	/* times in a row that it was of no use for long */
	struct hf_list later;	/* ops for the next batch: the last one has grown enough */
	uint64_t day_at_ms;	/* boot time of the last look at the day */
	int64_t day;		/* since 1970, -1: not known yet */
	bool boot_kick;		/* a batch is to run for boot_due alone, once */

	/* ---- store thread; set by the loop before a job ---- */
	int64_t job_day;
	uint64_t now_ms; /* boot time */
	uint8_t fresh_seed[16];

	/* ---- store thread ---- */
	struct hf_vfs vfs;
	struct hf_db db;
	struct hf_marker marker;
	struct hf_ledger ledger;
	struct hf_store_report report;
	bool in_use; /* a database was opened by this store before */
	uint32_t boots;
	bool boot_due;		/* the count of starts is to be stored */
	bool nowhere;		/* the database is in memory: there was no room for one */
	bool appeared;		/* in this job it came to the medium */
	bool reserve_due;	/* the reserve file is to be made */
	uint64_t reserve_size;	/* of the file, as it was made last */
	bool salvaged;		/* in this job, while running */
	bool checkpoint_off;	/* it failed; tried again after wal_pages more */
	unsigned checkpoint_at; /* frames */
	uint64_t grow_at;	/* pages of the database, for a checkpoint as well */
	uint64_t reopen_at_ms;	/* without a database: when to try again */
	int result;		/* of open, close, checkpoint */
	struct hf_store_aside aside[HF_ASIDE_MAX];
	unsigned aside_n;
	uint64_t aside_at_ms;	 /* boot time of the last look */
	uint32_t deleted;	 /* in this job: a generation that was too old, 0: none */
	struct hf_list finished; /* ops of the batch, err set */
	struct hf_store_usage figures;
};

/* ---- paths.c ---- */

void hf_path_database(const struct hf_store *s, uint32_t generation, char out[HF_PATH_MAX]);
void hf_path_wal(const struct hf_store *s, uint32_t generation, char out[HF_PATH_MAX]);
void hf_path_marker(const struct hf_store *s, char out[HF_PATH_MAX]);
void hf_path_reserve(const struct hf_store *s, char out[HF_PATH_MAX]);

/* ---- open.c: on the store thread ---- */

int hf_open_run(struct hf_store *s);
/* Opens the current generation, which is known to be good. */
int hf_open_current(struct hf_store *s);
/* Stores boots and the clean mark; inside a transaction. */
int hf_open_store_run(struct hf_store *s, bool clean);
int hf_close_run(struct hf_store *s);

/* ---- batch.c: on the store thread ---- */

/* Takes the inbox and commits it; s->finished holds the ops afterwards. */
void hf_batch_run(struct hf_store *s);
/* Pops what was put off and what the inbox holds, oldest first, behind @ops. Returns how
 * many. */
unsigned hf_batch_take(struct hf_store *s, struct hf_list *ops);
int hf_sweep_run(struct hf_store *s);
int hf_checkpoint_run(struct hf_store *s);
void hf_figures_take(struct hf_store *s);
/* Inside a transaction: the total, and @ahead more. */
int hf_ledger_store(struct hf_store *s, uint64_t ahead);
void hf_ledger_stored(struct hf_store *s); /* after its commit */

/* ---- reserve.c: on the store thread ---- */

/* Makes the file, half of it when there is no room for all; on HF_EFULL nothing of
 * it is left and db.low is set. Before it, the database that had no room. */
int hf_reserve_make(struct hf_store *s);
/* Gives its space back. True when there was one. */
bool hf_reserve_release(struct hf_store *s);
/* The medium is full, and there is no file. */
void hf_reserve_begin_low(struct hf_store *s);
/* For a connection that was opened just now. */
void hf_reserve_limit_log(struct hf_store *s);
/* Frames of the log, and new pages of the database, to a checkpoint. */
unsigned hf_reserve_log_step(const struct hf_store *s);
uint64_t hf_reserve_growth_step(const struct hf_store *s);
/* From the last try to the next one. */
uint64_t hf_reserve_wait_ms(const struct hf_store *s);

/* ---- salvage.c: on the store thread ---- */

/* Moves what can be read of the current generation into the next one, makes
 * that the current one and opens it. @io: damage showed as read errors. */
int hf_salvage_run(struct hf_store *s, bool io);
/* Files of a generation that is not in use. */
int hf_generation_delete(struct hf_store *s, uint32_t generation);

/* ---- aside.c: on the store thread ---- */

/* Looks which older generations there are; one too many goes. */
void hf_aside_look(struct hf_store *s);
/* Now and then, whether those that were there still are. */
void hf_aside_look_again(struct hf_store *s);

#endif

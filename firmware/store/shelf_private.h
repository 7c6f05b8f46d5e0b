/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shelf's own state. What stands under "its thread" is touched there while a
 * job runs, and on the loop only when none does.
 */
#ifndef HF_STORE_SHELF_PRIVATE_H
#define HF_STORE_SHELF_PRIVATE_H

#include "store/inbox.h"
#include "store/shelf.h"
#include "store/shelf_db.h"

#define HF_SHELF_PATH_MAX 512

enum hf_shelf_job {
	HF_SHELF_OPEN,
	HF_SHELF_BATCH,
	HF_SHELF_CHECKPOINT,
	HF_SHELF_SWEEP,	 /* delete a few pieces, or entries of a dropped cache */
	HF_SHELF_EVICT,	 /* look at a few entries, or delete a few */
	HF_SHELF_SHRINK, /* give a few pages back to the file system */
	HF_SHELF_CLOSE,
};

struct hf_shelf {
	struct hf_port *port;
	struct hf_log *log;
	void (*on_renewed)(void *user, const struct hf_shelf_report *report);
	void *on_renewed_user;
	char dir[HF_SHELF_PATH_MAX];
	struct hf_inbox inbox;

	/* ---- loop ---- */
	struct hf_job job;
	enum hf_shelf_job kind;
	bool busy;    /* job is with the port */
	bool open;    /* open has succeeded, close has not run */
	int refusal;  /* not 0: every operation gets this */
	bool closing; /* close as soon as the inbox is empty */
	bool dying;
	bool in_turn; /* the last job was a batch: background work may be next */
	void (*open_done)(void *user, int err, const struct hf_shelf_report *report);
	void *open_user;
	void (*close_done)(void *user, int err);
	void *close_user;
	uint64_t bytes_max, ceiling; /* as configured, and as of give_way */
	bool shrinking;		     /* free pages go back to the file system */
	uint64_t seed[2];	     /* a copy */
	bool full;		     /* the last write was refused */
	struct hf_list holds;
	bool released; /* a hold has ended: there may be something to delete */
	bool kick;     /* give_way was called: background work may be of use again */

	/* ---- its thread; set by the loop before a job ---- */
	uint64_t now_ms; /* boot time */
	uint64_t fresh_seed[2];
	uint64_t *held;

	/* ---- its thread ---- */
	struct hf_vfs vfs;
	struct hf_shelf_db db;
	uint32_t generation;
	struct hf_shelf_report report;
	uint32_t boot_before; /* number of the last start that the database knows */
	bool boot_due;	      /* the number of this start is to be stored */
	bool renewed;	      /* in this job */
	bool appeared;	      /* in this job: a database that had no room has it */
	uint64_t try_at_ms;   /* without a database: when it is tried again */
	bool background_off;  /* it has failed, or there is nothing that it could do */
	unsigned checkpoint_at;
	bool checkpoint_failed; /* the last one */
	int result;
	struct hf_list finished; /* ops of the batch, err set */
	uint64_t pages_used, pages_total;
	struct hf_shelf_usage usage;
};

void hf_shelf_submit(struct hf_shelf *s, struct hf_shelf_op *op,
		     int (*run)(struct hf_shelf_op *op, struct hf_shelf_db *db), bool writes);

/* ---- shelf_open.c: on its thread ---- */

int hf_shelf_open_run(struct hf_shelf *s);
int hf_shelf_close_run(struct hf_shelf *s);
/* Inside a transaction: the number of this start; @clean: it ends here. */
int hf_shelf_store_start(struct hf_shelf *s, bool clean);
void hf_shelf_path(const struct hf_shelf *s, uint32_t generation, char out[HF_SHELF_PATH_MAX]);
/* The files of a generation. */
int hf_shelf_generation_delete(struct hf_shelf *s, uint32_t generation);
/* A new and empty database as @generation, sealed, for @db. */
int hf_shelf_create_file(struct hf_shelf *s, struct hf_shelf_db *db, uint32_t generation);
/* For a database that is open: its seed, and what opening looks at. */
int hf_shelf_adopt_file(struct hf_shelf *s);
/* Without room for a database: an empty one in memory. */
int hf_shelf_nowhere(struct hf_shelf *s);
/* Tries for one on the medium, now and then. */
void hf_shelf_try_again(struct hf_shelf *s);

/* ---- shelf_renew.c: on its thread ---- */

/* Moves what can be read into the other file and goes on with that. */
int hf_shelf_renew_run(struct hf_shelf *s);

/* ---- shelf_batch.c: on its thread ---- */

void hf_shelf_batch_run(struct hf_shelf *s);
/* @slice in a transaction of its own; a damaged database is renewed. */
void hf_shelf_background_run(struct hf_shelf *s, enum hf_shelf_job kind);
void hf_shelf_checkpoint_run(struct hf_shelf *s);
void hf_shelf_figures_take(struct hf_shelf *s);

#endif

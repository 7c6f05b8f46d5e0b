/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: the only place that touches SQLite. Callers submit operations;
 * all that wait at a turn of the loop share one transaction on the store
 * thread (group commit), and each one's done runs on the loop after the commit
 * is on the medium. While a batch is being committed the next one gathers.
 *
 * Durability: PRAGMA synchronous=EXTRA before journal_mode=WAL, then FULL;
 * locking_mode=EXCLUSIVE; page size 512; the WAL file is recycled, not
 * shrunk (docs/STORE.md).
 */
#ifndef HF_STORE_STORE_H
#define HF_STORE_STORE_H

#include "base/list.h"
#include "base/log.h"
#include "base/span.h"
#include "holdfast/port.h"

struct hf_store;
struct hf_db; /* the open database, seen by operations on the store thread */

struct hf_store_report;

struct hf_store_options {
	struct hf_port *port;
	struct hf_log *log;
	uint64_t bytes_max;	/* ceiling of the database file */
	uint64_t reserve_bytes; /* kept free below it for settling and deleting */
	uint32_t wal_pages;	/* checkpoint threshold, pages of 512 bytes */
	/* On the loop, before the done callbacks of the batch that met the damage
	 * (NULL: not wanted): the database was found damaged while in use and what
	 * could be read of it was moved. Records may be missing or changed: read
	 * the lanes again. The operations of the batch have been run again on the
	 * new database. @report is the one of hf_store_open, updated. Also when a
	 * medium without room for a database has got one. */
	void (*on_salvaged)(void *user, const struct hf_store_report *report);
	/* On the loop: an operation was refused for want of room, and the one before it
	 * was not. Whoever can give room to the medium should. NULL: nobody can. */
	void (*on_full)(void *user);
	void *user;
};

/* What opening found. */
struct hf_store_report {
	bool created;  /* first start: no store had ever existed here */
	bool vanished; /* the marker says a store existed, but it is gone or empty */
	bool salvaged; /* the file was damaged: put aside, readable rows moved */
	uint64_t rows_saved;
	uint64_t rows_lost;	 /* as far as it can be told */
	char quarantine[256];	 /* file name the damaged one has now, in state_dir */
	uint32_t boots;		 /* counted by opens of this store */
	uint8_t seed[16];	 /* the device's random seed, made at creation */
	uint64_t device_ms;	 /* device time to go on from, see hf_store_meta below */
	uint32_t vanished_total; /* times it was found gone, since the first start */
	uint32_t salvages_total; /* times it was found damaged */
};

/* ---- operations ---- */

struct hf_store_op {
	/* On the store thread inside the batch's transaction. 0 or an error: then
	 * what this one wrote is undone, the others' stays. It may be called again
	 * (the transaction was rolled back for another's sake), so outputs are set
	 * anew by each call and inputs are kept. Set by the typed functions of
	 * store/records.h. */
	int (*run)(struct hf_store_op *op, struct hf_db *db);
	/* On the loop, after the commit. @err as run returned it, or HF_EFULL,
	 * HF_EIO, HF_ECORRUPT when the commit failed (nothing was stored then).
	 * The op belongs to the caller again when this is called. */
	void (*done)(struct hf_store_op *op, int err);
	void *user;  /* the caller's */
	bool writes; /* false: reads only */
	/* May use the reserve: settling, deleting, marking. Others get HF_EFULL
	 * when bytes_max - reserve_bytes is reached. */
	bool privileged;
	int err;
	bool excluded; /* the store's own */
	struct hf_list link;
};

int hf_store_create(const struct hf_store_options *opt, struct hf_store **out);
/* Opens, creates or salvages; migrates the schema; deletes blobs nobody refers
 * to. A medium without room for a new database is fine: operations that are not
 * privileged get HF_EFULL until there is room, and others begin with nothing.
 * @done on the loop: 0, HF_EIO or HF_EFULL (the medium cannot be used at all),
 * HF_ENOTSUP (written by a newer version), HF_EBUSY (another process has it).
 * Never wipes. @report lives as long as the store. Operations submitted before
 * it is done wait for it; when it fails they get its error. */
void hf_store_open(struct hf_store *s,
		   void (*done)(void *user, int err, const struct hf_store_report *report),
		   void *user);
/* Runs what was submitted, writes the clean marker, closes the files. What is
 * submitted later gets HF_ECANCELED. After an open that failed there is nothing
 * to close: 0. @done on a later turn of the loop. */
void hf_store_close(struct hf_store *s, void (*done)(void *user, int err), void *user);
/* After close, or abruptly: waits for jobs on the store thread
 * (hf_port.jobs_finish) and drops what waits; no callback is made. Not from
 * inside a callback of the store. NULL is fine. */
void hf_store_destroy(struct hf_store *s);

/* Queues @op (run, done, writes set) for the next batch. */
void hf_store_submit(struct hf_store *s, struct hf_store_op *op);

/* ---- figures, on the loop, from the last finished batch ---- */

#define HF_ASIDE_MAX 8 /* damaged databases that are kept */

/* A damaged database that was put aside and is still there. */
struct hf_store_aside {
	char name[24]; /* file name, in state_dir */
	uint32_t generation;
	uint64_t saved, lost; /* rows, as far as it is known */
};

struct hf_store_usage {
	uint64_t bytes; /* live bytes in the database (pages in use) */
	uint64_t file_bytes;
	uint64_t bytes_max;
	uint64_t written_total; /* bytes handed to the medium since creation */
	uint64_t written_today; /* since the last change of UTC day or 24 h of device time */
	uint64_t batches, ops;	/* since start */
	uint32_t page_bytes;
	uint32_t log_pages;	/* in the log and not in the database yet */
	uint32_t checkpoints;	/* since start: the log was copied back as a whole */
	uint64_t checkpoint_ms; /* boot time of the last one, 0: none */
	bool full;		/* the last writing op was refused with HF_EFULL */
	uint64_t room;		/* bytes for operations that are not privileged */
	/* What is deleted makes room. Not so when others have filled the medium and the
	 * database is small. */
	bool deleting_helps;
	struct hf_store_aside aside[HF_ASIDE_MAX]; /* newest first */
	unsigned aside_n;
};
void hf_store_usage(const struct hf_store *s, struct hf_store_usage *out);

/* Checks the whole database (PRAGMA integrity_check): an op of its own kind,
 * @faults is the number of lines and @text the first ones. */
struct hf_store_check {
	struct hf_store_op op;
	unsigned faults;
	char text[1024];
};
void hf_store_check(struct hf_store *s, struct hf_store_check *c);

#endif

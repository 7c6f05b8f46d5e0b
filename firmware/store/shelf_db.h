/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open database of the caches, seen by operations on its thread: one connection,
 * its prepared statements, and what is kept in memory beside them. All of that
 * memory is a cache: hf_shelf_db_forget() drops it after a rollback and it is read
 * again when needed.
 *
 * Errors of SQLite are hard: db->hard keeps the first one for the batch to judge.
 */
#ifndef HF_STORE_SHELF_DB_H
#define HF_STORE_SHELF_DB_H

#include "store/shelf.h"
#include "store/shelf_codec.h"
#include "store/shelf_proof.h"
#include "store/sql.h"

#define HF_SHELF_PAGE_SIZE	4096
#define HF_SHELF_VERSION	2
#define HF_SHELF_APPLICATION_ID 0x48464443 /* "HFDC" */
#define HF_SHELF_BAD_MAX	16	   /* damaged bodies that wait for their entries to go */
#define HF_SHELF_OLDEST		256	   /* entries of one scan for those used longest ago */

/* X(name, SQL) */
#define HF_SHELF_STATEMENTS(X)                                                            \
	X(BEGIN, "BEGIN")                                                                 \
	X(COMMIT, "COMMIT")                                                               \
	X(SAVEPOINT, "SAVEPOINT op")                                                      \
	X(RELEASE, "RELEASE op")                                                          \
	X(ROLLBACK_TO, "ROLLBACK TO op")                                                  \
	X(PAGES, "PRAGMA page_count")                                                     \
	X(FREE_PAGES, "PRAGMA freelist_count")                                            \
	X(VACUUM, "PRAGMA incremental_vacuum(64)")                                        \
	X(META_GET, "SELECT value FROM meta WHERE key=?1")                                \
	X(META_PUT, "INSERT INTO meta(key,value) VALUES(?1,?2) "                          \
		    "ON CONFLICT(key) DO UPDATE SET value=excluded.value")                \
	X(CACHE_ALL, "SELECT id,v,owner,name FROM cache ORDER BY id")                     \
	X(CACHE_ADD, "INSERT INTO cache(id,v,owner,name) VALUES(?1,?2,?3,?4)")            \
	X(CACHE_SET, "UPDATE cache SET v=?2 WHERE id=?1")                                 \
	X(CACHE_DEL, "DELETE FROM cache WHERE id=?1")                                     \
	X(ENTRY_GET, "SELECT sum,url,note,head FROM entry WHERE id=?1")                   \
	X(ENTRY_FROM, "SELECT id,sum,url,note,head FROM entry WHERE id>?1 AND id<=?2 "    \
		      "ORDER BY id")                                                      \
	X(ENTRY_URLS, "SELECT id,url FROM entry WHERE id>?1 AND id<=?2 "                  \
		      "ORDER BY id LIMIT ?3")                                             \
	X(ENTRY_ADD, "INSERT INTO entry(id,sum,url,note,head) VALUES(?1,?2,?3,?4,?5)")    \
	X(ENTRY_HEAD, "UPDATE entry SET sum=?2,head=?3 WHERE id=?1")                      \
	X(ENTRY_DEL, "DELETE FROM entry WHERE id=?1")                                     \
	X(USE_GET, "SELECT v FROM use WHERE id=?1")                                       \
	X(USE_FROM, "SELECT id,v FROM use WHERE id>?1 AND id<=?2 ORDER BY id LIMIT ?3")   \
	X(USE_ANY, "SELECT id FROM use LIMIT 1")                                          \
	X(ENTRY_ANY, "SELECT id FROM entry LIMIT 1")                                      \
	X(USE_ADD, "INSERT INTO use(id,v) VALUES(?1,?2)")                                 \
	X(USE_SET, "UPDATE use SET v=?2 WHERE id=?1")                                     \
	X(USE_DEL, "DELETE FROM use WHERE id=?1")                                         \
	X(BODY_GET, "SELECT v,refs,data FROM body WHERE id=?1")                           \
	X(BODY_FIND, "SELECT id,v,data FROM body WHERE hash=?1")                          \
	X(BODY_MAX, "SELECT max(id) FROM body")                                           \
	X(BODY_ADD, "INSERT INTO body(id,hash,refs,v,data) VALUES(?1,?2,?3,?4,?5)")       \
	X(BODY_REFS, "UPDATE body SET refs=?2 WHERE id=?1")                               \
	X(BODY_DEL, "DELETE FROM body WHERE id=?1")                                       \
	X(PIECE_GET, "SELECT sum,data FROM piece WHERE id=?1")                            \
	X(PIECE_THERE, "SELECT length(data) FROM piece WHERE id=?1")                      \
	X(PIECE_LEN, "SELECT sum(length(data)) FROM piece WHERE id>=?1 AND id<=?2")       \
	X(PIECE_FROM, "SELECT id FROM piece WHERE id>=?1 AND id<=?2 ORDER BY id LIMIT 1") \
	X(PIECE_MAX, "SELECT max(id) FROM piece")                                         \
	X(PIECE_ADD, "INSERT INTO piece(id,sum,data) VALUES(?1,?2,?3)")                   \
	X(PIECE_DEL, "DELETE FROM piece WHERE id=?1")                                     \
	X(LOOSE_PUT, "INSERT OR REPLACE INTO loose(body,gone) VALUES(?1,?2)")             \
	X(LOOSE_DEL, "DELETE FROM loose WHERE body=?1")                                   \
	X(LOOSE_MAX, "SELECT max(body) FROM loose")                                       \
	X(LOOSE_THERE, "SELECT 1 FROM loose WHERE body=?1")                               \
	X(LOOSE_OPEN, "SELECT 1 FROM loose WHERE body=?1 AND NOT gone")                   \
	X(LOOSE_FROM, "SELECT body FROM loose WHERE body>?1 AND (gone OR body<?2) "       \
		      "ORDER BY body LIMIT 1")

enum hf_shelf_statement {
#define HF_SHELF_STATEMENT_ENUM(name, sql) HF_SHELF_##name,
	HF_SHELF_STATEMENTS(HF_SHELF_STATEMENT_ENUM)
#undef HF_SHELF_STATEMENT_ENUM
	HF_SHELF_STATEMENT_COUNT
};

/* A cache as its thread knows it. */
struct hf_shelf_row {
	uint32_t id;
	struct hf_shelf_cache_v v;
	struct hf_span owner, name;
	char *texts; /* both */
};

/* Those used longest ago of one scan, oldest first once it is done. */
struct hf_shelf_oldest {
	uint32_t cache; /* that was scanned, 0: all that are not pinned */
	bool done;
	uint64_t after; /* while it is not: the last id that was looked at */
	unsigned n, at; /* those below @at are used up */
	struct hf_shelf_old {
		uint64_t id, used_dev_ms;
	} v[HF_SHELF_OLDEST];
};

struct hf_shelf_intake_state;

struct hf_shelf_db {
	sqlite3 *sql;
	sqlite3_stmt *st[HF_SHELF_STATEMENT_COUNT];
	struct hf_vfs *vfs;
	int hard;     /* first error of SQLite since it was cleared, 0: none */
	bool nowhere; /* in memory: there was no room for one */
	unsigned wal_frames;
	uint64_t seed[2];
	/* set by the loop before a job */
	uint64_t pages_max;    /* above it nothing new is taken */
	uint64_t pages_target; /* of eviction */

	/* caches of what is in the database */
	struct hf_shelf_row *rows; /* in the order of their ids */
	size_t rows_n, rows_cap;
	bool rows_known;
	uint64_t body_next; /* 0: not known */

	/* not caches: */
	struct hf_shelf_intake_state *intakes; /* that this transaction has changed */
	uint64_t loose_floor; /* bodies below it that are loose are of an earlier run */
	uint64_t body_floor;  /* none below it is given again in this run */
	bool sweep_due;	      /* there may be bodies or caches to delete */
	uint32_t cache_next;  /* no cache below it is made anew in this run */
	uint8_t serial;	      /* for the numbers of entries */
	uint32_t stored;      /* entries in this run, for their order */
	uint64_t bad[HF_SHELF_BAD_MAX];
	unsigned bad_n;
	uint64_t bad_after; /* the entries up to it are not of the first one any more */
	struct hf_shelf_oldest of_cache, of_all;
	struct hf_shelf_proof proof;
	bool proof_known; /* from the database */
	bool proof_due;	  /* the row is older */
	uint32_t boot;	  /* number of this start */
	uint32_t open_from;
	bool purge_due; /* there may be entries that are dead */
	uint64_t purge_after, purge_below;
	uint64_t evicted;
	bool evicting;	      /* until the target is reached */
	const uint64_t *held; /* bodies that are being read; set by the loop before a job */
	size_t held_n;
};

/* Opens @path with the settings of docs/STORE.md and, when @fresh, makes the
 * tables. The file is not finished before hf_shelf_db_seal(). */
int hf_shelf_db_open(struct hf_shelf_db *db, struct hf_vfs *vfs, const char *path, bool fresh);
/* Marks the file as finished and of @generation; it is on the medium then. */
int hf_shelf_db_seal(struct hf_shelf_db *db, uint32_t generation);
void hf_shelf_db_close(struct hf_shelf_db *db);
void hf_shelf_db_forget(struct hf_shelf_db *db);
/* No statement reads any more: one that does keeps the log from being copied. */
void hf_shelf_db_settle(struct hf_shelf_db *db);
/* Settles, rolls back and forgets. */
void hf_shelf_db_roll_back(struct hf_shelf_db *db);
/* What was committed is on the medium afterwards. */
int hf_shelf_db_sync(struct hf_shelf_db *db);
/* Copies the log into the database; @truncate: and cuts the files. */
int hf_shelf_db_checkpoint(struct hf_shelf_db *db, bool truncate);

sqlite3_stmt *hf_shelf_stmt(struct hf_shelf_db *db, enum hf_shelf_statement which);
int hf_shelf_step(struct hf_shelf_db *db, sqlite3_stmt *st);
int hf_shelf_run(struct hf_shelf_db *db, sqlite3_stmt *st); /* to the end */
/* A statement with one number, to the end. */
int hf_shelf_run_u64(struct hf_shelf_db *db, enum hf_shelf_statement which, uint64_t a);
/* A statement with one number at most and a number as its result; 0 without a row. */
int hf_shelf_number(struct hf_shelf_db *db, enum hf_shelf_statement which, uint64_t a,
		    uint64_t *out);

int hf_shelf_meta_put(struct hf_shelf_db *db, const char *key, struct hf_span value);
/* HF_ENOENT: there is none of this length. */
int hf_shelf_meta_get(struct hf_shelf_db *db, const char *key, uint8_t *out, size_t len);

/* Pages in use, and of the file. */
int hf_shelf_pages(struct hf_shelf_db *db, uint64_t *used, uint64_t *total);
/* Is there room for @bytes more below the ceiling? 0, HF_EFULL. */
int hf_shelf_room(struct hf_shelf_db *db, uint64_t bytes);

/* Memory that a find or a list gives: a chain of pieces. */
char *hf_shelf_memory(void **chain, size_t size);
void hf_shelf_memory_free(void **chain);

#endif

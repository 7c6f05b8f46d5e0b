/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open database, seen by operations on the store thread: one connection,
 * its prepared statements, and what is kept in memory beside them (lanes, row
 * numbers). All of that memory is a cache: hf_db_forget() drops it after a
 * rollback and it is read again when needed.
 *
 * Errors of SQLite are hard: they end the transaction and db->hard keeps the
 * first one for the batch to judge. An operation's own refusal (HF_ENOENT,
 * HF_ESTATE...) is returned without touching db->hard.
 */
#ifndef HF_STORE_DB_H
#define HF_STORE_DB_H

#include <sqlite3.h>

#include "store/codec.h"
#include "store/sql.h"

#define HF_PAGE_SIZE 512

/* X(name, SQL) */
#define HF_STATEMENTS(X)                                                                     \
	X(BEGIN, "BEGIN")                                                                    \
	X(COMMIT, "COMMIT")                                                                  \
	X(SAVEPOINT, "SAVEPOINT op")                                                         \
	X(RELEASE, "RELEASE op")                                                             \
	X(ROLLBACK_TO, "ROLLBACK TO op")                                                     \
	X(PAGES, "PRAGMA page_count")                                                        \
	X(FREE_PAGES, "PRAGMA freelist_count")                                               \
	X(META_GET, "SELECT value FROM meta WHERE key=?1")                                   \
	X(META_PUT, "INSERT INTO meta(key,value) VALUES(?1,?2) "                             \
		    "ON CONFLICT(key) DO UPDATE SET value=excluded.value")                   \
	X(LANE_ALL, "SELECT id,v,origin,key FROM lane ORDER BY id")                          \
	X(LANE_GET, "SELECT v FROM lane WHERE id=?1")                                        \
	X(LANE_FIND, "SELECT id FROM lane WHERE origin=?1 AND key=?2")                       \
	X(LANE_MAX, "SELECT max(id) FROM lane")                                              \
	X(LANE_FROM, "SELECT id FROM lane WHERE id>=?1 ORDER BY id")                         \
	X(LANE_ADD, "INSERT INTO lane(id,v,origin,key) VALUES(?1,?2,?3,?4)")                 \
	X(LANE_SET, "UPDATE lane SET v=?2 WHERE id=?1")                                      \
	X(LANE_DEL, "DELETE FROM lane WHERE id=?1")                                          \
	X(RECORD_GET, "SELECT state FROM record WHERE id=?1")                                \
	X(RECORD_FROM, "SELECT id,state FROM record WHERE id>=?1 AND id<=?2 ORDER BY id")    \
	X(RECORD_LAST, "SELECT id FROM record WHERE id>=?1 AND id<=?2 "                      \
		       "ORDER BY id DESC LIMIT 1")                                           \
	X(RECORD_ADD, "INSERT INTO record(id,state) VALUES(?1,?2)")                          \
	X(RECORD_SET, "UPDATE record SET state=?2 WHERE id=?1")                              \
	X(RECORD_DEL, "DELETE FROM record WHERE id=?1")                                      \
	X(REQUEST_MAX, "SELECT seq,id FROM request ORDER BY seq DESC LIMIT 1")               \
	X(REQUEST_ADD, "INSERT INTO request(seq,id,sum,blob,len,born,head,body) "            \
		       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")                                    \
	X(REQUEST_GET, "SELECT id,sum,blob,len,head,body FROM request WHERE seq=?1")         \
	X(REQUEST_HEAD, "SELECT id,sum,blob,coalesce(len,length(body)),head "                \
			"FROM request WHERE seq=?1")                                         \
	X(REQUEST_LINK, "SELECT id,blob FROM request WHERE seq=?1")                          \
	X(REQUEST_MOVE, "UPDATE request SET id=?2,born=?3 WHERE seq=?1")                     \
	X(REQUEST_DEL, "DELETE FROM request WHERE seq=?1")                                   \
	X(OUTCOME_MAX, "SELECT seq,id FROM outcome ORDER BY seq DESC LIMIT 1")               \
	X(OUTCOME_ADD, "INSERT INTO outcome(seq,id,sum,blob,len,summary,head,body) "         \
		       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")                                    \
	X(OUTCOME_GET, "SELECT id,sum,blob,len,summary,head,body FROM outcome WHERE seq=?1") \
	X(OUTCOME_HEAD, "SELECT id,sum,blob,coalesce(len,length(body)),summary,head "        \
			"FROM outcome WHERE seq=?1")                                         \
	X(OUTCOME_OLDEST, "SELECT seq,id,blob FROM outcome ORDER BY seq LIMIT 1")            \
	X(OUTCOME_LINK, "SELECT id,blob FROM outcome WHERE seq=?1")                          \
	X(OUTCOME_DEL, "DELETE FROM outcome WHERE seq=?1")                                   \
	X(DEAD_MAX, "SELECT seq,id FROM dead ORDER BY seq DESC LIMIT 1")                     \
	X(DEAD_ADD, "INSERT INTO dead(seq,id,sum,blob,len,summary,head,body) "               \
		    "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")                                       \
	X(DEAD_GET, "SELECT id,sum,blob,len,summary,head,body FROM dead WHERE seq=?1")       \
	X(DEAD_HEAD, "SELECT id,sum,blob,coalesce(len,length(body)),summary,head "           \
		     "FROM dead WHERE seq=?1")                                               \
	X(DEAD_OLDEST, "SELECT seq,id,blob FROM dead ORDER BY seq LIMIT 1")                  \
	X(DEAD_LINK, "SELECT id,blob FROM dead WHERE seq=?1")                                \
	X(DEAD_DEL, "DELETE FROM dead WHERE seq=?1")                                         \
	X(DEAD_COUNT, "SELECT count(*) FROM dead")                                           \
	X(BLOB_MAX, "SELECT max(id) FROM blob")                                              \
	X(BLOB_ADD, "INSERT INTO blob(id,sum,data) VALUES(?1,?2,?3)")                        \
	X(BLOB_GET, "SELECT sum,data FROM blob WHERE id=?1")                                 \
	X(BLOB_LEN, "SELECT sum(length(data)) FROM blob WHERE id>=?1 AND id<=?2")            \
	X(BLOB_FROM, "SELECT id FROM blob WHERE id>=?1 AND id<=?2 ORDER BY id LIMIT 1")      \
	X(BLOB_DEL, "DELETE FROM blob WHERE id=?1")                                          \
	X(UPLOAD_MAX, "SELECT max(blob) FROM upload")                                        \
	X(UPLOAD_ADD, "INSERT OR REPLACE INTO upload(blob,gone) VALUES(?1,?2)")              \
	X(UPLOAD_DEL, "DELETE FROM upload WHERE blob=?1")                                    \
	X(UPLOAD_GONE, "SELECT blob FROM upload WHERE gone OR blob<?1 LIMIT 1")              \
	X(REGISTRATION_FROM, "SELECT id,sum,worker,tag,value FROM registration "             \
			     "WHERE id>?1 AND id<?3 ORDER BY id LIMIT ?2")                   \
	X(REGISTRATION_PUT, "INSERT INTO registration(id,sum,worker,tag,value) "             \
			    "VALUES(?1,?2,?3,?4,?5) ON CONFLICT(id) DO UPDATE SET "          \
			    "sum=excluded.sum,worker=excluded.worker,tag=excluded.tag,"      \
			    "value=excluded.value")                                          \
	X(DEPENDENT_ADD, "INSERT OR REPLACE INTO dependent(child,parent) VALUES(?1,?2)")     \
	X(DEPENDENT_GET, "SELECT parent FROM dependent WHERE child=?1")                      \
	X(DEPENDENT_DEL, "DELETE FROM dependent WHERE child=?1")                             \
	X(DEPENDENT_MOVE, "UPDATE dependent SET parent=?2 WHERE parent=?1")                  \
	X(DEPENDENT_ANY, "SELECT child FROM dependent LIMIT 1")                              \
	X(DEPENDENT_OF, "SELECT child,parent FROM dependent "                                \
			"WHERE parent=?1 AND child>?2 ORDER BY child")                       \
	X(DEPENDENT_FROM, "SELECT child,parent FROM dependent "                              \
			  "WHERE child>?2 ORDER BY child")                                   \
	X(DEPENDENT_COUNT, "SELECT count(*) FROM "                                           \
			   "(SELECT 1 FROM dependent WHERE parent=?1 LIMIT ?2)")             \
	X(OUTCOME_RENEW, "UPDATE outcome SET seq=?2 WHERE seq=?1")                           \
	X(DEAD_RENEW, "UPDATE dead SET seq=?2 WHERE seq=?1")                                 \
	X(REGISTRATION_DEL, "DELETE FROM registration WHERE id=?1")

enum hf_statement {
#define HF_STATEMENT_ENUM(name, sql) HF_SQL_##name,
	HF_STATEMENTS(HF_STATEMENT_ENUM)
#undef HF_STATEMENT_ENUM
	HF_SQL_COUNT
};

/* A lane as the store thread knows it. */
struct hf_lane_entry {
	uint32_t id;
	bool exact; /* v.head is queued or held (or v.tail + 1) */
	struct hf_lane_v v;
	struct hf_lane_v stored; /* as the lane's row says */
};

/* Pages as they were counted last. SQLite reads the text of that question each time it
 * is asked, so it is not for every operation: @asked is what may have come since. */
struct hf_db_size {
	bool known;
	uint64_t used, total, asked;
};

#define HF_FINISHED_MAX 1024

struct hf_db {
	sqlite3 *sql;
	sqlite3_stmt *st[HF_SQL_COUNT];
	struct hf_vfs *vfs;
	uint64_t pages_max;	/* ceiling of the file */
	uint64_t pages_reserve; /* of these only privileged operations may use */
	int hard;		/* first error of SQLite since hf_db_begin, 0: none */
	uint64_t backed;	/* pages the file has on the medium; others are in the WAL alone */
	bool low;		/* the medium is full: the reserve file was given up */
	uint64_t low_extra;	/* pages that the file may grow by while it is */
	uint64_t low_max;	/* so its ceiling, 0: to be worked out */
	uint64_t low_keep;	/* free ones that only privileged operations may use while it is */
	unsigned wal_frames;	/* in the WAL after the last commit */

	/* caches */
	struct hf_lane_entry *lanes; /* sorted by id */
	size_t lanes_n, lanes_cap;
	uint64_t request_next, outcome_next, dead_next, blob_next; /* 0: not known */
	int64_t dead_count;					   /* -1: not known */
	struct hf_db_size size;
	int8_t dependents; /* 0: none, 1: some, -1: not known */
	/* Ids that became final and may still have their request. */
	uint64_t finished[HF_FINISHED_MAX];
	unsigned finished_n;
	/* not a cache: uploads below it are of an earlier run */
	uint64_t upload_floor;
	uint64_t lane_again; /* nor this: the last lane id that was given again */
	bool uploads_gone;   /* there may be blobs to delete */
};

/* Opens @path (created when absent) with the settings of docs/STORE.md. The
 * first read happens in here, so a damaged file shows as HF_ECORRUPT. */
int hf_db_open(struct hf_db *db, struct hf_vfs *vfs, const char *path);
/* Turns on WAL; the schema must be there. */
int hf_db_wal(struct hf_db *db);
/* Closes without touching the file. A closed one is fine. */
void hf_db_close(struct hf_db *db);
void hf_db_forget(struct hf_db *db);
/* Runs SQL text without parameters; for opening only. */
int hf_db_exec(struct hf_db *db, const char *sql);
/* First column of the first row as a number; @otherwise when there is none. */
int hf_db_number(struct hf_db *db, const char *sql, int64_t otherwise, int64_t *out);

/* The statement, reset; NULL after a hard error. */
sqlite3_stmt *hf_db_stmt(struct hf_db *db, enum hf_statement which);
/* 1: a row, 0: the end (and reset), < 0: hard error (and reset). NULL is fine. */
int hf_db_step(struct hf_db *db, sqlite3_stmt *st);
/* Steps to the end. */
int hf_db_run(struct hf_db *db, sqlite3_stmt *st);
/* No more rows are wanted. */
void hf_db_reset(sqlite3_stmt *st);

/* Is there room for @bytes more? @privileged: up to the ceiling. While the medium
 * is full others find room in the free pages of the file only. 0, HF_EFULL. */
int hf_db_room(struct hf_db *db, uint64_t bytes, bool privileged);
/* Pages that others than privileged operations may use now; 0 when @used are more. */
uint64_t hf_db_room_left(const struct hf_db *db, uint64_t used, uint64_t total);
/* Pages in use and of the file, counted now. */
int hf_db_pages(struct hf_db *db, uint64_t *used, uint64_t *total);
/* Has the file more than @pages? Not counted while what was asked for since cannot make
 * it so. */
bool hf_db_is_beyond(struct hf_db *db, uint64_t pages);

#endif

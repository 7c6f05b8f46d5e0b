/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sql.h"

#include <assert.h>
#include <stdlib.h>

int hf_sql_map(int rc)
{
	if (rc == SQLITE_IOERR_NOMEM)
		return HF_ENOMEM;
	if (rc == SQLITE_IOERR_CORRUPTFS)
		return HF_ECORRUPT;
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return HF_EFULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return HF_ECORRUPT;
	case SQLITE_NOMEM:
		return HF_ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return HF_EBUSY;
	case SQLITE_TOOBIG:
		return HF_ETOOBIG;
	case SQLITE_CONSTRAINT:
		return HF_ECORRUPT; /* our keys are unique: an index disagrees */
	default:
		return HF_EIO;
	}
}

static int failed(int *hard, int rc)
{
	int err = hf_sql_map(rc);

	assert(err != 0);
	if (!*hard)
		*hard = err;
	return err;
}

int hf_sql_open(sqlite3 **out, struct hf_vfs *vfs, const char *path, const char *settings)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_EXRESCODE;
	int rc = sqlite3_open_v2(path, out, flags, vfs->name);
	int err = hf_sql_map(rc);

	if (!err) {
		sqlite3_db_config(*out, SQLITE_DBCONFIG_LOOKASIDE, NULL, 256, 64);
		sqlite3_db_config(*out, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		sqlite3_wal_autocheckpoint(*out, 0);
		err = hf_sql_exec(*out, settings);
	}
	if (err) {
		sqlite3_close(*out);
		*out = NULL;
	}
	return err;
}

static int text_is(void *wanted, int n, char **values, char **names)
{
	(void)names;
	if (n != 1 || !values[0] || strcmp(values[0], wanted) != 0)
		return 1;
	return 0;
}

int hf_sql_wal(sqlite3 *sql)
{
	char wal[] = "wal";
	int rc = sqlite3_exec(sql, "PRAGMA journal_mode=WAL", text_is, wal, NULL);

	return rc == SQLITE_ABORT ? HF_EIO : hf_sql_map(rc);
}

int hf_sql_exec(sqlite3 *sql, const char *text)
{
	return hf_sql_map(sqlite3_exec(sql, text, NULL, NULL, NULL));
}

int hf_sql_number(sqlite3 *sql, const char *text, int64_t otherwise, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(sql, text, -1, &st, NULL);

	*out = otherwise;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int64(st, 0);
		rc = SQLITE_OK;
	}
	if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	sqlite3_finalize(st);
	return hf_sql_map(rc);
}

sqlite3_stmt *hf_sql_stmt(sqlite3 *sql, sqlite3_stmt **slot, const char *text, int *hard)
{
	int rc;

	if (*slot) {
		sqlite3_reset(*slot);
		return *slot;
	}
	rc = sqlite3_prepare_v3(sql, text, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
	if (rc == SQLITE_ERROR)
		rc = SQLITE_CORRUPT; /* the statement is right, so the schema is not */
	if (rc != SQLITE_OK)
		failed(hard, rc);
	return *slot;
}

int hf_sql_step(sqlite3_stmt *st, int *hard)
{
	int rc;

	if (!st)
		return *hard ? *hard : HF_ENOMEM;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		return 1;
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : failed(hard, rc);
}

void hf_sql_reset(sqlite3_stmt *st)
{
	sqlite3_reset(st);
}

void hf_bind_u64(sqlite3_stmt *st, int at, uint64_t v)
{
	assert(v <= INT64_MAX);
	sqlite3_bind_int64(st, at, (sqlite3_int64)v);
}

void hf_bind_span(sqlite3_stmt *st, int at, struct hf_span v)
{
	sqlite3_bind_blob64(st, at, v.len ? v.ptr : "", v.len, SQLITE_STATIC);
}

struct hf_span hf_column_span(sqlite3_stmt *st, int at)
{
	const void *p = sqlite3_column_blob(st, at);

	return hf_span(p, (size_t)sqlite3_column_bytes(st, at));
}

uint64_t hf_column_u64(sqlite3_stmt *st, int at)
{
	sqlite3_int64 v = sqlite3_column_int64(st, at);

	return v < 0 ? 0 : (uint64_t)v;
}

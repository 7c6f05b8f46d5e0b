/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

#include <stdio.h>

/* migrations[v] leads from version v to v + 1. What has been released is not
 * changed; new ones are added at the end. */
static const char *const migrations[HF_SCHEMA_VERSION] = {
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL);"
	"CREATE TABLE lane(id INTEGER PRIMARY KEY, v BLOB NOT NULL,"
	" origin BLOB NOT NULL, key BLOB NOT NULL);"
	"CREATE UNIQUE INDEX lane_name ON lane(origin,key);"
	"CREATE TABLE record(id INTEGER PRIMARY KEY, state BLOB NOT NULL);"
	"CREATE TABLE request(seq INTEGER PRIMARY KEY, id INTEGER NOT NULL,"
	" sum INTEGER NOT NULL, blob INTEGER, len INTEGER, born BLOB NOT NULL,"
	" head BLOB NOT NULL, body BLOB);"
	"CREATE TABLE outcome(seq INTEGER PRIMARY KEY, id INTEGER NOT NULL,"
	" sum INTEGER NOT NULL, blob INTEGER, len INTEGER, summary BLOB NOT NULL,"
	" head BLOB NOT NULL, body BLOB);"
	"CREATE TABLE dead(seq INTEGER PRIMARY KEY, id INTEGER NOT NULL,"
	" sum INTEGER NOT NULL, blob INTEGER, len INTEGER, summary BLOB NOT NULL,"
	" head BLOB NOT NULL, body BLOB);"
	"CREATE TABLE blob(id INTEGER PRIMARY KEY, sum INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE TABLE upload(blob INTEGER PRIMARY KEY, gone INTEGER NOT NULL);",
	"CREATE TABLE registration(id INTEGER PRIMARY KEY, sum INTEGER NOT NULL,"
	" worker BLOB NOT NULL, tag BLOB NOT NULL, value BLOB NOT NULL);",
	"CREATE TABLE dependent(child INTEGER PRIMARY KEY, parent INTEGER NOT NULL);"
	"CREATE INDEX dependent_parent ON dependent(parent);",
};

/* Reads the root page of @table, which must have @columns. */
static int look_at_table(struct hf_db *db, const char *table, const char *columns)
{
	sqlite3_stmt *st = NULL;
	char sql[96];
	int64_t n;
	int rc;

	snprintf(sql, sizeof(sql), "SELECT %s FROM %s", columns, table);
	rc = sqlite3_prepare_v2(db->sql, sql, -1, &st, NULL);
	sqlite3_finalize(st);
	if (rc == SQLITE_ERROR) /* the schema is not what its version says */
		return HF_ECORRUPT;
	if (rc != SQLITE_OK)
		return hf_sql_map(rc);
	snprintf(sql, sizeof(sql), "SELECT rowid FROM %s LIMIT 1", table);
	return hf_db_number(db, sql, 0, &n);
}

/* The tables of @version. */
static int look_at_tables(struct hf_db *db, int64_t version)
{
	static const struct {
		const char *name, *columns;
		int since;
	} tables[] = {
		{ "meta", "key,value", 1 },
		{ "lane", "id,v,origin,key", 1 },
		{ "record", "id,state", 1 },
		{ "request", "seq,id,sum,blob,len,born,head,body", 1 },
		{ "outcome", "seq,id,sum,blob,len,summary,head,body", 1 },
		{ "dead", "seq,id,sum,blob,len,summary,head,body", 1 },
		{ "blob", "id,sum,data", 1 },
		{ "upload", "blob,gone", 1 },
		{ "registration", "id,sum,worker,tag,value", 2 },
		{ "dependent", "child,parent", 3 },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !err; i++) {
		if (version >= tables[i].since)
			err = look_at_table(db, tables[i].name, tables[i].columns);
	}
	return err;
}

int hf_schema_inspect(struct hf_db *db, enum hf_schema_found *found)
{
	int64_t version, application, tables;
	int err;

	err = hf_db_number(db, "PRAGMA user_version", 0, &version);
	if (!err)
		err = hf_db_number(db, "PRAGMA application_id", 0, &application);
	if (!err)
		err = hf_db_number(db, "SELECT count(*) FROM sqlite_schema", 0, &tables);
	if (err)
		return err;
	if (version == 0 && tables == 0) {
		*found = HF_SCHEMA_EMPTY;
		return 0;
	}
	if (version <= 0 || application != HF_APPLICATION_ID) {
		*found = HF_SCHEMA_ALIEN;
		return 0;
	}
	if (version > HF_SCHEMA_VERSION) {
		*found = HF_SCHEMA_NEWER;
		return 0;
	}
	*found = version == HF_SCHEMA_VERSION ? HF_SCHEMA_CURRENT : HF_SCHEMA_OLD;
	return look_at_tables(db, version);
}

static int set_version(struct hf_db *db, int version)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d; PRAGMA user_version=%d",
		 HF_APPLICATION_ID, version);
	return hf_db_exec(db, sql);
}

int hf_schema_migrate(struct hf_db *db, const char *const *steps, int from, int to)
{
	int err = hf_db_exec(db, "BEGIN IMMEDIATE");

	for (int v = from; v < to && !err; v++)
		err = hf_db_exec(db, steps[v]);
	if (!err)
		err = set_version(db, to);
	if (!err)
		err = hf_db_exec(db, "COMMIT");
	if (err && !sqlite3_get_autocommit(db->sql))
		hf_db_exec(db, "ROLLBACK");
	return err;
}

int hf_schema_apply(struct hf_db *db)
{
	int64_t version;
	int err = hf_db_number(db, "PRAGMA user_version", 0, &version);

	if (err)
		return err;
	return hf_schema_migrate(db, migrations, (int)version, HF_SCHEMA_VERSION);
}

int hf_schema_tables(struct hf_db *db)
{
	int err = 0;

	for (int v = 0; v < HF_SCHEMA_VERSION && !err; v++)
		err = hf_db_exec(db, migrations[v]);
	return err;
}

int hf_schema_seal(struct hf_db *db)
{
	return set_version(db, HF_SCHEMA_VERSION);
}

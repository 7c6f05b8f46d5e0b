/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_time STATE_DIR MS: lets MS milliseconds of device time pass in the store
 * of a holdfastd that is not running, as a device does that runs on.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

static int fail(sqlite3 *db, const char *what)
{
	fprintf(stderr, "store_time: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
	return 1;
}

static uint64_t read_le(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (int i = 7; i >= 0; i--)
		value = value << 8 | bytes[i];
	return value;
}

static int move_on(sqlite3 *db, uint64_t ms)
{
	sqlite3_stmt *st;
	uint8_t bytes[8] = { 0 };
	uint64_t now;

	if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key='device_ms'", -1, &st, NULL))
		return fail(db, "select");
	if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_bytes(st, 0) == 8)
		memcpy(bytes, sqlite3_column_blob(st, 0), 8);
	sqlite3_finalize(st);
	now = read_le(bytes) + ms;
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(now >> (8 * i));
	if (sqlite3_prepare_v2(db, "REPLACE INTO meta(key,value) VALUES('device_ms',?1)", -1, &st,
			       NULL))
		return fail(db, "replace");
	sqlite3_bind_blob(st, 1, bytes, 8, SQLITE_STATIC);
	if (sqlite3_step(st) != SQLITE_DONE)
		return fail(db, "replace");
	sqlite3_finalize(st);
	return 0;
}

int main(int argc, char **argv)
{
	char path[4096];
	sqlite3 *db = NULL;
	int code;

	if (argc != 3) {
		fputs("usage: store_time STATE_DIR MS\n", stderr);
		return 64;
	}
	snprintf(path, sizeof(path), "%s/queue-1.db", argv[1]);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL))
		return fail(db, path);
	/* as the store does: no shared memory */
	sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL);
	code = move_on(db, strtoull(argv[2], NULL, 10));
	sqlite3_close(db);
	return code;
}

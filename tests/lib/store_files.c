/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define SIZE_MAX_KEPT (4u << 20)

static const char *const names[RIG_FILES] = { "queue-1.db", "queue-1.db-wal", "queue.store" };

void rig_keep(struct rig *r, struct rig_files *k)
{
	struct hf_port *port = &r->port.port;
	char path[256];

	memset(k, 0, sizeof(*k));
	for (int i = 0; i < RIG_FILES; i++) {
		if (rig_size(r, names[i]) < 0)
			continue;
		assert_int_equal(port->file_read(port, rig_path(r, names[i], path), SIZE_MAX_KEPT,
						 &k->bytes[i], &k->size[i]),
				 0);
	}
}

static int remove_file(void *user, const char *path)
{
	(void)user;
	return unlink(path);
}

void rig_restore(struct rig *r, const struct rig_files *k)
{
	struct hf_port *port = &r->port.port;
	char path[256];

	assert_int_equal(port->dir_read(port, r->port.dir, remove_file, NULL), 0);
	for (int i = 0; i < RIG_FILES; i++) {
		FILE *f;

		if (!k->bytes[i])
			continue;
		f = fopen(rig_path(r, names[i], path), "wb");
		assert_non_null(f);
		assert_int_equal(fwrite(k->bytes[i], 1, k->size[i], f), k->size[i]);
		fclose(f);
	}
}

void rig_forget(struct rig_files *k)
{
	for (int i = 0; i < RIG_FILES; i++)
		free(k->bytes[i]);
	memset(k, 0, sizeof(*k));
}

long rig_size(struct rig *r, const char *name)
{
	char path[256];
	struct stat st;

	return stat(rig_path(r, name, path), &st) ? -1 : (long)st.st_size;
}

void rig_remove(struct rig *r, const char *name)
{
	char path[256];

	assert_int_equal(unlink(rig_path(r, name, path)), 0);
}

void rig_overwrite(struct rig *r, const char *name, long at, const void *bytes, size_t len)
{
	char path[256];
	FILE *f = fopen(rig_path(r, name, path), "r+b");

	assert_non_null(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

void rig_fill(struct rig *r, const char *name, long at, uint8_t with, size_t len)
{
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	memset(bytes, with, len);
	rig_overwrite(r, name, at, bytes, len);
	free(bytes);
}

void rig_flip(struct rig *r, const char *name, uint64_t blob, uint32_t n, int at)
{
	sqlite3_int64 row = (sqlite3_int64)(blob << 24 | n);
	sqlite3_blob *chunk = NULL;
	sqlite3 *db = NULL;
	char path[256];
	uint8_t byte;

	rig_path(r, name, path);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_blob_open(db, "main", "blob", "data", row, 1, &chunk), SQLITE_OK);
	assert_int_equal(sqlite3_blob_read(chunk, &byte, 1, at), SQLITE_OK);
	byte ^= 1;
	assert_int_equal(sqlite3_blob_write(chunk, &byte, 1, at), SQLITE_OK);
	assert_int_equal(sqlite3_blob_close(chunk), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void lanes_agree(struct rig *r)
{
	struct hf_store_lanes l;

	assert_int_equal(RIG_DO(r, hf_store_lanes, &l), 0);
	for (size_t i = 0; i < l.n; i++) {
		uint64_t live = 0, first = 0;
		struct hf_store_list page = { .lane = l.rows[i].id };

		do {
			assert_int_equal(RIG_DO(r, hf_store_list, &page), 0);
			for (size_t j = 0; j < page.n; j++) {
				if (page.v[j].state.status > HF_RECORD_HELD)
					continue;
				live++;
				first = first ? first : page.v[j].id;
			}
			page.after = page.next;
			hf_store_list_finish(&page);
		} while (page.more);
		assert_int_equal(l.rows[i].waiting, live);
		assert_int_equal(l.rows[i].head_id, first);
	}
	hf_store_lanes_finish(&l);
}

void rig_whole(struct rig *r)
{
	struct hf_store_check c;

	assert_int_equal(RIG_DO(r, hf_store_check, &c), 0);
	if (c.faults)
		fail_msg("%s", c.text);
	lanes_agree(r);
}

void rig_works(struct rig *r, const uint64_t *ids, unsigned n)
{
	uint64_t id;

	assert_int_equal(rig_insert(r, rig_lane(r, "https://a", ""), 500, 100, &id), 0);
	for (unsigned i = 0; i < n; i++)
		assert_int_not_equal(id, ids[i]);
	assert_int_equal(rig_settle(r, id, HF_RECORD_SETTLED, 500), 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_false(r->report.salvaged);
	assert_int_equal(rig_status(r, id, 500, 100), HF_RECORD_SETTLED);
	rig_whole(r);
}

void rig_sql(struct rig *r, const char *text)
{
	char path[256];
	sqlite3 *db;

	rig_path(r, "queue-1.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	sqlite3_close(db);
}

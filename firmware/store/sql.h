/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite with the errors of this project: opening, statements, binding. What the
 * databases of the queue and of the caches have in common.
 *
 * A failure of SQLite is hard: it ends the transaction. *@hard keeps the first one
 * for the batch to judge.
 */
#ifndef HF_STORE_SQL_H
#define HF_STORE_SQL_H

#include <sqlite3.h>

#include "base/span.h"
#include "holdfast/err.h"
#include "store/vfs.h"

/* SQLite's result code as an HF_E*. */
int hf_sql_map(int rc);
/* Opens @path (created when absent), without a checkpoint at its close or of its
 * own accord, and runs @settings, whose last one reads the file: so a damaged one
 * shows as HF_ECORRUPT. NULL in *out after an error. */
int hf_sql_open(sqlite3 **out, struct hf_vfs *vfs, const char *path, const char *settings);
/* Turns on WAL; the schema must be there. */
int hf_sql_wal(sqlite3 *sql);
/* Runs SQL text without parameters; for opening only. */
int hf_sql_exec(sqlite3 *sql, const char *text);
/* First column of the first row as a number; @otherwise when there is none. */
int hf_sql_number(sqlite3 *sql, const char *text, int64_t otherwise, int64_t *out);

/* *@slot, reset; prepared at the first use. NULL after an error. */
sqlite3_stmt *hf_sql_stmt(sqlite3 *sql, sqlite3_stmt **slot, const char *text, int *hard);
/* 1: a row, 0: the end (and reset), < 0: hard error (and reset). NULL is fine. */
int hf_sql_step(sqlite3_stmt *st, int *hard);
/* No more rows are wanted. */
void hf_sql_reset(sqlite3_stmt *st);

/* Binding; NULL statements are fine, the step reports the error. */
void hf_bind_u64(sqlite3_stmt *st, int at, uint64_t v);
/* Not copied: must stay until the step. */
void hf_bind_span(sqlite3_stmt *st, int at, struct hf_span v);
struct hf_span hf_column_span(sqlite3_stmt *st, int at);
uint64_t hf_column_u64(sqlite3_stmt *st, int at);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema and its versions (docs/STORE.md draws it). PRAGMA user_version
 * is the number of migrations applied; it is written in the transaction that
 * applies them. A file whose tables are there and whose user_version is 0 is
 * one that was not finished.
 */
#ifndef HF_STORE_SCHEMA_H
#define HF_STORE_SCHEMA_H

#include "store/db.h"

#define HF_APPLICATION_ID 0x48464451 /* "HFDQ" */
#define HF_SCHEMA_VERSION 3

enum hf_schema_found {
	HF_SCHEMA_CURRENT,
	HF_SCHEMA_OLD,	 /* migrations are to be applied */
	HF_SCHEMA_NEWER, /* written by a newer version of the program */
	HF_SCHEMA_EMPTY, /* no tables at all */
	HF_SCHEMA_ALIEN, /* unfinished, or not ours */
};

/* Reads the version, and the root page of every table. */
int hf_schema_inspect(struct hf_db *db, enum hf_schema_found *found);
/* Applies migrations[from..to) in one transaction. Tests pass their own. */
int hf_schema_migrate(struct hf_db *db, const char *const *migrations, int from, int to);
/* Brings an empty or old database to HF_SCHEMA_VERSION. */
int hf_schema_apply(struct hf_db *db);
/* The tables alone, user_version stays 0: for a salvage that is not finished. */
int hf_schema_tables(struct hf_db *db);
/* Marks the file as finished. */
int hf_schema_seal(struct hf_db *db);

#endif

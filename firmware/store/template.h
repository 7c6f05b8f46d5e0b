/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of a database that hold its header and schema, taken from a fresh
 * one: every database of one version has the same. With them put before the
 * reader, a file whose first pages are destroyed can be read all the same.
 */
#ifndef HF_STORE_TEMPLATE_H
#define HF_STORE_TEMPLATE_H

#include "store/db.h"

#define HF_TEMPLATE_PAGES 16

struct hf_template {
	unsigned n;
	uint32_t number[HF_TEMPLATE_PAGES];
	uint8_t page[HF_TEMPLATE_PAGES][HF_PAGE_SIZE];
};

/* From the fresh database @path, for a damaged one of @size bytes, which is to
 * be at least as long as the fresh one: SQLite wants the root of each table. */
int hf_template_read(struct hf_template *t, struct hf_vfs *vfs, const char *path, uint64_t size);
/* As hf_vfs.patch; @user is the template. */
int hf_template_patch(void *user, uint8_t *out, int amount, sqlite3_int64 at);

#endif

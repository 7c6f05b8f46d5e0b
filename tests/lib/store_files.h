/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a store that tests damage, and whether it is whole afterwards. */
#ifndef HF_TESTS_STORE_FILES_H
#define HF_TESTS_STORE_FILES_H

#include "lib/store_rig.h"

/* The first generation's database, its log and the marker. */
#define RIG_FILES 3

struct rig_files {
	char *bytes[RIG_FILES]; /* NULL: not there */
	size_t size[RIG_FILES];
};

void rig_keep(struct rig *r, struct rig_files *k);
/* The state directory holds them and nothing else. */
void rig_restore(struct rig *r, const struct rig_files *k);
void rig_forget(struct rig_files *k);

long rig_size(struct rig *r, const char *name); /* -1: not there */
void rig_remove(struct rig *r, const char *name);
void rig_overwrite(struct rig *r, const char *name, long at, const void *bytes, size_t len);
/* @len bytes of the value @with. */
void rig_fill(struct rig *r, const char *name, long at, uint8_t with, size_t len);

/* Turns bit 0 of byte @at of chunk @n of @blob over; no store is open. */
void rig_flip(struct rig *r, const char *name, uint64_t blob, uint32_t n, int at);

/* Runs SQL on the first generation's database; no store is open. */
void rig_sql(struct rig *r, const char *text);

/* SQLite finds nothing, and the lanes' figures are those of their records. */
void rig_whole(struct rig *r);
/* A new record gets none of the @n numbers of @ids, and everything is there after
 * a start that finds no damage. */
void rig_works(struct rig *r, const uint64_t *ids, unsigned n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File names in the state directory:
 *
 *   queue-<generation>.db, -wal   the database; the marker says which one
 *   queue.store                   the marker
 *   queue.reserve                 space given up when the medium is full
 */
#include <stdio.h>

#include "store/store_private.h"

static void path(const struct hf_store *s, const char *name, char out[HF_PATH_MAX])
{
	snprintf(out, HF_PATH_MAX, "%.*s/%s", HF_PATH_MAX - 64, s->dir, name);
}

void hf_path_database(const struct hf_store *s, uint32_t generation, char out[HF_PATH_MAX])
{
	char name[48];

	snprintf(name, sizeof(name), "queue-%u.db", generation);
	path(s, name, out);
}

void hf_path_wal(const struct hf_store *s, uint32_t generation, char out[HF_PATH_MAX])
{
	char name[48];

	snprintf(name, sizeof(name), "queue-%u.db-wal", generation);
	path(s, name, out);
}

void hf_path_marker(const struct hf_store *s, char out[HF_PATH_MAX])
{
	path(s, "queue.store", out);
}

void hf_path_reserve(const struct hf_store *s, char out[HF_PATH_MAX])
{
	path(s, "queue.reserve", out);
}

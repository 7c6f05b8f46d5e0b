/* SPDX-License-Identifier: Apache-2.0 */
#include "store/gather.h"

#include <stdlib.h>
#include <string.h>

void hf_gather_init(struct hf_gather *g, sqlite3_file *file)
{
	*g = (struct hf_gather){ .file = file };
}

void hf_gather_finish(struct hf_gather *g)
{
	free(g->bytes);
	g->bytes = NULL;
	g->len = 0;
}

int hf_gather_flush(struct hf_gather *g)
{
	size_t len = g->len;

	if (len == 0)
		return SQLITE_OK;
	g->len = 0;
	return g->file->pMethods->xWrite(g->file, g->bytes, (int)len, g->at);
}

bool hf_gather_holds(const struct hf_gather *g, int amount, sqlite3_int64 at)
{
	return g->len > 0 && at < g->at + (sqlite3_int64)g->len && at + amount > g->at;
}

static bool follows(const struct hf_gather *g, int amount, sqlite3_int64 at)
{
	return g->len > 0 && at == g->at + (sqlite3_int64)g->len &&
	       g->len + (size_t)amount <= HF_GATHER_BYTES;
}

int hf_gather_write(struct hf_gather *g, const void *in, int amount, sqlite3_int64 at)
{
	int rc;

	if (!follows(g, amount, at)) {
		rc = hf_gather_flush(g);
		if (rc != SQLITE_OK)
			return rc;
		if (!g->bytes)
			g->bytes = malloc(HF_GATHER_BYTES);
		if (!g->bytes || amount > HF_GATHER_BYTES)
			return g->file->pMethods->xWrite(g->file, in, amount, at);
		g->at = at;
	}
	memcpy(g->bytes + g->len, in, (size_t)amount);
	g->len += (size_t)amount;
	return SQLITE_OK;
}

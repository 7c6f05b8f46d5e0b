/* SPDX-License-Identifier: Apache-2.0 */
/* Which lanes have nothing stored: their rows may go. */
#include "store/rows.h"

static int look(struct hf_db *db, struct hf_store_idle *l, uint32_t id)
{
	uint64_t last;
	int err = hf_lane_last(db, id, &last);

	l->next = id;
	if (!err && last == 0)
		l->ids[l->n++] = id;
	return err;
}

static int idle_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_idle *l = hf_container_of(op, struct hf_store_idle, op);
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_LANE_FROM);
	unsigned looked = 0;
	int got = 0, err = 0;

	l->n = 0;
	l->next = l->after;
	hf_bind_u64(st, 1, (uint64_t)l->after + 1);
	while (!err && looked < HF_STORE_IDLE_MAX && (got = hf_db_step(db, st)) > 0) {
		err = look(db, l, (uint32_t)hf_column_u64(st, 0));
		looked++;
	}
	hf_db_reset(st);
	l->more = looked == HF_STORE_IDLE_MAX;
	if (got < 0)
		return got;
	return err;
}

void hf_store_idle(struct hf_store *s, struct hf_store_idle *l)
{
	l->op.run = idle_run;
	l->op.writes = false;
	l->op.privileged = true;
	hf_store_submit(s, &l->op);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies on their way in, piece by piece, and reading them again. */
#include "store/shelf_intake.h"

#include <stdlib.h>

#include "store/shelf_private.h"

static void remember(struct hf_shelf_db *db, struct hf_shelf_intake *in)
{
	struct hf_shelf_intake_state *state = in->digest;

	if (state->listed)
		return;
	state->listed = true;
	state->digest_before = state->digest;
	state->body_before = in->body;
	state->len_before = in->len;
	state->pieces_before = in->pieces;
	state->next = db->intakes;
	db->intakes = state;
}

void hf_shelf_intakes_settle(struct hf_shelf_db *db, bool committed)
{
	while (db->intakes) {
		struct hf_shelf_intake_state *state = db->intakes;

		db->intakes = state->next;
		state->listed = false;
		if (committed)
			continue;
		state->digest = state->digest_before;
		state->intake->body = state->body_before;
		state->intake->len = state->len_before;
		state->intake->pieces = state->pieces_before;
	}
}

/* ---- op: append ---- */

int hf_shelf_intake_there(struct hf_shelf_db *db, const struct hf_shelf_intake *in)
{
	uint64_t there;
	int err = hf_shelf_number(db, HF_SHELF_LOOSE_OPEN, in->body, &there);

	return err || there ? err : HF_ENOENT;
}

static int write_piece(struct hf_shelf_db *db, struct hf_shelf_intake *in, struct hf_span data)
{
	int err;

	if (in->pieces == 0) {
		err = hf_shelf_body_next(db, &in->body);
		if (!err)
			err = hf_shelf_loose(db, in->body, false);
	} else {
		err = hf_shelf_intake_there(db, in);
	}
	return err ? err : hf_shelf_piece_add(db, in->body, in->pieces, data);
}

static int append_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_append *a = hf_container_of(op, struct hf_shelf_append, op);
	struct hf_shelf_intake *in = a->intake;
	struct hf_shelf_intake_state *state = in->digest;
	int err = in->err;

	if (!err && (a->data.len > HF_SHELF_PIECE || a->data.len == 0 ||
		     in->len != (uint64_t)in->pieces * HF_SHELF_PIECE))
		err = HF_EINVAL;
	if (!err && in->pieces > HF_SHELF_PIECE_LAST)
		err = HF_ETOOBIG;
	if (!err)
		err = hf_shelf_room(db, a->data.len);
	if (err)
		return err;
	remember(db, in);
	err = write_piece(db, in, a->data);
	if (err)
		return err;
	hf_shelf_digest_add(&state->digest, a->data);
	in->len += a->data.len;
	in->pieces++;
	return 0;
}

void hf_shelf_append_failed(struct hf_shelf_op *op)
{
	if (op->run == append_run)
		hf_container_of(op, struct hf_shelf_append, op)->intake->err = op->err;
}

void hf_shelf_append(struct hf_shelf *s, struct hf_shelf_append *a)
{
	struct hf_shelf_intake *in = a->intake;

	if (!in->digest) {
		struct hf_shelf_intake_state *state = calloc(1, sizeof(*state));

		if (state) {
			state->intake = in;
			hf_shelf_digest_init(&state->digest, in->integrity);
		} else {
			in->err = HF_ENOMEM;
		}
		in->digest = state;
	}
	hf_shelf_submit(s, &a->op, append_run, true);
}

int hf_shelf_intake_digest(const struct hf_shelf_intake *in, struct hf_span rest,
			   uint8_t sha256[32])
{
	const struct hf_shelf_intake_state *state = in ? in->digest : NULL;
	struct hf_span integrity = in ? in->integrity : hf_span(NULL, 0);
	struct hf_shelf_digest digest;

	if (state)
		digest = state->digest;
	else
		hf_shelf_digest_init(&digest, integrity);
	hf_shelf_digest_add(&digest, rest);
	return hf_shelf_digest_get(&digest, integrity, sha256);
}

void hf_shelf_intake_finish(struct hf_shelf_intake *in)
{
	free(in->digest);
	in->digest = NULL;
}

/* ---- op: discard ---- */

static int discard_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_discard *d = hf_container_of(op, struct hf_shelf_discard, op);
	uint64_t there;
	int err;

	if (!d->body)
		return 0;
	err = hf_shelf_number(db, HF_SHELF_LOOSE_THERE, d->body, &there);
	return !err && there ? hf_shelf_loose(db, d->body, true) : err;
}

void hf_shelf_discard(struct hf_shelf *s, struct hf_shelf_discard *d)
{
	hf_shelf_submit(s, &d->op, discard_run, true);
}

/* ---- op: read ---- */

static int read_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_read *r = hf_container_of(op, struct hf_shelf_read, op);
	struct hf_shelf_body_row b;
	struct hf_span data;
	int err;

	hf_buf_clear(&r->data);
	if (hf_shelf_is_bad(db, r->body))
		return HF_ECORRUPT;
	err = hf_shelf_piece_get(db, r->body, r->n, &data);
	if (err == HF_ENOENT && r->n == 0) {
		err = hf_shelf_body_get(db, r->body, &b);
		if (!err && !b.has_data)
			err = HF_ECORRUPT; /* its first piece is missing */
		data = b.data;
	}
	if (err == HF_ECORRUPT && !db->hard)
		hf_shelf_bad(db, r->body);
	return err ? err : hf_buf_append(&r->data, data);
}

void hf_shelf_read(struct hf_shelf *s, struct hf_shelf_read *r)
{
	hf_shelf_submit(s, &r->op, read_run, false);
}

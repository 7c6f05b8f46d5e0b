/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /.holdfast/export: every request that is not delivered (?state= chooses
 * others), complete, one JSON object a line. Memory holds a page of ids and one
 * line; a body in a blob passes chunk by chunk.
 *
 *   PAGE -> RECORD -> BODY -> RECORD ... -> PAGE ... -> END
 */
#include <stdlib.h>

#include "holdfast/err.h"
#include "http/values.h"
#include "ingress/api.h"
#include "ingress/record_json.h"

#define LINE_MAX  (64 * 1024 * 1024)
#define CHUNK_MAX (1024 * 1024)
#define PIECE	  (16 * 1024)

enum step {
	PAGE,
	RECORD,
	BODY,
	END
};

struct export_call {
	struct hf_api_call call;
	struct hf_store_list *page; /* large: on the heap */
	size_t at;		    /* next of the page */
	struct hf_store_load load;
	struct hf_store_blob_read chunk;
	uint32_t chunk_n;
	uint64_t blob_left;
	bool damaged;	  /* the blob: the rest of it cannot be read */
	uint8_t carry[3]; /* bytes that do not fill a group of base64 yet */
	size_t carry_n;
	struct hf_buf line;
	struct hf_arena arena; /* of one record */
	enum step step;
	bool begun;
};

static struct export_call *self(struct hf_api_call *call)
{
	return hf_container_of(call, struct export_call, call);
}

static void give_up(struct export_call *e)
{
	hf_buf_clear(&e->line);
	hf_api_end_stream(&e->call, false);
}

/* ---- pages ---- */

static void page_done(struct hf_store_op *op, int err)
{
	struct export_call *e = op->user;

	if (!hf_api_resume(&e->call))
		return;
	if (err) {
		give_up(e);
		return;
	}
	e->at = 0;
	e->page->after = e->page->next;
	e->step = RECORD;
	hf_api_pump(&e->call);
}

static void read_page(struct export_call *e)
{
	hf_store_list_finish(e->page);
	e->call.busy = true;
	e->page->op.done = page_done;
	e->page->op.user = e;
	hf_store_list(e->call.in->opt.store, e->page);
}

/* ---- one record ---- */

static int append_fields(struct export_call *e)
{
	struct hf_record_head head;
	size_t i;
	int err;

	err = hf_record_head_decode(hf_buf_span(&e->load.head), &e->arena, &head);
	if (err == HF_ENOMEM)
		return err;
	if (err)
		return hf_buf_append_str(&e->line, ",\"fields\":[]");
	err = hf_buf_append_str(&e->line, ",\"fields\":[");
	for (i = 0; !err && i < head.fields.n; i++) {
		err = hf_buf_append_str(&e->line, i ? ",[" : "[");
		if (!err)
			err = hf_json_append_string(&e->line, head.fields.v[i].name);
		if (!err)
			err = hf_buf_append_str(&e->line, ",");
		if (!err)
			err = hf_json_append_string(&e->line, head.fields.v[i].value);
		if (!err)
			err = hf_buf_append_str(&e->line, "]");
	}
	return err ? err : hf_buf_append_str(&e->line, "]");
}

static int append_record(struct export_call *e)
{
	struct hf_record_view v = {
		.id = e->load.id,
		.state = &e->load.state,
		.head = hf_buf_span(&e->load.head),
		.has_answer = e->load.has_outcome,
		.answer_head = hf_buf_span(&e->load.outcome_head),
	};
	int err = hf_buf_append_str(&e->line, "{");

	if (!err)
		err = hf_record_json(e->call.in->opt.queue, &v, &e->arena, &e->line);
	if (!err)
		err = append_fields(e);
	if (!err)
		err = hf_buf_append_str(&e->line, ",\"bodyEncoding\":\"base64\",\"body\":\"");
	if (!err && !e->load.blob)
		err = hf_base64_append(&e->line, hf_buf_span(&e->load.body));
	if (!err && !e->load.blob)
		err = hf_buf_append_str(&e->line, "\"}\n");
	hf_arena_reset(&e->arena);
	return err;
}

static int begin_record(struct export_call *e)
{
	int err = append_record(e);

	if (!err && e->load.blob) {
		e->step = BODY;
		e->chunk_n = 0;
		e->carry_n = 0;
		e->blob_left = e->load.body_len;
	}
	return err;
}

/* What the list has of one that cannot be read whole. */
static int append_damaged(struct export_call *e)
{
	struct hf_record_view v = hf_record_view_brief(&e->page->v[e->at - 1]);
	int err = hf_buf_append_str(&e->line, "{");

	if (!err)
		err = hf_record_json(e->call.in->opt.queue, &v, &e->arena, &e->line);
	if (!err)
		err = hf_buf_append_str(&e->line, ",\"damaged\":true}\n");
	hf_arena_reset(&e->arena);
	return err;
}

/* Those of delivered and cancelled requests are purged in time. */
static bool lacks_request(const struct hf_store_load *l)
{
	return !l->has_record && l->state.status != HF_RECORD_SETTLED &&
	       l->state.status != HF_RECORD_CANCELLED;
}

static void record_done(struct hf_store_op *op, int err)
{
	struct export_call *e = op->user;

	if (!hf_api_resume(&e->call))
		return;
	if (err == HF_ECORRUPT || (!err && lacks_request(&e->load)))
		err = append_damaged(e);
	else if (!err && e->load.has_record)
		err = begin_record(e);
	else if (err == HF_ENOENT)
		err = 0; /* it was purged meanwhile */
	if (err)
		give_up(e);
	else
		hf_api_pump(&e->call);
}

static void read_record(struct export_call *e)
{
	hf_store_load_finish(&e->load);
	hf_store_load_init(&e->load);
	e->load.id = e->page->v[e->at++].id;
	e->load.op.done = record_done;
	e->load.op.user = e;
	e->call.busy = true;
	hf_store_load(e->call.in->opt.store, &e->load);
}

/* ---- a body in a blob ---- */

static int append_chunk(struct export_call *e)
{
	struct hf_span data = hf_buf_span(&e->chunk.data);
	size_t whole;
	int err = 0;

	while (e->carry_n > 0 && e->carry_n < 3 && data.len > 0) {
		e->carry[e->carry_n++] = (uint8_t)data.ptr[0];
		data = hf_span_skip(data, 1);
	}
	if (e->carry_n == 3) {
		err = hf_base64_append(&e->line, hf_span(e->carry, 3));
		e->carry_n = 0;
	}
	whole = data.len - data.len % 3;
	if (!err)
		err = hf_base64_append(&e->line, hf_span(data.ptr, whole));
	for (data = hf_span_skip(data, whole); data.len > 0; data = hf_span_skip(data, 1))
		e->carry[e->carry_n++] = (uint8_t)data.ptr[0];
	return err;
}

static void chunk_done(struct hf_store_op *op, int err)
{
	struct export_call *e = op->user;
	size_t len = e->chunk.data.len;

	if (!hf_api_resume(&e->call))
		return;
	if (!err && (len == 0 || len > e->blob_left))
		err = HF_ECORRUPT;
	if (!err)
		err = append_chunk(e);
	e->damaged = err == HF_ECORRUPT || err == HF_ENOENT;
	if (err && !e->damaged) {
		give_up(e);
		return;
	}
	e->blob_left = e->damaged ? 0 : e->blob_left - len;
	hf_buf_clear(&e->chunk.data);
	hf_api_pump(&e->call);
}

static void read_chunk(struct export_call *e)
{
	e->chunk.blob = e->load.blob;
	e->chunk.n = e->chunk_n++;
	e->chunk.op.done = chunk_done;
	e->chunk.op.user = e;
	e->call.busy = true;
	hf_store_blob_read(e->call.in->opt.store, &e->chunk);
}

static bool finish_body(struct export_call *e)
{
	int err = hf_base64_append(&e->line, hf_span(e->carry, e->carry_n));

	if (!err)
		err = hf_buf_append_str(&e->line, e->damaged ? "\",\"damaged\":true}\n" : "\"}\n");
	e->damaged = false;
	e->step = RECORD;
	if (err)
		give_up(e);
	return !err;
}

/* ---- going on ---- */

/* One step; false: waits for the store, or is over. */
static bool go_on(struct export_call *e)
{
	switch (e->step) {
	case PAGE:
		read_page(e);
		return false;
	case RECORD:
		if (e->at < e->page->n) {
			read_record(e);
			return false;
		}
		e->step = e->page->more ? PAGE : END;
		return true;
	case BODY:
		if (e->blob_left == 0)
			return finish_body(e);
		read_chunk(e);
		return false;
	case END:
		hf_api_end_stream(&e->call, true);
		return false;
	}
	return false;
}

static void export_pump(struct hf_api_call *call)
{
	struct export_call *e = self(call);
	struct hf_span piece;

	if (call->reply)
		return;
	if (!e->begun) {
		e->begun = true;
		hf_api_begin_stream(call, HF_SPAN("application/x-ndjson"));
	}
	while (call->events && call->receiving && !call->busy) {
		piece = hf_buf_span(&e->line);
		if (piece.len > 0) {
			piece.len = piece.len < PIECE ? piece.len : PIECE;
			hf_api_piece(call, piece);
			hf_buf_consume(&e->line, piece.len);
		} else if (!go_on(e)) {
			return;
		}
	}
}

static int export_start(struct hf_api_call *call)
{
	struct export_call *e = self(call);
	struct hf_span value;

	hf_buf_init(&e->line, LINE_MAX);
	hf_buf_init(&e->chunk.data, CHUNK_MAX);
	hf_arena_init(&e->arena, CHUNK_MAX);
	hf_store_load_init(&e->load);
	e->page = calloc(1, sizeof(*e->page));
	if (!e->page)
		return HF_ENOMEM;
	e->page->limit = HF_STORE_LIST_MAX;
	e->page->status_set = 1u << HF_RECORD_QUEUED | 1u << HF_RECORD_HELD | 1u << HF_RECORD_DEAD;
	if (hf_api_query(call, "state", &value) &&
	    (!value.ptr || !hf_record_json_states(value, &e->page->status_set)))
		hf_api_problem(call, 400,
			       "state is a list of queued, inflight, held, settled, "
			       "dead, cancelled.");
	return 0;
}

static void export_finish(struct hf_api_call *call)
{
	struct export_call *e = self(call);

	if (e->page)
		hf_store_list_finish(e->page);
	free(e->page);
	hf_store_load_finish(&e->load);
	hf_buf_finish(&e->chunk.data);
	hf_buf_finish(&e->line);
	hf_arena_finish(&e->arena);
}

const struct hf_api_kind hf_api_export = {
	.size = sizeof(struct export_call),
	.start = export_start,
	.pump = export_pump,
	.finish = export_finish,
};

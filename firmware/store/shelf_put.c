/* SPDX-License-Identifier: Apache-2.0 */
/* Storing an entry, its own or that of another cache, whole or not at all. */
#include "store/shelf_intake.h"
#include "store/shelf_private.h"
#include "store/shelf_rows.h"

#define HEAD_MAX   (1u << 20)
#define INLINE_MAX 3072 /* a body up to it stands in its own row */

/* A body of @data that no entry has. */
static int add_data(struct hf_shelf_db *db, struct hf_shelf_put *p, const struct hf_shelf_body_v *v)
{
	int err = hf_shelf_body_next(db, &p->body);

	if (!err && p->data.len > INLINE_MAX)
		err = hf_shelf_piece_add(db, p->body, 0, p->data);
	return err ? err :
		     hf_shelf_body_add(db, p->body, v, p->data.len > INLINE_MAX ? NULL : &p->data);
}

static int add_pieces(struct hf_shelf_db *db, struct hf_shelf_put *p,
		      const struct hf_shelf_body_v *v)
{
	int err = hf_shelf_intake_there(db, p->intake);

	p->body = p->intake->body;
	if (!err)
		err = hf_shelf_pieces_whole(db, p->body, v->len);
	if (!err)
		err = hf_shelf_body_add(db, p->body, v, NULL);
	return err ? err : hf_shelf_loose_end(db, p->body);
}

/* The body of the entry that @p is like, with one reference more. HF_ENOENT. */
static int share_body(struct hf_shelf_db *db, struct hf_shelf_put *p)
{
	struct hf_shelf_body_row b = { .refs = 0 };
	struct hf_shelf_use u;
	int err = hf_shelf_use_get(db, p->like, &u);

	p->body = err ? 0 : u.body;
	if (!err && p->body)
		err = hf_shelf_body_get(db, p->body, &b);
	p->body_len = b.v.len;
	memcpy(p->sha256, b.v.sha256, sizeof(p->sha256));
	if (!err && p->body)
		err = hf_shelf_body_ref(db, p->body);
	return err && !db->hard ? HF_ENOENT : err;
}

/* The body of @p: an equal one, or its own. */
static int store_body(struct hf_shelf_db *db, struct hf_shelf_put *p)
{
	bool pieces = p->intake && p->intake->pieces > 0;
	struct hf_shelf_body_v v = { .len = pieces ? p->intake->len : p->data.len };
	int err = p->intake ? p->intake->err : 0;

	p->body = 0;
	p->body_len = v.len;
	if (!err && p->data.len > (pieces ? 0 : HF_SHELF_PIECE))
		err = HF_EINVAL;
	if (!err)
		err = hf_shelf_intake_digest(p->intake, pieces ? hf_span(NULL, 0) : p->data,
					     v.sha256);
	memcpy(p->sha256, v.sha256, sizeof(v.sha256));
	if (err || v.len == 0)
		return err;
	err = hf_shelf_body_find(db, v.sha256, v.len, &p->body);
	if (err)
		return err;
	if (p->body) {
		err = pieces ? hf_shelf_intake_there(db, p->intake) : 0;
		if (!err)
			err = hf_shelf_body_ref(db, p->body);
		if (!err && pieces)
			err = hf_shelf_loose(db, p->intake->body, true);
		return err;
	}
	return pieces ? add_pieces(db, p, &v) : add_data(db, p, &v);
}

static bool is_replaced(struct hf_shelf_db *db, const struct hf_shelf_put *p,
			const struct hf_shelf_variant *v)
{
	for (size_t i = 0; i < p->replaces_n && v->same_url; i++) {
		if (p->replaces[i] == v->id)
			return true;
	}
	return v->broken || hf_shelf_is_dead(db, v->use.number);
}

/* The one of the URL that was used longest ago; without @same_url of any. */
static unsigned oldest(const struct hf_shelf_variant *v, unsigned n, bool same_url)
{
	unsigned best = n;

	for (unsigned i = 0; i < n; i++) {
		const struct hf_shelf_state *s = &v[i].use.state;

		if (same_url && !v[i].same_url)
			continue;
		if (best == n || s->used_dev_ms < v[best].use.state.used_dev_ms)
			best = i;
	}
	return best;
}

static int take_out(struct hf_shelf_db *db, struct hf_shelf_variant *v, unsigned *n, unsigned i)
{
	uint64_t removed = 0, id = v[i].id;

	v[i] = v[--*n];
	return hf_shelf_entry_delete(db, id, &removed);
}

/* The number of storing: starts first, which are never given twice, then within this one. */
static uint64_t next_in_order(struct hf_shelf_db *db)
{
	return (uint64_t)db->boot << 32 | ++db->stored;
}

/* Deletes what @p replaces and makes room among the variants; *seq for the new one. */
static int make_place(struct hf_shelf_db *db, const struct hf_shelf_put *p,
		      struct hf_shelf_variant *v, unsigned *n, uint64_t *seq)
{
	unsigned same = 0, i = 0;
	int err = 0;

	*seq = next_in_order(db);
	for (unsigned k = 0; k < *n; k++) {
		if (v[k].use.seq >= *seq)
			*seq = v[k].use.seq + 1;
	}
	while (i < *n && !err) {
		if (is_replaced(db, p, &v[i]))
			err = take_out(db, v, n, i);
		else
			same += v[i++].same_url;
	}
	if (!err && same >= HF_SHELF_VARIANTS_MAX)
		err = take_out(db, v, n, oldest(v, *n, true));
	if (!err && *n >= HF_SHELF_NUMBERS)
		err = take_out(db, v, n, oldest(v, *n, false));
	return err;
}

/* The entry of @p, whose reference to the body is counted already: an entry that it
 * replaces may have the last one. @number: who vouches for it. */
static int store_entry(struct hf_shelf_db *db, struct hf_shelf_put *p, uint64_t number)
{
	struct hf_shelf_variant v[HF_SHELF_NUMBERS];
	uint64_t key = hf_shelf_key_of(db->seed, p->cache, p->url);
	struct hf_shelf_use u = {
		.body = p->body,
		.bytes = p->url.len + p->note.len + p->head.len + p->body_len,
		.number = number,
		.state = p->state,
	};
	unsigned n;
	int err = hf_shelf_variants(db, key, p->url, v, &n);

	if (!err)
		err = make_place(db, p, v, &n, &u.seq);
	if (!err)
		err = hf_shelf_number_free(db, key, v, n, &p->id);
	return err ? err : hf_shelf_entry_add(db, p->id, &u, p->url, p->note, p->head);
}

static int put_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_put *p = hf_container_of(op, struct hf_shelf_put, op);
	uint64_t number = hf_shelf_number_of(db, p->state.trial);
	struct hf_shelf_row *row;
	int err = hf_shelf_row_live(db, p->cache, &row);

	if (!err && (p->url.len > HF_SHELF_URL_MAX || p->head.len + p->note.len > HEAD_MAX))
		err = HF_ETOOBIG;
	if (!err)
		err = hf_shelf_room(db, p->url.len + p->note.len + p->head.len + p->data.len);
	if (!err)
		err = p->like ? share_body(db, p) : store_body(db, p);
	if (!err)
		err = store_entry(db, p, number);
	if (err || !hf_shelf_is_proved(db, number))
		return err; /* it pushes nothing out before it is */
	return hf_shelf_evict_cache(db, p->cache, p->entries_max, p->bytes_max, p->id);
}

void hf_shelf_put(struct hf_shelf *s, struct hf_shelf_put *p)
{
	hf_shelf_submit(s, &p->op, put_run, true);
}

/* ---- op: adopt ---- */

/* The head of @id when its note is @note: HF_ENOENT. */
static int read_head(struct hf_shelf_db *db, uint64_t id, struct hf_span note, struct hf_span *head,
		     void **memory)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_ENTRY_GET);
	int got, err = HF_ENOENT;

	hf_bind_u64(st, 1, id);
	got = hf_shelf_step(db, st);
	if (got > 0 && hf_span_eq(hf_column_span(st, 2), note)) {
		struct hf_span its = hf_column_span(st, 3);
		char *at = hf_shelf_memory(memory, its.len);

		err = at ? 0 : HF_ENOMEM;
		if (at && its.len)
			memcpy(at, its.ptr, its.len);
		*head = hf_span(at, its.len);
	}
	hf_sql_reset(st);
	return got < 0 ? got : err;
}

/* The last stored of @a's entries in @cache; its head in @memory. HF_ENOENT. */
static int find_source(struct hf_shelf_db *db, const struct hf_shelf_adopt *a, uint32_t cache,
		       struct hf_shelf_variant *out, struct hf_span *head, void **memory)
{
	struct hf_shelf_variant v[HF_SHELF_NUMBERS];
	unsigned n;
	bool any = false;
	int err = hf_shelf_variants(db, hf_shelf_key_of(db->seed, cache, a->url), a->url, v, &n);

	for (unsigned i = 0; i < n && !err; i++) {
		if (!v[i].same_url || v[i].broken || !hf_shelf_is_proved(db, v[i].use.number) ||
		    (any && v[i].use.seq < out->use.seq))
			continue;
		err = read_head(db, v[i].id, a->note, head, memory);
		if (!err) {
			*out = v[i];
			any = true;
		}
		if (err == HF_ENOENT)
			err = 0;
	}
	return err ? err : any ? 0 : HF_ENOENT;
}

static int adopt_entry(struct hf_shelf_db *db, const struct hf_shelf_adopt *a,
		       const struct hf_shelf_variant *from, struct hf_span head, void **memory)
{
	struct hf_shelf_variant old;
	struct hf_span old_head;
	struct hf_shelf_body_row b = { .refs = 0 };
	struct hf_shelf_put p = { .cache = a->to,
				  .url = a->url,
				  .note = a->note,
				  .head = head,
				  .state = from->use.state,
				  .body = from->use.body };
	int err = hf_shelf_room(db, a->url.len + a->note.len + head.len);

	if (!err && p.body)
		err = hf_shelf_body_get(db, p.body, &b);
	if (err == HF_ECORRUPT && !db->hard)
		hf_shelf_bad(db, p.body);
	if (!err && p.body)
		err = hf_shelf_body_ref(db, p.body);
	if (err)
		return err == HF_ECORRUPT && !db->hard ? HF_ENOENT : err;
	p.body_len = p.body ? b.v.len : 0;
	err = find_source(db, a, a->to, &old, &old_head, memory);
	if (!err) {
		p.replaces = &old.id;
		p.replaces_n = 1;
	}
	return err && err != HF_ENOENT ? err : store_entry(db, &p, from->use.number);
}

static int adopt_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_adopt *a = hf_container_of(op, struct hf_shelf_adopt, op);
	struct hf_shelf_variant from;
	struct hf_shelf_row *row;
	struct hf_span head;
	void *memory = NULL;
	int err = hf_shelf_row_live(db, a->from, &row);

	if (!err)
		err = hf_shelf_row_live(db, a->to, &row);
	if (!err && a->from == a->to)
		err = HF_EINVAL;
	if (!err)
		err = find_source(db, a, a->from, &from, &head, &memory);
	if (!err)
		err = adopt_entry(db, a, &from, head, &memory);
	hf_shelf_memory_free(&memory);
	return err;
}

void hf_shelf_adopt(struct hf_shelf *s, struct hf_shelf_adopt *a)
{
	hf_shelf_submit(s, &a->op, adopt_run, true);
}

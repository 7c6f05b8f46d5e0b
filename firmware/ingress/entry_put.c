/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PUT caches/NAME/entries?url=: stores what the page brings as the answer to a GET of
 * the URL (Cache.put). The body goes to the shelf a piece at a time while it comes in;
 * one that fits into a piece is stored with its entry at once.
 *
 *   the cache is found -> pieces are appended -> what it replaces is looked up -> put
 */
#include <inttypes.h>

#include "fetch/plan.h"
#include "holdfast/err.h"
#include "http/vary.h"
#include "ingress/cache_call.h"

#define BODY_MAX (16 * 1024 * 1024)

struct put_call {
	struct hf_cache_call c;
	struct hf_span url;
	int status;
	struct hf_fields fields, stored_fields; /* of the response */
	struct hf_span variant;
	struct hf_buf piece;
	struct hf_shelf_intake intake;
	struct hf_shelf_append append;
	struct hf_cache_lookup lookup;
	struct hf_cache_put put;
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	uint64_t total;
	bool found, looking, ended, over;
};

static struct put_call *put_of(struct hf_api_call *call)
{
	return hf_container_of(call, struct put_call, c.call);
}

static struct hf_cache *cache_of(const struct put_call *p)
{
	return p->c.call.in->opt.cache;
}

static void finish(struct hf_api_call *call)
{
	struct put_call *p = put_of(call);

	if (p->looking)
		hf_cache_lookup_cancel(&p->lookup);
	if (p->intake.body)
		hf_cache_discard(cache_of(p), p->intake.body);
	hf_shelf_intake_finish(&p->intake);
	hf_shelf_caches_finish(&p->c.list);
	hf_buf_finish(&p->piece);
	hf_buf_finish(&p->put.head); /* the shelf was destroyed in the middle of it */
}

static void fail(struct put_call *p, int err)
{
	p->over = true;
	hf_cache_call_failed(&p->c.call, err);
}

/* ---- the response ---- */

/* Fields of the request that are the response's: those of a body, and
 * Holdfast-Response-NAME. What is no field of a stored response is passed over. */
static bool is_of_response(struct hf_span name, struct hf_span *as)
{
	static const char *const plain[] = { "content-type", "content-encoding",
					     "content-language" };
	static const char *const never[] = { "content-length", "content-range", "set-cookie",
					     "set-cookie2",    "trailer",	"cache-status" };
	struct hf_span prefix = HF_SPAN("Holdfast-Response-");

	*as = name;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (hf_span_ieq_str(name, plain[i]))
			return true;
	if (name.len <= prefix.len || !hf_span_ieq(hf_span(name.ptr, prefix.len), prefix))
		return false;
	*as = hf_span_skip(name, prefix.len);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (hf_span_ieq_str(*as, never[i]))
			return false;
	return !hf_forward_is_ours(*as);
}

static int read_fields(struct put_call *p)
{
	const struct hf_fields *in = &p->c.call.msg->fields;
	struct hf_span name;
	int err = 0;

	hf_fields_init(&p->fields, &p->c.call.arena);
	for (size_t i = 0; i < in->n && !err; i++)
		if (is_of_response(in->v[i].name, &name))
			err = hf_fields_add(&p->fields, name, in->v[i].value);
	if (!err)
		hf_fields_strip_hop(&p->fields);
	return err;
}

/* False: it was refused. */
static bool read_status(struct put_call *p)
{
	const struct hf_span *text = hf_fields_get(&p->c.call.msg->fields, "holdfast-status");
	uint64_t status = 200;

	if (text && (!hf_span_u64(*text, &status) || status < 200 || status > 599 ||
		     status == 206 || status == 304)) {
		hf_api_problem(&p->c.call, 400,
			       "Holdfast-Status is 200 to 599, but neither 206 nor 304.");
		return false;
	}
	p->status = (int)status;
	return true;
}

static bool read_response(struct put_call *p)
{
	struct hf_api_call *call = &p->c.call;
	struct hf_cache_times *times = &p->put.times;
	struct hf_cache_clock now;
	int err = read_fields(p);

	if (err || !read_status(p)) {
		if (err)
			fail(p, err);
		return false;
	}
	if (hf_vary_is_star(&p->fields)) {
		hf_api_problem(call, 400, "A response with \"Vary: *\" matches nothing.");
		return false;
	}
	hf_cache_now(cache_of(p), &now);
	*times = (struct hf_cache_times){ .request_ms = now.device_ms,
					  .response_ms = now.device_ms,
					  .boot = now.boot,
					  .wall_ms = now.wall_ms };
	p->variant = hf_vary_key(&call->arena, &p->fields, &call->msg->fields);
	err = hf_cache_stored_fields(&hf_http_rules, &p->fields, times, &call->arena,
				     &p->stored_fields);
	if (err || !p->variant.ptr)
		fail(p, HF_ENOMEM);
	return !err && p->variant.ptr;
}

/* ---- storing ---- */

static void put_done(struct hf_cache_put *put, int err, struct hf_stored *s)
{
	struct put_call *p = put->user;
	struct hf_buf json;

	(void)s;
	if (!err)
		p->intake.body = 0; /* the entry's */
	if (!hf_api_resume(&p->c.call))
		return;
	if (err) {
		fail(p, err);
		return;
	}
	p->over = true;
	hf_buf_init(&json, 65536);
	err = hf_buf_appendf(&json, "{\"status\":%d,\"bytes\":%" PRIu64 ",\"replaced\":%zu}",
			     p->status, p->total, put->replaces_n);
	hf_cache_call_answer(&p->c.call, put->replaces_n > 0 ? 200 : 201, &json, err);
}

static void store(struct put_call *p, struct hf_stored *const *v, size_t n)
{
	const struct hf_ingress_options *opt = &p->c.call.in->opt;
	struct hf_cache_put *put = &p->put;
	int err;

	for (size_t i = 0; i < n; i++)
		if (hf_vary_match(&p->c.call.arena, v[i]->entry.variant, &p->c.call.msg->fields,
				  hf_span(NULL, 0)))
			p->ids[put->replaces_n++] = v[i]->id;
	put->cache = p->c.cache.id;
	put->url = p->url;
	put->note = hf_span("", 0);
	put->status = p->status;
	put->variant = p->variant;
	put->fields = &p->stored_fields;
	put->replaces = p->ids;
	put->intake = p->intake.body ? &p->intake : NULL;
	put->data = p->intake.body ? hf_span(NULL, 0) : hf_buf_span(&p->piece);
	opt->cache_limits(opt->user, put->cache, &put->entries_max, &put->bytes_max);
	put->done = put_done;
	put->user = p;
	err = hf_cache_put(cache_of(p), put);
	if (err)
		fail(p, err);
	else
		p->c.call.busy = true;
}

static void looked_up(void *user, struct hf_stored *const *v, size_t n)
{
	struct put_call *p = user;

	p->looking = false;
	store(p, v, n);
}

static void look_up(struct put_call *p)
{
	struct hf_stored *const *v;
	size_t n;
	int err;

	p->lookup = (struct hf_cache_lookup){
		.cache = p->c.cache.id, .url = p->url, .found = looked_up, .user = p
	};
	if (hf_cache_peek(cache_of(p), p->c.cache.id, p->url, &v, &n)) {
		store(p, v, n);
		return;
	}
	err = hf_cache_lookup(cache_of(p), &p->lookup);
	p->looking = err == 0;
	if (err)
		fail(p, err);
}

/* ---- the body ---- */

static void append_piece(struct put_call *p);

/* The body is all here. */
static void complete(struct put_call *p)
{
	if (p->intake.body && p->piece.len > 0)
		append_piece(p);
	else
		look_up(p);
}

static void appended(struct hf_shelf_op *op, int err)
{
	struct put_call *p = op->user;

	if (!hf_api_resume(&p->c.call))
		return;
	hf_buf_clear(&p->piece);
	if (err)
		fail(p, err);
	else if (p->ended)
		complete(p);
	else
		hf_api_writable(&p->c.call);
}

static void append_piece(struct put_call *p)
{
	p->append = (struct hf_shelf_append){
		.op = { .done = appended, .user = p },
		.intake = &p->intake,
		.data = hf_buf_span(&p->piece),
	};
	p->c.call.busy = true;
	hf_shelf_append(hf_cache_shelf(cache_of(p)), &p->append);
}

static size_t send(struct hf_api_call *call, struct hf_span data)
{
	struct put_call *p = put_of(call);
	size_t n = HF_SHELF_PIECE - p->piece.len;

	if (p->over)
		return data.len;
	if (!p->found || call->busy)
		return 0;
	if (n == 0) {
		append_piece(p);
		return 0;
	}
	if (n > data.len)
		n = data.len;
	if (p->total + data.len > BODY_MAX) {
		p->over = true;
		hf_api_problem(call, 413, "A response of more than 16 MiB cannot be brought.");
		return data.len;
	}
	if (hf_buf_append(&p->piece, hf_span(data.ptr, n))) {
		fail(p, HF_ENOMEM);
		return data.len;
	}
	p->total += n;
	if (n < data.len)
		append_piece(p);
	return n;
}

static void send_end(struct hf_api_call *call)
{
	struct put_call *p = put_of(call);

	p->ended = true;
	if (p->found && !call->busy && !p->over)
		complete(p);
}

static void cache_found(struct hf_cache_call *c)
{
	struct put_call *p = hf_container_of(c, struct put_call, c);

	if (c->cache.kind != HF_SHELF_NAMED) {
		p->over = true;
		hf_api_problem(&c->call, 403, "Only a worker's named caches take what is brought.");
		return;
	}
	p->found = true;
	if (p->ended)
		complete(p);
	else
		hf_api_writable(&c->call);
}

static int put_start(struct hf_api_call *call)
{
	struct put_call *p = put_of(call);

	hf_buf_init(&p->piece, HF_SHELF_PIECE);
	p->ended = call->msg->body == HF_BODY_NONE;
	if (!hf_cache_call_url(call, &p->url)) {
		if (!p->url.ptr)
			hf_api_problem(call, 400, "url says for which URL it is.");
		return 0;
	}
	if (hf_cache_call_open(call) && read_response(p))
		hf_cache_call_find(&p->c, cache_found);
	return 0;
}

const struct hf_api_kind hf_api_entry_put = {
	.size = sizeof(struct put_call),
	.start = put_start,
	.send = send,
	.send_end = send_end,
	.finish = finish,
};

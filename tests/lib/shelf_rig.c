/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/shelf_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void on_renewed(void *user, const struct hf_shelf_report *report)
{
	struct shelf_rig *r = user;

	r->report = *report;
	r->renewals++;
}

void shelf_rig_init(struct shelf_rig *r)
{
	memset(r, 0, sizeof(*r));
	fake_port_init(&r->port);
	r->opt = (struct hf_shelf_options){
		.port = &r->port.port,
		.log = &r->port.log,
		.bytes_max = 64u << 20,
		.on_renewed = on_renewed,
		.user = r,
	};
}

void shelf_rig_finish(struct shelf_rig *r)
{
	shelf_rig_kill(r);
	fake_port_finish(&r->port);
}

static void open_done(void *user, int err, const struct hf_shelf_report *report)
{
	struct shelf_rig *r = user;

	r->opened = err;
	r->report = *report;
}

int shelf_rig_open(struct shelf_rig *r)
{
	int err = hf_shelf_create(&r->opt, &r->shelf);

	if (err)
		return err;
	r->opened = 1;
	hf_shelf_open(r->shelf, open_done, r);
	fake_port_settle(&r->port);
	return r->opened;
}

static void close_done(void *user, int err)
{
	*(int *)user = err;
}

int shelf_rig_close(struct shelf_rig *r)
{
	int err = 1;

	hf_shelf_close(r->shelf, close_done, &err);
	fake_port_settle(&r->port);
	shelf_rig_kill(r);
	return err;
}

void shelf_rig_kill(struct shelf_rig *r)
{
	hf_shelf_destroy(r->shelf);
	r->shelf = NULL;
}

void shelf_rig_done(struct hf_shelf_op *op, int err)
{
	op->err = err;
}

uint32_t shelf_rig_cache(struct shelf_rig *r, enum hf_shelf_kind kind, const char *name)
{
	struct hf_shelf_cache_open o = {
		.cache = { .kind = kind, .owner = HF_SPAN("owner"), .name = hf_span_str(name) }
	};

	return SHELF_DO(r, hf_shelf_cache_open, &o) ? 0 : o.cache.id;
}

void shelf_rig_body(unsigned n, char *out, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (char)('a' + (n * 7 + i * 13 + i / 26) % 26);
	for (size_t i = 0; i < size && i < 8; i++, n /= 10)
		out[i] = (char)('0' + n % 10);
}

static int append_all(struct shelf_rig *r, struct hf_shelf_intake *in, struct hf_span body)
{
	struct hf_shelf_append a = { .intake = in };
	int err = 0;

	while (body.len > 0 && !err) {
		a.data = body.len > HF_SHELF_PIECE ? hf_span(body.ptr, HF_SHELF_PIECE) : body;
		err = SHELF_DO(r, hf_shelf_append, &a);
		body = hf_span_skip(body, a.data.len);
	}
	return err;
}

static int put(struct shelf_rig *r, struct hf_shelf_put *p, struct hf_span body)
{
	struct hf_shelf_intake in = { .body = 0 };
	int err = 0;

	if (body.len > HF_SHELF_PIECE) {
		err = append_all(r, &in, body);
		p->intake = &in;
	} else {
		p->data = body;
	}
	if (!err)
		err = SHELF_DO(r, hf_shelf_put, p);
	hf_shelf_intake_finish(&in);
	return err;
}

int shelf_rig_put(struct shelf_rig *r, uint32_t cache, const char *url, unsigned n, size_t size)
{
	struct hf_shelf_find f = { .cache = cache, .url = hf_span_str(url) };
	uint64_t old[HF_SHELF_VARIANTS_MAX];
	char head[32], *body = malloc(size + 1);
	struct hf_shelf_put p = { .cache = cache, .url = hf_span_str(url), .replaces = old };
	int err = SHELF_DO(r, hf_shelf_find, &f);

	for (size_t i = 0; i < f.n && !err && !r->trial; i++)
		old[p.replaces_n++] = f.v[i].id;
	hf_shelf_find_finish(&f);
	snprintf(head, sizeof(head), "head-%u", n);
	p.note = HF_SPAN("note");
	p.head = hf_span_str(head);
	p.state = (struct hf_shelf_state){ .used_dev_ms = 1000 + n, .flags = n, .trial = r->trial };
	shelf_rig_body(n, body, size);
	if (!err)
		err = put(r, &p, hf_span(body, size));
	free(body);
	return err;
}

static int read_body(struct shelf_rig *r, const struct hf_shelf_entry *e, char *out)
{
	struct hf_shelf_read rd = { .body = e->body };
	uint64_t done = 0;
	int err = 0;

	hf_buf_init(&rd.data, HF_SHELF_PIECE);
	while (done < e->body_len && !err) {
		struct hf_span piece;

		err = SHELF_DO(r, hf_shelf_read, &rd);
		piece = hf_buf_span(&rd.data);
		if (!err && (piece.len == 0 || piece.len > e->body_len - done))
			err = HF_EPROTO;
		if (err)
			break;
		memcpy(out + done, piece.ptr, piece.len);
		done += piece.len;
		rd.n++;
	}
	hf_buf_finish(&rd.data);
	return err;
}

static int check(struct shelf_rig *r, const struct hf_shelf_entry *e)
{
	char head[32], *got = calloc(1, e->body_len + 1), *want = calloc(1, e->body_len + 1);
	unsigned n = e->state.flags;
	int err = 0;

	snprintf(head, sizeof(head), "head-%u", n);
	if (e->has_data)
		memcpy(got, e->data.ptr ? e->data.ptr : "", e->data.len);
	else
		err = read_body(r, e, got);
	shelf_rig_body(n, want, e->body_len);
	if (!err && (!hf_span_eq_str(e->head, head) || !hf_span_eq_str(e->note, "note") ||
		     memcmp(got, want, e->body_len) != 0))
		err = HF_EPROTO;
	free(got);
	free(want);
	return err ? err : (int)n;
}

int shelf_rig_get(struct shelf_rig *r, uint32_t cache, const char *url)
{
	struct hf_shelf_find f = { .cache = cache, .url = hf_span_str(url), .data_max = 4096 };
	int err = SHELF_DO(r, hf_shelf_find, &f);

	if (!err)
		err = f.n ? check(r, &f.v[0]) : -1;
	hf_shelf_find_finish(&f);
	return err;
}

struct hf_shelf_cache shelf_rig_figures(struct shelf_rig *r, uint32_t cache)
{
	struct hf_shelf_caches c = { .n = 0 };
	struct hf_shelf_cache out = { .id = 0 };

	if (SHELF_DO(r, hf_shelf_caches, &c))
		abort();
	for (size_t i = 0; i < c.n; i++) {
		if (c.v[i].id == cache)
			out = c.v[i];
	}
	hf_shelf_caches_finish(&c);
	if (!out.id)
		abort();
	return out;
}

char *shelf_rig_path(struct shelf_rig *r, const char *name, char out[256])
{
	snprintf(out, 256, "%s/%s", r->port.dir, name);
	return out;
}

long shelf_rig_size(struct shelf_rig *r, const char *name)
{
	char path[256];
	struct stat st;

	return stat(shelf_rig_path(r, name, path), &st) ? -1 : (long)st.st_size;
}

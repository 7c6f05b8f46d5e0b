/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_salvaged(void *user, const struct hf_store_report *report)
{
	struct rig *r = user;

	r->report = *report;
	r->salvages++;
}

void rig_init(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	fake_port_init(&r->port);
	r->opt = (struct hf_store_options){
		.port = &r->port.port,
		.log = &r->port.log,
		.bytes_max = 64u << 20,
		.reserve_bytes = 256u << 10,
		.wal_pages = 2000,
		.on_salvaged = on_salvaged,
		.user = r,
	};
	r->dev_ms = 1000;
}

void rig_finish(struct rig *r)
{
	rig_kill(r);
	fake_port_finish(&r->port);
}

static void open_done(void *user, int err, const struct hf_store_report *report)
{
	struct rig *r = user;

	r->opened = err;
	r->report = *report;
}

int rig_open(struct rig *r)
{
	int err = hf_store_create(&r->opt, &r->store);

	if (err)
		return err;
	r->opened = 1;
	hf_store_open(r->store, open_done, r);
	fake_port_settle(&r->port);
	return r->opened;
}

static void close_done(void *user, int err)
{
	*(int *)user = err;
}

int rig_close(struct rig *r)
{
	int err = 1;

	hf_store_close(r->store, close_done, &err);
	fake_port_settle(&r->port);
	rig_kill(r);
	return err;
}

void rig_kill(struct rig *r)
{
	hf_store_destroy(r->store);
	r->store = NULL;
}

int rig_reopen(struct rig *r)
{
	rig_kill(r);
	return rig_open(r);
}

void rig_done(struct hf_store_op *op, int err)
{
	op->err = err;
}

uint32_t rig_lane(struct rig *r, const char *origin, const char *key)
{
	struct hf_store_lane l = { .origin = hf_span_str(origin), .key = hf_span_str(key) };

	return RIG_DO(r, hf_store_lane, &l) ? 0 : l.id;
}

void rig_body(unsigned n, char *out, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (char)('a' + (n * 7 + i * 13 + i / 26) % 26);
}

int rig_insert(struct rig *r, uint32_t lane, unsigned n, size_t size, uint64_t *id)
{
	char head[32];
	char *body = malloc(size + 1);
	struct hf_store_insert i = { .lane = lane };
	int err;

	snprintf(head, sizeof(head), "head-%u", n);
	rig_body(n, body, size);
	i.state = (struct hf_record_state){ .status = HF_RECORD_QUEUED,
					    .tag = n,
					    .created_dev_ms = r->dev_ms++ };
	i.head = hf_span_str(head);
	i.body = hf_span(body, size);
	err = RIG_DO(r, hf_store_insert, &i);
	free(body);
	*id = i.id;
	return err;
}

int rig_mark(struct rig *r, uint64_t id, unsigned attempts)
{
	struct hf_store_mark m = { .id = id };

	m.state = (struct hf_record_state){ .status = HF_RECORD_QUEUED,
					    .inflight = true,
					    .attempts = attempts,
					    .created_dev_ms = 1 };
	return RIG_DO(r, hf_store_mark, &m);
}

int rig_settle(struct rig *r, uint64_t id, uint8_t status, unsigned n)
{
	char body[64], summary[32];
	struct hf_store_settle x = { .id = id };

	x.state = (struct hf_record_state){
		.status = status, .tag = n, .last_status = 201, .settled_dev_ms = r->dev_ms++
	};
	snprintf(summary, sizeof(summary), "summary-%u", n);
	snprintf(body, sizeof(body), "{\"answer\":%u}", n);
	x.summary = hf_span_str(summary);
	x.head = HF_SPAN("201 Created");
	x.body = hf_span_str(body);
	return RIG_DO(r, hf_store_settle, &x);
}

static bool same(const struct hf_store_load *l, unsigned n, size_t size)
{
	char head[64];
	char *body = malloc(size + 1);
	bool ok = true;

	rig_body(n, body, size);
	snprintf(head, sizeof(head), "head-%u", n);
	if (l->has_record)
		ok = hf_span_eq_str(hf_buf_span(&l->head), head) &&
		     hf_span_eq(hf_buf_span(&l->body), hf_span(body, size));
	free(body);
	snprintf(head, sizeof(head), "{\"answer\":%u}", n);
	if (l->has_outcome)
		ok = ok && hf_span_eq_str(hf_buf_span(&l->outcome_body), head);
	return ok;
}

int rig_status(struct rig *r, uint64_t id, unsigned n, size_t size)
{
	struct hf_store_load l;
	int err;

	hf_store_load_init(&l);
	l.id = id;
	err = RIG_DO(r, hf_store_load, &l);
	if (!err && l.state.reason != HF_RECORD_REASON_DAMAGED && !same(&l, n, size))
		err = HF_EPROTO;
	if (!err)
		err = l.state.status;
	hf_store_load_finish(&l);
	return err;
}

struct hf_lane_row rig_lane_row(struct rig *r, uint32_t lane)
{
	struct hf_store_lanes l;
	struct hf_lane_row row = { .id = 0 };

	if (RIG_DO(r, hf_store_lanes, &l))
		abort();
	for (size_t i = 0; i < l.n; i++) {
		if (l.rows[i].id == lane)
			row = l.rows[i];
	}
	hf_store_lanes_finish(&l);
	if (!row.id)
		abort();
	return row;
}

char *rig_path(struct rig *r, const char *name, char out[256])
{
	snprintf(out, 256, "%s/%s", r->port.dir, name);
	return out;
}

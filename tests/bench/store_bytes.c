/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store writes and how it starts, as a table:
 *
 *   store_bytes            bytes of a request's whole life, and start times
 *   store_bytes 1000000    the same with that many records waiting at the start
 *
 * A life is: insert (512 B body, 200 B head), mark, settle (60 B summary, 90 B
 * head, 60 B body), purge of the request, purge of the answer; 400 answers are
 * kept. Bytes are those handed to the VFS: WAL, checkpoints, everything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/store_rig.h"

#define REQUESTS  4096
#define GROUP_MAX 32
#define KEEP	  400

struct mode {
	const char *name;
	unsigned group; /* operations to a commit */
	unsigned drain; /* of mark and settle */
	unsigned lanes;
	bool backlog; /* all are inserted before the first is settled */
};

struct bench {
	struct rig rig;
	const struct mode *mode;
	uint32_t lane[GROUP_MAX];
	uint64_t *ids;
	uint64_t *settled_at; /* device time */
	unsigned inserted, settled, purged;
	struct hf_store_insert insert[GROUP_MAX];
	struct hf_store_mark mark[GROUP_MAX];
	struct hf_store_settle settle[GROUP_MAX];
};

static void must(int err, const char *what)
{
	if (err) {
		fprintf(stderr, "%s: %s\n", what, hf_errname(err));
		exit(1);
	}
}

static void done(struct hf_store_op *op, int err)
{
	(void)op;
	must(err, "operation");
}

static char text[1024];

static void insert_group(struct bench *b)
{
	unsigned n = b->mode->group;

	for (unsigned i = 0; i < n; i++) {
		struct hf_store_insert *op = &b->insert[i];

		*op = (struct hf_store_insert){
			.lane = b->lane[(b->inserted + i) % b->mode->lanes]
		};
		op->op.done = done;
		op->state = (struct hf_record_state){ .status = HF_RECORD_QUEUED,
						      .tag = b->inserted + i,
						      .created_dev_ms = ++b->rig.dev_ms };
		op->head = hf_span(text, 200);
		op->body = hf_span(text, 512);
		hf_store_insert(b->rig.store, op);
	}
	fake_port_settle(&b->rig.port);
	for (unsigned i = 0; i < n; i++)
		b->ids[b->inserted + i] = b->insert[i].id;
	b->inserted += n;
}

static void mark_group(struct bench *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct hf_store_mark *op = &b->mark[i];

		*op = (struct hf_store_mark){ .id = b->ids[b->settled + i] };
		op->op.done = done;
		op->state = (struct hf_record_state){ .status = HF_RECORD_QUEUED,
						      .inflight = true,
						      .maybe_received = true,
						      .attempts = 1 };
		hf_store_mark(b->rig.store, op);
	}
	fake_port_settle(&b->rig.port);
}

static void settle_group(struct bench *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct hf_store_settle *op = &b->settle[i];

		*op = (struct hf_store_settle){ .id = b->ids[b->settled + i] };
		op->op.done = done;
		b->settled_at[b->settled + i] = ++b->rig.dev_ms;
		op->state = (struct hf_record_state){ .status = HF_RECORD_SETTLED,
						      .last_status = 201,
						      .settled_dev_ms = b->rig.dev_ms };
		op->summary = hf_span(text, 60);
		op->head = hf_span(text, 90);
		op->body = hf_span(text, 60);
		hf_store_settle(b->rig.store, op);
	}
	fake_port_settle(&b->rig.port);
	b->settled += n;
}

static void purge(struct bench *b, unsigned keep)
{
	struct hf_store_purge p = { .budget = 64, .dead_max = 100 };

	if (b->settled < b->purged + keep + 64)
		return;
	b->purged += 64;
	p.before_dev_ms = b->settled_at[b->purged];
	must(RIG_DO(&b->rig, hf_store_purge, &p), "purge");
}

static void settle_some(struct bench *b)
{
	mark_group(b, b->mode->drain);
	settle_group(b, b->mode->drain);
	purge(b, KEEP);
}

static void round_of(struct bench *b, unsigned n)
{
	for (unsigned i = 0; i < n; i += b->mode->group) {
		insert_group(b);
		if (!b->mode->backlog)
			settle_some(b);
	}
	while (b->settled < b->inserted)
		settle_some(b);
}

static uint64_t written(struct bench *b)
{
	struct hf_store_usage u;

	hf_store_usage(b->rig.store, &u);
	return u.written_total;
}

static uint32_t lane_of(struct bench *b, unsigned i)
{
	char key[16];

	snprintf(key, sizeof(key), "lane-%u", i);
	return rig_lane(&b->rig, "https://origin.example", key);
}

static struct bench *bench_new(const struct mode *mode, unsigned records)
{
	struct bench *b = calloc(1, sizeof(*b));

	rig_init(&b->rig);
	b->rig.opt.bytes_max = 4096ull << 20;
	b->mode = mode;
	b->ids = calloc(records, sizeof(*b->ids));
	b->settled_at = calloc(records, sizeof(*b->settled_at));
	must(rig_open(&b->rig), "open");
	for (unsigned i = 0; i < mode->lanes && i < GROUP_MAX; i++)
		b->lane[i] = lane_of(b, i);
	return b;
}

static void bench_free(struct bench *b)
{
	rig_finish(&b->rig);
	free(b->ids);
	free(b->settled_at);
	free(b);
}

static void bytes(const struct mode *mode)
{
	struct bench *b = bench_new(mode, 3 * REQUESTS);
	uint64_t before;

	round_of(b, mode->backlog ? 64 : REQUESTS); /* warm */
	before = written(b);
	round_of(b, REQUESTS);
	must(rig_close(&b->rig), "close"); /* the last checkpoint counts */
	must(rig_open(&b->rig), "open");
	printf("%-44s %6.0f\n", mode->name, (double)(written(b) - before) / REQUESTS);
	fflush(stdout);
	bench_free(b);
}

/* ---- start ---- */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long rss_kib(void)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kib;
}

static void start_times(struct bench *b, unsigned n, unsigned lanes, const char *end)
{
	struct hf_store_lanes l;
	double t0, t1, t2;

	t0 = now_ms();
	must(rig_open(&b->rig), "open");
	t1 = now_ms();
	must(RIG_DO(&b->rig, hf_store_lanes, &l), "lanes");
	t2 = now_ms();
	printf("%u waiting, %3u lanes, after %-12s  open %6.2f ms, lanes %5.2f ms, RSS %ld KiB\n",
	       n, lanes, end, t1 - t0, t2 - t1, rss_kib());
	fflush(stdout);
	hf_store_lanes_finish(&l);
}

static void starts(unsigned n, unsigned lanes)
{
	const struct mode mode = { "", GROUP_MAX, GROUP_MAX, lanes, true };
	struct bench *b = bench_new(&mode, 1);
	uint64_t id;

	for (unsigned i = 0; i < n; i += GROUP_MAX) {
		uint64_t ids[GROUP_MAX];

		for (unsigned j = 0; j < GROUP_MAX; j++)
			b->lane[j] = 1 + (i + j) % lanes;
		if (i / GROUP_MAX < lanes / GROUP_MAX + 1) {
			for (unsigned j = 0; j < GROUP_MAX; j++)
				lane_of(b, (i + j) % lanes);
		}
		b->inserted = 0;
		free(b->ids);
		b->ids = calloc(GROUP_MAX, sizeof(ids[0]));
		insert_group(b);
	}
	must(rig_close(&b->rig), "close");
	start_times(b, n, lanes, "a clean end");
	must(rig_insert(&b->rig, 1, 1, 512, &id), "insert");
	rig_kill(&b->rig);
	start_times(b, n, lanes, "a kill");
	bench_free(b);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{ "single, one lane", 1, 1, 1, false },
		{ "single, 32 lanes", 1, 1, 32, false },
		{ "groups of 32, one lane", 32, 32, 1, false },
		{ "groups of 32, 32 lanes", 32, 32, 32, false },
		{ "backlog: single, one lane", 1, 1, 1, true },
		{ "backlog: groups of 32, one lane", 32, 32, 1, true },
		{ "backlog: groups of 32, sent one by one", 32, 1, 1, true },
		{ "backlog: groups of 32, 32 lanes", 32, 32, 32, true },
	};
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;

	memset(text, 'x', sizeof(text));
	printf("%-44s %s\n", "whole life of a request", "bytes written");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		bytes(&modes[i]);
	starts(n, 1);
	starts(n, 100);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the shelf reads, writes and starts with few and many entries, as a table:
 *
 *   shelf_bench            with 1,000 and 100,000 entries
 *   shelf_bench 500000     with 1,000 and that many
 *
 * An entry has a head of 300 B and a body of 1 kB of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/shelf_rig.h"

#define GROUP 32
#define READS 20000

struct bench {
	struct shelf_rig rig;
	uint32_t cache;
	unsigned entries;
	char urls[GROUP][64];
	char bodies[GROUP][1024];
	struct hf_shelf_put put[GROUP];
};

static void must(int err, const char *what)
{
	if (err) {
		fprintf(stderr, "%s: %s\n", what, hf_errname(err));
		exit(1);
	}
}

static void put_done(struct hf_shelf_op *op, int err)
{
	(void)op;
	must(err, "put");
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Resident memory that is no file, KiB. */
static long anonymous_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long kib = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "RssAnon: %ld", &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kib;
}

/* Reads of files so far. */
static unsigned long reads(void)
{
	FILE *f = fopen("/proc/self/io", "r");
	char line[128];
	unsigned long n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "syscr: %lu", &n) == 1)
			break;
	}
	if (f)
		fclose(f);
	return n;
}

static void url_of(unsigned n, char out[64])
{
	snprintf(out, 64, "https://origin.example/path/to/%u.html", n);
}

static void fill(struct bench *b)
{
	static char head[300];

	for (unsigned n = 0; n < b->entries; n += GROUP) {
		for (unsigned i = 0; i < GROUP; i++) {
			struct hf_shelf_put *p = &b->put[i];

			*p = (struct hf_shelf_put){ .cache = b->cache };
			url_of(n + i, b->urls[i]);
			shelf_rig_body(n + i, b->bodies[i], sizeof(b->bodies[i]));
			p->url = hf_span_str(b->urls[i]);
			p->head = hf_span(head, sizeof(head));
			p->data = hf_span(b->bodies[i], sizeof(b->bodies[i]));
			p->op.done = put_done;
			hf_shelf_put(b->rig.shelf, p);
		}
		fake_port_settle(&b->rig.port);
	}
}

static int by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double find_us(struct bench *b)
{
	static double took[READS];
	char url[64];

	srand(1);
	for (unsigned i = 0; i < READS; i++) {
		struct hf_shelf_find f = { .cache = b->cache, .data_max = 4096 };
		double begin;

		url_of((unsigned)rand() % b->entries, url);
		f.url = hf_span_str(url);
		begin = now_us();
		must(SHELF_DO(&b->rig, hf_shelf_find, &f), "find");
		took[i] = now_us() - begin;
		if (f.n != 1 || f.v[0].data.len != 1024)
			must(HF_ENOENT, "find");
		hf_shelf_find_finish(&f);
	}
	qsort(took, READS, sizeof(*took), by_time);
	return took[READS / 2];
}

static double start_ms(struct bench *b, bool clean)
{
	double begin;

	if (clean)
		must(shelf_rig_close(&b->rig), "close");
	else
		shelf_rig_kill(&b->rig);
	begin = now_us();
	must(shelf_rig_open(&b->rig), "open");
	return (now_us() - begin) / 1e3;
}

static void measure(unsigned entries)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct hf_shelf_usage u;
	double begin, put_us, find, killed;
	unsigned long before;
	long memory;

	shelf_rig_init(&b->rig);
	b->rig.opt.bytes_max = 8ull << 30;
	b->entries = entries;
	must(shelf_rig_open(&b->rig), "open");
	b->cache = shelf_rig_cache(&b->rig, HF_SHELF_HTTP, "bench");
	begin = now_us();
	fill(b);
	put_us = (now_us() - begin) / entries;
	hf_shelf_usage(b->rig.shelf, &u);
	killed = start_ms(b, false);
	memory = anonymous_kib();
	before = reads();
	find = find_us(b);
	printf("%9u %9.1f %9.2f %9.1f %9.1f %9.2f %9.2f %9.1f %9ld\n", entries, find,
	       (double)(reads() - before) / READS, put_us, (double)u.written_total / entries / 1e3,
	       killed, start_ms(b, true), (double)u.bytes / 1e6, anonymous_kib() - memory);
	shelf_rig_finish(&b->rig);
	free(b);
}

int main(int argc, char **argv)
{
	unsigned many = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;

	printf("%9s %9s %9s %9s %9s %9s %9s %9s %9s\n", "entries", "find us", "reads", "put us",
	       "put kB", "killed ms", "closed ms", "file MB", "mem KiB");
	measure(1024);
	measure(many / GROUP * GROUP);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each file: is it there already -> does the active version have it -> fetch it.
 * A few files at a time; when the list is through and nothing is missing, the
 * precache becomes the active one.
 */
#include "fetch/install.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/strmap.h"
#include "fetch/event.h"
#include "fetch/fill.h"
#include "holdfast/err.h"

#define SLOTS	     4
#define RETRY_MIN_MS 5000
#define RETRY_MAX_MS 3600000
#define ARENA_MAX    65536

struct slot {
	struct hf_install *install;
	size_t file;
	bool busy;
	union {
		struct hf_shelf_find find;
		struct hf_shelf_adopt adopt;
	};
};

struct hf_install {
	struct hf_install_options opt;
	struct hf_timerq *timers; /* outlives fetch */
	uint32_t active, staged;  /* the same: files that it has lost are fetched again */
	bool repair, got;	  /* some may be lost; one was fetched in this run */
	char version[33];
	enum hf_install_state state;
	struct hf_shelf_cache_open open;
	struct hf_shelf_activate activate;
	bool opening, activating, stopped;
	bool unproved; /* it waits for its files to be proved */
	bool judged;   /* since the run began */
	struct slot slots[SLOTS];
	size_t next, done, missing;
	const char *failed_url;
	char failure[48];
	uint32_t wait_ms;
	struct hf_timer timer;
};

static const struct hf_fetch_options *world(const struct hf_install *i)
{
	return &i->opt.fetch->opt;
}

static struct hf_shelf *shelf(const struct hf_install *i)
{
	return hf_cache_shelf(world(i)->cache);
}

static const struct hf_precache_entry *file_of(const struct slot *s)
{
	return &s->install->opt.manifest->precache[s->file];
}

static struct hf_span note_of(const struct slot *s)
{
	return hf_span_str(file_of(s)->revision ? file_of(s)->revision : "");
}

static void tell(struct hf_install *i)
{
	if (i->opt.changed)
		i->opt.changed(i->opt.user);
}

/* ---- what the list is called ---- */

/* The same list has the same name, whatever the manifest's own version says. */
static int name_version(struct hf_install *i)
{
	static const uint64_t seeds[2][2] = { { 1, 2 }, { 3, 4 } };
	const struct hf_manifest *m = i->opt.manifest;
	struct hf_buf text;
	int err = 0;

	hf_buf_init(&text, SIZE_MAX / 2);
	for (size_t k = 0; k < m->precache_n && !err; k++) {
		const struct hf_precache_entry *e = &m->precache[k];

		err = hf_buf_appendf(&text, "%s\n%s\n%s\n", e->url, e->revision ? e->revision : "",
				     e->integrity ? e->integrity : "");
	}
	snprintf(i->version, sizeof(i->version), "%016" PRIx64 "%016" PRIx64,
		 hf_siphash13(seeds[0], hf_buf_span(&text)),
		 hf_siphash13(seeds[1], hf_buf_span(&text)));
	hf_buf_finish(&text);
	return err;
}

/* ---- the end of a run ---- */

static void begin(void *user);

static bool is_quiet(const struct hf_install *i)
{
	for (size_t k = 0; k < SLOTS; k++)
		if (i->slots[k].busy)
			return false;
	return !i->opening && !i->activating;
}

/* Goes on later; the wait grows until it is whole, or somebody pokes. */
static void wait(struct hf_install *i)
{
	struct hf_port *port = world(i)->port;

	i->state = HF_INSTALL_WAITING;
	i->wait_ms = i->wait_ms < RETRY_MIN_MS	   ? RETRY_MIN_MS :
		     i->wait_ms > RETRY_MAX_MS / 2 ? RETRY_MAX_MS :
						     2 * i->wait_ms;
	hf_timerq_set(world(i)->timers, &i->timer,
		      port->boottime_ms(port) + i->wait_ms +
			      hf_rand_u64(world(i)->rand) % (i->wait_ms / 4));
	tell(i);
}

/* It is whole, but nobody knows yet whose it is. */
static void wait_for_proof(struct hf_install *i)
{
	if (i->judged) { /* in the meantime: some may be proved, some be gone */
		begin(i);
		return;
	}
	i->state = HF_INSTALL_WAITING;
	i->unproved = true;
	snprintf(i->failure, sizeof(i->failure), "no answer to the probe since");
	tell(i);
}

static void activated(struct hf_shelf_op *op, int err)
{
	struct hf_install *i = op->user;
	uint32_t before = i->active;

	i->activating = false;
	if (i->stopped)
		return;
	if (err == HF_EAGAIN) {
		wait_for_proof(i);
		return;
	}
	if (err) {
		snprintf(i->failure, sizeof(i->failure), "%s", hf_strerror(err));
		wait(i);
		return;
	}
	i->active = i->staged;
	i->state = HF_INSTALL_IDLE;
	i->wait_ms = 0;
	i->failed_url = NULL;
	hf_log(world(i)->log, HF_LOG_INFO, "precache.activated", "worker=%s version=%s files=%zu",
	       i->opt.worker, i->version, i->opt.manifest->precache_n);
	i->opt.activated(i->opt.user, i->active);
	if (before)
		hf_cache_forget(world(i)->cache, before);
	tell(i);
}

/* Every file of the active version is there. */
static void whole(struct hf_install *i)
{
	i->state = HF_INSTALL_IDLE;
	i->repair = false;
	i->wait_ms = 0;
	i->failed_url = NULL;
	if (i->got) {
		hf_log(world(i)->log, HF_LOG_INFO, "precache.repaired", "worker=%s version=%s",
		       i->opt.worker, i->version);
		i->opt.activated(i->opt.user, i->active);
	}
	tell(i);
}

static void run_over(struct hf_install *i)
{
	if (i->stopped)
		return;
	if (i->missing > 0) {
		wait(i);
		return;
	}
	if (i->staged == i->active) {
		whole(i);
		return;
	}
	i->activating = true;
	i->activate.cache = i->staged;
	i->activate.op.done = activated;
	i->activate.op.user = i;
	hf_shelf_activate(shelf(i), &i->activate);
}

/* ---- one file ---- */

static void next_file(struct slot *s);

static void file_done(struct slot *s)
{
	s->install->done++;
	next_file(s);
}

static void file_missing(struct slot *s, int err, int status)
{
	struct hf_install *i = s->install;

	i->missing++;
	i->failed_url = file_of(s)->url;
	if (err == HF_EBADMSG)
		snprintf(i->failure, sizeof(i->failure), "integrity");
	else if (status && status != 200)
		snprintf(i->failure, sizeof(i->failure), "status %d", status);
	else
		snprintf(i->failure, sizeof(i->failure), "%s", hf_strerror(err));
	hf_log(world(i)->log, HF_LOG_WARNING, "precache.missing", "worker=%s url=%s why=\"%s\"",
	       i->opt.worker, i->failed_url, i->failure);
	next_file(s);
}

static void fetched(void *user, int err, int status)
{
	struct slot *s = user;

	if (err) {
		file_missing(s, err, status);
		return;
	}
	s->install->got = true;
	file_done(s);
}

static int fetch_file(struct slot *s)
{
	struct hf_install *i = s->install;
	const struct hf_fetch_origin *origin = hf_fetch_origin(i->opt.fetch, i->opt.origin);
	const struct hf_precache_entry *e = file_of(s);
	struct hf_forward forward = { .scheme = origin->scheme, .authority = origin->authority };
	struct hf_message msg = {
		.method = HF_SPAN("GET"),
		.target = hf_span_str(e->url),
		.minor = 1,
		.keep_alive = true,
	};
	struct hf_fill_request req = {
		.origin = i->opt.origin,
		.msg = &msg,
		.forward = &forward,
		.url = msg.target,
		.selected = -1,
		.keep = true,
		.over = fetched,
		.user = s,
		.terms = {
			.cache = i->staged,
			.worker = true,
			.personal = true,
			.store = { .v = { 200 }, .n = 1 },
			.note = note_of(s),
			.integrity = hf_span_str(e->integrity ? e->integrity : ""),
		},
	};
	struct hf_fill *fill;
	struct hf_arena arena;
	int err;

	hf_arena_init(&arena, ARENA_MAX);
	hf_fields_init(&msg.fields, &arena);
	err = hf_fields_add(&msg.fields, HF_SPAN("Accept"), HF_SPAN("*/*"));
	if (!err && e->revision) /* the URL alone does not say which content it is */
		err = hf_fields_add(&msg.fields, HF_SPAN("Cache-Control"), HF_SPAN("no-cache"));
	if (!err)
		err = hf_fill_start(i->opt.fetch, &req, &fill);
	hf_arena_finish(&arena);
	return err;
}

static void begin_fetch(struct slot *s)
{
	int err = s->install->stopped ? HF_ECANCELED : fetch_file(s);

	if (err)
		file_missing(s, err, 0);
}

static void adopted(struct hf_shelf_op *op, int err)
{
	struct slot *s = op->user;

	if (err)
		begin_fetch(s);
	else
		file_done(s);
}

static void begin_adopt(struct slot *s)
{
	struct hf_install *i = s->install;

	s->adopt = (struct hf_shelf_adopt){
		.op = { .done = adopted, .user = s },
		.from = i->active,
		.to = i->staged,
		.url = hf_span_str(file_of(s)->url),
		.note = note_of(s),
	};
	hf_shelf_adopt(shelf(i), &s->adopt);
}

static void found(struct hf_shelf_op *op, int err)
{
	struct slot *s = op->user;
	bool there = false;

	for (size_t k = 0; !err && k < s->find.n; k++)
		there |= hf_span_eq(s->find.v[k].note, note_of(s));
	hf_shelf_find_finish(&s->find);
	if (there)
		file_done(s);
	else if (s->install->active && s->install->active != s->install->staged)
		begin_adopt(s);
	else
		begin_fetch(s);
}

static void next_file(struct slot *s)
{
	struct hf_install *i = s->install;

	s->busy = !i->stopped && i->next < i->opt.manifest->precache_n;
	if (!s->busy) {
		if (is_quiet(i))
			run_over(i);
		return;
	}
	s->file = i->next++;
	s->find = (struct hf_shelf_find){
		.op = { .done = found, .user = s },
		.cache = i->staged,
		.url = hf_span_str(file_of(s)->url),
	};
	hf_shelf_find(shelf(i), &s->find);
}

/* ---- a run ---- */

static void opened(struct hf_shelf_op *op, int err)
{
	struct hf_install *i = op->user;

	i->opening = false;
	if (i->stopped)
		return;
	if (err) {
		snprintf(i->failure, sizeof(i->failure), "%s", hf_strerror(err));
		wait(i);
		return;
	}
	i->staged = i->open.cache.id;
	if (i->open.cache.active) {
		i->active = i->staged;
		if (!i->repair && i->open.cache.entries >= i->opt.manifest->precache_n) {
			i->done = i->opt.manifest->precache_n;
			whole(i);
			return;
		}
	}
	for (size_t k = 0; k < SLOTS; k++)
		i->slots[k].busy = true; /* the first that ends at once is not the last */
	for (size_t k = 0; k < SLOTS; k++)
		next_file(&i->slots[k]);
}

static void begin(void *user)
{
	struct hf_install *i = user;

	if (!is_quiet(i) || i->stopped || !hf_cache_is_open(world(i)->cache))
		return;
	i->state = HF_INSTALL_RUNNING;
	i->unproved = false;
	i->judged = false;
	i->next = 0;
	i->done = 0;
	i->missing = 0;
	i->got = false;
	i->opening = true;
	i->open = (struct hf_shelf_cache_open){
		.op = { .done = opened, .user = i },
		.cache = { .kind = HF_SHELF_PRECACHE,
			   .owner = hf_span_str(i->opt.worker),
			   .name = hf_span_str(i->version) },
	};
	hf_shelf_cache_open(shelf(i), &i->open);
}

void hf_install_start(struct hf_install *i, uint32_t active)
{
	i->active = active;
	begin(i);
}

void hf_install_poke(struct hf_install *i)
{
	if (i->state != HF_INSTALL_WAITING)
		return;
	hf_timerq_clear(world(i)->timers, &i->timer);
	i->wait_ms = 0;
	begin(i);
}

void hf_install_repair(struct hf_install *i)
{
	i->repair = true;
	if (i->state == HF_INSTALL_IDLE)
		begin(i);
}

void hf_install_judged(struct hf_install *i)
{
	i->judged = true;
	if (i->unproved)
		hf_install_poke(i);
}

void hf_install_again(struct hf_install *i)
{
	i->active = 0;
	if (i->state == HF_INSTALL_IDLE)
		begin(i);
	else
		hf_install_poke(i);
}

/* ---- life ---- */

int hf_install_create(const struct hf_install_options *opt, struct hf_install **out)
{
	struct hf_install *i = calloc(1, sizeof(*i));

	if (!i)
		return HF_ENOMEM;
	i->opt = *opt;
	i->timers = opt->fetch->opt.timers;
	hf_timer_init(&i->timer, begin, i);
	for (size_t k = 0; k < SLOTS; k++)
		i->slots[k].install = i;
	if (name_version(i)) {
		free(i);
		return HF_ENOMEM;
	}
	*out = i;
	return 0;
}

void hf_install_stop(struct hf_install *i)
{
	i->stopped = true;
	hf_timerq_clear(world(i)->timers, &i->timer);
}

void hf_install_destroy(struct hf_install *i)
{
	if (!i)
		return;
	hf_timerq_clear(i->timers, &i->timer);
	free(i);
}

void hf_install_figures(const struct hf_install *i, struct hf_install_figures *out)
{
	*out = (struct hf_install_figures){
		.state = i->state,
		.files = i->opt.manifest->precache_n,
		.done = i->done,
		.failed_url = i->failed_url,
		.failure = i->failure,
		.next_try_ms = hf_timer_is_set(&i->timer) ? i->timer.due_ms : 0,
	};
	memcpy(out->version, i->version, sizeof(out->version));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The story is a row of chapters: between two turns of events (the link goes,
 * the shop comes back, the power fails) the orders and pages are counted, and
 * told when the next turn comes, each at the time of the first, in the order of
 * these times.
 */
#include "story.h"

#include <inttypes.h>
#include <stdarg.h>

#include "report.h"
#include "sim/mem.h"
#include "story_words.h"

/* One kind of thing that happens many times in a chapter. */
struct strand {
	unsigned n;
	uint64_t first_us, last_us;
	uint64_t sum_us, max_us; /* of what is measured about it */
};

struct chapter {
	struct strand live, kept, refused, unanswered, pages, no_pages, late;
};

enum paint {
	PAINT_PLAIN,
	PAINT_BAD,
	PAINT_GOOD,
	PAINT_NOTE,
};

struct line {
	uint64_t from_us, to_us;
	enum paint paint;
	char *text;
};

/* Looks at one device. */
struct teller {
	struct sim_device_watch watch;
	struct sim_story *story;
	const struct sim_device *dev;
	uint64_t boot_us, restarts;
};

struct sim_story {
	struct sim_stage *stage;
	const struct sim_plan *plan;
	FILE *out;
	bool colour;
	struct sim_run_watch run_watch;
	struct sim_ledger_watch ledger_watch;
	struct teller tellers[SIM_DEVICES_MAX];
	struct chapter now;
	struct line *lines; /* of the chapter */
	size_t lines_n, lines_cap;
	uint64_t relief_us; /* the last turn for the better */
	const char *relief; /* its name: "after the cable was back" */
	bool asked_to_wait; /* the shop has sent Retry-After */
	bool clock_told;
	bool at_write; /* the next cut comes at a disk operation */
};

/* ---- lines ---- */

static uint64_t clock_us(const struct sim_story *st, uint64_t at_us)
{
	return (st->plan->begins_us + at_us) % (24 * SIM_US_PER_H);
}

static void clock_text(const struct sim_story *st, uint64_t at_us, char out[16])
{
	uint64_t t = clock_us(st, at_us) / SIM_US_PER_S;

	if (st->plan->has_clock)
		snprintf(out, 16, "%02u:%02u", (unsigned)(t / 3600), (unsigned)(t / 60 % 60));
	else
		snprintf(out, 16, "%u:%02u", (unsigned)(at_us / SIM_US_PER_MIN),
			 (unsigned)(at_us / SIM_US_PER_S % 60));
}

#define MARGIN 15
#define WIDTH  100

/* Prints @text behind the margin that is already there, broken at spaces. */
static void wrap(struct sim_story *st, const char *text)
{
	size_t left = strlen(text), n;

	while (left > WIDTH - MARGIN) {
		for (n = WIDTH - MARGIN; n > 0 && text[n] != ' '; n--)
			;
		if (n == 0)
			break;
		fprintf(st->out, "%.*s\n%*s", (int)n, text, MARGIN, "");
		text += n + 1;
		left -= n + 1;
	}
	fprintf(st->out, "%s", text);
}

static void print_line(struct sim_story *st, const struct line *l)
{
	static const char *const codes[] = { "", "\033[31m", "\033[32m", "\033[36m" };
	char from[16], to[16], when[40];

	clock_text(st, l->from_us, from);
	clock_text(st, l->to_us, to);
	if (strcmp(from, to) == 0)
		snprintf(when, sizeof(when), "%s", from);
	else
		snprintf(when, sizeof(when), "%s-%s", from, to);
	fprintf(st->out, "  %-12s %s", when, st->colour ? codes[l->paint] : "");
	wrap(st, l->text);
	fprintf(st->out, "%s\n", st->colour && *codes[l->paint] ? "\033[0m" : "");
}

/* Behind the lines of this chapter that begin no later. */
__attribute__((format(printf, 5, 6))) static void
tell(struct sim_story *st, uint64_t from_us, uint64_t to_us, enum paint paint, const char *fmt, ...)
{
	char text[512];
	struct line *l;
	va_list ap;
	size_t at;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	st->lines = sim_grow(st->lines, st->lines_n, &st->lines_cap, sizeof(*st->lines));
	for (at = st->lines_n; at > 0 && st->lines[at - 1].from_us > from_us; at--)
		st->lines[at] = st->lines[at - 1];
	st->lines_n++;
	l = &st->lines[at];
	*l = (struct line){ from_us, to_us, paint, sim_strdup(text) };
}

static void print_lines(struct sim_story *st)
{
	size_t i;

	for (i = 0; i < st->lines_n; i++) {
		print_line(st, &st->lines[i]);
		sim_free(st->lines[i].text);
	}
	st->lines_n = 0;
}

static const char *plural(unsigned n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

/* ---- chapters ---- */

static void add(struct strand *s, uint64_t at_us, uint64_t measured_us)
{
	if (s->n++ == 0)
		s->first_us = at_us;
	s->last_us = at_us;
	s->sum_us += measured_us;
	if (measured_us > s->max_us)
		s->max_us = measured_us;
}

static void tell_pages(struct sim_story *st, const struct chapter *c)
{
	if (c->no_pages.n)
		tell(st, c->no_pages.first_us, c->no_pages.last_us, PAINT_PLAIN,
		     "%u %s cannot be loaded: there is no shop to ask.", c->no_pages.n,
		     plural(c->no_pages.n, "page", "pages"));
}

static void tell_orders(struct sim_story *st, const struct chapter *c)
{
	char a[32], b[32];

	if (c->late.n) {
		uint64_t since = c->late.first_us - st->relief_us;

		tell(st, c->late.first_us, c->late.last_us, PAINT_GOOD,
		     "%u waiting %s the shop, oldest first: the first %s %s, all within %s."
		     " The longest had waited %s.",
		     c->late.n, plural(c->late.n, "order reaches", "orders reach"),
		     sim_span_text(since, a), st->relief,
		     sim_span_text(c->late.last_us - st->relief_us, b),
		     sim_span_text(c->late.max_us, (char[32]){ 0 }));
	}
	if (c->live.n)
		tell(st, c->live.first_us, c->live.last_us, PAINT_PLAIN,
		     "%u %s straight through; the shop answers in %s%s.", c->live.n,
		     plural(c->live.n, "order goes", "orders go"),
		     sim_span_text(c->live.sum_us / c->live.n, a),
		     c->pages.n ? ", pages load as ever" : "");
	if (c->kept.n)
		tell(st, c->kept.first_us, c->kept.last_us, PAINT_NOTE,
		     "%u %s placed. The panel hears \"202 Accepted\" after %s: the order is on the"
		     " disk.",
		     c->kept.n, plural(c->kept.n, "order is", "orders are"),
		     sim_span_text(c->kept.sum_us / c->kept.n, a));
	if (c->refused.n)
		tell(st, c->refused.first_us, c->refused.last_us, PAINT_BAD,
		     "%u %s refused; the panel knows it.", c->refused.n,
		     plural(c->refused.n, "order is", "orders are"));
	if (c->unanswered.n)
		tell(st, c->unanswered.first_us, c->unanswered.last_us, PAINT_BAD,
		     "%u %s no answer: nobody is there to give one.", c->unanswered.n,
		     plural(c->unanswered.n, "order gets", "orders get"));
	tell_pages(st, c);
}

/* Ends the chapter. */
static void turn(struct sim_story *st)
{
	tell_orders(st, &st->now);
	print_lines(st);
	memset(&st->now, 0, sizeof(st->now));
}

static unsigned waiting(const struct sim_story *st)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < st->stage->ledger.n; i++)
		n += sim_order_promised(st->stage->ledger.v[i]) &&
		     st->stage->ledger.v[i]->effects == 0;
	return n;
}

/* "6 orders wait." */
static const char *waiting_text(const struct sim_story *st, char out[48])
{
	unsigned n = waiting(st);

	if (n == 0)
		snprintf(out, 48, "Nothing waits.");
	else
		snprintf(out, 48, "%u %s.", n, plural(n, "order waits", "orders wait"));
	return out;
}

static void relief(struct sim_story *st, const char *name)
{
	st->relief_us = st->stage->world.now_us;
	st->relief = name;
}

/* ---- what the ledger says ---- */

static void on_answer(void *user, const struct sim_order *o)
{
	struct sim_story *st = user;
	uint64_t took = o->answered_us - o->sent_us;

	if (o->status == 0)
		add(&st->now.unanswered, o->answered_us, 0);
	else if (o->status == 202)
		add(&st->now.kept, o->answered_us, took);
	else if (sim_order_promised(o))
		add(&st->now.live, o->answered_us, took);
	else
		add(&st->now.refused, o->answered_us, took);
}

static void on_effect(void *user, const struct sim_order *o)
{
	struct sim_story *st = user;

	if (o->effects == 1 && o->status == 202 && o->answered_us < o->effect_us)
		add(&st->now.late, o->effect_us, o->effect_us - o->answered_us);
}

static void on_page(void *user, uint64_t sent_us, int status)
{
	struct sim_story *st = user;

	(void)sent_us;
	add(status && status < 400 ? &st->now.pages : &st->now.no_pages, st->stage->world.now_us,
	    0);
}

/* ---- turns of events ---- */

static void on_step(void *user, const struct sim_step *step)
{
	static const enum paint paints[] = { PAINT_PLAIN, PAINT_PLAIN, PAINT_BAD, PAINT_GOOD };
	struct sim_story *st = user;
	uint64_t now = st->stage->world.now_us;
	struct sim_said said;
	char wait[48] = "";

	if (step->what == SIM_DO_CUT)
		st->at_write = step->a > 0;
	sim_story_words(step, &said);
	if (said.tone == SIM_TONE_NONE)
		return;
	turn(st);
	tell(st, now, now, paints[said.tone], "%s%s%s", said.text, said.relief ? " " : "",
	     said.relief ? waiting_text(st, wait) : "");
	if (step->what == SIM_DO_ORIGIN_ANSWER && step->a)
		st->asked_to_wait = step->b > 0;
	if (said.relief)
		relief(st, st->asked_to_wait ?
				   "after the shop was back (it had asked for patience)" :
				   said.relief);
	if (said.relief && step->what == SIM_DO_ORIGIN_ANSWER)
		st->asked_to_wait = false;
}

/* Nothing where there is one device only. */
static const char *about_device(const struct teller *t, char out[48])
{
	out[0] = '\0';
	if (t->story->stage->devices_n > 1)
		snprintf(out, 48, "(%s) ", t->dev->name);
	return out;
}

static void on_power(void *user, bool up)
{
	struct teller *teller = user;
	struct sim_story *st = teller->story;
	uint64_t now = st->stage->world.now_us;
	unsigned n = waiting(st);
	char about[48];
	struct strand dark = st->now.unanswered; /* told behind the power cut, their reason */

	bool is_dark = !up && dark.n && dark.first_us == now;

	if (is_dark)
		memset(&st->now.unanswered, 0, sizeof(st->now.unanswered));
	turn(st);
	if (up) {
		teller->boot_us = now;
		if (teller->dev->boots > 1)
			relief(st, "after the power was back");
		return;
	}
	tell(st, now, now, PAINT_BAD, "%sThe power goes%s. %u %s on the disk.",
	     about_device(teller, about),
	     st->at_write ? ", in the middle of a write to the disk" : "", n,
	     plural(n, "order waits", "orders wait"));
	st->at_write = false;
	if (is_dark)
		st->now.unanswered = dark;
}

static void on_ready(void *user)
{
	struct teller *teller = user;
	struct sim_story *st = teller->story;
	uint64_t now = st->stage->world.now_us;
	unsigned n = waiting(st);
	bool restarted = teller->restarts != teller->dev->process.restarts;
	char took[32], about[48];

	teller->restarts = teller->dev->process.restarts;
	sim_span_text(now - teller->boot_us, took);
	about_device(teller, about);
	if (restarted)
		tell(st, now, now, PAINT_GOOD, "%sThe process is started anew. Holdfast serves.",
		     about);
	else if (teller->dev->boots == 1)
		tell(st, now, now, PAINT_PLAIN,
		     "%sThe kiosk is switched on for the first time. Holdfast serves after %s.",
		     about, took);
	else if (n == 0)
		tell(st, now, now, PAINT_GOOD, "%sThe power is back. Holdfast serves after %s.",
		     about, took);
	else
		tell(st, now, now, PAINT_GOOD,
		     "%sThe power is back. Holdfast serves after %s and goes on with %s.", about,
		     took, n == 1 ? "the one that waits" : "those that wait");
}

static void on_clock(void *user, int64_t before_ms, int64_t after_ms)
{
	struct sim_story *st = ((struct teller *)user)->story;
	uint64_t now = st->stage->world.now_us;
	int64_t days = (after_ms - before_ms) / 86400000;

	if (!st->relief)
		relief(st, "after the clock was right");
	if (st->clock_told || days < 1)
		return;
	st->clock_told = true;
	turn(st);
	tell(st, now, now, PAINT_PLAIN,
	     "The kiosk has no battery for its clock, which is %lld days behind until the network"
	     " sets it right, after each start.",
	     (long long)days);
}

/* ---- life ---- */

struct sim_story *sim_story_create(struct sim_stage *s, const struct sim_plan *plan, FILE *out,
				   bool colour)
{
	struct sim_story *st = sim_alloc(sizeof(*st));
	size_t i;

	st->stage = s;
	st->plan = plan;
	st->out = out;
	st->colour = colour;
	st->run_watch = (struct sim_run_watch){ .on_step = on_step, .user = st };
	st->ledger_watch.on_answer = on_answer;
	st->ledger_watch.on_effect = on_effect;
	st->ledger_watch.on_page = on_page;
	st->ledger_watch.user = st;
	sim_ledger_watch(&s->ledger, &st->ledger_watch);
	for (i = 0; i < s->devices_n; i++) {
		struct teller *t = &st->tellers[i];

		t->story = st;
		t->dev = s->devices[i];
		t->watch.on_power = on_power;
		t->watch.on_ready = on_ready;
		t->watch.on_clock = on_clock;
		t->watch.user = t;
		sim_device_watch(s->devices[i], &t->watch);
	}
	fprintf(out, "\n  %s%s%s\n\n", colour ? "\033[1m" : "", plan->title ? plan->title : "A run",
		colour ? "\033[0m" : "");
	return st;
}

void sim_story_destroy(struct sim_story *st)
{
	size_t i;

	if (!st)
		return;
	turn(st);
	hf_list_remove(&st->ledger_watch.item);
	for (i = 0; i < st->stage->devices_n; i++)
		sim_device_unwatch(&st->tellers[i].watch);
	sim_free(st->lines);
	free(st);
}

struct sim_run_watch *sim_story_watch(struct sim_story *st)
{
	return &st->run_watch;
}

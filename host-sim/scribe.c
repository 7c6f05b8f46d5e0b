/* SPDX-License-Identifier: Apache-2.0 */
#include "scribe.h"

#include <inttypes.h>
#include <string.h>

#include "actors/origin.h"
#include "sim/device.h"
#include "sim/mem.h"

#define WITHIN_US   (60 * SIM_US_PER_S)
#define FILLER_FROM 60 /* shorter ones are read more easily as they are */

/* ---- words ---- */

/* A name or a keyword; in quotes it would be neither. */
static void word(FILE *out, const char *text)
{
	fprintf(out, " %s", text);
}

/* A quote cannot stand in quotes; a word that has one has no space. */
static void quoted(FILE *out, const char *text)
{
	fprintf(out, strchr(text, '"') ? " %s" : " \"%s\"", text);
}

static void number(FILE *out, uint64_t n)
{
	fprintf(out, " %" PRIu64, n);
}

/* "1h30m", as exact as a microsecond. */
static void duration(FILE *out, uint64_t us)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = { { "h", SIM_US_PER_H },
		      { "m", SIM_US_PER_MIN },
		      { "s", SIM_US_PER_S },
		      { "ms", SIM_US_PER_MS },
		      { "us", 1 } };
	size_t i;

	fputs(us ? " " : " 0s", out);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (us >= units[i].us)
			fprintf(out, "%" PRIu64 "%s", us / units[i].us, units[i].name);
		us %= units[i].us;
	}
}

static void size(FILE *out, uint64_t bytes)
{
	if (bytes && bytes % 1000 == 0)
		fprintf(out, " %" PRIu64 "kB", bytes / 1000);
	else
		fprintf(out, " %" PRIu64 "B", bytes);
}

/* ---- people ---- */

static void body(FILE *out, const char *text)
{
	if (!text[0])
		return;
	fputs(" body", out);
	if (strlen(text) >= FILLER_FROM && sim_plan_is_filler(text)) {
		fputs(" of", out);
		size(out, strlen(text));
	} else {
		quoted(out, text);
	}
}

static void panel_words(FILE *out, const struct sim_step *s)
{
	fputs(s->what != SIM_DO_SENSOR ? " panel" : s->panel ? " sensor" : " sensors", out);
	if (s->panel)
		word(out, s->panel);
	if (s->what == SIM_DO_FOLLOW) {
		fputs(" follows events", out);
		return;
	}
	if (s->what == SIM_DO_READ) {
		fputs(" reads answers", out);
		return;
	}
	if (s->what == SIM_DO_CANCEL) {
		fprintf(out, " cancels order %" PRIu64, s->a);
		return;
	}
	word(out, s->what == SIM_DO_OBSERVE ? "observes" :
		  s->what == SIM_DO_GET	    ? "GET" :
					      s->method);
	word(out, s->path);
	if (s->origin) {
		fputs(" to", out);
		word(out, s->origin);
	}
	if (s->what == SIM_DO_GET && s->body) {
		fputs(" in", out);
		word(out, s->body);
	}
	if (s->what == SIM_DO_ORDER && s->a == SIM_NEVER)
		fputs(" after the last", out);
	else if (s->what == SIM_DO_ORDER && s->a)
		fprintf(out, " after order %" PRIu64, s->a);
	if (s->what == SIM_DO_ORDER || s->what == SIM_DO_SENSOR)
		body(out, s->body);
}

/* ---- devices ---- */

static void link_words(FILE *out, const struct sim_step *s)
{
	static const char *const states[] = { "down", "up", "dead", "captive", "bare" };
	static const char *const portals[] = { "redirect", "page", "511" };

	fprintf(out, " link %s", states[s->a]);
	if (s->a == SIM_LINK_CAPTIVE)
		word(out, portals[s->b]);
}

static void flap_words(FILE *out, const struct sim_step *s)
{
	fputs(" link flaps", out);
	duration(out, s->a);
	fputs(" down", out);
	duration(out, s->b);
	fputs(" up", out);
}

static void dns_words(FILE *out, const struct sim_step *s)
{
	static const char *const modes[] = { "works", "fails", "slow", "lies" };

	fprintf(out, " dns %s", modes[s->a]);
	if (s->a == SIM_DNS_SLOW)
		duration(out, s->b);
}

static void network_words(FILE *out, const struct sim_step *s)
{
	static const char *const words[] = {
		"normal",  "latency", "jitter", "loses",     "carries",
		"forgets", "resets",  "stalls", "fragments", "doubles"
	};

	fprintf(out, " network %s", words[s->a]);
	switch ((enum sim_net_fault)s->a) {
	case SIM_NET_LATENCY:
	case SIM_NET_JITTER:
		duration(out, s->b);
		break;
	case SIM_NET_LOSS:
	case SIM_NET_DOUBLES:
		fprintf(out, " %" PRIu64 "%%", s->b);
		break;
	case SIM_NET_BANDWIDTH:
		size(out, s->b);
		break;
	case SIM_NET_RESETS:
	case SIM_NET_STALLS:
		fprintf(out, " %s at byte %" PRIu64, s->c == SIM_UPLOADS ? "uploads" : "answers",
			s->b);
		break;
	case SIM_NET_NORMAL:
	case SIM_NET_FORGETS:
	case SIM_NET_FRAGMENTS:
		break;
	}
}

static void clock_words(FILE *out, const struct sim_step *s)
{
	static const char *const words[] = {
		"right",	"jumps ahead",	      "jumps back",	  "late",
		"with battery", "with battery ahead", "with battery back"
	};

	fprintf(out, " clock %s", words[s->a]);
	if (s->a != SIM_CLOCK_RIGHT && s->a != SIM_CLOCK_BATTERY)
		duration(out, s->b);
}

static void cut_words(FILE *out, const struct sim_step *s)
{
	fputs(" cut power", out);
	if (s->a)
		fprintf(out, " at write %" PRIu64, s->a);
	if (s->b)
		fprintf(out, " and at write %" PRIu64 " of the next start", s->b);
}

static void reboot_words(FILE *out, const struct sim_step *s)
{
	fputs(s->a == SIM_NEVER ? " reboot by hand" : " reboot after", out);
	if (s->a != SIM_NEVER)
		duration(out, s->a);
}

static void disk_words(FILE *out, const struct sim_step *s)
{
	switch ((enum sim_disk_fault)s->a) {
	case SIM_DISK_NORMAL:
		fputs(" disk normal", out);
		break;
	case SIM_DISK_FULL:
		fputs(" disk full", out);
		break;
	case SIM_DISK_FREE:
		fputs(" disk free", out);
		break;
	case SIM_DISK_SLOW:
		fputs(" disk slow", out);
		duration(out, s->b);
		break;
	case SIM_DISK_FAILS:
		fprintf(out, " disk fails %" PRIu64 "%%", s->b);
		break;
	case SIM_DISK_ROTS:
		fprintf(out, " disk rots %" PRIu64, s->b);
		break;
	case SIM_DISK_FAILS_AT:
		fprintf(out, " disk fails at operation %" PRIu64, s->b);
		break;
	}
}

static void process_words(FILE *out, const struct sim_step *s)
{
	static const char *const words[] = { "killed", "hangs", "crashes" };

	fprintf(out, " process %s", words[s->a]);
	if (s->a != SIM_PROCESS_CRASHES)
		return;
	fprintf(out, " %" PRIu64 " times after", s->b);
	duration(out, s->c);
}

/* ---- origins ---- */

static void answer_words(FILE *out, const struct sim_step *s)
{
	if (s->a == 0) {
		fputs(" answers normally", out);
		return;
	}
	fprintf(out, " answers %" PRIu64, s->a);
	if (s->b) {
		fputs(" retry-after", out);
		duration(out, s->b * SIM_US_PER_S);
	}
}

static void origin_words(FILE *out, const struct sim_step *s)
{
	static const char *const certs[] = { "good", "expired", "wrong", "untrusted" };

	fputs(" origin", out);
	if (s->origin)
		word(out, s->origin);
	switch (s->what) {
	case SIM_DO_ORIGIN_UP:
		fputs(" up", out);
		break;
	case SIM_DO_ORIGIN_DOWN:
		fputs(" down", out);
		break;
	case SIM_DO_ORIGIN_SILENT:
		fputs(" silent", out);
		break;
	case SIM_DO_ORIGIN_ANSWER:
		answer_words(out, s);
		break;
	case SIM_DO_ORIGIN_LOSE:
		fprintf(out, " loses answers %" PRIu64 "%%", s->a);
		break;
	case SIM_DO_ORIGIN_CUTS:
		fprintf(out, " breaks answers %" PRIu64 "%%", s->a);
		break;
	case SIM_DO_ORIGIN_GARBLE:
		fprintf(out, " garbles answers %" PRIu64 "%%", s->a);
		break;
	case SIM_DO_ORIGIN_CERT:
		fprintf(out, " certificate %s", certs[s->a]);
		break;
	case SIM_DO_ORIGIN_TOKENS:
		fputs(" wants tokens for", out);
		duration(out, s->a);
		break;
	case SIM_DO_ORIGIN_PUBLISH:
		fputs(" publishes", out);
		break;
	case SIM_DO_ORIGIN_VALUE:
		fputs(" has", out);
		quoted(out, s->body);
		fputs(" at", out);
		word(out, s->path);
		break;
	case SIM_DO_ORIGIN_SLOW:
		fputs(" slow", out);
		duration(out, s->a);
		break;
	default:
		fputs(" answers with", out);
		size(out, s->a);
		break;
	}
}

/* ---- expectations ---- */

static void statuses(FILE *out, const struct sim_step *s)
{
	size_t i;

	for (i = 0; i < SIM_STATUSES && (i == 0 || s->status[i]); i++)
		fprintf(out, "%s %u", i ? " or" : "", s->status[i]);
}

/* What stands between "expect" and the number. */
static const char *claim_words(enum sim_do what)
{
	switch (what) {
	case SIM_DO_EXPECT_RECEIVED:
		return " received";
	case SIM_DO_EXPECT_DELIVERED:
		return " delivered";
	case SIM_DO_EXPECT_LOST:
		return " lost";
	case SIM_DO_EXPECT_DUPLICATED:
		return " duplicated effects";
	case SIM_DO_EXPECT_CUTS:
		return " power cuts";
	case SIM_DO_EXPECT_RESTARTS:
		return " process restarts";
	case SIM_DO_EXPECT_ATTEMPTS:
		return " attempts at most";
	default:
		return " events at least";
	}
}

static void claim(FILE *out, const struct sim_step *s)
{
	switch (s->what) {
	case SIM_DO_EXPECT_ANSWER:
		statuses(out, s);
		break;
	case SIM_DO_EXPECT_QUEUE_EMPTY:
		fputs(" queue empty", out);
		break;
	case SIM_DO_EXPECT_ORDER_KEPT:
		fputs(" order kept", out);
		break;
	case SIM_DO_EXPECT_ANSWERS:
		fputs(" every answer", out);
		break;
	case SIM_DO_EXPECT_STATE:
		fprintf(out, " %s %" PRIu64, s->body, s->a);
		if (s->path) {
			fputs(" for", out);
			quoted(out, s->path);
		}
		break;
	case SIM_DO_EXPECT_IDLE:
		fputs(" idle for", out);
		duration(out, s->a);
		break;
	case SIM_DO_EXPECT_METERED:
		fputs(" metered at most", out);
		size(out, s->a);
		break;
	case SIM_DO_EXPECT_FETCHED:
		fputs(" fetched", out);
		quoted(out, s->path);
		number(out, s->a);
		break;
	case SIM_DO_EXPECT_PAGE:
		fprintf(out, " page %" PRIu64 "%s", s->a,
			s->b == 0 ? "" :
			s->b == 1 ? " from cache" :
				    " from origin");
		break;
	case SIM_DO_EXPECT_LOG:
	case SIM_DO_EXPECT_HEARD:
		fputs(s->what == SIM_DO_EXPECT_LOG ? " logged" : " heard", out);
		quoted(out, s->body);
		break;
	case SIM_DO_EXPECT_STALE:
		fputs(" stale", out);
		break;
	default:
		fputs(claim_words(s->what), out);
		number(out, s->a);
		break;
	}
}

static void expectation(FILE *out, const struct sim_step *s)
{
	fputs(" expect", out);
	if (s->device)
		word(out, s->device);
	if (s->origin) {
		fputs(" origin", out);
		word(out, s->origin);
	}
	claim(out, s);
	if (s->by_us != SIM_NEVER) {
		fputs(" by", out);
		duration(out, s->by_us);
	} else if (s->within_us != WITHIN_US) {
		fputs(" within", out);
		duration(out, s->within_us);
	}
}

/* ---- a step ---- */

static void device_words(FILE *out, const struct sim_step *s)
{
	switch (s->what) {
	case SIM_DO_LINK:
		link_words(out, s);
		break;
	case SIM_DO_LINK_FLAPS:
		flap_words(out, s);
		break;
	case SIM_DO_METERED:
		fputs(s->a ? " link metered" : " link unmetered", out);
		break;
	case SIM_DO_DNS:
		dns_words(out, s);
		break;
	case SIM_DO_NETWORK:
		network_words(out, s);
		break;
	case SIM_DO_CLOCK:
		clock_words(out, s);
		break;
	case SIM_DO_CUT:
		cut_words(out, s);
		break;
	case SIM_DO_BOOT:
		fputs(" boot", out);
		break;
	case SIM_DO_REBOOT_AFTER:
		reboot_words(out, s);
		break;
	case SIM_DO_DISK:
		disk_words(out, s);
		break;
	case SIM_DO_MEMORY:
		fprintf(out, " memory fails at allocation %" PRIu64, s->a);
		break;
	default:
		process_words(out, s);
		break;
	}
}

static void other_words(FILE *out, const struct sim_step *s)
{
	switch (s->what) {
	case SIM_DO_RETRY:
		fprintf(out, " operator retries order %" PRIu64, s->a);
		break;
	case SIM_DO_AIR:
		fprintf(out, s->panel ? " sensor %s" : " sensors", s->panel);
		network_words(out, s);
		break;
	case SIM_DO_RELEASE:
		fprintf(out, " release %" PRIu64, s->a);
		break;
	case SIM_DO_WAIT:
		fputs(" wait", out);
		duration(out, s->a);
		break;
	case SIM_DO_NOTE:
		fputs(" note", out);
		quoted(out, s->body);
		break;
	case SIM_DO_ALL_WELL:
		fputs(" all well", out);
		if (s->a != SIM_ALL_WELL_US) {
			fputs(" within", out);
			duration(out, s->a);
		}
		break;
	default:
		panel_words(out, s);
		break;
	}
}

/* Every word begins with the space before it. */
void sim_scribe_step(FILE *out, const struct sim_step *s)
{
	if (sim_step_expects(s)) {
		expectation(out, s);
		return;
	}
	if (s->device)
		word(out, s->device);
	if (s->what < SIM_DO_ORIGIN_UP)
		device_words(out, s);
	else if (s->what < SIM_DO_ORDER)
		origin_words(out, s);
	else
		other_words(out, s);
}

/* ---- a plan ---- */

static void when(FILE *out, const struct sim_step *s)
{
	if (s->at_us != SIM_NEVER) {
		fputs(" at", out);
		duration(out, s->at_us);
	}
	if (s->after_us) {
		fputs(" after", out);
		duration(out, s->after_us);
	}
	if (!s->every_low_us)
		return;
	if (s->times != SIM_NEVER)
		fprintf(out, " repeat %" PRIu64, s->times);
	fputs(" every", out);
	duration(out, s->every_low_us);
	fputs(" to", out);
	duration(out, s->every_high_us);
	if (s->until_us != SIM_NEVER) {
		fputs(" until", out);
		duration(out, s->until_us);
	}
}

static void header(FILE *out, const struct sim_plan *p)
{
	const uint64_t s = p->begins_us / SIM_US_PER_S;

	if (p->title) {
		fputs("title", out);
		quoted(out, p->title);
		fputc('\n', out);
	}
	if (p->seed)
		fprintf(out, "seed %" PRIu64 "\n", p->seed);
	if (p->has_clock)
		fprintf(out, "begins %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 "\n", s / 3600,
			s / 60 % 60, s % 60);
	if (p->lasts_us) {
		fputs("lasts", out);
		duration(out, p->lasts_us);
		fputc('\n', out);
	}
	sim_scribe_cast(out, &p->cast);
	if (p->config)
		fprintf(out, "config\n%send\n", p->config);
	if (p->manifest)
		fprintf(out, "manifest\n%send\n", p->manifest);
}

/* A line begins with its second letter: the first one is a space. */
static void step_line(FILE *out, const struct sim_step *step)
{
	char *text = NULL;
	size_t n = 0;
	FILE *line = open_memstream(&text, &n);

	sim_must(line);
	when(line, step);
	sim_scribe_step(line, step);
	fclose(line);
	fprintf(out, "%s\n", text + 1);
	free(text);
}

void sim_scribe_plan(FILE *out, const struct sim_plan *plan)
{
	size_t i;

	header(out, plan);
	fputc('\n', out);
	for (i = 0; i < plan->n; i++)
		step_line(out, &plan->v[i]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is cut into words (white space between them, "quoted text" is one).
 * Each parse function takes the words of its phrase and leaves the rest; what
 * is left at the end of the line is an error, at its column.
 */
#include "script.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>

#include "base/span.h"
#include "sim/mem.h"
#include "stage.h"

#define WORDS_MAX 64

struct word {
	struct hf_span text; /* without quotes */
	unsigned column;     /* from 1 */
	bool quoted;
};

struct script {
	const char *name;
	FILE *errors;
	struct sim_plan *plan;
	const char *next; /* the line after this one */
	struct hf_span line;
	unsigned number;
	struct word words[WORDS_MAX + 1]; /* one more than @n: the end of the line */
	unsigned n, at;
	unsigned faults;
	bool failed; /* this line has been complained about */
};

/* ---- faults ---- */

__attribute__((format(printf, 2, 3))) static bool fail(struct script *s, const char *fmt, ...)
{
	unsigned column = s->words[s->at].column;
	va_list ap;

	if (s->failed)
		return false;
	s->failed = true;
	s->faults++;
	fprintf(s->errors, "%s:%u:%u: ", s->name, s->number, column);
	va_start(ap, fmt);
	vfprintf(s->errors, fmt, ap);
	va_end(ap);
	fprintf(s->errors, "\n    %.*s\n    %*s^\n", HF_SPAN_ARG(s->line), (int)column - 1, "");
	return false;
}

/* ---- words ---- */

static void add_word(struct script *s, size_t from, size_t to, bool quoted)
{
	struct word *w = &s->words[s->n++];

	w->text = hf_span(s->line.ptr + from, to - from);
	w->column = (unsigned)from + 1 - quoted;
	w->quoted = quoted;
}

/* Tabs in front of the caret would move it: they count as one column. */
static void cut_words(struct script *s)
{
	struct hf_span l = s->line;
	size_t i = 0, from;

	s->n = 0;
	s->at = 0;
	while (i < l.len && s->n < WORDS_MAX) {
		if (isspace((unsigned char)l.ptr[i])) {
			i++;
			continue;
		}
		if (l.ptr[i] == '#')
			break;
		if (l.ptr[i] == '"') {
			from = ++i;
			while (i < l.len && l.ptr[i] != '"')
				i++;
			add_word(s, from, i, true);
			i += i < l.len;
			continue;
		}
		from = i;
		while (i < l.len && !isspace((unsigned char)l.ptr[i]))
			i++;
		add_word(s, from, i, false);
	}
	s->words[s->n].text = hf_span("", 0);
	s->words[s->n].column = (unsigned)i + 1;
	s->words[s->n].quoted = false;
}

static bool at_end(const struct script *s)
{
	return s->at == s->n;
}

static bool is_next(const struct script *s, const char *word)
{
	const struct word *w = &s->words[s->at];

	return !at_end(s) && !w->quoted && hf_span_eq_str(w->text, word);
}

/* Takes the word if it is the next one. */
static bool take(struct script *s, const char *word)
{
	if (!is_next(s, word))
		return false;
	s->at++;
	return true;
}

static bool need(struct script *s, const char *word)
{
	return take(s, word) || fail(s, "\"%s\" is expected here", word);
}

static bool need_text(struct script *s, const char *what, const char **out)
{
	const struct word *w = &s->words[s->at];

	if (at_end(s))
		return fail(s, "%s is expected here", what);
	*out = sim_plan_text(s->plan, w->text.ptr, w->text.len);
	s->at++;
	return true;
}

static bool need_number(struct script *s, uint64_t *out)
{
	struct hf_span text = s->words[s->at].text;

	if (text.len > 1 && text.ptr[text.len - 1] == '%')
		text.len--;
	if (at_end(s) || !hf_span_u64(text, out))
		return fail(s, "a number is expected here");
	s->at++;
	return true;
}

/* ---- times ---- */

static uint64_t unit_us(struct hf_span unit)
{
	static const struct {
		const char *word;
		uint64_t us;
	} units[] = {
		{ "us", 1 },
		{ "ms", SIM_US_PER_MS },
		{ "s", SIM_US_PER_S },
		{ "m", SIM_US_PER_MIN },
		{ "min", SIM_US_PER_MIN },
		{ "h", SIM_US_PER_H },
		{ "d", 24 * SIM_US_PER_H },
	};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (hf_span_eq_str(unit, units[i].word))
			return units[i].us;
	return 0;
}

/* "90s", "1h30m", "250ms". */
static bool duration(struct hf_span text, uint64_t *out)
{
	uint64_t total = 0;

	if (text.len == 0)
		return false;
	while (text.len > 0) {
		size_t digits = 0, letters = 0;
		uint64_t n, us;

		while (digits < text.len && isdigit((unsigned char)text.ptr[digits]))
			digits++;
		while (digits + letters < text.len &&
		       isalpha((unsigned char)text.ptr[digits + letters]))
			letters++;
		us = unit_us(hf_span(text.ptr + digits, letters));
		if (us == 0 || !hf_span_u64(hf_span(text.ptr, digits), &n) || n > 1000000)
			return false;
		total += n * us;
		text = hf_span_skip(text, digits + letters);
	}
	*out = total;
	return true;
}

static bool need_duration(struct script *s, uint64_t *out)
{
	if (at_end(s) || !duration(s->words[s->at].text, out))
		return fail(s, "a duration is expected here, like 40s, 1h30m or 250ms");
	s->at++;
	return true;
}

/* "10s to 40s" or "10s". */
static bool need_range(struct script *s, uint64_t *low, uint64_t *high)
{
	if (!need_duration(s, low))
		return false;
	*high = *low;
	if (take(s, "to") && !need_duration(s, high))
		return false;
	if (*low == 0 || *high < *low)
		return fail(s, "a range goes from a shorter to a longer time");
	return true;
}

/* "08:15" or "08:15:30" as microseconds since midnight. */
static bool time_of_day(struct hf_span text, uint64_t *out)
{
	uint64_t part[3] = { 0, 0, 0 };
	int n = 0;

	while (text.len > 0 && n < 3)
		if (!hf_span_u64(hf_span_cut(&text, ':'), &part[n++]))
			return false;
	if (n < 2 || text.len > 0 || part[0] > 24 || part[1] > 59 || part[2] > 59)
		return false;
	*out = ((part[0] * 60 + part[1]) * 60 + part[2]) * SIM_US_PER_S;
	return true;
}

/* A time of day is the first such moment at or after the beginning, or that of
 * "day N" (1 is the first). A duration counts from the beginning. */
static bool need_moment(struct script *s, uint64_t *out)
{
	const uint64_t day_us = 24 * SIM_US_PER_H;
	uint64_t day = 1, clock;

	if (take(s, "day") && (!need_number(s, &day) || day == 0))
		return fail(s, "days are numbered from 1");
	if (!at_end(s) && time_of_day(s->words[s->at].text, &clock)) {
		if (!s->plan->has_clock)
			return fail(s, "a time of day needs \"begins HH:MM\" above");
		s->at++;
		*out = (clock + day_us - s->plan->begins_us) % day_us + (day - 1) * day_us;
		return true;
	}
	if (at_end(s) || !duration(s->words[s->at].text, out))
		return fail(s, "a time is expected here, like 5s, 1h30m or 08:15");
	s->at++;
	*out += (day - 1) * day_us;
	return true;
}

/* ---- actions ---- */

static bool link_action(struct script *s, struct sim_step *step)
{
	step->what = SIM_DO_LINK;
	if (take(s, "up"))
		step->a = SIM_LINK_UP;
	else if (take(s, "down"))
		step->a = SIM_LINK_DOWN;
	else if (take(s, "dead"))
		step->a = SIM_LINK_DEAD;
	else if (take(s, "captive"))
		step->a = SIM_LINK_CAPTIVE;
	else
		return fail(s, "a link is up, down, dead or captive");
	return true;
}

static bool answer_action(struct script *s, struct sim_step *step)
{
	uint64_t us = 0;

	step->what = SIM_DO_ORIGIN_ANSWER;
	if (take(s, "normally"))
		return true;
	if (!need_number(s, &step->a))
		return false;
	if (step->a < 300 || step->a > 599) {
		s->at--;
		return fail(s, "an origin refuses with 300 to 599");
	}
	if (take(s, "retry-after")) {
		if (!need_duration(s, &us))
			return false;
		step->b = us / SIM_US_PER_S;
	}
	return true;
}

static bool origin_action(struct script *s, struct sim_step *step)
{
	if (take(s, "up")) {
		step->what = SIM_DO_ORIGIN_UP;
	} else if (take(s, "down")) {
		step->what = SIM_DO_ORIGIN_DOWN;
	} else if (take(s, "silent")) {
		step->what = SIM_DO_ORIGIN_SILENT;
	} else if (take(s, "answers")) {
		return answer_action(s, step);
	} else if (take(s, "loses")) {
		step->what = SIM_DO_ORIGIN_LOSE;
		step->a = 100;
		return need(s, "answers") && (at_end(s) || need_number(s, &step->a));
	} else if (take(s, "slow")) {
		step->what = SIM_DO_ORIGIN_SLOW;
		return need_duration(s, &step->a);
	} else {
		return fail(s, "an origin is up, down, silent or slow, answers or loses answers");
	}
	return true;
}

static bool need_path(struct script *s, const char **out)
{
	if (at_end(s) || s->words[s->at].text.len == 0 || s->words[s->at].text.ptr[0] != '/')
		return fail(s, "a path is expected here, like /api/orders");
	return need_text(s, "a path", out);
}

static bool panel_action(struct script *s, struct sim_step *step)
{
	static const char *const methods[] = { "POST", "PUT", "PATCH", "DELETE" };
	size_t i;

	if (take(s, "follows")) {
		step->what = SIM_DO_FOLLOW;
		return need(s, "events");
	}
	if (take(s, "GET")) {
		step->what = SIM_DO_GET;
		return need_path(s, &step->path);
	}
	step->what = SIM_DO_ORDER;
	for (i = 0; i < 4 && !step->method; i++)
		if (take(s, methods[i]))
			step->method = methods[i];
	if (!step->method)
		return fail(s, "a panel sends GET, POST, PUT, PATCH or DELETE, or follows events");
	if (!need_path(s, &step->path))
		return false;
	step->body = "";
	return !take(s, "body") || need_text(s, "a body", &step->body);
}

/* cut power [at write N [and at write M of the next start]] */
static bool cut_action(struct script *s, struct sim_step *step)
{
	step->what = SIM_DO_CUT;
	if (!need(s, "power"))
		return false;
	if (!take(s, "at"))
		return true;
	if (!need(s, "write") || !need_number(s, &step->a))
		return false;
	if (step->a == 0) {
		s->at--;
		return fail(s, "writes are counted from 1");
	}
	if (!take(s, "and"))
		return true;
	return need(s, "at") && need(s, "write") && need_number(s, &step->b) && need(s, "of") &&
	       need(s, "the") && need(s, "next") && need(s, "start");
}

static bool disk_action(struct script *s, struct sim_step *step)
{
	if (take(s, "full"))
		step->what = SIM_DO_DISK_FULL;
	else if (take(s, "free"))
		step->what = SIM_DO_DISK_FREE;
	else
		return fail(s, "a disk is full or free");
	return true;
}

static bool reboot_action(struct script *s, struct sim_step *step)
{
	step->what = SIM_DO_REBOOT_AFTER;
	if (take(s, "by")) {
		step->a = SIM_NEVER;
		return need(s, "hand");
	}
	return need(s, "after") && need_duration(s, &step->a);
}

/* ---- expectations ---- */

static bool expect_statuses(struct script *s, struct sim_step *step)
{
	uint64_t status;
	size_t i = 0;

	step->what = SIM_DO_EXPECT_ANSWER;
	do {
		if (!need_number(s, &status))
			return false;
		if (status > 599 || i == SIM_STATUSES) {
			s->at--;
			return fail(s, "up to %d statuses below 600 are expected here",
				    SIM_STATUSES);
		}
		step->status[i++] = (uint16_t)status;
	} while (take(s, "or"));
	return true;
}

static bool expect_what(struct script *s, struct sim_step *step)
{
	if (take(s, "origin")) {
		step->what = SIM_DO_EXPECT_RECEIVED;
		return need(s, "received") && need_number(s, &step->a);
	}
	if (take(s, "delivered")) {
		step->what = SIM_DO_EXPECT_DELIVERED;
		return need_number(s, &step->a);
	}
	if (take(s, "order")) {
		step->what = SIM_DO_EXPECT_ORDER_KEPT;
		return need(s, "kept");
	}
	if (take(s, "lost")) {
		step->what = SIM_DO_EXPECT_LOST;
		return need_number(s, &step->a);
	}
	if (take(s, "duplicated")) {
		step->what = SIM_DO_EXPECT_DUPLICATED;
		return need(s, "effects") && need_number(s, &step->a);
	}
	if (take(s, "queue")) {
		step->what = SIM_DO_EXPECT_QUEUE_EMPTY;
		return need(s, "empty");
	}
	if (take(s, "every")) {
		step->what = SIM_DO_EXPECT_ANSWERS;
		return need(s, "answer");
	}
	if (take(s, "power")) {
		step->what = SIM_DO_EXPECT_CUTS;
		return need(s, "cuts") && need_number(s, &step->a);
	}
	if (!at_end(s) && isdigit((unsigned char)s->words[s->at].text.ptr[0]))
		return expect_statuses(s, step);
	return fail(s, "a status is expected here, or: origin received, delivered, order kept, "
		       "lost, duplicated effects, queue empty, every answer, power cuts");
}

static bool expect_action(struct script *s, struct sim_step *step)
{
	if (!expect_what(s, step))
		return false;
	if (take(s, "within"))
		return need_duration(s, &step->within_us);
	if (take(s, "by"))
		return need_moment(s, &step->by_us);
	return true;
}

static bool action(struct script *s, struct sim_step *step)
{
	if (take(s, "link"))
		return link_action(s, step);
	if (take(s, "origin"))
		return origin_action(s, step);
	if (take(s, "panel"))
		return panel_action(s, step);
	if (take(s, "cut"))
		return cut_action(s, step);
	if (take(s, "reboot"))
		return reboot_action(s, step);
	if (take(s, "expect"))
		return expect_action(s, step);
	if (take(s, "disk"))
		return disk_action(s, step);
	if (take(s, "boot")) {
		step->what = SIM_DO_BOOT;
		return true;
	}
	if (take(s, "wait")) {
		step->what = SIM_DO_WAIT;
		return need_duration(s, &step->a);
	}
	if (take(s, "note")) {
		step->what = SIM_DO_NOTE;
		return need_text(s, "a text", &step->body);
	}
	return fail(s, "a step begins with link, origin, panel, disk, cut, boot, reboot, wait, "
		       "note or expect");
}

/* ---- when ---- */

/* at TIME | after DURATION | every RANGE [until TIME] | repeat N every RANGE */
static bool when(struct script *s, struct sim_step *step)
{
	if (take(s, "at") && !need_moment(s, &step->at_us))
		return false;
	if (take(s, "after") && !need_duration(s, &step->after_us))
		return false;
	if (take(s, "repeat")) {
		return need_number(s, &step->times) && need(s, "every") &&
		       need_range(s, &step->every_low_us, &step->every_high_us);
	}
	if (take(s, "every")) {
		step->times = SIM_NEVER;
		if (!need_range(s, &step->every_low_us, &step->every_high_us))
			return false;
		return !take(s, "until") || need_moment(s, &step->until_us);
	}
	return true;
}

static bool step_line(struct script *s)
{
	struct sim_step *step = sim_plan_add(s->plan, SIM_DO_WAIT);
	struct sim_step built;

	step->line = s->number;
	if (!when(s, step))
		return false;
	step->column = s->words[s->at].column;
	built = *step; /* texts may move the list */
	if (!action(s, &built))
		return false;
	if (built.every_low_us && sim_step_expects(&built))
		return fail(s, "an expectation stands alone");
	s->plan->v[s->plan->n - 1] = built;
	return true;
}

/* ---- the header ---- */

static bool next_line(struct script *s)
{
	const char *end;

	if (!*s->next)
		return false;
	end = strchr(s->next, '\n');
	s->line = hf_span(s->next, end ? (size_t)(end - s->next) : strlen(s->next));
	if (s->line.len && s->line.ptr[s->line.len - 1] == '\r')
		s->line.len--;
	s->next = end ? end + 1 : s->next + strlen(s->next);
	s->number++;
	s->failed = false;
	cut_words(s);
	return true;
}

/* The lines up to one that says "end", as they are. */
static bool block(struct script *s, char **out)
{
	const char *from = s->next, *to;

	if (*out)
		return fail(s, "there is one already");
	for (;;) {
		to = s->next;
		if (!next_line(s))
			return fail(s, "the block has no \"end\"");
		if (s->n == 1 && is_next(s, "end"))
			break;
	}
	s->at = 1;
	*out = sim_alloc((size_t)(to - from) + 1);
	memcpy(*out, from, (size_t)(to - from));
	return true;
}

static bool title_line(struct script *s)
{
	const char *text = NULL;

	if (!need_text(s, "a title", &text))
		return false;
	free(s->plan->title);
	s->plan->title = sim_strdup(text);
	return true;
}

static bool begins_line(struct script *s)
{
	if (at_end(s) || !time_of_day(s->words[s->at].text, &s->plan->begins_us))
		return fail(s, "a time of day is expected here, like 06:00");
	s->at++;
	s->plan->has_clock = true;
	return true;
}

static bool whole_line(struct script *s)
{
	if (take(s, "title"))
		return title_line(s);
	if (take(s, "begins"))
		return begins_line(s);
	if (take(s, "lasts"))
		return need_duration(s, &s->plan->lasts_us);
	if (take(s, "config"))
		return block(s, &s->plan->config);
	if (take(s, "manifest"))
		return block(s, &s->plan->manifest);
	return step_line(s);
}

int sim_script_parse(const char *name, const char *text, struct sim_plan *plan, FILE *errors)
{
	struct script s = { .name = name, .errors = errors, .plan = plan, .next = text };

	while (next_line(&s)) {
		if (s.n == 0)
			continue;
		if (whole_line(&s) && !at_end(&s))
			fail(&s, "the line should end here");
	}
	return s.faults ? -1 : 0;
}

int sim_script_load(const char *path, struct sim_plan *plan, FILE *errors)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t size = 0;
	ssize_t n;
	int err;

	if (!f) {
		fprintf(errors, "%s: %m\n", path);
		return -1;
	}
	n = getdelim(&text, &size, '\0', f);
	err = sim_script_parse(path, n < 0 ? "" : text, plan, errors);
	free(text);
	fclose(f);
	return err;
}

void sim_script_line(const char *text, unsigned number, char *out, size_t size)
{
	const char *end;

	while (number > 1 && (text = strchr(text, '\n'))) {
		text++;
		number--;
	}
	end = text ? strchr(text, '\n') : NULL;
	snprintf(out, size, "%.*s", text ? (int)(end ? end - text : (long)strlen(text)) : 0,
		 text ? text : "");
}

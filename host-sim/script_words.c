/* SPDX-License-Identifier: Apache-2.0 */
#include "script_words.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "script.h"

/* ---- faults ---- */

bool sim_words_fail(struct sim_script *s, const char *fmt, ...)
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

static void add_word(struct sim_script *s, size_t from, size_t to, bool quoted)
{
	struct sim_word *w = &s->words[s->n++];

	w->text = hf_span(s->line.ptr + from, to - from);
	w->column = (unsigned)from + 1 - quoted;
	w->quoted = quoted;
}

/* Tabs in front of the caret would move it: they count as one column. */
static void cut_words(struct sim_script *s)
{
	struct hf_span l = s->line;
	size_t i = 0, from;

	s->n = 0;
	s->at = 0;
	while (i < l.len && s->n < SIM_WORDS_MAX) {
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

bool sim_words_end(const struct sim_script *s)
{
	return s->at == s->n;
}

bool sim_words_is(const struct sim_script *s, const char *word)
{
	const struct sim_word *w = &s->words[s->at];

	return !sim_words_end(s) && !w->quoted && hf_span_eq_str(w->text, word);
}

bool sim_words_take(struct sim_script *s, const char *word)
{
	if (!sim_words_is(s, word))
		return false;
	s->at++;
	return true;
}

bool sim_words_need(struct sim_script *s, const char *word)
{
	return sim_words_take(s, word) || sim_words_fail(s, "\"%s\" is expected here", word);
}

bool sim_words_text(struct sim_script *s, const char *what, const char **out)
{
	const struct sim_word *w = &s->words[s->at];

	if (sim_words_end(s))
		return sim_words_fail(s, "%s is expected here", what);
	*out = sim_plan_text(s->plan, w->text.ptr, w->text.len);
	s->at++;
	return true;
}

bool sim_words_number(struct sim_script *s, uint64_t *out)
{
	struct hf_span text = s->words[s->at].text;

	if (text.len > 1 && text.ptr[text.len - 1] == '%')
		text.len--;
	if (sim_words_end(s) || !hf_span_u64(text, out))
		return sim_words_fail(s, "a number is expected here");
	s->at++;
	return true;
}

bool sim_words_size(struct sim_script *s, uint64_t *bytes)
{
	struct hf_span text = s->words[s->at].text, unit = text;
	uint64_t factor = 0;

	while (unit.len > 0 && isdigit((unsigned char)unit.ptr[0]))
		unit = hf_span_skip(unit, 1);
	text.len -= unit.len;
	if (hf_span_eq_str(unit, "B"))
		factor = 1;
	else if (hf_span_eq_str(unit, "kB"))
		factor = 1000;
	else if (hf_span_eq_str(unit, "MB"))
		factor = 1000000;
	if (sim_words_end(s) || factor == 0 || !hf_span_u64(text, bytes) ||
	    *bytes > 64000000 / factor)
		return sim_words_fail(s, "a size is expected here, like 500B, 200kB or 3MB");
	*bytes *= factor;
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

bool sim_duration_read(struct hf_span text, uint64_t *out)
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

bool sim_words_duration(struct sim_script *s, uint64_t *out)
{
	if (sim_words_end(s) || !sim_duration_read(s->words[s->at].text, out))
		return sim_words_fail(s, "a duration is expected here, like 40s, 1h30m or 250ms");
	s->at++;
	return true;
}

bool sim_words_range(struct sim_script *s, uint64_t *low, uint64_t *high)
{
	if (!sim_words_duration(s, low))
		return false;
	*high = *low;
	if (sim_words_take(s, "to") && !sim_words_duration(s, high))
		return false;
	if (*low == 0 || *high < *low)
		return sim_words_fail(s, "a range goes from a shorter to a longer time");
	return true;
}

bool sim_words_time_of_day(struct sim_script *s, uint64_t *out)
{
	struct hf_span text = s->words[s->at].text;
	uint64_t part[3] = { 0, 0, 0 };
	int n = 0;

	while (text.len > 0 && n < 3)
		if (!hf_span_u64(hf_span_cut(&text, ':'), &part[n++]))
			return false;
	if (n < 2 || text.len > 0 || part[0] > 24 || part[1] > 59 || part[2] > 59)
		return false;
	*out = ((part[0] * 60 + part[1]) * 60 + part[2]) * SIM_US_PER_S;
	s->at++;
	return true;
}

bool sim_words_moment(struct sim_script *s, uint64_t *out)
{
	const uint64_t day_us = 24 * SIM_US_PER_H;
	uint64_t day = 1, clock;

	if (sim_words_take(s, "day") && (!sim_words_number(s, &day) || day == 0))
		return sim_words_fail(s, "days are numbered from 1");
	if (sim_words_time_of_day(s, &clock)) {
		if (!s->plan->has_clock) {
			s->at--;
			return sim_words_fail(s, "a time of day needs \"begins HH:MM\" above");
		}
		*out = (clock + day_us - s->plan->begins_us) % day_us + (day - 1) * day_us;
		return true;
	}
	if (sim_words_end(s) || !sim_duration_read(s->words[s->at].text, out))
		return sim_words_fail(s, "a time is expected here, like 5s, 1h30m or 08:15");
	s->at++;
	*out += (day - 1) * day_us;
	return true;
}

/* ---- lines ---- */

bool sim_words_next_line(struct sim_script *s)
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

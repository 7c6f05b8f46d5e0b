/* SPDX-License-Identifier: Apache-2.0 */
#include "http/cache_control.h"

#include "http/date.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- values ---- */

/* Digits only; what does not fit is HF_DELTA_MAX. */
static bool parse_delta(struct hf_span s, int32_t *out)
{
	uint64_t number = 0;
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(s.ptr[i] - '0');
		if (number > HF_DELTA_MAX)
			number = HF_DELTA_MAX;
	}
	*out = (int32_t)number;
	return s.len > 0;
}

/* Takes the quotes off. False when they are not a pair around all of it. */
static bool unquote(struct hf_span *s)
{
	if (s->len == 0 || s->ptr[0] != '"')
		return true;
	if (s->len < 2 || s->ptr[s->len - 1] != '"')
		return false;
	*s = hf_span(s->ptr + 1, s->len - 2);
	return !memchr(s->ptr, '"', s->len);
}

struct directive {
	struct hf_span name;
	struct hf_span value;	/* without quotes */
	bool has_value, is_bad; /* bad: quotes or spaces around '=' */
};

static void read_directive(struct hf_span member, struct directive *d)
{
	const char *equals = memchr(member.ptr, '=', member.len);
	struct hf_span value;

	d->has_value = equals != NULL;
	d->name = d->has_value ? hf_span_cut(&member, '=') : member;
	value = d->has_value ? member : hf_span(NULL, 0);
	d->value = hf_span_trim(value);
	d->is_bad = d->value.len != value.len || hf_span_trim(d->name).len != d->name.len;
	d->name = hf_span_trim(d->name);
	if (!unquote(&d->value))
		d->is_bad = true;
}

/* ---- one directive ---- */

static bool is_name_list(struct hf_span list)
{
	struct hf_span member;
	size_t n = 0;

	for (; hf_list_next(&list, &member); n++)
		if (!hf_is_token(member))
			return false;
	return n > 0;
}

static void read_names(const struct directive *d, bool *all, struct hf_cache_names *names)
{
	if (!d->has_value || d->is_bad || names->n == COUNT(names->list) || !is_name_list(d->value))
		*all = true;
	else
		names->list[names->n++] = d->value;
}

static int32_t *delta_of(struct hf_cache_control *cc, struct hf_span name, int32_t *otherwise)
{
	const struct {
		const char *name;
		int32_t *delta;
		int32_t otherwise; /* for a value that is no number */
	} deltas[] = {
		{ "max-age", &cc->max_age, 0 },
		{ "s-maxage", &cc->s_maxage, 0 },
		{ "stale-while-revalidate", &cc->stale_while_revalidate, HF_DELTA_NONE },
		{ "stale-if-error", &cc->stale_if_error, HF_DELTA_NONE },
		{ "max-stale", &cc->max_stale, HF_DELTA_NONE },
		{ "min-fresh", &cc->min_fresh, HF_DELTA_NONE },
	};
	size_t i;

	for (i = 0; i < COUNT(deltas); i++) {
		if (hf_span_ieq_str(name, deltas[i].name)) {
			*otherwise = deltas[i].otherwise;
			return deltas[i].delta;
		}
	}
	return NULL;
}

static void read_delta(const struct directive *d, struct hf_cache_control *cc)
{
	int32_t otherwise, *delta = delta_of(cc, d->name, &otherwise);

	if (!delta || *delta != HF_DELTA_NONE)
		return;
	if (delta == &cc->max_stale && !d->has_value)
		*delta = HF_DELTA_ANY;
	else if (d->is_bad || !parse_delta(d->value, delta))
		*delta = otherwise;
}

static void read_flag(struct hf_span name, struct hf_cache_control *cc)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "no-store", &cc->no_store },
		{ "public", &cc->is_public },
		{ "must-revalidate", &cc->must_revalidate },
		{ "proxy-revalidate", &cc->proxy_revalidate },
		{ "must-understand", &cc->must_understand },
		{ "no-transform", &cc->no_transform },
		{ "immutable", &cc->immutable },
		{ "only-if-cached", &cc->only_if_cached },
	};
	size_t i;

	for (i = 0; i < COUNT(flags); i++)
		if (hf_span_ieq_str(name, flags[i].name))
			*flags[i].flag = true;
}

static void apply(const struct directive *d, struct hf_cache_control *cc)
{
	if (hf_span_ieq_str(d->name, "no-cache"))
		read_names(d, &cc->no_cache, &cc->no_cache_names);
	else if (hf_span_ieq_str(d->name, "private"))
		read_names(d, &cc->is_private, &cc->private_names);
	else
		read_flag(d->name, cc);
	read_delta(d, cc);
}

/* ---- fields ---- */

void hf_cache_control_parse(const struct hf_fields *fields, struct hf_cache_control *out)
{
	struct hf_span rest, member;
	struct directive d;
	size_t i;

	*out = (struct hf_cache_control){
		.max_age = HF_DELTA_NONE,
		.s_maxage = HF_DELTA_NONE,
		.stale_while_revalidate = HF_DELTA_NONE,
		.stale_if_error = HF_DELTA_NONE,
		.max_stale = HF_DELTA_NONE,
		.min_fresh = HF_DELTA_NONE,
	};
	for (i = 0; i < fields->n; i++) {
		if (!hf_span_ieq_str(fields->v[i].name, "Cache-Control"))
			continue;
		out->present = true;
		rest = fields->v[i].value;
		while (hf_list_next(&rest, &member)) {
			read_directive(member, &d);
			apply(&d, out);
		}
	}
}

void hf_cache_control_parse_request(const struct hf_fields *fields, struct hf_cache_control *out)
{
	hf_cache_control_parse(fields, out);
	if (!out->present && hf_fields_has_token(fields, "Pragma", "no-cache"))
		out->no_cache = true;
}

bool hf_cache_names_have(const struct hf_cache_names *names, struct hf_span name)
{
	struct hf_span rest, member;
	size_t i;

	for (i = 0; i < names->n; i++) {
		rest = names->list[i];
		while (hf_list_next(&rest, &member))
			if (hf_span_ieq(member, name))
				return true;
	}
	return false;
}

int32_t hf_age_parse(const struct hf_fields *fields)
{
	const struct hf_span *line = hf_fields_get(fields, "Age");
	struct hf_span rest;
	int32_t age;

	if (!line)
		return 0;
	rest = *line;
	return parse_delta(hf_span_trim(hf_span_cut(&rest, ',')), &age) ? age : 0;
}

bool hf_expires_parse(const struct hf_fields *fields, int64_t *unix_s)
{
	const struct hf_span *first = hf_fields_get(fields, "Expires");
	size_t i;

	if (!first)
		return false;
	if (hf_http_date_parse(hf_span_trim(*first), unix_s))
		*unix_s = INT64_MIN;
	for (i = 0; i < fields->n; i++)
		if (hf_span_ieq_str(fields->v[i].name, "Expires") &&
		    !hf_span_eq(fields->v[i].value, *first))
			*unix_s = INT64_MIN;
	return true;
}

bool hf_field_date(const struct hf_fields *fields, const char *name, int64_t *unix_s)
{
	const struct hf_span *line = hf_fields_get(fields, name);

	return line && hf_fields_count(fields, name) == 1 &&
	       !hf_http_date_parse(hf_span_trim(*line), unix_s);
}

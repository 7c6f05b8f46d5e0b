/* SPDX-License-Identifier: Apache-2.0 */
#include "http/vary.h"

#define PREFERENCES_MAX 32

struct text {
	char *p;
	size_t n, cap;
};

static void put(struct text *t, const char *bytes, size_t n)
{
	if (n == 0 || n > t->cap - t->n)
		return;
	memcpy(t->p + t->n, bytes, n);
	t->n += n;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static void put_lower(struct text *t, struct hf_span s)
{
	size_t i;
	char c;

	for (i = 0; i < s.len; i++) {
		c = lower(s.ptr[i]);
		put(t, &c, 1);
	}
}

/* ---- preferences: Accept-Language, Accept-Encoding ---- */

struct preference {
	struct hf_span what;
	unsigned q; /* thousandths */
};

struct preferences {
	struct preference v[PREFERENCES_MAX];
	size_t n;
};

/* "0", "0.5", "1.000": at most three decimals (RFC 9110 section 12.4.2). */
static bool parse_q(struct hf_span s, unsigned *q)
{
	unsigned scale = 1000;
	size_t i;

	if (s.len == 0 || s.len > 5 || (s.len > 1 && s.ptr[1] != '.'))
		return false;
	*q = 0;
	for (i = 0; i < s.len; i++) {
		if (i == 1)
			continue;
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		*q += (unsigned)(s.ptr[i] - '0') * scale;
		scale /= 10;
	}
	return *q <= 1000;
}

/* "de", "de;q=0.5" */
static bool parse_preference(struct hf_span member, struct preference *p)
{
	struct hf_span value = member, name;

	p->what = hf_span_trim(hf_span_cut(&value, ';'));
	p->q = 1000;
	if (!hf_is_token(p->what))
		return false;
	if (!value.ptr)
		return true;
	name = hf_span_trim(hf_span_cut(&value, '='));
	return hf_span_ieq_str(name, "q") && parse_q(hf_span_trim(value), &p->q);
}

/* By name without regard to case, then by weight. */
static int compare(const struct preference *a, const struct preference *b)
{
	size_t i, n = a->what.len < b->what.len ? a->what.len : b->what.len;

	for (i = 0; i < n; i++) {
		int d = (unsigned char)lower(a->what.ptr[i]) - (unsigned char)lower(b->what.ptr[i]);

		if (d)
			return d;
	}
	if (a->what.len != b->what.len)
		return a->what.len < b->what.len ? -1 : 1;
	return (int)a->q - (int)b->q;
}

static void insert(struct preferences *all, const struct preference *p)
{
	size_t i = all->n++;

	for (; i > 0 && compare(&all->v[i - 1], p) > 0; i--)
		all->v[i] = all->v[i - 1];
	all->v[i] = *p;
}

/* Sorted; false when one cannot be read or there are too many. */
static bool read_preferences(const struct hf_fields *request, struct hf_span name,
			     struct preferences *all)
{
	struct hf_span rest, member;
	struct preference p;
	size_t i;

	all->n = 0;
	for (i = 0; i < request->n; i++) {
		if (!hf_span_ieq(request->v[i].name, name))
			continue;
		rest = request->v[i].value;
		while (hf_list_next(&rest, &member)) {
			if (all->n == PREFERENCES_MAX || !parse_preference(member, &p))
				return false;
			insert(all, &p);
		}
	}
	return true;
}

static void put_preferences(struct text *t, const struct preferences *all)
{
	static const char digits[] = "0123456789";
	size_t i;
	unsigned q, scale;

	for (i = 0; i < all->n; i++) {
		if (i > 0)
			put(t, ",", 1);
		put_lower(t, all->v[i].what);
		if (all->v[i].q == 1000)
			continue;
		put(t, ";q=", 3);
		for (q = all->v[i].q, scale = 100; scale > 0 && q > 0; q %= scale, scale /= 10)
			put(t, digits + q / scale, 1);
	}
}

/* ---- one field ---- */

static bool is_preference(struct hf_span name)
{
	return hf_span_ieq_str(name, "Accept-Language") || hf_span_ieq_str(name, "Accept-Encoding");
}

static void put_list(struct text *t, const struct hf_fields *request, struct hf_span name)
{
	struct hf_span rest, member;
	bool first = true;
	size_t i;

	for (i = 0; i < request->n; i++) {
		if (!hf_span_ieq(request->v[i].name, name))
			continue;
		rest = request->v[i].value;
		while (hf_list_next(&rest, &member)) {
			if (!first)
				put(t, ",", 1);
			put(t, member.ptr, member.len);
			first = false;
		}
	}
}

/* The most bytes that the line of @name takes: no normal form is longer than
 * what it is made of. */
static size_t line_bound(const struct hf_fields *request, struct hf_span name)
{
	size_t i, n = name.len + 2;

	for (i = 0; i < request->n; i++)
		if (hf_span_ieq(request->v[i].name, name))
			n += request->v[i].value.len + 1;
	return n;
}

static bool is_present(const struct hf_fields *request, struct hf_span name)
{
	size_t i;

	for (i = 0; i < request->n; i++)
		if (hf_span_ieq(request->v[i].name, name))
			return true;
	return false;
}

static void put_line(struct text *t, const struct hf_fields *request, struct hf_span name)
{
	struct preferences all;

	put_lower(t, name);
	if (is_present(request, name)) {
		put(t, ":", 1);
		if (is_preference(name) && read_preferences(request, name, &all))
			put_preferences(t, &all);
		else
			put_list(t, request, name);
	}
	put(t, "\n", 1);
}

/* ---- the key ---- */

struct names {
	struct preference v[HF_VARY_NAMES_MAX]; /* sorted, each once; q is not used */
	size_t n;
};

static void add_name(struct names *all, struct hf_span name)
{
	struct preference p = { .what = name };
	size_t i = all->n;

	while (i > 0 && compare(&all->v[i - 1], &p) > 0)
		i--;
	if (i > 0 && compare(&all->v[i - 1], &p) == 0)
		return;
	memmove(&all->v[i + 1], &all->v[i], (all->n - i) * sizeof(p));
	all->v[i] = p;
	all->n++;
}

/* False: see hf_vary_is_star(). */
static bool read_names(const struct hf_fields *response, struct names *all)
{
	struct hf_span rest, member;
	size_t i;

	all->n = 0;
	for (i = 0; i < response->n; i++) {
		if (!hf_span_ieq_str(response->v[i].name, "Vary"))
			continue;
		rest = response->v[i].value;
		while (hf_list_next(&rest, &member)) {
			if (all->n == HF_VARY_NAMES_MAX || hf_span_eq_str(member, "*") ||
			    !hf_is_token(member))
				return false;
			add_name(all, member);
		}
	}
	return true;
}

bool hf_vary_is_star(const struct hf_fields *response)
{
	struct names all;

	return !read_names(response, &all);
}

struct hf_span hf_vary_key(struct hf_arena *arena, const struct hf_fields *response,
			   const struct hf_fields *request)
{
	struct text t = { .n = 0 };
	struct names all;
	size_t i;

	if (!read_names(response, &all))
		return HF_SPAN("*\n");
	if (all.n == 0)
		return HF_SPAN("");
	for (i = 0; i < all.n; i++)
		t.cap += line_bound(request, all.v[i].what);
	if (t.cap > HF_VARY_KEY_MAX)
		return HF_SPAN("*\n");
	t.p = hf_arena_alloc(arena, t.cap);
	if (!t.p)
		return hf_span(NULL, 0);
	for (i = 0; i < all.n; i++)
		put_line(&t, request, all.v[i].what);
	return hf_span(t.p, t.n);
}

/* ---- matching ---- */

/* Whether @request rates @language above all else it names. */
static bool prefers(const struct hf_fields *request, struct hf_span language)
{
	struct preferences all;
	unsigned best = 0, rivals = 0;
	size_t i;

	if (language.len == 0 || !read_preferences(request, HF_SPAN("Accept-Language"), &all))
		return false;
	for (i = 0; i < all.n; i++)
		if (hf_span_ieq(all.v[i].what, language))
			best = all.v[i].q;
	for (i = 0; i < all.n; i++)
		rivals += all.v[i].q >= best;
	return best > 0 && rivals == 1;
}

static bool line_matches(struct hf_arena *scratch, struct hf_span line,
			 const struct hf_fields *request, struct hf_span language)
{
	struct hf_span rest = line, name = hf_span_cut(&rest, ':');
	struct text t = { .n = 0 };

	if (hf_span_eq_str(name, "*"))
		return false;
	t.cap = line_bound(request, name);
	t.p = t.cap <= HF_VARY_KEY_MAX ? hf_arena_alloc(scratch, t.cap) : NULL;
	if (!t.p)
		return false;
	put_line(&t, request, name);
	if (hf_span_eq(hf_span(t.p, t.n - 1), line))
		return true;
	return hf_span_eq_str(name, "accept-language") && prefers(request, language);
}

static bool matches(struct hf_arena *scratch, struct hf_span key, const struct hf_fields *request,
		    struct hf_span language, struct hf_span but)
{
	struct hf_span line;

	while (key.len > 0) {
		line = hf_span_cut(&key, '\n');
		if (but.len > 0 &&
		    hf_span_eq(hf_span_cut(&(struct hf_span){ line.ptr, line.len }, ':'), but))
			continue;
		if (!line_matches(scratch, line, request, language))
			return false;
	}
	return true;
}

bool hf_vary_match(struct hf_arena *scratch, struct hf_span key, const struct hf_fields *request,
		   struct hf_span content_language)
{
	return matches(scratch, key, request, content_language, hf_span(NULL, 0));
}

bool hf_vary_match_any_encoding(struct hf_arena *scratch, struct hf_span key,
				const struct hf_fields *request, struct hf_span content_language)
{
	return matches(scratch, key, request, content_language, HF_SPAN("accept-encoding"));
}

/* ---- content codings ---- */

/* The next coding of @response; @at counts its fields. */
static bool next_coding(const struct hf_fields *response, size_t *at, struct hf_span *rest,
			struct hf_span *coding)
{
	for (;;) {
		while (hf_list_next(rest, coding))
			if (!hf_span_ieq_str(*coding, "identity"))
				return true;
		while (*at < response->n &&
		       !hf_span_ieq_str(response->v[*at].name, "Content-Encoding"))
			++*at;
		if (*at == response->n)
			return false;
		*rest = response->v[(*at)++].value;
	}
}

bool hf_is_identity(const struct hf_fields *response)
{
	struct hf_span rest = HF_SPAN(""), coding;
	size_t at = 0;

	return !next_coding(response, &at, &rest, &coding);
}

static bool same_coding(struct hf_span a, struct hf_span b)
{
	if (a.len > 2 && hf_span_ieq(hf_span(a.ptr, 2), HF_SPAN("x-")))
		a = hf_span_skip(a, 2); /* x-gzip is gzip (RFC 9110 section 8.4.1.3) */
	if (b.len > 2 && hf_span_ieq(hf_span(b.ptr, 2), HF_SPAN("x-")))
		b = hf_span_skip(b, 2);
	return hf_span_ieq(a, b);
}

/* What is not named is as "*" says, else @otherwise. */
static bool is_taken(const struct preferences *all, struct hf_span coding, bool otherwise)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (same_coding(all->v[i].what, coding))
			return all->v[i].q > 0;
	for (i = 0; i < all->n; i++)
		if (hf_span_eq_str(all->v[i].what, "*"))
			return all->v[i].q > 0;
	return otherwise;
}

bool hf_accepts_encoding(const struct hf_fields *request, const struct hf_fields *response)
{
	struct hf_span name = HF_SPAN("Accept-Encoding"), rest = HF_SPAN(""), coding;
	struct preferences all;
	size_t at = 0;

	if (!is_present(request, name))
		return true;
	if (!read_preferences(request, name, &all))
		all.n = 0;
	if (hf_is_identity(response))
		return is_taken(&all, HF_SPAN("identity"), true);
	while (next_coding(response, &at, &rest, &coding))
		if (!is_taken(&all, coding, false))
			return false;
	return true;
}

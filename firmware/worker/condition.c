/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions: read from the manifest into a tree, matched by walking it.
 *
 * A condition without requestMethod is about GET and HEAD, unless the route has
 * a queue. This rule holds for each branch of an "or" by itself; a "not" is one
 * condition with all that is in it, so that {"not": {"urlPattern": "/a"}} does
 * not suddenly match every POST.
 */
#include "worker/condition.h"

#include <assert.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "holdfast/err.h"
#include "http/message.h"
#include "http/url_pattern.h"

#define PATTERN_BYTES_MAX 2048
#define METHOD_BYTES_MAX  32
#define COUNT(array)	  (sizeof(array) / sizeof((array)[0]))

enum {
	KEY_PATTERN,
	KEY_METHOD,
	KEY_MODE,
	KEY_DESTINATION,
	KEY_OR,
	KEY_NOT,
	KEYS
};
static const char *const keys[KEYS] = {
	"urlPattern", "requestMethod", "requestMode", "requestDestination", "or", "not",
};

static const char *const modes[] = {
	"cors", "navigate", "no-cors", "same-origin", "websocket",
};
static const char *const destinations[] = {
	"audio",	"audioworklet", "document", "embed",	   "empty",  "fencedframe",
	"font",		"frame",	"iframe",   "image",	   "json",   "manifest",
	"object",	"paintworklet", "report",   "script",	   "style",  "serviceworker",
	"sharedworker", "track",	"video",    "webidentity", "worker", "xslt",
};

/* ---- reading ---- */

static struct hf_url_pattern *read_pattern(struct hf_json_doc *d, const cJSON *item, char **text)
{
	struct hf_url_pattern *pattern = NULL;
	const char *s, *words = "";
	size_t at = 0;
	int err;

	*text = hf_json_text_dup(d, item, PATTERN_BYTES_MAX);
	if (!*text)
		return NULL;
	s = *text;
	if (s[0] != '/' && s[0] != '*' && s[0] != '{') {
		hf_json_fault(d, item,
			      "must begin with \"/\": routes are about the paths of "
			      "their worker's origin");
		return NULL;
	}
	err = hf_url_pattern_compile(hf_span_str(s), &pattern, &at, &words);
	if (err == HF_ENOMEM)
		d->faults->nomem = true;
	else if (err)
		hf_json_fault(d, item, "at character %zu: %s", at + 1, words);
	return err ? NULL : pattern;
}

/* As the Fetch standard: these six are written in any case. */
static void normalise_method(char *method)
{
	static const char *const known[] = { "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT" };

	for (size_t i = 0; i < COUNT(known); i++) {
		if (hf_span_ieq_str(hf_span_str(method), known[i]))
			memcpy(method, known[i], strlen(known[i]));
	}
}

static char *read_method(struct hf_json_doc *d, const cJSON *item)
{
	static const char *const known[] = { "DELETE",	"GET",	 "HEAD",   "LINK",
					     "OPTIONS", "PATCH", "POST",   "PROPFIND",
					     "PUT",	"QUERY", "REPORT", "UNLINK" };
	static const char *const refused[] = { "CONNECT", "TRACE", "TRACK" };
	char quoted[HF_QUOTE_SIZE], near[HF_QUOTE_SIZE];
	char *method = hf_json_text_dup(d, item, METHOD_BYTES_MAX);

	if (!method)
		return NULL;
	normalise_method(method);
	if (!hf_is_token(hf_span_str(method))) {
		hf_json_fault(d, item, "%s is not a method%s",
			      hf_quote(hf_span_str(method), quoted),
			      strpbrk(method, ", |") ? "; for several, use \"or\"" : "");
		goto fail;
	}
	for (size_t i = 0; i < COUNT(refused); i++) {
		if (hf_span_ieq_str(hf_span_str(method), refused[i])) {
			hf_json_fault(d, item, "%s requests are never forwarded", refused[i]);
			goto fail;
		}
	}
	hf_nearest(hf_span_str(method), known, COUNT(known), near);
	for (size_t i = 0; i < COUNT(known); i++) {
		if (strcmp(method, known[i]) == 0)
			near[0] = '\0';
	}
	if (near[0]) {
		hf_json_fault(d, item, "no such method: %s%s",
			      hf_quote(hf_span_str(method), quoted), near);
		goto fail;
	}
	return method;
fail:
	free(method);
	return NULL;
}

static char *read_word(struct hf_json_doc *d, const cJSON *item, const char *const *words, size_t n)
{
	return hf_json_word(d, item, words, n) < 0 ? NULL : hf_json_text_dup(d, item, 64);
}

static struct hf_condition *read_depth(struct hf_json_doc *d, const cJSON *item, unsigned *count,
				       unsigned depth);

/* "or" (an array) and "not" (one condition). */
static bool read_inner(struct hf_json_doc *d, const cJSON *item, struct hf_condition *c,
		       unsigned *count, unsigned depth)
{
	const cJSON *one = item;
	size_t n = 1;
	bool ok = true;

	if (c->kind == HF_CONDITION_OR) {
		if (!hf_json_array(d, item, HF_CONDITIONS_MAX, &n))
			return false;
		if (n == 0) {
			hf_json_fault(d, item, "is empty: nothing would ever match");
			return false;
		}
		one = item->child;
	}
	c->inner = hf_json_calloc(d, n, sizeof(*c->inner));
	if (!c->inner)
		return false;
	for (; c->inner_n < n; one = one->next) {
		struct hf_condition *inner = read_depth(d, one, count, depth + 1);

		c->inner[c->inner_n++] = inner;
		if (inner)
			c->has_method |= inner->has_method;
		else
			ok = false;
	}
	return ok;
}

static bool read_alone(struct hf_json_doc *d, const cJSON *item, struct hf_condition *c,
		       const cJSON *const *m, unsigned *count, unsigned depth)
{
	const cJSON *which = m[KEY_OR] ? m[KEY_OR] : m[KEY_NOT];

	for (size_t i = 0; i < KEYS; i++) {
		if (m[i] && m[i] != which) {
			hf_json_fault(d, item,
				      "\"%s\" and \"%s\" cannot stand together; put "
				      "one into the other",
				      which->string, keys[i]);
			return false;
		}
	}
	c->kind = m[KEY_OR] ? HF_CONDITION_OR : HF_CONDITION_NOT;
	return read_inner(d, which, c, count, depth);
}

static bool read_all(struct hf_json_doc *d, const cJSON *item, struct hf_condition *c,
		     const cJSON *const *m)
{
	bool ok = true;

	if (!m[KEY_PATTERN] && !m[KEY_METHOD] && !m[KEY_MODE] && !m[KEY_DESTINATION]) {
		hf_json_fault(d, item, "is empty; to match everything leave \"condition\" out");
		return false;
	}
	if (m[KEY_PATTERN]) {
		c->pattern = read_pattern(d, m[KEY_PATTERN], &c->pattern_text);
		ok &= c->pattern != NULL;
	}
	if (m[KEY_METHOD]) {
		c->method = read_method(d, m[KEY_METHOD]);
		c->has_method = true;
		ok &= c->method != NULL;
	}
	if (m[KEY_MODE]) {
		c->mode = read_word(d, m[KEY_MODE], modes, COUNT(modes));
		ok &= c->mode != NULL;
	}
	if (m[KEY_DESTINATION]) {
		c->destination =
			read_word(d, m[KEY_DESTINATION], destinations, COUNT(destinations));
		ok &= c->destination != NULL;
	}
	return ok;
}

static struct hf_condition *read_depth(struct hf_json_doc *d, const cJSON *item, unsigned *count,
				       unsigned depth)
{
	const cJSON *m[KEYS];
	struct hf_condition *c;
	bool ok, faulty;
	unsigned before = d->faults->n;

	(*count)++;
	if (*count == HF_CONDITIONS_MAX + 1)
		hf_json_fault(d, item, "is one condition too many: %u are allowed in a manifest",
			      HF_CONDITIONS_MAX);
	if (*count > HF_CONDITIONS_MAX)
		return NULL;
	if (depth > HF_CONDITION_DEPTH_MAX) {
		hf_json_fault(d, item, "is nested deeper than %u", HF_CONDITION_DEPTH_MAX);
		return NULL;
	}
	if (!hf_json_object(d, item, keys, KEYS, m))
		return NULL;
	faulty = d->faults->n > before; /* unknown keys: an empty rest is no second fault */
	for (size_t i = 0; i < KEYS && faulty; i++)
		faulty = !m[i];
	if (faulty)
		return NULL;
	c = hf_json_calloc(d, 1, sizeof(*c));
	if (!c)
		return NULL;
	ok = m[KEY_OR] || m[KEY_NOT] ? read_alone(d, item, c, m, count, depth) :
				       read_all(d, item, c, m);
	if (ok)
		return c;
	hf_condition_destroy(c);
	return NULL;
}

struct hf_condition *hf_condition_read(struct hf_json_doc *d, const struct cJSON *item,
				       unsigned *count)
{
	return read_depth(d, item, count, 1);
}

void hf_condition_destroy(struct hf_condition *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->inner_n; i++)
		hf_condition_destroy(c->inner[i]);
	free(c->inner);
	hf_url_pattern_destroy(c->pattern);
	free(c->pattern_text);
	free(c->method);
	free(c->mode);
	free(c->destination);
	free(c);
}

/* ---- matching ---- */

static bool is_read(struct hf_span method)
{
	return hf_span_eq_str(method, "GET") || hf_span_eq_str(method, "HEAD");
}

/* Without the rule about methods that are not named. */
static bool holds(const struct hf_condition *c, const struct hf_condition_facts *f)
{
	switch (c->kind) {
	case HF_CONDITION_NOT:
		return !holds(c->inner[0], f);
	case HF_CONDITION_OR:
		for (size_t i = 0; i < c->inner_n; i++) {
			if (holds(c->inner[i], f))
				return true;
		}
		return false;
	case HF_CONDITION_ALL:
		break;
	}
	return (!c->method || hf_span_eq_str(f->method, c->method)) &&
	       (!c->mode || hf_span_eq_str(f->mode, c->mode)) &&
	       (!c->destination || hf_span_eq_str(f->destination, c->destination)) &&
	       (!c->pattern || hf_url_pattern_match(c->pattern, f->path, f->query));
}

bool hf_condition_match(const struct hf_condition *c, const struct hf_condition_facts *facts)
{
	if (c && c->kind == HF_CONDITION_OR) {
		for (size_t i = 0; i < c->inner_n; i++) {
			if (hf_condition_match(c->inner[i], facts))
				return true;
		}
		return false;
	}
	if (!(c && c->has_method) && !facts->any_method && !is_read(facts->method))
		return false;
	return !c || holds(c, facts);
}

bool hf_condition_has_other_methods(const struct hf_condition *c)
{
	if (!c || c->kind == HF_CONDITION_NOT || !c->has_method)
		return true;
	if (c->kind == HF_CONDITION_ALL)
		return !c->method || !is_read(hf_span_str(c->method));
	for (size_t i = 0; i < c->inner_n; i++) {
		if (hf_condition_has_other_methods(c->inner[i]))
			return true;
	}
	return false;
}

/* ---- identity ---- */

static int key_part(const char *text, struct hf_buf *out)
{
	return text ? hf_buf_appendf(out, "%zu:%s", strlen(text), text) :
		      hf_buf_append_str(out, "-");
}

int hf_condition_key(const struct hf_condition *c, struct hf_buf *out)
{
	const char *parts[4];
	int err;

	if (!c)
		return hf_buf_append_str(out, "*");
	err = hf_buf_appendf(out, "(%d", (int)c->kind);
	parts[0] = c->pattern_text;
	parts[1] = c->method;
	parts[2] = c->mode;
	parts[3] = c->destination;
	for (size_t i = 0; i < COUNT(parts) && !err; i++)
		err = key_part(parts[i], out);
	for (size_t i = 0; i < c->inner_n && !err; i++)
		err = hf_condition_key(c->inner[i], out);
	return err ? err : hf_buf_append_str(out, ")");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cJSON knows no lines. The strict reader of json_locate goes first, then cJSON
 * makes its tree of the same text, and each item's valueint is set to the
 * number of its value in the map; numbers are read from valuedouble.
 */
#include "worker/json_read.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "holdfast/err.h"

#define PATH_MAX_SHOWN 160 /* bytes of a path in a fault */

/* Numbers @item and all in it from *@next on. Depth: HF_JSON_DEPTH_MAX. */
static void number_items(cJSON *item, int *next)
{
	item->valueint = (*next)++;
	for (cJSON *child = item->child; child; child = child->next)
		number_items(child, next);
}

static int syntax_fault(struct hf_json_doc *d, struct hf_span text,
			const struct hf_json_error *error)
{
	unsigned line, column;
	char where[32];

	hf_json_place(text, error->at, &line, &column);
	snprintf(where, sizeof(where), "column %u", column);
	hf_fault_add(d->faults, line, where, "%s", error->words);
	return HF_ECONFIG;
}

int hf_json_doc_init(struct hf_json_doc *d, struct hf_span text, struct hf_faults *faults)
{
	struct hf_json_error error;
	const char *end;
	int err, n = 0;

	*d = (struct hf_json_doc){ .faults = faults, .line = 1 };
	hf_faults_init(&d->notices, faults->file);
	err = hf_json_map_init(&d->map, text, &error);
	if (err == HF_EPROTO)
		return syntax_fault(d, text, &error);
	if (err)
		return err;
	if (hf_span_starts(text, HF_SPAN("\xef\xbb\xbf")))
		text = hf_span_skip(text, 3); /* cJSON takes it for garbage in short texts */
	d->tree = cJSON_ParseWithLengthOpts(text.ptr, text.len, &end, 0);
	if (!d->tree) {
		hf_json_map_finish(&d->map);
		return HF_ENOMEM;
	}
	number_items(d->tree, &n);
	assert((uint32_t)n == d->map.n);
	return 0;
}

void hf_json_doc_finish(struct hf_json_doc *d)
{
	cJSON_Delete(d->tree);
	hf_json_map_finish(&d->map);
	d->tree = NULL;
}

unsigned hf_json_item_line(struct hf_json_doc *d, const struct cJSON *item)
{
	const struct hf_json_value *v = &d->map.values[item->valueint];
	size_t at = v->key_at != HF_JSON_NONE ? v->key_at : v->at;
	unsigned lines, column;

	if (d->faults->n > HF_FAULTS_MAX)
		return d->line; /* will not be shown */
	if (at < d->line_at) {
		d->line_at = 0;
		d->line = 1;
	}
	hf_json_place(hf_span_skip(d->map.text, d->line_at), at - d->line_at, &lines, &column);
	d->line += lines - 1;
	d->line_at = at;
	return d->line;
}

static void __attribute__((format(printf, 4, 0)))
add_words(struct hf_json_doc *d, struct hf_faults *to, const struct cJSON *item, const char *fmt,
	  va_list args)
{
	struct hf_buf path;
	const char *where;
	char words[512];

	vsnprintf(words, sizeof(words), fmt, args);
	hf_buf_init(&path, PATH_MAX_SHOWN);
	if (hf_json_path(&d->map, (uint32_t)item->valueint, &path) == HF_ELIMIT)
		hf_buf_clear(&path);
	where = hf_buf_cstr(&path);
	hf_fault_add(to, hf_json_item_line(d, item), where ? where : "", "%s", words);
	hf_buf_finish(&path);
}

void hf_json_fault(struct hf_json_doc *d, const struct cJSON *item, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_words(d, d->faults, item, fmt, args);
	va_end(args);
}

void hf_json_notice(struct hf_json_doc *d, const struct cJSON *item, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_words(d, &d->notices, item, fmt, args);
	va_end(args);
}

static const char *type_of(const struct cJSON *item)
{
	switch (item->type & 0xff) {
	case cJSON_False:
	case cJSON_True:
		return "true or false";
	case cJSON_NULL:
		return "null";
	case cJSON_Number:
		return "a number";
	case cJSON_String:
		return "a string";
	case cJSON_Array:
		return "an array";
	default:
		return "an object";
	}
}

/* ---- objects and arrays ---- */

static void unknown_key(struct hf_json_doc *d, const struct cJSON *item, const struct cJSON *member,
			const char *const *keys, size_t n)
{
	char quoted[HF_QUOTE_SIZE], near[HF_QUOTE_SIZE], known[256];
	struct hf_span key = hf_span_str(member->string);
	const struct hf_json_value *v = &d->map.values[member->valueint];
	struct hf_buf path;
	const char *where;
	unsigned line = hf_json_item_line(d, member);

	hf_buf_init(&path, PATH_MAX_SHOWN);
	assert(v->parent == (uint32_t)item->valueint);
	if (hf_json_path(&d->map, v->parent, &path) == HF_ELIMIT)
		hf_buf_clear(&path);
	where = hf_buf_cstr(&path);
	hf_nearest(key, keys, n, near);
	hf_fault_add(d->faults, line, where ? where : "", "unknown key %s%s%s%s",
		     hf_quote(key, quoted), near, near[0] ? "" : "; known here: ",
		     near[0] ? "" : hf_join(keys, n, known, sizeof(known)));
	hf_buf_finish(&path);
}

static size_t key_number(const char *key, const char *const *keys, size_t n)
{
	size_t i = 0;

	while (i < n && strcmp(keys[i], key) != 0)
		i++;
	return i;
}

bool hf_json_object(struct hf_json_doc *d, const struct cJSON *item, const char *const *keys,
		    size_t n, const struct cJSON **out)
{
	assert(n <= HF_JSON_KEYS_MAX);
	for (size_t i = 0; i < n; i++)
		out[i] = NULL;
	if (!cJSON_IsObject(item)) {
		hf_json_fault(d, item, "must be an object, not %s", type_of(item));
		return false;
	}
	for (const cJSON *m = item->child; m; m = m->next) {
		size_t i = key_number(m->string, keys, n);

		if (i == n)
			unknown_key(d, item, m, keys, n);
		else if (out[i])
			hf_json_fault(d, m, "stands twice; first in line %u",
				      hf_json_item_line(d, out[i]));
		else
			out[i] = m;
	}
	return true;
}

bool hf_json_array(struct hf_json_doc *d, const struct cJSON *item, size_t max, size_t *n)
{
	*n = 0;
	if (!cJSON_IsArray(item)) {
		hf_json_fault(d, item, "must be an array, not %s", type_of(item));
		return false;
	}
	for (const cJSON *entry = item->child; entry; entry = entry->next)
		(*n)++;
	if (*n > max) {
		hf_json_fault(d, item, "has %zu entries, more than %zu", *n, max);
		return false;
	}
	return true;
}

/* ---- scalars ---- */

const char *hf_json_text(struct hf_json_doc *d, const struct cJSON *item, size_t max)
{
	const char *s = item->valuestring;

	if (!cJSON_IsString(item)) {
		hf_json_fault(d, item, "must be a string, not %s", type_of(item));
		return NULL;
	}
	if (s[0] == '\0' || strlen(s) > max) {
		hf_json_fault(d, item, "must be 1 to %zu bytes long, not %zu", max, strlen(s));
		return NULL;
	}
	for (const char *p = s; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			hf_json_fault(d, item, "holds a control byte");
			return NULL;
		}
	}
	return s;
}

void *hf_json_calloc(struct hf_json_doc *d, size_t n, size_t size)
{
	void *p = n > 0 ? calloc(n, size) : NULL;

	if (n > 0 && !p)
		d->faults->nomem = true;
	return p;
}

char *hf_json_text_dup(struct hf_json_doc *d, const struct cJSON *item, size_t max)
{
	const char *s = hf_json_text(d, item, max);
	char *copy;

	if (!s)
		return NULL;
	copy = hf_span_dup(hf_span_str(s));
	if (!copy)
		d->faults->nomem = true;
	return copy;
}

bool hf_json_whole(struct hf_json_doc *d, const struct cJSON *item, uint64_t min, uint64_t max,
		   uint64_t *out)
{
	double v = item->valuedouble;

	assert(max <= UINT64_C(1) << 53);
	if (!cJSON_IsNumber(item)) {
		hf_json_fault(d, item, "must be a whole number, not %s", type_of(item));
		return false;
	}
	if (!(v >= (double)min && v <= (double)max) || v != (double)(uint64_t)v) {
		hf_json_fault(d, item, "must be a whole number from %llu to %llu, not %.10g",
			      (unsigned long long)min, (unsigned long long)max, v);
		return false;
	}
	*out = (uint64_t)v;
	return true;
}

bool hf_json_whole32(struct hf_json_doc *d, const struct cJSON *item, uint32_t min, uint32_t max,
		     uint32_t *out)
{
	uint64_t v;

	if (!hf_json_whole(d, item, min, max, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

int hf_json_word(struct hf_json_doc *d, const struct cJSON *item, const char *const *words,
		 size_t n)
{
	char quoted[HF_QUOTE_SIZE], near[HF_QUOTE_SIZE], known[256];
	struct hf_span text;
	size_t i;

	if (!cJSON_IsString(item)) {
		hf_json_fault(d, item, "must be a string, not %s", type_of(item));
		return -1;
	}
	i = key_number(item->valuestring, words, n);
	if (i < n)
		return (int)i;
	text = hf_span_str(item->valuestring);
	hf_json_fault(d, item, "%s is not one of %s%s", hf_quote(text, quoted),
		      hf_join(words, n, known, sizeof(known)), hf_nearest(text, words, n, near));
	return -1;
}

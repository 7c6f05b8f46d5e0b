/* SPDX-License-Identifier: Apache-2.0 */
/* "precache", and what several members have: targets of the origin. */
#include "worker/manifest_parts.h"

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "holdfast/err.h"
#include "http/url.h"

#define PRECACHE_MAX	    4096
#define REFRESH_MAX	    64
#define URL_BYTES_MAX	    2048
#define INTEGRITY_BYTES_MAX 512
#define COUNT(array)	    (sizeof(array) / sizeof((array)[0]))

/* @target, which @text says, when it is one of the worker's origin; frees @text. */
static char *checked(struct hf_json_doc *d, const cJSON *item, char *target, char *text)
{
	struct hf_span path, query;
	char quoted[HF_QUOTE_SIZE];

	if (!target) {
		d->faults->nomem = true;
	} else if (hf_target_parse(hf_span_str(target), &path, &query)) {
		hf_json_fault(d, item,
			      "%s is not a path of the origin: \"/\", then no spaces, and "
			      "percent-encoding for what is not ASCII",
			      hf_quote(hf_span_str(text), quoted));
		free(target);
		target = NULL;
	}
	if (text != target)
		free(text);
	return target;
}

char *hf_manifest_read_target(struct hf_json_doc *d, const cJSON *item)
{
	char *text = hf_json_text_dup(d, item, URL_BYTES_MAX);

	return text ? checked(d, item, text, text) : NULL;
}

/* ---- precache ---- */

/* A file's name, as build tools write it, is a reference; a browser percent-encodes
 * what may not stand in a path. */
static int append_name(struct hf_buf *out, struct hf_span name)
{
	int err = 0;

	for (size_t i = 0; i < name.len && !err; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"<>`{}", c))
			err = hf_buf_appendf(out, "%%%02X", c);
		else
			err = hf_buf_append(out, hf_span(name.ptr + i, 1));
	}
	return err;
}

/* Relative ones count from the folder of @scope, as from a service worker there. */
static char *read_file(struct hf_json_doc *d, const cJSON *item, struct hf_span scope)
{
	char *text = hf_json_text_dup(d, item, URL_BYTES_MAX), *target = NULL;
	struct hf_span name = hf_span_str(text);
	struct hf_buf out;
	int err = 0;

	if (!text)
		return NULL;
	hf_buf_init(&out, SIZE_MAX / 2);
	if (name.len > 0 && name.ptr[0] != '/' && !strstr(text, "://")) {
		while (scope.len > 0 && scope.ptr[scope.len - 1] != '/')
			scope.len--;
		if (hf_span_starts(name, HF_SPAN("./")))
			name = hf_span_skip(name, 2);
		err = hf_buf_append(&out, scope);
	}
	if (!err)
		err = append_name(&out, name);
	if (!err)
		target = hf_span_dup(hf_buf_span(&out));
	hf_buf_finish(&out);
	return checked(d, item, target, text);
}

/* Bytes that @n characters of base64 with its padding stand for, 0: not base64. */
static size_t base64_bytes(const char *s, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	size_t pad = 0;

	if (n == 0 || n % 4 != 0)
		return 0;
	while (pad < 2 && s[n - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < n - pad; i++) {
		if (s[i] == '\0' || !strchr(digits, s[i]))
			return 0;
	}
	return n / 4 * 3 - pad;
}

/* One hash of Subresource Integrity. */
static bool is_integrity(struct hf_span word)
{
	static const struct {
		const char *prefix;
		size_t bytes;
	} hashes[] = { { "sha256-", 32 }, { "sha384-", 48 }, { "sha512-", 64 } };

	for (size_t i = 0; i < COUNT(hashes); i++) {
		struct hf_span prefix = hf_span_str(hashes[i].prefix);
		struct hf_span rest = hf_span_skip(word, prefix.len);

		if (hf_span_starts(word, prefix))
			return base64_bytes(rest.ptr, rest.len) == hashes[i].bytes;
	}
	return false;
}

static char *read_integrity(struct hf_json_doc *d, const cJSON *item)
{
	char *text = hf_json_text_dup(d, item, INTEGRITY_BYTES_MAX);
	struct hf_span rest = hf_span_str(text);

	while (rest.len > 0) {
		struct hf_span word = hf_span_cut(&rest, ' ');

		if (is_integrity(word))
			continue;
		hf_json_fault(d, item,
			      "must be \"sha256-\", \"sha384-\" or \"sha512-\" and the "
			      "hash in base64");
		free(text);
		return NULL;
	}
	return text;
}

static void read_precache_entry(struct hf_json_doc *d, const cJSON *item, struct hf_span scope,
				struct hf_precache_entry *out)
{
	static const char *const keys[] = { "url", "revision", "integrity" };
	const cJSON *m[COUNT(keys)];

	if (cJSON_IsString(item)) {
		out->url = read_file(d, item, scope);
		return;
	}
	if (!cJSON_IsObject(item)) {
		hf_json_fault(d, item, "must be a path, or an object with \"url\"");
		return;
	}
	if (!hf_json_object(d, item, keys, COUNT(keys), m))
		return;
	if (m[0])
		out->url = read_file(d, m[0], scope);
	else
		hf_json_fault(d, item, "\"url\" is missing");
	if (m[1] && !cJSON_IsNull(m[1]))
		out->revision = hf_json_text_dup(d, m[1], 255);
	if (m[2])
		out->integrity = read_integrity(d, m[2]);
}

void hf_manifest_read_precache(struct hf_json_doc *d, const struct cJSON *item,
			       struct hf_span scope, struct hf_manifest *m)
{
	const cJSON *entry = item->child;
	size_t n;

	if (!hf_json_array(d, item, PRECACHE_MAX, &n))
		return;
	m->precache = hf_json_calloc(d, n, sizeof(*m->precache));
	if (!m->precache)
		return;
	for (; m->precache_n < n; entry = entry->next) {
		struct hf_precache_entry *e = &m->precache[m->precache_n++];

		read_precache_entry(d, entry, scope, e);
		for (size_t i = 0; e->url && i + 1 < m->precache_n; i++) {
			if (m->precache[i].url && strcmp(m->precache[i].url, e->url) == 0) {
				hf_json_fault(d, entry, "is the same url as precache[%zu]", i);
				break;
			}
		}
	}
}

/* ---- lists of targets ---- */

void hf_manifest_read_refresh(struct hf_json_doc *d, const struct cJSON *item, char ***targets,
			      size_t *targets_n)
{
	const cJSON *entry = item->child;
	size_t n;

	if (!hf_json_array(d, item, REFRESH_MAX, &n))
		return;
	if (n == 0)
		hf_json_fault(d, item, "is empty");
	*targets = hf_json_calloc(d, n, sizeof(**targets));
	if (!*targets)
		return;
	for (; *targets_n < n; entry = entry->next)
		(*targets)[(*targets_n)++] = hf_manifest_read_target(d, entry);
}

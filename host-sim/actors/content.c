/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/content.h"

#include <inttypes.h>
#include <mbedtls/sha256.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "http/values.h"
#include "sim/mem.h"

#define HEAD_MARK "content "

const char *const sim_content_files[] = { "/app/700/shell",    "/app/700/style",
					  "/app/3000/same",    "/app/40000/script",
					  "/app/100000/photo", NULL };

static const struct policy {
	const char *name, *cache_control;
	bool checked, varies;
} policies[] = {
	{ "long", "max-age=86400", false, false },
	{ "brief", "max-age=5", false, false },
	{ "check", "no-cache", true, false },
	{ "must", "max-age=0, must-revalidate", true, false },
	{ "swr", "max-age=2, stale-while-revalidate=600", false, false },
	{ "lang", "no-cache", true, true },
	{ "plain", "", false, false },
	{ "cf", "", false, false }, /* the worker's: cache-first, network-first, ... */
	{ "nf", "", false, false },
	{ "sw", "", false, false },
};

static bool take_policy(struct hf_span name, struct sim_content *out)
{
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		if (!hf_span_eq_str(name, policies[i].name))
			continue;
		out->cache_control = policies[i].cache_control;
		out->checked = policies[i].checked;
		out->varies = policies[i].varies;
		return true;
	}
	return false;
}

bool sim_content_of(struct hf_span path, struct sim_content *out)
{
	struct hf_span rest = path, word;
	uint64_t size;

	memset(out, 0, sizeof(*out));
	out->path = path;
	(void)hf_span_cut(&rest, '/');
	word = hf_span_cut(&rest, '/');
	if (hf_span_eq_str(word, "app")) {
		out->app = true;
		/* no other cache than the precache keeps it */
		out->cache_control = "no-store";
	} else if (!hf_span_eq_str(word, "c") || !take_policy(hf_span_cut(&rest, '/'), out)) {
		return false;
	}
	if (!hf_span_u64(hf_span_cut(&rest, '/'), &size) || size > SIM_CONTENT_MAX || !rest.len)
		return false;
	out->size = (size_t)size;
	out->fixed = out->app && hf_span_starts(rest, HF_SPAN("same"));
	return true;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(struct hf_span text, uint64_t h)
{
	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.ptr[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* The letters at @i depend on all of what it is, and on the place. */
char *sim_content_body(const struct sim_content *c, const char *lang, unsigned version)
{
	uint64_t seed = hash_of(hf_span_str(lang), UINT64_C(0xcbf29ce484222325) + version);
	char *body = sim_alloc(c->size + 512);
	size_t n;

	seed = hash_of(c->path, seed);
	n = (size_t)snprintf(body, 512, HEAD_MARK "%u %zu %016" PRIx64 " [%s] %.*s\n", version,
			     c->size, seed, lang, HF_SPAN_ARG(c->path));
	for (size_t i = n; i < c->size; i++) {
		if (i % 16 == 0)
			seed = seed * UINT64_C(6364136223846793005) + i;
		body[i] = (char)('a' + (seed >> (i % 16 * 4)) % 16);
	}
	return body;
}

unsigned sim_content_version(const struct sim_content *c, const char *lang, struct hf_span body)
{
	struct hf_span rest = body, word;
	uint64_t version;
	char *right;
	bool whole;

	if (!hf_span_starts(body, HF_SPAN(HEAD_MARK)))
		return 0;
	rest = hf_span_skip(rest, sizeof(HEAD_MARK) - 1);
	word = hf_span_cut(&rest, ' ');
	if (!hf_span_u64(word, &version) || version == 0 || version > UINT32_MAX)
		return 0;
	right = sim_content_body(c, lang, (unsigned)version);
	whole = hf_span_eq_str(body, right);
	sim_free(right);
	return whole ? (unsigned)version : 0;
}

/* ---- the precache ---- */

static void add_file(FILE *out, const char *path, unsigned release)
{
	struct hf_buf text;
	struct sim_content c;
	uint8_t digest[32];
	unsigned version;
	char *body;

	if (!sim_content_of(hf_span_str(path), &c))
		return;
	version = c.fixed ? 1 : release;
	body = sim_content_body(&c, "", version);
	if (mbedtls_sha256((const unsigned char *)body, strlen(body), digest, 0))
		sim_must(NULL);
	hf_buf_init(&text, 128);
	if (hf_base64_append(&text, hf_span(digest, sizeof(digest))))
		sim_must(NULL);
	fprintf(out, "{ \"url\": \"%s\", \"revision\": \"%u\", \"integrity\": \"sha256-%.*s\" }",
		path, version, HF_SPAN_ARG(hf_buf_span(&text)));
	hf_buf_finish(&text);
	sim_free(body);
}

char *sim_content_precache(unsigned release)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	sim_must(f);
	fputs("\"precache\": [", f);
	for (size_t i = 0; sim_content_files[i]; i++) {
		fputs(i ? ",\n  " : "\n  ", f);
		add_file(f, sim_content_files[i], release);
	}
	fputs(" ]", f);
	fclose(f);
	return text;
}

char *sim_content_upgraded(const char *manifest, unsigned release)
{
	const char *from = strstr(manifest, "\"precache\": ["), *to;
	char *precache, *out = NULL;

	if (!from)
		return sim_strdup(manifest);
	to = strchr(from, ']');
	precache = sim_content_precache(release);
	if (asprintf(&out, "%.*s%s%s", (int)(from - manifest), manifest, precache,
		     to ? to + 1 : "") < 0)
		sim_must(NULL);
	free(precache);
	return out;
}

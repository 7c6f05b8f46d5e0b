/* SPDX-License-Identifier: Apache-2.0 */
/* "sync": what a sync event of a tag does. */
#include "worker/manifest_parts.h"

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "holdfast_config.h"
#include "http/message.h"

#define SYNC_MAX	256
#define FIELDS_MAX	16
#define FIELD_BYTES_MAX 4096
#define BODY_BYTES_MAX	65536
#define SECONDS_MAX	(10u * 365 * 86400) /* ten years */
#define ATTEMPTS_MAX	1000000
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

enum {
	KEY_TAG,
	KEY_PAGE,
	KEY_REPLAY,
	KEY_REFRESH,
	KEY_REQUEST,
	KEY_ATTEMPTS,
	KEY_MAX_AGE,
	KEY_TIMEOUT,
	KEY_RETRY,
	KEYS
};
static const char *const keys[KEYS] = {
	"tag",	       "page",		"replay",	  "refresh",	  "request",
	"maxAttempts", "maxAgeSeconds", "timeoutSeconds", "retrySeconds",
};

static const char *const kinds[] = { "page", "replay", "refresh", "request" };

void hf_sync_action_defaults(struct hf_sync_action *out)
{
	*out = (struct hf_sync_action){
		.kind = HF_SYNC_PAGE,
		.attempts_max = CONFIG_HF_SYNC_ATTEMPTS_MAX,
		.max_age_s = CONFIG_HF_SYNC_MAX_AGE_S,
		.time_limit_s = CONFIG_HF_SYNC_TIME_LIMIT_S,
		.retry_s = CONFIG_HF_SYNC_RETRY_S,
	};
}

/* ---- request ---- */

/* Fields that are Holdfast's to set, or a hop's. */
static bool is_ours(const char *name)
{
	static const char *const ours[] = {
		"Connection", "Content-Length",	 "Expect",     "Forwarded",
		"Host",	      "Idempotency-Key", "Keep-Alive", "TE",
		"Trailer",    "Upgrade",	 "Via",	       "Transfer-Encoding",
	};

	for (size_t i = 0; i < COUNT(ours); i++) {
		if (hf_span_ieq_str(hf_span_str(name), ours[i]))
			return true;
	}
	return false;
}

static void read_field(struct hf_json_doc *d, const cJSON *item, struct hf_sync_field *out)
{
	struct hf_span name = hf_span_str(item->string);
	char quoted[HF_QUOTE_SIZE];

	if (!hf_is_token(name))
		hf_json_fault(d, item, "%s is not the name of a header field",
			      hf_quote(name, quoted));
	else if (is_ours(item->string))
		hf_json_fault(d, item, "%s is set by Holdfast", hf_quote(name, quoted));
	out->value = hf_json_text_dup(d, item, FIELD_BYTES_MAX);
	out->name = hf_span_dup(name);
	if (!out->name)
		d->faults->nomem = true;
}

static void read_fields(struct hf_json_doc *d, const cJSON *item, struct hf_sync_action *out)
{
	const cJSON *entry;
	size_t n = 0;

	if (!cJSON_IsObject(item)) {
		hf_json_fault(d, item, "must be an object of names and values");
		return;
	}
	cJSON_ArrayForEach(entry, item) n++;
	if (n > FIELDS_MAX) {
		hf_json_fault(d, item, "has more than %d fields", FIELDS_MAX);
		return;
	}
	out->fields = hf_json_calloc(d, n, sizeof(*out->fields));
	if (!out->fields)
		return;
	cJSON_ArrayForEach(entry, item) read_field(d, entry, &out->fields[out->fields_n++]);
}

static void read_request(struct hf_json_doc *d, const cJSON *item, struct hf_sync_action *out)
{
	static const char *const names[] = { "url", "method", "fields", "body" };
	static const char *const methods[] = { "POST", "PUT", "PATCH", "DELETE", "GET", "HEAD" };
	const cJSON *m[COUNT(names)];
	int method = 0;

	if (!hf_json_object(d, item, names, COUNT(names), m))
		return;
	if (m[0])
		out->target = hf_manifest_read_target(d, m[0]);
	else
		hf_json_fault(d, item, "\"url\" is missing");
	if (m[1])
		method = hf_json_word(d, m[1], methods, COUNT(methods));
	out->method = hf_span_dup(hf_span_str(methods[method < 0 ? 0 : method]));
	if (!out->method)
		d->faults->nomem = true;
	if (m[2])
		read_fields(d, m[2], out);
	if (!m[3])
		return;
	out->body = hf_json_text_dup(d, m[3], BODY_BYTES_MAX);
	if (method >= 4)
		hf_json_fault(d, m[3], "does not go with %s", methods[method]);
}

/* ---- entries ---- */

static void read_true(struct hf_json_doc *d, const cJSON *item)
{
	if (!cJSON_IsTrue(item))
		hf_json_fault(d, item, "must be true");
}

bool hf_manifest_read_kind(struct hf_json_doc *d, const cJSON *const *m, struct hf_sync_action *out)
{
	int kind = -1;

	for (int i = 0; i < (int)COUNT(kinds); i++) {
		if (m[i] && kind >= 0)
			hf_json_fault(d, m[i], "does not go with \"%s\": one entry does one thing",
				      kinds[kind]);
		else if (m[i])
			kind = i;
	}
	if (kind < 0)
		return false;
	out->kind = (enum hf_sync_kind)kind;
	switch (out->kind) {
	case HF_SYNC_PAGE:
	case HF_SYNC_REPLAY:
		read_true(d, m[kind]);
		break;
	case HF_SYNC_REFRESH:
		hf_manifest_read_refresh(d, m[kind], &out->refresh, &out->refresh_n);
		break;
	case HF_SYNC_REQUEST:
		read_request(d, m[kind], out);
		break;
	}
	return true;
}

static void read_entry(struct hf_json_doc *d, const cJSON *item, struct hf_sync_action *out)
{
	const cJSON *m[KEYS];

	hf_sync_action_defaults(out);
	if (!hf_json_object(d, item, keys, KEYS, m))
		return;
	if (m[KEY_TAG])
		out->tag = hf_json_text_dup(d, m[KEY_TAG], CONFIG_HF_SYNC_TAG_BYTES_MAX);
	else
		hf_json_fault(d, item, "\"tag\" is missing");
	if (!hf_manifest_read_kind(d, m + KEY_PAGE, out))
		hf_json_fault(d, item,
			      "has none of \"page\", \"replay\", \"refresh\", \"request\"");
	if (m[KEY_ATTEMPTS])
		hf_json_whole32(d, m[KEY_ATTEMPTS], 1, ATTEMPTS_MAX, &out->attempts_max);
	if (m[KEY_MAX_AGE])
		hf_json_whole32(d, m[KEY_MAX_AGE], 1, SECONDS_MAX, &out->max_age_s);
	if (m[KEY_TIMEOUT])
		hf_json_whole32(d, m[KEY_TIMEOUT], 1, CONFIG_HF_SYNC_TIME_LIMIT_S,
				&out->time_limit_s);
	if (m[KEY_RETRY])
		hf_json_whole32(d, m[KEY_RETRY], 1, CONFIG_HF_SYNC_RETRY_MAX_S, &out->retry_s);
}

static void check_twice(struct hf_json_doc *d, const cJSON *entry, const struct hf_manifest *m)
{
	const struct hf_sync_action *last = &m->sync[m->sync_n - 1];

	for (size_t i = 0; last->tag && i + 1 < m->sync_n; i++) {
		if (m->sync[i].tag && strcmp(m->sync[i].tag, last->tag) == 0) {
			hf_json_fault(d, entry, "has the tag of sync[%zu]", i);
			return;
		}
	}
}

static bool is_queued_with(const struct hf_manifest *m, const char *tag)
{
	for (size_t i = 0; i < m->routes_n; i++) {
		if (m->routes[i].queued && strcmp(m->routes[i].policy.tag, tag) == 0)
			return true;
	}
	return false;
}

void hf_manifest_check_replay(struct hf_json_doc *d, const cJSON *entry,
			      const struct hf_sync_action *a, const struct hf_manifest *m)
{
	char quoted[HF_QUOTE_SIZE];

	if (a->kind != HF_SYNC_REPLAY || !a->tag || strcmp(a->tag, "*") == 0)
		return;
	if (!is_queued_with(m, a->tag))
		hf_json_fault(d, entry, "replays %s, but no route queues with this tag",
			      hf_quote(hf_span_str(a->tag), quoted));
}

void hf_manifest_read_sync(struct hf_json_doc *d, const struct cJSON *item, struct hf_manifest *m)
{
	const cJSON *entry = item->child;
	size_t n;

	if (!hf_json_array(d, item, SYNC_MAX, &n))
		return;
	m->sync = hf_json_calloc(d, n, sizeof(*m->sync));
	if (!m->sync)
		return;
	for (; m->sync_n < n; entry = entry->next) {
		read_entry(d, entry, &m->sync[m->sync_n++]);
		check_twice(d, entry, m);
		hf_manifest_check_replay(d, entry, &m->sync[m->sync_n - 1], m);
	}
}

/* ---- life ---- */

void hf_sync_action_finish(struct hf_sync_action *a)
{
	for (size_t i = 0; i < a->refresh_n; i++)
		free(a->refresh[i]);
	for (size_t i = 0; i < a->fields_n; i++) {
		free(a->fields[i].name);
		free(a->fields[i].value);
	}
	free(a->refresh);
	free(a->fields);
	free(a->tag);
	free(a->method);
	free(a->target);
	free(a->body);
}

void hf_manifest_destroy_sync(struct hf_manifest *m)
{
	for (size_t i = 0; i < m->sync_n; i++)
		hf_sync_action_finish(&m->sync[i]);
	free(m->sync);
}

const struct hf_sync_action *hf_manifest_sync(const struct hf_manifest *m, struct hf_span tag)
{
	const struct hf_sync_action *all = NULL;

	for (size_t i = 0; i < m->sync_n; i++) {
		if (hf_span_eq_str(tag, m->sync[i].tag))
			return &m->sync[i];
		if (strcmp(m->sync[i].tag, "*") == 0)
			all = &m->sync[i];
	}
	return all;
}

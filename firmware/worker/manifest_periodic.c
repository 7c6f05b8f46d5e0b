/* SPDX-License-Identifier: Apache-2.0 */
/* "periodicSync": what a periodic sync event of a tag does, and when. */
#include "worker/manifest_parts.h"

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "holdfast_config.h"

#define PERIODIC_MAX	256
#define MIN_INTERVAL_MS UINT64_C(1000)
#define MAX_INTERVAL_MS (UINT64_C(366) * 86400 * 1000)
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

enum {
	KEY_TAG,
	KEY_PAGE,
	KEY_REPLAY,
	KEY_REFRESH,
	KEY_REQUEST,
	KEY_INTERVAL,
	KEY_TIMEOUT,
	KEY_METERED,
	KEY_CAPTIVE,
	KEY_WINDOW,
	KEYS
};
static const char *const keys[KEYS] = {
	"tag",	       "page",		 "replay",  "refresh", "request",
	"minInterval", "timeoutSeconds", "metered", "captive", "window",
};
static const char *const window_keys[] = { "from", "to" };

void hf_periodic_sync_defaults(struct hf_periodic_sync *out)
{
	*out = (struct hf_periodic_sync){ 0 };
	hf_sync_action_defaults(&out->action);
}

static bool read_bool(struct hf_json_doc *d, const cJSON *item)
{
	if (!cJSON_IsBool(item))
		hf_json_fault(d, item, "must be true or false");
	return cJSON_IsTrue(item);
}

static int two_digits(const char *s, int limit)
{
	int n = (s[0] - '0') * 10 + (s[1] - '0');

	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' || n >= limit)
		return -1;
	return n;
}

/* "HH:MM" */
static bool read_time(struct hf_json_doc *d, const cJSON *item, uint16_t *out)
{
	const char *text = cJSON_IsString(item) ? item->valuestring : "";
	int hour = -1, minute = -1;

	if (strlen(text) == 5 && text[2] == ':') {
		hour = two_digits(text, 24);
		minute = two_digits(text + 3, 60);
	}
	if (hour < 0 || minute < 0)
		hf_json_fault(d, item, "must be a time of the day, as \"22:30\"");
	else
		*out = (uint16_t)(hour * 60 + minute);
	return hour >= 0 && minute >= 0;
}

static void read_window(struct hf_json_doc *d, const cJSON *item, struct hf_periodic_sync *out)
{
	const cJSON *m[COUNT(window_keys)];

	if (!hf_json_object(d, item, window_keys, COUNT(window_keys), m))
		return;
	for (size_t i = 0; i < COUNT(window_keys); i++) {
		if (!m[i])
			hf_json_fault(d, item, "\"%s\" is missing", window_keys[i]);
	}
	out->has_window = m[0] && read_time(d, m[0], &out->from_min);
	out->has_window &= m[1] && read_time(d, m[1], &out->to_min);
	if (out->has_window && out->from_min == out->to_min)
		hf_json_fault(d, item, "begins when it ends");
}

static void read_entry(struct hf_json_doc *d, const cJSON *item, struct hf_periodic_sync *out)
{
	const cJSON *m[KEYS];

	hf_periodic_sync_defaults(out);
	if (!hf_json_object(d, item, keys, KEYS, m))
		return;
	if (m[KEY_TAG])
		out->action.tag = hf_json_text_dup(d, m[KEY_TAG], CONFIG_HF_SYNC_TAG_BYTES_MAX);
	else
		hf_json_fault(d, item, "\"tag\" is missing");
	hf_manifest_read_kind(d, m + KEY_PAGE, &out->action);
	if (m[KEY_INTERVAL])
		out->declared = hf_json_whole(d, m[KEY_INTERVAL], MIN_INTERVAL_MS, MAX_INTERVAL_MS,
					      &out->min_interval_ms);
	if (out->declared && out->action.tag && strcmp(out->action.tag, "*") == 0)
		hf_json_fault(d, m[KEY_INTERVAL], "does not go with \"*\", which is no tag");
	if (m[KEY_TIMEOUT])
		hf_json_whole32(d, m[KEY_TIMEOUT], 1, CONFIG_HF_SYNC_TIME_LIMIT_S,
				&out->action.time_limit_s);
	if (m[KEY_METERED])
		out->unmetered = !read_bool(d, m[KEY_METERED]);
	if (m[KEY_CAPTIVE])
		out->captive = read_bool(d, m[KEY_CAPTIVE]);
	if (m[KEY_WINDOW])
		read_window(d, m[KEY_WINDOW], out);
}

static void check_twice(struct hf_json_doc *d, const cJSON *entry, const struct hf_manifest *m)
{
	const char *last = m->periodic[m->periodic_n - 1].action.tag;

	for (size_t i = 0; last && i + 1 < m->periodic_n; i++) {
		const char *tag = m->periodic[i].action.tag;

		if (tag && strcmp(tag, last) == 0) {
			hf_json_fault(d, entry, "has the tag of periodicSync[%zu]", i);
			return;
		}
	}
}

void hf_manifest_read_periodic(struct hf_json_doc *d, const struct cJSON *item,
			       struct hf_manifest *m)
{
	const cJSON *entry = item->child;
	size_t n;

	if (!hf_json_array(d, item, PERIODIC_MAX, &n))
		return;
	m->periodic = hf_json_calloc(d, n, sizeof(*m->periodic));
	if (!m->periodic)
		return;
	for (; m->periodic_n < n; entry = entry->next) {
		struct hf_periodic_sync *p = &m->periodic[m->periodic_n++];

		read_entry(d, entry, p);
		check_twice(d, entry, m);
		hf_manifest_check_replay(d, entry, &p->action, m);
	}
}

void hf_manifest_destroy_periodic(struct hf_manifest *m)
{
	for (size_t i = 0; i < m->periodic_n; i++)
		hf_sync_action_finish(&m->periodic[i].action);
	free(m->periodic);
}

const struct hf_periodic_sync *hf_manifest_periodic(const struct hf_manifest *m, struct hf_span tag)
{
	const struct hf_periodic_sync *all = NULL;

	for (size_t i = 0; i < m->periodic_n; i++) {
		if (hf_span_eq_str(tag, m->periodic[i].action.tag))
			return &m->periodic[i];
		if (strcmp(m->periodic[i].action.tag, "*") == 0)
			all = &m->periodic[i];
	}
	return all;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/lane_rule.h"

#include <inttypes.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "http/url.h"

#define SEGMENT_MAX 64
#define SPREAD_MAX  64

enum {
	KEY_HEADER,
	KEY_SEGMENT,
	KEY_PATH,
	KEY_SPREAD,
	KEYS
};
static const char *const keys[KEYS] = { "header", "segment", "path", "spread" };

static void read_header(struct hf_json_doc *d, const cJSON *item, struct hf_lane_rule *out)
{
	const char *s = hf_json_text(d, item, sizeof(out->header) - 1);
	char quoted[HF_QUOTE_SIZE];

	if (!s)
		return;
	if (!hf_is_token(hf_span_str(s))) {
		hf_json_fault(d, item, "%s is not the name of a header field",
			      hf_quote(hf_span_str(s), quoted));
		return;
	}
	out->by = HF_LANE_BY_HEADER;
	memcpy(out->header, s, strlen(s) + 1);
}

void hf_lane_rule_read(struct hf_json_doc *d, const cJSON *item, struct hf_lane_rule *out)
{
	const cJSON *m[KEYS];
	uint32_t number;

	if (!hf_json_object(d, item, keys, KEYS, m))
		return;
	if (!m[KEY_HEADER] + !m[KEY_SEGMENT] + !m[KEY_PATH] + !m[KEY_SPREAD] != KEYS - 1) {
		hf_json_fault(d, item,
			      "needs one of \"header\", \"segment\", \"path\" and \"spread\"");
	} else if (m[KEY_HEADER]) {
		read_header(d, m[KEY_HEADER], out);
	} else if (m[KEY_SEGMENT]) {
		if (!hf_json_whole32(d, m[KEY_SEGMENT], 1, SEGMENT_MAX, &number))
			return;
		out->by = HF_LANE_BY_SEGMENT;
		out->segment = (uint8_t)number;
	} else if (m[KEY_SPREAD]) {
		if (!hf_json_whole32(d, m[KEY_SPREAD], 2, SPREAD_MAX, &number))
			return;
		out->by = HF_LANE_BY_TURN;
		out->spread = (uint8_t)number;
	} else if (cJSON_IsTrue(m[KEY_PATH])) {
		out->by = HF_LANE_BY_PATH;
	} else {
		hf_json_fault(d, m[KEY_PATH], "must be true, or be left out");
	}
}

static struct hf_span segment_of(struct hf_span path, unsigned n)
{
	struct hf_span segment = { 0 };

	path = hf_span_skip(path, 1);
	while (n-- > 0) {
		if (path.len == 0)
			return (struct hf_span){ 0 };
		segment = hf_span_cut(&path, '/');
	}
	return segment;
}

static struct hf_span value_of(const struct hf_lane_rule *rule, const struct hf_message *msg)
{
	const struct hf_span *field;
	struct hf_span path, query, none = { 0 };

	switch (rule->by) {
	case HF_LANE_BY_HEADER:
		field = hf_fields_get(&msg->fields, rule->header);
		return field ? *field : none;
	case HF_LANE_BY_SEGMENT:
	case HF_LANE_BY_PATH:
		if (hf_target_parse(msg->target, &path, &query))
			return none;
		return rule->by == HF_LANE_BY_PATH ? path : segment_of(path, rule->segment);
	case HF_LANE_BY_TURN:
	case HF_LANE_BY_NOTHING:
		break;
	}
	return none;
}

static bool is_plain(char c)
{
	return c > ' ' && c < 0x7f && c != '%' && c != '/' && c != '@';
}

/* False: it does not fit. */
static bool append_value(char *at, size_t size, struct hf_span value)
{
	for (size_t i = 0; i < value.len; i++) {
		bool plain = is_plain(value.ptr[i]);
		size_t n = plain ? 1 : 3;

		if (n >= size)
			return false;
		snprintf(at, size, plain ? "%c" : "%%%02X", (unsigned char)value.ptr[i]);
		at += n;
		size -= n;
	}
	return true;
}

static uint64_t hash(struct hf_span s)
{
	uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (uint8_t)s.ptr[i]) * UINT64_C(1099511628211);
	return h;
}

#define HASH_LEN (sizeof("/#0123456789abcdef") - 1)
_Static_assert(HF_LANE_BASE_MAX + HASH_LEN <= HF_POLICY_NAME_MAX, "it fits behind every base");

void hf_lane_append(char lane[HF_POLICY_NAME_MAX + 1], char sep, struct hf_span value)
{
	size_t base = strlen(lane);

	if (base < HF_POLICY_NAME_MAX) {
		lane[base] = sep;
		if (append_value(lane + base + 1, HF_POLICY_NAME_MAX - base, value))
			return;
	}
	if (base > HF_POLICY_NAME_MAX - HASH_LEN)
		base = HF_POLICY_NAME_MAX - HASH_LEN;
	snprintf(lane + base, HASH_LEN + 1, "%c#%016" PRIx64, sep, hash(value));
}

void hf_lane_rule_apply(const struct hf_lane_rule *rule, const struct hf_message *msg,
			unsigned turn, char lane[HF_POLICY_NAME_MAX + 1])
{
	struct hf_span value = value_of(rule, msg);
	char number[8];

	if (rule->by == HF_LANE_BY_TURN) {
		snprintf(number, sizeof(number), "%u", turn % rule->spread);
		value = hf_span_str(number);
	}
	if (value.len > 0)
		hf_lane_append(lane, '/', value);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See queue_policy.h. */
#include "worker/queue_policy.h"

#include <cjson/cJSON.h>

#include "http/message.h"

#define SECONDS_MAX  (10u * 365 * 86400) /* ten years */
#define ENTRIES_MAX  10000000u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	KEY_TAG,
	KEY_LANE,
	KEY_ORDER,
	KEY_IDEMPOTENCY,
	KEY_HEADER,
	KEY_FORMAT,
	KEY_VALIDITY,
	KEY_MAX_AGE,
	KEY_MAX_ENTRIES,
	KEY_EXPECT,
	KEY_WHEN_FULL,
	KEY_URGENCY,
	KEY_LANE_BY,
	KEY_CREDENTIAL,
	KEYS
};
static const char *const keys[KEYS] = {
	"tag",
	"lane",
	"order",
	"idempotency",
	"keyHeader",
	"keyFormat",
	"keyValiditySeconds",
	"maxAgeSeconds",
	"maxEntries",
	"expect",
	"whenFull",
	"urgency",
	"laneBy",
	"credential",
};

static const char *const orders[] = { "block", "skip" };
static const char *const idempotencies[] = { "keyed", "idempotent", "always", "never" };
static const char *const when_full[] = { "reject", "drop-oldest" };
static const char *const formats[] = { "bare", "sf-string" };

_Static_assert(HF_ORDER_BLOCK == 0 && HF_ORDER_SKIP == 1, "orders[] is in this order");
_Static_assert(HF_WHEN_FULL_REJECT == 0 && HF_WHEN_FULL_DROP_OLDEST == 1,
	       "when_full[] is in this order");
_Static_assert(HF_IDEMPOTENCY_KEYED == 0 && HF_IDEMPOTENCY_IDEMPOTENT == 1 &&
		       HF_IDEMPOTENCY_ALWAYS == 2 && HF_IDEMPOTENCY_NEVER == 3,
	       "idempotencies[] is in this order");

void hf_queue_policy_defaults(struct hf_policy *out)
{
	*out = (struct hf_policy){
		.tag = "default",
		.lane = "default",
		.key_header = "Idempotency-Key",
		.idempotency = HF_IDEMPOTENCY_KEYED,
		.order = HF_ORDER_BLOCK,
		.key_validity_s = HF_POLICY_KEY_VALIDITY_S,
		.max_age_s = HF_POLICY_MAX_AGE_S,
		.max_entries = HF_POLICY_MAX_ENTRIES,
		.urgency = HF_POLICY_URGENCY,
	};
}

static void read_name(struct hf_json_doc *d, const cJSON *item, char out[HF_POLICY_NAME_MAX + 1])
{
	const char *s = item ? hf_json_text(d, item, HF_POLICY_NAME_MAX) : NULL;

	if (s)
		memcpy(out, s, strlen(s) + 1);
}

/* Fields that mean something else already, to the origin or to a hop. */
static bool is_taken(const char *name)
{
	static const char *const taken[] = {
		"Accept",
		"Authorization",
		"Connection",
		"Content-Encoding",
		"Content-Length",
		"Content-Type",
		"Cookie",
		"Date",
		"Expect",
		"Forwarded",
		"Host",
		"Keep-Alive",
		"Origin",
		"Prefer",
		"Proxy-Authorization",
		"TE",
		"Trailer",
		"Transfer-Encoding",
		"Upgrade",
		"User-Agent",
		"Via",
	};

	for (size_t i = 0; i < COUNT(taken); i++) {
		if (hf_span_ieq_str(hf_span_str(name), taken[i]))
			return true;
	}
	return false;
}

static void read_key_header(struct hf_json_doc *d, const cJSON *item, struct hf_policy *out)
{
	const char *s = item ? hf_json_text(d, item, sizeof(out->key_header) - 1) : NULL;
	char quoted[HF_QUOTE_SIZE];

	if (!s)
		return;
	if (!hf_is_token(hf_span_str(s)))
		hf_json_fault(d, item, "%s is not the name of a header field",
			      hf_quote(hf_span_str(s), quoted));
	else if (is_taken(s))
		hf_json_fault(d, item, "%s cannot carry a key: it has a meaning of its own",
			      hf_quote(hf_span_str(s), quoted));
	else
		memcpy(out->key_header, s, strlen(s) + 1);
}

static void read_expect(struct hf_json_doc *d, const cJSON *item, struct hf_policy *out)
{
	const cJSON *entry;
	size_t n;

	if (!hf_json_array(d, item, HF_POLICY_EXPECT_MAX, &n))
		return;
	if (n == 0)
		hf_json_fault(d, item,
			      "is empty: no answer would ever mean delivered; leave it "
			      "out for every 2xx");
	cJSON_ArrayForEach(entry, item)
	{
		uint32_t status;
		bool twice = false;

		if (!hf_json_whole32(d, entry, 200, 599, &status))
			continue;
		for (unsigned i = 0; i < out->expect_n; i++)
			twice |= out->expect[i] == status;
		if (twice)
			hf_json_fault(d, entry, "%u stands twice", status);
		else
			out->expect[out->expect_n++] = (uint16_t)status;
	}
}

static void read_full(struct hf_json_doc *d, const cJSON *const *m, struct hf_policy *out)
{
	int word;

	if (m[KEY_MAX_ENTRIES])
		hf_json_whole32(d, m[KEY_MAX_ENTRIES], 1, ENTRIES_MAX, &out->max_entries);
	if (!m[KEY_WHEN_FULL])
		return;
	word = hf_json_word(d, m[KEY_WHEN_FULL], when_full, COUNT(when_full));
	if (word >= 0)
		out->when_full = (enum hf_when_full)word;
}

static void read_urgency(struct hf_json_doc *d, const cJSON *item, struct hf_policy *out)
{
	uint32_t urgency;

	if (item && hf_json_whole32(d, item, 0, HF_POLICY_URGENCIES - 1, &urgency))
		out->urgency = (uint8_t)urgency;
}

static void read_credential(struct hf_json_doc *d, const cJSON *item, struct hf_policy *out)
{
	const char *s = item ? hf_json_text(d, item, sizeof(out->credential) - 1) : NULL;

	if (s)
		memcpy(out->credential, s, strlen(s) + 1);
}

static void read_lane(struct hf_json_doc *d, const cJSON *const *m, struct hf_policy *out,
		      struct hf_lane_rule *rule)
{
	memcpy(out->lane, out->tag, sizeof(out->lane));
	read_name(d, m[KEY_LANE], out->lane);
	if (!m[KEY_LANE_BY])
		return;
	hf_lane_rule_read(d, m[KEY_LANE_BY], rule);
	if (strlen(out->lane) > HF_LANE_BASE_MAX)
		hf_json_fault(d, m[KEY_LANE_BY], "needs a lane name of at most %d bytes",
			      HF_LANE_BASE_MAX);
}

static void read_object(struct hf_json_doc *d, const cJSON *item, struct hf_policy *out,
			struct hf_lane_rule *rule)
{
	const cJSON *m[KEYS];
	int word;

	if (!hf_json_object(d, item, keys, KEYS, m))
		return;
	read_name(d, m[KEY_TAG], out->tag);
	read_lane(d, m, out, rule);
	if (m[KEY_ORDER]) {
		word = hf_json_word(d, m[KEY_ORDER], orders, COUNT(orders));
		if (word >= 0)
			out->order = (enum hf_order)word;
	}
	if (m[KEY_IDEMPOTENCY]) {
		word = hf_json_word(d, m[KEY_IDEMPOTENCY], idempotencies, COUNT(idempotencies));
		if (word >= 0)
			out->idempotency = (enum hf_idempotency)word;
	}
	read_key_header(d, m[KEY_HEADER], out);
	if (m[KEY_FORMAT])
		out->key_quoted = hf_json_word(d, m[KEY_FORMAT], formats, COUNT(formats)) == 1;
	if (m[KEY_VALIDITY])
		hf_json_whole32(d, m[KEY_VALIDITY], 1, SECONDS_MAX, &out->key_validity_s);
	if (m[KEY_MAX_AGE])
		hf_json_whole32(d, m[KEY_MAX_AGE], 1, SECONDS_MAX, &out->max_age_s);
	read_full(d, m, out);
	read_credential(d, m[KEY_CREDENTIAL], out);
	read_urgency(d, m[KEY_URGENCY], out);
	if (m[KEY_EXPECT])
		read_expect(d, m[KEY_EXPECT], out);
}

void hf_queue_policy_read(struct hf_json_doc *d, const struct cJSON *item, struct hf_policy *out,
			  struct hf_lane_rule *rule, bool *queued)
{
	hf_queue_policy_defaults(out);
	*rule = (struct hf_lane_rule){ .by = HF_LANE_BY_NOTHING };
	*queued = !cJSON_IsFalse(item);
	if (!cJSON_IsBool(item) && !cJSON_IsObject(item))
		hf_json_fault(d, item, "must be an object or true");
	else if (cJSON_IsObject(item))
		read_object(d, item, out, rule);
}

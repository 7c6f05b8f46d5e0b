/* SPDX-License-Identifier: Apache-2.0 */
#include "live/levers.h"

#define DELAY_MS_MAX	 5000
#define KBYTES_PER_S_MAX 10000
#define SHAKY_PERCENT	 20

static const char *const portal_names[] = { "off", "page", "redirect" };

void live_levers_init(struct live_levers *l)
{
	*l = (struct live_levers){
		.link = true,
		.origin = true,
		.delay_ms = 800,
		.kbytes_per_s = 8,
	};
}

/* ---- JSON ---- */

struct reader {
	const cJSON *json;
	bool wrong;
};

static void read_bool(struct reader *r, const char *name, bool *out)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->json, name);

	if (cJSON_IsBool(v))
		*out = cJSON_IsTrue(v);
	else if (v)
		r->wrong = true;
}

static void read_number(struct reader *r, const char *name, uint32_t min, uint32_t max,
			uint32_t *out)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->json, name);

	if (cJSON_IsNumber(v) && v->valuedouble >= min && v->valuedouble <= max)
		*out = (uint32_t)v->valuedouble;
	else if (v)
		r->wrong = true;
}

/* The index of the word of @name, or @now. */
static unsigned read_word(struct reader *r, const char *name, const char *(*word)(unsigned i),
			  unsigned n, unsigned now)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->json, name);

	if (!v)
		return now;
	for (unsigned i = 0; i < n && cJSON_IsString(v); i++)
		if (strcmp(word(i), v->valuestring) == 0)
			return i;
	r->wrong = true;
	return now;
}

static const char *portal_word(unsigned i)
{
	return portal_names[i];
}

static const char *mood_word(unsigned i)
{
	return live_mood_name((enum live_mood)i);
}

int live_levers_read(struct live_levers *l, const cJSON *json)
{
	struct reader r = { .json = json, .wrong = !cJSON_IsObject(json) };
	struct live_levers n = *l;

	read_bool(&r, "link", &n.link);
	read_bool(&r, "origin", &n.origin);
	read_bool(&r, "slow", &n.slow);
	read_bool(&r, "shaky", &n.shaky);
	read_bool(&r, "autoBoot", &n.auto_boot);
	read_number(&r, "delayMs", 0, DELAY_MS_MAX, &n.delay_ms);
	read_number(&r, "kbytesPerS", 1, KBYTES_PER_S_MAX, &n.kbytes_per_s);
	n.portal = (enum live_portal)read_word(&r, "portal", portal_word, 3, n.portal);
	n.mood = (enum live_mood)read_word(&r, "mood", mood_word, LIVE_MOODS, n.mood);
	if (r.wrong)
		return HF_EINVAL;
	*l = n;
	return 0;
}

void live_levers_write(const struct live_levers *l, cJSON *json)
{
	cJSON_AddBoolToObject(json, "link", l->link);
	cJSON_AddBoolToObject(json, "origin", l->origin);
	cJSON_AddBoolToObject(json, "slow", l->slow);
	cJSON_AddBoolToObject(json, "shaky", l->shaky);
	cJSON_AddBoolToObject(json, "autoBoot", l->auto_boot);
	cJSON_AddNumberToObject(json, "delayMs", l->delay_ms);
	cJSON_AddNumberToObject(json, "kbytesPerS", l->kbytes_per_s);
	cJSON_AddStringToObject(json, "portal", portal_names[l->portal]);
	cJSON_AddStringToObject(json, "mood", live_mood_name(l->mood));
}

void live_levers_weather(const struct live_levers *l, struct live_weather *out)
{
	*out = (struct live_weather){ .link_up = l->link,
				      .origin_up = l->origin,
				      .portal = l->portal };
	if (l->slow)
		out->line = (struct live_line){ .delay_ms = l->delay_ms,
						.bytes_per_s = l->kbytes_per_s * 1000 };
	if (l->shaky)
		out->line.reset_percent = SHAKY_PERCENT;
}

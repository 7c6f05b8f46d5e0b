/* SPDX-License-Identifier: Apache-2.0 */
#include "live/shop.h"

#include <stdio.h>
#include <stdlib.h>

#include "http/values.h"
#include "live/assets.h"

#define RETRY_AFTER_S "3"
#define FIRST_NUMBER  101
#define LINES_MAX     40
#define PIECES_MAX    99

struct effect {
	struct hf_list node;
	unsigned number;
	char *ref;
	char *answer; /* JSON */
	char what[96];
};

struct live_shop {
	struct live_bench *bench;
	struct live_journal *journal;
	struct live_server server;
	uint16_t port;
	enum live_mood mood;
	unsigned number; /* of the last order */
	struct hf_list effects;
	struct hf_strmap by_key, by_ref;
};

static const struct item {
	const char *id, *name, *words, *icon;
	unsigned cents;
} menu[] = {
	{ "coffee", "Filter coffee", "From the roastery next door", "coffee", 290 },
	{ "flatwhite", "Flat white", "Double shot, whole or oat milk", "flatwhite", 420 },
	{ "tea", "Mint tea", "Fresh leaves, honey if you like", "tea", 340 },
	{ "juice", "Orange juice", "Pressed when you order it", "juice", 460 },
	{ "croissant", "Croissant", "Butter, baked this morning", "croissant", 270 },
	{ "roll", "Cheese roll", "Mountain cheese, pickles, rye", "roll", 590 },
	{ "soup", "Soup of the day", "Tomato and fennel, with bread", "soup", 640 },
	{ "cake", "Apple cake", "With a spoon of cream", "cake", 380 },
};

#define MENU_N (sizeof(menu) / sizeof(menu[0]))

static const char *const mood_names[LIVE_MOODS] = { "ok", "busy", "broken", "loses" };

const char *live_mood_name(enum live_mood mood)
{
	return mood_names[mood];
}

/* ---- JSON ---- */

static void reply_json(struct live_conn *c, int status, const char *json,
		       const struct hf_field *fields, size_t fields_n)
{
	struct live_reply r = { status, "application/json", hf_span_str(json), fields, fields_n };

	live_reply(c, &r);
}

static void reply_error(struct live_conn *c, int status, const char *words)
{
	char json[160];

	snprintf(json, sizeof(json), "{\"error\":\"%s\"}", words);
	reply_json(c, status, json, NULL, 0);
}

static void reply_menu(struct live_conn *c)
{
	cJSON *list = cJSON_CreateArray();
	char *text;

	for (size_t i = 0; i < MENU_N; i++) {
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "id", menu[i].id);
		cJSON_AddStringToObject(o, "name", menu[i].name);
		cJSON_AddStringToObject(o, "words", menu[i].words);
		cJSON_AddStringToObject(o, "icon", menu[i].icon);
		cJSON_AddNumberToObject(o, "cents", menu[i].cents);
		cJSON_AddItemToArray(list, o);
	}
	text = cJSON_PrintUnformatted(list);
	cJSON_Delete(list);
	if (!text)
		live_must(HF_ENOMEM);
	reply_json(c, 200, text, NULL, 0);
	cJSON_free(text);
}

/* ---- orders ---- */

struct order {
	const char *ref;
	unsigned cents;
	char what[96];
};

static const struct item *item_by_id(const char *id)
{
	for (size_t i = 0; i < MENU_N; i++)
		if (id && strcmp(menu[i].id, id) == 0)
			return &menu[i];
	return NULL;
}

static bool read_line(const cJSON *line, struct order *o)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(line, "n");
	const struct item *item =
		item_by_id(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, "id")));
	size_t used = strlen(o->what);

	if (!item || !cJSON_IsNumber(n) || n->valueint < 1 || n->valueint > PIECES_MAX)
		return false;
	o->cents += item->cents * (unsigned)n->valueint;
	snprintf(o->what + used, sizeof(o->what) - used, "%s%d %s", used ? ", " : "", n->valueint,
		 item->name);
	return true;
}

static bool read_order(const cJSON *json, struct order *o)
{
	const cJSON *lines = cJSON_GetObjectItemCaseSensitive(json, "lines"), *line;

	o->ref = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "ref"));
	if (!o->ref || !cJSON_IsArray(lines) || cJSON_GetArraySize(lines) < 1 ||
	    cJSON_GetArraySize(lines) > LINES_MAX)
		return false;
	cJSON_ArrayForEach(line, lines) if (!read_line(line, o)) return false;
	return true;
}

static struct effect *do_order(struct live_shop *s, struct hf_span key, const struct order *o)
{
	struct effect *e = live_alloc(sizeof(*e));
	char answer[160];

	e->number = ++s->number;
	e->ref = hf_span_dup(hf_span_str(o->ref));
	snprintf(e->what, sizeof(e->what), "%s", o->what);
	snprintf(answer, sizeof(answer), "{\"number\":%u,\"cents\":%u,\"minutes\":%u}", e->number,
		 o->cents, 4 + e->number % 5);
	e->answer = hf_span_dup(hf_span_str(answer));
	if (!e->ref || !e->answer)
		live_must(HF_ENOMEM);
	hf_list_push(&s->effects, &e->node);
	live_must(hf_strmap_put(&s->by_key, key, e));
	if (hf_strmap_get(&s->by_ref, hf_span_str(e->ref)))
		live_journal_duplicate(s->journal);
	else
		live_must(hf_strmap_put(&s->by_ref, hf_span_str(e->ref), e));
	return e;
}

static void answer_order(struct live_shop *s, struct live_conn *c, const struct effect *e,
			 bool repeated)
{
	static const struct hf_field again[] = { { { "Idempotent-Replayed", 19 }, { "true", 4 } } };

	if (s->mood == LIVE_MOOD_LOSES)
		live_reset(c);
	else
		reply_json(c, 201, e->answer, again, repeated);
}

/* Refuses in its present mood. False: it does not. */
static bool refuse_order(struct live_shop *s, struct live_conn *c, int *status)
{
	static const struct hf_field later[] = {
		{ { "Retry-After", 11 }, { RETRY_AFTER_S, sizeof(RETRY_AFTER_S) - 1 } },
	};

	if (s->mood != LIVE_MOOD_BUSY && s->mood != LIVE_MOOD_BROKEN)
		return false;
	*status = s->mood == LIVE_MOOD_BUSY ? 503 : 500;
	if (s->mood == LIVE_MOOD_BUSY)
		reply_json(c, 503, "{\"error\":\"too many orders at once\"}", later, 1);
	else
		reply_error(c, 500, "the till has crashed");
	return true;
}

static void take_order(struct live_shop *s, struct live_conn *c, struct hf_span key,
		       const struct order *o)
{
	struct live_arrival a = { .status = s->mood == LIVE_MOOD_LOSES ? 0 : 201 };
	struct effect *e = hf_strmap_get(&s->by_key, key);

	snprintf(a.key, sizeof(a.key), "%.*s", HF_SPAN_ARG(key));
	snprintf(a.what, sizeof(a.what), "%s", o->what);
	if (!refuse_order(s, c, &a.status)) {
		a.repeated = e != NULL;
		a.effect = !e;
		if (!e)
			e = do_order(s, key, o);
		a.number = e->number;
		answer_order(s, c, e, a.repeated);
	}
	live_journal_arrival(s->journal, &a);
}

static void on_order(struct live_shop *s, struct live_conn *c, const struct live_request *r)
{
	const struct hf_span *field = hf_fields_get(r->fields, "Idempotency-Key");
	cJSON *json = cJSON_ParseWithLength(r->body.ptr ? r->body.ptr : "", r->body.len);
	struct order o = { 0 };
	struct hf_span key;

	if (!field || hf_idempotency_key_parse(*field, &key))
		reply_error(c, 400, "Idempotency-Key is missing");
	else if (!read_order(json, &o))
		reply_error(c, 422, "that is no order");
	else
		take_order(s, c, key, &o);
	cJSON_Delete(json);
}

static void on_request(void *user, struct live_conn *c, const struct live_request *r)
{
	struct live_shop *s = user;
	bool post = hf_span_eq_str(r->method, "POST");

	if (hf_span_eq_str(r->path, "/api/orders") && post)
		on_order(s, c, r);
	else if (post)
		reply_error(c, 405, "only orders are posted");
	else if (hf_span_eq_str(r->path, "/api/menu"))
		reply_menu(c);
	else
		live_asset_reply(c, "panel", r->path);
}

/* ---- its life ---- */

int live_shop_up(struct live_shop *s, bool up)
{
	if (up)
		return live_server_listen(&s->server, s->port);
	live_server_down(&s->server);
	return 0;
}

void live_shop_mood(struct live_shop *s, enum live_mood mood)
{
	s->mood = mood;
}

struct live_shop *live_shop_create(struct live_bench *b, struct live_journal *j, uint16_t port)
{
	struct live_shop *s = live_alloc(sizeof(*s));
	uint64_t seed[2] = { hf_rand_u64(&b->rand), hf_rand_u64(&b->rand) };

	s->bench = b;
	s->journal = j;
	s->port = port;
	s->number = FIRST_NUMBER - 1;
	hf_list_init(&s->effects);
	hf_strmap_init(&s->by_key, seed);
	hf_strmap_init(&s->by_ref, seed);
	live_server_init(&s->server, b, on_request, s);
	return s;
}

void live_shop_destroy(struct live_shop *s)
{
	struct hf_list *n;

	if (!s)
		return;
	live_server_down(&s->server);
	while ((n = hf_list_pop(&s->effects))) {
		struct effect *e = hf_container_of(n, struct effect, node);

		free(e->ref);
		free(e->answer);
		free(e);
	}
	hf_strmap_finish(&s->by_key);
	hf_strmap_finish(&s->by_ref);
	free(s);
}

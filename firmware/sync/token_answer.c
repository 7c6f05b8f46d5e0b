/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/token_answer.h"

#include <cjson/cJSON.h>

#include "holdfast/err.h"

bool hf_token_is_valid(struct hf_span token, size_t max)
{
	if (token.len == 0 || token.len > max)
		return false;
	for (size_t i = 0; i < token.len; i++)
		if (token.ptr[i] < ' ' || token.ptr[i] >= 0x7f)
			return false;
	return true;
}

/* The library ends a string at an escaped NUL, and the rest would be lost. */
static bool has_nul(struct hf_span body)
{
	static const char escaped[] = "\\u0000";
	const size_t n = sizeof(escaped) - 1;

	for (size_t i = 0; i < body.len; i++)
		if (body.ptr[i] == '\0' ||
		    (body.len - i >= n && memcmp(body.ptr + i, escaped, n) == 0))
			return true;
	return false;
}

static cJSON *parse(struct hf_span body)
{
	cJSON *tree;

	if (body.len == 0 || body.len > HF_TOKEN_ANSWER_MAX || has_nul(body))
		return NULL;
	tree = cJSON_ParseWithLength(body.ptr, body.len);
	if (cJSON_IsObject(tree))
		return tree;
	cJSON_Delete(tree);
	return NULL;
}

/* The member @name; NULL: none. *@twice: there are several. */
static const cJSON *member(const cJSON *tree, const char *name, bool *twice)
{
	const cJSON *found = NULL, *item;

	cJSON_ArrayForEach(item, tree)
	{
		if (strcmp(item->string, name) != 0)
			continue;
		*twice |= found != NULL;
		found = item;
	}
	return found;
}

static int take(const cJSON *item, size_t max, struct hf_arena *arena, struct hf_span *out)
{
	struct hf_span text;

	if (!cJSON_IsString(item))
		return HF_EPROTO;
	text = hf_span_str(item->valuestring);
	if (!hf_token_is_valid(text, max))
		return HF_EPROTO;
	*out = hf_arena_copy(arena, text);
	return out->ptr ? 0 : HF_ENOMEM;
}

/* Some servers write the number as a string. */
static int take_expires(const cJSON *item, uint32_t *out)
{
	double v = cJSON_IsNumber(item) ? item->valuedouble : -1;
	uint64_t digits;

	*out = 0;
	if (!item || cJSON_IsNull(item))
		return 0;
	if (cJSON_IsString(item) && hf_span_u64(hf_span_str(item->valuestring), &digits))
		v = digits < HF_TOKEN_EXPIRES_MAX ? (double)digits : HF_TOKEN_EXPIRES_MAX;
	if (!(v >= 0))
		return HF_EPROTO;
	if (v > HF_TOKEN_EXPIRES_MAX)
		v = HF_TOKEN_EXPIRES_MAX;
	*out = v < 1 ? 1 : (uint32_t)v;
	return 0;
}

static int take_all(const cJSON *tree, struct hf_arena *arena, struct hf_token_answer *out)
{
	bool twice = false;
	const cJSON *access = member(tree, "access_token", &twice);
	const cJSON *type = member(tree, "token_type", &twice);
	const cJSON *refresh = member(tree, "refresh_token", &twice);
	const cJSON *expires = member(tree, "expires_in", &twice);
	int err;

	if (twice || !cJSON_IsString(type))
		return HF_EPROTO;
	err = take(access, HF_ACCESS_TOKEN_MAX, arena, &out->access);
	if (!err && memchr(out->access.ptr, ' ', out->access.len))
		err = HF_EPROTO; /* it is one word of a field */
	if (!err && refresh && !cJSON_IsNull(refresh))
		err = take(refresh, HF_REFRESH_TOKEN_MAX, arena, &out->refresh);
	if (!err)
		err = take_expires(expires, &out->expires_s);
	if (!err && !hf_span_ieq_str(hf_span_str(type->valuestring), "Bearer"))
		err = HF_ENOTSUP;
	return err;
}

int hf_token_answer_parse(struct hf_span body, struct hf_arena *arena, struct hf_token_answer *out)
{
	cJSON *tree = parse(body);
	int err;

	*out = (struct hf_token_answer){ 0 };
	if (!tree)
		return HF_EPROTO;
	err = take_all(tree, arena, out);
	cJSON_Delete(tree);
	return err;
}

const char *hf_token_error(struct hf_span body)
{
	static const char *const final[] = {
		"invalid_grant",       "invalid_client",	 "invalid_request",
		"unauthorized_client", "unsupported_grant_type", "invalid_scope",
	};
	cJSON *tree = parse(body);
	const char *found = NULL;
	bool twice = false;
	const cJSON *error = member(tree, "error", &twice);

	for (size_t i = 0; i < sizeof(final) / sizeof(final[0]) && cJSON_IsString(error); i++)
		if (!twice && strcmp(error->valuestring, final[i]) == 0)
			found = final[i];
	cJSON_Delete(tree);
	return found;
}

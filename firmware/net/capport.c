/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer comes from whoever runs the network: nothing of it is believed but
 * whether there is a portal, a URL that people may open and a time.
 */
#include "net/capport.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "holdfast/err.h"
#include "http/url.h"

static void read_url(const cJSON *item, char out[HF_CAPPORT_URL_SIZE])
{
	const char *text = cJSON_GetStringValue(item);
	size_t len = text ? strlen(text) : 0;
	struct hf_url url;

	out[0] = '\0';
	if (len == 0 || len >= HF_CAPPORT_URL_SIZE)
		return;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return;
	if (hf_url_parse(hf_span(text, len), &url) || !hf_span_eq_str(url.scheme, "https"))
		return;
	memcpy(out, text, len + 1);
}

static void read_seconds(const cJSON *item, struct hf_capport_answer *out)
{
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0))
		return;
	out->ends = true;
	out->seconds = item->valuedouble < UINT32_MAX ? (uint32_t)item->valuedouble : UINT32_MAX;
}

static int read_object(const cJSON *object, struct hf_capport_answer *out)
{
	const cJSON *captive = cJSON_GetObjectItemCaseSensitive(object, "captive");

	if (!cJSON_IsObject(object) || !cJSON_IsBool(captive))
		return HF_EINVAL;
	out->captive = cJSON_IsTrue(captive);
	read_url(cJSON_GetObjectItemCaseSensitive(object, "user-portal-url"), out->url);
	read_seconds(cJSON_GetObjectItemCaseSensitive(object, "seconds-remaining"), out);
	return 0;
}

/* cJSON has a limit for nesting of its own. Want of memory looks like a fault of the
 * body: it is asked for again either way. */
int hf_capport_answer_read(struct hf_span body, struct hf_capport_answer *out)
{
	const char *end = NULL;
	cJSON *object;
	int err;

	memset(out, 0, sizeof(*out));
	if (body.len == 0 || body.len > HF_CAPPORT_BYTES_MAX || memchr(body.ptr, '\0', body.len))
		return HF_EINVAL;
	object = cJSON_ParseWithLengthOpts(body.ptr, body.len, &end, false);
	if (!object)
		return HF_EINVAL;
	err = read_object(object, out);
	while (end < body.ptr + body.len && strchr(" \t\r\n", *end))
		end++;
	if (end != body.ptr + body.len)
		err = HF_EINVAL;
	cJSON_Delete(object);
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/har.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "cli/json.h"
#include "cli/text.h"
#include "holdfast/agent.h"

void cli_har_begin(void)
{
	printf("{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"holdfast\",\"version\":\"%s\"},"
	       "\"entries\":[",
	       HOLDFAST_VERSION);
}

void cli_har_end(void)
{
	puts("\n]}}");
}

/* ---- the body ---- */

static int base64_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The bytes of @text with a NUL behind them, for the caller to free. */
static char *decode(const char *text, size_t *len)
{
	char *out = malloc(strlen(text) / 4 * 3 + 4);
	unsigned bits = 0, n = 0;

	*len = 0;
	for (; out && *text && *text != '='; text++) {
		int value = base64_value(*text);

		if (value < 0)
			break;
		bits = bits << 6 | (unsigned)value;
		if (++n % 4 != 1)
			out[(*len)++] = (char)(bits >> (6 - 2 * ((n - 1) % 4)) & 0xff);
	}
	if (out)
		out[*len] = '\0';
	return out;
}

/* Text as it is, other bytes in base64. */
static bool add_body(cJSON *request, const char *type, const char *base64)
{
	cJSON *post = cJSON_AddObjectToObject(request, "postData");
	size_t len = 0;
	char *bytes = decode(base64, &len);
	bool text = bytes && cli_is_text(hf_span(bytes, len));
	bool ok = bytes && cJSON_AddStringToObject(post, "mimeType", type) &&
		  cJSON_AddStringToObject(post, "text", text ? bytes : base64);

	if (ok && !text)
		ok = cJSON_AddStringToObject(post, "_encoding", "base64");
	if (ok)
		ok = cJSON_AddNumberToObject(request, "bodySize", (double)len);
	free(bytes);
	return ok;
}

/* ---- the request ---- */

/* The URL of the origin @name, "" when it is not configured. */
static const char *origin_url(const cJSON *status, const char *name)
{
	const cJSON *o;

	cJSON_ArrayForEach(o, cli_json_at(status, "origins"))
	{
		if (strcmp(cli_json_text(o, "name", ""), name) == 0)
			return cli_json_text(o, "url", "");
	}
	return "";
}

static bool add_url(cJSON *request, const cJSON *from, const cJSON *status)
{
	const char *base = origin_url(status, cli_json_text(from, "origin", ""));
	const char *path = cli_json_text(from, "url", "/");
	size_t n = strlen(base), size = n + strlen(path) + 1;
	char *url = malloc(size);
	bool ok;

	if (!url)
		return false;
	while (n > 0 && base[n - 1] == '/')
		n--;
	snprintf(url, size, "%.*s%s", (int)n, base, path);
	ok = cJSON_AddStringToObject(request, "url", url);
	free(url);
	return ok;
}

/* Returns the Content-Type among them, NULL: out of memory. */
static const char *add_headers(cJSON *request, const cJSON *from)
{
	cJSON *headers = cJSON_AddArrayToObject(request, "headers");
	const char *type = "";
	const cJSON *pair;

	cJSON_ArrayForEach(pair, cli_json_at(from, "fields"))
	{
		const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 0));
		const char *value = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 1));
		cJSON *header = cJSON_CreateObject();

		if (!cJSON_AddItemToArray(headers, header) ||
		    !cJSON_AddStringToObject(header, "name", name ? name : "") ||
		    !cJSON_AddStringToObject(header, "value", value ? value : ""))
			return NULL;
		if (name && value && strcasecmp(name, "Content-Type") == 0)
			type = value;
	}
	return headers ? type : NULL;
}

static bool add_request(cJSON *entry, const cJSON *from, const cJSON *status)
{
	cJSON *r = cJSON_AddObjectToObject(entry, "request");
	const char *type;

	if (!cJSON_AddStringToObject(r, "method", cli_json_text(from, "method", "")) ||
	    !add_url(r, from, status) || !cJSON_AddStringToObject(r, "httpVersion", "HTTP/1.1") ||
	    !cJSON_AddArrayToObject(r, "cookies") || !(type = add_headers(r, from)) ||
	    !cJSON_AddArrayToObject(r, "queryString") ||
	    !cJSON_AddNumberToObject(r, "headersSize", -1))
		return false;
	return add_body(r, type, cli_json_text(from, "body", ""));
}

/* Of none of these the answer is in the export. */
static bool add_response(cJSON *entry, const cJSON *from)
{
	cJSON *r = cJSON_AddObjectToObject(entry, "response"), *content;

	content = cJSON_AddObjectToObject(r, "content");
	return cJSON_AddNumberToObject(r, "status", cli_json_number(from, "response.status", 0)) &&
	       cJSON_AddStringToObject(r, "statusText", "") &&
	       cJSON_AddStringToObject(r, "httpVersion", "") &&
	       cJSON_AddArrayToObject(r, "cookies") && cJSON_AddArrayToObject(r, "headers") &&
	       cJSON_AddNumberToObject(content, "size", 0) &&
	       cJSON_AddStringToObject(content, "mimeType", "") &&
	       cJSON_AddStringToObject(r, "redirectURL", "") &&
	       cJSON_AddNumberToObject(r, "headersSize", -1) &&
	       cJSON_AddNumberToObject(r, "bodySize", -1);
}

static bool add_own(cJSON *entry, const cJSON *from)
{
	static const char *const names[] = { "id",	  "state",  "reason", "attempts",
					     "tag",	  "lane",   "origin", "idempotencyKey",
					     "createdAt", "damaged" };
	cJSON *own = cJSON_AddObjectToObject(entry, "_holdfast");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, names[i]);

		if (item && !cJSON_AddItemToObject(own, names[i], cJSON_Duplicate(item, true)))
			return false;
	}
	return own != NULL;
}

static bool add_entry(cJSON *entry, const cJSON *from, const cJSON *status)
{
	cJSON *timings;

	/* the format wants a time; without a clock there was none */
	if (!cJSON_AddStringToObject(entry, "startedDateTime",
				     cli_json_text(from, "createdAt", "1970-01-01T00:00:00Z")) ||
	    !cJSON_AddNumberToObject(entry, "time", 0) || !add_request(entry, from, status) ||
	    !add_response(entry, from) || !cJSON_AddObjectToObject(entry, "cache"))
		return false;
	timings = cJSON_AddObjectToObject(entry, "timings");
	return cJSON_AddNumberToObject(timings, "send", 0) &&
	       cJSON_AddNumberToObject(timings, "wait", 0) &&
	       cJSON_AddNumberToObject(timings, "receive", 0) && add_own(entry, from);
}

bool cli_har_put(const struct cJSON *request, const struct cJSON *status)
{
	cJSON *entry = cJSON_CreateObject();
	bool ok = add_entry(entry, request, status);
	char *text = ok ? cJSON_PrintUnformatted(entry) : NULL;

	if (text)
		cli_put_bytes(hf_span_str(text));
	cJSON_free(text);
	cJSON_Delete(entry);
	return text != NULL;
}

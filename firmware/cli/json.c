/* SPDX-License-Identifier: Apache-2.0 */
/* See json.h. */
#include "cli/json.h"

#include <stdio.h>

#include <cjson/cJSON.h>

#include "http/values.h"

struct cJSON *cli_json_parse(struct hf_span text)
{
	return text.len > 0 ? cJSON_ParseWithLength(text.ptr, text.len) : NULL;
}

void cli_json_free(struct cJSON *j)
{
	cJSON_Delete(j);
}

const struct cJSON *cli_json_at(const struct cJSON *j, const char *path)
{
	char key[64];

	while (j && *path) {
		size_t n = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		j = cJSON_GetObjectItemCaseSensitive(j, key);
		path += path[n] ? n + 1 : n;
	}
	return cJSON_IsNull(j) ? NULL : j;
}

const char *cli_json_text(const struct cJSON *j, const char *path, const char *fallback)
{
	const struct cJSON *item = cli_json_at(j, path);

	return cJSON_IsString(item) ? item->valuestring : fallback;
}

double cli_json_number(const struct cJSON *j, const char *path, double fallback)
{
	const struct cJSON *item = cli_json_at(j, path);

	return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

bool cli_json_true(const struct cJSON *j, const char *path)
{
	return cJSON_IsTrue(cli_json_at(j, path));
}

int cli_json_append(struct hf_buf *out, const char *before, struct hf_span text)
{
	int err = hf_buf_append_str(out, before);

	return err ? err : hf_json_append_string(out, text);
}

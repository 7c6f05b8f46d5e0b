/* SPDX-License-Identifier: Apache-2.0 */
#include "stage_routes.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "http/url.h"
#include "http/url_pattern.h"

static const char *text_of(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static bool path_fits(const char *pattern, const char *path)
{
	struct hf_url_pattern *p = NULL;
	struct hf_span target = hf_span_str(path), query = hf_span(NULL, 0);
	const char *error;
	size_t at;
	bool fits;

	if (hf_url_pattern_compile(hf_span_str(pattern), &p, &at, &error))
		return false;
	if (hf_target_parse(target, &target, &query))
		target = hf_span_str(path);
	fits = hf_url_pattern_match(p, target, query);
	hf_url_pattern_destroy(p);
	return fits;
}

/* By pattern and method: a scenario's routes have no other conditions. */
static bool is_for(const cJSON *route, const char *method, const char *path)
{
	const cJSON *condition = cJSON_GetObjectItemCaseSensitive(route, "condition");
	const char *wanted = text_of(condition, "requestMethod");
	const char *pattern = text_of(condition, "urlPattern");

	return (!wanted || strcmp(wanted, method) == 0) && pattern && path_fits(pattern, path);
}

bool sim_route_skips(const char *manifest, const char *method, const char *path)
{
	cJSON *all = cJSON_Parse(manifest);
	const cJSON *route;
	const char *order;
	bool skips = false;

	cJSON_ArrayForEach(route, cJSON_GetObjectItemCaseSensitive(all, "routes"))
	{
		if (!is_for(route, method, path))
			continue;
		order = text_of(cJSON_GetObjectItemCaseSensitive(route, "queue"), "order");
		skips = order && strcmp(order, "skip") == 0;
		break;
	}
	cJSON_Delete(all);
	return skips;
}

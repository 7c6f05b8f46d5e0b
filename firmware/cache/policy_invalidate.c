/* SPDX-License-Identifier: Apache-2.0 */
/* What unsafe methods make invalid (RFC 9111 section 4.4). */
#include "cache/policy.h"

static bool is_known(const struct hf_target *targets, size_t n, const struct hf_target *target)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (hf_span_eq(targets[i].path, target->path) &&
		    hf_span_eq(targets[i].query, target->query))
			return true;
	return false;
}

static size_t add_reference(const struct hf_url *url, const struct hf_fields *fields,
			    const char *name, struct hf_arena *arena, struct hf_target *out,
			    size_t n)
{
	const struct hf_span *value = hf_fields_get(fields, name);
	struct hf_target target;

	if (!value || !hf_reference_resolve(url, hf_span_trim(*value), arena, &target) ||
	    is_known(out, n, &target))
		return n;
	out[n] = target;
	return n + 1;
}

size_t hf_cache_invalidates(struct hf_span method, const struct hf_url *url,
			    const struct hf_message *response, struct hf_arena *arena,
			    struct hf_target out[HF_CACHE_INVALID_MAX])
{
	size_t n;

	if (hf_method_is_safe(method) || response->status < 200 || response->status > 399)
		return 0;
	out[0] = (struct hf_target){ .path = url->path, .query = url->query };
	n = add_reference(url, &response->fields, "Location", arena, out, 1);
	return add_reference(url, &response->fields, "Content-Location", arena, out, n);
}

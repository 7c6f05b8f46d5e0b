/* SPDX-License-Identifier: Apache-2.0 */
/* Answers made of stored responses (RFC 9111 sections 4 and 5.1). */
#include "cache/policy_private.h"

#include "holdfast/err.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool is_one_of(struct hf_span name, const char *const *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (hf_span_ieq_str(name, names[i]))
			return true;
	return false;
}

/* A 304 has no body to describe; Content-Location says which resource it is of
 * (RFC 9110 section 15.4.5). */
static bool is_left_out_of_304(struct hf_span name)
{
	static const char *const names[] = {
		"Content-Length", "Content-Type",  "Content-Encoding", "Content-Language",
		"Content-Range",  "Accept-Ranges", "Content-MD5",      "Content-Digest",
	};

	return is_one_of(name, names, COUNT(names));
}

/* A 416 is not the stored representation, nor as durable. */
static bool is_left_out_of_416(struct hf_span name)
{
	static const char *const names[] = { "ETag", "Last-Modified", "Cache-Control", "Expires",
					     "Content-Location" };

	return is_left_out_of_304(name) || is_one_of(name, names, COUNT(names));
}

static bool is_left_out(struct hf_span name, enum hf_cache_shape shape)
{
	if (hf_span_ieq_str(name, "Age"))
		return true;
	if (shape == HF_CACHE_AS_304)
		return is_left_out_of_304(name);
	if (shape == HF_CACHE_AS_416)
		return is_left_out_of_416(name);
	return shape == HF_CACHE_AS_206 &&
	       (hf_span_ieq_str(name, "Content-Length") || hf_span_ieq_str(name, "Content-Range"));
}

int hf_cache_answer_fields(const struct hf_cache_entry *entry,
			   const struct hf_cache_freshness *freshness, enum hf_cache_shape shape,
			   struct hf_arena *arena, struct hf_fields *out)
{
	int64_t age_s = freshness->age_s < HF_DELTA_MAX ? freshness->age_s : HF_DELTA_MAX;
	char digits[HF_DECIMAL_MAX];
	struct hf_span age = hf_arena_copy(arena, hf_span_of_u64((uint64_t)age_s, digits));
	size_t i;
	int rc = age.ptr ? 0 : HF_ENOMEM;

	hf_fields_init(out, arena);
	for (i = 0; i < entry->fields->n && !rc; i++)
		if (!is_left_out(entry->fields->v[i].name, shape))
			rc = hf_fields_add(out, entry->fields->v[i].name,
					   entry->fields->v[i].value);
	return rc ? rc : hf_fields_add(out, HF_SPAN("Age"), age);
}

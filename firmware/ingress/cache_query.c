/* SPDX-License-Identifier: Apache-2.0 */
#include "ingress/cache_query.h"

#include "http/vary.h"

#define SCRATCH_MAX (2 * HF_VARY_NAMES_MAX * HF_VARY_KEY_MAX)

/* False: it was refused. Absent: @out stays. */
static bool read_flag(struct hf_api_call *call, const char *name, const char *refusal, bool *out)
{
	struct hf_span value;

	if (!hf_api_query(call, name, &value))
		return true;
	*out = value.ptr && hf_span_eq_str(value, "true");
	if (*out || (value.ptr && hf_span_eq_str(value, "false")))
		return true;
	hf_api_problem(call, 400, refusal);
	return false;
}

static bool read_number(struct hf_api_call *call, const char *name, const char *refusal,
			uint64_t *out)
{
	struct hf_span value;

	if (!hf_api_query(call, name, &value))
		return true;
	if (value.ptr && hf_span_u64(value, out) && *out > 0 && *out <= INT64_MAX)
		return true;
	hf_api_problem(call, 400, refusal);
	return false;
}

/* A stored response is one to GET. */
static bool read_method(struct hf_api_call *call, struct hf_cache_query *q)
{
	struct hf_span method = HF_SPAN("GET");
	bool ignored = false;

	if (hf_api_query(call, "method", &method) && (!method.ptr || !hf_is_token(method))) {
		hf_api_problem(call, 400, "method is the method of a request.");
		return false;
	}
	if (!read_flag(call, "ignoreMethod", "ignoreMethod is true or false.", &ignored))
		return false;
	q->nothing = !ignored && !hf_span_eq_str(method, "GET");
	return true;
}

bool hf_cache_query_read(struct hf_api_call *call, struct hf_cache_query *q)
{
	bool any_search = false;

	*q = (struct hf_cache_query){ .all = false };
	if (!hf_cache_call_url(call, &q->url) && q->url.ptr)
		return false;
	if (!read_flag(call, "all", "all is true or false.", &q->all) ||
	    !read_flag(call, "ignoreSearch", "ignoreSearch is true or false.", &any_search) ||
	    !read_flag(call, "ignoreVary", "ignoreVary is true or false.", &q->ignore_vary) ||
	    !read_method(call, q) ||
	    !read_number(call, "after", "after is the next of the page before.", &q->after) ||
	    !read_number(call, "id", "id is that of an entry in a list.", &q->id))
		return false;
	if (q->id)
		q->nothing = false;
	if (any_search && q->url.ptr && q->id == 0) {
		struct hf_span rest = q->url;

		q->path = hf_span_cut(&rest, '?');
	}
	return true;
}

bool hf_cache_query_matches(const struct hf_api_call *call, const struct hf_cache_query *q,
			    const struct hf_stored *s)
{
	struct hf_arena scratch; /* its own: a query may look at any number of entries */
	bool match;

	if (q->id)
		return s->id == q->id;
	if (!q->url.ptr || q->ignore_vary)
		return true;
	hf_arena_init(&scratch, SCRATCH_MAX);
	match = hf_vary_match(&scratch, s->entry.variant, &call->msg->fields, hf_span(NULL, 0));
	hf_arena_finish(&scratch);
	return match;
}

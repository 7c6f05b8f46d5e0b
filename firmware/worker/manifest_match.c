/* SPDX-License-Identifier: Apache-2.0 */
/* The first route of a manifest that matches a request. */
#include "worker/condition.h"
#include "worker/manifest.h"
#include "worker/match_path.h"

const struct hf_route *hf_manifest_match_request(const struct hf_manifest *m,
						 const struct hf_match_request *req)
{
	struct hf_condition_facts facts = {
		.method = req->method,
		.query = req->query,
		.mode = req->mode,
		.destination = req->destination,
	};
	const struct hf_route *found = NULL;
	struct hf_match_path path;

	hf_match_path_init(&path, req->path);
	facts.path = path.path;
	for (size_t i = 0; i < m->routes_n && !found; i++) {
		facts.any_method = m->routes[i].queued;
		if (hf_condition_match(m->routes[i].condition, &facts))
			found = &m->routes[i];
	}
	hf_match_path_finish(&path);
	return found;
}

const struct hf_route *hf_manifest_match(const struct hf_manifest *m, struct hf_span method,
					 struct hf_span path, struct hf_span query)
{
	struct hf_match_request req = { .method = method, .path = path, .query = query };

	return hf_manifest_match_request(m, &req);
}

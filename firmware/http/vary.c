/* SPDX-License-Identifier: Apache-2.0 */
#include "http/vary.h"

/* ---- names ---- */

bool hf_vary_is_star(const struct hf_fields *response)
{
	struct hf_span rest, member;
	size_t i, n = 0;

	for (i = 0; i < response->n; i++) {
		if (!hf_span_ieq_str(response->v[i].name, "Vary"))
			continue;
		rest = response->v[i].value;
		for (; hf_list_next(&rest, &member); n++)
			if (n == HF_VARY_NAMES_MAX || hf_span_eq_str(member, "*") ||
			    !hf_is_token(member))
				return true;
	}
	return false;
}

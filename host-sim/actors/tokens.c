/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/tokens.h"

#include <inttypes.h>
#include <stdio.h>

#include "sim/world.h"

#define REFRESH "refresh-"
#define ACCESS	"Bearer access-"

/* The number behind @start in @text. */
static bool number_behind(struct hf_span text, const char *start, uint64_t *out)
{
	struct hf_span prefix = hf_span_str(start);

	if (!hf_span_starts(text, prefix))
		return false;
	text = hf_span_skip(text, prefix.len);
	return hf_span_u64(text, out);
}

/* The refresh token of a form, by number. */
static bool refresh_of(struct hf_span form, uint64_t *out)
{
	struct hf_span rest = form;

	while (rest.len > 0)
		if (number_behind(hf_span_cut(&rest, '&'), "refresh_token=" REFRESH, out))
			return true;
	return false;
}

bool sim_tokens_answer(struct sim_tokens *t, struct hf_span form, uint64_t now_us, char *out,
		       size_t size)
{
	uint64_t n;

	if (!refresh_of(form, &n) || (n != t->used && n != t->issued)) {
		snprintf(out, size, "{\"error\":\"invalid_grant\"}");
		return false;
	}
	t->used = (unsigned)n;
	t->issued++;
	t->until_us = now_us + t->life_us;
	snprintf(out, size,
		 "{\"access_token\":\"access-%" PRIu64 "\",\"token_type\":\"Bearer\","
		 "\"expires_in\":%" PRIu64 ",\"refresh_token\":\"" REFRESH "%u\"}",
		 t->until_us, t->life_us / SIM_US_PER_S, t->issued);
	return true;
}

/* An access token is the time of its end. */
bool sim_tokens_accept(struct sim_tokens *t, const struct hf_span *field, uint64_t now_us)
{
	uint64_t until;

	if (!field || !number_behind(*field, ACCESS, &until) || now_us >= until)
		return false;
	if (until == t->until_us)
		t->used = t->issued;
	return true;
}

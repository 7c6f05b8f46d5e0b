/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is stored of registrations: bytes from a damaged medium must be refused or
 * lead to a state that is written as it was read and goes on from there.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sync/periodic_state.h"
#include "sync/tag_state.h"

#define NOW INT64_C(1000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_off(struct hf_span bytes)
{
	struct hf_tag_facts f = { .now_dev_ms = (uint64_t)NOW, .crashes_max = 3 };
	uint8_t again[HF_TAG_VALUE_SIZE];
	struct hf_tag_state s, back;

	if (hf_tag_decode(bytes, &s))
		return;
	hf_tag_encode(&s, again);
	assert(!hf_tag_decode(hf_span((const char *)again, sizeof(again)), &back));
	assert(back.status == s.status && back.due_dev_ms == s.due_dev_ms && back.key == s.key);
	(void)hf_tag_why_name(s.why);
	for (int event = 0; event <= HF_TAG_RESTART; event++) {
		struct hf_tag_state next = s;

		(void)hf_tag_step(&next, (enum hf_tag_event)event, &f);
		assert(next.status < HF_TAG_STATUSES);
	}
}

static void periodic(struct hf_span bytes)
{
	struct hf_periodic_facts f = { .now_dev_ms = NOW,
				       .synced_wall_ms = INT64_C(1800000000000),
				       .floor_ms = 60000,
				       .named_max_ms = 86400000,
				       .retries = 3,
				       .crashes_max = 3 };
	uint8_t again[HF_PERIODIC_VALUE_SIZE];
	struct hf_periodic_state s, back;

	if (hf_periodic_decode(bytes, &s))
		return;
	hf_periodic_encode(&s, again);
	assert(!hf_periodic_decode(hf_span((const char *)again, sizeof(again)), &back));
	assert(back.status == s.status && back.due_dev_ms == s.due_dev_ms && back.key == s.key);
	hf_periodic_catch_up(&s, &f);
	hf_periodic_bound(&s, &f);
	assert(s.due_dev_ms <= NOW + (int64_t)HF_PERIODIC_INTERVAL_MAX_MS * 2);
	for (int event = 0; event < HF_PERIODIC_EVENTS; event++) {
		struct hf_periodic_state next = s;

		if (!hf_periodic_step(&next, (enum hf_periodic_event)event, &f))
			continue;
		assert(next.status < HF_PERIODIC_STATUSES);
		if (event == HF_PERIODIC_SUCCESS)
			assert(next.due_dev_ms > NOW);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_span bytes = hf_span((const char *)data, size);

	one_off(bytes);
	periodic(bytes);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of one queue rig each: *state is the rig. */
#ifndef HF_TESTS_QUEUE_CASE_H
#define HF_TESTS_QUEUE_CASE_H

#include "lib/queue_rig.h"

static int setup(void **state)
{
	static struct qrig r;

	qrig_init(&r);
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	qrig_finish(*state);
	return 0;
}

/* An on_perform of the fake transport: what the next exchange is answered. */
static struct fake_answer_to next_answer;

static inline void answer_next(void *user, struct hf_exchange *x, struct fake_answer_to *out)
{
	(void)user;
	(void)x;
	*out = next_answer;
}

#endif

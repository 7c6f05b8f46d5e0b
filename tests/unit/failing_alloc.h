/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the n-th allocation of the code under test fail. */
#ifndef HF_TESTS_FAILING_ALLOC_H
#define HF_TESTS_FAILING_ALLOC_H

#include "wrap_alloc.h"

/* Allocations that still succeed, then one fails; negative: all succeed. */
static int alloc_countdown = -1;

static bool alloc_fails(void)
{
	return alloc_countdown >= 0 && alloc_countdown-- == 0;
}

#endif

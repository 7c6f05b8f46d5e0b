/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages have shown was judged as it came (actors/pages.c). */
#include "checks/checks.h"

static bool without(const struct sim_stage *s, enum sim_page_fault fault, char *why, size_t size)
{
	const char *what = s->ledger.pages.faults[fault];

	snprintf(why, size, "%s", what);
	return !what[0];
}

static bool whole(const struct sim_stage *s, char *why, size_t size)
{
	return without(s, SIM_PAGE_BROKEN, why, size);
}

static bool fresh(const struct sim_stage *s, char *why, size_t size)
{
	return without(s, SIM_PAGE_OLD, why, size);
}

static bool one_release(const struct sim_stage *s, char *why, size_t size)
{
	return without(s, SIM_PAGE_MIXED, why, size);
}

static bool own(const struct sim_stage *s, char *why, size_t size)
{
	return without(s, SIM_PAGE_STRANGER, why, size);
}

const struct sim_check sim_check_pages_whole = {
	.name = "pages-whole",
	.promise = "a page that came in full is the whole of what the origin has there",
	.holds = whole,
};

const struct sim_check sim_check_pages_fresh = {
	.name = "pages-fresh",
	.promise = "what has to be checked is never older than it was seen before",
	.holds = fresh,
};

const struct sim_check sim_check_one_release = {
	.name = "one-release",
	.promise = "the files of a precache are of one release, and all are there",
	.holds = one_release,
};

const struct sim_check sim_check_no_strangers = {
	.name = "no-strangers",
	.promise = "what a portal said is never shown out of a cache, nor when the portal is gone",
	.holds = own,
};

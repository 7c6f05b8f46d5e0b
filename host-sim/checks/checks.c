/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

const struct sim_check *const sim_checks[] = {
	&sim_check_accounted,	&sim_check_effects,
	&sim_check_intact,	&sim_check_order,
	&sim_check_after,	&sim_check_answers,
	&sim_check_progress,	&sim_check_memory,
	&sim_check_writes,	&sim_check_periodic,
	&sim_check_rest,	&sim_check_damage,
	&sim_check_moves,	&sim_check_tidy,
	&sim_check_pages_whole, &sim_check_pages_fresh,
	&sim_check_one_release, &sim_check_no_strangers,
	&sim_check_values,	NULL,
};

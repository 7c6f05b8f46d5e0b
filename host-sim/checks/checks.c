/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

const struct sim_check *const sim_checks[] = {
	&sim_check_delivered,
	&sim_check_effects,
	&sim_check_intact,
	&sim_check_order,
	&sim_check_answers,
	&sim_check_tidy,
	NULL,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "moves.h"

#include <stdio.h>

static char illegal[128];

void sim_moves_begin(void)
{
	illegal[0] = '\0';
}

static const char *name_of(const struct hf_fsm *fsm, unsigned state)
{
	return state < fsm->states && fsm->names ? fsm->names[state] : "nowhere";
}

void sim_moves_see(const struct hf_fsm *fsm, unsigned from, unsigned to)
{
	if (illegal[0] || hf_fsm_may(fsm, from, to))
		return;
	snprintf(illegal, sizeof(illegal), "%s: from %s to %s", fsm->name, name_of(fsm, from),
		 name_of(fsm, to));
}

const char *sim_moves_illegal(void)
{
	return illegal;
}

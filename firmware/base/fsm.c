/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fsm.h"

#include <assert.h>

bool hf_fsm_may(const struct hf_fsm *fsm, unsigned from, unsigned to)
{
	assert(fsm->states <= 32);
	if (from >= fsm->states || to >= fsm->states)
		return false;
	return (fsm->allowed[from] & HF_FSM_TO(to)) != 0;
}

void hf_fsm_move(const struct hf_fsm *fsm, uint8_t *state, unsigned to)
{
	assert(hf_fsm_may(fsm, *state, to));
	*state = (uint8_t)to;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* hf_fsm_move as the product calls it (linked with --wrap). */
#include "moves.h"

void __wrap_hf_fsm_move(const struct hf_fsm *fsm, uint8_t *state, unsigned to);

void __wrap_hf_fsm_move(const struct hf_fsm *fsm, uint8_t *state, unsigned to)
{
	sim_moves_see(fsm, *state, to);
	*state = (uint8_t)to;
}

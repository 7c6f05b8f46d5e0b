/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The moves of the product's state machines: each goes through hf_fsm_move,
 * which a program that is linked with moves_wrap.c sees. One that the table
 * forbids is noted instead of ending the program.
 */
#ifndef SIM_MOVES_H
#define SIM_MOVES_H

#include "base/fsm.h"

/* Before a run. */
void sim_moves_begin(void);
void sim_moves_see(const struct hf_fsm *fsm, unsigned from, unsigned to);
/* "record: from settled to queued", empty when there was none. */
const char *sim_moves_illegal(void);

#endif

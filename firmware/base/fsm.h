/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State machines as tables: for each state, the set of states it may move to.
 * At most 32 states. A move that the table forbids is a bug of ours: it asserts.
 */
#ifndef HF_BASE_FSM_H
#define HF_BASE_FSM_H

#include <stdbool.h>
#include <stdint.h>

struct hf_fsm {
	const char *name;	  /* "record" */
	unsigned states;	  /* how many */
	const uint32_t *allowed;  /* [from]: bit set of allowed next states */
	const char *const *names; /* [state], for logs */
};

#define HF_FSM_TO(state) (UINT32_C(1) << (state))

bool hf_fsm_may(const struct hf_fsm *fsm, unsigned from, unsigned to);
/* *state = to; asserts hf_fsm_may(). */
void hf_fsm_move(const struct hf_fsm *fsm, uint8_t *state, unsigned to);

#endif

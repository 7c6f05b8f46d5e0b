/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C during a long run: what is going on is finished, then the run ends. */
#ifndef SIM_INTERRUPT_H
#define SIM_INTERRUPT_H

/* From now on it is counted instead of ending the process. */
void sim_interrupt_heed(void);
/* As it was. */
void sim_interrupt_leave(void);
/* How many times since then. */
int sim_interrupts(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a panel reads in the device's answers about an order. Inside of panel.c. */
#ifndef SIM_PANEL_ANSWERS_H
#define SIM_PANEL_ANSWERS_H

#include "actors/ledger.h"
#include "http/message.h"
#include "sim/device.h"

/* Of a 202: the id that its Location names. */
void sim_answer_id(struct sim_order *o, const struct hf_message *msg);
/* The stored answer; @msg NULL: there was none. */
void sim_answer_kept(const struct sim_device *dev, struct sim_order *o,
		     const struct hf_message *msg, struct hf_span body);
/* State and reason, as JSON. */
void sim_answer_state(const struct sim_device *dev, struct sim_order *o, int status,
		      struct hf_span body);
/* It went on under another id, by itself: as the one that it waits for. */
void sim_answer_replaced(struct sim_order *o, struct hf_span body);
/* The next id of a list of requests; @list is what stands behind it. */
bool sim_answer_next_id(struct hf_span *list, char *id, size_t size);
/* An event that tells of the end of an order. */
void sim_answer_settled(struct sim_ledger *l, struct hf_span line);
/* It goes on, maybe under a new id. */
void sim_answer_retry(struct sim_order *o, int status, struct hf_span body);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "coap/con.h"

bool sim_con_init(struct sim_con *con, const struct hf_coap_message *m, void (*fire)(void *user),
		  void *user)
{
	con->mid = m->mid;
	con->again = 0;
	con->len = hf_coap_message_format(m, con->bytes, sizeof(con->bytes));
	sim_event_init(&con->due, fire, user);
	hf_list_init(&con->item);
	return con->len > 0;
}

void sim_con_sent(struct sim_con *con, struct sim_world *w, unsigned chance)
{
	con->timeout_us = SIM_COAP_ACK_TIMEOUT_US + SIM_COAP_ACK_TIMEOUT_US / 2 * chance / 999;
	sim_event_in(w, &con->due, con->timeout_us);
}

bool sim_con_again(struct sim_con *con, struct sim_world *w)
{
	if (con->again == SIM_COAP_MAX_RETRANSMIT)
		return false;
	con->again++;
	con->timeout_us *= 2;
	sim_event_in(w, &con->due, con->timeout_us);
	return true;
}

void sim_con_stop(struct sim_con *con, struct sim_world *w)
{
	sim_event_clear(w, &con->due);
	hf_list_remove(&con->item);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The rungs below the origins: link, address, time, net. */
#include "agent/agent_private.h"

const char *hf_agent_clock_name(struct hf_agent *a)
{
	int64_t wall;

	switch (a->port->wall_ms(a->port, &wall)) {
	case HF_CLOCK_UNSET:
		return "unset";
	case HF_CLOCK_RTC:
		return "rtc";
	case HF_CLOCK_SYNCED:
		return "synced";
	}
	return "unset";
}

bool hf_agent_has_carrier(const struct hf_agent *a)
{
	return hf_connectivity_link_now(a->connectivity) != HF_LINK_DOWN;
}

bool hf_agent_has_address(const struct hf_agent *a)
{
	return hf_connectivity_link_now(a->connectivity) == HF_LINK_UP;
}

int hf_agent_append_ladder(struct hf_agent *a, struct hf_buf *b)
{
	return hf_buf_appendf(b,
			      "\"link\":\"%s\",\"address\":\"%s\",\"clock\":\"%s\",\"net\":\"%s\"",
			      hf_agent_has_carrier(a) ? "up" : "down",
			      hf_agent_has_address(a) ? "assigned" : "none", hf_agent_clock_name(a),
			      hf_net_state_name(hf_connectivity_net(a->connectivity)));
}

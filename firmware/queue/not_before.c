/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/not_before.h"

#include "holdfast_config.h"
#include "queue/queue_private.h"

/* Milliseconds of Unix time, 0: not trusted. */
static uint64_t trusted_wall_ms(const struct hf_queue *q)
{
	int64_t wall = 0;

	if (q->opt.port->wall_ms(q->opt.port, &wall) != HF_CLOCK_SYNCED || wall < 0)
		return 0;
	return (uint64_t)wall;
}

static uint32_t seconds_up(uint64_t ms)
{
	uint64_t s = (ms + 999) / 1000;

	return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

static uint64_t left(uint64_t now_ms, uint32_t until_s)
{
	uint64_t until = (uint64_t)until_s * 1000;

	return until > now_ms ? until - now_ms : 0;
}

void hf_not_before_set(const struct hf_queue *q, struct hf_record_state *state, uint64_t delay_ms)
{
	uint64_t wall = trusted_wall_ms(q);

	state->not_before_dev_s = 0;
	state->not_before_wall_s = 0;
	if (delay_ms == 0)
		return;
	state->not_before_dev_s = seconds_up(hf_queue_device_ms(q) + delay_ms);
	if (wall)
		state->not_before_wall_s = seconds_up(wall + delay_ms);
}

uint64_t hf_not_before_left_ms(const struct hf_queue *q, const struct hf_record_state *state,
			       bool *sure)
{
	uint64_t device = left(hf_queue_device_ms(q), state->not_before_dev_s);
	uint64_t wall = trusted_wall_ms(q), by_wall;

	*sure = device == 0 || state->not_before_wall_s == 0;
	if (wall && state->not_before_wall_s) {
		/* Device time never runs ahead: it is the longest that can be left. */
		*sure = true;
		by_wall = left(wall, state->not_before_wall_s);
		return by_wall < device ? by_wall : device;
	}
	return device < CONFIG_HF_BACKOFF_CAP_MS ? device : CONFIG_HF_BACKOFF_CAP_MS;
}

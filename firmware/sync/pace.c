/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/pace.h"

/* Replays under way when the origin began to push back end together: they count
 * once. */
#define HALVE_EVERY_MS 1000

void hf_pace_init(struct hf_pace *p, uint32_t interval_ms, uint32_t burst, unsigned window_max,
		  uint64_t now_ms)
{
	uint64_t slack_ms = (uint64_t)(burst - 1) * interval_ms;

	*p = (struct hf_pace){
		.interval_ms = interval_ms,
		.slack_ms = slack_ms,
		.due_ms = now_ms + slack_ms,
		.window = 1,
		.window_max = window_max,
	};
}

uint64_t hf_pace_wait_ms(const struct hf_pace *p, uint64_t now_ms)
{
	uint64_t from_ms = p->due_ms > p->slack_ms ? p->due_ms - p->slack_ms : 0;

	return p->interval_ms && from_ms > now_ms ? from_ms - now_ms : 0;
}

void hf_pace_spend(struct hf_pace *p, uint64_t now_ms)
{
	if (p->due_ms < now_ms)
		p->due_ms = now_ms;
	p->due_ms += p->interval_ms;
}

void hf_pace_refund(struct hf_pace *p)
{
	p->due_ms -= p->interval_ms;
}

void hf_pace_restart(struct hf_pace *p)
{
	p->window = 1;
	p->halved_ms = 0;
}

void hf_pace_answered(struct hf_pace *p)
{
	if (p->window < p->window_max)
		p->window++;
}

void hf_pace_pushed_back(struct hf_pace *p, uint64_t now_ms)
{
	if (p->halved_ms && now_ms - p->halved_ms < HALVE_EVERY_MS)
		return;
	p->halved_ms = now_ms;
	p->window = p->window > 1 ? p->window / 2 : 1;
}

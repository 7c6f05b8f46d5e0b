/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_quota.h"

static void tell(void *user)
{
	struct hf_log_quota *q = user;

	if (q->held_back > 0)
		hf_log(q->log, q->level, q->event, "held_back=%u seconds=%d", q->held_back,
		       HF_LOG_QUOTA_S);
	q->lines = 0;
	q->held_back = 0;
}

void hf_log_quota_init(struct hf_log_quota *q, struct hf_log *log, enum hf_log_level level,
		       const char *event, struct hf_timerq *timers)
{
	*q = (struct hf_log_quota){
		.log = log,
		.level = level,
		.event = event,
		.timers = timers,
	};
	hf_timer_init(&q->timer, tell, q);
}

void hf_log_quota_finish(struct hf_log_quota *q)
{
	hf_timerq_clear(q->timers, &q->timer);
	tell(q);
}

bool hf_log_quota_take(struct hf_log_quota *q, uint64_t now_ms)
{
	/* Without memory for the timer no minute begins: the line is logged. */
	if (!hf_timer_is_set(&q->timer) &&
	    hf_timerq_set(q->timers, &q->timer, now_ms + HF_LOG_QUOTA_S * 1000))
		return true;
	if (q->lines == HF_LOG_QUOTA_LINES) {
		q->held_back++;
		return false;
	}
	q->lines++;
	return true;
}

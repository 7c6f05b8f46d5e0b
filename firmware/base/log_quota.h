/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that a page or an origin can cause as often as it likes: five a minute
 * are logged. Of the others the number is, when the minute is over:
 *
 *   queue.refused held_back=1044 seconds=60
 */
#ifndef HF_BASE_LOG_QUOTA_H
#define HF_BASE_LOG_QUOTA_H

#include "base/log.h"
#include "base/timerq.h"

#define HF_LOG_QUOTA_LINES 5
#define HF_LOG_QUOTA_S	   60

struct hf_log_quota {
	struct hf_log *log;
	enum hf_log_level level;
	const char *event;
	struct hf_timerq *timers;
	struct hf_timer timer; /* the end of the minute that the first line began */
	unsigned lines, held_back;
};

void hf_log_quota_init(struct hf_log_quota *q, struct hf_log *log, enum hf_log_level level,
		       const char *event, struct hf_timerq *timers);
/* Says what was held back. */
void hf_log_quota_finish(struct hf_log_quota *q);
/* True: one more line may be logged, by hf_log. False: it is counted. */
bool hf_log_quota_take(struct hf_log_quota *q, uint64_t now_ms);

#endif

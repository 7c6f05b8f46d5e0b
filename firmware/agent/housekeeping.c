/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Housekeeping: final requests leave the store in batches, at once when it is
 * full; answers leave after their keep time, looked at once an hour, and with
 * them lanes of which nothing is left. Device time is saved with that work and
 * at the orderly end.
 */
#include "agent/agent_private.h"
#include "holdfast_config.h"

#define PURGE_AFTER    64 /* settled records */
#define PURGE_BUDGET   256
#define PURGE_SOON_MS  (60 * UINT64_C(1000))
#define PURGE_AGAIN_MS (3600 * UINT64_C(1000))
#define TIME_SAVE_MS   (60 * UINT64_C(1000))

static uint64_t now_ms(struct hf_agent *a)
{
	return a->port->boottime_ms(a->port);
}

static void purge(struct hf_agent *a);

static void time_saved(struct hf_store_op *op, int err)
{
	struct hf_agent *a = op->user;

	(void)err; /* the next one will do */
	hf_buf_finish(&a->device_time.value);
	a->saving_time = false;
}

void hf_agent_save_time(struct hf_agent *a)
{
	uint64_t device = hf_queue_device_ms(a->queue);
	char bytes[8];

	if (a->saving_time)
		return;
	for (int i = 0; i < 8; i++)
		bytes[i] = (char)(device >> (8 * i) & 0xff);
	hf_buf_init(&a->device_time.value, sizeof(bytes));
	if (hf_buf_append(&a->device_time.value, hf_span(bytes, sizeof(bytes))))
		return;
	a->saving_time = true;
	a->time_saved_ms = now_ms(a);
	a->device_time.key = "device_ms";
	a->device_time.put = true;
	a->device_time.op.done = time_saved;
	a->device_time.op.user = a;
	hf_store_meta(a->store, &a->device_time);
}

/* Lanes go when their last answer is gone. */
static void tidy(struct hf_agent *a)
{
	if (now_ms(a) < a->tidy_at_ms)
		return;
	a->tidy_at_ms = now_ms(a) + PURGE_AGAIN_MS;
	hf_queue_tidy(a->queue);
}

static void purged(struct hf_store_op *op, int err)
{
	struct hf_agent *a = op->user;

	a->purging = false;
	if (a->stopping)
		return;
	if (err) {
		hf_log(&a->log, HF_LOG_ERROR, "store.purge", "err=%s", hf_errname(err));
		hf_timerq_set(&a->timers, &a->purge_timer, now_ms(a) + PURGE_SOON_MS);
		return;
	}
	if (a->purge.dead > 0)
		hf_log(&a->log, HF_LOG_WARNING, "dead.deleted", "oldest=%u max=%u", a->purge.dead,
		       (unsigned)CONFIG_HF_DEAD_ENTRIES_MAX);
	if (a->purge.more) {
		purge(a);
		return;
	}
	tidy(a);
	hf_timerq_set(&a->timers, &a->purge_timer,
		      now_ms(a) + (a->settled_since ? PURGE_SOON_MS : PURGE_AGAIN_MS));
}

static void purge(struct hf_agent *a)
{
	uint64_t device = hf_queue_device_ms(a->queue);
	uint64_t keep = CONFIG_HF_RESPONSE_KEEP_S * UINT64_C(1000);

	if (a->purging)
		return;
	a->purging = true;
	a->settled_since = 0;
	a->purge.before_dev_ms = device > keep ? device - keep : 0;
	a->purge.dead_max = CONFIG_HF_DEAD_ENTRIES_MAX;
	a->purge.budget = PURGE_BUDGET;
	a->purge.op.done = purged;
	a->purge.op.user = a;
	hf_store_purge(a->store, &a->purge);
	if (now_ms(a) - a->time_saved_ms >= TIME_SAVE_MS)
		hf_agent_save_time(a);
}

static void purge_due(void *user)
{
	struct hf_agent *a = user;

	if (!a->stopping)
		purge(a);
}

void hf_agent_housekeeping_init(struct hf_agent *a)
{
	hf_timer_init(&a->purge_timer, purge_due, a);
	a->time_saved_ms = now_ms(a);
	/* What an earlier run left behind. */
	hf_timerq_set(&a->timers, &a->purge_timer, now_ms(a) + PURGE_SOON_MS);
}

static bool is_full(struct hf_agent *a)
{
	struct hf_store_usage usage;

	hf_store_usage(a->store, &usage);
	return usage.full;
}

void hf_agent_housekeeping_settled(struct hf_agent *a)
{
	if (a->stopping)
		return;
	a->settled_since++;
	if (a->settled_since >= PURGE_AFTER || is_full(a))
		purge(a);
	else if (!hf_timer_is_set(&a->purge_timer) ||
		 a->purge_timer.due_ms > now_ms(a) + PURGE_SOON_MS)
		hf_timerq_set(&a->timers, &a->purge_timer, now_ms(a) + PURGE_SOON_MS);
}

void hf_agent_housekeeping_stop(struct hf_agent *a)
{
	hf_timerq_clear(&a->timers, &a->purge_timer);
	if (a->queue)
		hf_agent_save_time(a);
}

void hf_agent_housekeeping_finish(struct hf_agent *a)
{
	hf_buf_finish(&a->device_time.value); /* of a save that was dropped with the store */
}

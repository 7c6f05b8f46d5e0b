/* SPDX-License-Identifier: Apache-2.0 */
/* The orderly end: ingress ends -> sync stops -> store commits and closes. */
#include "agent/agent_private.h"

#define STOP_GRACE_MS 2000
#define STOP_LOOK_MS  50 /* how often it is looked whether attempts have ended */

static void stopped(struct hf_agent *a)
{
	hf_log(&a->log, HF_LOG_INFO, "agent.stopped", "%s", "");
	a->stopped(a->stopped_user);
}

static void store_closed(void *user, int err)
{
	(void)err; /* the store has said so */
	stopped(user);
}

static void cache_closed(void *user, int err)
{
	struct hf_agent *a = user;

	(void)err;
	hf_store_close(a->store, store_closed, a);
}

/* Attempts under way get some time; what is not over by then is found as it is
 * at the next start. */
static void close_store(struct hf_agent *a)
{
	uint64_t now = a->port->boottime_ms(a->port);
	bool idle = (!a->sync || hf_sync_is_idle(a->sync)) &&
		    hf_credentials_are_idle(&a->credentials);

	if (!idle && now < a->stop_by_ms &&
	    !hf_timerq_set(&a->timers, &a->stop_timer, now + STOP_LOOK_MS))
		return;
	hf_agent_housekeeping_stop(a);
	if (a->cache)
		hf_cache_close(a->cache, cache_closed, a);
	else
		hf_store_close(a->store, store_closed, a);
}

static void stop_timer_fired(void *user)
{
	struct hf_agent *a = user;

	if (a->failed)
		stopped(a);
	else
		close_store(a);
}

void hf_agent_stop_later(struct hf_agent *a)
{
	if (hf_timerq_set(&a->timers, &a->stop_timer, a->port->boottime_ms(a->port)))
		stopped(a);
}

static void ingress_stopped(void *user)
{
	struct hf_agent *a = user;

	a->stop_by_ms = a->port->boottime_ms(a->port) + STOP_GRACE_MS;
	if (a->failed)
		hf_agent_stop_later(a);
	else
		close_store(a);
}

void hf_agent_stop(struct hf_agent *a, void (*stopped_cb)(void *user), void *user)
{
	a->stopped = stopped_cb;
	a->stopped_user = user;
	a->stopping = true;
	a->credentials.world.stopping = true;
	hf_agent_caches_stop(a);
	hf_timer_init(&a->stop_timer, stop_timer_fired, a);
	if (a->sync)
		hf_sync_stop(a->sync);
	if (a->tags)
		hf_tags_stop(a->tags);
	if (a->periodic)
		hf_periodic_stop(a->periodic);
	if (IS_ENABLED(CONFIG_HF_SENSOR))
		hf_agent_sensors_stop(a);
	if (a->ingress)
		hf_ingress_stop(a->ingress, STOP_GRACE_MS, ingress_stopped, a);
	else
		ingress_stopped(a);
}

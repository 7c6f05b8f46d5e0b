/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent: wiring only. It is the one place that knows everybody; what
 * happens stands in the folders it connects.
 *
 *   start:  store opens -> queue loads -> sync, fetch, ingress -> listening
 *   stop:   stop.c
 */
#include <limits.h>
#include <stdlib.h>

#include "agent/agent_private.h"
#include "agent/health.h"
#include "coap/transport.h"
#include "holdfast_config.h"

#define HEAD_TIMEOUT_MS 15000

/* ---- the world's events ---- */

static void on_wake(void *user)
{
	struct hf_agent *a = user;

	hf_timerq_run(&a->timers, a->port->boottime_ms(a->port));
	hf_agent_health_tell(a);
	a->port->progress(a->port);
}

static void on_link(void *user, enum hf_link link)
{
	struct hf_agent *a = user;
	bool up = link == HF_LINK_UP;

	hf_agent_origins_link(a, up);
	hf_agent_credentials_link(a, up);
	if (a->sync && up)
		hf_sync_link(a->sync);
	hf_agent_portal_look(a);
	hf_agent_caches_network(a);
	hf_connectivity_link(a->connectivity, link);
	if (a->periodic)
		hf_periodic_look(a->periodic);
}

static void on_clock(void *user)
{
	struct hf_agent *a = user;
	int64_t wall;

	if (a->sync && a->port->wall_ms(a->port, &wall) != HF_CLOCK_UNSET)
		hf_sync_clock(a->sync);
	if (a->periodic)
		hf_periodic_clock(a->periodic);
	hf_connectivity_clock(a->connectivity);
	hf_agent_connectivity_event(a);
}

static const struct hf_port_events port_events = {
	.on_wake = on_wake,
	.on_link = on_link,
	.on_clock = on_clock,
};

static void ask_wake(void *user, uint64_t due_ms)
{
	struct hf_agent *a = user;

	a->port->wake_at(a->port, due_ms);
}

static void write_log(void *user, enum hf_log_level level, const char *line)
{
	struct hf_agent *a = user;

	a->port->log(a->port, (int)level, line);
}

/* ---- events between the folders ---- */

static void on_origin(void *user, unsigned origin, enum hf_reach reach)
{
	struct hf_agent *a = user;

	if (a->sync)
		hf_sync_origin_changed(a->sync, origin, reach);
	if (a->tags)
		hf_tags_origin_changed(a->tags, origin, reach);
	if (a->periodic)
		hf_periodic_origin_changed(a->periodic, origin, reach);
	if (reach == HF_REACH_UP)
		hf_agent_caches_origin_up(a, origin);
	hf_agent_connectivity_event(a);
}

static void on_trial(void *user, unsigned origin)
{
	struct hf_agent *a = user;

	if (a->tags && !hf_sync_wants(a->sync, origin) && hf_tags_trial(a->tags, origin))
		return;
	if (a->sync)
		hf_sync_trial(a->sync, origin);
}

static void on_answered(void *user, unsigned origin)
{
	struct hf_agent *a = user;

	if (a->sync)
		hf_sync_answered(a->sync, origin);
}

static void on_captive(void *user, unsigned origin)
{
	struct hf_agent *a = user;

	hf_agent_way_distrust(&a->origins[origin]);
	hf_agent_caches_captive(a);
}

static void on_change(void *user)
{
	struct hf_agent *a = user;

	if (a->periodic)
		hf_periodic_look(a->periodic);
	if (hf_connectivity_net(a->connectivity) == HF_NET_CAPTIVE)
		hf_agent_caches_captive(a);
	hf_agent_connectivity_event(a);
}

static uint32_t on_asking(void *user)
{
	return hf_agent_caches_asking(user);
}

static void on_in_order(void *user, uint32_t number)
{
	hf_agent_caches_in_order(user, number);
}

static const struct hf_connectivity_events connectivity_events = {
	.on_origin = on_origin,
	.on_trial = on_trial,
	.on_answered = on_answered,
	.on_captive = on_captive,
	.on_change = on_change,
	.on_asking = on_asking,
	.on_in_order = on_in_order,
};

static void on_queue_event(void *user, const struct hf_queue_event *event)
{
	struct hf_agent *a = user;

	a->port->progress(a->port);
	hf_agent_queue_event(a, event);
	if (event->type == HF_QUEUE_RELEASED) /* what was refused may be in order now */
		hf_credentials_now(&a->credentials, UINT_MAX);
	hf_agent_caches_queue_event(a, event);
	if (event->type == HF_QUEUE_SETTLED || event->type == HF_QUEUE_CANCELLED ||
	    event->type == HF_QUEUE_DEAD)
		hf_agent_housekeeping_settled(a);
}

static void on_lane(void *user, struct hf_lane *lane)
{
	struct hf_agent *a = user;

	if (a->sync)
		hf_sync_lane(a->sync, lane);
}

static void on_hold(void *user, int event, const struct hf_hold *hold)
{
	hf_agent_hold_event(user, event, hold);
}

const struct hf_route *hf_agent_route(void *user, unsigned origin,
				      const struct hf_match_request *req)
{
	struct hf_agent *a = user;
	const struct hf_worker_settings *w = hf_settings_worker(a->settings, origin, req->path);

	return w ? hf_manifest_match_request(w->manifest, req) : NULL;
}

static int origin_by_host(void *user, struct hf_span host)
{
	struct hf_agent *a = user;

	return hf_settings_origin_by_host(a->settings, host);
}

static int status(void *user, unsigned origin, struct hf_buf *out)
{
	return hf_agent_status(user, origin, out);
}

static int metrics(void *user, struct hf_buf *out)
{
	return hf_agent_metrics(user, out);
}

static void sync_now(void *user, unsigned origin)
{
	struct hf_agent *a = user;

	hf_credentials_now(&a->credentials, origin);
	hf_sync_now(a->sync, origin);
	hf_tags_now(a->tags, origin);
	hf_periodic_now(a->periodic, origin);
}

static void on_salvaged(void *user, const struct hf_store_report *report)
{
	struct hf_agent *a = user;

	a->report = *report;
	if (a->queue)
		hf_queue_reload(a->queue);
	hf_credentials_restore(&a->credentials);
	if (a->tags)
		hf_tags_restore(a->tags);
	if (a->periodic)
		hf_periodic_restore(a->periodic);
}

/* ---- creating ---- */

static int create_connectivity(struct hf_agent *a)
{
	struct hf_connectivity_options opt = {
		.port = a->port,
		.timers = &a->timers,
		.log = &a->log,
		.rand = &a->rand,
		.events = &connectivity_events,
		.user = a,
		.probe_min_ms = CONFIG_HF_PROBE_MIN_MS,
		.probe_max_ms = CONFIG_HF_PROBE_MAX_MS,
		.probe_transport = a->probe_transport,
		.probe_status = a->settings->probe_status,
	};
	char *target = NULL;
	int err = 0;

	if (a->probe_transport) {
		target = hf_agent_target(&a->settings->probe_url);
		if (!target)
			err = HF_ENOMEM;
		opt.probe_host = a->probe_authority;
		opt.probe_target = target;
	}
	if (!err)
		err = hf_connectivity_create(&opt, &a->connectivity);
	free(target);
	for (unsigned i = 0; i < a->settings->origins_n && !err; i++) {
		err = hf_connectivity_add(a->connectivity, a->settings->origins[i].name,
					  a->origins[i].transport, a->origins[i].authority,
					  a->settings->origins[i].probe);
		if (!err && a->sync_origins[i].tls)
			hf_connectivity_authenticated(a->connectivity, i);
	}
	return err;
}

static int create_store(struct hf_agent *a)
{
	struct hf_store_options opt = {
		.port = a->port,
		.log = &a->log,
		.bytes_max = CONFIG_HF_STORE_BYTES_MAX,
		.reserve_bytes = CONFIG_HF_STORE_RESERVE_BYTES,
		.wal_pages = CONFIG_HF_STORE_WAL_PAGES,
		.on_salvaged = on_salvaged,
		.on_full = hf_agent_caches_give_way,
		.user = a,
	};

	return hf_store_create(&opt, &a->store);
}

static int create_queue(struct hf_agent *a)
{
	struct hf_queue_options opt = {
		.port = a->port,
		.store = a->store,
		.timers = &a->timers,
		.log = &a->log,
		.rand = &a->rand,
		.origin_names = a->origin_names,
		.origins_n = (unsigned)a->settings->origins_n,
		.device_ms = a->report.device_ms,
		.on_event = on_queue_event,
		.on_lane = on_lane,
		.on_hold = on_hold,
		.on_held = hf_agent_held_found,
		.user = a,
	};

	return hf_queue_create(&opt, &a->queue);
}

static int create_sync(struct hf_agent *a)
{
	struct hf_sync_options opt = {
		.port = a->port,
		.timers = &a->timers,
		.log = &a->log,
		.rand = &a->rand,
		.store = a->store,
		.queue = a->queue,
		.connectivity = a->connectivity,
		.origins = a->sync_origins,
		.credentials = &a->credentials,
		.origins_n = (unsigned)a->settings->origins_n,
		.backoff_base_ms = CONFIG_HF_BACKOFF_BASE_MS,
		.backoff_cap_ms = CONFIG_HF_BACKOFF_CAP_MS,
		.retry_after_max_s = CONFIG_HF_RETRY_AFTER_MAX_S,
		.answer_bytes_max = CONFIG_HF_RESPONSE_BODY_BYTES_MAX,
	};

	int err = hf_sync_create(&opt, &a->sync);

	return err ? err : hf_agent_background_create(a, &opt);
}

static int create_fetch(struct hf_agent *a)
{
	struct hf_fetch_options opt = {
		.port = a->port,
		.timers = &a->timers,
		.log = &a->log,
		.rand = &a->rand,
		.queue = a->queue,
		.store = a->store,
		.connectivity = a->connectivity,
		.credentials = &a->credentials,
		.cache = a->cache,
		.origins = a->fetch_origins,
		.origins_n = (unsigned)a->settings->origins_n,
		.route = hf_agent_route,
		.precache = hf_agent_precache,
		.precache_lost = hf_agent_precache_lost,
		.user = a,
		.inline_body_max = CONFIG_HF_QUEUE_INLINE_BODY_BYTES,
		.body_max = CONFIG_HF_QUEUE_BODY_BYTES_MAX,
		.chunk_bytes = CONFIG_HF_BODY_CHUNK_BYTES,
		.retry_after_max_s = CONFIG_HF_RETRY_AFTER_MAX_S,
	};

	return hf_fetch_create(&opt, &a->fetch);
}

static int create_ingress(struct hf_agent *a)
{
	struct hf_ingress_options opt = {
		.port = a->port,
		.timers = &a->timers,
		.log = &a->log,
		.fetch = a->fetch,
		.queue = a->queue,
		.store = a->store,
		.tags = a->tags,
		.periodic = a->periodic,
		.cache = a->cache,
		.connections_max = CONFIG_HF_CONNECTIONS_MAX,
		.keepalive_timeout_ms = CONFIG_HF_KEEPALIVE_TIMEOUT_MS,
		.head_timeout_ms = HEAD_TIMEOUT_MS,
		.idle_timeout_ms = CONFIG_HF_IDLE_TIMEOUT_MS,
		.head_bytes_max = CONFIG_HF_HEAD_BYTES_MAX,
		.fields_max = CONFIG_HF_FIELDS_MAX,
		.event_log_max = CONFIG_HF_EVENT_LOG_MAX,
		.event_clients_max = CONFIG_HF_EVENT_CLIENTS_MAX,
		.allow_remote = a->settings->allow_remote,
		.origin_by_host = origin_by_host,
		.status = status,
		.metrics = metrics,
		.sync_now = sync_now,
		.worker_by_path = hf_agent_worker_by_path,
		.worker_by_name = hf_agent_worker_by_name,
		.worker_origin = hf_agent_worker_origin,
		.worker_name = hf_agent_worker_name,
		.cache_limits = hf_agent_cache_limits,
		.cache_dropped = hf_agent_cache_dropped,
		.install_now = hf_agent_install_now,
		.user = a,
	};

	if (IS_ENABLED(CONFIG_HF_COAP)) {
		opt.coap_way = hf_agent_coap_way;
		opt.coap_left = hf_agent_coap_left;
		opt.coap_answer = hf_coap_answer_write;
		opt.coap_format = hf_coap_says_format;
	}
	return hf_ingress_create(&opt, &a->ingress);
}

int hf_agent_create(struct hf_port *port, struct hf_settings *settings, struct hf_agent **out)
{
	struct hf_agent *a = calloc(1, sizeof(*a));
	uint64_t seed = 0;
	int err;

	if (!a) {
		hf_settings_destroy(settings);
		return HF_ENOMEM;
	}
	a->port = port;
	a->settings = settings;
	a->start_ms = port->boottime_ms(port);
	a->log = (struct hf_log){ .level = settings->log_level, .write = write_log, .user = a };
	hf_timerq_init(&a->timers, ask_wake, a);
	hf_list_init(&a->tls_trusts);
	if (IS_ENABLED(CONFIG_HF_COAP))
		hf_agent_errands_init(a);
	err = hf_agent_events_init(a);
	if (!err)
		err = port->entropy(port, &seed, sizeof(seed));
	hf_rand_init(&a->rand, seed);
	if (!err)
		err = hf_agent_origins_create(a);
	if (!err)
		err = create_connectivity(a);
	if (!err)
		err = create_store(a);
	if (!err)
		err = hf_agent_caches_create(a);
	hf_agent_credentials_begin(a);
	if (err) {
		hf_agent_destroy(a);
		return err;
	}
	*out = a;
	return 0;
}

/* ---- starting ---- */

static void begun(struct hf_agent *a, int err)
{
	if (!err) {
		hf_log(&a->log, HF_LOG_INFO, "agent.started", "version=%s boots=%u",
		       HOLDFAST_VERSION, a->report.boots);
		a->port->ready(a->port);
	}
	a->started(a->started_user, err);
}

static int listen_all(struct hf_agent *a)
{
	const char *path = a->settings->control;
	struct hf_addr control = { .family = HF_FAMILY_UNIX };

	if (path) {
		size_t len = strlen(path);

		if (len > HF_UNIX_PATH_MAX)
			return HF_EINVAL;
		memcpy(control.path, path, len + 1);
	}
	return hf_ingress_listen(a->ingress, a->settings->listen, a->settings->listen_n,
				 path ? &control : NULL, a->settings->metrics,
				 a->settings->metrics_n);
}

static void serve(struct hf_agent *a)
{
	int err = a->stopping ? HF_ECANCELED : create_fetch(a);

	if (!err)
		err = create_ingress(a);
	if (!err)
		err = listen_all(a);
	if (!err && IS_ENABLED(CONFIG_HF_SENSOR))
		err = hf_agent_sensors_begin(a);
	if (!err) {
		hf_agent_housekeeping_init(a);
		hf_sync_start(a->sync);
		hf_tags_start(a->tags);
		hf_periodic_start(a->periodic);
		hf_agent_caches_start(a);
	}
	begun(a, err);
}

static void periodic_loaded(void *user, int err)
{
	struct hf_agent *a = user;

	if (!err && a->stopping)
		err = HF_ECANCELED;
	a->loaded = err == 0;
	if (err)
		begun(a, err);
	else if (a->caches_ready)
		serve(a);
}

static void caches_opened(struct hf_agent *a)
{
	a->caches_ready = true;
	if (a->loaded)
		serve(a);
}

static void tags_loaded(void *user, int err)
{
	struct hf_agent *a = user;

	if (err)
		periodic_loaded(a, err);
	else
		hf_periodic_load(a->periodic, periodic_loaded, a);
}

static void queue_loaded(void *user, int err)
{
	struct hf_agent *a = user;

	if (err)
		tags_loaded(a, err);
	else
		hf_tags_load(a->tags, tags_loaded, a);
}

static void begin_queue(struct hf_agent *a)
{
	int err = a->stopping ? HF_ECANCELED : create_queue(a);

	if (!err)
		err = create_sync(a);
	if (err)
		begun(a, err);
	else
		hf_queue_load(a->queue, queue_loaded, a);
}

static void store_opened(void *user, int err, const struct hf_store_report *report)
{
	struct hf_agent *a = user;

	a->failed = err != 0;
	if (err) {
		begun(a, err);
		if (a->stopping)
			hf_agent_stop_later(a); /* there is nothing to close */
		return;
	}
	a->report = *report;
	if (report->created)
		hf_log(&a->log, HF_LOG_INFO, "store.created", "dir=%s",
		       a->port->state_dir(a->port));
	begin_queue(a);
}

void hf_agent_start(struct hf_agent *a, void (*started)(void *user, int err), void *user)
{
	a->started = started;
	a->started_user = user;
	a->port->events = &port_events;
	a->port->events_user = a;
	hf_store_open(a->store, store_opened, a);
	hf_agent_caches_open(a, caches_opened);
}

void hf_agent_destroy(struct hf_agent *a)
{
	if (!a)
		return;
	a->port->events = NULL;
	/* First the store: its last answers find everybody still there. */
	hf_store_destroy(a->store);
	hf_cache_abandon(a->cache);
	if (a->queue)
		hf_queue_abandon(a->queue);
	hf_fetch_abandon(a->fetch);
	hf_ingress_destroy(a->ingress);
	if (IS_ENABLED(CONFIG_HF_SENSOR))
		hf_agent_sensors_destroy(a);
	hf_agent_background_destroy(a);
	hf_fetch_destroy(a->fetch);
	hf_agent_caches_destroy(a);
	hf_cache_destroy(a->cache);
	hf_sync_destroy(a->sync);
	hf_connectivity_destroy(a->connectivity);
	hf_agent_portal_destroy(a);
	if (IS_ENABLED(CONFIG_HF_COAP))
		hf_agent_errands_destroy(a);
	hf_agent_origins_destroy(a);
	hf_queue_destroy(a->queue);
	hf_agent_housekeeping_finish(a);
	hf_timerq_finish(&a->timers);
	hf_agent_events_finish(a);
	hf_settings_destroy(a->settings);
	free(a);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of agent/ share: everybody, by pointer. */
#ifndef HF_AGENT_PRIVATE_H
#define HF_AGENT_PRIVATE_H

#include "agent/settings.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/timerq.h"
#include "cache/precache.h"
#include "fetch/fetch.h"
#include "holdfast/agent.h"
#include "ingress/ingress.h"
#include "net/connectivity.h"
#include "net/http1.h"
#include "net/tls.h"
#include "queue/queue.h"
#include "store/store.h"
#include "sync/sync.h"
#include "sync/periodic.h"
#include "sync/tags.h"

struct hf_agent_origin {
	struct hf_tls_client *tls;
	struct hf_transport *transport;
	bool coap;	 /* of that sort; else HTTP */
	char *authority; /* host, or host:port where it is not the scheme's */
};

/* Of a token endpoint that is no origin's; its target is always there. */
struct hf_agent_endpoint {
	struct hf_tls_client *tls;
	struct hf_transport *transport;
	char *authority, *target;
};
struct hf_agent_bin;	/* caches.c */
struct hf_agent_held;	/* held.c */
struct hf_agent_worker; /* caches.c */

/* The API of the network's captive portal. */
struct hf_agent_portal {
	char *uri; /* NULL: none is named */
	struct hf_agent_origin way;
};

struct hf_sensors; /* sensor/sensor.h */

struct hf_agent {
	struct hf_port *port;
	struct hf_settings *settings;
	struct hf_log log;
	struct hf_timerq timers;
	struct hf_rand rand;
	uint64_t start_ms;

	struct hf_credentials credentials;
	struct hf_agent_endpoint *endpoints; /* of the credentials, by number */
	/* held.c, by number of the credentials */
	struct hf_agent_held *held;
	struct hf_timer held_timer;
	struct hf_list tls_trusts; /* the origins' anchors */
	struct hf_agent_origin *origins;
	const char **origin_names;
	struct hf_sync_origin *sync_origins;
	struct hf_fetch_origin *fetch_origins;
	struct hf_transport *probe_transport;
	char *probe_authority;
	struct hf_list errands; /* errands.c */
	struct hf_timer errands_timer;
	struct hf_agent_portal portal;

	struct hf_store *store;
	struct hf_store_report report;
	struct hf_connectivity *connectivity;
	struct hf_queue *queue;
	struct hf_sync *sync;
	struct hf_tags *tags;
	struct hf_periodic *periodic;
	struct hf_tags_worker *tags_workers;
	struct hf_sync_action sync_default; /* of tags that no manifest names */
	struct hf_periodic_sync periodic_default;
	struct hf_cache *cache; /* NULL: built without */
	struct hf_agent_bin *bins;
	size_t bins_n;
	struct hf_timer bins_timer;
	struct hf_agent_worker *workers;
	struct hf_refresher *refreshers; /* of the origins */
	struct hf_shelf_caches caches_list;
	unsigned caches_pending;
	void (*caches_opened)(struct hf_agent *a);
	bool caches_ready, loaded; /* both: it serves */
	struct hf_fetch *fetch;
	struct hf_ingress *ingress;
	struct hf_sensors *sensors; /* NULL: nothing is listened on for them */

	/* The last event of it, for the pages of each origin and, behind them, for the
	 * operator. */
	struct hf_buf *connectivity_told;

	/* housekeeping */
	struct hf_timer purge_timer;
	struct hf_store_purge purge;
	struct hf_store_meta device_time;
	bool purging, saving_time;
	unsigned settled_since;
	uint64_t time_saved_ms, tidy_at_ms;

	void (*started)(void *user, int err);
	void *started_user;
	void (*stopped)(void *user);
	void *stopped_user;
	struct hf_timer stop_timer;
	uint64_t stop_by_ms;
	bool failed;	    /* the store cannot be used */
	uint64_t health_ms; /* boot time when health.c looked last */
	int health_told;    /* enum hf_health_state */
	bool stopping;
};

/* stop.c: there is nothing to close. */
void hf_agent_stop_later(struct hf_agent *a);
/* housekeeping.c */
void hf_agent_housekeeping_init(struct hf_agent *a);
/* Saves device time now. */
void hf_agent_save_time(struct hf_agent *a);
/* A record has become final: its request can leave the store. */
void hf_agent_housekeeping_settled(struct hf_agent *a);
/* The last work before the store is closed. */
void hf_agent_housekeeping_stop(struct hf_agent *a);
/* After hf_store_destroy. */
void hf_agent_housekeeping_finish(struct hf_agent *a);
/* status.c: appends the document of GET /.holdfast/status, for pages of @origin or
 * (UINT_MAX) for the operator. */
int hf_agent_status(struct hf_agent *a, unsigned origin, struct hf_buf *out);
/* "name":"value" */
int hf_status_text(struct hf_buf *b, const char *name, struct hf_span value);
/* ,"name":123 or ,"name":null */
int hf_status_number(struct hf_buf *b, const char *name, bool known, uint64_t value);
/* portal.c */
/* Takes up what the settings or the network say of a captive portal's API. */
void hf_agent_portal_look(struct hf_agent *a);
/* After hf_connectivity_destroy. */
void hf_agent_portal_destroy(struct hf_agent *a);
/* Appends "portal":{...} */
int hf_agent_append_portal(struct hf_agent *a, struct hf_buf *b);
/* ladder.c */
/* "unset", "rtc", "synced" */
const char *hf_agent_clock_name(struct hf_agent *a);
bool hf_agent_has_carrier(const struct hf_agent *a);
/* One that reaches beyond the link. */
bool hf_agent_has_address(const struct hf_agent *a);
/* Appends "link":...,"address":...,"clock":...,"net":... */
int hf_agent_append_ladder(struct hf_agent *a, struct hf_buf *b);
/* metrics.c: appends the text of GET /.holdfast/metrics. */
int hf_agent_metrics(struct hf_agent *a, struct hf_buf *out);
struct hf_agent_metric {
	const char *name, *type, *help;
};
int hf_agent_metric_head(struct hf_buf *b, const struct hf_agent_metric *m);
/* One of a single value, with its head. */
int hf_agent_metric(struct hf_buf *b, const struct hf_agent_metric *m, uint64_t value);
/* background.c */
int hf_agent_background_create(struct hf_agent *a, const struct hf_sync_options *sync);
void hf_agent_background_destroy(struct hf_agent *a);
/* Appends the member "sync" of the status. */
int hf_agent_background_status(struct hf_agent *a, unsigned origin, struct hf_buf *out);
/* The lanes in which a worker's requests of a tag are queued (struct hf_firing_world). */
const char *hf_agent_lane_of_tag(void *user, unsigned worker, struct hf_span tag, unsigned n,
				 bool *family);
/* periodic.c, behind background.c */
int hf_agent_periodic_create(struct hf_agent *a, const struct hf_sync_options *sync);
/* Appends the member "periodicSync" of the status. */
int hf_agent_periodic_status(struct hf_agent *a, unsigned origin, struct hf_buf *out);
/* For struct hf_ingress_options. */
int hf_agent_worker_by_path(void *user, unsigned origin, struct hf_span path);
int hf_agent_worker_by_name(void *user, struct hf_span name);
unsigned hf_agent_worker_origin(void *user, unsigned worker);
const char *hf_agent_worker_name(void *user, unsigned worker);
/* events.c */
/* Appends {"at":...: what every event begins with. */
int hf_agent_append_time(struct hf_agent *a, struct hf_buf *b);
int hf_agent_events_init(struct hf_agent *a);
void hf_agent_events_finish(struct hf_agent *a);
/* Tells an event of @type with the members that @append says of @what. */
void hf_agent_event(struct hf_agent *a, unsigned origin, const char *type,
		    int (*append)(struct hf_buf *b, const void *what), const void *what);
void hf_agent_queue_event(struct hf_agent *a, const struct hf_queue_event *event);
/* Tells that the operator holds something, or does no more. */
void hf_agent_hold_event(struct hf_agent *a, int event, const struct hf_hold *hold);
/* Tells what can be reached, if that is not what was told last. */
void hf_agent_connectivity_event(struct hf_agent *a);
/* caches.c */
int hf_agent_caches_create(struct hf_agent *a);
/* @opened on a later turn or at once, also when they cannot be used. */
void hf_agent_caches_open(struct hf_agent *a, void (*opened)(struct hf_agent *a));
/* Installs what the manifests list and is not there. */
void hf_agent_caches_start(struct hf_agent *a);
void hf_agent_caches_origin_up(struct hf_agent *a, unsigned origin);
/* A request that was accepted will change something, one that is final has. */
void hf_agent_caches_queue_event(struct hf_agent *a, const struct hf_queue_event *event);
/* The queue needs room on the medium (struct hf_store_options). */
void hf_agent_caches_give_way(void *user);
/* What they know of the network (cache/trial.h): somebody answers in the place of an
 * origin; it is another one; a question about it goes out, and nobody is between. */
void hf_agent_caches_captive(struct hf_agent *a);
void hf_agent_caches_network(struct hf_agent *a);
uint32_t hf_agent_caches_asking(struct hf_agent *a);
void hf_agent_caches_in_order(struct hf_agent *a, uint32_t number);
/* For struct hf_ingress_options. */
void hf_agent_cache_dropped(void *user, uint32_t cache);
void hf_agent_install_now(void *user, unsigned worker);
/* caches_status.c: appends the member "caches" of the status; their metrics. */
int hf_agent_caches_status(struct hf_agent *a, unsigned origin, struct hf_buf *out);
int hf_agent_caches_metrics(struct hf_agent *a, struct hf_buf *out);
void hf_agent_caches_stop(struct hf_agent *a);
/* After the caches and fetch. */
void hf_agent_caches_destroy(struct hf_agent *a);
/* For struct hf_fetch_options. */
uint32_t hf_agent_precache(void *user, unsigned origin, struct hf_span target,
			   struct hf_arena *arena, struct hf_span *url);
void hf_agent_precache_lost(void *user, uint32_t cache);
/* For struct hf_ingress_options. */
void hf_agent_cache_limits(void *user, uint32_t cache, uint64_t *entries_max, uint64_t *bytes_max);
/* origins.c */
/* Transport and TLS to @url; what is in @s holds for it. @o is zeroed; close it also
 * after an error. HF_ENOMEM, HF_ECONFIG. */
int hf_agent_way_open(struct hf_agent *a, const struct hf_url *url,
		      const struct hf_origin_settings *s, struct hf_agent_origin *o);
void hf_agent_way_close(struct hf_agent_origin *o);
/* Who answers there is not who should. */
void hf_agent_way_distrust(struct hf_agent_origin *o);
int hf_agent_origins_create(struct hf_agent *a);
void hf_agent_origins_destroy(struct hf_agent *a);
/* Tells their transports, those of the probe and of the portal's API among them. */
void hf_agent_origins_link(struct hf_agent *a, bool up);
/* For the caller to free. NULL: no memory. */
char *hf_agent_target(const struct hf_url *url);
int hf_agent_authority(const struct hf_url *url, char **out);
int hf_agent_tls(struct hf_agent *a, const struct hf_origin_settings *s, const char *host,
		 struct hf_tls_client **out);
/* @opt: kind and key; the rest is as of hf_agent_tls. */
int hf_agent_tls_open(struct hf_agent *a, const struct hf_origin_settings *s, const char *host,
		      const struct hf_tls_client_options *opt, struct hf_tls_client **out);
/* @s NULL: no origin's. */
int hf_agent_transport(struct hf_agent *a, const struct hf_url *url, const char *host,
		       struct hf_tls_client *tls, const struct hf_origin_settings *s,
		       struct hf_transport **out);
/* coap.c: @o with @s's CoAP transport; HF_ECONFIG. */
int hf_agent_coap_open(struct hf_agent *a, const char *host, const struct hf_origin_settings *s,
		       struct hf_agent_origin *o);
/* errands.c: for struct hf_ingress_options. */
int hf_agent_coap_way(void *user, const struct hf_url *url, struct hf_transport **out, char *why,
		      size_t size);
void hf_agent_coap_left(void *user, struct hf_transport *way);
void hf_agent_errands_init(struct hf_agent *a);
void hf_agent_errands_destroy(struct hf_agent *a);
/* sensors.c, in builds with the sensor side */
int hf_agent_sensors_begin(struct hf_agent *a);
void hf_agent_sensors_stop(struct hf_agent *a);
/* After hf_store_destroy. */
void hf_agent_sensors_destroy(struct hf_agent *a);
/* Appends the member "sensors" of the status and a comma; their metrics. */
int hf_agent_sensors_status(struct hf_agent *a, struct hf_buf *out);
int hf_agent_sensors_metrics(struct hf_agent *a, struct hf_buf *out);
/* For struct hf_fetch_options. */
const struct hf_route *hf_agent_route(void *user, unsigned origin,
				      const struct hf_match_request *req);
/* credentials.c, behind the origins */
int hf_agent_credentials_create(struct hf_agent *a);
void hf_agent_credentials_destroy(struct hf_agent *a);
/* Connectivity and store are there: tokens may be asked for from now on. */
void hf_agent_credentials_begin(struct hf_agent *a);
void hf_agent_credentials_link(struct hf_agent *a, bool up);
/* held.c, behind the credentials */
int hf_agent_held_create(struct hf_agent *a);
void hf_agent_held_destroy(struct hf_agent *a);
/* For struct hf_queue_options. */
void hf_agent_held_found(void *user, const struct hf_record_head *head);
/* A token of @origin has come, or cannot be had for now. */
void hf_agent_held_settled(struct hf_agent *a, unsigned origin);
/* Appends the member "credentials" of the operator's status. */
int hf_agent_credentials_status(struct hf_agent *a, struct hf_buf *out);
/* Appends their metrics. */
int hf_agent_credentials_metrics(struct hf_agent *a, struct hf_buf *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The panel side and the operator side: HTTP/1.1 servers on the listen
 * addresses and on the control socket, access checks, /.holdfast/ resources,
 * the event stream; everything else goes to fetch/.
 */
#ifndef HF_INGRESS_INGRESS_H
#define HF_INGRESS_INGRESS_H

#include "base/buf.h"
#include "base/log.h"
#include "base/timerq.h"
#include "fetch/fetch.h"
#include "holdfast/port.h"
#include "queue/queue.h"

struct hf_ingress;
struct hf_tags;	    /* sync/tags.h */
struct hf_periodic; /* sync/periodic.h */
struct hf_cache;    /* cache/cache.h */
struct hf_url;	    /* http/url.h */

struct hf_ingress_options {
	struct hf_port *port;
	struct hf_timerq *timers;
	struct hf_log *log;
	struct hf_fetch *fetch;
	struct hf_queue *queue;
	struct hf_store *store;
	struct hf_tags *tags;
	struct hf_periodic *periodic;
	struct hf_cache *cache; /* NULL: there is none */
	unsigned connections_max;
	uint32_t keepalive_timeout_ms, head_timeout_ms;
	uint32_t idle_timeout_ms; /* of a body that does not move; 0: 60 s */
	size_t head_bytes_max, fields_max;
	unsigned event_log_max, event_clients_max;
	bool allow_remote;
	/* -1: no origin for this Host (name without port): 421. */
	int (*origin_by_host)(void *user, struct hf_span host);
	/* Appends the status document (JSON object) for a page of @origin (UINT_MAX:
	 * for the operator). */
	int (*status)(void *user, unsigned origin, struct hf_buf *out);
	/* Appends the figures in Prometheus' text format, version 0.0.4. */
	int (*metrics)(void *user, struct hf_buf *out);
	/* Tries everything of @origin (UINT_MAX: of all) now. */
	void (*sync_now)(void *user, unsigned origin);
	/* The worker in charge of @path (ptr NULL: unknown) of @origin, the one of that
	 * name; -1: none. */
	int (*worker_by_path)(void *user, unsigned origin, struct hf_span path);
	int (*worker_by_name)(void *user, struct hf_span name);
	/* The origin that a worker belongs to. */
	unsigned (*worker_origin)(void *user, unsigned worker);
	const char *(*worker_name)(void *user, unsigned worker);
	/* What a cache may hold by the routes that use it: the most of them; 0: no limit. */
	void (*cache_limits)(void *user, uint32_t cache, uint64_t *entries_max,
			     uint64_t *bytes_max);
	/* A cache was dropped on the shelf: one that the settings name is there anew, and a
	 * precache is installed again. */
	void (*cache_dropped)(void *user, uint32_t cache);
	/* The way to the CoAP server at @url, until coap_left. Else an HTTP status, and
	 * @why says it to people. The member itself NULL: built without CoAP. */
	int (*coap_way)(void *user, const struct hf_url *url, struct hf_transport **out, char *why,
			size_t size);
	/* Its exchanges have ended. */
	void (*coap_left)(void *user, struct hf_transport *way);
	/* Inside on_head of an exchange there: appends code and options of the answer as a
	 * JSON object of visible ASCII. HF_ENOENT: it is not of the origin. */
	int (*coap_answer)(struct hf_exchange *x, struct hf_buf *out);
	/* Whether CoAP has a Content-Format of @media_type; if not, appends the types that
	 * have one. */
	bool (*coap_format)(struct hf_span media_type, struct hf_buf *known);
	/* Fetches what is missing of the precache of @worker (UINT_MAX: of all) now. */
	void (*install_now)(void *user, unsigned worker);
	void *user;
};

int hf_ingress_create(const struct hf_ingress_options *opt, struct hf_ingress **out);
/* After hf_store_destroy: what the store still had to say is dropped. */
void hf_ingress_destroy(struct hf_ingress *in);
/* HF_EBUSY, HF_EPERM, ... and nothing is listened on then. @control NULL: none.
 * @metrics: addresses on which GET /metrics alone is answered, to this device. */
int hf_ingress_listen(struct hf_ingress *in, const struct hf_addr *panel, size_t n,
		      const struct hf_addr *control, const struct hf_addr *metrics,
		      size_t metrics_n);
/* Stops accepting, ends idle connections, lets running answers finish for at
 * most @grace_ms, then @done. */
void hf_ingress_stop(struct hf_ingress *in, uint32_t grace_ms, void (*done)(void *user),
		     void *user);
/* Adds an event to the stream: @type as the SSE event name, @json its data. @to:
 * the origin whose pages hear it, as the operator does; with HF_EVENT_PAGES they
 * alone do, with HF_EVENT_OPERATOR no page does. */
#define HF_EVENT_PAGES	  0x80000000u
#define HF_EVENT_OPERATOR UINT32_MAX
void hf_ingress_event(struct hf_ingress *in, unsigned to, const char *type, struct hf_span json);
unsigned hf_ingress_connections(const struct hf_ingress *in);

#endif

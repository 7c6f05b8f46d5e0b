/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/panel_rig.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/http1.h"

#define ORIGIN_IP "192.0.2.1"

static const char *const origin_names[] = { "shop", "till" };

static struct panel_rig *of(struct hf_port *port)
{
	return hf_container_of(hf_container_of(port, struct fake_net, port), struct panel_rig, net);
}

/* ---- what fake_net has not ---- */

static int do_listen(struct hf_port *port, const struct hf_addr *at,
		     const struct hf_listener_events *events, void *user, struct hf_listener **out)
{
	struct panel_rig *r = of(port);
	size_t i = at->family == HF_FAMILY_UNIX;

	assert(!r->accept[i]);
	r->accept[i] = events;
	r->accept_user[i] = user;
	*out = (struct hf_listener *)(void *)&r->accept[i];
	return 0;
}

static void listener_close(struct hf_port *port, struct hf_listener *listener)
{
	(void)port;
	*(const struct hf_listener_events **)(void *)listener = NULL;
}

static void stream_accept(struct hf_port *port, struct hf_stream *stream,
			  const struct hf_stream_events *events, void *user)
{
	struct fake_peer *p = (struct fake_peer *)(void *)stream;

	(void)port;
	p->events = events;
	p->user = user;
	p->told = true;
	p->connected = true;
}

static int stream_peer(struct hf_port *port, struct hf_stream *stream, struct hf_peer *out)
{
	(void)stream;
	*out = of(port)->peer;
	return 0;
}

static void job_submit(struct hf_port *port, struct hf_job *job)
{
	struct panel_rig *r = of(port);

	job->next = NULL;
	*r->jobs_end = job;
	r->jobs_end = &job->next;
}

static bool run_jobs(struct panel_rig *r)
{
	struct hf_job *job = r->jobs;

	if (!job)
		return false;
	r->jobs = job->next;
	if (!r->jobs)
		r->jobs_end = &r->jobs;
	job->run(job);
	job->done(job);
	return true;
}

static void jobs_finish(struct hf_port *port)
{
	while (run_jobs(of(port))) {
	}
}

static const char *vfs_name(struct hf_port *port)
{
	(void)port;
	return NULL;
}

static const char *state_dir(struct hf_port *port)
{
	return of(port)->dir;
}

static const uint8_t *boot_id(struct hf_port *port)
{
	static const uint8_t id[16] = { 1 };

	(void)port;
	return id;
}

/* ---- the device ---- */

static const struct hf_route *find_route(void *user, unsigned origin,
					 const struct hf_match_request *req)
{
	struct panel_rig *r = user;

	(void)origin;
	if (!hf_span_starts(req->path, HF_SPAN("/api/")) || hf_method_is_safe(req->method))
		return NULL;
	r->route.queued = true;
	r->route.policy = r->policy;
	return &r->route;
}

static int origin_by_host(void *user, struct hf_span host)
{
	struct panel_rig *r = user;

	if (r->origins_n > 1 && hf_span_ieq_str(host, "till.localhost"))
		return 1;
	return hf_span_ieq_str(host, "shop.localhost") || hf_span_ieq_str(host, "localhost") ? 0 :
											       -1;
}

static int status(void *user, unsigned origin, struct hf_buf *out)
{
	(void)user;
	if (origin == 1)
		return hf_buf_append_str(out, "{\"version\":\"till\"}");
	return hf_buf_append_str(out, "{\"version\":\"test\"}");
}

static void sync_now(void *user, unsigned origin)
{
	struct panel_rig *r = user;

	r->sync_now_calls++;
	r->sync_now_origin = origin;
	hf_sync_now(r->sync, origin);
}

static void on_queue_event(void *user, const struct hf_queue_event *event)
{
	static const char *const types[] = { "queued", "settled",   "held",
					     "dead",   "cancelled", "queued" };
	struct panel_rig *r = user;
	char json[128];
	int n = snprintf(json, sizeof(json), "{\"id\":\"%s\"}", event->public_id);

	if (r->ingress)
		hf_ingress_event(r->ingress, hf_span_eq_str(event->origin, "till"),
				 types[event->type], hf_span(json, (size_t)n));
}

static void on_lane(void *user, struct hf_lane *lane)
{
	struct panel_rig *r = user;

	if (r->sync)
		hf_sync_lane(r->sync, lane);
}

static void on_origin(void *user, unsigned origin, enum hf_reach reach)
{
	struct panel_rig *r = user;

	if (r->sync)
		hf_sync_origin_changed(r->sync, origin, reach);
}

static void on_trial(void *user, unsigned origin)
{
	struct panel_rig *r = user;

	if (r->sync)
		hf_sync_trial(r->sync, origin);
}

static void on_answered(void *user, unsigned origin)
{
	struct panel_rig *r = user;

	if (r->sync)
		hf_sync_answered(r->sync, origin);
}

static void on_change(void *user)
{
	(void)user;
}

static const struct hf_connectivity_events connectivity_events = {
	.on_origin = on_origin,
	.on_trial = on_trial,
	.on_answered = on_answered,
	.on_change = on_change,
};

static void make_network(struct panel_rig *r)
{
	struct hf_http1_options http = {
		.port = &r->net.port,
		.timers = &r->net.timers,
		.log = &r->net.log,
		.host = "shop.example",
		.port_number = 80,
		.connect_timeout_ms = 10000,
		.first_byte_timeout_ms = 30000,
		.idle_timeout_ms = 60000,
		.keepalive_timeout_ms = 60000,
		.connections_max = 8,
		.head_bytes_max = 16384,
		.fields_max = 100,
	};
	struct hf_connectivity_options conn = {
		.port = &r->net.port,
		.timers = &r->net.timers,
		.log = &r->net.log,
		.rand = &r->rand,
		.events = &connectivity_events,
		.user = r,
		.probe_min_ms = 1000,
		.probe_max_ms = 300000,
	};

	assert(hf_http1_create(&http, &r->transport) == 0);
	assert(hf_connectivity_create(&conn, &r->connectivity) == 0);
	assert(hf_connectivity_add(r->connectivity, "shop", r->transport, "shop.example", NULL) ==
	       0);
	assert(hf_connectivity_add(r->connectivity, "till", r->transport, "till.example", NULL) ==
	       0);
	hf_connectivity_link(r->connectivity, HF_LINK_UP);
}

static void make_queue(struct panel_rig *r)
{
	struct hf_queue_options queue = {
		.port = &r->net.port,
		.store = r->store,
		.timers = &r->net.timers,
		.log = &r->net.log,
		.rand = &r->rand,
		.origin_names = origin_names,
		.origins_n = r->origins_n,
		.device_ms = r->report.device_ms,
		.on_event = on_queue_event,
		.on_lane = on_lane,
		.user = r,
	};
	struct hf_sync_options sync = {
		.port = &r->net.port,
		.timers = &r->net.timers,
		.log = &r->net.log,
		.rand = &r->rand,
		.store = r->store,
		.connectivity = r->connectivity,
		.origins = r->sync_origin,
		.origins_n = r->origins_n,
		.backoff_base_ms = 1000,
		.backoff_cap_ms = 600000,
		.retry_after_max_s = 86400,
		.answer_bytes_max = 1024 * 1024,
	};

	r->sync_origin[0] = (struct hf_sync_origin){
		.host = HF_SPAN("shop.example"),
		.port = 80,
		.authority = HF_SPAN("shop.example"),
		.transport = r->transport,
	};
	r->sync_origin[1] = r->sync_origin[0];
	r->sync_origin[1].authority = HF_SPAN("till.example");
	assert(hf_queue_create(&queue, &r->queue) == 0);
	sync.queue = r->queue;
	assert(hf_sync_create(&sync, &r->sync) == 0);
}

static void make_ingress(struct panel_rig *r)
{
	struct hf_addr panel = { .family = HF_FAMILY_IPV4, .ip = { 127, 0, 0, 1 }, .port = 8480 };
	struct hf_addr control = { .family = HF_FAMILY_UNIX, .path = "control.sock" };

	r->fetch_origin[0] = (struct hf_fetch_origin){
		.name = "shop",
		.scheme = HF_SPAN("http"),
		.authority = HF_SPAN("shop.example"),
		.transport = r->transport,
	};
	r->fetch_origin[1] = r->fetch_origin[0];
	r->fetch_origin[1].name = "till";
	r->fetch_origin[1].authority = HF_SPAN("till.example");
	r->fetch_opt.port = &r->net.port;
	r->fetch_opt.timers = &r->net.timers;
	r->fetch_opt.log = &r->net.log;
	r->fetch_opt.rand = &r->rand;
	r->fetch_opt.queue = r->queue;
	r->fetch_opt.store = r->store;
	r->fetch_opt.connectivity = r->connectivity;
	r->fetch_opt.origins = r->fetch_origin;
	r->fetch_opt.origins_n = r->origins_n;
	r->fetch_opt.route = find_route;
	r->fetch_opt.user = r;
	assert(hf_fetch_create(&r->fetch_opt, &r->fetch) == 0);
	r->ingress_opt.port = &r->net.port;
	r->ingress_opt.timers = &r->net.timers;
	r->ingress_opt.log = &r->net.log;
	r->ingress_opt.fetch = r->fetch;
	r->ingress_opt.queue = r->queue;
	r->ingress_opt.store = r->store;
	r->ingress_opt.origin_by_host = origin_by_host;
	r->ingress_opt.status = status;
	r->ingress_opt.sync_now = sync_now;
	r->ingress_opt.user = r;
	assert(hf_ingress_create(&r->ingress_opt, &r->ingress) == 0);
	assert(hf_ingress_listen(r->ingress, &panel, 1, &control, NULL, 0) == 0);
	hf_sync_start(r->sync);
}

static void queue_loaded(void *user, int err)
{
	struct panel_rig *r = user;

	assert(err == 0);
	make_ingress(r);
	r->loaded = true;
}

static void store_opened(void *user, int err, const struct hf_store_report *report)
{
	struct panel_rig *r = user;

	assert(err == 0);
	r->report = *report;
	make_queue(r);
	hf_queue_load(r->queue, queue_loaded, r);
}

void panel_rig_init(struct panel_rig *r)
{
	memset(r, 0, sizeof(*r));
	fake_net_init(&r->net);
	r->net.port.listen = do_listen;
	r->net.port.listener_close = listener_close;
	r->net.port.stream_accept = stream_accept;
	r->net.port.stream_peer = stream_peer;
	r->net.port.job_submit = job_submit;
	r->net.port.jobs_finish = jobs_finish;
	r->net.port.vfs_name = vfs_name;
	r->net.port.state_dir = state_dir;
	r->net.port.boot_id = boot_id;
	r->jobs_end = &r->jobs;
	r->peer.addr = (struct hf_addr){ .family = HF_FAMILY_IPV4, .ip = { 127, 0, 0, 1 } };
	snprintf(r->dir, sizeof(r->dir), "/tmp/panel_rig.XXXXXX");
	assert(mkdtemp(r->dir));
	hf_rand_init(&r->rand, 1);
	fake_net_host(&r->net, ORIGIN_IP, FAKE_ACCEPT, 0);
	r->origins_n = 1;
	r->store_bytes_max = 64 * 1024 * 1024;
	r->fetch_opt.inline_body_max = 4096;
	r->fetch_opt.body_max = 1024 * 1024;
	r->fetch_opt.chunk_bytes = 65536;
	r->fetch_opt.retry_after_max_s = 86400;
	r->ingress_opt.connections_max = 32;
	r->ingress_opt.keepalive_timeout_ms = 60000;
	r->ingress_opt.head_timeout_ms = 15000;
	r->ingress_opt.head_bytes_max = 8192;
	r->ingress_opt.fields_max = 64;
	r->ingress_opt.event_log_max = 16;
	r->ingress_opt.event_clients_max = 4;
	r->policy = (struct hf_policy){
		.tag = "orders",
		.lane = "orders",
		.key_header = "Idempotency-Key",
		.idempotency = HF_IDEMPOTENCY_KEYED,
		.key_validity_s = HF_POLICY_KEY_VALIDITY_S,
		.max_age_s = HF_POLICY_MAX_AGE_S,
		.max_entries = 100,
	};
}

void panel_rig_start(struct panel_rig *r)
{
	struct hf_store_options opt = {
		.port = &r->net.port,
		.log = &r->net.log,
		.bytes_max = r->store_bytes_max,
		.reserve_bytes = 65536,
		.wal_pages = 1000,
	};

	make_network(r);
	assert(hf_store_create(&opt, &r->store) == 0);
	hf_store_open(r->store, store_opened, r);
	panel_rig_settle(r);
	assert(r->loaded);
}

void panel_rig_stop(struct panel_rig *r)
{
	hf_store_destroy(r->store);
	hf_queue_abandon(r->queue);
	hf_fetch_abandon(r->fetch);
	hf_ingress_destroy(r->ingress);
	hf_fetch_destroy(r->fetch);
	hf_sync_destroy(r->sync);
	hf_connectivity_destroy(r->connectivity);
	hf_http1_destroy(r->transport);
	hf_queue_destroy(r->queue);
	r->ingress = NULL;
	r->sync = NULL;
	r->loaded = false;
}

void panel_rig_reboot(struct panel_rig *r)
{
	panel_rig_stop(r);
	panel_rig_start(r);
}

static void remove_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char file[512];

	while (d && (e = readdir(d))) {
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.')
			unlink(file);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

void panel_rig_finish(struct panel_rig *r)
{
	panel_rig_stop(r);
	fake_net_finish(&r->net);
	remove_dir(r->dir);
}

void panel_rig_settle(struct panel_rig *r)
{
	unsigned rounds = 0;

	do {
		fake_net_settle(&r->net);
		assert(++rounds < 100000);
	} while (!r->hold_jobs && run_jobs(r));
}

void panel_rig_advance(struct panel_rig *r, uint64_t ms)
{
	uint64_t end = r->net.now_ms + ms;

	while (r->net.now_ms < end) {
		uint64_t step = end - r->net.now_ms < 100 ? end - r->net.now_ms : 100;

		fake_net_advance(&r->net, step);
		panel_rig_settle(r);
	}
}

void panel_rig_origin_down(struct panel_rig *r, bool down)
{
	fake_net_answer(&r->net, ORIGIN_IP, down ? FAKE_REFUSE : FAKE_ACCEPT);
}

static struct fake_peer *do_connect(struct panel_rig *r, int side)
{
	struct fake_peer *p = calloc(1, sizeof(*p));

	assert(p && r->accept[side]);
	p->net = &r->net;
	p->window = SIZE_MAX;
	p->to.port = (uint16_t)(60000 + side);
	hf_buf_init(&p->got, SIZE_MAX / 2);
	hf_buf_init(&p->give, SIZE_MAX / 2);
	hf_list_push(&r->net.peers, &p->node);
	r->net.peers_n++;
	r->accept[side]->on_accept(r->accept_user[side], (struct hf_stream *)(void *)p);
	panel_rig_settle(r);
	return p;
}

struct fake_peer *panel_rig_connect(struct panel_rig *r)
{
	return do_connect(r, 0);
}

struct fake_peer *panel_rig_connect_control(struct panel_rig *r)
{
	return do_connect(r, 1);
}

const char *panel_rig_ask(struct panel_rig *r, struct fake_peer *panel, const char *text)
{
	fake_peer_send(panel, text);
	panel_rig_settle(r);
	/* Small pieces may wait a moment for more. */
	fake_net_advance(&r->net, 2);
	panel_rig_settle(r);
	return fake_peer_take(panel);
}

struct fake_peer *panel_rig_origin(struct panel_rig *r)
{
	struct fake_peer *p;

	while (r->origin_at < r->net.peers_n) {
		p = fake_net_peer(&r->net, r->origin_at++);
		if (p->to.port == 80 && p->answer == FAKE_ACCEPT)
			return p;
	}
	return NULL;
}

void panel_rig_answer(struct panel_rig *r, struct fake_peer *origin, const char *text)
{
	fake_peer_send(origin, text);
	panel_rig_settle(r);
	fake_net_advance(&r->net, 2);
	panel_rig_settle(r);
}

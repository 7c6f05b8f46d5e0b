/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/port.h"

#include <assert.h>

#include "sim/device.h"
#include "sim/mem.h"

static struct sim_port *port_of(struct hf_port *port)
{
	return (struct sim_port *)(void *)port;
}

static struct sim_device *dev_of(struct hf_port *port)
{
	return port_of(port)->dev;
}

static bool is_on(struct hf_port *port)
{
	return dev_of(port)->power == SIM_ON;
}

/* ---- clocks ---- */

static uint64_t op_boottime_ms(struct hf_port *port)
{
	const struct sim_clock *c = &dev_of(port)->clock;

	if (port_of(port)->lies.boot_time_is_wall)
		return (uint64_t)sim_clock_wall_ms(c);
	return sim_clock_boot_us(&dev_of(port)->clock) / SIM_US_PER_MS;
}

static uint64_t op_boottime_us(struct hf_port *port)
{
	return sim_clock_boot_us(&dev_of(port)->clock);
}

static enum hf_clock_trust op_wall_ms(struct hf_port *port, int64_t *ms)
{
	*ms = sim_clock_wall_ms(&dev_of(port)->clock);
	return dev_of(port)->clock.trust;
}

static int32_t op_utc_offset_s(struct hf_port *port, int64_t wall_ms)
{
	(void)port;
	(void)wall_ms;
	return 0;
}

static bool op_link_metered(struct hf_port *port)
{
	return dev_of(port)->node->metered && !port_of(port)->lies.never_metered;
}

static const char *op_captive_api(struct hf_port *port)
{
	(void)port;
	return NULL;
}

static const uint8_t *op_boot_id(struct hf_port *port)
{
	return port_of(port)->boot_id;
}

static void op_wake_at(struct hf_port *port, uint64_t boot_ms)
{
	struct sim_port *p = port_of(port);
	struct sim_world *w = p->dev->world;

	if (p->lies.boot_time_is_wall && boot_ms != UINT64_MAX)
		boot_ms -= (uint64_t)(sim_clock_wall_ms(&p->dev->clock)) -
			   sim_clock_boot_us(&p->dev->clock) / SIM_US_PER_MS;
	if (is_on(port) && p->lies.wakes_every_us)
		sim_event_in(w, &p->ev_wake, p->lies.wakes_every_us);
	else if (!is_on(port) || boot_ms == UINT64_MAX)
		sim_event_clear(w, &p->ev_wake);
	else
		sim_event_at(w, &p->ev_wake, p->dev->clock.booted_us + boot_ms * SIM_US_PER_MS);
}

static void wake_due(void *user)
{
	struct sim_port *p = user;
	struct sim_heap *before = sim_heap_enter(&p->dev->heap);

	p->wakes++;
	p->port.events->on_wake(p->port.events_user);
	sim_heap_enter(before);
}

static int op_entropy(struct hf_port *port, void *out, size_t len)
{
	sim_rng_fill(&port_of(port)->rng, out, len);
	return 0;
}

/* ---- streams ---- */

static int op_stream_connect(struct hf_port *port, const struct hf_addr *to,
			     const struct hf_stream_events *events, void *user,
			     struct hf_stream **out)
{
	if (!is_on(port))
		return HF_EUNREACH;
	return sim_stream_connect(dev_of(port)->node, port, to, events, user, out);
}

static void op_stream_accept(struct hf_port *port, struct hf_stream *stream,
			     const struct hf_stream_events *events, void *user)
{
	(void)port;
	sim_stream_accept(stream, events, user);
}

static void op_stream_read(struct hf_port *port, struct hf_stream *stream, bool on)
{
	(void)port;
	sim_stream_read(stream, on);
}

static ptrdiff_t op_stream_write(struct hf_port *port, struct hf_stream *stream, const void *data,
				 size_t len)
{
	(void)port;
	return sim_stream_write(stream, data, len);
}

static void op_stream_shutdown(struct hf_port *port, struct hf_stream *stream)
{
	(void)port;
	sim_stream_shutdown(stream);
}

static void op_stream_close(struct hf_port *port, struct hf_stream *stream, bool abort)
{
	(void)port;
	sim_stream_close(stream, abort);
}

static int op_stream_peer(struct hf_port *port, struct hf_stream *stream, struct hf_peer *out)
{
	(void)port;
	return sim_stream_peer(stream, out);
}

static int op_listen(struct hf_port *port, const struct hf_addr *at,
		     const struct hf_listener_events *events, void *user, struct hf_listener **out)
{
	if (!is_on(port))
		return HF_EUNREACH;
	return sim_listen(dev_of(port)->node, port, at, events, user, out);
}

static void op_listener_close(struct hf_port *port, struct hf_listener *listener)
{
	(void)port;
	sim_listener_close(listener);
}

static void op_listener_accept(struct hf_port *port, struct hf_listener *listener, bool on)
{
	(void)port;
	sim_listener_accept(listener, on);
}

static int op_listener_addr(struct hf_port *port, struct hf_listener *listener, struct hf_addr *out)
{
	(void)port;
	sim_listener_addr(listener, out);
	return 0;
}

static int op_resolve(struct hf_port *port, const char *host, hf_resolve_done *done, void *user,
		      struct hf_resolve **out)
{
	if (!is_on(port))
		return HF_ENOMEM;
	return sim_resolve(dev_of(port)->dns, dev_of(port)->node, host, done, user, out);
}

static void op_resolve_cancel(struct hf_port *port, struct hf_resolve *resolve)
{
	(void)port;
	sim_resolve_cancel(resolve);
}

/* ---- jobs ----
 * The first of a queue is submitted, then has run, then is done; between the
 * last two lies the time that its disk operations took. */

#define THREAD_HOP_US 20

static void schedule_job(struct sim_jobs *q, uint64_t delay_us)
{
	struct sim_device *dev = q->port->dev;

	if (q->first && dev->power == SIM_ON)
		sim_event_in(dev->world, &q->ev, delay_us);
}

static void start_next(struct sim_jobs *q)
{
	struct sim_port *p = q->port;
	struct sim_world *w = p->dev->world;

	schedule_job(q, sim_event_is_set(&p->ev_settled) ? p->ev_settled.at_us - w->now_us :
							   THREAD_HOP_US);
}

static void op_job_submit(struct hf_port *port, struct hf_job *job)
{
	struct sim_jobs *q = &port_of(port)->queues[job->queue];

	assert(job->run && job->done && job->queue < HF_JOB_QUEUES);
	job->next = NULL;
	*q->last = job;
	q->last = &job->next;
	if (q->first == job)
		start_next(q);
}

static uint64_t job_cost(const struct sim_port *p, const struct sim_disk_stats *before,
			 const struct sim_disk_stats *after)
{
	uint64_t us = THREAD_HOP_US;

	if (after->writes > before->writes)
		us += p->job_write_us;
	us += (after->syncs - before->syncs) * p->job_sync_us;
	us += (after->bytes - before->bytes) * p->job_byte_ns / 1000;
	us += (after->ops - before->ops) * sim_disk_faults(p->dev->disk)->slow_us;
	return us;
}

/* Runs the first job; returns what it cost. */
static uint64_t run_first(struct sim_jobs *q)
{
	struct sim_port *p = q->port;
	struct sim_disk_stats before = *sim_disk_stats(p->dev->disk);
	struct sim_heap *heap = sim_heap_enter(&p->dev->heap);

	p->jobs++;
	q->first_has_run = true;
	sim_vfs_select(p->dev->vfs);
	q->first->run(q->first);
	sim_heap_enter(heap);
	return job_cost(p, &before, sim_disk_stats(p->dev->disk));
}

static void finish_first(struct sim_jobs *q)
{
	struct hf_job *job = q->first;
	struct sim_heap *heap;

	q->first = job->next;
	if (!q->first)
		q->last = &q->first;
	q->first_has_run = false;
	heap = sim_heap_enter(&q->port->dev->heap);
	job->done(job);
	sim_heap_enter(heap);
}

/* With done_before_run a job is reported while the disk still is as before it:
 * a cut in the time that the job really takes finds nothing of it. A cut at one
 * of its operations falls into the middle of that time. */
static uint64_t run_first_late(struct sim_jobs *q)
{
	struct sim_port *p = q->port;
	struct sim_world *w = p->dev->world;
	uint64_t cost;

	sim_disk_thaw(p->dev->disk);
	sim_disk_freeze(p->dev->disk);
	cost = run_first(q);
	if (sim_disk_cut_is_due(p->dev->disk))
		sim_event_in(w, &p->ev_late_cut, cost / 2);
	sim_event_in(w, &p->ev_settled, cost);
	return THREAD_HOP_US;
}

static void late_cut_due(void *user)
{
	struct sim_port *p = user;

	sim_device_cut(p->dev);
}

static void settled_due(void *user)
{
	struct sim_port *p = user;

	sim_disk_thaw(p->dev->disk);
}

static bool reported_early(const struct sim_jobs *q)
{
	return q->port->lies.done_before_run && q == &q->port->queues[HF_JOBS_STORE];
}

static void job_due(void *user)
{
	struct sim_jobs *q = user;

	if (!q->first_has_run) {
		schedule_job(q, reported_early(q) ? run_first_late(q) : run_first(q));
		return;
	}
	finish_first(q);
	if (!q->first_has_run && !sim_event_is_set(&q->ev))
		start_next(q);
}

/* The queues in turn, one job each. */
static bool finish_some(struct sim_port *p)
{
	bool any = false;

	for (int i = 0; i < HF_JOB_QUEUES; i++) {
		struct sim_jobs *q = &p->queues[i];

		sim_event_clear(p->dev->world, &q->ev);
		if (!q->first)
			continue;
		if (!q->first_has_run)
			run_first(q);
		finish_first(q);
		any = true;
	}
	return any;
}

static void op_jobs_finish(struct hf_port *port)
{
	while (finish_some(port_of(port)))
		;
}

/* ---- files, log ---- */

static const char *op_vfs_name(struct hf_port *port)
{
	return sim_vfs_name(dev_of(port)->vfs);
}

static const char *op_state_dir(struct hf_port *port)
{
	(void)port;
	return "/var/lib/holdfast";
}

static int op_file_read(struct hf_port *port, const char *path, size_t max, char **out, size_t *len)
{
	const char *text = sim_device_file_text(dev_of(port), path);

	if (!text)
		return HF_ENOENT;
	if (strlen(text) > max)
		return HF_ETOOBIG;
	*len = strlen(text);
	*out = malloc(*len + 1); /* the program frees it */
	if (!*out)
		return HF_ENOMEM;
	memcpy(*out, text, *len + 1);
	return 0;
}

static int op_dir_read(struct hf_port *port, const char *dir,
		       int (*each)(void *user, const char *path), void *user)
{
	return sim_device_files(dev_of(port), dir, each, user);
}

static void op_log(struct hf_port *port, int level, const char *line)
{
	struct sim_device *dev = dev_of(port);
	struct hf_list *it, *tmp;

	if (!is_on(port))
		return;
	sim_trace(dev->world, dev->name, "log %d %s", level, line);
	hf_list_for(it, tmp, &dev->watches) {
		struct sim_device_watch *w = hf_container_of(it, struct sim_device_watch, item);

		if (w->on_log)
			w->on_log(w->user, level, line);
	}
}

static void op_ready(struct hf_port *port)
{
	struct sim_device *dev = dev_of(port);
	struct hf_list *it, *tmp;

	port_of(port)->ready++;
	if (!is_on(port))
		return;
	sim_trace(dev->world, dev->name, "ready");
	hf_list_for(it, tmp, &dev->watches) {
		struct sim_device_watch *w = hf_container_of(it, struct sim_device_watch, item);

		if (w->on_ready)
			w->on_ready(w->user);
	}
}

static void op_tell(struct hf_port *port, const char *words)
{
	(void)port;
	(void)words;
}

static void op_progress(struct hf_port *port)
{
	port_of(port)->progress++;
}

/* ---- events of the world ---- */

static void link_due(void *user)
{
	struct sim_port *p = user;
	struct sim_heap *before = sim_heap_enter(&p->dev->heap);

	const struct sim_node *n = p->dev->node;

	if (p->port.events && p->port.events->on_link)
		p->port.events->on_link(p->port.events_user, n->link_up ? HF_LINK_UP :
							     n->bare	? HF_LINK_BARE :
									  HF_LINK_DOWN);
	sim_heap_enter(before);
}

static void clock_due(void *user)
{
	struct sim_port *p = user;
	struct sim_heap *before = sim_heap_enter(&p->dev->heap);

	if (p->port.events && p->port.events->on_clock)
		p->port.events->on_clock(p->port.events_user);
	sim_heap_enter(before);
}

void sim_port_tell_link(struct sim_port *p)
{
	if (p->dev->power == SIM_ON && !p->dev->process.hangs)
		sim_event_in(p->dev->world, &p->ev_link, 0);
}

void sim_port_tell_clock(struct sim_port *p)
{
	if (p->dev->power == SIM_ON && !p->dev->process.hangs)
		sim_event_in(p->dev->world, &p->ev_clock, 0);
}

/* ---- life ---- */

static const struct hf_port operations = {
	.boottime_ms = op_boottime_ms,
	.boottime_us = op_boottime_us,
	.wall_ms = op_wall_ms,
	.utc_offset_s = op_utc_offset_s,
	.link_metered = op_link_metered,
	.captive_api = op_captive_api,
	.boot_id = op_boot_id,
	.wake_at = op_wake_at,
	.entropy = op_entropy,
	.stream_connect = op_stream_connect,
	.stream_accept = op_stream_accept,
	.stream_read = op_stream_read,
	.stream_write = op_stream_write,
	.stream_shutdown = op_stream_shutdown,
	.stream_close = op_stream_close,
	.stream_peer = op_stream_peer,
	.listen = op_listen,
	.listener_close = op_listener_close,
	.listener_accept = op_listener_accept,
	.listener_addr = op_listener_addr,
	.resolve = op_resolve,
	.resolve_cancel = op_resolve_cancel,
	.job_submit = op_job_submit,
	.jobs_finish = op_jobs_finish,
	.vfs_name = op_vfs_name,
	.state_dir = op_state_dir,
	.file_read = op_file_read,
	.dir_read = op_dir_read,
	.log = op_log,
	.ready = op_ready,
	.progress = op_progress,
	.tell = op_tell,
};

void sim_port_init(struct sim_port *p, struct sim_device *dev)
{
	char domain[64];

	memset(p, 0, sizeof(*p));
	p->port = operations;
	p->dev = dev;
	p->job_write_us = 200;
	p->job_sync_us = 3 * SIM_US_PER_MS;
	p->job_byte_ns = 50; /* 20 MB/s: a plain SD card */
	snprintf(domain, sizeof(domain), "%s/entropy", dev->name);
	sim_rng_init(&p->rng, dev->world->seed, domain);
	sim_event_init(&p->ev_wake, wake_due, p);
	for (int i = 0; i < HF_JOB_QUEUES; i++) {
		struct sim_jobs *q = &p->queues[i];

		q->port = p;
		q->last = &q->first;
		sim_event_init(&q->ev, job_due, q);
	}
	sim_event_init(&p->ev_link, link_due, p);
	sim_event_init(&p->ev_clock, clock_due, p);
	sim_event_init(&p->ev_late_cut, late_cut_due, p);
	sim_event_init(&p->ev_settled, settled_due, p);
}

static bool has_jobs(const struct sim_port *p)
{
	for (int i = 0; i < HF_JOB_QUEUES; i++) {
		if (p->queues[i].first)
			return true;
	}
	return false;
}

void sim_port_boot(struct sim_port *p, bool same_boot)
{
	assert(!has_jobs(p));
	p->port.events = NULL;
	p->port.events_user = NULL;
	if (!same_boot)
		sim_rng_fill(&p->rng, p->boot_id, sizeof(p->boot_id));
}

void sim_port_silence(struct sim_port *p)
{
	struct sim_world *w = p->dev->world;

	sim_event_clear(w, &p->ev_wake);
	for (int i = 0; i < HF_JOB_QUEUES; i++)
		sim_event_clear(w, &p->queues[i].ev);
	sim_event_clear(w, &p->ev_link);
	sim_event_clear(w, &p->ev_clock);
	sim_event_clear(w, &p->ev_late_cut);
	sim_event_clear(w, &p->ev_settled);
}

void sim_port_finish(struct sim_port *p)
{
	assert(!has_jobs(p));
	sim_port_silence(p);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/port.h"

#include <assert.h>

#include "sim/mem.h"
#include "sim/port_private.h"

/* ---- clocks ---- */

static uint64_t op_boottime_ms(struct hf_port *port)
{
	const struct sim_clock *c = &sim_port_dev(port)->clock;

	if (sim_port_of(port)->lies.boot_time_is_wall)
		return (uint64_t)sim_clock_wall_ms(c);
	return sim_clock_boot_us(&sim_port_dev(port)->clock) / SIM_US_PER_MS;
}

static uint64_t op_boottime_us(struct hf_port *port)
{
	return sim_clock_boot_us(&sim_port_dev(port)->clock);
}

static enum hf_clock_trust op_wall_ms(struct hf_port *port, int64_t *ms)
{
	*ms = sim_clock_wall_ms(&sim_port_dev(port)->clock);
	return sim_port_dev(port)->clock.trust;
}

static int32_t op_utc_offset_s(struct hf_port *port, int64_t wall_ms)
{
	(void)port;
	(void)wall_ms;
	return 0;
}

static bool op_link_metered(struct hf_port *port)
{
	return sim_port_dev(port)->node->metered && !sim_port_of(port)->lies.never_metered;
}

static const char *op_captive_api(struct hf_port *port)
{
	(void)port;
	return NULL;
}

static const uint8_t *op_boot_id(struct hf_port *port)
{
	return sim_port_of(port)->boot_id;
}

static void op_wake_at(struct hf_port *port, uint64_t boot_ms)
{
	struct sim_port *p = sim_port_of(port);
	struct sim_world *w = p->dev->world;

	if (p->lies.boot_time_is_wall && boot_ms != UINT64_MAX)
		boot_ms -= (uint64_t)(sim_clock_wall_ms(&p->dev->clock)) -
			   sim_clock_boot_us(&p->dev->clock) / SIM_US_PER_MS;
	if (sim_port_is_on(port) && p->lies.wakes_every_us)
		sim_event_in(w, &p->ev_wake, p->lies.wakes_every_us);
	else if (!sim_port_is_on(port) || boot_ms == UINT64_MAX)
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
	sim_rng_fill(&sim_port_of(port)->rng, out, len);
	return 0;
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
	struct sim_jobs *q = &sim_port_of(port)->queues[job->queue];

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
	while (finish_some(sim_port_of(port)))
		;
}

/* ---- files, log ---- */

static const char *op_vfs_name(struct hf_port *port)
{
	return sim_vfs_name(sim_port_dev(port)->vfs);
}

static const char *op_state_dir(struct hf_port *port)
{
	(void)port;
	return "/var/lib/holdfast";
}

static int op_file_read(struct hf_port *port, const char *path, size_t max, char **out, size_t *len)
{
	const char *text = sim_device_file_text(sim_port_dev(port), path);

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
	return sim_device_files(sim_port_dev(port), dir, each, user);
}

static void op_log(struct hf_port *port, int level, const char *line)
{
	struct sim_device *dev = sim_port_dev(port);
	struct hf_list *it, *tmp;

	if (!sim_port_is_on(port))
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
	struct sim_device *dev = sim_port_dev(port);
	struct hf_list *it, *tmp;

	sim_port_of(port)->ready++;
	if (!sim_port_is_on(port))
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
	sim_port_of(port)->progress++;
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
	sim_port_net_init(&p->port);
	p->dev = dev;
	hf_list_init(&p->watches);
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

	sim_port_watches_silence(p);
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
	assert(hf_list_empty(&p->watches));
	sim_port_silence(p);
}

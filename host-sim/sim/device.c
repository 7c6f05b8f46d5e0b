/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/device.h"

#include <assert.h>

#include "sim/mem.h"

#define NTP_RETRY_US (64 * SIM_US_PER_S)

struct device_file {
	struct hf_list item; /* by path */
	char *path, *text;
};

static void off_due(void *user);
static void boot_due(void *user);
static void sync_due(void *user);
static void crash_due(void *user);

static int64_t wall_ms(void *user)
{
	return sim_clock_wall_ms(user);
}

static void disk_was_cut(void *user)
{
	sim_device_cut(user);
}

/* Disk operations are in the trace that people read, not in its hash. */
void sim_device_see_disk(void *user, const char *op, const char *path, uint64_t at, size_t len)
{
	struct sim_device *dev = user;

	fprintf(dev->world->trace.out, "%38s %s %llu+%zu\n", op, path, (unsigned long long)at, len);
}

struct sim_device *sim_device_create(struct sim_world *world, struct sim_net *net,
				     struct sim_dns *dns, const char *name, uint32_t ipv4,
				     const struct sim_guest_ops *guest_ops)
{
	struct sim_device *dev = sim_alloc(sizeof(*dev));
	char vfs_name[48];

	dev->world = world;
	dev->net = net;
	dev->dns = dns;
	dev->guest_ops = guest_ops;
	dev->reboot_after_us = 40 * SIM_US_PER_S;
	dev->process.restart_us = SIM_US_PER_S;
	dev->process.watchdog_us = 30 * SIM_US_PER_S;
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	dev->node = sim_node_add(net, name, ipv4);
	dev->node->powered = false;
	dev->disk = sim_disk_create(world->seed, name);
	sim_disk_on_cut(dev->disk, disk_was_cut, dev);
	if (world->trace.out)
		sim_disk_on_op(dev->disk, sim_device_see_disk, dev);
	sim_clock_init(&dev->clock, world);
	snprintf(vfs_name, sizeof(vfs_name), "sim-%s", name);
	dev->vfs = sim_vfs_create(dev->disk, vfs_name, world->seed, wall_ms, &dev->clock);
	hf_list_init(&dev->watches);
	hf_list_init(&dev->files);
	sim_event_init(&dev->ev_off, off_due, dev);
	sim_event_init(&dev->ev_boot, boot_due, dev);
	sim_event_init(&dev->ev_sync, sync_due, dev);
	sim_event_init(&dev->ev_crash, crash_due, dev);
	sim_port_init(&dev->port, dev);
	sim_link_init(dev);
	return dev;
}

void sim_device_destroy(struct sim_device *dev)
{
	struct hf_list *item;

	if (!dev)
		return;
	sim_device_cut(dev);
	off_due(dev);
	sim_event_clear(dev->world, &dev->ev_off);
	sim_event_clear(dev->world, &dev->ev_boot);
	sim_event_clear(dev->world, &dev->ev_crash);
	sim_event_clear(dev->world, &dev->ev_sync);
	sim_link_finish(dev);
	sim_port_finish(&dev->port);
	sim_vfs_destroy(dev->vfs);
	sim_disk_destroy(dev->disk);
	while ((item = hf_list_pop(&dev->files))) {
		struct device_file *f = hf_container_of(item, struct device_file, item);

		sim_free(f->path);
		sim_free(f->text);
		sim_free(f);
	}
	sim_free(dev);
}

/* ---- files ---- */

static struct device_file *find_file(const struct sim_device *dev, const char *path)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &dev->files) {
		struct device_file *f = hf_container_of(it, struct device_file, item);

		if (strcmp(f->path, path) == 0)
			return f;
	}
	return NULL;
}

void sim_device_file(struct sim_device *dev, const char *path, const char *text)
{
	struct device_file *f = find_file(dev, path);
	struct hf_list *it, *tmp;

	if (f) {
		sim_free(f->text);
		f->text = sim_strdup(text);
		return;
	}
	f = sim_alloc(sizeof(*f));
	f->path = sim_strdup(path);
	f->text = sim_strdup(text);
	hf_list_for(it, tmp, &dev->files)
		if (strcmp(hf_container_of(it, struct device_file, item)->path, path) > 0)
			break;
	hf_list_push(it, &f->item);
}

const char *sim_device_file_text(const struct sim_device *dev, const char *path)
{
	const struct device_file *f = find_file(dev, path);

	return f ? f->text : NULL;
}

int sim_device_files(struct sim_device *dev, const char *dir,
		     int (*each)(void *user, const char *path), void *user)
{
	size_t len = strlen(dir);
	struct hf_list *it, *tmp;
	bool found = false;
	int stop = 0;

	hf_list_for(it, tmp, &dev->files) {
		struct device_file *f = hf_container_of(it, struct device_file, item);

		if (strncmp(f->path, dir, len) != 0 || f->path[len] != '/' ||
		    strchr(f->path + len + 1, '/'))
			continue;
		found = true;
		stop = each(user, f->path);
		if (stop)
			break;
	}
	return found ? stop : HF_ENOENT;
}

/* ---- watching ---- */

void sim_device_watch(struct sim_device *dev, struct sim_device_watch *watch)
{
	hf_list_init(&watch->item);
	hf_list_push(&dev->watches, &watch->item);
}

void sim_device_unwatch(struct sim_device_watch *watch)
{
	hf_list_remove(&watch->item);
}

static void tell_power(struct sim_device *dev, bool up)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &dev->watches) {
		struct sim_device_watch *w = hf_container_of(it, struct sim_device_watch, item);

		if (w->on_power)
			w->on_power(w->user, up);
	}
}

/* ---- power ---- */

bool sim_device_is_lit(const struct sim_device *dev)
{
	return dev->power == SIM_ON || dev->power == SIM_STOPPED ||
	       (dev->power == SIM_DYING && dev->killed);
}

static void start_guest(struct sim_device *dev)
{
	struct sim_heap *before;

	dev->power = SIM_ON;
	sim_disk_revive(dev->disk);
	if (dev->before_boot && dev->boots + dev->process.restarts > 1)
		dev->before_boot(dev);
	if (dev->next_boot_cut)
		sim_disk_cut_at(dev->disk, dev->next_boot_cut);
	dev->next_boot_cut = 0;
	sim_port_boot(&dev->port, dev->killed);
	dev->killed = false;
	if (dev->process.crashes > 0) {
		dev->process.crashes--;
		sim_event_in(dev->world, &dev->ev_crash, dev->process.crash_after_us);
	}
	dev->boot_err = 0;
	dev->process.hangs = false;
	dev->heap.bytes = 0;
	before = sim_heap_enter(&dev->heap);
	dev->boot_err = dev->guest_ops->boot(dev, &dev->guest);
	sim_heap_enter(before);
	if (dev->boot_err && dev->boot_err != HF_ECONFIG)
		sim_device_kill(dev, "ends");
}

static void restart(struct sim_device *dev)
{
	dev->process.restarts++;
	sim_trace(dev->world, dev->name, "process restart %llu",
		  (unsigned long long)dev->process.restarts);
	start_guest(dev);
	sim_device_network_changed(dev);
}

void sim_device_boot(struct sim_device *dev)
{
	if (dev->power != SIM_OFF && dev->power != SIM_STOPPED)
		return;
	sim_event_clear(dev->world, &dev->ev_boot);
	if (dev->power == SIM_STOPPED) {
		restart(dev);
		return;
	}
	dev->boots++;
	dev->power = SIM_ON;
	sim_trace(dev->world, dev->name, "boot %u", dev->boots);
	sim_clock_boot(&dev->clock);
	dev->node->powered = true;
	sim_net_changed(dev->net);
	tell_power(dev, true);
	start_guest(dev);
	sim_device_network_changed(dev);
}

static void boot_due(void *user)
{
	sim_device_boot(user);
}

/* The guest is on its last breath: nothing it does has an effect. */
static void silence(struct sim_device *dev, bool reset)
{
	dev->power = SIM_DYING;
	sim_net_silence(dev->net, &dev->port.port, reset);
	sim_dns_silence(dev->dns, dev->node);
	sim_port_silence(&dev->port);
	sim_event_clear(dev->world, &dev->ev_crash);
	sim_event_first(dev->world, &dev->ev_off);
}

static void lights_out(struct sim_device *dev)
{
	sim_event_clear(dev->world, &dev->ev_sync);
	dev->killed = false;
	dev->node->powered = false;
	sim_net_changed(dev->net);
	tell_power(dev, false);
}

static void stay_off(struct sim_device *dev)
{
	dev->power = SIM_OFF;
	sim_trace(dev->world, dev->name, "off, disk %016llx",
		  (unsigned long long)sim_disk_hash(dev->disk));
	if (dev->reboot_after_us != SIM_NEVER)
		sim_event_in(dev->world, &dev->ev_boot, dev->reboot_after_us);
}

void sim_device_cut(struct sim_device *dev)
{
	bool stopped = dev->power == SIM_STOPPED;

	if (dev->power != SIM_ON && !stopped)
		return;
	sim_trace(dev->world, dev->name, "power cut after %llu disk operations",
		  (unsigned long long)sim_disk_stats(dev->disk)->ops);
	if (stopped) { /* what the killed one has written is not on the medium yet */
		sim_event_clear(dev->world, &dev->ev_boot);
		sim_disk_revive(dev->disk);
		sim_disk_cut(dev->disk);
		lights_out(dev);
		stay_off(dev);
		return;
	}
	sim_disk_cut(dev->disk);
	silence(dev, false);
	lights_out(dev);
}

static void count_leaks(struct sim_device *dev)
{
	size_t streams = sim_net_count(dev->net, &dev->port.port);
	size_t files = sim_disk_open_files(dev->disk);

	if (streams || files)
		sim_trace(dev->world, dev->name, "left open: %zu streams, %zu files", streams,
			  files);
	dev->leaks += (unsigned)(streams + files);
}

static void off_due(void *user)
{
	struct sim_device *dev = user;
	struct sim_heap *before;

	if (dev->power != SIM_DYING)
		return;
	before = sim_heap_enter(&dev->heap);
	if (dev->guest)
		dev->guest_ops->destroy(dev->guest);
	sim_heap_enter(before);
	dev->guest = NULL;
	sim_port_silence(&dev->port);
	count_leaks(dev);
	if (!dev->killed) {
		stay_off(dev);
		return;
	}
	dev->power = SIM_STOPPED;
	sim_event_in(dev->world, &dev->ev_boot, dev->process.restart_us);
}

void sim_device_cut_at(struct sim_device *dev, uint64_t nth, uint64_t again)
{
	sim_disk_cut_at(dev->disk, nth);
	dev->next_boot_cut = again;
}

/* ---- the process ---- */

void sim_device_kill(struct sim_device *dev, const char *why)
{
	if (dev->power != SIM_ON)
		return;
	sim_trace(dev->world, dev->name, "process %s", why);
	sim_disk_kill(dev->disk);
	dev->killed = true;
	silence(dev, true);
}

static void crash_due(void *user)
{
	sim_device_kill(user, "killed");
}

/* What the world sends it waits until it is dead, then is reset. */
static void hang(struct sim_device *dev)
{
	if (dev->power != SIM_ON)
		return;
	sim_trace(dev->world, dev->name, "process hangs");
	dev->process.hangs = true;
	sim_net_silence(dev->net, &dev->port.port, false);
	sim_dns_silence(dev->dns, dev->node);
	sim_port_silence(&dev->port);
	sim_event_in(dev->world, &dev->ev_crash, dev->process.watchdog_us);
}

void sim_device_process(struct sim_device *dev, enum sim_process_fault fault, uint64_t times,
			uint64_t us)
{
	switch (fault) {
	case SIM_PROCESS_KILLED:
		sim_device_kill(dev, "killed");
		break;
	case SIM_PROCESS_HANGS:
		hang(dev);
		break;
	case SIM_PROCESS_CRASHES:
		dev->process.crashes = times > 0 ? times - 1 : 0;
		dev->process.crash_after_us = us;
		if (times > 0)
			sim_event_in(dev->world, &dev->ev_crash, us);
		break;
	}
}

/* ---- network and clock ---- */

void sim_device_network_changed(struct sim_device *dev)
{
	sim_net_changed(dev->net);
	if (dev->power != SIM_ON)
		return;
	sim_port_tell_link(&dev->port);
	if (dev->node->link_up && dev->clock.trust != HF_CLOCK_SYNCED)
		sim_event_in(dev->world, &dev->ev_sync, dev->clock.sync_after_us);
}

void sim_device_link(struct sim_device *dev, bool up)
{
	if (dev->node->link_up == up)
		return;
	dev->node->link_up = up;
	sim_trace(dev->world, dev->name, "link %s", up ? "up" : "down");
	sim_device_network_changed(dev);
}

void sim_device_clock(struct sim_device *dev, enum sim_clock_fault fault, uint64_t us)
{
	int64_t before = sim_clock_wall_ms(&dev->clock);
	struct hf_list *it, *tmp;

	if (!sim_clock_worsen(&dev->clock, fault, us))
		return;
	sim_trace(dev->world, dev->name, "clock %s",
		  fault == SIM_CLOCK_RIGHT ? "synchronised" : "jumps");
	hf_list_for(it, tmp, &dev->watches) {
		struct sim_device_watch *w = hf_container_of(it, struct sim_device_watch, item);

		if (w->on_clock)
			w->on_clock(w->user, before, sim_clock_wall_ms(&dev->clock));
	}
	sim_port_tell_clock(&dev->port);
}

static void sync_due(void *user)
{
	struct sim_device *dev = user;
	const struct sim_node *n = dev->node;

	if (!n->link_up || n->black_hole || n->captive)
		sim_event_in(dev->world, &dev->ev_sync, NTP_RETRY_US);
	else
		sim_device_clock(dev, SIM_CLOCK_RIGHT, 0);
}

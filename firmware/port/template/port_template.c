/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port that does nothing yet, and a place to begin a new one. To port
 * Holdfast to another system:
 *
 *  1. Copy this folder to firmware/port/<name>/ and rename `template` in it.
 *  2. Give it a row in cmake/layers.cmake, and its board in boards/.
 *  3. Fill in the operations, in this order: the clocks, wake_at, log; then an
 *     agent starts and says what it lacks. Then jobs, entropy and the state
 *     folder: the store opens. Then listeners and streams: panels are served.
 *     Then resolve, links and file reading.
 *  4. Run the cases of tests/lib/port_contract.h against it; they check what
 *     holdfast/port.h promises, one by one.
 *
 * Until then each operation refuses (HF_ENOTSUP) or gives the safest answer:
 * no trust in the clock, no randomness, no wake-up.
 *
 * Three rules are broken most easily. No event comes inside an operation, so
 * keep what is due in lists and deliver it in the turn. No event comes after
 * close or cancel, so take what is due off those lists there. And a callback
 * may close its own stream, so touch nothing of it after the callback returns
 * without looking.
 */
#include "port/template/port_template.h"

#include <stddef.h>

#define NEVER UINT64_MAX

/* ---- clocks ---- */

/* A clock that runs on while the device sleeps. A counter of 32 bits must be
 * widened here: going back stops every timer. */
static uint64_t boottime_us(struct hf_port *port)
{
	(void)port;
	return 0;
}

static uint64_t boottime_ms(struct hf_port *port)
{
	return boottime_us(port) / 1000;
}

/* Say HF_CLOCK_RTC only of a clock with a battery, HF_CLOCK_SYNCED only after
 * NTP or the like: certificates and ages are judged by it. Call on_clock when
 * the answer changes. */
static enum hf_clock_trust wall_ms(struct hf_port *port, int64_t *ms)
{
	(void)port;
	*ms = 0;
	return HF_CLOCK_UNSET;
}

/* 0: windows of the manifest are in UTC. */
static int32_t utc_offset_s(struct hf_port *port, int64_t wall_ms)
{
	(void)port;
	(void)wall_ms;
	return 0;
}

/* True while only a modem leads to the network. */
static bool link_metered(struct hf_port *port)
{
	(void)port;
	return false;
}

/* Option 114 of DHCP, 103 of DHCPv6, 37 of router advertisements. */
static const char *captive_api(struct hf_port *port)
{
	(void)port;
	return NULL;
}

/* A counter in flash or 16 random bytes of the boot. */
static const uint8_t *boot_id(struct hf_port *port)
{
	static const uint8_t none[16];

	(void)port;
	return none;
}

/* One hardware timer, or the timeout of the loop's wait. */
static void wake_at(struct hf_port *port, uint64_t boot_ms)
{
	struct hf_port_template *t = (struct hf_port_template *)port;

	t->wake_ms = boot_ms;
}

/* ---- randomness ---- */

/* A hardware generator behind a DRBG; never rand(). */
static int entropy(struct hf_port *port, void *out, size_t len)
{
	(void)port;
	(void)out;
	(void)len;
	return HF_EIO;
}

/* ---- streams ---- */

/* Begin to connect, tell on_connect from the turn. Define struct hf_stream in
 * your file; it is yours alone. */
static int stream_connect(struct hf_port *port, const struct hf_addr *to,
			  const struct hf_stream_events *events, void *user, struct hf_stream **out)
{
	(void)port;
	(void)to;
	(void)events;
	(void)user;
	(void)out;
	return HF_ENOTSUP;
}

static void stream_accept(struct hf_port *port, struct hf_stream *stream,
			  const struct hf_stream_events *events, void *user)
{
	(void)port;
	(void)stream;
	(void)events;
	(void)user;
}

/* Off: leave the data in the network stack, so that its window closes. */
static void stream_read(struct hf_port *port, struct hf_stream *stream, bool on)
{
	(void)port;
	(void)stream;
	(void)on;
}

/* Copy to the stack what fits, and remember to tell on_writable. */
static ptrdiff_t stream_write(struct hf_port *port, struct hf_stream *stream, const void *data,
			      size_t len)
{
	(void)port;
	(void)stream;
	(void)data;
	(void)len;
	return HF_ENOTSUP;
}

static void stream_shutdown(struct hf_port *port, struct hf_stream *stream)
{
	(void)port;
	(void)stream;
}

/* May be called inside a callback of this very stream: free it in the turn. */
static void stream_close(struct hf_port *port, struct hf_stream *stream, bool abort)
{
	(void)port;
	(void)stream;
	(void)abort;
}

static int stream_peer(struct hf_port *port, struct hf_stream *stream, struct hf_peer *out)
{
	(void)port;
	(void)stream;
	(void)out;
	return HF_EIO;
}

/* ---- listeners ---- */

static int listen_at(struct hf_port *port, const struct hf_addr *at,
		     const struct hf_listener_events *events, void *user, struct hf_listener **out)
{
	(void)port;
	(void)at;
	(void)events;
	(void)user;
	(void)out;
	return HF_ENOTSUP;
}

static void listener_close(struct hf_port *port, struct hf_listener *listener)
{
	(void)port;
	(void)listener;
}

static void listener_accept(struct hf_port *port, struct hf_listener *listener, bool on)
{
	(void)port;
	(void)listener;
	(void)on;
}

static int listener_addr(struct hf_port *port, struct hf_listener *listener, struct hf_addr *out)
{
	(void)port;
	(void)listener;
	(void)out;
	return HF_EIO;
}

/* ---- names ---- */

/* Numeric addresses and *.localhost need no network: answer them in the turn. */
static int resolve(struct hf_port *port, const char *host, hf_resolve_done *done, void *user,
		   struct hf_resolve **out)
{
	(void)port;
	(void)host;
	(void)done;
	(void)user;
	(void)out;
	return HF_ENOTSUP;
}

static void resolve_cancel(struct hf_port *port, struct hf_resolve *look_up)
{
	(void)port;
	(void)look_up;
}

/* ---- jobs ---- */

/* Without other threads, jobs of both queues run in the turn: correct, but the loop
 * waits for the disk. With a thread for each queue, only run() goes there. */
static void job_submit(struct hf_port *port, struct hf_job *job)
{
	struct hf_port_template *t = (struct hf_port_template *)port;

	job->next = NULL;
	*t->jobs_end = job;
	t->jobs_end = &job->next;
}

static void jobs_finish(struct hf_port *port)
{
	struct hf_port_template *t = (struct hf_port_template *)port;

	while (t->jobs) {
		struct hf_job *job = t->jobs;

		t->jobs = job->next;
		if (!t->jobs)
			t->jobs_end = &t->jobs;
		job->run(job);
		job->done(job); /* may submit it again */
	}
}

/* ---- descriptors ---- */

/* Only for builds with CoAP, whose library has sockets of its own: add @fd to what the
 * loop waits for. Without them both may be NULL. */
static int watch(struct hf_port *port, int fd, void (*ready)(void *user), void *user,
		 struct hf_watch **out)
{
	(void)port;
	(void)fd;
	(void)ready;
	(void)user;
	(void)out;
	return HF_ENOTSUP;
}

static void watch_close(struct hf_port *port, struct hf_watch *watch)
{
	(void)port;
	(void)watch;
}

/* ---- datagrams ---- */

/* Only for builds with the sensor side: sockets of UDP. Without them all may be NULL. */
static int datagram_open(struct hf_port *port, const struct hf_addr *at,
			 const struct hf_datagram_events *events, void *user,
			 struct hf_datagrams **out)
{
	(void)port;
	(void)at;
	(void)events;
	(void)user;
	(void)out;
	return HF_ENOTSUP;
}

static void datagram_send(struct hf_port *port, struct hf_datagrams *d, const struct hf_addr *to,
			  const void *data, size_t len)
{
	(void)port;
	(void)d;
	(void)to;
	(void)data;
	(void)len;
}

static int datagram_addr(struct hf_port *port, struct hf_datagrams *d, struct hf_addr *out)
{
	(void)port;
	(void)d;
	(void)out;
	return HF_ENOTSUP;
}

static void datagram_close(struct hf_port *port, struct hf_datagrams *d)
{
	(void)port;
	(void)d;
}

/* ---- files ---- */

/* The name your sqlite3_vfs is registered by. Its xSync must not return before
 * the data would survive a power cut. */
static const char *vfs_name(struct hf_port *port)
{
	(void)port;
	return NULL;
}

static const char *state_dir(struct hf_port *port)
{
	(void)port;
	return "";
}

/* Configuration may as well be compiled in: give it by name here. */
static int file_read(struct hf_port *port, const char *path, size_t max, char **out, size_t *len)
{
	(void)port;
	(void)path;
	(void)max;
	(void)out;
	(void)len;
	return HF_ENOENT;
}

static bool file_exposed(struct hf_port *port, const char *path)
{
	(void)port;
	(void)path;
	return false;
}

static int dir_read(struct hf_port *port, const char *dir,
		    int (*each)(void *user, const char *path), void *user)
{
	(void)port;
	(void)dir;
	(void)each;
	(void)user;
	return HF_ENOENT;
}

/* ---- the device ---- */

/* A serial line, a ring in RAM that survives a reset, syslog. */
static void write_log(struct hf_port *port, int level, const char *line)
{
	(void)port;
	(void)level;
	(void)line;
}

static void ready(struct hf_port *port)
{
	(void)port;
}

static void tell(struct hf_port *port, const char *words)
{
	(void)port;
	(void)words;
}

/* Feed the watchdog here, not in the turn: a turning loop is not yet progress. */
static void progress(struct hf_port *port)
{
	(void)port;
}

/* ---- the whole ---- */

static const struct hf_port operations = {
	.boottime_ms = boottime_ms,
	.boottime_us = boottime_us,
	.wall_ms = wall_ms,
	.utc_offset_s = utc_offset_s,
	.link_metered = link_metered,
	.captive_api = captive_api,
	.boot_id = boot_id,
	.wake_at = wake_at,
	.entropy = entropy,
	.stream_connect = stream_connect,
	.stream_accept = stream_accept,
	.stream_read = stream_read,
	.stream_write = stream_write,
	.stream_shutdown = stream_shutdown,
	.stream_close = stream_close,
	.stream_peer = stream_peer,
	.listen = listen_at,
	.listener_close = listener_close,
	.listener_accept = listener_accept,
	.listener_addr = listener_addr,
	.resolve = resolve,
	.resolve_cancel = resolve_cancel,
	.watch = watch,
	.watch_close = watch_close,
	.datagram_open = datagram_open,
	.datagram_send = datagram_send,
	.datagram_addr = datagram_addr,
	.datagram_close = datagram_close,
	.job_submit = job_submit,
	.jobs_finish = jobs_finish,
	.vfs_name = vfs_name,
	.state_dir = state_dir,
	.file_read = file_read,
	.file_exposed = file_exposed,
	.dir_read = dir_read,
	.log = write_log,
	.ready = ready,
	.progress = progress,
	.tell = tell,
};

void hf_port_template_init(struct hf_port_template *t)
{
	*t = (struct hf_port_template){ .port = operations, .wake_ms = NEVER };
	t->jobs_end = &t->jobs;
}

void hf_port_template_turn(struct hf_port_template *t)
{
	const struct hf_port_events *events = t->port.events;

	jobs_finish(&t->port);
	if (t->wake_ms == NEVER || boottime_ms(&t->port) < t->wake_ms)
		return;
	t->wake_ms = NEVER;
	if (events && events->on_wake)
		events->on_wake(t->port.events_user);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/fake_port.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fake_port *fake_of(struct hf_port *port)
{
	return (struct fake_port *)(void *)port;
}

/* ---- clocks ---- */

static uint64_t fake_boottime_ms(struct hf_port *port)
{
	return fake_of(port)->boot_us / 1000;
}

static uint64_t fake_boottime_us(struct hf_port *port)
{
	return fake_of(port)->boot_us;
}

static enum hf_clock_trust fake_wall_ms(struct hf_port *port, int64_t *ms)
{
	*ms = fake_of(port)->wall_ms;
	return fake_of(port)->trust;
}

static int32_t fake_utc_offset_s(struct hf_port *port, int64_t wall_ms)
{
	(void)wall_ms;
	return fake_of(port)->utc_offset_s;
}

static const char *fake_captive_api(struct hf_port *port)
{
	(void)port;
	return NULL;
}

static bool fake_link_metered(struct hf_port *port)
{
	return fake_of(port)->metered;
}

static const uint8_t *fake_boot_id(struct hf_port *port)
{
	return fake_of(port)->boot_id;
}

static void fake_wake_at(struct hf_port *port, uint64_t boot_ms)
{
	fake_of(port)->wake_at_ms = boot_ms;
}

static int fake_entropy(struct hf_port *port, void *out, size_t len)
{
	uint8_t *at = out;

	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)hf_rand_u64(&fake_of(port)->rand);
	return 0;
}

/* ---- network: refused ---- */

static int fake_stream_connect(struct hf_port *port, const struct hf_addr *to,
			       const struct hf_stream_events *events, void *user,
			       struct hf_stream **out)
{
	(void)port, (void)to, (void)events, (void)user, (void)out;
	return HF_ENOTSUP;
}

static void fake_stream_accept(struct hf_port *port, struct hf_stream *stream,
			       const struct hf_stream_events *events, void *user)
{
	(void)port, (void)stream, (void)events, (void)user;
}

static void fake_stream_read(struct hf_port *port, struct hf_stream *stream, bool on)
{
	(void)port, (void)stream, (void)on;
}

static ptrdiff_t fake_stream_write(struct hf_port *port, struct hf_stream *stream, const void *data,
				   size_t len)
{
	(void)port, (void)stream, (void)data, (void)len;
	return HF_ENOTSUP;
}

static void fake_stream_shutdown(struct hf_port *port, struct hf_stream *stream)
{
	(void)port, (void)stream;
}

static void fake_stream_close(struct hf_port *port, struct hf_stream *stream, bool abortive)
{
	(void)port, (void)stream, (void)abortive;
}

static int fake_stream_peer(struct hf_port *port, struct hf_stream *stream, struct hf_peer *out)
{
	(void)port, (void)stream, (void)out;
	return HF_EIO;
}

static int fake_listen(struct hf_port *port, const struct hf_addr *at,
		       const struct hf_listener_events *events, void *user,
		       struct hf_listener **out)
{
	(void)port, (void)at, (void)events, (void)user, (void)out;
	return HF_ENOTSUP;
}

static void fake_listener_close(struct hf_port *port, struct hf_listener *listener)
{
	(void)port, (void)listener;
}

static void fake_listener_accept(struct hf_port *port, struct hf_listener *listener, bool on)
{
	(void)port, (void)listener, (void)on;
}

static int fake_listener_addr(struct hf_port *port, struct hf_listener *listener,
			      struct hf_addr *out)
{
	(void)port, (void)listener, (void)out;
	return HF_EIO;
}

static int fake_resolve(struct hf_port *port, const char *host, hf_resolve_done *done, void *user,
			struct hf_resolve **out)
{
	(void)port, (void)host, (void)done, (void)user, (void)out;
	return HF_ENOTSUP;
}

static void fake_resolve_cancel(struct hf_port *port, struct hf_resolve *resolve)
{
	(void)port, (void)resolve;
}

/* ---- jobs ---- */

static void fake_job_submit(struct hf_port *port, struct hf_job *job)
{
	struct fake_port *f = fake_of(port);

	job->next = NULL;
	*f->end = job;
	f->end = &job->next;
}

unsigned fake_port_turn(struct fake_port *f)
{
	struct hf_job *job = f->first;
	unsigned n = 0;

	f->first = NULL;
	f->end = &f->first;
	while (job) {
		struct hf_job *next = job->next;

		job->run(job);
		job->done(job);
		job = next;
		n++;
	}
	f->jobs_run += n;
	if (f->port.events && f->port.events->on_wake && f->wake_at_ms <= f->boot_us / 1000) {
		f->wake_at_ms = UINT64_MAX;
		f->port.events->on_wake(f->port.events_user);
	}
	return n;
}

void fake_port_settle(struct fake_port *f)
{
	while (fake_port_turn(f) > 0)
		;
}

static void fake_jobs_finish(struct hf_port *port)
{
	struct fake_port *f = fake_of(port);

	while (f->first)
		fake_port_turn(f);
}

void fake_port_advance(struct fake_port *f, uint64_t ms)
{
	f->boot_us += ms * 1000;
	f->wall_ms += (int64_t)ms;
}

/* ---- files ---- */

static const char *fake_vfs_name(struct hf_port *port)
{
	return fake_of(port)->vfs;
}

static const char *fake_state_dir(struct hf_port *port)
{
	return fake_of(port)->dir;
}

static int fake_file_read(struct hf_port *port, const char *path, size_t max, char **out,
			  size_t *len)
{
	struct stat st;
	FILE *file;

	(void)port;
	if (stat(path, &st))
		return HF_ENOENT;
	if (!S_ISREG(st.st_mode))
		return HF_ESTATE;
	if ((size_t)st.st_size > max)
		return HF_ETOOBIG;
	file = fopen(path, "rb");
	if (!file)
		return HF_EPERM;
	*out = malloc((size_t)st.st_size + 1);
	*len = *out ? fread(*out, 1, (size_t)st.st_size, file) : 0;
	fclose(file);
	if (!*out)
		return HF_ENOMEM;
	(*out)[*len] = '\0';
	return 0;
}

static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int fake_dir_read(struct hf_port *port, const char *dir,
			 int (*each)(void *user, const char *path), void *user)
{
	struct dirent **names;
	int n = scandir(dir, &names, not_hidden, alphasort);
	int err = 0;

	(void)port;
	if (n < 0)
		return HF_ENOENT;
	for (int i = 0; i < n; i++) {
		char path[512];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (!err && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			err = each(user, path);
		free(names[i]);
	}
	free(names);
	return err;
}

/* ---- log ---- */

static void keep_line(struct fake_port *f, const char *line)
{
	size_t len = strlen(line) + 1;

	if (f->log_print)
		fprintf(stderr, "log: %s\n", line);
	if (len >= FAKE_LOG_SIZE)
		return;
	if (f->log_len + len >= FAKE_LOG_SIZE)
		f->log_len = 0;
	memcpy(f->log_text + f->log_len, line, len - 1);
	f->log_len += len;
	f->log_text[f->log_len - 1] = '\n';
	f->log_text[f->log_len] = '\0';
}

static void fake_log(struct hf_port *port, int level, const char *line)
{
	(void)level;
	keep_line(fake_of(port), line);
}

static void fake_log_write(void *user, enum hf_log_level level, const char *line)
{
	(void)level;
	keep_line(user, line);
}

static void fake_ready(struct hf_port *port)
{
	fake_of(port)->ready = true;
}

static void fake_tell(struct hf_port *port, const char *words)
{
	(void)port;
	(void)words;
}

static void fake_progress(struct hf_port *port)
{
	(void)port;
}

/* ---- life ---- */

static const struct hf_port fake_ops = {
	.boottime_ms = fake_boottime_ms,
	.boottime_us = fake_boottime_us,
	.wall_ms = fake_wall_ms,
	.utc_offset_s = fake_utc_offset_s,
	.link_metered = fake_link_metered,
	.captive_api = fake_captive_api,
	.boot_id = fake_boot_id,
	.wake_at = fake_wake_at,
	.entropy = fake_entropy,
	.stream_connect = fake_stream_connect,
	.stream_accept = fake_stream_accept,
	.stream_read = fake_stream_read,
	.stream_write = fake_stream_write,
	.stream_shutdown = fake_stream_shutdown,
	.stream_close = fake_stream_close,
	.stream_peer = fake_stream_peer,
	.listen = fake_listen,
	.listener_close = fake_listener_close,
	.listener_accept = fake_listener_accept,
	.listener_addr = fake_listener_addr,
	.resolve = fake_resolve,
	.resolve_cancel = fake_resolve_cancel,
	.job_submit = fake_job_submit,
	.jobs_finish = fake_jobs_finish,
	.vfs_name = fake_vfs_name,
	.state_dir = fake_state_dir,
	.file_read = fake_file_read,
	.dir_read = fake_dir_read,
	.log = fake_log,
	.ready = fake_ready,
	.progress = fake_progress,
	.tell = fake_tell,
};

void fake_port_init(struct fake_port *f)
{
	memset(f, 0, sizeof(*f));
	f->port = fake_ops;
	f->end = &f->first;
	f->boot_us = 1000000;
	f->wall_ms = 1767225600000; /* 2026-01-01 */
	f->trust = HF_CLOCK_SYNCED;
	f->wake_at_ms = UINT64_MAX;
	hf_rand_init(&f->rand, 1);
	f->log = (struct hf_log){ .level = HF_LOG_DEBUG, .write = fake_log_write, .user = f };
	f->log_print = getenv("FAKE_PORT_LOG") != NULL;
	/* in memory where there is such a place: a sync costs nothing there */
	snprintf(f->dir, sizeof(f->dir), "%s/holdfast-test-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(f->dir))
		abort();
}

void fake_port_finish(struct fake_port *f)
{
	struct dirent **names;
	int n = scandir(f->dir, &names, NULL, NULL);

	for (int i = 0; i < n; i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]->d_name);
		unlink(path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	rmdir(f->dir);
}

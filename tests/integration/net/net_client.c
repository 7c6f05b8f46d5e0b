/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport of firmware/net over the Linux port, by hand: makes requests
 * one after the other and prints one line for each, and one with figures.
 *
 *   net_client HOST PORT [--tls] [--name N] [--ca-file F] [--ca-dir D]
 *              [--cert F --key F] [--pin P]... [--clock UNIX_S unset|rtc|synced]
 *              [--repeat N] [--apart MS] [--close] [--upload BYTES] [--chunked]
 *              [--target T] [--timeout MS] [--slow]
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/timerq.h"
#include "net/http1.h"
#include "net/tls.h"
#include "port_linux.h"

struct client {
	struct hf_port_linux *linux_port;
	struct hf_port *port;
	struct hf_timerq timers;
	struct hf_log log;
	struct hf_tls_client *tls;
	struct hf_transport *transport;
	struct hf_exchange *x;
	struct hf_timer pause; /* of the receiver */
	struct hf_message msg;
	struct hf_arena arena;
	uint64_t upload_left;
	uint64_t received;
	uint64_t until_pause;
	int status;
	bool done, slow, ended_body;
};

struct options {
	const char *host, *name, *ca_file, *ca_dir, *cert, *key, *target;
	const char *pins[8];
	size_t pins_n;
	uint16_t port;
	bool tls, chunked, close, slow;
	unsigned repeat, apart_ms, timeout_ms;
	uint64_t upload;
	int64_t clock_ms;
	enum hf_clock_trust trust;
};

static struct options opt = { .repeat = 1, .target = "/", .timeout_ms = 5000, .clock_ms = -1 };
static char zeros[65536];

static size_t heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static long rss_kib(const char *what)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, what, strlen(what)) == 0)
			kib = strtol(line + strlen(what) + 1, NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

static enum hf_clock_trust fake_wall_ms(struct hf_port *port, int64_t *ms)
{
	(void)port;
	*ms = opt.clock_ms;
	return opt.trust;
}

/* ---- events ---- */

static void on_writable(void *user)
{
	struct client *c = user;

	while (c->upload_left > 0) {
		size_t n = c->upload_left < sizeof(zeros) ? (size_t)c->upload_left : sizeof(zeros);
		size_t taken = c->transport->send(c->transport, c->x, hf_span(zeros, n));

		c->upload_left -= taken;
		if (taken < n)
			return;
	}
	if (!c->ended_body)
		c->transport->send_end(c->transport, c->x, NULL);
	c->ended_body = true;
}

static void on_head(void *user, const struct hf_message *head)
{
	((struct client *)user)->status = head->status;
}

static void on_body(void *user, struct hf_span data)
{
	struct client *c = user;

	c->received += data.len;
	if (!c->slow || c->received < c->until_pause)
		return;
	c->until_pause = c->received + 1024 * 1024;
	c->transport->receive(c->transport, c->x, false);
	hf_timerq_set(&c->timers, &c->pause, c->port->boottime_ms(c->port) + 2);
}

static void on_pause_over(void *user)
{
	struct client *c = user;

	if (c->x)
		c->transport->receive(c->transport, c->x, true);
}

static void on_end(void *user, const struct hf_exchange_result *r, const struct hf_fields *trailers)
{
	static const char *const sent[] = { "none", "part", "all" };
	struct client *c = user;

	(void)trailers;
	printf("status=%d end=%s sent=%s request=%" PRIu64 " body=%" PRIu64 " err=%s detail=%s\n",
	       c->status, hf_end_name(r->end), sent[r->sent], r->request_bytes, c->received,
	       hf_errname(r->err), r->detail);
	c->done = true;
	c->x = NULL;
}

static const struct hf_exchange_events events = {
	.on_writable = on_writable,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

static void on_wake(void *user)
{
	struct client *c = user;

	hf_timerq_run(&c->timers, c->port->boottime_ms(c->port));
}

static void on_link(void *user, enum hf_link link)
{
	(void)user;
	(void)link;
}

static void on_clock(void *user)
{
	(void)user;
}

static const struct hf_port_events port_events = {
	.on_wake = on_wake,
	.on_link = on_link,
	.on_clock = on_clock,
};

static void wake(void *user, uint64_t due_ms)
{
	struct client *c = user;

	c->port->wake_at(c->port, due_ms);
}

static void log_line(void *user, enum hf_log_level level, const char *line)
{
	(void)user;
	(void)level;
	if (strncmp(line, "tls.open", 8) == 0)
		printf("%s\n", line);
	else
		fprintf(stderr, "%s\n", line);
}

/* ---- work ---- */

static void perform(struct client *c)
{
	struct hf_transport_request req = { .msg = &c->msg, .fresh = opt.close };

	hf_arena_reset(&c->arena);
	c->msg = (struct hf_message){
		.method = opt.upload ? HF_SPAN("PUT") : HF_SPAN("GET"),
		.target = hf_span_str(opt.target),
		.minor = 1,
		.body = opt.upload == 0 ? HF_BODY_NONE :
			opt.chunked	? HF_BODY_CHUNKED :
					  HF_BODY_LENGTH,
		.body_len = opt.upload,
	};
	hf_fields_init(&c->msg.fields, &c->arena);
	hf_fields_add(&c->msg.fields, HF_SPAN("Host"), hf_span_str(opt.host));
	c->upload_left = opt.upload;
	c->received = 0;
	c->until_pause = 1024 * 1024;
	c->status = 0;
	c->done = false;
	c->ended_body = false;
	if (c->transport->perform(c->transport, &req, &events, c, &c->x)) {
		printf("perform failed\n");
		exit(1);
	}
	while (!c->done)
		hf_port_linux_turn(c->linux_port, 1000);
}

static int make_tls(struct client *c)
{
	struct hf_tls_client_options o = {
		.port = c->port,
		.log = &c->log,
		.server_name = opt.name ? opt.name : opt.host,
		.ca_file = opt.ca_file,
		.ca_dir = opt.ca_dir,
		.cert_file = opt.cert,
		.key_file = opt.key,
		.pins = opt.pins,
		.pins_n = opt.pins_n,
	};
	struct hf_buf faults;
	size_t before = heap();
	int err;

	hf_buf_init(&faults, 4096);
	err = hf_tls_client_create(&o, &faults, &c->tls);
	if (err)
		printf("fault=%s", hf_buf_cstr(&faults));
	else
		printf("heap_client=%zu\n", heap() - before);
	hf_buf_finish(&faults);
	return err;
}

static int make_transport(struct client *c)
{
	struct hf_http1_options o = {
		.port = c->port,
		.timers = &c->timers,
		.log = &c->log,
		.host = opt.host,
		.port_number = opt.port,
		.tls = c->tls,
		.connect_timeout_ms = opt.timeout_ms,
		.first_byte_timeout_ms = 30000,
		.idle_timeout_ms = 30000,
		.keepalive_timeout_ms = 60000,
		.connections_max = 4,
		.head_bytes_max = 32768,
		.fields_max = 100,
	};

	return hf_http1_create(&o, &c->transport);
}

static void pause_between(struct client *c)
{
	uint64_t end = c->port->boottime_ms(c->port) + opt.apart_ms;

	while (c->port->boottime_ms(c->port) < end)
		hf_port_linux_turn(c->linux_port, 5);
}

static void run(struct client *c)
{
	struct hf_http1_figures f;
	size_t before = heap();
	unsigned i;

	for (i = 0; i < opt.repeat; i++) {
		if (i > 0)
			pause_between(c);
		perform(c);
	}
	pause_between(c);
	hf_http1_figures(c->transport, &f);
	printf("opened=%" PRIu64 " reused=%" PRIu64 " idle=%u heap_used=%zu rss_max_kib=%ld\n",
	       f.opened, f.reused, f.idle, heap() - before, rss_kib("VmHWM:"));
}

static uint64_t number(const char *text)
{
	return strtoull(text ? text : "", NULL, 10);
}

static void parse(char **a)
{
	for (; *a; a++) {
		if (!strcmp(*a, "--tls"))
			opt.tls = true;
		else if (!strcmp(*a, "--chunked"))
			opt.chunked = true;
		else if (!strcmp(*a, "--close"))
			opt.close = true;
		else if (!strcmp(*a, "--slow"))
			opt.slow = true;
		else if (!strcmp(*a, "--name"))
			opt.name = *++a;
		else if (!strcmp(*a, "--ca-file"))
			opt.ca_file = *++a;
		else if (!strcmp(*a, "--ca-dir"))
			opt.ca_dir = *++a;
		else if (!strcmp(*a, "--cert"))
			opt.cert = *++a;
		else if (!strcmp(*a, "--key"))
			opt.key = *++a;
		else if (!strcmp(*a, "--target"))
			opt.target = *++a;
		else if (!strcmp(*a, "--pin") && opt.pins_n < 8)
			opt.pins[opt.pins_n++] = *++a;
		else if (!strcmp(*a, "--repeat"))
			opt.repeat = (unsigned)number(*++a);
		else if (!strcmp(*a, "--apart"))
			opt.apart_ms = (unsigned)number(*++a);
		else if (!strcmp(*a, "--timeout"))
			opt.timeout_ms = (unsigned)number(*++a);
		else if (!strcmp(*a, "--upload"))
			opt.upload = number(*++a);
		else if (!strcmp(*a, "--clock")) {
			opt.clock_ms = (int64_t)number(*++a) * 1000;
			a++;
			opt.trust = !strcmp(*a, "unset") ? HF_CLOCK_UNSET :
				    !strcmp(*a, "rtc")	 ? HF_CLOCK_RTC :
							   HF_CLOCK_SYNCED;
		} else {
			fprintf(stderr, "net_client: what is %s?\n", *a);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	static struct client c;

	if (argc < 3)
		return 2;
	opt.host = argv[1];
	opt.port = (uint16_t)number(argv[2]);
	parse(argv + 3);
	if (hf_port_linux_create(NULL, &c.linux_port))
		return 1;
	c.port = hf_port_linux_port(c.linux_port);
	c.port->events = &port_events;
	c.port->events_user = &c;
	if (opt.clock_ms >= 0)
		c.port->wall_ms = fake_wall_ms;
	c.slow = opt.slow;
	c.log = (struct hf_log){ .level = HF_LOG_DEBUG, .write = log_line };
	hf_arena_init(&c.arena, 65536);
	hf_timerq_init(&c.timers, wake, &c);
	hf_timer_init(&c.pause, on_pause_over, &c);
	if ((!opt.tls || make_tls(&c) == 0) && make_transport(&c) == 0)
		run(&c);
	hf_http1_destroy(c.transport);
	hf_tls_client_destroy(c.tls);
	hf_timerq_finish(&c.timers);
	hf_arena_finish(&c.arena);
	hf_port_linux_destroy(c.linux_port);
	return 0;
}

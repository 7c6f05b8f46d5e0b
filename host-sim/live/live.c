/* SPDX-License-Identifier: Apache-2.0 */
#include "live/live.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "live/control.h"
#include "live/session.h"

#define PANEL_PORT   8480
#define CA_FILE	     "/etc/ssl/certs/ca-certificates.crt"
#define END_ROUNDS   400
#define END_ROUND_MS 20

const char live_usage[] =
	"usage: holdfast-sim live [OPTIONS]\n"
	"\n"
	"  --port N         the panel's port (8480, or the next free one); the control\n"
	"                   page gets the next free one behind it\n"
	"  --origin URL     an app of yours in place of the demo shop, http or https\n"
	"  --ca-file FILE   what an https origin is verified against\n"
	"                   (" CA_FILE ")\n"
	"  --manifest FILE  the worker manifest (without it every POST may be queued)\n"
	"  --dir DIR        keep configuration, state and log there (a temporary folder)\n"
	"  --daemon PATH    the holdfastd to run (the one beside this program)\n"
	"  --no-browser     only print the addresses\n";

struct options {
	const char *origin, *ca_file, *manifest, *dir, *daemon;
	uint16_t port;
	bool no_browser;
};

/* ---- the parts at work ---- */

static void on_changed(void *user)
{
	struct live_session *s = user;

	live_feed_touch(&s->feed);
}

static void on_power(void *user)
{
	struct live_session *s = user;

	if (s->daemon.end[0])
		fprintf(stderr, "holdfast-sim: %s; its log is %s\n", s->daemon.end, s->setup.log);
	on_changed(s);
}

int live_session_apply(struct live_session *s)
{
	struct live_weather w;
	int err;

	live_levers_weather(&s->levers, &w);
	s->daemon.boots_by_itself = s->levers.auto_boot;
	if (s->shop)
		live_shop_mood(s->shop, s->levers.mood);
	err = s->shop ? live_shop_up(s->shop, s->levers.origin) : 0;
	if (IS_ENABLED(CONFIG_HF_SENSOR) && !err && s->meter)
		err = live_meter_set(s->meter, &s->levers);
	return err ? err : live_relay_set(s->relay, &w);
}

/* A request with a key goes to the user's origin; more is not known of it. */
static void on_tapped(void *user, const struct hf_message *head)
{
	struct live_session *s = user;
	const struct hf_span *key = hf_fields_get(&head->fields, "Idempotency-Key");
	struct live_arrival a = { .status = -1 };

	if (!key)
		return;
	snprintf(a.key, sizeof(a.key), "%.*s", HF_SPAN_ARG(*key));
	snprintf(a.what, sizeof(a.what), "%.*s %.*s", HF_SPAN_ARG(head->method),
		 HF_SPAN_ARG(head->target));
	live_journal_arrival(&s->journal, &a);
}

/* ---- starting ---- */

static int complain(const char *what, int err)
{
	if (err)
		fprintf(stderr, "holdfast-sim: %s: %s\n", what, hf_strerror(err));
	return err;
}

static int read_origin(const char *text, struct hf_url *url)
{
	if (!hf_url_parse(hf_span_str(text), url) && url->path.len <= 1 && !url->query.ptr &&
	    (hf_span_eq_str(url->scheme, "http") || hf_span_eq_str(url->scheme, "https")))
		return 0;
	fprintf(stderr, "holdfast-sim: --origin %s: not of the form http://HOST:PORT\n", text);
	return HF_EINVAL;
}

static int make_origin(struct live_session *s, const struct options *o,
		       struct live_relay_options *relay, char *url)
{
	uint16_t port;

	if (o->origin) {
		relay->rewrite = true;
		relay->ca_file = o->ca_file ? o->ca_file : CA_FILE;
		relay->on_request = on_tapped;
		relay->user = s;
		s->origin_url = hf_span_dup(hf_span_str(o->origin));
		if (!s->origin_url)
			live_must(HF_ENOMEM);
		return read_origin(s->origin_url, &relay->url);
	}
	port = live_bench_free_port(&s->bench, 0);
	sprintf(url, "http://127.0.0.1:%u", port);
	s->shop = live_shop_create(&s->bench, &s->journal, port);
	s->journal.origin_known = true;
	return hf_url_parse(hf_span_str(url), &relay->url);
}

/* Sensors, and an origin that speaks CoAP. */
static void make_coap(struct live_session *s, struct live_setup_options *setup)
{
	setup->sensor_port = live_bench_free_port(&s->bench, 0);
	setup->meter_port = live_bench_free_port(&s->bench, (uint16_t)(setup->sensor_port + 1));
	s->meter = live_meter_create(&s->bench, setup->meter_port, on_changed, s);
	s->sensors = live_sensors_create(&s->bench, setup->sensor_port, on_changed, s);
}

static int make_network(struct live_session *s, const struct options *o)
{
	struct live_relay_options relay = { .bench = &s->bench };
	struct live_setup_options setup = {
		.dir = o->dir, .program = o->daemon, .manifest = o->manifest, .demo = !o->origin
	};
	char url[64];
	int err = make_origin(s, o, &relay, url);

	if (err)
		return err;
	relay.port = live_bench_free_port(&s->bench, 0);
	s->panel_port = live_bench_free_port(&s->bench, o->port ? o->port : PANEL_PORT);
	if (o->port && s->panel_port != o->port) {
		fprintf(stderr, "holdfast-sim: --port %u is taken\n", o->port);
		return HF_EBUSY;
	}
	s->control_port = live_bench_free_port(&s->bench, (uint16_t)(s->panel_port + 1));
	err = complain("the network", live_relay_create(&relay, &s->relay));
	setup.panel_port = s->panel_port;
	setup.relay_port = relay.port;
	if (IS_ENABLED(CONFIG_HF_SENSOR) && !err && s->shop)
		make_coap(s, &setup);
	return err ? err : live_setup_init(&s->setup, &setup);
}

static int start(struct live_session *s)
{
	int err;

	live_server_init(&s->control, &s->bench, live_control_request, s);
	err = complain("the network", live_session_apply(s));
	if (!err)
		err = complain("the control page",
			       live_server_listen(&s->control, s->control_port));
	if (err)
		return err;
	s->daemon.program = s->setup.program;
	s->daemon.config = s->setup.config;
	s->daemon.log = s->setup.log;
	live_watch_init(&s->watch, &s->bench, &s->journal, s->panel_port, on_changed, s);
	live_rush_init(&s->rush, &s->bench, s->panel_port);
	err = complain("holdfastd", live_daemon_boot(&s->daemon));
	if (!err)
		live_feed_init(&s->feed, s);
	return err;
}

/* ---- the user ---- */

static void open_page(uint16_t port)
{
	char url[64];
	pid_t pid;

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	pid = fork();
	if (pid == 0) {
		/* a grandchild, so that nobody has to wait for the browser */
		if (fork() == 0) {
			if (!freopen("/dev/null", "w", stdout) ||
			    !freopen("/dev/null", "w", stderr))
				_exit(1);
			setsid();
			execlp("xdg-open", "xdg-open", url, (char *)NULL);
		}
		_exit(0);
	}
}

static bool has_desktop(void)
{
	return getenv("DISPLAY") || getenv("WAYLAND_DISPLAY");
}

static void tell(const struct live_session *s, const struct options *o)
{
	printf("\n"
	       "  Panel     http://127.0.0.1:%u/   %s, behind holdfastd\n"
	       "  Control   http://127.0.0.1:%u/   pull the link, cut the power, ...\n"
	       "\n"
	       "  Origin    %s\n"
	       "  Folder    %s%s\n"
	       "\n"
	       "  Ctrl-C ends all of it.\n\n",
	       s->panel_port, s->shop ? "the demo kiosk" : "your app", s->control_port,
	       s->shop ? "the demo shop, in this program" : s->origin_url, s->setup.dir,
	       s->setup.temporary ? " (removed at the end)" : "");
	fflush(stdout);
	if (!o->no_browser && has_desktop()) {
		open_page(s->control_port);
		open_page(s->panel_port);
	}
}

static void on_signal(void *user, int signum)
{
	struct live_session *s = user;

	if (signum == SIGHUP && s->ending)
		return;
	s->ending = true;
	live_daemon_stop(&s->daemon);
	hf_port_linux_stop(s->bench.linux_port);
}

/* ---- ending ---- */

/* holdfastd gets its time to end orderly. */
static void wait_for_daemon(struct live_session *s)
{
	live_daemon_stop(&s->daemon);
	for (int i = 0; i < END_ROUNDS && s->daemon.power != LIVE_POWER_OFF; i++)
		hf_port_linux_turn(s->bench.linux_port, END_ROUND_MS);
}

static void finish(struct live_session *s)
{
	s->ending = true;
	if (s->daemon.bench)
		wait_for_daemon(s);
	live_feed_finish(&s->feed);
	live_daemon_finish(&s->daemon);
	live_call_cancel(&s->sync);
	live_rush_finish(&s->rush);
	live_watch_finish(&s->watch);
	live_server_down(&s->control);
	live_relay_destroy(s->relay);
	live_shop_destroy(s->shop);
	if (IS_ENABLED(CONFIG_HF_SENSOR)) {
		live_sensors_destroy(s->sensors);
		live_meter_destroy(s->meter);
	}
	live_journal_finish(&s->journal);
	live_setup_finish(&s->setup);
	free(s->origin_url);
	live_bench_finish(&s->bench);
	free(s);
}

static int run(const struct options *o)
{
	struct live_session *s = live_alloc(sizeof(*s));
	int err = complain("the loop", live_bench_init(&s->bench));

	if (!err) {
		live_levers_init(&s->levers);
		live_journal_init(&s->journal, &s->bench, on_changed, s);
		live_daemon_init(&s->daemon, &s->bench, on_power, s);
		err = make_network(s, o);
	}
	if (!err)
		err = complain("signals",
			       hf_port_linux_on_signal(s->bench.linux_port, on_signal, s));
	if (!err)
		err = start(s);
	if (!err) {
		tell(s, o);
		hf_port_linux_run(s->bench.linux_port);
	}
	finish(s);
	return err ? 71 : 0;
}

/* ---- the command line ---- */

static bool take_value(struct options *o, const char *name, const char *value)
{
	uint64_t n;

	if (strcmp(name, "--origin") == 0) {
		o->origin = value;
	} else if (strcmp(name, "--ca-file") == 0) {
		o->ca_file = value;
	} else if (strcmp(name, "--manifest") == 0) {
		o->manifest = value;
	} else if (strcmp(name, "--dir") == 0) {
		o->dir = value;
	} else if (strcmp(name, "--daemon") == 0) {
		o->daemon = value;
	} else if (strcmp(name, "--port") == 0) {
		if (!hf_span_u64(hf_span_str(value), &n) || n < 1024 || n > 65000)
			return false;
		o->port = (uint16_t)n;
	} else {
		return false;
	}
	return true;
}

int live_main(char **args)
{
	struct options o = { 0 };

	for (; *args; args++) {
		if (strcmp(*args, "--help") == 0) {
			fputs(live_usage, stdout);
			return 0;
		}
		if (strcmp(*args, "--no-browser") == 0) {
			o.no_browser = true;
		} else if (args[1] && take_value(&o, args[0], args[1])) {
			args++;
		} else {
			fputs(live_usage, stderr);
			return 64;
		}
	}
	return run(&o);
}

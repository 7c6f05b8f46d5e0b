/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfastd: an agent on the Linux port, in the foreground. SIGTERM and SIGINT
 * end it orderly, a second one at once. Exit codes as in sysexits(3).
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/settings.h"
#include "base/buf.h"
#include "base/log.h"
#include "holdfast/agent.h"
#include "port/linux/place.h"
#include "port/linux/port_linux.h"

#define FAULTS_BYTES_MAX (256 * 1024)

enum exit_code {
	EXIT_OK = 0,
	EXIT_USAGE = 64,
	EXIT_UNAVAILABLE = 69, /* an address or a folder is taken, or may not be used */
	EXIT_OS = 71,
	EXIT_CONFIG = 78,
};

static const char usage[] =
	"usage: holdfastd --config FILE [--check]\n"
	"       holdfastd --version | --help\n"
	"\n"
	"  --config FILE  the configuration, holdfast.conf\n"
	"  --check        read it and every manifest, look at its folders and addresses,\n"
	"                 print every fault and every member of a manifest without an effect,\n"
	"                 and exit\n"
	"\n"
	"Exit codes: 0 ended orderly, or --check found nothing; 64 wrong usage; 69 a folder\n"
	"or an address cannot be had; 71 an error of the system; 78 a fault in a file.\n";

struct options {
	const char *config;
	bool check;
};

struct daemon {
	struct hf_port_linux *linux_port;
	struct hf_port *port;
	struct hf_agent *agent;
	bool started, stopping;
	int exit_code;
};

/* ---- the life of the agent ---- */

static void on_stopped(void *user)
{
	struct daemon *d = user;

	hf_port_linux_stop(d->linux_port);
}

static void stop_agent(struct daemon *d)
{
	d->stopping = true;
	if (d->started)
		hf_agent_stop(d->agent, on_stopped, d);
}

static int start_exit_code(int err)
{
	switch (err) {
	case HF_EBUSY:
	case HF_EPERM:
	case HF_EUNREACH:
	case HF_EEXIST:
	case HF_ENOENT:
		return EXIT_UNAVAILABLE;
	default:
		return EXIT_OS;
	}
}

static void say_why(const struct daemon *d, int err)
{
	const char *dir = d->port->state_dir(d->port);

	switch (err) {
	case HF_ENOTSUP:
		fprintf(stderr,
			"holdfastd: cannot start: the store in %s was written by a newer version; "
			"install that, or name another state-dir\n",
			dir);
		return;
	case HF_EFULL:
		fprintf(stderr,
			"holdfastd: cannot start: there is no space left for the store in %s\n",
			dir);
		return;
	case HF_EIO:
	case HF_ECORRUPT:
		fprintf(stderr,
			"holdfastd: cannot start: the store in %s cannot be read or written\n",
			dir);
		return;
	default:
		fprintf(stderr, "holdfastd: cannot start: %s; the error above says what\n",
			hf_strerror(err));
	}
}

static void on_started(void *user, int err)
{
	struct daemon *d = user;

	if (err) {
		say_why(d, err);
		d->exit_code = start_exit_code(err);
		hf_port_linux_stop(d->linux_port);
		return;
	}
	d->started = true;
	if (d->stopping)
		stop_agent(d);
}

static void on_signal(void *user, int signum)
{
	struct daemon *d = user;

	if (signum == SIGHUP)
		d->port->log(d->port, HF_LOG_WARNING,
			     "daemon.reload_unsupported note=\"restart to read the settings\"");
	else if (d->stopping)
		hf_port_linux_stop(d->linux_port);
	else
		stop_agent(d);
}

/* ---- before it ---- */

/* Settings, or NULL with the exit code. */
static struct hf_settings *load_settings(struct daemon *d, const char *path)
{
	struct hf_settings *settings = NULL;
	struct hf_buf faults;
	int err;

	hf_buf_init(&faults, FAULTS_BYTES_MAX);
	err = hf_settings_load(d->port, path, &settings, &faults);
	if (err) {
		struct hf_span words = hf_buf_span(&faults);

		fprintf(stderr, "%.*s", HF_SPAN_ARG(words));
		if (words.len == 0)
			fprintf(stderr, "%s: %s\n", path, hf_strerror(err));
		d->exit_code = err == HF_ENOMEM ? EXIT_OS : EXIT_CONFIG;
		settings = NULL;
	}
	hf_buf_finish(&faults);
	return settings;
}

/* What the manifests say that does nothing: no fault, but their authors may expect
 * something of it. */
static void print_notices(const struct hf_settings *settings)
{
	for (size_t i = 0; i < settings->workers_n; i++) {
		struct hf_span words = hf_buf_span(&settings->workers[i].manifest->notices);

		fprintf(stderr, "%.*s", HF_SPAN_ARG(words));
	}
}

static int take_state_dir(struct daemon *d, const char *dir)
{
	int err = hf_port_linux_set_state_dir(d->linux_port, dir);

	if (!err)
		return 0;
	d->exit_code = err == HF_EBUSY ? EXIT_UNAVAILABLE : EXIT_OS;
	fprintf(stderr, "holdfastd: state-dir %s: %s\n", dir,
		err == HF_EBUSY	 ? "another holdfastd holds it" :
		err == HF_EPERM	 ? "not writable" :
		err == HF_ESTATE ? "not a folder" :
		err == HF_ENOENT ? "the folder above it is missing" :
				   hf_strerror(err));
	return err;
}

/* False: the exit code is set. With --check a daemon that runs already is no
 * fault: its folders and addresses are the ones it has. */
static bool check_place(struct daemon *d, const struct hf_settings *settings,
			const struct options *o)
{
	struct hf_buf faults, notices;
	enum hf_place place;

	hf_buf_init(&faults, FAULTS_BYTES_MAX);
	hf_buf_init(&notices, FAULTS_BYTES_MAX);
	place = hf_place_check(settings, &faults, &notices);
	fprintf(stderr, "%.*s", HF_SPAN_ARG(hf_buf_span(&notices)));
	if (o->check && place != HF_PLACE_FAULTS)
		printf("%s: ok%s\n", o->config,
		       place == HF_PLACE_TAKEN ? "; a holdfastd is running with it" : "");
	else if (place != HF_PLACE_FITS)
		fprintf(stderr, "%.*s", HF_SPAN_ARG(hf_buf_span(&faults)));
	hf_buf_finish(&notices);
	hf_buf_finish(&faults);
	if (place == HF_PLACE_FITS || (o->check && place == HF_PLACE_TAKEN))
		return true;
	d->exit_code = EXIT_UNAVAILABLE;
	return false;
}

/* The folders of the store and of the control socket are all that is written to. */
static int confine(struct daemon *d, const struct hf_settings *settings)
{
	const char *folders[2] = { hf_settings_state_dir(settings) };
	char folder[HF_PLACE_PATH_SIZE], words[64];
	unsigned abi = 0;
	size_t n = 1;
	int err;

	if (!IS_ENABLED(CONFIG_HF_LANDLOCK))
		return 0;
	if (settings->control) {
		hf_place_folder_above(settings->control, folder);
		folders[n++] = folder;
	}
	err = hf_port_linux_confine(d->linux_port, folders, n, &abi);
	if (err)
		fprintf(stderr, "holdfastd: cannot be confined to its folders: %s\n",
			hf_strerror(err));
	snprintf(words, sizeof(words), "daemon.confined landlock=%u", abi);
	if (!err && settings->log_level >= HF_LOG_INFO)
		d->port->log(d->port, HF_LOG_INFO, words);
	return err;
}

/* Takes @settings. */
static void serve(struct daemon *d, struct hf_settings *settings)
{
	int err;

	if (take_state_dir(d, hf_settings_state_dir(settings))) {
		hf_settings_destroy(settings);
		return;
	}
	err = confine(d, settings);
	if (err) {
		hf_settings_destroy(settings);
		d->exit_code = start_exit_code(err);
		return;
	}
	hf_port_linux_leave_out(d->linux_port, settings->ignore_links);
	err = hf_agent_create(d->port, settings, &d->agent);
	if (!err)
		err = hf_port_linux_on_signal(d->linux_port, on_signal, d);
	if (err) {
		fprintf(stderr, "holdfastd: %s\n", hf_strerror(err));
		d->exit_code = err == HF_ECONFIG ? EXIT_CONFIG : EXIT_OS;
	} else {
		hf_agent_start(d->agent, on_started, d);
		hf_port_linux_run(d->linux_port);
	}
	hf_port_linux_leave_out(d->linux_port, NULL);
	hf_agent_destroy(d->agent);
}

static int run_daemon(const struct options *o)
{
	struct daemon d = { .exit_code = EXIT_OK };
	struct hf_settings *settings;
	int err = hf_port_linux_create(NULL, &d.linux_port);

	if (err) {
		fprintf(stderr, "holdfastd: no event loop: %s\n", hf_strerror(err));
		return EXIT_OS;
	}
	d.port = hf_port_linux_port(d.linux_port);
	settings = load_settings(&d, o->config);
	if (settings)
		print_notices(settings);
	if (settings && check_place(&d, settings, o) && !o->check)
		serve(&d, settings);
	else
		hf_settings_destroy(settings);
	if (!hf_port_linux_destroy(d.linux_port)) {
		fflush(stdout);
		_exit(d.exit_code);
	}
	return d.exit_code;
}

/* True: *code is what to exit with. */
static bool parse_options(int argc, char **argv, struct options *o, int *code)
{
	static const struct option words[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:h", words, NULL)) != -1) {
		if (c == 'c') {
			o->config = optarg;
		} else if (c == 'k') {
			o->check = true;
		} else if (c == 'v' || c == 'h') {
			fputs(c == 'v' ? "holdfastd " HOLDFAST_VERSION "\n" : usage, stdout);
			*code = EXIT_OK;
			return true;
		} else {
			optind = argc + 1; /* getopt has said what is wrong */
			break;
		}
	}
	if (optind == argc && o->config)
		return false;
	if (optind < argc)
		fprintf(stderr, "holdfastd: unexpected argument: %s\n", argv[optind]);
	else if (optind == argc)
		fputs("holdfastd: --config FILE is missing\n", stderr);
	fputs(usage, stderr);
	*code = EXIT_USAGE;
	return true;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	int code;

	if (parse_options(argc, argv, &o, &code))
		return code;
	umask(027);
	return run_daemon(&o);
}

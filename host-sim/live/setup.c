/* SPDX-License-Identifier: Apache-2.0 */
#include "live/setup.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holdfast/err.h"

static const char demo_manifest[] =
	"{\n"
	"  \"name\": \"kiosk\",\n"
	"  \"version\": \"1.0.0\",\n"
	"  \"routes\": [\n"
	"    { \"condition\": { \"urlPattern\": \"/api/orders\", \"requestMethod\": \"POST\" },\n"
	"      \"source\": \"network\",\n"
	"      \"queue\": { \"tag\": \"orders\", \"lane\": \"orders\", \"expect\": [201] } }\n"
	"  ]\n"
	"}\n";

static const char any_manifest[] =
	"{\n"
	"  \"name\": \"app\",\n"
	"  \"version\": \"1.0.0\",\n"
	"  \"routes\": [\n"
	"    { \"condition\": { \"urlPattern\": \"/*\", \"requestMethod\": \"POST\" },\n"
	"      \"source\": \"network\",\n"
	"      \"queue\": { \"tag\": \"posts\", \"lane\": \"posts\" } }\n"
	"  ]\n"
	"}\n";

static const char meter_manifest[] =
	"{\n"
	"  \"name\": \"meter\",\n"
	"  \"version\": \"1.0.0\",\n"
	"  \"routes\": [\n"
	"    { \"condition\": { \"urlPattern\": \"/readings\", \"requestMethod\": \"POST\" },\n"
	"      \"source\": \"network\",\n"
	"      \"queue\": { \"tag\": \"readings\", \"lane\": \"readings\", \"expect\": [201] } }\n"
	"  ]\n"
	"}\n";

static int complain(const char *what)
{
	fprintf(stderr, "holdfast-sim: %s: %s\n", what, strerror(errno));
	return HF_EIO;
}

/* Joins into @out (PATH_MAX bytes). */
static int join(char *out, const char *dir, const char *name)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);

	if (n > 0 && n < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return complain(dir);
}

/* ---- the folder ---- */

static int make_temporary(struct live_setup *s)
{
	const char *tmp = getenv("TMPDIR");

	if (join(s->dir, tmp && tmp[0] == '/' ? tmp : "/tmp", "holdfast-live-XXXXXX"))
		return HF_EIO;
	if (!mkdtemp(s->dir))
		return complain(s->dir);
	s->temporary = true;
	return 0;
}

static int make_given(struct live_setup *s, const char *dir)
{
	if (mkdir(dir, 0750) && errno != EEXIST)
		return complain(dir);
	return realpath(dir, s->dir) ? 0 : complain(dir);
}

static int find_program(struct live_setup *s, const char *given)
{
	char self[PATH_MAX];
	ssize_t n;

	if (given) {
		if (!realpath(given, s->program))
			return complain(given);
	} else {
		n = readlink("/proc/self/exe", self, sizeof(self) - 1);
		if (n < 0)
			return complain("/proc/self/exe");
		self[n] = '\0';
		*strrchr(self, '/') = '\0';
		if (join(s->program, self, "holdfastd"))
			return HF_EIO;
	}
	return access(s->program, X_OK) ? complain(s->program) : 0;
}

/* ---- its files ---- */

static int write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return complain(path);
	if (fputs(text, f) < 0 || fclose(f))
		return complain(path);
	return 0;
}

/* The demo meter, and where the sensors send to. */
static void coap_config(const struct live_setup_options *opt, char *listen, char *origin,
			size_t size)
{
	listen[0] = origin[0] = '\0';
	if (!opt->sensor_port)
		return;
	snprintf(listen, size, "coap-listen = 127.0.0.1:%u\n", opt->sensor_port);
	snprintf(origin, size,
		 "\n"
		 "[origin meter]\n"
		 "url       = coap://127.0.0.1:%u\n"
		 "host      = meter.localhost\n"
		 "\n"
		 "[worker meter]\n"
		 "origin    = meter\n"
		 "scope     = /\n"
		 "manifest  = meter.worker.json\n",
		 opt->meter_port);
}

static int write_config(struct live_setup *s, const struct live_setup_options *opt,
			const char *manifest)
{
	char text[4 * PATH_MAX], listen[256], origin[256];
	int n;

	coap_config(opt, listen, origin, sizeof(listen));
	n = snprintf(text, sizeof(text),
		     "[agent]\n"
		     "listen    = 127.0.0.1:%u\n"
		     "control   = %s/control.sock\n"
		     "state-dir = %s/state\n"
		     "log-level = info\n"
		     "%s"
		     "\n"
		     "; the relay of holdfast-sim live, which leads to the origin\n"
		     "[origin shop]\n"
		     "url       = http://127.0.0.1:%u\n"
		     "\n"
		     "[worker kiosk]\n"
		     "origin    = shop\n"
		     "scope     = /\n"
		     "manifest  = %s\n"
		     "%s",
		     opt->panel_port, s->dir, s->dir, listen, opt->relay_port, manifest, origin);

	if (n < 0 || (size_t)n >= sizeof(text)) {
		errno = ENAMETOOLONG;
		return complain(s->dir);
	}
	return write_file(s->config, text);
}

static int write_files(struct live_setup *s, const struct live_setup_options *opt)
{
	char manifest[PATH_MAX];
	int err;

	if (opt->manifest) {
		if (!realpath(opt->manifest, manifest))
			return complain(opt->manifest);
		return write_config(s, opt, manifest);
	}
	err = join(manifest, s->dir, "meter.worker.json");
	if (!err && opt->sensor_port)
		err = write_file(manifest, meter_manifest);
	if (!err)
		err = join(manifest, s->dir, "worker.json");
	if (!err)
		err = write_file(manifest, opt->demo ? demo_manifest : any_manifest);
	return err ? err : write_config(s, opt, manifest);
}

int live_setup_init(struct live_setup *s, const struct live_setup_options *opt)
{
	int err = find_program(s, opt->program);

	if (!err)
		err = opt->dir ? make_given(s, opt->dir) : make_temporary(s);
	if (!err)
		err = join(s->config, s->dir, "holdfast.conf");
	if (!err)
		err = join(s->log, s->dir, "holdfastd.log");
	if (!err)
		err = write_files(s, opt);
	if (err)
		live_setup_finish(s);
	return err;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void live_setup_finish(struct live_setup *s)
{
	if (s->temporary && nftw(s->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT))
		complain(s->dir);
	s->temporary = false;
}

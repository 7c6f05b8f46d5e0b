/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "actors/content.h"
#include "actors/tokens.h"
#include "moves.h"
#include "script_config.h"
#include "sim/mem.h"
#include "stage_files.h"

#define DEVICE_IP 0xc0000201u /* 192.0.2.1, and on */
#define ORIGIN_IP 0xcb00710au /* 203.0.113.10, and on */
#define SENSOR_IP 0x0a000001u /* 10.0.0.1, and on */
#define CHECK_IP  0xc6336407u /* 198.51.100.7 */
#define PORTAL_IP 0xc6336401u /* 198.51.100.1 */
#define STRANGER  0xc6336409u /* 198.51.100.9 */

/* The cast with what it leaves out. */
static void complete_cast(const struct sim_stage_options *opt, struct sim_cast *out)
{
	const struct sim_cast *given = opt->cast;
	size_t i;

	memset(out, 0, sizeof(*out));
	if (given)
		*out = *given;
	if (out->devices_n == 0)
		out->devices[out->devices_n++] = "kiosk";
	for (i = 0; i < out->origins_n; i++)
		if (strcmp(out->origins[i].name, "shop") == 0)
			return;
	if (out->origins_n == SIM_ORIGINS_MAX || (opt->config && out->origins_n))
		return; /* a configuration of its own knows its origins */
	memmove(&out->origins[1], &out->origins[0], out->origins_n * sizeof(out->origins[0]));
	out->origins[0] = (struct sim_cast_origin){ "shop", "http://shop.example" };
	out->origins_n++;
}

static struct sim_origin *add_host(struct sim_stage *s, enum sim_origin_kind kind, const char *name,
				   const char *host, uint32_t ip, const char *scheme)
{
	const struct sim_origin_options opt = { .kind = kind,
						.name = name,
						.host = host,
						.ipv4 = ip,
						.tls = strcmp(scheme, "https") == 0,
						.coap = strcmp(scheme, "coap") == 0,
						.epoch_ms = s->kiosk->clock.epoch_ms };

	return sim_origin_create(&s->net, &s->ledger, &opt);
}

static void add_origin(struct sim_stage *s, const struct sim_cast_origin *o)
{
	const char *host = strstr(o->url, "://");
	size_t len = host ? (size_t)(host - o->url) : 0;
	char scheme[8];

	snprintf(scheme, sizeof(scheme), "%.*s", (int)len, o->url);
	s->origins[s->origins_n] = add_host(s, SIM_ORIGIN_SHOP, o->name, host ? host + 3 : o->url,
					    ORIGIN_IP + (uint32_t)s->origins_n, scheme);
	s->origins_n++;
}

static void add_origins(struct sim_stage *s, const struct sim_cast *cast)
{
	bool secure = strncmp(cast->origins[0].url, "https:", 6) == 0;
	size_t i;

	for (i = 0; i < cast->origins_n; i++)
		add_origin(s, &cast->origins[i]);
	s->shop = s->origins[0];
	s->check = add_host(s, SIM_ORIGIN_CHECK, "check", "check.example", CHECK_IP, "http");
	s->portal = add_host(s, SIM_ORIGIN_PORTAL, "portal", "portal.example", PORTAL_IP, "http");
	s->net.portal = sim_origin_node(s->portal);
	s->stranger = add_host(s, SIM_ORIGIN_STRANGER, "stranger", "stranger.example", STRANGER,
			       secure ? "https" : "http");
	sim_origin_cert(s->stranger, SIM_CERT_WRONG);
	s->dns.liar = sim_origin_node(s->stranger);
}

/* To whom a field does not get. */
static void note_fieldless(struct sim_stage *s, const struct sim_cast *cast)
{
	size_t n = 0;

	for (size_t i = 0; i < cast->origins_n; i++)
		if (strncmp(cast->origins[i].url, "coap", 4) == 0)
			s->ledger.fieldless[n++] = sim_origin_name(s->origins[i]);
}

static void add_panel(struct sim_stage *s, struct sim_device *dev, const char *name)
{
	char text[80];

	if (dev == s->kiosk && !name)
		snprintf(text, sizeof(text), "panel");
	else
		snprintf(text, sizeof(text), "%s/%s", dev->name, name ? name : "panel");
	s->panel_names[s->panels_n] = name;
	s->panels[s->panels_n++] = sim_panel_create(dev, &s->ledger, text, NULL);
}

/* Where the configuration looks for it, whatever its name. */
static void add_manifest(struct sim_device *dev, const char *config, const char *manifest)
{
	struct sim_conf c = { .next = config };
	char path[320];

	sim_device_file(dev, SIM_MANIFEST_PATH, manifest);
	while (sim_conf_next(&c)) {
		if (strcmp(c.key, "manifest") != 0)
			continue;
		snprintf(path, sizeof(path), "%s%s", c.value[0] == '/' ? "" : "/etc/holdfast/",
			 c.value);
		if (!sim_device_file_text(dev, path))
			sim_device_file(dev, path, manifest);
	}
}

static void add_device(struct sim_stage *s, const struct sim_stage_options *opt, const char *name,
		       const char *config)
{
	size_t i = s->devices_n;
	struct sim_device *dev = sim_device_create(&s->world, &s->net, &s->dns, name,
						   DEVICE_IP + (uint32_t)i, opt->guest);
	char text[80];

	sim_device_file(dev, SIM_CONFIG_PATH, config);
	sim_device_file(dev, SIM_CA_PATH, sim_cert_ca);
	sim_device_file(dev, SIM_REFRESH_PATH, SIM_REFRESH_FIRST "\n");
	s->periodic = opt->manifest && strstr(opt->manifest, "\"periodicSync\"");
	add_manifest(dev, config, opt->manifest ? opt->manifest : sim_default_manifest);
	sim_witness_init(&s->witnesses[i], dev);
	s->witnesses[i].lives = &s->ledger.lives;
	s->devices[s->devices_n++] = dev;
	s->kiosk = s->devices[0];
	add_panel(s, dev, NULL);
	snprintf(text, sizeof(text), "%s/operator", dev->name);
	s->operators[i] = sim_panel_create(dev, &s->ledger, text, SIM_CONTROL_PATH);
}

static void add_devices(struct sim_stage *s, const struct sim_cast *cast,
			const struct sim_stage_options *opt)
{
	char *config = opt->config ? NULL : sim_default_config(cast);
	size_t n = opt->fleet ? opt->fleet : cast->devices_n, i;
	char number[32];

	s->devices = sim_alloc(n * sizeof(*s->devices));
	s->operators = sim_alloc(n * sizeof(*s->operators));
	s->witnesses = sim_alloc(n * sizeof(*s->witnesses));
	s->panels = sim_alloc((n + cast->panels_n) * sizeof(*s->panels));
	s->panel_names = sim_alloc((n + cast->panels_n) * sizeof(*s->panel_names));
	for (i = 0; i < n; i++) {
		snprintf(number, sizeof(number), "%zu", i + 1);
		add_device(s, opt, opt->fleet ? number : cast->devices[i],
			   opt->config ? opt->config : config);
	}
	free(config);
	s->panel = s->panels[0];
	for (i = 0; i < cast->panels_n; i++)
		add_panel(s, sim_stage_device(s, cast->panels[i].device), cast->panels[i].name);
}

static void add_sensors(struct sim_stage *s, const struct sim_cast *cast)
{
	for (size_t i = 0; i < cast->sensors_n; i++) {
		const struct sim_cast_sensor *c = &cast->sensors[i];

		if (IS_ENABLED(CONFIG_HF_SENSOR))
			s->sensors[s->sensors_n++] =
				sim_sensor_create(sim_stage_device(s, c->device), &s->ledger,
						  c->name, SENSOR_IP + (uint32_t)i, c->keys);
	}
}

void sim_stage_init(struct sim_stage *s, const struct sim_stage_options *opt)
{
	struct sim_cast cast;

	memset(s, 0, sizeof(*s));
	sim_moves_begin();
	complete_cast(opt, &cast);
	sim_world_init(&s->world, opt->seed, opt->trace);
	sim_net_init(&s->net, &s->world);
	sim_dns_init(&s->dns, &s->net);
	sim_ledger_init(&s->ledger, &s->world);
	add_devices(s, &cast, opt);
	add_origins(s, &cast);
	note_fieldless(s, &cast);
	add_sensors(s, &cast);
}

void sim_stage_finish(struct sim_stage *s)
{
	size_t i;

	for (i = 0; i < s->panels_n; i++)
		sim_panel_destroy(s->panels[i]);
	for (i = 0; i < s->sensors_n && IS_ENABLED(CONFIG_HF_SENSOR); i++)
		sim_sensor_destroy(s->sensors[i]);
	for (i = 0; i < s->devices_n; i++) {
		s->devices[i]->reboot_after_us = SIM_NEVER;
		sim_panel_destroy(s->operators[i]);
		sim_witness_finish(&s->witnesses[i]);
		sim_device_destroy(s->devices[i]);
	}
	for (i = 0; i < s->origins_n; i++)
		sim_origin_destroy(s->origins[i]);
	sim_origin_destroy(s->check);
	sim_origin_destroy(s->portal);
	sim_origin_destroy(s->stranger);
	sim_free(s->devices);
	sim_free(s->operators);
	sim_free(s->witnesses);
	sim_free(s->panels);
	sim_free(s->panel_names);
	sim_net_finish(&s->net);
	sim_ledger_finish(&s->ledger);
	sim_world_finish(&s->world);
}

/* ---- by name ---- */

size_t sim_stage_device_index(const struct sim_stage *s, const char *name)
{
	size_t i = 0;

	while (name && i < s->devices_n && strcmp(s->devices[i]->name, name) != 0)
		i++;
	return i;
}

struct sim_device *sim_stage_device(const struct sim_stage *s, const char *name)
{
	size_t i = sim_stage_device_index(s, name);

	return i < s->devices_n ? s->devices[i] : NULL;
}

struct sim_panel *sim_stage_operator(const struct sim_stage *s, const char *device)
{
	size_t i = sim_stage_device_index(s, device);

	return i < s->devices_n ? s->operators[i] : NULL;
}

struct sim_origin *sim_stage_origin(const struct sim_stage *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->origins_n; i++)
		if (!name || strcmp(sim_origin_name(s->origins[i]), name) == 0)
			return s->origins[i];
	return NULL;
}

struct sim_panel *sim_stage_panel(const struct sim_stage *s, const char *name, const char *device)
{
	const struct sim_device *dev = sim_stage_device(s, device);
	size_t i;

	for (i = 0; i < s->panels_n; i++) {
		const char *own = s->panel_names[i];

		if (name ? own && strcmp(own, name) == 0 :
			   !own && sim_panel_device(s->panels[i]) == dev)
			return s->panels[i];
	}
	return NULL;
}

struct sim_sensor *sim_stage_sensor(const struct sim_stage *s, const char *name, size_t *i)
{
	for (; IS_ENABLED(CONFIG_HF_SENSOR) && *i < s->sensors_n; ++*i)
		if (!name || strcmp(sim_sensor_name(s->sensors[*i]), name) == 0)
			return s->sensors[*i];
	return NULL;
}

/* ---- all of them ---- */

void sim_stage_boot(struct sim_stage *s)
{
	size_t i;

	for (i = 0; i < s->devices_n; i++)
		sim_device_boot(s->devices[i]);
}

void sim_stage_shut_down(struct sim_stage *s)
{
	size_t i;

	for (i = 0; i < s->devices_n; i++) {
		s->devices[i]->reboot_after_us = SIM_NEVER;
		sim_device_cut(s->devices[i]);
	}
	sim_world_run(&s->world, s->world.now_us + SIM_US_PER_S);
}

void sim_stage_metered(struct sim_stage *s, struct sim_device *dev, bool metered)
{
	if (metered != (s->ledger.metered_from_us != SIM_NEVER))
		s->ledger.metered_from_us = metered ? s->world.now_us : SIM_NEVER;
	sim_link_metered(dev, metered);
}

static void release_to(struct sim_device *dev, unsigned release)
{
	struct sim_conf c = { .next = sim_device_file_text(dev, SIM_CONFIG_PATH) };
	char *text = sim_content_upgraded(sim_device_file_text(dev, SIM_MANIFEST_PATH), release);

	add_manifest(dev, c.next, text);
	sim_free(text);
	sim_device_kill(dev, "a new release");
}

void sim_stage_release(struct sim_stage *s, unsigned release)
{
	for (size_t i = 0; i < s->origins_n; i++)
		sim_origin_release(s->origins[i], release);
	for (size_t i = 0; i < s->devices_n; i++)
		release_to(s->devices[i], release);
}

static void heal_device(struct sim_stage *s, struct sim_device *dev)
{
	sim_device_cut_at(dev, 0, 0);
	sim_disk_worsen(dev->disk, SIM_DISK_NORMAL, 0);
	sim_net_worsen(dev->node, SIM_NET_NORMAL, 0, SIM_UPLOADS);
	dev->node->dns = (struct sim_dns_faults){ 0 };
	dev->heap.fail_in = 0;
	dev->process.crashes = 0;
	sim_device_clock(dev, SIM_CLOCK_LATE, 6 * SIM_US_PER_S);
	if (dev->clock.trust == HF_CLOCK_SYNCED)
		sim_device_clock(dev, SIM_CLOCK_RIGHT, 0);
	sim_link_set(dev, SIM_LINK_UP);
	sim_stage_metered(s, dev, false);
}

static void heal_origin(struct sim_origin *o)
{
	static const struct sim_origin_mood well;

	sim_origin_node(o)->black_hole = false;
	sim_origin_up(o, true);
	sim_origin_cert(o, SIM_CERT_GOOD);
	sim_origin_mood(o, &well);
}

void sim_stage_heal(struct sim_stage *s)
{
	size_t i;

	for (i = 0; i < s->origins_n; i++)
		heal_origin(s->origins[i]);
	for (i = 0; i < s->devices_n; i++)
		heal_device(s, s->devices[i]);
	for (i = 0; i < s->sensors_n && IS_ENABLED(CONFIG_HF_SENSOR); i++)
		sim_net_worsen(sim_sensor_node(s->sensors[i]), SIM_NET_NORMAL, 0, SIM_UPLOADS);
	sim_net_changed(&s->net);
	sim_stage_boot(s);
}

void sim_stage_disk_stats(const struct sim_stage *s, struct sim_disk_stats *out)
{
	size_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < s->devices_n; i++) {
		const struct sim_disk_stats *d = sim_disk_stats(s->devices[i]->disk);

		out->ops += d->ops;
		out->writes += d->writes;
		out->syncs += d->syncs;
		out->bytes += d->bytes;
		out->refused += d->refused;
		out->failed += d->failed;
		for (size_t r = 0; r < 4; r++)
			out->by_role[r] += d->by_role[r];
		out->cuts += d->cuts;
	}
}

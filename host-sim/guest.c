/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

#include "agent/settings.h"
#include "base/buf.h"
#include "holdfast/agent.h"
#include "sim/mem.h"
#include "stage.h"

#define FAULTS_MAX 65536

struct guest {
	struct sim_device *dev;
	struct hf_agent *agent;
};

static void started(void *user, int err)
{
	struct guest *g = user;

	g->dev->boot_err = err;
	sim_trace(g->dev->world, g->dev->name, "agent started: %d", err);
	if (err) /* as the daemon, which ends then */
		sim_device_kill(g->dev, "ends");
}

static int load(struct sim_device *dev, struct hf_settings **out)
{
	struct hf_buf faults;
	int err;

	hf_buf_init(&faults, FAULTS_MAX);
	err = hf_settings_load(&dev->port.port, SIM_CONFIG_PATH, out, &faults);
	if (err)
		fprintf(stderr, "%.*s", HF_SPAN_ARG(hf_buf_span(&faults)));
	hf_buf_finish(&faults);
	return err;
}

static int boot(struct sim_device *dev, void **guest)
{
	struct hf_settings *settings = NULL;
	struct guest *g;
	int err;

	*guest = NULL;
	if (IS_ENABLED(CONFIG_HF_SENSOR))
		sim_port_watches(&dev->port.port);
	err = load(dev, &settings);
	if (err)
		return err;
	g = sim_alloc(sizeof(*g));
	g->dev = dev;
	err = hf_agent_create(&dev->port.port, settings, &g->agent);
	if (err) {
		sim_free(g);
		return err;
	}
	*guest = g;
	hf_agent_start(g->agent, started, g);
	return 0;
}

static void destroy(void *guest)
{
	struct guest *g = guest;

	hf_agent_destroy(g->agent);
	sim_free(g);
}

const struct sim_guest_ops sim_guest_holdfast = { .boot = boot, .destroy = destroy };

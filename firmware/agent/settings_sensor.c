/* SPDX-License-Identifier: Apache-2.0 */
/* The sensor side of [agent]: addresses, the file of devices, where their keys are. */
#include <stdlib.h>

#include "agent/settings_read.h"
#include "agent/settings_value.h"
#include "sensor/device.h"

static void add(struct hf_settings_reader *r, const struct hf_conf_section *section, unsigned key,
		struct hf_span item, const struct hf_addr *addr)
{
	struct hf_sensor_settings *s = &r->s->sensor;
	bool secure = key == HF_AGENT_COAPS_LISTEN;
	struct hf_addr *all = secure ? s->coaps : s->coap;
	size_t *n = secure ? &s->coaps_n : &s->coap_n;
	char quoted[HF_QUOTE_SIZE];

	if (!secure && !r->s->allow_remote && !hf_ip_is_loopback(addr)) {
		hf_settings_fault(
			r, section, key,
			"%s can be reached from the network by anybody; if that is meant, "
			"write allow-remote = yes, else use coaps-listen",
			hf_quote(item, quoted));
		return;
	}
	for (size_t i = 0; i < s->coap_n + s->coaps_n; i++) {
		const struct hf_addr *other = i < s->coap_n ? &s->coap[i] :
							      &s->coaps[i - s->coap_n];

		if (addr->port && other->port == addr->port && hf_ip_equal(other, addr)) {
			hf_settings_fault(r, section, key, "%s stands twice",
					  hf_quote(item, quoted));
			return;
		}
	}
	if (*n == HF_SENSOR_LISTEN_MAX)
		hf_settings_fault(r, section, key, "more than %d addresses", HF_SENSOR_LISTEN_MAX);
	else
		all[(*n)++] = *addr;
}

static void read_addresses(struct hf_settings_reader *r, const struct hf_conf_section *section,
			   unsigned key)
{
	struct hf_span rest = hf_span_str(section->v[key].text);
	char quoted[HF_QUOTE_SIZE];
	const char *problem;

	while (rest.ptr) {
		struct hf_span item = hf_span_trim(hf_span_cut(&rest, ','));
		struct hf_addr addrs[2];
		size_t n = hf_listen_parse(item, addrs, &problem);

		if (n == 0)
			hf_settings_fault(r, section, key, "%s: %s", hf_quote(item, quoted),
					  problem);
		for (size_t i = 0; i < n; i++)
			add(r, section, key, item, &addrs[i]);
	}
}

/* What holdfastd would say of it at its start. */
static void check_devices(struct hf_settings_reader *r, const struct hf_conf_section *section,
			  const char *path)
{
	struct hf_device *devices;
	struct hf_arena arena;
	char *text, faults[256];
	size_t len, n;
	int err = r->port->file_read(r->port, path, HF_DEVICE_FILE_MAX, &text, &len);

	if (err) {
		hf_settings_fault(r, section, HF_AGENT_COAP_DEVICES, "%s %s", path,
				  hf_settings_file_problem(err));
		return;
	}
	if (r->port->file_exposed && r->port->file_exposed(r->port, path))
		hf_settings_fault(r, section, HF_AGENT_COAP_DEVICES,
				  "others than the owner and group of %s may read or write it: "
				  "chmod o-rw",
				  path);
	hf_arena_init(&arena, SIZE_MAX / 2);
	err = hf_devices_parse(hf_span(text, len), &arena, &devices, &n, faults);
	if (err)
		hf_settings_fault(r, section, HF_AGENT_COAP_DEVICES, "%s:%s", path, faults);
	hf_arena_finish(&arena);
	memset(text, 0, len);
	free(text);
}

void hf_settings_read_sensor(struct hf_settings_reader *r, const struct hf_conf_section *section)
{
	struct hf_sensor_settings *s = &r->s->sensor;
	const char *devices = section->v[HF_AGENT_COAP_DEVICES].text;

	read_addresses(r, section, HF_AGENT_COAP_LISTEN);
	read_addresses(r, section, HF_AGENT_COAPS_LISTEN);
	s->coap_line = section->v[HF_AGENT_COAP_LISTEN].line;
	s->coaps_line = section->v[HF_AGENT_COAPS_LISTEN].line;
	hf_settings_coap_key(r, section, HF_AGENT_COAP_REQUEST_KEY, &s->key_query, &s->key_option);
	if (devices)
		s->devices_file = hf_settings_path(r, devices);
	if (s->devices_file)
		check_devices(r, section, s->devices_file);
	if (s->coaps_n > 0 && !section->v[HF_AGENT_COAP_DEVICES].line)
		hf_settings_fault(r, section, HF_AGENT_COAPS_LISTEN, "needs coap-devices");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* [agent] and [probe], and what all sections need. */
#include "agent/settings_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/settings_value.h"
#include "holdfast/err.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char default_listen[] = "127.0.0.1:8480";
static const char default_captive_ca_file[] = "/etc/ssl/certs/ca-certificates.crt";
/* What container engines and hypervisors make: carrier and address, and no way out.
 * The name of docker's own bridges has twelve digits. */
static const char default_ignore_links[] = "docker*, br-????????????, veth*, virbr*";
static const char default_control[] = "/run/holdfast/control.sock";
static const char default_state_dir[] = "/var/lib/holdfast";

/* ---- helpers ---- */

void hf_settings_fault(struct hf_settings_reader *r, const struct hf_conf_section *section,
		       unsigned key, const char *fmt, ...)
{
	char where[96], words[512];
	unsigned line = section->v[key].line ? section->v[key].line : section->line;
	va_list args;

	snprintf(where, sizeof(where), "[%s] %s", section->title,
		 hf_conf_key_name(section->kind, key));
	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	hf_fault_add(r->faults, line, where, "%s", words);
}

char *hf_settings_dup(struct hf_settings_reader *r, const char *text)
{
	char *copy = hf_span_dup(hf_span_str(text));

	if (!copy)
		r->faults->nomem = true;
	return copy;
}

char *hf_settings_path(struct hf_settings_reader *r, const char *text)
{
	size_t len = strlen(text);
	char *path;

	if (text[0] == '/' || r->dir.len == 0)
		return hf_settings_dup(r, text);
	path = malloc(r->dir.len + len + 1);
	if (!path) {
		r->faults->nomem = true;
		return NULL;
	}
	memcpy(path, r->dir.ptr, r->dir.len);
	memcpy(path + r->dir.len, text, len + 1);
	return path;
}

bool hf_settings_yes_no(struct hf_settings_reader *r, const struct hf_conf_section *section,
			unsigned key, bool otherwise)
{
	const char *text = section->v[key].text;
	char quoted[HF_QUOTE_SIZE];

	if (!text)
		return otherwise;
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		hf_settings_fault(r, section, key, "must be yes or no, not %s",
				  hf_quote(hf_span_str(text), quoted));
	return strcmp(text, "yes") == 0;
}

uint32_t hf_settings_number(struct hf_settings_reader *r, const struct hf_conf_section *section,
			    unsigned key, uint32_t min, uint32_t max, uint32_t fallback)
{
	const char *text = section->v[key].text;
	char quoted[HF_QUOTE_SIZE];
	uint64_t v;

	if (!text)
		return fallback;
	if (hf_span_u64(hf_span_str(text), &v) && v >= min && v <= max)
		return (uint32_t)v;
	hf_settings_fault(r, section, key, "must be a whole number from %u to %u, not %s", min, max,
			  hf_quote(hf_span_str(text), quoted));
	return fallback;
}

int hf_settings_find_origin(struct hf_settings_reader *r, const struct hf_conf_section *section,
			    unsigned key)
{
	const char *text = section->v[key].text, *names[HF_ORIGINS_MAX];
	char quoted[HF_QUOTE_SIZE], near[HF_QUOTE_SIZE];
	const struct hf_settings *s = r->s;

	if (!text) {
		if (!section->v[key].line)
			hf_settings_fault(r, section, key, "is missing");
		return -1;
	}
	for (unsigned i = 0; i < s->origins_n; i++) {
		if (strcmp(s->origins[i].name, text) == 0)
			return (int)i;
		names[i] = s->origins[i].name;
	}
	hf_settings_fault(r, section, key, "no origin is named %s%s",
			  hf_quote(hf_span_str(text), quoted),
			  hf_nearest(hf_span_str(text), names, s->origins_n, near));
	return -1;
}

const char *hf_settings_file_problem(int err)
{
	switch (err) {
	case HF_ENOENT:
		return "does not exist";
	case HF_EPERM:
		return "may not be read by this user";
	case HF_ESTATE:
		return "is a folder, not a file";
	case HF_ETOOBIG:
		return "is too large";
	default:
		return "cannot be read: input/output error";
	}
}

/* ---- [agent] ---- */

static void add_listen(struct hf_settings_reader *r, const struct hf_conf_section *section,
		       struct hf_span item, const struct hf_addr *addr)
{
	struct hf_settings *s = r->s;
	char quoted[HF_QUOTE_SIZE];

	if (!s->allow_remote && !hf_ip_is_loopback(addr)) {
		hf_settings_fault(r, section, HF_AGENT_LISTEN,
				  "%s can be reached from the network; if that is meant, write "
				  "allow-remote = yes",
				  hf_quote(item, quoted));
		return;
	}
	for (size_t i = 0; i < s->listen_n; i++) {
		if (addr->port == 0 || s->listen[i].port != addr->port ||
		    !hf_ip_equal(&s->listen[i], addr))
			continue;
		hf_settings_fault(r, section, HF_AGENT_LISTEN, "%s stands twice",
				  hf_quote(item, quoted));
		return;
	}
	if (s->listen_n == HF_LISTEN_MAX) {
		hf_settings_fault(r, section, HF_AGENT_LISTEN, "more than %d addresses",
				  HF_LISTEN_MAX);
		return;
	}
	s->listen[s->listen_n++] = *addr;
}

static void read_listen(struct hf_settings_reader *r, const struct hf_conf_section *section)
{
	const char *text = section && section->v[HF_AGENT_LISTEN].text ?
				   section->v[HF_AGENT_LISTEN].text :
				   default_listen;
	struct hf_span rest = hf_span_str(text);
	char quoted[HF_QUOTE_SIZE];
	const char *problem;

	r->s->listen = calloc(HF_LISTEN_MAX, sizeof(*r->s->listen));
	if (!r->s->listen) {
		r->faults->nomem = true;
		return;
	}
	while (rest.ptr) {
		struct hf_span item = hf_span_trim(hf_span_cut(&rest, ','));
		struct hf_addr addrs[2];
		size_t n = hf_listen_parse(item, addrs, &problem);

		if (n == 0)
			hf_settings_fault(r, section, HF_AGENT_LISTEN, "%s: %s",
					  hf_quote(item, quoted), problem);
		for (size_t i = 0; i < n; i++)
			add_listen(r, section, item, &addrs[i]);
	}
}

static bool is_listened_on(const struct hf_settings *s, const struct hf_addr *addr)
{
	for (size_t i = 0; i < s->listen_n; i++)
		if (addr->port && s->listen[i].port == addr->port &&
		    (hf_ip_equal(&s->listen[i], addr) || hf_ip_is_any(&s->listen[i])))
			return true;
	return false;
}

/* Behind listen. Who reads the figures is asked no further: this device only. */
static void read_metrics_listen(struct hf_settings_reader *r, const struct hf_conf_section *section)
{
	const char *text = section ? section->v[HF_AGENT_METRICS_LISTEN].text : NULL;
	char quoted[HF_QUOTE_SIZE];
	const char *problem = NULL;
	struct hf_settings *s = r->s;
	size_t n;

	if (!text)
		return;
	n = hf_listen_parse(hf_span_str(text), s->metrics, &problem);
	for (size_t i = 0; i < n && !problem; i++) {
		if (!hf_ip_is_loopback(&s->metrics[i]))
			problem = "is not on this device; metrics are served on loopback only, as "
				  "127.0.0.1:9480";
		else if (is_listened_on(s, &s->metrics[i]))
			problem = "stands in listen, too";
	}
	if (problem)
		hf_settings_fault(r, section, HF_AGENT_METRICS_LISTEN, "%s: %s",
				  hf_quote(hf_span_str(text), quoted), problem);
	else
		s->metrics_n = n;
}

static void read_control(struct hf_settings_reader *r, const struct hf_conf_section *section)
{
	const char *text = section ? section->v[HF_AGENT_CONTROL].text : NULL;

	r->s->control = hf_settings_path(r, text ? text : default_control);
	if (r->s->control && strlen(r->s->control) > HF_UNIX_PATH_MAX)
		hf_settings_fault(r, section, HF_AGENT_CONTROL,
				  "the path of a socket is at most %d bytes long, not %zu",
				  HF_UNIX_PATH_MAX, strlen(r->s->control));
}

static void read_state_dir(struct hf_settings_reader *r, const struct hf_conf_section *section)
{
	const char *text = section ? section->v[HF_AGENT_STATE_DIR].text : NULL;
	size_t len;

	r->s->state_dir = hf_settings_path(r, text ? text : default_state_dir);
	len = r->s->state_dir ? strlen(r->s->state_dir) : 0;
	while (len > 1 && r->s->state_dir[len - 1] == '/')
		r->s->state_dir[--len] = '\0';
}

static void read_log_level(struct hf_settings_reader *r, const struct hf_conf_section *section)
{
	static const char *const words[] = { "error", "warning", "info", "debug" };
	const char *text = section->v[HF_AGENT_LOG_LEVEL].text;
	char quoted[HF_QUOTE_SIZE], near[HF_QUOTE_SIZE];

	if (!text || hf_log_level_parse(hf_span_str(text), &r->s->log_level) == 0)
		return;
	hf_settings_fault(r, section, HF_AGENT_LOG_LEVEL,
			  "%s is not one of error, warning, info, debug%s",
			  hf_quote(hf_span_str(text), quoted),
			  hf_nearest(hf_span_str(text), words, COUNT(words), near));
}

static void read_metered(struct hf_settings_reader *r, const struct hf_conf_section *section)
{
	static const char *const words[] = { "auto", "yes", "no" };
	const char *text = section->v[HF_AGENT_METERED].text;
	char quoted[HF_QUOTE_SIZE];

	for (size_t i = 0; text && i < COUNT(words); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		r->s->metered = (enum hf_metered)i;
		return;
	}
	if (text)
		hf_settings_fault(r, section, HF_AGENT_METERED, "must be auto, yes or no, not %s",
				  hf_quote(hf_span_str(text), quoted));
}

static void read_ignore_links(struct hf_settings_reader *r, const struct hf_conf_section *section)
{
	const char *text = section ? section->v[HF_AGENT_IGNORE_LINKS].text : NULL;

	r->s->ignore_links = hf_settings_dup(r, text ? text : default_ignore_links);
}

static bool is_https(const char *text)
{
	struct hf_url url;

	return hf_url_parse(hf_span_str(text), &url) == 0 && hf_span_eq_str(url.scheme, "https");
}

static void read_captive(struct hf_settings_reader *r, const struct hf_conf_section *section)
{
	const char *text = section ? section->v[HF_AGENT_CAPTIVE_API].text : NULL;
	const char *ca = section ? section->v[HF_AGENT_CAPTIVE_CA_FILE].text : NULL;
	char quoted[HF_QUOTE_SIZE];

	r->s->captive_api = hf_settings_dup(r, text ? text : "auto");
	r->s->captive_ca_file = hf_settings_path(r, ca ? ca : default_captive_ca_file);
	if (text && strcmp(text, "auto") != 0 && strcmp(text, "off") != 0 && !is_https(text))
		hf_settings_fault(r, section, HF_AGENT_CAPTIVE_API,
				  "must be auto, off or an https:// URL, not %s",
				  hf_quote(hf_span_str(text), quoted));
}

void hf_settings_read_agent(struct hf_settings_reader *r, const struct hf_conf_section *section)
{
	r->s->log_level = (enum hf_log_level)CONFIG_HF_LOG_LEVEL_DEFAULT;
	if (section) {
		read_log_level(r, section);
		/* before listen */
		r->s->allow_remote = hf_settings_yes_no(r, section, HF_AGENT_ALLOW_REMOTE, false);
		read_metered(r, section);
		r->s->listen_line = section->v[HF_AGENT_LISTEN].line;
		r->s->metrics_line = section->v[HF_AGENT_METRICS_LISTEN].line;
		r->s->control_line = section->v[HF_AGENT_CONTROL].line;
		r->s->state_dir_line = section->v[HF_AGENT_STATE_DIR].line;
	}
	read_listen(r, section);
	read_metrics_listen(r, section);
	read_control(r, section);
	read_state_dir(r, section);
	read_ignore_links(r, section);
	read_captive(r, section);
	if (IS_ENABLED(CONFIG_HF_SENSOR) && section)
		hf_settings_read_sensor(r, section);
}

/* ---- [probe] ---- */

void hf_settings_read_probe(struct hf_settings_reader *r, const struct hf_conf_section *section)
{
	struct hf_settings *s = r->s;
	const char *text = section ? section->v[HF_PROBE_URL].text : NULL;
	char quoted[HF_QUOTE_SIZE];

	s->probe_status = 204;
	if (!section)
		return;
	s->probe_status = (int)hf_settings_number(r, section, HF_PROBE_STATUS, 200, 599, 204);
	if (!text) {
		hf_settings_fault(r, section, HF_PROBE_URL, "is missing");
		return;
	}
	s->probe_url_text = hf_settings_dup(r, text);
	if (!s->probe_url_text)
		return;
	if (hf_url_parse(hf_span_str(s->probe_url_text), &s->probe_url) != 0)
		hf_settings_fault(r, section, HF_PROBE_URL, "%s is not a URL",
				  hf_quote(hf_span_str(text), quoted));
	else if (!hf_span_eq_str(s->probe_url.scheme, "http"))
		hf_settings_fault(r, section, HF_PROBE_URL,
				  "must begin with http://: a captive portal can only be seen "
				  "where it may answer in the place of the server");
}

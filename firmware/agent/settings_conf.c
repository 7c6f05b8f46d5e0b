/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inih reads one line at a time here, because of a whole file it says only where
 * the first bad line is. What it would accept in silence is looked for before:
 * text behind a section's bracket, section names that it would cut, NUL bytes,
 * lines that it would split.
 */
#include "agent/settings_conf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include <ini.h>

#include "holdfast/err.h"
#include "worker/fault.h"

#define LINE_BYTES_MAX	  2000
#define SECTION_BYTES_MAX 49 /* inih cuts longer ones */
#define SECTIONS_MAX	  512
#define COUNT(array)	  (sizeof(array) / sizeof((array)[0]))

_Static_assert(INI_HANDLER_LINENO &&INI_CALL_HANDLER_ON_NEW_SECTION, "inih is built with both");

static const char *const agent_keys[] = {
	"listen",      "control",      "state-dir",    "log-level",	   "allow-remote",
	"metered",     "ignore-links", "captive-api",  "captive-ca-file",  "metrics-listen",
#ifdef CONFIG_HF_SENSOR
	"coap-listen", "coaps-listen", "coap-devices", "coap-request-key",
#endif
};
static const char *const origin_keys[] = {
	"url",
	"host",
	"ca-file",
	"ca-dir",
	"pin",
	"client-cert",
	"client-key",
	"probe",
	"connect-timeout-ms",
	"first-byte-timeout-ms",
	"replay-interval-ms",
	"replay-burst",
	"http-cache",
#ifdef CONFIG_HF_COAP
	"psk-identity",
	"psk-file",
	"coap-key",
#endif
};
static const char *const worker_keys[] = { "origin", "scope", "manifest" };
static const char *const probe_keys[] = { "url", "status" };

static const char *const credential_keys[] = {
	"origin",	  "header",
	"file",		  "identity-file",
	"token-endpoint", "token-ca-file",
	"client-id",	  "client-secret-file",
	"client-auth",	  "refresh-token-file",
	"scope",
};

static const struct {
	const char *word;
	const char *const *keys;
	size_t keys_n;
	bool named;
} kinds[] = {
	[HF_CONF_AGENT] = { "agent", agent_keys, COUNT(agent_keys), false },
	[HF_CONF_ORIGIN] = { "origin", origin_keys, COUNT(origin_keys), true },
	[HF_CONF_WORKER] = { "worker", worker_keys, COUNT(worker_keys), true },
	[HF_CONF_CREDENTIAL] = { "credential", credential_keys, COUNT(credential_keys), true },
	[HF_CONF_PROBE] = { "probe", probe_keys, COUNT(probe_keys), false },
};

_Static_assert(COUNT(agent_keys) == HF_AGENT_KEYS_N && COUNT(agent_keys) <= HF_CONF_KEYS_MAX,
	       "agent_keys[] follows enum hf_conf_agent");
_Static_assert(COUNT(origin_keys) == HF_ORIGIN_KEYS_N && COUNT(origin_keys) <= HF_CONF_KEYS_MAX,
	       "origin_keys[] follows enum hf_conf_origin");
_Static_assert(COUNT(credential_keys) == HF_CREDENTIAL_SCOPE + 1 &&
		       COUNT(credential_keys) <= HF_CONF_KEYS_MAX,
	       "credential_keys[] follows enum hf_conf_credential");

struct reader {
	struct hf_conf *conf;
	struct hf_faults *faults;
	unsigned line;
	struct hf_conf_section *section; /* NULL: none yet, or */
	bool skipping;			 /* a section that was not understood */
};

const char *hf_conf_key_name(enum hf_conf_kind kind, unsigned key)
{
	assert(key < kinds[kind].keys_n);
	return kinds[kind].keys[key];
}

static char *copy(struct reader *r, struct hf_span text)
{
	char *s = hf_span_dup(text);

	if (!s)
		r->faults->nomem = true;
	return s;
}

/* ---- sections ---- */

static bool is_name(const char *s)
{
	for (; *s; s++) {
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') &&
		    !(*s >= '0' && *s <= '9') && !strchr("-_.", *s))
			return false;
	}
	return true;
}

static int find_kind(struct reader *r, struct hf_span word)
{
	char quoted[HF_QUOTE_SIZE], near[HF_QUOTE_SIZE];
	const char *words[COUNT(kinds)];

	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (hf_span_eq_str(word, kinds[i].word))
			return (int)i;
		words[i] = kinds[i].word;
	}
	hf_nearest(word, words, COUNT(words), near);
	hf_fault_add(
		r->faults, r->line, "", "unknown section %s%s", hf_quote(word, quoted),
		near[0] ?
			near :
			"; there are [agent], [origin NAME], [worker NAME], [probe], [credential NAME]");
	return -1;
}

static bool check_name(struct reader *r, enum hf_conf_kind kind, const char *name)
{
	const char *word = kinds[kind].word;
	char quoted[HF_QUOTE_SIZE];

	if (!kinds[kind].named && name[0])
		hf_fault_add(r->faults, r->line, "", "[%s] has no name; write [%s]", word, word);
	else if (kinds[kind].named && !name[0])
		hf_fault_add(r->faults, r->line, "", "a name is missing: [%s NAME]", word);
	else if (!is_name(name))
		hf_fault_add(r->faults, r->line, "",
			     "%s is not a name: letters, digits, \"-\", \"_\" and \".\"",
			     hf_quote(hf_span_str(name), quoted));
	else
		return true;
	return false;
}

static struct hf_conf_section *add_section(struct reader *r)
{
	struct hf_conf *conf = r->conf;
	struct hf_conf_section *s;

	if (conf->n == SECTIONS_MAX) {
		hf_fault_add(r->faults, r->line, "", "more than %d sections", SECTIONS_MAX);
		return NULL;
	}
	if (conf->n == conf->cap) {
		size_t cap = conf->cap ? conf->cap * 2 : 8;

		s = realloc(conf->sections, cap * sizeof(*s));
		if (!s) {
			r->faults->nomem = true;
			return NULL;
		}
		conf->sections = s;
		conf->cap = cap;
	}
	s = &conf->sections[conf->n++];
	memset(s, 0, sizeof(*s));
	return s;
}

static bool is_repeated(struct reader *r, enum hf_conf_kind kind, const char *name)
{
	for (size_t i = 0; i < r->conf->n; i++) {
		const struct hf_conf_section *s = &r->conf->sections[i];

		if (s->kind != kind || strcmp(s->name, name) != 0)
			continue;
		hf_fault_add(r->faults, r->line, "", "[%s] stands twice; first in line %u",
			     s->title, s->line);
		return true;
	}
	return false;
}

static void begin_section(struct reader *r, const char *text)
{
	struct hf_span rest = hf_span_trim(hf_span_str(text)), word = rest;
	char name[SECTION_BYTES_MAX + 1], title[SECTION_BYTES_MAX * 2];
	int kind;

	r->section = NULL;
	r->skipping = true;
	word.len = strcspn(text + (rest.ptr - text), " \t]");
	if (word.len > rest.len)
		word.len = rest.len;
	rest = hf_span_trim(hf_span_skip(rest, word.len));
	snprintf(name, sizeof(name), "%.*s", HF_SPAN_ARG(rest));
	kind = find_kind(r, word);
	if (kind < 0 || !check_name(r, (enum hf_conf_kind)kind, name) ||
	    is_repeated(r, (enum hf_conf_kind)kind, name))
		return;
	snprintf(title, sizeof(title), "%s%s%s", kinds[kind].word, name[0] ? " " : "", name);
	r->section = add_section(r);
	if (!r->section)
		return;
	r->section->kind = (enum hf_conf_kind)kind;
	r->section->line = r->line;
	r->section->title = copy(r, hf_span_str(title));
	if (!r->section->title) {
		r->section = NULL;
		r->conf->n--;
		return;
	}
	r->section->name = r->section->title + strlen(title) - strlen(name);
	r->skipping = false;
}

/* ---- keys ---- */

static void unknown_key(struct reader *r, const char *key)
{
	char quoted[HF_QUOTE_SIZE], near[HF_QUOTE_SIZE], where[64];
	enum hf_conf_kind kind = r->section->kind;

	snprintf(where, sizeof(where), "[%s]", r->section->title);
	hf_nearest(hf_span_str(key), kinds[kind].keys, kinds[kind].keys_n, near);
	for (size_t i = 0; i < COUNT(kinds) && !near[0]; i++) {
		for (size_t j = 0; j < kinds[i].keys_n && i != kind; j++) {
			if (strcmp(kinds[i].keys[j], key) == 0)
				snprintf(near, sizeof(near), "; it belongs to [%s%s]",
					 kinds[i].word, kinds[i].named ? " NAME" : "");
		}
	}
	hf_fault_add(r->faults, r->line, where, "unknown key %s%s",
		     hf_quote(hf_span_str(key), quoted), near);
}

/* What inih leaves in a value that was not meant to be there. */
static bool check_value(struct reader *r, const char *where, const char *value)
{
	size_t n = strlen(value);

	if (n == 0)
		hf_fault_add(r->faults, r->line, where, "has no value");
	else if (strstr(value, " #") || strstr(value, "\t#"))
		hf_fault_add(r->faults, r->line, where,
			     "a comment behind a value begins with \";\", not \"#\"");
	else if (n > 1 && (value[0] == '"' || value[0] == '\'') && value[n - 1] == value[0])
		hf_fault_add(r->faults, r->line, where, "values are written without quotes");
	else
		return true;
	return false;
}

static struct hf_conf_value *place_for(struct reader *r, unsigned key, const char *where)
{
	struct hf_conf_section *s = r->section;
	struct hf_conf_value *v = &s->v[key];

	if (s->kind == HF_CONF_ORIGIN && key == HF_ORIGIN_PIN) {
		if (s->pins_n < HF_CONF_PINS_MAX)
			return &s->pins[s->pins_n++];
		hf_fault_add(r->faults, r->line, where, "more than %d pins", HF_CONF_PINS_MAX);
		return NULL;
	}
	if (!v->line)
		return v;
	hf_fault_add(r->faults, r->line, where, "stands twice; first in line %u", v->line);
	return NULL;
}

static void add_key(struct reader *r, const char *name, const char *value)
{
	const char *const *known;
	struct hf_conf_value *v;
	char where[96];
	size_t key = 0;

	if (!r->section) {
		char quoted[HF_QUOTE_SIZE];

		if (!r->skipping)
			hf_fault_add(r->faults, r->line, "", "key %s before the first [section]",
				     hf_quote(hf_span_str(name), quoted));
		return;
	}
	known = kinds[r->section->kind].keys;
	while (key < kinds[r->section->kind].keys_n && strcmp(known[key], name) != 0)
		key++;
	if (key == kinds[r->section->kind].keys_n) {
		unknown_key(r, name);
		return;
	}
	snprintf(where, sizeof(where), "[%s] %s", r->section->title, name);
	v = place_for(r, (unsigned)key, where);
	if (!v)
		return;
	v->line = r->line; /* also of a faulty value: the key is not missing */
	if (check_value(r, where, value))
		v->text = copy(r, hf_span_str(value));
}

static int on_ini(void *user, const char *section, const char *name, const char *value, int lineno)
{
	struct reader *r = user;

	(void)lineno;
	if (name)
		add_key(r, name, value);
	else
		begin_section(r, section);
	return 1;
}

/* ---- lines ---- */

/* What is wrong with a section line that inih would take; NULL: nothing. */
static const char *section_problem(struct hf_span line)
{
	const char *end = memchr(line.ptr, ']', line.len);
	struct hf_span rest;

	if (!end)
		return "\"]\" is missing";
	if (end - line.ptr - 1 > SECTION_BYTES_MAX)
		return "the section's name is too long";
	rest = hf_span_trim(hf_span_skip(line, (size_t)(end - line.ptr) + 1));
	if (rest.len > 0 && rest.ptr[0] != ';' && rest.ptr[0] != '#')
		return "text behind \"]\"";
	return NULL;
}

static const char *line_problem(struct hf_span line)
{
	if (line.len > LINE_BYTES_MAX)
		return "the line is too long";
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "a control byte";
	}
	return line.len > 0 && line.ptr[0] == '[' ? section_problem(line) : NULL;
}

static void read_line(struct reader *r, struct hf_span line)
{
	char text[LINE_BYTES_MAX + 1];
	const char *problem;

	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	line = hf_span_trim(line);
	problem = line_problem(line);
	if (!problem) {
		memcpy(text, line.ptr, line.len);
		text[line.len] = '\0';
		if (ini_parse_string(text, on_ini, r) == 0)
			return;
		problem = "neither [section] nor key = value nor a comment";
	}
	hf_fault_add(r->faults, r->line, "", "%s", problem);
	if (line.len > 0 && line.ptr[0] == '[') {
		r->section = NULL;
		r->skipping = true;
	}
}

void hf_conf_init(struct hf_conf *conf, struct hf_span text, struct hf_faults *faults)
{
	struct reader r = { .conf = conf, .faults = faults };

	*conf = (struct hf_conf){ 0 };
	if (hf_span_starts(text, HF_SPAN("\xef\xbb\xbf")))
		text = hf_span_skip(text, 3);
	while (text.len > 0 && !faults->nomem) {
		r.line++;
		read_line(&r, hf_span_cut(&text, '\n'));
	}
}

void hf_conf_finish(struct hf_conf *conf)
{
	for (size_t i = 0; i < conf->n; i++) {
		struct hf_conf_section *s = &conf->sections[i];

		for (size_t j = 0; j < HF_CONF_KEYS_MAX; j++)
			free(s->v[j].text);
		for (size_t j = 0; j < s->pins_n; j++)
			free(s->pins[j].text);
		free(s->title);
	}
	free(conf->sections);
	*conf = (struct hf_conf){ 0 };
}

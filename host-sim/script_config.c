/* SPDX-License-Identifier: Apache-2.0 */
#include "script_config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mem.h"

#define LISTEN "127.0.0.1:8480"

/* ---- keys ---- */

static struct hf_span trimmed(struct hf_span text)
{
	while (text.len && isspace((unsigned char)text.ptr[0]))
		text = hf_span_skip(text, 1);
	while (text.len && isspace((unsigned char)text.ptr[text.len - 1]))
		text.len--;
	return text;
}

static void keep(char *out, size_t size, struct hf_span text)
{
	text = trimmed(text);
	snprintf(out, size, "%.*s", HF_SPAN_ARG(text));
}

bool sim_conf_next(struct sim_conf *c)
{
	while (*c->next) {
		size_t len = strcspn(c->next, "\n");
		struct hf_span line = trimmed(hf_span(c->next, len)), key;

		c->line = hf_span(c->next, len);
		c->number++;
		c->next += len + (c->next[len] == '\n');
		c->key[0] = c->value[0] = '\0';
		if (line.len > 1 && line.ptr[0] == '[') {
			keep(c->section, sizeof(c->section), hf_span(line.ptr + 1, line.len - 2));
			return true;
		}
		if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';' ||
		    !memchr(line.ptr, '=', line.len))
			continue;
		key = hf_span_cut(&line, '=');
		keep(c->key, sizeof(c->key), key);
		keep(c->value, sizeof(c->value), line);
		return true;
	}
	return false;
}

/* The origin whose section it is, NULL: of none. */
static const char *origin_of(const struct sim_conf *c)
{
	return strncmp(c->section, "origin ", 7) == 0 ? c->section + 7 : NULL;
}

/* ---- what the world has to know ---- */

static bool is_known(const struct sim_cast *cast, const char *name)
{
	size_t i;

	for (i = 0; i < cast->origins_n; i++)
		if (strcmp(cast->origins[i].name, name) == 0)
			return true;
	return false;
}

static bool is_plain_url(const char *url)
{
	const char *host = strstr(url, "://");

	return host &&
	       (strncmp(url, "http:", 5) == 0 || strncmp(url, "https:", 6) == 0 ||
		(IS_ENABLED(CONFIG_HF_SENSOR) && strncmp(url, "coap:", 5) == 0)) &&
	       host[3] && !strpbrk(host + 3, ":/?#");
}

static bool add_origin(struct sim_script *s, const char *name, const char *url)
{
	struct sim_cast *cast = &s->plan->cast;

	if (is_known(cast, name))
		return true;
	if (!is_plain_url(url))
		return sim_words_fail(s,
				      "the url of origin %s has to be like http://%s.example: "
				      "no port and no path",
				      name, name);
	if (cast->origins_n == SIM_ORIGINS_MAX)
		return sim_words_fail(s, "there are %d origins at most", SIM_ORIGINS_MAX);
	cast->origins[cast->origins_n++] =
		(struct sim_cast_origin){ sim_plan_text(s->plan, name, strlen(name)),
					  sim_plan_text(s->plan, url, strlen(url)) };
	return true;
}

/* Panels call 127.0.0.1:8480 with NAME.localhost as the host. */
static bool look_at(struct sim_script *s, const struct sim_conf *c)
{
	const char *name = origin_of(c);
	char host[96];

	if (strcmp(c->section, "agent") == 0 && strcmp(c->key, "listen") == 0 &&
	    strcmp(c->value, LISTEN) != 0)
		return sim_words_fail(s, "listen has to be %s, where the panels call", LISTEN);
	if (!name)
		return true;
	if (strcmp(c->key, "url") == 0)
		return add_origin(s, name, c->value);
	snprintf(host, sizeof(host), "%s.localhost", name);
	if (strcmp(c->key, "host") == 0 && strcmp(c->value, host) != 0)
		return sim_words_fail(
			s, "the host of origin %s has to be %s, as the panels call it", name, host);
	return true;
}

static bool has_host(const char *config, const char *section)
{
	struct sim_conf c = { .next = config };

	while (sim_conf_next(&c))
		if (strcmp(c.section, section) == 0 && strcmp(c.key, "host") == 0)
			return true;
	return false;
}

/* A host line for each origin that has none. */
static char *with_hosts(const char *config)
{
	struct sim_conf c = { .next = config };
	const char *from = config;
	char *text = NULL;
	size_t size = 0;
	FILE *out = sim_must(open_memstream(&text, &size));

	while (sim_conf_next(&c)) {
		fwrite(from, 1, (size_t)(c.next - from), out);
		from = c.next;
		if (!c.key[0] && origin_of(&c) && !has_host(config, c.section))
			fprintf(out, "host = %s.localhost\n", origin_of(&c));
	}
	fputs(from, out);
	fclose(out);
	return text;
}

/* Looks at the line that @c has come to; its faults are told where it stands: @first
 * is the number of the configuration's first line in the file @name. */
static bool look_there(struct sim_script *s, const struct sim_conf *c, const char *name,
		       unsigned first)
{
	struct sim_script there = *s;
	const char *value = memchr(c->line.ptr, '=', c->line.len);
	bool fine;

	there.name = name;
	there.number = first + c->number - 1;
	there.line = c->line;
	there.words[there.at].column = 1;
	if (value) {
		value += 1 + strspn(value + 1, " \t");
		there.words[there.at].column += (unsigned)(value - c->line.ptr);
	}
	fine = look_at(&there, c);
	s->failed = there.failed;
	s->faults = there.faults;
	return fine;
}

bool sim_script_config(struct sim_script *s, const char *name, unsigned first)
{
	struct sim_conf c = { .next = s->plan->config };
	char *whole;

	while (sim_conf_next(&c))
		if (!look_there(s, &c, name, first))
			return false;
	whole = with_hosts(s->plan->config);
	free(s->plan->config);
	s->plan->config = whole;
	return true;
}

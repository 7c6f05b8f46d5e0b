/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/device.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/strmap.h"
#include "holdfast/err.h"

#define LOOK_MS	   1000
#define NOBODY	   "-"
#define HEX	   "hex:"
#define ARENA_MAX  (16 * 1024 * 1024)
#define NEVER_READ UINT64_MAX

/* ---- a line ---- */

static struct hf_span next_word(struct hf_span *line)
{
	struct hf_span word = { NULL, 0 };

	*line = hf_span_trim(*line);
	word.ptr = line->ptr;
	while (word.len < line->len && line->ptr[word.len] != ' ' && line->ptr[word.len] != '\t')
		word.len++;
	*line = hf_span_skip(*line, word.len);
	return word;
}

/* It stands in names of lanes and in Forwarded. */
static bool is_name(struct hf_span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("-._", s.ptr[i]) && !(s.ptr[i] >= '0' && s.ptr[i] <= '9') &&
		    !(s.ptr[i] >= 'a' && s.ptr[i] <= 'z') && !(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z'))
			return false;
	return s.len > 0 && s.len <= HF_DEVICE_NAME_MAX;
}

static bool read_key(struct hf_span word, struct hf_device *d)
{
	if (!hf_span_starts(word, HF_SPAN(HEX))) {
		d->key_len = word.len;
		if (word.len == 0 || word.len > HF_DEVICE_KEY_MAX)
			return false;
		memcpy(d->key, word.ptr, word.len);
		return true;
	}
	word = hf_span_skip(word, strlen(HEX));
	d->key_len = word.len / 2;
	if (word.len == 0 || word.len % 2 || d->key_len > HF_DEVICE_KEY_MAX)
		return false;
	for (size_t i = 0; i < d->key_len; i++) {
		int high = hf_hex_digit(word.ptr[2 * i]), low = hf_hex_digit(word.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		d->key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool is_rule(struct hf_span word)
{
	struct hf_span path = word, method = hf_span_cut(&path, ':');

	if (word.ptr[0] == '/')
		return true;
	return path.ptr && path.len > 0 && path.ptr[0] == '/' &&
	       (hf_span_eq_str(method, "POST") || hf_span_eq_str(method, "PUT") ||
		hf_span_eq_str(method, "PATCH") || hf_span_eq_str(method, "DELETE"));
}

/* NULL: it is in order. */
static const char *read_device(struct hf_span line, struct hf_device *d)
{
	struct hf_span word;

	d->name = next_word(&line);
	if (!is_name(d->name))
		return "the identity has other bytes than A-Z a-z 0-9 - . _, or more than 64";
	word = next_word(&line);
	if (hf_span_eq_str(d->name, NOBODY) && !hf_span_eq_str(word, NOBODY))
		return "the line of - is about senders without a key: it has a - in the key's place";
	if (!hf_span_eq_str(d->name, NOBODY) && !read_key(word, d))
		return "the key is missing, longer than 64 bytes, or no pairs of digits behind hex:";
	for (word = next_word(&line); word.len > 0; word = next_word(&line)) {
		if (!is_rule(word))
			return "a rule is a path, or POST:, PUT:, PATCH: or DELETE: and a path";
		if (d->rules_n == HF_DEVICE_RULES_MAX)
			return "more than 32 rules";
		d->rules[d->rules_n++] = word;
	}
	return NULL;
}

static size_t count_lines(struct hf_span text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == '\n';
	return n;
}

static bool stands_twice(const struct hf_device *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (hf_span_eq(v[i].name, v[n].name))
			return true;
	return false;
}

int hf_devices_parse(struct hf_span text, struct hf_arena *arena, struct hf_device **out, size_t *n,
		     char faults[256])
{
	struct hf_span rest = hf_arena_copy(arena, text);
	size_t lines = count_lines(text);
	struct hf_device *v = hf_arena_alloc(arena, lines * sizeof(*v));
	const char *fault;

	faults[0] = '\0';
	*n = 0;
	*out = v;
	if (!v || !rest.ptr)
		return HF_ENOMEM;
	for (unsigned line = 1; rest.ptr; line++) {
		struct hf_span one = hf_span_cut(&rest, '\n');

		if (one.len > 0 && one.ptr[one.len - 1] == '\r')
			one.len--;
		one = hf_span_trim(one);
		if (one.len == 0 || one.ptr[0] == '#')
			continue;
		v[*n] = (struct hf_device){ .key_len = 0 };
		fault = read_device(one, &v[*n]);
		if (!fault && stands_twice(v, *n))
			fault = "this identity stands twice";
		if (fault) {
			snprintf(faults, 256, "%u: %s", line, fault);
			return HF_ECONFIG;
		}
		++*n;
	}
	return 0;
}

/* ---- the file ---- */

void hf_devices_init(struct hf_devices *d, struct hf_port *port, struct hf_log *log,
		     const char *path)
{
	*d = (struct hf_devices){ .port = port, .log = log, .path = path };
	d->looked_ms = NEVER_READ;
	hf_arena_init(&d->arena, ARENA_MAX);
}

static void wipe(struct hf_devices *d)
{
	for (size_t i = 0; i < d->n; i++)
		memset(d->v[i].key, 0, sizeof(d->v[i].key));
	d->n = 0;
	d->v = NULL;
	hf_arena_finish(&d->arena);
}

void hf_devices_finish(struct hf_devices *d)
{
	wipe(d);
}

static void tell(struct hf_devices *d, int err, const char *words)
{
	char quoted[300];

	if (d->fault == err)
		return;
	d->fault = err;
	if (err)
		hf_log(d->log, HF_LOG_ERROR, "devices.fault", "file=%s fault=%s", d->path,
		       hf_log_quote(hf_span_str(words), quoted, sizeof(quoted)));
}

static bool take(struct hf_devices *d, struct hf_span text)
{
	static const uint64_t seed[2] = { 0, 0 };
	uint64_t version = hf_siphash13(seed, text);
	struct hf_devices fresh = *d;
	char faults[256];
	int err;

	if (version == d->version && d->v)
		return false;
	hf_arena_init(&fresh.arena, ARENA_MAX);
	err = hf_devices_parse(text, &fresh.arena, &fresh.v, &fresh.n, faults);
	if (err) {
		hf_arena_finish(&fresh.arena);
		tell(d, err, err == HF_ENOMEM ? "no memory" : faults);
		return false;
	}
	wipe(d);
	*d = fresh;
	d->version = version;
	tell(d, 0, "");
	hf_log(d->log, HF_LOG_INFO, "devices.read", "n=%zu", d->n);
	return true;
}

bool hf_devices_look(struct hf_devices *d)
{
	uint64_t now = d->port->boottime_ms(d->port);
	bool changed;
	char *text;
	size_t len;
	int err;

	if (!d->path || (d->looked_ms != NEVER_READ && now - d->looked_ms < LOOK_MS))
		return false;
	d->looked_ms = now;
	err = d->port->file_read(d->port, d->path, HF_DEVICE_FILE_MAX, &text, &len);
	if (!err && d->port->file_exposed && d->port->file_exposed(d->port, d->path)) {
		memset(text, 0, len);
		free(text);
		tell(d, HF_EPERM, "others than its owner and group may read or write it");
		return false;
	}
	if (err) {
		tell(d, err, hf_strerror(err));
		return false;
	}
	changed = take(d, hf_span(text, len));
	memset(text, 0, len);
	free(text);
	return changed;
}

/* ---- asking ---- */

const struct hf_device *hf_devices_find(const struct hf_devices *d, struct hf_span name)
{
	for (size_t i = 0; i < d->n; i++)
		if (hf_span_eq(d->v[i].name, name))
			return &d->v[i];
	return NULL;
}

/* A star stands for any run of bytes. */
static bool fits(struct hf_span pattern, struct hf_span path)
{
	size_t p = 0, s = 0, star = SIZE_MAX, from = 0;

	while (s < path.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			from = s;
		} else if (p < pattern.len && pattern.ptr[p] == path.ptr[s]) {
			p++;
			s++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			s = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

bool hf_devices_may(const struct hf_devices *d, struct hf_span name, struct hf_span method,
		    struct hf_span path)
{
	const struct hf_device *device = hf_devices_find(d, name.len > 0 ? name : HF_SPAN(NOBODY));

	if (!device)
		return name.len == 0;
	for (size_t i = 0; i < device->rules_n; i++) {
		struct hf_span pattern = device->rules[i], prefix = { NULL, 0 };

		if (pattern.ptr[0] != '/')
			prefix = hf_span_cut(&pattern, ':');
		if ((!prefix.ptr || hf_span_eq(prefix, method)) && fits(pattern, path))
			return true;
	}
	return device->rules_n == 0;
}

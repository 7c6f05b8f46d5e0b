/* SPDX-License-Identifier: Apache-2.0 */
#include "report/page.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "report/assets.h"
#include "sim/mem.h"

static const struct report_asset *find_asset(const char *path)
{
	size_t i;

	for (i = 0; i < report_assets_n; i++)
		if (strcmp(report_assets[i].path, path) == 0)
			return &report_assets[i];
	assert(!"a file of the page is missing");
	return NULL;
}

static void put_asset(FILE *out, const struct report_asset *a)
{
	fwrite(a->bytes, 1, a->len, out);
}

static void put_scripts(FILE *out, const char *const *names)
{
	for (; *names; names++)
		put_asset(out, find_asset(*names));
}

/* For HTML, also within quotes. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("<>&\"'", *text))
			fprintf(out, "&#%d;", *text);
		else
			fputc(*text, out);
	}
}

/* For a script element: "<" is in strings only, and written as they may. */
static void put_json(FILE *out, const cJSON *data)
{
	char *text = sim_must(cJSON_PrintUnformatted(data));
	const char *p;

	for (p = text; *p; p++) {
		if (*p == '<')
			fputs("\\u003c", out);
		else
			fputc(*p, out);
	}
	cJSON_free(text);
}

static void put_slot(FILE *out, const char *name, size_t len, const struct sim_page *page,
		     const cJSON *data)
{
	if (strncmp(name, "title", len) == 0)
		put_text(out, cJSON_GetObjectItem(data, "title")->valuestring);
	else if (strncmp(name, "style", len) == 0)
		put_asset(out, find_asset("page/page.css"));
	else if (strncmp(name, "data", len) == 0)
		put_json(out, data);
	else if (strncmp(name, "script", len) == 0)
		put_scripts(out, page->scripts);
	else
		assert(!"a slot of the page has no meaning");
}

static void put_page(FILE *out, const struct sim_page *page, const cJSON *data)
{
	const struct report_asset *frame = find_asset(page->frame);
	const char *p = (const char *)frame->bytes, *end = p + frame->len;

	while (p < end) {
		const char *slot = memmem(p, (size_t)(end - p), "{{", 2);
		const char *close = slot ? memmem(slot, (size_t)(end - slot), "}}", 2) : NULL;

		if (!close)
			break;
		fwrite(p, 1, (size_t)(slot - p), out);
		put_slot(out, slot + 2, (size_t)(close - slot - 2), page, data);
		p = close + 2;
	}
	fwrite(p, 1, (size_t)(end - p), out);
}

bool sim_page_put(const char *path, const struct sim_page *page, const cJSON *data)
{
	FILE *out = fopen(path, "w");
	bool ok = out != NULL;

	if (out) {
		put_page(out, page, data);
		ok = !ferror(out);
		ok &= fclose(out) == 0;
	}
	if (!ok)
		fprintf(stderr, "holdfast-sim: the report %s cannot be written: %s\n", path,
			strerror(errno));
	return ok;
}

bool sim_page_write(const char *path, const struct sim_record *r, const struct sim_about *about)
{
	static const char *const scripts[] = {
		"page/words.js",  "page/model.js", "page/view.js",    "page/pen.js",
		"page/tracks.js", "page/lanes.js", "page/details.js", "page/pointer.js",
		"page/head.js",	  "page/table.js", "page/main.js",    NULL,
	};
	static const struct sim_page page = { "page/page.html", scripts };
	cJSON *data = sim_data_create(r, about);
	bool ok = sim_page_put(path, &page, data);

	cJSON_Delete(data);
	return ok;
}

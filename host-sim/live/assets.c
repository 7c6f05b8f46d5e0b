/* SPDX-License-Identifier: Apache-2.0 */
#include "live/assets.h"

#include <stdio.h>

static const char *type_of(const char *path)
{
	static const struct {
		const char *end, *type;
	} types[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".mjs", "text/javascript; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
	};
	const char *end = strrchr(path, '.');

	for (size_t i = 0; end && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].end, end) == 0)
			return types[i].type;
	return "application/octet-stream";
}

/* Pages run their own files only. */
static const struct hf_field fields[] = {
	{ { "Content-Security-Policy", 23 },
	  HF_SPAN("default-src 'self'; frame-ancestors 'none'; base-uri 'none'") },
	{ { "Referrer-Policy", 15 }, { "same-origin", 11 } },
};

void live_asset_reply(struct live_conn *c, const char *folder, struct hf_span path)
{
	char wanted[128];

	if (hf_span_eq_str(path, "/"))
		path = HF_SPAN("/index.html");
	snprintf(wanted, sizeof(wanted), "%s%.*s", folder, HF_SPAN_ARG(path));
	for (size_t i = 0; i < live_assets_n; i++) {
		const struct live_asset *a = &live_assets[i];
		struct live_reply r = { 200, type_of(a->path), hf_span(a->bytes, a->len), fields,
					2 };

		if (strcmp(a->path, wanted) != 0)
			continue;
		live_reply(c, &r);
		return;
	}
	live_reply_text(c, 404, "There is nothing here.\n");
}

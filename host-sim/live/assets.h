/* SPDX-License-Identifier: Apache-2.0 */
/* The files of panel/ and control/, built into the program (cmake/embed.cmake). */
#ifndef LIVE_ASSETS_H
#define LIVE_ASSETS_H

#include "live/server.h"

struct live_asset {
	const char *path; /* "panel/index.html" */
	const unsigned char *bytes;
	size_t len;
};

extern const struct live_asset live_assets[];
extern const size_t live_assets_n;

/* Answers a GET of @path ("/" is index.html) from @folder, or 404. */
void live_asset_reply(struct live_conn *c, const char *folder, struct hf_span path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The files of page/, built into the program (cmake/embed.cmake). */
#ifndef REPORT_ASSETS_H
#define REPORT_ASSETS_H

#include <stddef.h>

struct report_asset {
	const char *path; /* "page/page.html" */
	const unsigned char *bytes;
	size_t len;
};

extern const struct report_asset report_assets[];
extern const size_t report_assets_n;

#endif

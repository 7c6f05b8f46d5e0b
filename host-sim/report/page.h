/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report: one HTML file that needs nothing else. In its frame "{{title}}",
 * "{{style}}", "{{data}}" and "{{script}}" stand for what is put there.
 */
#ifndef SIM_PAGE_H
#define SIM_PAGE_H

#include "report/data.h"

struct sim_page {
	const char *frame;	    /* "page/page.html" */
	const char *const *scripts; /* in their order, up to NULL; they become one */
};

/* Writes the file @path. False: it could not be written, which has been said. */
bool sim_page_put(const char *path, const struct sim_page *page, const cJSON *data);
/* The report of a run. After the run, before
 * the stage is finished. False: it could not be written, which has been said. */
bool sim_page_write(const char *path, const struct sim_record *r, const struct sim_about *about);

#endif

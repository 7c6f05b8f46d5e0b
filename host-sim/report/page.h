/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report of a run: one HTML file that needs nothing else. page/page.html is
 * its frame; "{{title}}", "{{style}}", "{{data}}" and "{{script}}" in it stand
 * for what is put there.
 */
#ifndef SIM_PAGE_H
#define SIM_PAGE_H

#include "report/data.h"

/* Writes it to the file @path. After the run, before
 * the stage is finished. False: it could not be written, which has been said. */
bool sim_page_write(const char *path, const struct sim_record *r, const struct sim_about *about);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of an export as an HTTP archive (HAR 1.2), written to stdout entry by
 * entry. What an archive has no place for stands in "_holdfast" of the entry.
 */
#ifndef HF_CLI_HAR_H
#define HF_CLI_HAR_H

#include <stdbool.h>

struct cJSON;

void cli_har_begin(void);
/* @request: an object of the export. @status: says where its origin is. False: out of
 * memory. */
bool cli_har_put(const struct cJSON *request, const struct cJSON *status);
void cli_har_end(void);

#endif

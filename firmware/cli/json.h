/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's JSON, read with forbearance: what is missing has a fallback. */
#ifndef HF_CLI_JSON_H
#define HF_CLI_JSON_H

#include "base/buf.h"

struct cJSON;

/* NULL when it is no JSON. */
struct cJSON *cli_json_parse(struct hf_span text);
void cli_json_free(struct cJSON *j);
/* A member by its path, "store.bytes"; NULL when absent or null. */
const struct cJSON *cli_json_at(const struct cJSON *j, const char *path);
const char *cli_json_text(const struct cJSON *j, const char *path, const char *fallback);
double cli_json_number(const struct cJSON *j, const char *path, double fallback);
bool cli_json_true(const struct cJSON *j, const char *path);
/* Appends @before and @text as a JSON string. */
int cli_json_append(struct hf_buf *out, const char *before, struct hf_span text);

#endif

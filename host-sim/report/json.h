/* SPDX-License-Identifier: Apache-2.0 */
/* Making the JSON of a report: what cannot be made ends the program. */
#ifndef SIM_JSON_H
#define SIM_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

cJSON *sim_json_object(void);
cJSON *sim_json_array(void);
/* Exact below 2^53: 285 years of microseconds. */
cJSON *sim_json_number(uint64_t n);
/* Both return @what, which belongs to @to then. */
cJSON *sim_json_add(cJSON *to, const char *name, cJSON *what);
cJSON *sim_json_append(cJSON *to, cJSON *what);
void sim_json_add_text(cJSON *to, const char *name, const char *text);
void sim_json_add_number(cJSON *to, const char *name, uint64_t n);
void sim_json_add_truth(cJSON *to, const char *name, bool truth);
/* One more of the figures at the top of a page. */
cJSON *sim_json_total(cJSON *to, const char *key, const char *name, uint64_t value);
/* Version and commit that the program is built from, and @seed and @trace. */
void sim_json_add_origin(cJSON *to, uint64_t seed, uint64_t trace);

#endif

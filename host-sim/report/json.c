/* SPDX-License-Identifier: Apache-2.0 */
#include "report/json.h"

#include <inttypes.h>

#include "holdfast/agent.h"
#include "report/commit.h"
#include "sim/mem.h"

cJSON *sim_json_object(void)
{
	return sim_must(cJSON_CreateObject());
}

cJSON *sim_json_array(void)
{
	return sim_must(cJSON_CreateArray());
}

cJSON *sim_json_number(uint64_t n)
{
	return sim_must(cJSON_CreateNumber((double)n));
}

cJSON *sim_json_add(cJSON *to, const char *name, cJSON *what)
{
	cJSON_AddItemToObject(to, name, what);
	return what;
}

cJSON *sim_json_append(cJSON *to, cJSON *what)
{
	cJSON_AddItemToArray(to, what);
	return what;
}

void sim_json_add_text(cJSON *to, const char *name, const char *text)
{
	sim_json_add(to, name, sim_must(cJSON_CreateString(text)));
}

void sim_json_add_number(cJSON *to, const char *name, uint64_t n)
{
	sim_json_add(to, name, sim_json_number(n));
}

void sim_json_add_truth(cJSON *to, const char *name, bool truth)
{
	sim_json_add(to, name, sim_must(cJSON_CreateBool(truth)));
}

cJSON *sim_json_total(cJSON *to, const char *key, const char *name, uint64_t value)
{
	cJSON *row = sim_json_append(to, sim_json_object());

	sim_json_add_text(row, "key", key);
	sim_json_add_text(row, "name", name);
	sim_json_add_number(row, "value", value);
	return row;
}

void sim_json_add_origin(cJSON *to, uint64_t seed, uint64_t trace)
{
	char text[32];

	sim_json_add_text(to, "version", HOLDFAST_VERSION);
	sim_json_add_text(to, "commit", SIM_COMMIT);
	snprintf(text, sizeof(text), "%" PRIu64, seed);
	sim_json_add_text(to, "seed", text);
	snprintf(text, sizeof(text), "%016" PRIx64, trace);
	sim_json_add_text(to, "trace", text);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "stage_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/content.h"
#include "sim/mem.h"
#include "stage.h"

#define ROUTE(path, name)                                                                      \
	"{ \"condition\": { \"urlPattern\": \"/api/" path "\", \"requestMethod\": \"POST\" }," \
	"  \"source\": \"network\","                                                           \
	"  \"queue\": { \"tag\": \"" name "\", \"lane\": \"" name "\","                        \
	"             \"order\": \"block\", \"expect\": [201] } }"

#define CACHED(name, source)                                                                  \
	"{ \"condition\": { \"urlPattern\": \"/c/" name "/*\" }, \"source\": \"" source "\"," \
	"  \"cacheName\": \"" name "\" }"

const char sim_default_manifest[] =
	"{ \"name\": \"kiosk\", \"version\": \"1.0.0\", \"routes\": [" ROUTE(
		"orders",
		"orders") "," ROUTE("payments",
				    "payments") "," ROUTE("reports",
							  "reports") "," ROUTE("orders/:id/lines",
									       "lines") "] }";

char *sim_default_config(const struct sim_cast *cast)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *f = open_memstream(&text, &size);

	sim_must(f);
	fprintf(f,
		"[agent]\n"
		"listen    = 127.0.0.1:8480\n"
		"control   = %s\n"
		"state-dir = /var/lib/holdfast\n",
		SIM_CONTROL_PATH);
	if (cast->sensors_n > 0)
		fprintf(f, "coap-listen = 192.168.4.1:5683\nallow-remote = yes\n");
	for (i = 0; i < cast->origins_n; i++) {
		const struct sim_cast_origin *o = &cast->origins[i];

		fprintf(f, "\n[origin %s]\nurl  = %s\nhost = %s.localhost\n", o->name, o->url,
			o->name);
		if (strncmp(o->url, "https:", 6) == 0)
			fprintf(f, "ca-file = %s\n", SIM_CA_PATH);
		fprintf(f, "\n[worker %s]\norigin   = %s\nscope    = /\nmanifest = %s\n",
			i ? o->name : "kiosk", o->name, SIM_MANIFEST_PATH);
	}
	fprintf(f, "\n[probe]\nurl    = http://check.example/generate_204\nstatus = 204\n");
	fclose(f);
	return text;
}

char *sim_periodic_manifest(const struct sim_periodic_tag *tags, size_t n)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *f = open_memstream(&text, &size);

	sim_must(f);
	/* up to the brace that ends it */
	fprintf(f, "%.*s, \"periodicSync\": [", (int)strlen(sim_default_manifest) - 1,
		sim_default_manifest);
	for (i = 0; i < n; i++)
		fprintf(f,
			"%s{ \"tag\": \"t%zu\", \"minInterval\": %" PRIu64
			", \"refresh\": [\"" SIM_PERIODIC_PATH "%" PRIu64 "/%s%zu\"]%s }",
			i ? ", " : "", i, tags[i].interval_ms, tags[i].interval_ms,
			tags[i].unmetered ? SIM_UNMETERED : "t", i,
			tags[i].unmetered ? ", \"metered\": false" : "");
	fprintf(f, "] }\n");
	fclose(f);
	return text;
}

char *sim_with_caches(const char *manifest)
{
	static const char routes[] = "\"routes\": [";
	const char *at = strstr(manifest, routes);
	char *precache = sim_content_precache(1), *out = NULL;
	size_t n = at ? (size_t)(at - manifest) : 0, end = strlen(manifest);

	if (!at ||
	    asprintf(&out,
		     "%.*s%s,\n\"routes\": [" CACHED("cf", "cache-first") "," CACHED(
			     "nf", "network-first") "," CACHED("sw",
							       "stale-while-revalidate") ",%s%s",
		     (int)n, manifest, precache, at + sizeof(routes) - 1,
		     manifest[end - 1] == '\n' ? "" : "\n") < 0)
		sim_must(NULL);
	free(precache);
	return out;
}

char *sim_cached_manifest(void)
{
	return sim_with_caches(sim_default_manifest);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#define O(option) (1u << CLI_##option)
#define ID_MORE                                                                     \
	"ID may be shortened to its first 6 letters or more, as long as no other\n" \
	"request begins with them.\n"

#define URI                                                                            \
	"URI is one of a configured CoAP origin, whose keys and transport are used.\n" \
	"Exit code 1 for any answer but 2.xx, and for none.\n"
#define PAYLOAD \
	"PAYLOAD or --file is its payload, else it has none; --format its Content-Format.\n" URI

const struct cli_spec cli_commands[] = {
	{ NULL, "status", NULL, false, 0, "health, connectivity, origins, lanes and the store",
	  "The first line says ok, degraded or stuck, and why.\n", cli_status },
	{ NULL, "health", NULL, false, 0, "ok, degraded or stuck, by exit code",
	  "Judged by how long the oldest request waits and when one of its lane was last\n"
	  "brought to its end, not by the link. Exit code 0 ok, 5 degraded, 6 stuck.\n",
	  cli_health },
	{ NULL, "lanes", NULL, false, O(ORIGIN) | O(LANE) | O(STATE),
	  "each lane: what waits, how long, and for what",
	  "STATE is idle, sending, waiting, offline, after, held, paused or no-origin.\n",
	  cli_lanes },
	{ NULL, "hold", "LANE", true, O(ORIGIN) | O(FOR), "send nothing of a lane or an origin",
	  "What is accepted meanwhile waits, also over a restart, until `holdfast release`\n"
	  "or the end of TIME, which goes by the device's own time. LANE stands for itself\n"
	  "and for those that begin with it and '/' or '@'. Without LANE: all of the\n"
	  "origin's.\n",
	  cli_hold },
	{ NULL, "release", "LANE", true, O(ORIGIN) | O(ALL), "end what `holdfast hold` began",
	  "Takes the same LANE and --origin; --all ends all of them.\n", cli_release },
	{ "queue", "list", NULL, false, O(STATE) | O(LANE), "requests that wait, are held or dead",
	  "STATE is queued, inflight, held, settled, dead, cancelled or all.\n", cli_queue_list },
	{ "queue", "show", "ID", false, 0, "all about one request", ID_MORE, cli_queue_show },
	{ "queue", "retry", "ID", true, O(HELD) | O(DEAD),
	  "queue a held or dead one again, try a waiting one", ID_MORE, cli_queue_retry },
	{ "queue", "cancel", "ID", false, 0, "give up a waiting or held one", ID_MORE,
	  cli_queue_cancel },
	{ "queue", "export", NULL, false, O(STATE) | O(HAR),
	  "requests with their bodies, one line of JSON each",
	  "Those that are queued, held or dead, or in STATE, to standard output. With --har\n"
	  "one document that tools for HTTP archives read.\n",
	  cli_queue_export },
	{ "sync", "now", NULL, false, 0, "try everything that waits, now", NULL, cli_sync_now },
	{ "sync", "list", NULL, false, O(WORKER), "tags registered for background sync", NULL,
	  cli_sync_list },
	{ "sync", "register", "TAG", false, O(WORKER), "register a tag for background sync",
	  "Its sync event is fired when the origin is reachable, until it succeeds.\n",
	  cli_sync_register },
	{ "sync", "unregister", "TAG", false, O(WORKER),
	  "give a tag up, or dismiss an exhausted one", NULL, cli_sync_unregister },
	{ "periodic", "list", NULL, false, O(WORKER),
	  "tags registered for periodic background sync", NULL, cli_periodic_list },
	{ "periodic", "register", "TAG", false, O(WORKER) | O(MIN_INTERVAL),
	  "register a tag for periodic background sync", NULL, cli_periodic_register },
	{ "periodic", "unregister", "TAG", false, O(WORKER), "give a tag up", NULL,
	  cli_periodic_unregister },
	{ "cache", "list", NULL, false, 0, "the caches, and what they take", NULL, cli_cache_list },
	{ "cache", "show", "CACHE [URL]", false, O(IGNORE_SEARCH) | O(WORKER),
	  "what is in a cache, or of one URL",
	  "CACHE is a worker's cache, the origin of an HTTP cache, or the worker of a\n"
	  "precache. FRESH is how long it may be used without asking, by RFC 9111.\n",
	  cli_cache_show },
	{ "cache", "purge", "CACHE [URL]", false, O(IGNORE_SEARCH) | O(WORKER),
	  "take out all, or one URL",
	  "A cache that a worker or an origin uses is empty then; a precache is fetched\n"
	  "anew, and until it is there its files come from the origin.\n",
	  cli_cache_purge },
	{ "cache", "install", "WORKER", true, 0, "fetch what precaches lack, now",
	  "Of WORKER, or of all of them.\n", cli_cache_install },
	{ "coap", "get", "URI", false, O(FORMAT) | O(TIMEOUT) | O(VERBOSE),
	  "ask a CoAP origin for a resource", "--format is the one that is wanted.\n" URI,
	  cli_coap_get },
	{ "coap", "put", "URI [PAYLOAD]", false, O(FORMAT) | O(FILE) | O(TIMEOUT) | O(VERBOSE),
	  "put a payload there", PAYLOAD, cli_coap_put },
	{ "coap", "post", "URI [PAYLOAD]", false, O(FORMAT) | O(FILE) | O(TIMEOUT) | O(VERBOSE),
	  "post a payload", PAYLOAD, cli_coap_post },
	{ "coap", "delete", "URI", false, O(TIMEOUT) | O(VERBOSE), "delete a resource", URI,
	  cli_coap_delete },
	{ "coap", "fetch", "URI [PAYLOAD]", false, O(FORMAT) | O(FILE) | O(TIMEOUT) | O(VERBOSE),
	  "ask with a payload (RFC 8132)", PAYLOAD, cli_coap_fetch },
	{ "coap", "patch", "URI [PAYLOAD]", false, O(FORMAT) | O(FILE) | O(TIMEOUT) | O(VERBOSE),
	  "change a part of a resource (RFC 8132)", PAYLOAD, cli_coap_patch },
	{ "coap", "observe", "URI", false, O(TIMEOUT) | O(COUNT),
	  "a line for each value, as it changes",
	  "Until the origin ends it, --count values came, or Ctrl-C. Bytes that are no text\n"
	  "are shown in base64.\n" URI,
	  cli_coap_observe },
	{ NULL, "events", NULL, false, O(FOLLOW), "the latest events", NULL, cli_events },
	{ NULL, "metrics", NULL, false, 0, "figures in the text format of Prometheus", NULL,
	  cli_metrics },
	{ NULL, "store", NULL, false, 0, "what the store takes, has written, and has free", NULL,
	  cli_store },
	{ "store", "check", NULL, false, 0, "read the whole store and look for damage",
	  "Exit code 1 when there is any.\n", cli_store_check },
	{ NULL, "version", NULL, false, 0, "of this command and of the daemon", NULL, cli_version },
};

const size_t cli_commands_n = sizeof(cli_commands) / sizeof(cli_commands[0]);

char *cli_spec_name(const struct cli_spec *spec, char out[CLI_NAME_SIZE])
{
	snprintf(out, CLI_NAME_SIZE, "%s%s%s", spec->group ? spec->group : "",
		 spec->group ? " " : "", spec->word);
	return out;
}

const struct cli_spec *cli_find(int argc, char **argv, int *used)
{
	const struct cli_spec *one = NULL;

	for (size_t i = 0; i < cli_commands_n && argc > 0; i++) {
		const struct cli_spec *s = &cli_commands[i];

		if (!s->group && strcmp(argv[0], s->word) == 0)
			one = s;
		if (!s->group || argc < 2 || strcmp(argv[0], s->group) != 0 ||
		    strcmp(argv[1], s->word) != 0)
			continue;
		*used = 2;
		return s;
	}
	*used = 1;
	return one;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Worker manifests: what is read, what is matched, and each fault's line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "worker/manifest.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FAULTS_MAX   (256 * 1024)

static struct hf_manifest *parse(const char *text)
{
	struct hf_manifest *m = NULL;
	struct hf_buf faults;
	int err;

	hf_buf_init(&faults, FAULTS_MAX);
	err = hf_manifest_parse(hf_span_str(text), "m.json", HF_SPAN("/app/"), &faults, &m);
	if (err)
		fail_msg("%s: %s\n%s", hf_errname(err), text, hf_buf_cstr(&faults));
	assert_int_equal(faults.len, 0);
	hf_buf_finish(&faults);
	return m;
}

static void expect_faults(const char *text, const char *expected)
{
	struct hf_manifest *m = NULL;
	struct hf_buf faults;
	int err;

	hf_buf_init(&faults, FAULTS_MAX);
	err = hf_manifest_parse(hf_span_str(text), "m.json", HF_SPAN("/app/"), &faults, &m);
	if (err != HF_ECONFIG)
		fail_msg("%s for %s", hf_errname(err), text);
	assert_null(m);
	assert_string_equal(hf_buf_cstr(&faults), expected);
	hf_buf_finish(&faults);
}

/* ---- reading ---- */

static const char kiosk[] =
	"{\n"
	"  \"name\": \"kiosk\",\n"
	"  \"version\": \"1.4.0\",\n"
	"  \"routes\": [\n"
	"    { \"condition\": { \"urlPattern\": \"/api/orders\", \"requestMethod\": \"POST\" },\n"
	"      \"source\": \"network\",\n"
	"      \"queue\": { \"tag\": \"orders\", \"order\": \"skip\", \"lane\": \"till\",\n"
	"        \"idempotency\": \"never\", \"keyHeader\": \"X-Key\", \"keyFormat\": \"sf-string\",\n"
	"        \"keyValiditySeconds\": 60, \"maxAgeSeconds\": 120, \"maxEntries\": 5,\n"
	"        \"whenFull\": \"drop-oldest\", \"urgency\": 0,\n"
	"        \"expect\": [200, 201] } },\n"
	"    { \"condition\": { \"urlPattern\": \"/assets/*\" }, \"source\": \"cache-first\",\n"
	"      \"cacheName\": \"assets\" },\n"
	"    { \"condition\": { \"urlPattern\": \"/*\", \"requestMethod\": \"get\" },\n"
	"      \"source\": \"network-first\", \"networkTimeoutSeconds\": 2.5 }\n"
	"  ],\n"
	"  \"precache\": [ { \"url\": \"/index.html\", \"revision\": \"a1b2\" }, \"/logo.svg\",\n"
	"    { \"url\": \"/x?v=1\", \"revision\": null,\n"
	"      \"integrity\": \"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\" } ],\n"
	"  \"periodicSync\": [ { \"tag\": \"menu\", \"minInterval\": 3600000,\n"
	"    \"refresh\": [\"/api/menu\"] }, { \"tag\": \"time\", \"minInterval\": 1000 } ]\n"
	"}\n";

static void reads_every_member(void **state)
{
	struct hf_manifest *m = parse(kiosk);
	const struct hf_policy *p = &m->routes[0].policy;

	(void)state;
	assert_string_equal(m->name, "kiosk");
	assert_string_equal(m->version, "1.4.0");
	assert_int_equal(m->routes_n, 3);
	assert_true(m->routes[0].queued);
	assert_int_equal(m->routes[0].line, 5);
	assert_string_equal(p->tag, "orders");
	assert_string_equal(p->lane, "till");
	assert_int_equal(p->order, HF_ORDER_SKIP);
	assert_int_equal(p->idempotency, HF_IDEMPOTENCY_NEVER);
	assert_string_equal(p->key_header, "X-Key");
	assert_true(p->key_quoted);
	assert_int_equal(p->key_validity_s, 60);
	assert_int_equal(p->max_age_s, 120);
	assert_int_equal(p->max_entries, 5);
	assert_int_equal(p->when_full, HF_WHEN_FULL_DROP_OLDEST);
	assert_int_equal(p->urgency, 0);
	assert_int_equal(p->expect_n, 2);
	assert_int_equal(p->expect[1], 201);
	assert_false(m->routes[1].queued);
	assert_int_equal(m->routes[1].source, HF_SOURCE_CACHE_FIRST);
	assert_string_equal(m->routes[1].cache.name, "assets");
	assert_int_equal(m->routes[1].line, 12);
	assert_int_equal(m->routes[2].network_timeout_ms, 2500);
	assert_int_equal(m->precache_n, 3);
	assert_string_equal(m->precache[1].url, "/logo.svg");
	assert_null(m->precache[2].revision);
	assert_non_null(m->precache[2].integrity);
	assert_int_equal(m->periodic_n, 2);
	assert_true(m->periodic[0].min_interval_ms == 3600000);
	assert_string_equal(m->periodic[0].action.refresh[0], "/api/menu");
	assert_int_equal(m->periodic[1].action.kind, HF_SYNC_PAGE);
	hf_manifest_destroy(m);
}

static void files_of_build_tools_lie_in_the_scope(void **state)
{
	struct hf_manifest *m = parse("{\"precache\":[\"/a.js\",\"./b.js\",\"assets/c d.js\","
				      "{\"url\":\"b\xc3\xa4r.js\",\"revision\":null}]}");

	(void)state;
	assert_int_equal(m->precache_n, 4);
	assert_string_equal(m->precache[0].url, "/a.js");
	assert_string_equal(m->precache[1].url, "/app/b.js");
	assert_string_equal(m->precache[2].url, "/app/assets/c%20d.js");
	assert_string_equal(m->precache[3].url, "/app/b%C3%A4r.js");
	hf_manifest_destroy(m);
}

static void fills_in_defaults(void **state)
{
	struct hf_manifest *m = parse("{\"routes\":[{\"queue\":true},"
				      "{\"condition\":{\"urlPattern\":\"/a\"},"
				      "\"queue\":{\"tag\":\"orders\"}}]}");
	const struct hf_policy *p = &m->routes[0].policy;

	(void)state;
	assert_string_equal(m->name, "");
	assert_string_equal(m->version, "");
	assert_null(m->routes[0].condition);
	assert_int_equal(m->routes[0].source, HF_SOURCE_NETWORK);
	assert_string_equal(p->tag, "default");
	assert_string_equal(p->lane, "default");
	assert_string_equal(p->key_header, "Idempotency-Key");
	assert_false(p->key_quoted);
	assert_int_equal(p->idempotency, HF_IDEMPOTENCY_KEYED);
	assert_int_equal(p->order, HF_ORDER_BLOCK);
	assert_int_equal(p->key_validity_s, HF_POLICY_KEY_VALIDITY_S);
	assert_int_equal(p->max_age_s, HF_POLICY_MAX_AGE_S);
	assert_int_equal(p->max_entries, HF_POLICY_MAX_ENTRIES);
	assert_int_equal(p->when_full, HF_WHEN_FULL_REJECT);
	assert_int_equal(p->urgency, HF_POLICY_URGENCY);
	assert_int_equal(p->expect_n, 0);
	assert_string_equal(m->routes[1].policy.lane, "orders");
	hf_manifest_destroy(m);
}

static void knows_the_words_of_both_vocabularies(void **state)
{
	static const struct {
		const char *word;
		enum hf_source source;
		const char *name;
	} words[] = {
		{ "network", HF_SOURCE_NETWORK, "network" },
		{ "network-only", HF_SOURCE_NETWORK, "network" },
		{ "cache", HF_SOURCE_CACHE, "cache" },
		{ "cache-only", HF_SOURCE_CACHE, "cache" },
		{ "cache-first", HF_SOURCE_CACHE_FIRST, "cache-first" },
		{ "network-first", HF_SOURCE_NETWORK_FIRST, "network-first" },
		{ "stale-while-revalidate", HF_SOURCE_STALE_WHILE_REVALIDATE,
		  "stale-while-revalidate" },
		{ "race", HF_SOURCE_RACE, "race" },
		{ "race-network-and-cache", HF_SOURCE_RACE, "race" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct hf_manifest *m;
		char text[128];

		snprintf(text, sizeof(text), "{\"routes\":[{\"source\":\"%s\"}]}", words[i].word);
		m = parse(text);
		assert_int_equal(m->routes[0].source, words[i].source);
		assert_string_equal(hf_source_name(words[i].source), words[i].name);
		hf_manifest_destroy(m);
	}
}

static void an_empty_object_is_a_manifest(void **state)
{
	struct hf_manifest *m = parse("{}");

	(void)state;
	hf_manifest_destroy(m);
	m = parse("\xef\xbb\xbf{}");
	assert_int_equal(m->routes_n, 0);
	assert_null(hf_manifest_match(m, HF_SPAN("GET"), HF_SPAN("/"), hf_span(NULL, 0)));
	hf_manifest_destroy(m);
	hf_manifest_destroy(NULL);
}

/* ---- matching ---- */

static int route_of(const struct hf_manifest *m, const char *method, const char *path,
		    const char *mode, const char *destination)
{
	struct hf_match_request req = {
		.method = hf_span_str(method),
		.path = hf_span_str(path),
		.mode = hf_span_str(mode),
		.destination = hf_span_str(destination),
	};
	const struct hf_route *r = hf_manifest_match_request(m, &req);

	return r ? (int)r->index : -1;
}

static int match(const struct hf_manifest *m, const char *method, const char *path)
{
	return route_of(m, method, path, NULL, NULL);
}

static void the_first_match_wins(void **state)
{
	struct hf_manifest *m = parse(kiosk);

	(void)state;
	assert_int_equal(match(m, "POST", "/api/orders"), 0);
	assert_int_equal(match(m, "GET", "/api/orders"), 2);
	assert_int_equal(match(m, "PUT", "/api/orders"), -1);
	assert_int_equal(match(m, "GET", "/assets/a.css"), 1);
	assert_int_equal(match(m, "HEAD", "/assets/a.css"), 1);
	assert_int_equal(match(m, "POST", "/assets/a.css"), -1);
	assert_int_equal(match(m, "HEAD", "/other"), -1);
	hf_manifest_destroy(m);
}

static void paths_are_normalised_before_they_match(void **state)
{
	struct hf_manifest *m = parse(kiosk);

	(void)state;
	assert_int_equal(match(m, "POST", "/api/%6frders"), 0);
	assert_int_equal(match(m, "POST", "/api/x/../orders"), 0);
	assert_int_equal(match(m, "POST", "/api/./orders"), 0);
	assert_int_equal(match(m, "POST", "/api/orders%2f"), -1);
	assert_int_equal(match(m, "GET", "/assets/../secret"), 2);
	hf_manifest_destroy(m);
}

static void a_queue_without_method_takes_any_but_a_cache_only_reads(void **state)
{
	struct hf_manifest *m =
		parse("{\"routes\":[{\"condition\":{\"urlPattern\":\"/q\"},\"queue\":true},"
		      "{\"condition\":{\"urlPattern\":\"/c\"},\"source\":\"cache-first\"},"
		      "{\"condition\":{\"not\":{\"urlPattern\":\"/z\"}},\"source\":\"cache\"}]}");

	(void)state;
	assert_int_equal(match(m, "PATCH", "/q"), 0);
	assert_int_equal(match(m, "GET", "/q"), 0);
	assert_int_equal(match(m, "GET", "/c"), 1);
	assert_int_equal(match(m, "POST", "/c"), -1);
	assert_int_equal(match(m, "GET", "/y"), 2);
	assert_int_equal(match(m, "POST", "/y"), -1);
	assert_int_equal(match(m, "GET", "/z"), -1);
	hf_manifest_destroy(m);
}

static void or_and_not_combine(void **state)
{
	struct hf_manifest *m =
		parse("{\"routes\":[{\"condition\":{\"or\":["
		      "{\"urlPattern\":\"/a\",\"requestMethod\":\"POST\"},"
		      "{\"urlPattern\":\"/b\"},"
		      "{\"not\":{\"or\":[{\"requestMethod\":\"GET\"},{\"requestMethod\":\"POST\"},"
		      "{\"urlPattern\":\"/d\"}]}}]},"
		      "\"source\":\"network\"}]}");

	(void)state;
	assert_int_equal(match(m, "POST", "/a"), 0);
	assert_int_equal(match(m, "GET", "/a"), -1);
	assert_int_equal(match(m, "GET", "/b"), 0);
	assert_int_equal(match(m, "POST", "/b"), -1);
	assert_int_equal(match(m, "PUT", "/c"), 0);
	assert_int_equal(match(m, "PUT", "/d"), -1);
	hf_manifest_destroy(m);
}

static void mode_and_destination_match_only_when_known(void **state)
{
	struct hf_manifest *m =
		parse("{\"routes\":[{\"condition\":{\"requestMode\":\"navigate\"},"
		      "\"source\":\"network-first\"},"
		      "{\"condition\":{\"requestDestination\":\"image\"},\"source\":\"cache\"}]}");

	(void)state;
	assert_int_equal(route_of(m, "GET", "/", "navigate", "document"), 0);
	assert_int_equal(route_of(m, "GET", "/", "no-cors", "image"), 1);
	assert_int_equal(route_of(m, "GET", "/", NULL, NULL), -1);
	hf_manifest_destroy(m);
}

/* ---- faults ---- */

#define ROUTE(members)	   "{\"routes\":[{" members "}]}"
#define QUEUE(members)	   "{\"routes\":[{\"queue\":{" members "}}]}"
#define CONDITION(members) "{\"routes\":[{\"source\":\"network\",\"condition\":{" members "}}]}"

static const struct {
	const char *text, *faults;
} bad[] = {
	/* syntax and shape */
	{ "", "m.json:1: column 1: the text ends too early\n" },
	{ "{\n  \"name\": \"x\",\n}",
	  "m.json:3: column 1: a member is missing; is there a comma too "
	  "many?\n" },
	{ "{}\n]", "m.json:2: column 1: text behind the end of the document\n" },
	{ "[]", "m.json:1: must be an object, not an array\n" },
	{ "{\"routes\":{}}", "m.json:1: routes: must be an array, not an object\n" },
	{ "{\"name\":\"a\",\n\"name\":\"b\"}", "m.json:2: name: stands twice; first in line 1\n" },
	{ "{\"name\":\"a\",\n\"n\\u0061me\":\"b\"}",
	  "m.json:2: n\\u0061me: stands twice; first in line 1\n" },
	{ "{\"rotues\":[]}", "m.json:1: unknown key \"rotues\" (did you mean \"routes\"?)\n" },
	{ "{\"zzz\":1}", "m.json:1: unknown key \"zzz\"; known here: name, version, routes, "
			 "precache, sync, periodicSync\n" },
	{ "{\"name\":1}", "m.json:1: name: must be a string, not a number\n" },
	{ "{\"name\":\"a\\nb\"}", "m.json:1: name: holds a control byte\n" },
	{ "{\"version\":\"\"}", "m.json:1: version: must be 1 to 255 bytes long, not 0\n" },
	{ "{\"\\u001b[2J\":1}",
	  "m.json:1: unknown key \"\\x1b[2J\"; known here: name, version, routes, precache, sync, "
	  "periodicSync\n" },
	/* routes */
	{ "{\"routes\":[1]}", "m.json:1: routes[0]: must be an object, not a number\n" },
	{ ROUTE(""), "m.json:1: routes[0]: \"source\" is missing\n" },
	{ ROUTE("\"source\":\"netwrok\""),
	  "m.json:1: routes[0].source: \"netwrok\" is not one of network, cache, cache-first, "
	  "network-first, stale-while-revalidate, race, network-only, cache-only, "
	  "race-network-and-cache (did you mean \"network\"?)\n" },
	{ ROUTE("\"source\":\"cache\",\"networkTimeoutSeconds\":3"),
	  "m.json:1: routes[0].networkTimeoutSeconds: has no effect with source \"cache\"; it is for "
	  "network and network-first\n" },
	{ ROUTE("\"source\":\"network\",\"networkTimeoutSeconds\":0"),
	  "m.json:1: routes[0].networkTimeoutSeconds: must be a number of seconds from 0.001 to "
	  "3600\n" },
	{ ROUTE("\"source\":\"network\",\"networkTimeoutSeconds\":1e400"),
	  "m.json:1: routes[0].networkTimeoutSeconds: must be a number of seconds from 0.001 to "
	  "3600\n" },
	{ ROUTE("\"source\":\"network\",\"cacheName\":\"a\""),
	  "m.json:1: routes[0].cacheName: has no effect with source \"network\"\n" },
	{ ROUTE("\"source\":\"cache-first\",\"queue\":true"),
	  "m.json:1: routes[0].queue: cannot stand with source \"cache-first\": a request is queued "
	  "when the network failed, so use source \"network\"\n" },
	{ ROUTE("\"queue\":1"), "m.json:1: routes[0].queue: must be an object or true\n" },
	{ ROUTE("\"condition\":{\"requestMethod\":\"GET\"},\"queue\":true"),
	  "m.json:1: routes[0].queue: can never be used: GET and HEAD are not queued, and this route "
	  "matches no other method\n" },
	{ ROUTE("\"condition\":{\"or\":[{\"requestMethod\":\"GET\"},{\"requestMethod\":\"HEAD\"}]},"
		"\"queue\":{}"),
	  "m.json:1: routes[0].queue: can never be used: GET and HEAD are not queued, and this route "
	  "matches no other method\n" },
	{ "{\"routes\":[\n{\"condition\":{\"urlPattern\":\"/a\"},\"source\":\"cache\"},\n"
	  "{\"source\":\"network\",\"condition\":{\"urlPattern\":\"/a\"}}]}",
	  "m.json:3: routes[1]: is never reached: routes[0] in line 2 has the same condition\n" },
	{ "{\"routes\":[{\"source\":\"cache\"},{\"source\":\"network\"}]}",
	  "m.json:1: routes[1]: is never reached: routes[0] in line 1 has the same condition\n" },
	{ "{\"routes\":[{\"condition\":{\"urlPattern\":\"/a\"},\"queue\":{\"tag\":\"x\"}},\n"
	  "{\"condition\":{\"urlPattern\":\"/b\"},\"queue\":{\"tag\":\"x\",\"order\":\"skip\"}}]}",
	  "m.json:2: routes[1]: lane \"x\" has another \"order\" in routes[0], line 1\n" },
	{ "{\"routes\":[{\"condition\":{\"urlPattern\":\"/a\"},\"queue\":{\"tag\":\"x\"}},\n"
	  "{\"condition\":{\"urlPattern\":\"/b\"},\"queue\":{\"tag\":\"x\",\"urgency\":1}}]}",
	  "m.json:2: routes[1]: lane \"x\" has another \"urgency\" in routes[0], line 1\n" },
	{ ROUTE("\"queue\":{\"urgency\":8,\"whenFull\":\"drop\"}"),
	  "m.json:1: routes[0].queue.whenFull: \"drop\" is not one of reject, drop-oldest\n"
	  "m.json:1: routes[0].queue.urgency: must be a whole number from 0 to 7, not 8\n" },
	/* conditions */
	{ CONDITION(""),
	  "m.json:1: routes[0].condition: is empty; to match everything leave \"condition\" out\n" },
	{ CONDITION("\"urlPattern\":\"api\""),
	  "m.json:1: routes[0].condition.urlPattern: must begin with \"/\": routes are about the "
	  "paths of their worker's origin\n" },
	{ CONDITION("\"urlPattern\":\"https://x.example/a\""),
	  "m.json:1: routes[0].condition.urlPattern: must begin with \"/\": routes are about the "
	  "paths of their worker's origin\n" },
	{ CONDITION("\"urlpattern\":\"/a\""),
	  "m.json:1: routes[0].condition: unknown key \"urlpattern\" (did you mean \"urlPattern\"?)\n" },
	{ CONDITION("\"requestMethod\":\"POTS\""),
	  "m.json:1: routes[0].condition.requestMethod: no such method: \"POTS\" (did you mean "
	  "\"POST\"?)\n" },
	{ CONDITION("\"requestMethod\":\"patch\""),
	  "m.json:1: routes[0].condition.requestMethod: no such method: \"patch\" (did you mean "
	  "\"PATCH\"?)\n" },
	{ CONDITION("\"requestMethod\":\"GET, HEAD\""),
	  "m.json:1: routes[0].condition.requestMethod: \"GET, HEAD\" is not a method; for several, "
	  "use \"or\"\n" },
	{ CONDITION("\"requestMethod\":\"connect\""),
	  "m.json:1: routes[0].condition.requestMethod: CONNECT requests are never forwarded\n" },
	{ CONDITION("\"requestMode\":\"navigation\""),
	  "m.json:1: routes[0].condition.requestMode: \"navigation\" is not one of cors, navigate, "
	  "no-cors, same-origin, websocket\n" },
	{ CONDITION("\"or\":[],\"urlPattern\":\"/a\""),
	  "m.json:1: routes[0].condition: \"or\" and \"urlPattern\" cannot stand together; put one "
	  "into the other\n" },
	{ CONDITION("\"or\":[]"),
	  "m.json:1: routes[0].condition.or: is empty: nothing would ever match\n" },
	{ CONDITION("\"not\":[]"),
	  "m.json:1: routes[0].condition.not: must be an object, not an array\n" },
	{ CONDITION(
		  "\"not\":{\"not\":{\"not\":{\"not\":{\"not\":{\"not\":{\"not\":{\"not\":{\"not\":{"
		  "\"not\":{\"urlPattern\":\"/\"}}}}}}}}}}"),
	  "m.json:1: routes[0].condition.not.not.not.not.not.not.not.not.not.not: is nested deeper "
	  "than 10\n" },
	/* queue */
	{ QUEUE("\"order\":\"blok\""),
	  "m.json:1: routes[0].queue.order: \"blok\" is not one of block, "
	  "skip (did you mean \"block\"?)\n" },
	{ QUEUE("\"idempotency\":\"once\""),
	  "m.json:1: routes[0].queue.idempotency: \"once\" is not one of keyed, idempotent, always, "
	  "never\n" },
	{ QUEUE("\"maxAge\":1"),
	  "m.json:1: routes[0].queue: unknown key \"maxAge\"; known here: tag, "
	  "lane, order, idempotency, keyHeader, keyFormat, keyValiditySeconds, "
	  "maxAgeSeconds, maxEntries, expect, whenFull, urgency, laneBy, credential\n" },
	{ QUEUE("\"maxAgeSeconds\":0.5"),
	  "m.json:1: routes[0].queue.maxAgeSeconds: must be a whole "
	  "number from 1 to 315360000, not 0.5\n" },
	{ QUEUE("\"maxAgeSeconds\":\"1\""),
	  "m.json:1: routes[0].queue.maxAgeSeconds: must be a whole number, not a string\n" },
	{ QUEUE("\"maxEntries\":-1"),
	  "m.json:1: routes[0].queue.maxEntries: must be a whole number "
	  "from 1 to 10000000, not -1\n" },
	{ QUEUE("\"expect\":[]"),
	  "m.json:1: routes[0].queue.expect: is empty: no answer would ever "
	  "mean delivered; leave it out for every 2xx\n" },
	{ QUEUE("\"expect\":[99,\n200,\n200]"),
	  "m.json:1: routes[0].queue.expect[0]: must be a whole number from 200 to 599, not 99\n"
	  "m.json:3: routes[0].queue.expect[2]: 200 stands twice\n" },
	{ QUEUE("\"expect\":[200,201,202,203,204,205,206,207,208]"),
	  "m.json:1: routes[0].queue.expect: has 9 entries, more than 8\n" },
	{ QUEUE("\"keyHeader\":\"a b\""),
	  "m.json:1: routes[0].queue.keyHeader: \"a b\" is not the name of a header field\n" },
	{ QUEUE("\"keyHeader\":\"host\""),
	  "m.json:1: routes[0].queue.keyHeader: \"host\" cannot carry "
	  "a key: it has a meaning of its own\n" },
	{ QUEUE("\"keyFormat\":\"quoted\""),
	  "m.json:1: routes[0].queue.keyFormat: \"quoted\" is not one of bare, sf-string\n" },
	/* lists */
	{ "{\"precache\":[\"http://x/\"]}",
	  "m.json:1: precache[0]: \"http://x/\" is not a path of the origin: \"/\", then no spaces, and "
	  "percent-encoding for what is not ASCII\n" },
	{ "{\"precache\":[{\"revision\":\"1\"}]}", "m.json:1: precache[0]: \"url\" is missing\n" },
	{ "{\"precache\":[\"/app/a\",\n{\"url\":\"a\"}]}",
	  "m.json:2: precache[1]: is the same url as precache[0]\n" },
	{ "{\"precache\":[{\"url\":\"/a\",\"integrity\":\"md5-x\"}]}",
	  "m.json:1: precache[0].integrity: must be \"sha256-\", \"sha384-\" or \"sha512-\" and the "
	  "hash in base64\n" },
	{ "{\"periodicSync\":[{\"refresh\":[]}]}",
	  "m.json:1: periodicSync[0]: \"tag\" is missing\n"
	  "m.json:1: periodicSync[0].refresh: is empty\n" },
	{ "{\"periodicSync\":[{\"tag\":\"a\",\"minInterval\":1}]}",
	  "m.json:1: periodicSync[0].minInterval: must be a whole number from 1000 to 31622400000, "
	  "not 1\n" },
	{ "{\"periodicSync\":[{\"tag\":\"a\",\"minInterval\":1000},\n"
	  "{\"tag\":\"a\",\"minInterval\":1000}]}",
	  "m.json:2: periodicSync[1]: has the tag of periodicSync[0]\n" },
};

static void every_fault_has_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		expect_faults(bad[i].text, bad[i].faults);
}

static void all_faults_come_in_the_order_of_the_file(void **state)
{
	(void)state;
	expect_faults("{\n\"routes\": [\n{\"source\":\"cach\"},\n{}\n],\n\"nam\": 1,\n"
		      "\"precache\": 1\n}",
		      "m.json:3: routes[0].source: \"cach\" is not one of network, cache, "
		      "cache-first, network-first, stale-while-revalidate, race, network-only, "
		      "cache-only, race-network-and-cache (did you mean \"cache\"?)\n"
		      "m.json:4: routes[1]: \"source\" is missing\n"
		      "m.json:6: unknown key \"nam\" (did you mean \"name\"?)\n"
		      "m.json:7: precache: must be an array, not a number\n");
}

/* ---- limits ---- */

/* @n entries, each @head, its number and @tail, between @before and @after. */
static char *repeat(const char *before, const char *head, const char *tail, unsigned n,
		    const char *after)
{
	struct hf_buf b;
	char *text;

	hf_buf_init(&b, 1024 * 1024);
	assert_int_equal(hf_buf_append_str(&b, before), 0);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(hf_buf_appendf(&b, "%s%s%u%s", i ? "," : "", head, i, tail), 0);
	assert_int_equal(hf_buf_append_str(&b, after), 0);
	text = hf_span_dup(hf_buf_span(&b));
	hf_buf_finish(&b);
	assert_non_null(text);
	return text;
}

static void counts_conditions_up_to_their_limit(void **state)
{
	static const char before[] = "{\"routes\":[{\"source\":\"network\",\"condition\":{\"or\":[";
	char *text = repeat(before, "{\"urlPattern\":\"/", "\"}", 1023, "]}}]}");

	(void)state;
	hf_manifest_destroy(parse(text));
	free(text);
	text = repeat(before, "{\"urlPattern\":\"/", "\"}", 1024, "]}}]}");
	expect_faults(text, "m.json:1: routes[0].condition.or[1023]: is one condition too many: "
			    "1024 are allowed in a manifest\n");
	free(text);
}

static void shows_a_bounded_number_of_faults(void **state)
{
	char *text = repeat("{", "\"k", "\":1", 1000, "}");
	struct hf_manifest *m;
	struct hf_buf faults;
	const char *tail;

	(void)state;
	hf_buf_init(&faults, FAULTS_MAX);
	assert_int_equal(hf_manifest_parse(hf_span_str(text), "m.json", HF_SPAN("/app/"), &faults,
					   &m),
			 HF_ECONFIG);
	tail = strstr(hf_buf_cstr(&faults), "m.json: ");
	assert_non_null(tail);
	assert_string_equal(tail, "m.json: 800 more faults are not shown\n");
	hf_buf_finish(&faults);
	hf_buf_init(&faults, 10); /* too small for a line: still a fault */
	assert_int_equal(hf_manifest_parse(hf_span_str(text), "m.json", HF_SPAN("/app/"), &faults,
					   &m),
			 HF_ECONFIG);
	hf_buf_finish(&faults);
	free(text);
}

static void refuses_a_file_beyond_its_limit(void **state)
{
	char *text = calloc(1, HF_MANIFEST_BYTES_MAX + 2);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', HF_MANIFEST_BYTES_MAX + 1);
	expect_faults(text, "m.json: is larger than 262144 bytes\n");
	text[0] = '{';
	text[1] = '}';
	text[HF_MANIFEST_BYTES_MAX] = '\0';
	hf_manifest_destroy(parse(text));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_member),
		cmocka_unit_test(files_of_build_tools_lie_in_the_scope),
		cmocka_unit_test(fills_in_defaults),
		cmocka_unit_test(knows_the_words_of_both_vocabularies),
		cmocka_unit_test(an_empty_object_is_a_manifest),
		cmocka_unit_test(the_first_match_wins),
		cmocka_unit_test(paths_are_normalised_before_they_match),
		cmocka_unit_test(a_queue_without_method_takes_any_but_a_cache_only_reads),
		cmocka_unit_test(or_and_not_combine),
		cmocka_unit_test(mode_and_destination_match_only_when_known),
		cmocka_unit_test(every_fault_has_its_line),
		cmocka_unit_test(all_faults_come_in_the_order_of_the_file),
		cmocka_unit_test(counts_conditions_up_to_their_limit),
		cmocka_unit_test(shows_a_bounded_number_of_faults),
		cmocka_unit_test(refuses_a_file_beyond_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

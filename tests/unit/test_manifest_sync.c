/* SPDX-License-Identifier: Apache-2.0 */
/* "sync" of worker manifests: what is read, and each fault's line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "holdfast_config.h"
#include "worker/manifest.h"

#define ROUTES "\"routes\":[{\"source\":\"network\",\"queue\":{\"tag\":\"orders\"}}],\n"

static int parse(const char *text, struct hf_manifest **m, char faults[4096])
{
	struct hf_buf b;
	int err;

	hf_buf_init(&b, 4096);
	err = hf_manifest_parse(hf_span_str(text), "m.json", HF_SPAN("/app/"), &b, m);
	snprintf(faults, 4096, "%s", hf_buf_cstr(&b));
	hf_buf_finish(&b);
	return err;
}

static struct hf_manifest *good(const char *text)
{
	struct hf_manifest *m;
	char faults[4096];

	if (parse(text, &m, faults))
		fail_msg("%s\n%s", text, faults);
	return m;
}

static void reads_every_kind(void **state)
{
	struct hf_manifest *m = good(
		"{" ROUTES "\"sync\":[{\"tag\":\"orders\",\"replay\":true,\"maxAttempts\":3},\n"
		"{\"tag\":\"menu\",\"refresh\":[\"/api/menu\",\"/x?y\"],\"maxAgeSeconds\":90},\n"
		"{\"tag\":\"report\",\"request\":{\"url\":\"/r\",\"method\":\"PUT\",\n"
		"\"fields\":{\"Content-Type\":\"text/plain\"},\"body\":\"b\"},\n"
		"\"timeoutSeconds\":20,\"retrySeconds\":7},{\"tag\":\"*\",\"page\":true}]}");
	const struct hf_sync_action *a;

	(void)state;
	assert_int_equal(m->sync_n, 4);
	a = hf_manifest_sync(m, HF_SPAN("orders"));
	assert_int_equal(a->kind, HF_SYNC_REPLAY);
	assert_int_equal(a->attempts_max, 3);
	assert_int_equal(a->max_age_s, CONFIG_HF_SYNC_MAX_AGE_S);
	a = hf_manifest_sync(m, HF_SPAN("menu"));
	assert_int_equal(a->kind, HF_SYNC_REFRESH);
	assert_int_equal(a->refresh_n, 2);
	assert_string_equal(a->refresh[1], "/x?y");
	assert_int_equal(a->max_age_s, 90);
	a = hf_manifest_sync(m, HF_SPAN("report"));
	assert_int_equal(a->kind, HF_SYNC_REQUEST);
	assert_string_equal(a->method, "PUT");
	assert_string_equal(a->target, "/r");
	assert_string_equal(a->body, "b");
	assert_int_equal(a->fields_n, 1);
	assert_string_equal(a->fields[0].name, "Content-Type");
	assert_string_equal(a->fields[0].value, "text/plain");
	assert_int_equal(a->time_limit_s, 20);
	assert_int_equal(a->retry_s, 7);
	assert_ptr_equal(hf_manifest_sync(m, HF_SPAN("other")), &m->sync[3]);
	hf_manifest_destroy(m);
}

static void knows_nothing_of_a_tag_without_an_entry(void **state)
{
	struct hf_manifest *m = good("{\"sync\":[{\"tag\":\"a\",\"request\":{\"url\":\"/r\"}}]}");

	(void)state;
	assert_null(hf_manifest_sync(m, HF_SPAN("b")));
	assert_string_equal(m->sync[0].method, "POST");
	assert_null(m->sync[0].body);
	assert_int_equal(m->sync[0].retry_s, CONFIG_HF_SYNC_RETRY_S);
	hf_manifest_destroy(m);
}

static void reads_periodic_entries(void **state)
{
	struct hf_manifest *m = good(
		"{" ROUTES "\"periodicSync\":[{\"tag\":\"menu\",\"minInterval\":3600000,\n"
		"\"refresh\":[\"/m\"],\"metered\":false,\"captive\":true,\n"
		"\"window\":{\"from\":\"22:30\",\"to\":\"05:00\"},\"timeoutSeconds\":9},\n"
		"{\"tag\":\"orders\",\"replay\":true},{\"tag\":\"*\",\"request\":{\"url\":\"/r\"}}]}");
	const struct hf_periodic_sync *p = hf_manifest_periodic(m, HF_SPAN("menu"));

	(void)state;
	assert_true(p->declared);
	assert_int_equal(p->min_interval_ms, 3600000);
	assert_int_equal(p->action.kind, HF_SYNC_REFRESH);
	assert_int_equal(p->action.time_limit_s, 9);
	assert_true(p->unmetered);
	assert_true(p->captive);
	assert_true(p->has_window);
	assert_int_equal(p->from_min, 22 * 60 + 30);
	assert_int_equal(p->to_min, 300);
	p = hf_manifest_periodic(m, HF_SPAN("orders"));
	assert_false(p->declared || p->unmetered || p->captive || p->has_window);
	assert_int_equal(p->action.kind, HF_SYNC_REPLAY);
	assert_ptr_equal(hf_manifest_periodic(m, HF_SPAN("x")), &m->periodic[2]);
	hf_manifest_destroy(m);
}

static const struct {
	const char *text, *faults;
} bad[] = {
	{ "{\"periodicSync\":[{\"tag\":\"*\",\"minInterval\":60000}]}",
	  "m.json:1: periodicSync[0].minInterval: does not go with \"*\", which is no tag\n" },
	{ "{\"periodicSync\":[{\"tag\":\"a\",\"page\":true,\n\"refresh\":[\"/\"]}]}",
	  "m.json:2: periodicSync[0].refresh: does not go with \"page\": one entry does one thing\n" },
	{ "{\"periodicSync\":[{\"tag\":\"a\",\"metered\":\"no\"}]}",
	  "m.json:1: periodicSync[0].metered: must be true or false\n" },
	{ "{\"periodicSync\":[{\"tag\":\"a\",\"window\":{\"from\":\"24:00\",\n\"to\":\"5:00\"}}]}",
	  "m.json:1: periodicSync[0].window.from: must be a time of the day, as \"22:30\"\n"
	  "m.json:2: periodicSync[0].window.to: must be a time of the day, as \"22:30\"\n" },
	{ "{\"periodicSync\":[{\"tag\":\"a\",\"window\":{\"from\":\"05:00\",\"to\":\"05:00\"}}]}",
	  "m.json:1: periodicSync[0].window: begins when it ends\n" },
	{ "{\"periodicSync\":[{\"tag\":\"a\",\"window\":{\"from\":\"01:00\"}}]}",
	  "m.json:1: periodicSync[0].window: \"to\" is missing\n" },
	{ "{\"periodicSync\":[{\"tag\":\"order\",\"replay\":true}]}",
	  "m.json:1: periodicSync[0]: replays \"order\", but no route queues with this tag\n" },
	{ "{\"sync\":{}}", "m.json:1: sync: must be an array, not an object\n" },
	{ "{\n\"sync\":[\n{\"page\":true}]}", "m.json:3: sync[0]: \"tag\" is missing\n" },
	{ "{\"sync\":[{\"tag\":\"a\"}]}", "m.json:1: sync[0]: has none of \"page\", \"replay\", "
					  "\"refresh\", \"request\"\n" },
	{ "{\"sync\":[{\"tag\":\"a\",\"page\":true,\n\"refresh\":[\"/\"]}]}",
	  "m.json:2: sync[0].refresh: does not go with \"page\": one entry does one thing\n" },
	{ "{\"sync\":[{\"tag\":\"a\",\"page\":false}]}", "m.json:1: sync[0].page: must be true\n" },
	{ "{\"sync\":[{\"tag\":\"a\",\"refresh\":[]}]}", "m.json:1: sync[0].refresh: is empty\n" },
	{ "{\"sync\":[{\"tag\":\"a\",\"page\":true},\n{\"tag\":\"a\",\"page\":true}]}",
	  "m.json:2: sync[1]: has the tag of sync[0]\n" },
	{ "{" ROUTES "\"sync\":[{\"tag\":\"order\",\"replay\":true}]}",
	  "m.json:2: sync[0]: replays \"order\", but no route queues with this tag\n" },
	{ "{\"sync\":[{\"tag\":\"a\",\"request\":{}}]}",
	  "m.json:1: sync[0].request: \"url\" is missing\n" },
	{ "{\"sync\":[{\"tag\":\"a\",\"request\":{\"url\":\"/\",\"method\":\"GET\",\n\"body\":\"x\"}}]}",
	  "m.json:2: sync[0].request.body: does not go with GET\n" },
	{ "{\"sync\":[{\"tag\":\"a\",\"request\":{\"url\":\"/\",\"fields\":{\"a b\":\"c\",\n"
	  "\"host\":\"x\"}}}]}",
	  "m.json:1: sync[0].request.fields.a b: \"a b\" is not the name of a header field\n"
	  "m.json:2: sync[0].request.fields.host: \"host\" is set by Holdfast\n" },
	{ "{\"sync\":[{\"tag\":\"a\",\"request\":{\"url\":\"/\",\"fields\":[]}}]}",
	  "m.json:1: sync[0].request.fields: must be an object of names and values\n" },
};

static void every_fault_has_its_line(void **state)
{
	struct hf_manifest *m;
	char faults[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i].text, &m, faults) != HF_ECONFIG)
			fail_msg("taken: %s", bad[i].text);
		assert_string_equal(faults, bad[i].faults);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_kind),
		cmocka_unit_test(knows_nothing_of_a_tag_without_an_entry),
		cmocka_unit_test(reads_periodic_entries),
		cmocka_unit_test(every_fault_has_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The scenario language: what lines mean, and how a wrong one is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "script.h"
#include "stage.h"

struct parsed {
	struct sim_plan plan;
	char *errors;
	int err;
};

static void parse(struct parsed *p, const char *text)
{
	size_t size = 0;
	FILE *errors;

	p->errors = NULL;
	errors = open_memstream(&p->errors, &size);
	assert_non_null(errors);
	sim_plan_init(&p->plan);
	p->err = sim_script_parse("t.scn", text, &p->plan, errors);
	fclose(errors);
}

static void drop(struct parsed *p)
{
	sim_plan_finish(&p->plan);
	free(p->errors);
}

static void parse_good(struct parsed *p, const char *text)
{
	parse(p, text);
	if (p->err)
		fail_msg("%s", p->errors);
}

static void assert_fault(const char *text, const char *message)
{
	struct parsed p;

	parse(&p, text);
	assert_int_equal(p.err, -1);
	assert_string_equal(p.errors, message);
	drop(&p);
}

static void reads_actions_with_their_times(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "at 5s link down # the cable\n"
		       "\n"
		       "panel POST /api/orders body \"two coffees\"\n"
		       "after 250ms cut power at write 17 and at write 3 of the next start\n"
		       "at 1h30m origin answers 503 retry-after 2m\n"
		       "expect 202 or 201 within 10s\n");
	assert_int_equal(p.plan.n, 5);
	assert_int_equal(p.plan.v[0].what, SIM_DO_LINK);
	assert_int_equal(p.plan.v[0].a, SIM_LINK_DOWN);
	assert_int_equal(p.plan.v[0].at_us, 5 * SIM_US_PER_S);
	assert_int_equal(p.plan.v[1].what, SIM_DO_ORDER);
	assert_int_equal(p.plan.v[1].at_us, SIM_NEVER);
	assert_string_equal(p.plan.v[1].path, "/api/orders");
	assert_string_equal(p.plan.v[1].body, "two coffees");
	assert_int_equal(p.plan.v[2].after_us, 250 * SIM_US_PER_MS);
	assert_int_equal(p.plan.v[2].a, 17);
	assert_int_equal(p.plan.v[2].b, 3);
	assert_int_equal(p.plan.v[3].at_us, 90 * SIM_US_PER_MIN);
	assert_int_equal(p.plan.v[3].a, 503);
	assert_int_equal(p.plan.v[3].b, 120);
	assert_int_equal(p.plan.v[4].status[0], 202);
	assert_int_equal(p.plan.v[4].status[1], 201);
	assert_int_equal(p.plan.v[4].status[2], 0);
	assert_int_equal(p.plan.v[4].within_us, 10 * SIM_US_PER_S);
	assert_int_equal(p.plan.v[4].line, 6);
	drop(&p);
}

static void a_time_of_day_is_the_next_one_after_the_beginning(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "begins 06:00\n"
		       "at 09:12 link down\n"
		       "at 03:00 link up\n"
		       "at day 2 06:00:30 link down\n"
		       "every 5m to 14m until 22:30 panel GET /\n");
	assert_int_equal(p.plan.v[0].at_us, 192 * SIM_US_PER_MIN);
	assert_int_equal(p.plan.v[1].at_us, 21 * SIM_US_PER_H);
	assert_int_equal(p.plan.v[2].at_us, 24 * SIM_US_PER_H + 30 * SIM_US_PER_S);
	assert_int_equal(p.plan.v[3].until_us, 990 * SIM_US_PER_MIN);
	assert_int_equal(p.plan.v[3].times, SIM_NEVER);
	drop(&p);
}

static void repeats_a_number_of_times_at_some_distance(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "repeat 30 every 10s to 40s panel POST /a body \"order {n}\"\n");
	assert_int_equal(p.plan.v[0].times, 30);
	assert_int_equal(p.plan.v[0].every_low_us, 10 * SIM_US_PER_S);
	assert_int_equal(p.plan.v[0].every_high_us, 40 * SIM_US_PER_S);
	drop(&p);
}

static void blocks_are_taken_as_they_are(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "title \"T\"\n"
		       "manifest\n"
		       "  { \"routes\": [] } # not a comment\n"
		       "end\n"
		       "link up\n");
	assert_string_equal(p.plan.title, "T");
	assert_string_equal(p.plan.manifest, "  { \"routes\": [] } # not a comment\n");
	assert_int_equal(p.plan.v[0].line, 5);
	drop(&p);
}

static void tells_where_a_line_is_wrong(void **state)
{
	(void)state;
	assert_fault("at 5s link sideways\n", "t.scn:1:12: a link is up, down, dead, bare, "
					      "captive, metered or unmetered, or flaps\n"
					      "    at 5s link sideways\n"
					      "               ^\n");
	assert_fault("at 5 link up\n",
		     "t.scn:1:4: a time is expected here, like 5s, 1h30m or 08:15\n"
		     "    at 5 link up\n"
		     "       ^\n");
	assert_fault("at 08:15 link up\n", "t.scn:1:4: a time of day needs \"begins HH:MM\" above\n"
					   "    at 08:15 link up\n"
					   "       ^\n");
	assert_fault("link up now\n", "t.scn:1:9: the line should end here\n"
				      "    link up now\n"
				      "            ^\n");
	assert_fault("\n\npanel POST api\n",
		     "t.scn:3:12: a path is expected here, like /api/orders\n"
		     "    panel POST api\n"
		     "               ^\n");
	assert_fault("cut power at write 0\n", "t.scn:1:20: writes are counted from 1\n"
					       "    cut power at write 0\n"
					       "                       ^\n");
	assert_fault("expect origin received\n", "t.scn:1:23: a number is expected here\n"
						 "    expect origin received\n"
						 "                          ^\n");
	assert_fault("every 5s expect lost 0\n", "t.scn:1:23: what waits stands alone, once\n"
						 "    every 5s expect lost 0\n"
						 "                          ^\n");
}

static void names_who_takes_part(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "device kitchen\n"
		       "device bar\n"
		       "panel B on bar\n"
		       "origin parts https://parts.example\n"
		       "at 5s bar link down\n"
		       "panel B POST /api/orders to parts body \"x\"\n"
		       "origin parts down\n"
		       "expect bar origin parts received 1\n"
		       "origin down\n");
	assert_int_equal(p.plan.cast.devices_n, 2);
	assert_string_equal(p.plan.cast.panels[0].device, "bar");
	assert_string_equal(p.plan.cast.origins[0].url, "https://parts.example");
	assert_string_equal(p.plan.v[0].device, "bar");
	assert_int_equal(p.plan.v[0].a, SIM_LINK_DOWN);
	assert_string_equal(p.plan.v[1].panel, "B");
	assert_string_equal(p.plan.v[1].origin, "parts");
	assert_string_equal(p.plan.v[2].origin, "parts");
	assert_int_equal(p.plan.v[2].what, SIM_DO_ORIGIN_DOWN);
	assert_string_equal(p.plan.v[3].device, "bar");
	assert_string_equal(p.plan.v[3].origin, "parts");
	assert_null(p.plan.v[4].origin);
	drop(&p);
	assert_fault("panel B on bar\n",
		     "t.scn:1:12: a device that was named above is expected here\n"
		     "    panel B on bar\n"
		     "               ^\n");
}

static void reads_faults_with_their_options(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "link captive 511\n"
		       "link flaps 3s down 10s up\n"
		       "dns slow 8s\n"
		       "network resets answers at byte 120\n"
		       "network carries 20kB\n"
		       "clock jumps back 3h\n"
		       "disk fails at operation 7\n"
		       "disk fails 5%\n"
		       "memory fails at allocation 90\n"
		       "process crashes 4 times after 200ms\n"
		       "expect held 1 for auth within 5s\n"
		       "expect idle for 1h\n");
	assert_int_equal(p.plan.v[0].b, SIM_PORTAL_511);
	assert_int_equal(p.plan.v[1].a, 3 * SIM_US_PER_S);
	assert_int_equal(p.plan.v[1].b, 10 * SIM_US_PER_S);
	assert_int_equal(p.plan.v[2].a, SIM_DNS_SLOW);
	assert_int_equal(p.plan.v[3].a, SIM_NET_RESETS);
	assert_int_equal(p.plan.v[3].b, 120);
	assert_int_equal(p.plan.v[3].c, SIM_ANSWERS);
	assert_int_equal(p.plan.v[4].b, 20000);
	assert_int_equal(p.plan.v[5].a, SIM_CLOCK_BACK);
	assert_int_equal(p.plan.v[6].a, SIM_DISK_FAILS_AT);
	assert_int_equal(p.plan.v[7].a, SIM_DISK_FAILS);
	assert_int_equal(p.plan.v[8].a, 90);
	assert_int_equal(p.plan.v[9].b, 4);
	assert_int_equal(p.plan.v[9].c, 200 * SIM_US_PER_MS);
	assert_string_equal(p.plan.v[10].body, "held");
	assert_string_equal(p.plan.v[10].path, "auth");
	assert_int_equal(p.plan.v[11].a, SIM_US_PER_H);
	drop(&p);
}

static void tells_of_every_wrong_line(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "link\nlink up\nlink\n");
	assert_int_equal(p.err, -1);
	assert_non_null(strstr(p.errors, "t.scn:1:5:"));
	assert_non_null(strstr(p.errors, "t.scn:3:5:"));
	drop(&p);
}

static void a_configuration_names_its_origins(void **state)
{
	struct parsed p;

	(void)state;
	parse_good(&p, "config\n"
		       "[agent]\nlisten = 127.0.0.1:8480\n"
		       "# the oven\n"
		       "[origin oven]\nurl = http://oven.example\n"
		       "[origin parts]\nhost = parts.localhost\nurl = https://parts.example\n"
		       "end\n"
		       "panel POST /bread to parts\n");
	assert_int_equal(p.plan.cast.origins_n, 2);
	assert_string_equal(p.plan.cast.origins[0].name, "oven");
	assert_string_equal(p.plan.cast.origins[0].url, "http://oven.example");
	assert_string_equal(p.plan.cast.origins[1].url, "https://parts.example");
	assert_string_equal(
		p.plan.config,
		"[agent]\nlisten = 127.0.0.1:8480\n# the oven\n"
		"[origin oven]\nhost = oven.localhost\nurl = http://oven.example\n"
		"[origin parts]\nhost = parts.localhost\nurl = https://parts.example\n");
	drop(&p);
}

static void a_configuration_that_no_panel_can_call_is_told(void **state)
{
	(void)state;
	assert_fault("config\n[origin o]\nurl = http://o.example:8080\nend\n",
		     "t.scn:3:7: the url of origin o has to be like http://o.example: no port and "
		     "no path\n    url = http://o.example:8080\n          ^\n");
	assert_fault("wait 1s\nconfig\n# pages\n[agent]\n  listen=0.0.0.0:80\n\nend\n",
		     "t.scn:5:10: listen has to be 127.0.0.1:8480, where the panels call\n"
		     "      listen=0.0.0.0:80\n             ^\n");
	assert_fault("config\n[origin o]\nurl = http://o.example\nhost = shop.local\nend\n",
		     "t.scn:4:8: the host of origin o has to be o.localhost, as the panels call "
		     "it\n    host = shop.local\n           ^\n");
}

static void a_fault_in_a_file_of_the_configuration_is_told_there(void **state)
{
	static const char path[] = "t_config.conf";
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	fputs("[agent]\nlisten = 0.0.0.0:80\n", f);
	fclose(f);
	assert_fault("wait 1s\nconfig t_config.conf\n",
		     "t_config.conf:2:10: listen has to be 127.0.0.1:8480, where the panels call\n"
		     "    listen = 0.0.0.0:80\n             ^\n");
	remove(path);
}

static void a_file_that_is_missing_is_told(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "manifest no/such.json\n");
	assert_int_equal(p.err, -1);
	assert_non_null(strstr(p.errors, "no/such.json: No such file"));
	assert_non_null(strstr(p.errors, "t.scn:1:10: this file cannot be read"));
	drop(&p);
}

static void a_block_without_end_is_told(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "manifest\n{}\n");
	assert_int_equal(p.err, -1);
	assert_non_null(strstr(p.errors, "the block has no \"end\""));
	drop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_actions_with_their_times),
		cmocka_unit_test(a_time_of_day_is_the_next_one_after_the_beginning),
		cmocka_unit_test(repeats_a_number_of_times_at_some_distance),
		cmocka_unit_test(blocks_are_taken_as_they_are),
		cmocka_unit_test(tells_where_a_line_is_wrong),
		cmocka_unit_test(names_who_takes_part),
		cmocka_unit_test(reads_faults_with_their_options),
		cmocka_unit_test(tells_of_every_wrong_line),
		cmocka_unit_test(a_configuration_names_its_origins),
		cmocka_unit_test(a_configuration_that_no_panel_can_call_is_told),
		cmocka_unit_test(a_fault_in_a_file_of_the_configuration_is_told_there),
		cmocka_unit_test(a_file_that_is_missing_is_told),
		cmocka_unit_test(a_block_without_end_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

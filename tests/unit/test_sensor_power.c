/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power goes at every operation of the disk while sensors post: what was answered
 * 2.01 is there afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sensor_case.h"
#include "sim/disk.h"
#include "sim/vfs.h"

#define READINGS 12

static struct sim_disk *disk;
static struct sim_vfs *vfs;
static char answered[READINGS][27]; /* by reading; "": it was not */

static const char *vfs_name(struct hf_port *port)
{
	(void)port;
	return sim_vfs_name(vfs);
}

static void begin(uint64_t seed)
{
	disk = sim_disk_create(seed, "disk");
	vfs = sim_vfs_create(disk, "sensor-disk", seed, NULL, NULL);
	sensor_rig_init(&rig);
	rig.panel.net.port.vfs_name = vfs_name;
	panel_rig_origin_down(&rig.panel, true);
	sensor_rig_start(&rig);
	memset(answered, 0, sizeof(answered));
}

static void end(void)
{
	sensor_rig_finish(&rig);
	sim_vfs_destroy(vfs);
	sim_disk_destroy(disk);
}

static void take_answers(void)
{
	while (sensor_rig_take(&rig, &answer))
		if (answer.head.code == CREATED && answer.token_len == 1)
			location(answered[answer.token[0] - 'a']);
}

/* Three at a time share a commit; some sensors ask again. */
static void work(void)
{
	for (unsigned i = 0; i < READINGS; i++) {
		char token[2] = { (char)('a' + i), '\0' }, body[32];
		struct sensor_ask ask = { .code = POST,
					  .path = "/api/readings",
					  .token = token,
					  .mid = (uint16_t)(100 + i),
					  .payload = body,
					  .port = (uint16_t)(5000 + i % 4) };
		char bytes[HF_COAP_DATAGRAM_MAX];
		size_t len;

		snprintf(body, sizeof(body), "reading %u", i);
		len = sensor_rig_format(&rig, &ask, bytes);
		rig.panel.hold_jobs = i % 3 != 2;
		sensor_rig_send(&rig, ask.port, bytes, len);
		if (i % 6 == 5)
			sensor_rig_send(&rig, ask.port, bytes, len);
		take_answers();
	}
	rig.panel.hold_jobs = false;
	panel_rig_settle(&rig.panel);
	take_answers();
}

static unsigned check(void)
{
	unsigned n = 0;
	char text[256];

	for (unsigned i = 0; i < READINGS; i++) {
		const char *found;

		if (!answered[i][0])
			continue;
		n++;
		snprintf(text, sizeof(text),
			 "GET /.holdfast/requests/%.26s HTTP/1.1\r\nHost: localhost\r\n\r\n",
			 answered[i]);
		found = panel_rig_ask(&rig.panel, panel_rig_connect(&rig.panel), text);
		if (!strstr(found, "\"state\":\"queued\""))
			fail_msg("reading %u was answered and is lost: %s", i, found);
	}
	return n;
}

static uint64_t operations(void)
{
	uint64_t before, n;

	begin(1);
	before = sim_disk_stats(disk)->ops;
	work();
	n = sim_disk_stats(disk)->ops - before;
	assert_int_equal(check(), READINGS);
	end();
	return n;
}

static void what_was_answered_survives(void **state)
{
	uint64_t n = operations();
	unsigned some = 0;

	(void)state;
	assert_true(n > READINGS / 3);
	for (uint64_t at = 1; at <= n; at++) {
		for (uint64_t seed = 1; seed <= 2; seed++) {
			begin(seed * 1000 + at);
			sim_disk_cut_at(disk, at);
			work();
			if (!sim_disk_is_dead(disk))
				sim_disk_cut(disk);
			sensor_rig_stop(&rig);
			sim_disk_revive(disk);
			sensor_rig_again(&rig);
			some += check();
			end();
		}
	}
	assert_true(some > n); /* it was about something */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_was_answered_survives) };

	(void)set_up;
	(void)tear_down;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

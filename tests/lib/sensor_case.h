/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of one sensor rig each. After cmocka.h. */
#ifndef HF_TESTS_SENSOR_CASE_H
#define HF_TESTS_SENSOR_CASE_H

#include "lib/sensor_rig.h"

#define GET	HF_COAP_CODE(0, 1)
#define POST	HF_COAP_CODE(0, 2)
#define PUT	HF_COAP_CODE(0, 3)
#define CREATED HF_COAP_CODE(2, 1)
#define CHANGED HF_COAP_CODE(2, 4)
#define CONTENT HF_COAP_CODE(2, 5)

static struct sensor_rig rig;
static struct hf_coap_message answer;

static int set_up(void **state)
{
	(void)state;
	sensor_rig_init(&rig);
	panel_rig_origin_down(&rig.panel, true);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sensor_rig_finish(&rig);
	return 0;
}

/* One answer comes, of this code. */
static inline void expect(const struct sensor_ask *ask, uint8_t code)
{
	bool there = sensor_rig_ask(&rig, ask, &answer);

	assert_true(there);
	assert_int_equal(answer.head.code, code);
	assert_int_equal(rig.sent_n, rig.taken);
}

/* The id in Location-Path. */
static inline void location(char id[27])
{
	struct hf_span last = { NULL, 0 };

	for (size_t i = 0; i < answer.head.n; i++)
		if (answer.head.options[i].number == HF_COAP_LOCATION_PATH)
			last = answer.head.options[i].value;
	assert_int_equal(last.len, 26);
	memcpy(id, last.ptr, 26);
	id[26] = '\0';
}

#endif

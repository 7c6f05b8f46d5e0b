/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of one panel rig each, with what they look for in texts. After
 * cmocka.h. */
#ifndef HF_TESTS_PANEL_CASE_H
#define HF_TESTS_PANEL_CASE_H

#include "lib/panel_rig.h"

static struct panel_rig rig;

static int set_up(void **state)
{
	(void)state;
	panel_rig_init(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	panel_rig_finish(&rig);
	return 0;
}

#define HAS(text, part)                                                    \
	do {                                                               \
		const char *has_text = (text);                             \
		if (!strstr(has_text, part))                               \
			fail_msg("\"%s\" is not in:\n%s", part, has_text); \
	} while (0)
#define HAS_NOT(text, part)                                            \
	do {                                                           \
		const char *has_text = (text);                         \
		if (strstr(has_text, part))                            \
			fail_msg("\"%s\" is in:\n%s", part, has_text); \
	} while (0)

/* The device has made one more connection to the origin. */
static inline struct fake_peer *origin(void)
{
	struct fake_peer *p = panel_rig_origin(&rig);

	assert_non_null(p);
	return p;
}

#endif

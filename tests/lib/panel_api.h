/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of /.holdfast/ by a page and by the operator, and orders that wait. After
 * cmocka.h. */
#ifndef HF_TESTS_PANEL_API_H
#define HF_TESTS_PANEL_API_H

#include <stdio.h>
#include <string.h>

#include "lib/panel_case.h"

static inline const char *call(struct fake_peer *peer, const char *method, const char *path)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "%s /.holdfast/%s HTTP/1.1\r\nHost: " PANEL_RIG_HOST
		 "\r\nContent-Length: 0\r\n\r\n",
		 method, path);
	return panel_rig_ask(&rig, peer, text);
}

static inline const char *page(const char *method, const char *path)
{
	return call(panel_rig_connect(&rig), method, path);
}

static inline const char *operator(const char *method, const char *path)
{
	return call(panel_rig_connect_control(&rig), method, path);
}

/* Orders while the origin is down; the id of the last one. */
static inline void order(const char *body, char id[27])
{
	struct fake_peer *panel = panel_rig_connect(&rig);
	char head[512];
	const char *at;

	snprintf(head, sizeof(head),
		 "POST /api/orders HTTP/1.1\r\nHost: " PANEL_RIG_HOST "\r\nX-Page: 1\r\n"
		 "Content-Length: %zu\r\n\r\n",
		 strlen(body));
	fake_peer_send(panel, head);
	at = strstr(panel_rig_ask(&rig, panel, body), "/requests/");
	assert_non_null(at);
	memcpy(id, at + strlen("/requests/"), 26);
	id[26] = '\0';
}

static inline void start_offline(void)
{
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
}

#endif

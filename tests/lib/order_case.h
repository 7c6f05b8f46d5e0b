/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of requests that a route queues: POST /api/orders. */
#ifndef HF_TESTS_ORDER_CASE_H
#define HF_TESTS_ORDER_CASE_H

#include "lib/panel_case.h"

#define HEAD		 "POST /api/orders HTTP/1.1\r\nHost: " PANEL_RIG_HOST "\r\n"
#define ORDER(body, len) HEAD "Content-Length: " len "\r\n\r\n" body
#define CREATED		 "HTTP/1.1 201 Created\r\nContent-Length: 4\r\nX-Order: 7\r\n\r\nmade"
#define UNAVAILABLE	 "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"

static inline const char *ask(const char *text)
{
	struct fake_peer *panel = panel_rig_connect(&rig);

	return panel_rig_ask(&rig, panel, text);
}

/* The id in a 202. */
static inline void id_of(const char *text, char id[27])
{
	const char *at = strstr(text, "Location: /.holdfast/requests/");

	if (!at)
		fail_msg("no Location in:\n%s", text);
	memcpy(id, at + strlen("Location: /.holdfast/requests/"), 26);
	id[26] = '\0';
}

static inline const char *get(const char *id, const char *what)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "GET /.holdfast/requests/%s%s HTTP/1.1\r\nHost: localhost\r\n\r\n", id, what);
	return ask(text);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control page's server.
 *
 *   GET  /          the page
 *   GET  /feed      what happens, live/feed.h
 *   POST /levers    live/levers.h
 *   POST /do        {"what": "cut" | "boot" | "sync" | "rush", "n": 20}
 *
 * It answers only to its own loopback names, and takes posts only from its own
 * page: pages of other sites that are open in the same browser reach nothing.
 */
#ifndef LIVE_CONTROL_H
#define LIVE_CONTROL_H

#include "live/server.h"

/* on_request of a live_server, @user a struct live_session. */
void live_control_request(void *user, struct live_conn *c, const struct live_request *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a captive portal says to every request. */
#ifndef LIVE_PORTAL_H
#define LIVE_PORTAL_H

#include "live/server.h"

/* @redirect: 302 to a login page elsewhere, else 200 and the page itself. */
void live_portal_answer(struct live_conn *c, const struct live_request *r, bool redirect);

#endif

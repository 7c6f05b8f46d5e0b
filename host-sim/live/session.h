/* SPDX-License-Identifier: Apache-2.0 */
/* One run of `holdfast-sim live`: its parts, and what is known about it. */
#ifndef LIVE_SESSION_H
#define LIVE_SESSION_H

#include "live/daemon.h"
#include "live/feed.h"
#include "live/levers.h"
#include "live/relay.h"
#include "live/rush.h"
#include "live/sensors.h"
#include "live/setup.h"
#include "live/watch.h"

struct live_session {
	struct live_bench bench;
	struct live_setup setup;
	uint16_t panel_port, control_port;
	char *origin_url; /* the user's; NULL: the demo shop */
	struct live_levers levers;
	struct live_journal journal;
	struct live_relay *relay;
	struct live_shop *shop;	      /* NULL: the origin is the user's */
	struct live_meter *meter;     /* NULL: no CoAP in this build, or no demo */
	struct live_sensors *sensors; /* as meter */
	struct live_daemon daemon;
	struct live_watch watch;
	struct live_rush rush;
	struct live_call sync; /* the control page's "try now" */
	struct live_feed feed;
	struct live_server control;
	bool ending;
};

/* Puts the levers into effect. The errors of hf_port.listen. */
int live_session_apply(struct live_session *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the control page sees, as server-sent events:
 *
 *   state   everything but the series, when something has changed, at most
 *           every 150 ms
 *   series  the depth of the queue so far, at the start of a stream
 *   sample  one more of it, every half second
 *
 * A sample is [seconds, depth, trouble], trouble a sum of enum live_trouble.
 */
#ifndef LIVE_FEED_H
#define LIVE_FEED_H

#include <stdint.h>

#include "base/timerq.h"

struct live_session;
struct live_conn;

enum live_trouble {
	LIVE_TROUBLE_LINK = 1,
	LIVE_TROUBLE_ORIGIN = 2, /* down, or in a bad mood */
	LIVE_TROUBLE_POWER = 4,
	LIVE_TROUBLE_PORTAL = 8,
	LIVE_TROUBLE_LINE = 16, /* slow or shaky */
};

struct live_sample {
	uint32_t at_ms;
	uint32_t depth;
	uint32_t trouble;
};

#define LIVE_SAMPLES_MAX 1200

struct live_feed {
	struct live_session *session;
	struct live_sample samples[LIVE_SAMPLES_MAX]; /* a ring */
	unsigned samples_n;			      /* all there ever were */
	struct hf_timer sample, state;
};

void live_feed_init(struct live_feed *f, struct live_session *s);
void live_feed_finish(struct live_feed *f);
/* A new reader. */
void live_feed_open(struct live_feed *f, struct live_conn *c);
/* Something has changed. */
void live_feed_touch(struct live_feed *f);

#endif

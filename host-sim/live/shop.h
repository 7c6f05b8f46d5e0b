/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demo origin: serves the panel's page, has a menu, and takes orders. It
 * honours Idempotency-Key, as the contract with holdfastd asks of an origin: a
 * repeated key gets the first answer again and no second effect. What it has
 * done survives its being killed.
 *
 * The panel writes an identity of its own into each order ("ref"). By that the
 * shop knows when one order was made twice under different keys.
 */
#ifndef LIVE_SHOP_H
#define LIVE_SHOP_H

#include "live/journal.h"
#include "live/server.h"

enum live_mood {
	LIVE_MOOD_OK,
	LIVE_MOOD_BUSY,	  /* 503 with Retry-After, no effect */
	LIVE_MOOD_BROKEN, /* 500, no effect */
	LIVE_MOOD_LOSES,  /* does the order, then resets the connection */
	LIVE_MOODS
};

struct live_shop;

struct live_shop *live_shop_create(struct live_bench *b, struct live_journal *j, uint16_t port);
void live_shop_destroy(struct live_shop *s);
/* The errors of hf_port.listen. */
int live_shop_up(struct live_shop *s, bool up);
void live_shop_mood(struct live_shop *s, enum live_mood mood);
const char *live_mood_name(enum live_mood mood);

#endif

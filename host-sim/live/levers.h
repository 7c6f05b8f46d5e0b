/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the control page can set, as one struct and as the JSON object that the
 * page posts: any of these members, the others stay.
 *
 *   link        true, false
 *   portal      "off", "page", "redirect"
 *   origin      true, false
 *   mood        "ok", "busy", "broken", "loses"     (the demo shop only)
 *   slow        true, false: delayMs and kbytesPerS apply
 *   delayMs     0 to 5000, each way
 *   kbytesPerS  1 to 10000
 *   shaky       true, false: one packet in five ends its connection
 *   autoBoot    true, false: three seconds after a cut
 */
#ifndef LIVE_LEVERS_H
#define LIVE_LEVERS_H

#include <cjson/cJSON.h>

#include "live/relay.h"
#include "live/shop.h"

struct live_levers {
	bool link, origin, slow, shaky, auto_boot;
	enum live_portal portal;
	enum live_mood mood;
	uint32_t delay_ms, kbytes_per_s;
};

void live_levers_init(struct live_levers *l);
/* HF_EINVAL: a member is not as above; nothing is changed then. */
int live_levers_read(struct live_levers *l, const cJSON *json);
/* Adds every member to @json. */
void live_levers_write(const struct live_levers *l, cJSON *json);
void live_levers_weather(const struct live_levers *l, struct live_weather *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "live/rush.h"

#include <inttypes.h>
#include <stdio.h>

#define PAUSE_MS 60
#define LEFT_MAX 500

static void next(void *user)
{
	static const char *const items[] = { "coffee",	  "flatwhite", "tea",  "juice",
					     "croissant", "roll",      "soup", "cake" };
	struct live_rush *r = user;
	struct live_bench *b = r->client.bench;
	char body[160];

	if (r->left == 0 || live_call_runs(&r->call))
		return;
	r->left--;
	r->made++;
	snprintf(body, sizeof(body),
		 "{\"ref\":\"rush-%u-%016" PRIx64 "\",\"lines\":[{\"id\":\"%s\",\"n\":%u}]}",
		 r->made, hf_rand_u64(&b->rand), items[hf_rand_below(&b->rand, 8)],
		 1 + (unsigned)hf_rand_below(&b->rand, 3));
	live_call_start(&r->call, "POST", "/api/orders", hf_span_str(body));
}

static void done(void *user, int status, struct hf_span body)
{
	struct live_rush *r = user;

	(void)body;
	if (status == 0)
		r->left = 0;
	live_bench_after(r->client.bench, &r->pause, PAUSE_MS);
}

void live_rush_add(struct live_rush *r, unsigned n)
{
	r->left = r->left + n < LEFT_MAX ? r->left + n : LEFT_MAX;
	next(r);
}

void live_rush_init(struct live_rush *r, struct live_bench *b, uint16_t port)
{
	*r = (struct live_rush){ 0 };
	live_client_init(&r->client, b, port);
	live_call_init(&r->call, &r->client, done, r);
	hf_timer_init(&r->pause, next, r);
}

void live_rush_finish(struct live_rush *r)
{
	if (!r->client.bench)
		return;
	hf_timerq_clear(&r->client.bench->timers, &r->pause);
	live_call_cancel(&r->call);
	live_client_finish(&r->client);
}

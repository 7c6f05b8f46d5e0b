/* SPDX-License-Identifier: Apache-2.0 */
#include "report/bands.h"

#include <stdarg.h>

#include "report.h"
#include "sim/mem.h"

/* True when the band has to begin a new span: @key stands for the state. */
static bool is_new(struct sim_band *b, uint64_t key)
{
	if (b->n && b->key == key)
		return false;
	b->key = key;
	return true;
}

__attribute__((format(printf, 4, 5))) static void
begin_span(struct sim_band *b, uint64_t now_us, enum sim_mood mood, const char *fmt, ...)
{
	struct sim_span *s;
	va_list ap;

	b->v = sim_grow(b->v, b->n, &b->cap, sizeof(*b->v));
	s = &b->v[b->n++];
	s->from_us = now_us;
	s->mood = mood;
	va_start(ap, fmt);
	vsnprintf(s->text, sizeof(s->text), fmt, ap);
	va_end(ap);
}

/* One number for several: states that differ have other numbers. */
static uint64_t mix(uint64_t key, uint64_t value)
{
	return (key ^ value) * UINT64_C(0x9e3779b97f4a7c15);
}

/* ---- devices ---- */

static void look_at_power(struct sim_band *b, uint64_t now_us)
{
	bool on = sim_device_is_lit(b->dev);

	if (is_new(b, on))
		begin_span(b, now_us, on ? SIM_MOOD_GOOD : SIM_MOOD_BAD, on ? "on" : "off");
}

static void look_at_process(struct sim_band *b, uint64_t now_us)
{
	bool lit = sim_device_is_lit(b->dev), runs = b->dev->power == SIM_ON;

	if (!is_new(b, (uint64_t)lit << 1 | runs))
		return;
	if (!lit)
		begin_span(b, now_us, SIM_MOOD_OFF, "off");
	else
		begin_span(b, now_us, runs ? SIM_MOOD_GOOD : SIM_MOOD_BAD,
			   runs ? "runs" : "has ended");
}

static void look_at_link(struct sim_band *b, uint64_t now_us)
{
	static const struct {
		enum sim_mood mood;
		const char *text;
	} words[] = {
		[SIM_LINK_DOWN] = { SIM_MOOD_BAD, "down" },
		[SIM_LINK_UP] = { SIM_MOOD_GOOD, "up" },
		[SIM_LINK_DEAD] = { SIM_MOOD_BAD, "silent" },
		[SIM_LINK_CAPTIVE] = { SIM_MOOD_BAD, "login page" },
		[SIM_LINK_BARE] = { SIM_MOOD_BAD, "no address" },
	};
	const struct sim_node *n = b->dev->node;
	enum sim_link link = n->captive	   ? SIM_LINK_CAPTIVE :
			     n->black_hole ? SIM_LINK_DEAD :
			     n->link_up	   ? SIM_LINK_UP :
			     n->bare	   ? SIM_LINK_BARE :
					     SIM_LINK_DOWN;

	if (is_new(b, link))
		begin_span(b, now_us, words[link].mood, "%s", words[link].text);
}

static void look_at_clock(struct sim_band *b, uint64_t now_us)
{
	const struct sim_clock *c = &b->dev->clock;
	bool lit = sim_device_is_lit(b->dev), synced = c->trust == HF_CLOCK_SYNCED;
	uint64_t wrong_ms = c->error_ms < 0 ? 0 - (uint64_t)c->error_ms : (uint64_t)c->error_ms;
	char span[32];

	if (!synced || wrong_ms < 1000)
		wrong_ms = 0;
	if (!is_new(b,
		    lit ? mix(1 + (uint64_t)c->trust, (uint64_t)c->error_ms * (wrong_ms > 0)) : 0))
		return;
	if (!lit)
		begin_span(b, now_us, SIM_MOOD_OFF, "off");
	else if (wrong_ms)
		begin_span(b, now_us, SIM_MOOD_POOR, "%s %s",
			   sim_span_text(wrong_ms * SIM_US_PER_MS, span),
			   c->error_ms > 0 ? "ahead" : "behind");
	else if (synced)
		begin_span(b, now_us, SIM_MOOD_GOOD, "set by the network");
	else
		begin_span(b, now_us, SIM_MOOD_POOR, "%s",
			   c->trust == HF_CLOCK_RTC ? "from its battery" : "not set");
}

static void look_at_names(struct sim_band *b, uint64_t now_us)
{
	static const char *const words[] = {
		[SIM_DNS_WORKS] = "are found",
		[SIM_DNS_FAILS] = "are not found",
		[SIM_DNS_SLOW] = "are found late",
		[SIM_DNS_LIES] = "lead to somebody else",
	};
	enum sim_dns_mode mode = b->dev->node->dns.mode;

	if (is_new(b, mode))
		begin_span(b, now_us,
			   mode == SIM_DNS_WORKS ? SIM_MOOD_GOOD :
			   mode == SIM_DNS_SLOW	 ? SIM_MOOD_POOR :
						   SIM_MOOD_BAD,
			   "%s", words[mode]);
}

static uint64_t network_key(const struct sim_net_faults *f)
{
	uint64_t key = mix(f->latency_us, f->jitter_us);

	key = mix(key, f->loss_percent);
	key = mix(key, f->bytes_per_s);
	key = mix(key, (uint64_t)f->breaks << 1 | (uint64_t)f->direction);
	return mix(key, f->at_byte);
}

static void look_at_network(struct sim_band *b, uint64_t now_us)
{
	static const struct sim_net_faults well;
	const struct sim_net_faults *f = &b->dev->node->faults;
	uint64_t key = network_key(f);
	char span[32];

	if (!is_new(b, key))
		return;
	if (f->breaks == SIM_NET_RESETS || f->breaks == SIM_NET_STALLS)
		begin_span(b, now_us, SIM_MOOD_BAD, "connections %s",
			   f->breaks == SIM_NET_RESETS ? "are reset" : "stall");
	else if (f->loss_percent)
		begin_span(b, now_us, SIM_MOOD_POOR, "loses %u %%", f->loss_percent);
	else if (f->bytes_per_s)
		begin_span(b, now_us, SIM_MOOD_POOR, "%.1f kB/s", (double)f->bytes_per_s / 1e3);
	else if (f->latency_us || f->jitter_us)
		begin_span(b, now_us, SIM_MOOD_POOR, "%s longer",
			   sim_span_text(f->latency_us + f->jitter_us, span));
	else
		begin_span(b, now_us, key == network_key(&well) ? SIM_MOOD_GOOD : SIM_MOOD_POOR,
			   key == network_key(&well) ? "well" : "impaired");
}

static void look_at_disk(struct sim_band *b, uint64_t now_us)
{
	const struct sim_disk_faults *f = sim_disk_faults(b->dev->disk);
	uint64_t key = mix(f->capacity != UINT64_MAX, f->slow_us);
	char span[32];

	if (!is_new(b, mix(mix(key, f->fail_percent), f->rotten)))
		return;
	if (f->capacity != UINT64_MAX)
		begin_span(b, now_us, SIM_MOOD_BAD, "full");
	else if (f->fail_percent)
		begin_span(b, now_us, SIM_MOOD_BAD, "fails %u %%", f->fail_percent);
	else if (f->rotten)
		begin_span(b, now_us, SIM_MOOD_BAD, "%llu bits are wrong",
			   (unsigned long long)f->rotten);
	else if (f->slow_us)
		begin_span(b, now_us, SIM_MOOD_POOR, "%s slower", sim_span_text(f->slow_us, span));
	else
		begin_span(b, now_us, SIM_MOOD_GOOD, "well");
}

/* ---- origins ---- */

static uint64_t origin_key(const struct sim_origin *o, bool silent)
{
	const struct sim_origin_mood *m = sim_origin_mood_now(o);
	uint64_t key = (uint64_t)sim_origin_is_up(o) << 1 | silent;

	key = mix(mix(key, (uint64_t)m->status), m->retry_after_s);
	key = mix(mix(key, m->lose_percent), m->break_percent);
	return mix(mix(key, m->garble_percent), m->slow_us);
}

static void begin_mood(struct sim_band *b, uint64_t now_us, const struct sim_origin_mood *m)
{
	char after[40] = "", span[32];

	if (m->retry_after_s)
		snprintf(after, sizeof(after), ", retry after %u s", m->retry_after_s);
	if (m->status)
		begin_span(b, now_us, SIM_MOOD_BAD, "answers %d%s", m->status, after);
	else if (m->lose_percent)
		begin_span(b, now_us, SIM_MOOD_BAD, "loses %u %% of its answers", m->lose_percent);
	else if (m->break_percent)
		begin_span(b, now_us, SIM_MOOD_BAD, "breaks off %u %% of its answers",
			   m->break_percent);
	else if (m->garble_percent)
		begin_span(b, now_us, SIM_MOOD_BAD, "garbles %u %% of its answers",
			   m->garble_percent);
	else if (m->slow_us)
		begin_span(b, now_us, SIM_MOOD_POOR, "answers after %s",
			   sim_span_text(m->slow_us, span));
	else
		begin_span(b, now_us, SIM_MOOD_GOOD, "answers");
}

static void look_at_origin(struct sim_band *b, uint64_t now_us)
{
	bool silent = sim_origin_node(b->origin)->black_hole;

	if (!is_new(b, origin_key(b->origin, silent)))
		return;
	if (!sim_origin_is_up(b->origin))
		begin_span(b, now_us, SIM_MOOD_BAD, "refuses calls");
	else if (silent)
		begin_span(b, now_us, SIM_MOOD_BAD, "silent");
	else
		begin_mood(b, now_us, sim_origin_mood_now(b->origin));
}

/* ---- all of them ---- */

static struct sim_band *add_band(struct sim_bands *all, const char *name, const char *of,
				 void (*look)(struct sim_band *b, uint64_t now_us))
{
	struct sim_band *b;

	all->v = sim_grow(all->v, all->n, &all->cap, sizeof(*all->v));
	b = &all->v[all->n++];
	*b = (struct sim_band){ .name = name, .look = look };
	snprintf(b->of, sizeof(b->of), "%s", of);
	return b;
}

static void add_device(struct sim_bands *all, struct sim_device *dev)
{
	static const struct {
		const char *name;
		void (*look)(struct sim_band *b, uint64_t now_us);
		bool rare;
	} kinds[] = {
		{ "Power", look_at_power, false }, { "Process", look_at_process, true },
		{ "Link", look_at_link, false },   { "Network", look_at_network, true },
		{ "Names", look_at_names, true },  { "Clock", look_at_clock, false },
		{ "Disk", look_at_disk, true },
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct sim_band *b = add_band(all, kinds[i].name, dev->name, kinds[i].look);

		b->dev = dev;
		b->rare = kinds[i].rare;
	}
}

void sim_bands_init(struct sim_bands *all, const struct sim_stage *s)
{
	size_t i;

	memset(all, 0, sizeof(*all));
	for (i = 0; i < s->devices_n; i++)
		add_device(all, s->devices[i]);
	for (i = 0; i < s->origins_n; i++)
		add_band(all, "Origin", sim_origin_node(s->origins[i])->name, look_at_origin)
			->origin = s->origins[i];
}

void sim_bands_finish(struct sim_bands *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		free(all->v[i].v);
	free(all->v);
}

void sim_bands_look(struct sim_bands *all, uint64_t now_us)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		all->v[i].look(&all->v[i], now_us);
}

bool sim_band_tells(const struct sim_band *b)
{
	size_t i;

	for (i = 0; i < b->n && b->rare; i++)
		if (b->v[i].mood == SIM_MOOD_BAD || b->v[i].mood == SIM_MOOD_POOR)
			return true;
	return !b->rare;
}

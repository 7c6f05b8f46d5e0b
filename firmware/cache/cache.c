/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/cache_private.h"

#include <assert.h>
#include <stdlib.h>

#include "holdfast/err.h"

#define HEAD_MAX       (1024 * 1024)
#define USED_STEP_MS   3600000 /* a last use is stored when it is newer by so much */
#define TOUCH_DELAY_MS 60000
#define REMOVE_TRIES   8

/* A change of the shelf that nobody waits for. */
struct change {
	struct hf_list link;
	struct hf_cache *cache;
	bool reserved; /* it becomes the reserve again */
	unsigned tries;
	union {
		struct hf_shelf_update update;
		struct hf_shelf_remove remove;
		struct hf_shelf_discard discard;
	};
	struct hf_buf head;
	size_t url_len;
	char url[];
};

/* ---- life ---- */

static void touch_fired(void *user);

int hf_cache_create(const struct hf_cache_options *opt, struct hf_cache **out)
{
	struct hf_shelf_options shelf = {
		.port = opt->port,
		.log = opt->log,
		.bytes_max = opt->bytes_max,
	};
	struct hf_cache *c = calloc(1, sizeof(*c));
	uint64_t seed[2] = { hf_rand_u64(opt->rand), hf_rand_u64(opt->rand) };
	int err;

	if (!c)
		return HF_ENOMEM;
	c->opt = *opt;
	c->boot = hf_span_hash(hf_span(opt->port->boot_id(opt->port), 16));
	hf_hot_init(&c->hot, seed, opt->memory_max);
	hf_list_init(&c->changes);
	hf_list_init(&c->finds);
	hf_list_init(&c->markings);
	hf_list_init(&c->judgings);
	hf_timer_init(&c->touch_timer, touch_fired, c);
	hf_timer_init(&c->judge_timer, hf_cache_judge_again, c);
	hf_trials_init(&c->trials, opt->assumed);
	c->reserve = calloc(1, sizeof(*c->reserve) + HF_SHELF_URL_MAX);
	err = c->reserve ? hf_shelf_create(&shelf, &c->shelf) : HF_ENOMEM;
	if (err) {
		hf_cache_destroy(c);
		return err;
	}
	*out = c;
	return 0;
}

static void shelf_opened(void *user, int err, const struct hf_shelf_report *report)
{
	struct hf_cache *c = user;

	c->open = err == 0;
	c->opened(c->opened_user, err, report);
}

void hf_cache_open(struct hf_cache *c,
		   void (*done)(void *user, int err, const struct hf_shelf_report *report),
		   void *user)
{
	c->opened = done;
	c->opened_user = user;
	hf_shelf_open(c->shelf, shelf_opened, c);
}

uint64_t hf_cache_body_max(const struct hf_cache *c)
{
	return c->opt.bytes_max / 4;
}

uint32_t hf_cache_boot(const struct hf_cache *c)
{
	return c->boot;
}

bool hf_cache_is_open(const struct hf_cache *c)
{
	return c->open && !c->closing;
}

struct hf_shelf *hf_cache_shelf(struct hf_cache *c)
{
	return c->shelf;
}

void hf_cache_now(const struct hf_cache *c, struct hf_cache_clock *out)
{
	int64_t wall;

	out->device_ms = c->opt.port->boottime_ms(c->opt.port);
	out->boot = c->boot;
	out->wall_ms = 0;
	if (c->opt.port->wall_ms(c->opt.port, &wall) == HF_CLOCK_SYNCED && wall >= HF_WALL_MIN_MS)
		out->wall_ms = wall;
}

/* ---- changes of the shelf that nobody waits for ---- */

static struct change *take_reserve(struct hf_cache *c)
{
	struct change *ch = c->reserve;

	c->reserve = NULL;
	if (ch)
		*ch = (struct change){ .reserved = true };
	return ch;
}

static struct change *change_begin(struct hf_cache *c, struct hf_span url, bool removes)
{
	struct change *ch = calloc(1, sizeof(*ch) + url.len);

	if (!ch && removes && url.len <= HF_SHELF_URL_MAX)
		ch = take_reserve(c);
	if (!ch)
		return NULL;
	ch->cache = c;
	if (url.len > 0)
		memcpy(ch->url, url.ptr, url.len);
	ch->url_len = url.len;
	hf_buf_init(&ch->head, HEAD_MAX);
	hf_list_push(&c->changes, &ch->link);
	return ch;
}

static void change_free(struct change *ch)
{
	hf_list_remove(&ch->link);
	hf_buf_finish(&ch->head);
	if (ch->reserved)
		ch->cache->reserve = ch;
	else
		free(ch);
}

/* An entry that is gone needs no change; on trouble the shelf has said so. */
static void change_done(struct hf_shelf_op *op, int err)
{
	(void)err;
	change_free(op->user);
}

/* What was to go and did not, for want of memory or by the medium, is tried again. */
static void remove_done(struct hf_shelf_op *op, int err)
{
	struct change *ch = op->user;

	if (err && err != HF_ECANCELED && ch->tries++ < REMOVE_TRIES && hf_cache_is_open(ch->cache))
		hf_shelf_remove(ch->cache->shelf, &ch->remove);
	else
		change_free(ch);
}

void hf_cache_submit_remove(struct hf_cache *c, uint32_t cache, struct hf_span url, uint64_t id)
{
	struct change *ch = hf_cache_is_open(c) ? change_begin(c, url, true) : NULL;

	if (!ch)
		return;
	ch->remove.op.done = remove_done;
	ch->remove.op.user = ch;
	ch->remove.op.sync = id != 0; /* one that must not be used, and does not come back */
	ch->remove.id = id;
	ch->remove.cache = cache;
	ch->remove.url = hf_span(ch->url, ch->url_len);
	hf_shelf_remove(c->shelf, &ch->remove);
}

void hf_cache_discard(struct hf_cache *c, uint64_t body)
{
	struct change *ch = hf_cache_is_open(c) ? change_begin(c, hf_span(NULL, 0), false) : NULL;

	if (!ch)
		return; /* the next start deletes it */
	ch->discard.op.done = change_done;
	ch->discard.op.user = ch;
	ch->discard.body = body;
	hf_shelf_discard(c->shelf, &ch->discard);
}

/* ---- last uses ---- */

static void touched(struct hf_shelf_op *op, int err)
{
	struct hf_cache *c = op->user;

	(void)err;
	c->touching = false;
	c->touch.n = 0;
}

static void flush_touch(struct hf_cache *c)
{
	if (c->touching || c->touch.n == 0 || !c->open)
		return;
	c->touching = true;
	c->touch.op.done = touched;
	c->touch.op.user = c;
	hf_shelf_touch(c->shelf, &c->touch);
}

static void touch_fired(void *user)
{
	flush_touch(user);
}

void hf_cache_used(struct hf_cache *c, struct hf_stored *s)
{
	uint64_t now = c->opt.device_ms(c->opt.user);
	struct hf_port *port = c->opt.port;

	if (now < s->state.used_dev_ms + USED_STEP_MS || c->touching || c->closing)
		return;
	s->state.used_dev_ms = now;
	c->touch.ids[c->touch.n] = s->id;
	c->touch.used_dev_ms[c->touch.n++] = now;
	if (c->touch.n == HF_SHELF_TOUCH_MAX)
		flush_touch(c);
	else if (!hf_timer_is_set(&c->touch_timer))
		hf_timerq_set(c->opt.timers, &c->touch_timer,
			      port->boottime_ms(port) + TOUCH_DELAY_MS);
}

void hf_cache_close(struct hf_cache *c, void (*done)(void *user, int err), void *user)
{
	flush_touch(c);
	c->closing = true;
	hf_timerq_clear(c->opt.timers, &c->touch_timer);
	hf_timerq_clear(c->opt.timers, &c->judge_timer);
	hf_shelf_close(c->shelf, done, user);
}

/* ---- storing ---- */

/* The entry is on the shelf: in memory it takes its place, unless something was
 * removed since, or the slot was asked for after it. Takes no reference of @stored. */
static void keep_put(struct hf_cache *c, struct hf_cache_put *p, struct hf_stored *stored)
{
	struct hf_hot_slot *s = hf_hot_find(&c->hot, p->cache, p->url);

	if (!s || s->loading)
		return;
	if (!stored || s->generation != p->generation || (p->doubtful && p->way != c->trials.way)) {
		hf_hot_drop(&c->hot, s);
		return;
	}
	for (size_t i = 0; i < p->op.replaces_n; i++)
		hf_hot_take_out(&c->hot, s, p->ids[i]);
	hf_hot_put(&c->hot, s, hf_stored_ref(stored));
	hf_hot_shrink(&c->hot, s);
}

static struct hf_stored *made_of(struct hf_cache_put *p)
{
	struct hf_shelf_entry row = {
		.id = p->op.id,
		.cache = p->cache,
		.url = p->url,
		.note = p->note,
		.head = hf_buf_span(&p->head),
		.state = p->op.state,
		.body = p->op.body,
		.body_len = p->op.body_len,
		.data = p->like ? p->like->data : p->data,
		.has_data = p->like ? p->like->has_data : !p->intake,
	};
	struct hf_stored *stored;

	return hf_stored_decode(&row, &stored) ? NULL : stored;
}

static void put_done(struct hf_shelf_op *op, int err)
{
	struct hf_cache_put *p = op->user;
	struct hf_stored *s = NULL;

	if (!err) {
		p->owner->stored++;
		s = made_of(p);
		keep_put(p->owner, p, s);
	}
	hf_buf_finish(&p->head);
	p->done(p, err, s);
	hf_stored_unref(s);
}

static void replace(struct hf_cache_put *p, uint64_t id)
{
	size_t i = 0;

	while (i < p->op.replaces_n && p->ids[i] != id)
		i++;
	if (i < HF_SHELF_VARIANTS_MAX && i == p->op.replaces_n)
		p->ids[p->op.replaces_n++] = id;
}

/* What @p was told to replace, and of its variant what nobody is shown. Something
 * doubtful replaces nothing else. False: there is no place beside what is there. */
static bool choose_replaced(struct hf_cache *c, struct hf_cache_put *p, const struct hf_hot_slot *s)
{
	bool certain = !p->doubtful || c->trials.assumed;

	p->op.replaces = p->ids;
	for (size_t i = 0; i < p->replaces_n && certain; i++)
		replace(p, p->replaces[i]);
	for (size_t i = 0; s && i < s->n; i++)
		if (hf_span_eq(s->v[i]->entry.variant, p->variant) &&
		    (certain || !hf_cache_is_shown(c, s->v, i)))
			replace(p, s->v[i]->id);
	return certain || !s || s->n - p->op.replaces_n < HF_SHELF_VARIANTS_MAX;
}

int hf_cache_put(struct hf_cache *c, struct hf_cache_put *p)
{
	struct hf_hot_slot *s;
	int err;

	if (!hf_cache_is_open(c) || (p->doubtful && p->way != c->trials.way))
		return HF_ESTATE;
	hf_buf_init(&p->head, HEAD_MAX);
	err = hf_stored_head_encode(p->status, p->variant, p->fields, &p->head);
	if (err) {
		hf_buf_finish(&p->head);
		return err;
	}
	s = hf_hot_find(&c->hot, p->cache, p->url);
	p->generation = s ? s->generation : 0;
	p->owner = c;
	p->op = (struct hf_shelf_put){
		.op = { .done = put_done, .user = p, .sync = p->sync },
		.cache = p->cache,
		.url = p->url,
		.note = p->note,
		.head = hf_buf_span(&p->head),
		.intake = p->intake,
		.data = p->data,
		.like = p->like ? p->like->id : 0,
		.entries_max = p->entries_max,
		.bytes_max = p->bytes_max,
	};
	if (!choose_replaced(c, p, s)) {
		hf_buf_finish(&p->head);
		return HF_ELIMIT;
	}
	hf_stored_state(&p->times, p->flags, c->opt.device_ms(c->opt.user), &p->op.state);
	if (p->doubtful)
		p->op.state.trial = hf_cache_trial_put(c, p);
	hf_shelf_put(c->shelf, &p->op);
	return 0;
}

/* ---- changing what is stored ---- */

/* A field that a validation renews without saying anything of the content. */
static bool is_dated(struct hf_span name, bool has_lifetime)
{
	return hf_span_ieq_str(name, "date") || hf_span_ieq_str(name, "age") ||
	       (has_lifetime && hf_span_ieq_str(name, "expires"));
}

/* The same fields but for those that tell the time. */
static bool same_fields(const struct hf_fields *a, const struct hf_fields *b)
{
	struct hf_cache_control cc;
	bool has_lifetime;
	size_t i = 0, j = 0;

	hf_cache_control_parse(b, &cc);
	has_lifetime = cc.max_age != HF_DELTA_NONE || cc.s_maxage != HF_DELTA_NONE;
	for (;;) {
		while (i < a->n && is_dated(a->v[i].name, has_lifetime))
			i++;
		while (j < b->n && is_dated(b->v[j].name, has_lifetime))
			j++;
		if (i == a->n || j == b->n)
			return i == a->n && j == b->n;
		if (!hf_span_ieq(a->v[i].name, b->v[j].name) ||
		    !hf_span_eq(a->v[i].value, b->v[j].value))
			return false;
		i++;
		j++;
	}
}

/* What the shelf gets of it. When the head does not say how old it was as it came, that
 * is told as the time between request and response. */
static struct hf_shelf_state state_of(const struct hf_stored *s)
{
	const struct hf_cache_rules rules = { .is_private = false };
	const struct hf_cache_times *t = &s->entry.times;
	struct hf_cache_clock then = { t->response_ms, t->boot, t->wall_ms };
	struct hf_shelf_state state = s->state;
	struct hf_cache_freshness f;

	if (state.flags & HF_STORED_DATED) {
		hf_cache_freshness(&rules, &s->entry, &then, &f);
		state.request_dev_ms = t->response_ms - (uint64_t)f.age_s * 1000;
	}
	return state;
}

static void submit_update(struct hf_cache *c, const struct hf_stored *s, bool with_head)
{
	struct change *ch = hf_cache_is_open(c) ? change_begin(c, hf_span(NULL, 0), false) : NULL;

	if (!ch)
		return;
	if (with_head &&
	    hf_stored_head_encode(s->entry.status, s->entry.variant, &s->fields, &ch->head)) {
		change_free(ch);
		return;
	}
	ch->update.op.done = change_done;
	ch->update.op.user = ch;
	ch->update.id = s->id;
	ch->update.state = state_of(s);
	ch->update.head = hf_buf_span(&ch->head);
	hf_shelf_update(c->shelf, &ch->update);
}

struct hf_stored *hf_cache_update(struct hf_cache *c, struct hf_stored *s,
				  const struct hf_fields *fields,
				  const struct hf_cache_times *times, uint32_t flags)
{
	struct hf_hot_slot *slot = hf_hot_find(&c->hot, s->cache, s->url);
	struct hf_shelf_state state;
	struct hf_stored *made;
	bool with_head = fields && !same_fields(&s->fields, fields);

	if (fields && !with_head)
		flags |= HF_STORED_DATED;
	else if (!fields)
		flags |= s->state.flags & HF_STORED_DATED;
	hf_stored_state(times, flags, s->state.used_dev_ms, &state);
	state.trial = s->state.trial;
	if (hf_stored_copy(s, fields, &state, &made))
		return NULL;
	submit_update(c, made, with_head);
	if (slot)
		hf_hot_changed(&c->hot, slot);
	if (slot && !slot->loading && hf_hot_replace(&c->hot, slot, made)) {
		hf_stored_ref(made);
		hf_hot_shrink(&c->hot, slot);
	}
	return made;
}

void hf_cache_remove(struct hf_cache *c, uint32_t cache, struct hf_span url)
{
	struct hf_hot_slot *s = hf_hot_find(&c->hot, cache, url);

	if (s)
		hf_hot_empty(&c->hot, s);
	hf_cache_submit_remove(c, cache, url, 0);
}

/* What is of the same variant as the entry with @id goes with it: an older one would be
 * shown in its place. */
static void remove_hidden(struct hf_cache *c, struct hf_hot_slot *slot, uint64_t id)
{
	struct hf_stored *held[HF_SHELF_VARIANTS_MAX] = { NULL }, *gone = NULL;
	size_t n = slot->n;

	for (size_t i = 0; i < n; i++) {
		held[i] = hf_stored_ref(slot->v[i]);
		gone = held[i]->id == id ? held[i] : gone;
	}
	for (size_t i = 0; i < n; i++) {
		if (gone && held[i] != gone &&
		    hf_span_eq(held[i]->entry.variant, gone->entry.variant)) {
			hf_hot_take_out(&c->hot, slot, held[i]->id);
			hf_cache_submit_remove(c, held[i]->cache, hf_span(NULL, 0), held[i]->id);
		}
	}
	for (size_t i = 0; i < n; i++)
		hf_stored_unref(held[i]);
}

void hf_cache_remove_entry(struct hf_cache *c, uint32_t cache, struct hf_span url, uint64_t id)
{
	struct hf_hot_slot *slot = hf_hot_find(&c->hot, cache, url);

	if (slot) {
		remove_hidden(c, slot, id);
		hf_hot_take_out(&c->hot, slot, id);
		hf_hot_changed(&c->hot, slot);
	}
	hf_cache_submit_remove(c, cache, hf_span(NULL, 0), id);
}

void hf_cache_lost(struct hf_cache *c, struct hf_stored *s)
{
	hf_cache_remove_entry(c, s->cache, s->url, s->id);
}

void hf_cache_forget(struct hf_cache *c, uint32_t cache)
{
	hf_hot_drop_cache(&c->hot, cache);
}

/* ---- the end, figures ---- */

void hf_cache_abandon(struct hf_cache *c)
{
	if (!c)
		return;
	hf_timerq_clear(c->opt.timers, &c->touch_timer);
	hf_timerq_clear(c->opt.timers, &c->judge_timer);
	hf_shelf_destroy(c->shelf);
	c->shelf = NULL;
	c->open = false;
}

void hf_cache_destroy(struct hf_cache *c)
{
	struct hf_list *it;

	if (!c)
		return;
	hf_cache_abandon(c);
	while ((it = hf_list_first(&c->changes)))
		change_free(hf_container_of(it, struct change, link));
	free(c->reserve);
	hf_cache_drop_finds(c);
	hf_cache_drop_markings(c);
	hf_cache_drop_judgings(c);
	hf_hot_finish(&c->hot);
	free(c);
}

void hf_cache_memory(const struct hf_cache *c, struct hf_cache_memory *out)
{
	*out = (struct hf_cache_memory){ .bytes = c->hot.bytes,
					 .bytes_max = c->hot.bytes_max,
					 .stored = c->stored };
}

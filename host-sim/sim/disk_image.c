/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/disk_image.h"

#include <assert.h>

#include "sim/mem.h"

/* ---- nodes ---- */

struct sim_node *sim_node_create(void)
{
	struct sim_node *n = sim_alloc(sizeof(*n));

	hf_list_init(&n->changes);
	return n;
}

static void drop_changes(struct sim_node *n)
{
	struct hf_list *item;

	while ((item = hf_list_pop(&n->changes)))
		sim_free(hf_container_of(item, struct sim_change, item));
}

void sim_node_unref(struct sim_node *n)
{
	if (!n)
		return;
	assert(n->refs > 0);
	if (--n->refs > 0)
		return;
	drop_changes(n);
	sim_bytes_finish(&n->live);
	sim_bytes_finish(&n->durable);
	sim_free(n);
}

static struct sim_change *change_create(const void *data, size_t len, uint64_t at)
{
	struct sim_change *c = sim_alloc(sizeof(*c) + len);

	hf_list_init(&c->item);
	c->at = at;
	c->len = len;
	if (len)
		memcpy(c->data, data, len);
	return c;
}

void sim_node_write(struct sim_node *n, const void *data, size_t len, uint64_t at)
{
	struct sim_change *c = change_create(data, len, at);

	hf_list_push(&n->changes, &c->item);
	sim_bytes_write(&n->live, data, len, at);
}

void sim_node_truncate(struct sim_node *n, uint64_t size)
{
	struct sim_change *c = change_create(NULL, 0, size);

	c->truncate = true;
	hf_list_push(&n->changes, &c->item);
	sim_bytes_resize(&n->live, size);
}

static void apply(struct sim_bytes *to, const struct sim_change *c)
{
	if (c->truncate)
		sim_bytes_resize(to, c->at);
	else
		sim_bytes_write(to, c->data, c->len, c->at);
}

void sim_node_sync(struct sim_node *n)
{
	struct hf_list *it, *tmp;

	/* What follows is where the two may differ. */
	sim_bytes_resize(&n->durable, n->live.len);
	hf_list_for(it, tmp, &n->changes) {
		const struct sim_change *c = hf_container_of(it, struct sim_change, item);

		sim_bytes_share(&n->durable, &n->live, c->at, c->truncate ? n->live.len : c->len);
	}
	drop_changes(n);
}

/* ---- a cut ---- */

/* How a disk lost power: what becomes of its changes, in percent. */
struct mood {
	unsigned kept, torn; /* the rest is dropped */
	bool prefix;	     /* in order: kept up to some change, dropped from there */
};

static struct mood choose_mood(struct sim_rng *rng)
{
	static const struct mood moods[] = {
		{ 34, 33, false }, { 90, 5, false }, { 10, 5, false },
		{ 0, 0, false },   { 0, 0, true },   { 50, 0, false },
	};

	return moods[sim_rng_below(rng, sizeof(moods) / sizeof(moods[0]))];
}

/* Only the sectors before (or from) some boundary inside the change survive. */
static void apply_torn(struct sim_bytes *to, const struct sim_change *c, struct sim_rng *rng)
{
	uint64_t first = c->at / SIM_SECTOR_BYTES + 1;
	uint64_t last = (c->at + c->len - 1) / SIM_SECTOR_BYTES;
	size_t head;

	if (first > last)
		return; /* inside one sector, which is written whole or not */
	head = (size_t)(sim_rng_range(rng, first, last) * SIM_SECTOR_BYTES - c->at);
	if (sim_rng_chance(rng, 50))
		sim_bytes_write(to, c->data, head, c->at);
	else
		sim_bytes_write(to, c->data + head, c->len - head, c->at + head);
}

static void survive(struct sim_bytes *to, const struct sim_change *c, const struct mood *mood,
		    struct sim_rng *rng)
{
	uint64_t dice = sim_rng_below(rng, 100);

	if (dice < mood->kept)
		apply(to, c);
	else if (dice < mood->kept + mood->torn && !c->truncate && c->len > 0)
		apply_torn(to, c, rng);
}

static size_t count_changes(const struct sim_node *n)
{
	struct hf_list *it, *tmp;
	size_t count = 0;

	hf_list_for(it, tmp, &n->changes)
		count++;
	return count;
}

static void cut_node(struct sim_node *n, struct sim_rng *rng)
{
	struct mood mood = choose_mood(rng);
	size_t until = mood.prefix ? sim_rng_below(rng, count_changes(n) + 1) : 0;
	struct hf_list *it, *tmp;
	size_t i = 0;

	hf_list_for(it, tmp, &n->changes) {
		const struct sim_change *c = hf_container_of(it, struct sim_change, item);

		if (!mood.prefix)
			survive(&n->durable, c, &mood, rng);
		else if (i < until)
			apply(&n->durable, c);
		else if (i == until && !c->truncate && c->len > 0)
			apply_torn(&n->durable, c, rng);
		i++;
	}
	drop_changes(n);
	sim_bytes_copy(&n->live, &n->durable);
	n->lock_shared = 0;
	n->lock_holder = NULL;
}

/* An entry whose faces differ becomes one of them; a name that was removed and
 * made anew may also be gone. */
static void cut_entry(struct sim_entry *e, struct sim_rng *rng)
{
	uint64_t dice;

	if (e->live == e->durable)
		return;
	dice = sim_rng_below(rng, e->live && e->durable ? 3 : 2);
	if (dice == 0)
		sim_entry_set(&e->live, e->durable);
	else if (dice == 2)
		sim_entry_set(&e->live, NULL);
	sim_entry_set(&e->durable, e->live);
}

void sim_image_cut(struct sim_image *img, struct sim_rng *rng)
{
	struct hf_list *it, *tmp;

	img->bytes = 0;
	hf_list_for(it, tmp, &img->entries) {
		struct sim_entry *e = hf_container_of(it, struct sim_entry, item);

		cut_entry(e, rng);
		if (!e->live)
			continue;
		cut_node(e->live, rng);
		img->bytes += e->live->live.len;
	}
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), len = strlen(end);

	return n >= len && strcmp(name + n - len, end) == 0;
}

/* What of an entry can rot: its bytes, or none. */
static uint64_t rots(const struct sim_entry *e)
{
	if (!e->live || ends_with(e->name, ".reserve"))
		return 0;
	return e->live->live.len;
}

bool sim_image_rot(struct sim_image *img, struct sim_rng *rng)
{
	uint64_t bytes = 0, at;
	uint8_t bit = (uint8_t)(1u << sim_rng_below(rng, 8));
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &img->entries)
		bytes += rots(hf_container_of(it, struct sim_entry, item));
	at = sim_rng_below(rng, bytes);
	hf_list_for(it, tmp, &img->entries) {
		struct sim_entry *e = hf_container_of(it, struct sim_entry, item);
		struct sim_node *n = e->live;

		if (at >= rots(e)) {
			at -= rots(e);
			continue;
		}
		sim_bytes_flip(&n->live, at, bit);
		if (at < n->durable.len)
			sim_bytes_flip(&n->durable, at, bit);
		return true;
	}
	return false;
}

void sim_image_unlock(struct sim_image *img)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &img->entries) {
		struct sim_node *n = hf_container_of(it, struct sim_entry, item)->live;

		if (!n)
			continue;
		n->lock_shared = 0;
		n->lock_holder = NULL;
	}
}

/* ---- entries ---- */

void sim_image_init(struct sim_image *img)
{
	hf_list_init(&img->entries);
	img->bytes = 0;
}

void sim_image_finish(struct sim_image *img)
{
	struct hf_list *item;

	while ((item = hf_list_pop(&img->entries))) {
		struct sim_entry *e = hf_container_of(item, struct sim_entry, item);

		sim_entry_set(&e->live, NULL);
		sim_entry_set(&e->durable, NULL);
		sim_free(e);
	}
}

void sim_image_move(struct sim_image *to, struct sim_image *from)
{
	struct hf_list *item;

	sim_image_init(to);
	while ((item = hf_list_pop(&from->entries)))
		hf_list_push(&to->entries, item);
	to->bytes = from->bytes;
	from->bytes = 0;
}

struct sim_entry *sim_image_find(const struct sim_image *img, const char *name)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &img->entries) {
		struct sim_entry *e = hf_container_of(it, struct sim_entry, item);

		if (strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

struct sim_entry *sim_image_add(struct sim_image *img, const char *name)
{
	size_t len = strlen(name) + 1;
	struct sim_entry *e = sim_alloc(sizeof(*e) + len);

	memcpy(e->name, name, len);
	hf_list_init(&e->item);
	hf_list_push(&img->entries, &e->item);
	return e;
}

void sim_entry_set(struct sim_node **face, struct sim_node *node)
{
	struct sim_node *old = *face;

	if (node)
		node->refs++;
	*face = node;
	sim_node_unref(old);
}

void sim_image_sync_entry(struct sim_image *img, struct sim_node *n)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &img->entries) {
		struct sim_entry *e = hf_container_of(it, struct sim_entry, item);

		if (e->live == n && e->durable != n)
			sim_entry_set(&e->durable, n);
	}
}

static struct sim_node *node_copy(const struct sim_node *from)
{
	struct sim_node *n = sim_node_create();
	struct hf_list *it, *tmp;

	sim_bytes_copy(&n->live, &from->live);
	sim_bytes_copy(&n->durable, &from->durable);
	hf_list_for(it, tmp, &from->changes) {
		const struct sim_change *c = hf_container_of(it, struct sim_change, item);
		struct sim_change *copy = change_create(c->data, c->len, c->at);

		copy->truncate = c->truncate;
		hf_list_push(&n->changes, &copy->item);
	}
	return n;
}

void sim_image_copy(struct sim_image *to, const struct sim_image *from)
{
	struct hf_list *it, *tmp;

	sim_image_init(to);
	to->bytes = from->bytes;
	hf_list_for(it, tmp, &from->entries) {
		const struct sim_entry *e = hf_container_of(it, struct sim_entry, item);
		struct sim_entry *copy = sim_image_add(to, e->name);

		if (e->live)
			sim_entry_set(&copy->live, node_copy(e->live));
		if (e->durable == e->live)
			sim_entry_set(&copy->durable, copy->live);
		else if (e->durable)
			sim_entry_set(&copy->durable, node_copy(e->durable));
	}
}

uint64_t sim_image_hash(const struct sim_image *img)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &img->entries) {
		const struct sim_entry *e = hf_container_of(it, struct sim_entry, item);

		if (!e->live)
			continue;
		h = sim_hash(h, e->name, strlen(e->name) + 1);
		h = sim_bytes_hash(h, &e->live->live);
	}
	return h;
}

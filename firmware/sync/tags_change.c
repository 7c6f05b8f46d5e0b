/* SPDX-License-Identifier: Apache-2.0 */
/* What pages, programs and the operator do with registrations. */
#include <limits.h>

#include "holdfast_config.h"
#include "sync/tags_private.h"

/* ---- the text of a tag ---- */

/* Bytes of the UTF-8 character that begins @s, 0: none does. */
static size_t character(struct hf_span s)
{
	const uint8_t *p = (const uint8_t *)s.ptr;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (n == 0 || p[0] > 0xf4 || n > s.len || p[0] < 0x20 || p[0] == 0x7f)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

int hf_tag_check_text(struct hf_span text)
{
	if (text.len > CONFIG_HF_SYNC_TAG_BYTES_MAX)
		return HF_ETOOBIG;
	while (text.len > 0) {
		size_t n = character(text);

		if (n == 0)
			return HF_EINVAL;
		text = hf_span_skip(text, n);
	}
	return 0;
}

/* ---- register ---- */

static int register_new(struct hf_tags *t, struct hf_tag_change *c, struct hf_tag_facts *f)
{
	struct hf_tag *tag;
	int err;

	if (t->counts[c->worker] >= CONFIG_HF_SYNC_TAGS_MAX)
		return HF_ELIMIT;
	tag = hf_tag_create(t, c->worker, c->tag);
	if (!tag)
		return HF_ENOMEM;
	tag->id = t->next_id++;
	hf_tag_step(&tag->state, HF_TAG_REGISTER, f);
	err = hf_tag_insert(tag);
	if (!err)
		err = hf_tag_store(tag, c);
	if (err)
		hf_tag_free(tag);
	return err;
}

int hf_tags_register(struct hf_tags *t, struct hf_tag_change *c)
{
	struct hf_port *port = t->opt.sync.port;
	struct hf_tag_state before;
	struct hf_tag_facts f;
	struct hf_tag *tag;
	int err = hf_tag_check_text(c->tag);

	hf_tag_facts(t, &f);
	if (!err)
		err = port->entropy(port, &f.key, sizeof(f.key));
	if (err)
		return err;
	tag = hf_tags_find(t, c->worker, c->tag);
	if (!tag)
		return register_new(t, c, &f);
	before = tag->state;
	hf_tag_step(&tag->state, HF_TAG_REGISTER, &f);
	err = hf_tag_store(tag, c);
	if (err)
		tag->state = before;
	return err;
}

/* ---- unregister ---- */

static int end(struct hf_tag *tag, struct hf_tag_change *c)
{
	struct hf_tag_state before = tag->state;
	struct hf_tag_facts f;
	int err;

	hf_tag_facts(tag->tags, &f);
	hf_tag_step(&tag->state, HF_TAG_UNREGISTER, &f);
	err = hf_tag_store(tag, c);
	if (err) {
		tag->state = before;
		return err;
	}
	tag->last_word = HF_TAG_UNREGISTERED;
	hf_tag_break_off(tag);
	hf_tag_place(tag);
	return 0;
}

static struct hf_tag *find_exhausted(struct hf_tags *t, const struct hf_tag_change *c)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->exhausted) {
		struct hf_tag *tag = hf_container_of(it, struct hf_tag, link);

		if (tag->worker == c->worker && tag->state.status == HF_TAG_EXHAUSTED &&
		    hf_span_eq(hf_tag_text(tag), c->tag))
			return tag;
	}
	return NULL;
}

int hf_tags_unregister(struct hf_tags *t, struct hf_tag_change *c)
{
	struct hf_tag *tag = hf_tags_find(t, c->worker, c->tag);

	if (!tag || tag->state.status == HF_TAG_NONE)
		tag = find_exhausted(t, c);
	return tag ? end(tag, c) : HF_ENOENT;
}

/* ---- events that pages work on ---- */

int hf_tags_settle(struct hf_tags *t, unsigned origin, struct hf_span id, bool success)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->all) {
		struct hf_tag *tag = hf_container_of(it, struct hf_tag, link);

		if (!tag->firing || !tag->page || !hf_span_eq_str(id, hf_firing_id(tag->firing)))
			continue;
		if (origin != UINT_MAX && origin != t->opt.workers[tag->worker].origin)
			return HF_ENOENT;
		return hf_firing_settle(tag->firing, success) ? HF_ENOENT : 0;
	}
	return HF_ENOENT;
}

/* ---- looking ---- */

static struct hf_tag *tag_at(struct hf_list *head, struct hf_list *node)
{
	return node == head ? NULL : hf_container_of(node, struct hf_tag, link);
}

int hf_tags_each(struct hf_tags *t, unsigned worker, uint64_t after,
		 int (*each)(void *user, const struct hf_tag_figures *f), void *user)
{
	struct hf_list *a = t->all.next, *b = t->exhausted.next;
	struct hf_tag_figures f;
	int err = 0;

	while (!err) {
		struct hf_tag *x = tag_at(&t->all, a), *y = tag_at(&t->exhausted, b);
		struct hf_tag *tag = x && (!y || x->id < y->id) ? x : y;

		if (!tag)
			break;
		*(tag == x ? &a : &b) = tag->link.next;
		if (tag->id <= after || tag->state.status == HF_TAG_NONE || !tag->stored ||
		    (worker != UINT_MAX && worker != tag->worker))
			continue;
		hf_tag_figures(tag, &f);
		err = each(user, &f);
	}
	return err;
}

int hf_tags_show(struct hf_tags *t, unsigned worker, struct hf_span text,
		 int (*each)(void *user, const struct hf_tag_figures *f), void *user)
{
	struct hf_tag_change c = { .worker = worker, .tag = text };
	struct hf_tag *tag = hf_tags_find(t, worker, text);
	struct hf_tag_figures f;

	if (!tag || tag->state.status == HF_TAG_NONE || !tag->stored)
		tag = find_exhausted(t, &c);
	if (!tag)
		return HF_ENOENT;
	hf_tag_figures(tag, &f);
	return each(user, &f);
}

/* What is now, of those in @list. */
static void count_list(const struct hf_list *list, const struct hf_tag_origin *of,
		       struct hf_tags_totals *out)
{
	const struct hf_list *it;

	for (it = list->next; it != list; it = it->next) {
		const struct hf_tag *tag = hf_container_of(it, struct hf_tag, link);

		if (of && hf_tag_origin(tag) != of)
			continue;
		out->pending += tag->state.status == HF_TAG_PENDING;
		out->waiting += tag->state.status == HF_TAG_WAITING;
		out->firing += tag->state.status == HF_TAG_FIRING ||
			       tag->state.status == HF_TAG_REREGISTERED;
		out->exhausted += tag->state.status == HF_TAG_EXHAUSTED;
	}
}

static void add_since_start(const struct hf_tags_totals *o, struct hf_tags_totals *out)
{
	out->fired += o->fired;
	out->succeeded += o->succeeded;
	out->failed += o->failed;
	out->given_up += o->given_up;
	out->forgotten += o->forgotten;
}

void hf_tags_totals(const struct hf_tags *t, unsigned origin, struct hf_tags_totals *out)
{
	const struct hf_tag_origin *of = origin == UINT_MAX ? NULL : &t->origins[origin];

	*out = t->totals;
	for (unsigned i = 0; i < t->opt.sync.origins_n; i++)
		if (!of || of == &t->origins[i])
			add_since_start(&t->origins[i].totals, out);
	count_list(&t->all, of, out);
	count_list(&t->exhausted, of, out);
}

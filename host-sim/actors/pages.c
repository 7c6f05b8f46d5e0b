/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/pages.h"

#include <stdarg.h>

#include "sim/mem.h"

#define UNDER_WAY_US (3 * SIM_US_PER_MIN)

/* ---- what was seen ---- */

/* All files of the app are of one release. */
static const char *key_of(const struct sim_content *c, const char *path)
{
	return c->app ? SIM_APP : path;
}

static struct sim_page_seen *find(const struct sim_pages *p, const struct sim_device *dev,
				  const char *origin, const char *path, const char *lang)
{
	for (size_t i = 0; i < p->n; i++) {
		struct sim_page_seen *s = &p->v[i];

		if (s->dev == dev && strcmp(s->path, path) == 0 && strcmp(s->lang, lang) == 0 &&
		    strcmp(s->origin, origin) == 0)
			return s;
	}
	return NULL;
}

static struct sim_page_seen *entry(struct sim_pages *p, const struct sim_device *dev,
				   const char *path, const struct sim_page_ask *ask)
{
	struct sim_page_seen *s = find(p, dev, ask->origin, path, ask->lang);

	if (s)
		return s;
	p->v = sim_grow(p->v, p->n, &p->cap, sizeof(*p->v));
	s = &p->v[p->n++];
	*s = (struct sim_page_seen){ .dev = dev };
	snprintf(s->path, sizeof(s->path), "%s", path);
	snprintf(s->lang, sizeof(s->lang), "%s", ask->lang);
	snprintf(s->origin, sizeof(s->origin), "%s", ask->origin);
	return s;
}

static void remember(struct sim_pages *p, const struct sim_device *dev,
		     const struct sim_page_ask *ask, unsigned version)
{
	struct sim_page_seen *s = entry(p, dev, key_of(&ask->content, ask->path), ask);

	if (version > s->version)
		s->version = version;
}

void sim_pages_finish(struct sim_pages *p)
{
	sim_free(p->v);
	sim_free(p->editions);
}

void sim_pages_published(struct sim_pages *p, const char *origin, unsigned version, uint64_t now_us)
{
	struct sim_edition *e;

	p->editions = sim_grow(p->editions, p->editions_n, &p->editions_cap, sizeof(*p->editions));
	e = &p->editions[p->editions_n++];
	*e = (struct sim_edition){ .version = version, .at_us = now_us };
	snprintf(e->origin, sizeof(e->origin), "%s", origin);
}

/* What an origin had published long before: who joins an answer that is under way gets
 * what there was when it was asked for. */
static unsigned settled_edition(const struct sim_pages *p, const char *origin, uint64_t now_us)
{
	unsigned version = 0;

	for (size_t i = 0; i < p->editions_n; i++)
		if (strcmp(p->editions[i].origin, origin) == 0 &&
		    p->editions[i].at_us + UNDER_WAY_US < now_us)
			version = p->editions[i].version;
	return version;
}

/* ---- asking ---- */

/* A portal is there and may answer a page itself. One behind a name that lied is not a
 * portal that anybody could know of. */
static bool may_be_stranger(const struct sim_device *dev)
{
	return dev->node->captive || dev->node->lied;
}

bool sim_page_ask(struct sim_pages *p, const struct sim_device *dev, const char *origin,
		  const char *path, const char *lang, struct sim_page_ask *out)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->path, sizeof(out->path), "%s", path);
	if (!sim_content_of(hf_span_str(out->path), &out->content))
		return false;
	if (out->content.varies)
		snprintf(out->lang, sizeof(out->lang), "%s", lang ? lang : "en");
	snprintf(out->origin, sizeof(out->origin), "%s", origin);
	(void)entry(p, dev, path, out);
	out->floor = entry(p, dev, key_of(&out->content, path), out)->version;
	if (out->content.checked && settled_edition(p, origin, dev->world->now_us) > out->floor)
		out->floor = settled_edition(p, origin, dev->world->now_us);
	out->app_complete = out->content.app && out->floor > 0;
	out->stranger = may_be_stranger(dev);
	out->sent_us = dev->world->now_us;
	return true;
}

/* ---- judging ---- */

__attribute__((format(printf, 5, 6))) static void
blame(struct sim_pages *p, enum sim_page_fault fault, const struct sim_device *dev,
      const struct sim_page_ask *ask, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	if (p->faults[fault][0])
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(p->faults[fault], sizeof(p->faults[fault]), "%s: %s%s%s, asked for at %.3f s: %s",
		 dev->name, ask->path, ask->lang[0] ? " in " : "", ask->lang,
		 (double)ask->sent_us / (double)SIM_US_PER_S, what);
}

static bool is_hit(const struct hf_message *msg)
{
	const struct hf_span *status = hf_fields_get(&msg->fields, "Cache-Status");

	return status && memmem(status->ptr, status->len, "; hit", 5);
}

/* Files of a precache know no freshness. */
static bool is_precached(const struct hf_message *msg)
{
	const struct hf_span *status = hf_fields_get(&msg->fields, "Cache-Status");

	return is_hit(msg) && !memmem(status->ptr, status->len, "ttl=", 4);
}

/* The medium or the memory had a fault, or the medium was full: what is stored may be gone. */
static bool may_be_gone(const struct sim_device *dev)
{
	return sim_disk_faults(dev->disk)->rotten > 0 || sim_disk_stats(dev->disk)->refused > 0 ||
	       sim_disk_stats(dev->disk)->failed > 0 || dev->heap.failed > 0;
}

static void judge_app(struct sim_pages *p, const struct sim_device *dev,
		      const struct sim_page_ask *ask, unsigned version, bool hit)
{
	if (ask->app_complete && !hit && !may_be_gone(dev))
		blame(p, SIM_PAGE_MIXED, dev, ask, "not out of the precache, which has it");
	if (!hit || ask->content.fixed)
		return;
	if (version < ask->floor && !may_be_gone(dev))
		blame(p, SIM_PAGE_MIXED, dev, ask, "release %u after %u", version, ask->floor);
	remember(p, dev, ask, version);
}

static void judge_stranger(struct sim_pages *p, const struct sim_device *dev,
			   const struct sim_page_ask *ask, struct hf_span body, bool hit)
{
	/* From the network it is the portal's word, out of a cache it is ours. */
	if ((ask->stranger || may_be_stranger(dev)) && (!hit || dev->node->lied))
		return;
	if (hf_span_starts(body, HF_SPAN("content ")))
		blame(p, SIM_PAGE_BROKEN, dev, ask, "%zu bytes that are not the page: \"%.*s\"",
		      body.len, body.len < 60 ? (int)body.len : 60, body.ptr);
	else
		blame(p, SIM_PAGE_STRANGER, dev, ask, "\"%.*s\"",
		      body.len < 40 ? (int)body.len : 40, body.ptr ? body.ptr : "");
}

unsigned sim_page_judge(struct sim_pages *p, const struct sim_device *dev,
			const struct sim_page_ask *ask, const struct hf_message *msg,
			struct hf_span body, bool *hit)
{
	unsigned version;

	*hit = is_hit(msg);
	if (msg->status != 200) {
		if (ask->app_complete && !may_be_gone(dev) && msg->status == 504)
			blame(p, SIM_PAGE_MIXED, dev, ask, "not in the precache, which has it");
		return 0;
	}
	version = sim_content_version(&ask->content, ask->lang, body);
	if (version == 0) {
		judge_stranger(p, dev, ask, body, *hit);
		return 0;
	}
	p->judged++;
	p->hits += *hit;
	if (ask->content.app) {
		judge_app(p, dev, ask, version, is_precached(msg));
		return version;
	}
	if (ask->content.checked && version < ask->floor)
		blame(p, SIM_PAGE_OLD, dev, ask, "version %u where %u was due", version,
		      ask->floor);
	remember(p, dev, ask, version);
	return version;
}

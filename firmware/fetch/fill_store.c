/* SPDX-License-Identifier: Apache-2.0 */
/* Of a fill: what of an answer may be stored and how, and who it is for. */
#include "fetch/event.h"
#include "fetch/fill_private.h"
#include "fetch/plan.h"
#include "holdfast/err.h"
#include "http/date.h"
#include "http/etag.h"
#include "http/vary.h"

/* ---- fills under way ---- */

bool hf_fill_is_storing(const struct hf_fill *f)
{
	return f->storing;
}

bool hf_fill_entry(const struct hf_fill *f, struct hf_cache_entry *out)
{
	*out = (struct hf_cache_entry){ .status = f->head.status,
					.fields = &f->stored_fields,
					.variant = f->variant,
					.times = f->times };
	return f->state != HF_FILL_ASK && f->storing;
}

static bool is_of(const struct hf_fill *f, uint32_t cache, struct hf_span url)
{
	return f->terms.cache == cache && hf_span_eq(f->url, url);
}

bool hf_fill_is_for(struct hf_fill *f, struct hf_span variant, const struct hf_fields *request)
{
	const struct hf_span *language = hf_fields_get(&f->stored_fields, "Content-Language");

	return hf_vary_match(&f->arena, variant, request, language ? *language : hf_span(NULL, 0));
}

bool hf_fill_is_complete(const struct hf_fill *f)
{
	return f->state == HF_FILL_KEEP && f->storing;
}

struct hf_fill *hf_fill_find(struct hf_fetch *fetch, uint32_t cache, struct hf_span url,
			     const struct hf_fields *request)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &fetch->fills) {
		struct hf_fill *f = hf_container_of(it, struct hf_fill, link);

		if (is_of(f, cache, url) && !(f->marks & HF_STORED_INVALIDATED) &&
		    (f->state == HF_FILL_ASK ?
			     f->shared :
			     f->storing && hf_fill_is_for(f, f->variant, request)))
			return f;
	}
	return NULL;
}

void hf_fill_mark(struct hf_fetch *fetch, uint32_t cache, struct hf_span url, uint32_t set,
		  uint32_t clear)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &fetch->fills) {
		struct hf_fill *f = hf_container_of(it, struct hf_fill, link);

		if (is_of(f, cache, url))
			f->marks = (f->marks & ~clear) | set;
	}
}

uint32_t hf_fill_flags(const struct hf_fill *f)
{
	return f->marks;
}

/* ---- what an answer changes of what is stored ---- */

/* A validator of @s that only its origin knows is in @head. */
static bool names_validator(const struct hf_stored *s, const struct hf_fields *head)
{
	int64_t modified, own_modified;
	struct hf_etag etag, own;

	if (hf_etag_of(head, &etag))
		return hf_etag_of(&s->fields, &own) && hf_etag_eq_weak(&etag, &own);
	return hf_field_date(head, "Last-Modified", &modified) &&
	       hf_field_date(&s->fields, "Last-Modified", &own_modified) &&
	       modified == own_modified;
}

bool hf_fill_may_update(const struct hf_fill *f, const struct hf_stored *s,
			const struct hf_message *head)
{
	return !hf_fetch_is_doubtful(f->fetch, f->origin) || names_validator(s, &head->fields);
}

/* What a HEAD says of a stored GET. */
void hf_fill_head_answered(struct hf_fill *f, const struct hf_message *head)
{
	struct hf_cache *cache = f->fetch->opt.cache;
	struct hf_stored *s = f->v[f->selected];
	struct hf_fields fields;

	if (!hf_fill_may_update(f, s, head))
		return;
	switch (hf_cache_head(&s->entry, s->body_len, head)) {
	case HF_CACHE_HEAD_UPDATE:
		if (hf_cache_updated_fields(&hf_http_rules, &s->fields, &head->fields, &f->times,
					    &f->arena, &fields) == 0)
			hf_stored_unref(
				hf_cache_update(cache, s, &fields, &f->times, hf_fill_flags(f)));
		break;
	case HF_CACHE_HEAD_INVALIDATE:
		hf_stored_unref(hf_cache_update(cache, s, NULL, &s->entry.times,
						s->state.flags | HF_STORED_INVALIDATED));
		break;
	default:
		break;
	}
}

static bool worker_may_store(const struct hf_fill *f, const struct hf_message *head)
{
	struct hf_cache_control cc;

	if (!hf_statuses_have(&f->terms.store, head->status) || hf_vary_is_star(&head->fields))
		return false;
	if (f->terms.personal)
		return true;
	hf_cache_control_parse(&head->fields, &cc);
	return !cc.no_store && (!cc.is_private || cc.private_names.n > 0) &&
	       !hf_fields_get(&f->request.fields, "authorization");
}

bool hf_fetch_is_doubtful(const struct hf_fetch *f, unsigned origin)
{
	return !hf_fetch_origin(f, origin)->own && !hf_cache_assumes(f->opt.cache);
}

bool hf_fetch_may_keep(const struct hf_fetch *f)
{
	return hf_cache_is_open(f->opt.cache) &&
	       !(f->opt.connectivity && hf_connectivity_net(f->opt.connectivity) == HF_NET_CAPTIVE);
}

/* An answer without a length ends like one that was cut. Only the HTTP cache takes one
 * (RFC 9111 section 3.3), and only where a Transfer-Encoding says that it ends with the
 * connection. */
static bool has_an_end(const struct hf_fill *f, const struct hf_message *head)
{
	return head->body != HF_BODY_CLOSE ||
	       (!f->terms.worker && hf_fields_get(&head->fields, "Transfer-Encoding"));
}

bool hf_fill_may_store(struct hf_fill *f, const struct hf_message *head)
{
	const struct hf_fetch_origin *o = hf_fetch_origin(f->fetch, f->origin);
	struct hf_url url = { .scheme = o->scheme, .host = o->host, .port = o->port };

	if (f->terms.cache == 0 || !hf_fetch_may_keep(f->fetch) || !has_an_end(f, head))
		return false;
	if (head->body == HF_BODY_LENGTH && head->body_len > hf_cache_body_max(f->fetch->opt.cache))
		return false;
	if (f->terms.worker)
		return worker_may_store(f, head);
	return hf_target_parse(f->request.target, &url.path, &url.query) == 0 &&
	       hf_cache_storable(&hf_http_rules, &f->request, &url, head, &f->arena) ==
		       HF_CACHE_STORE;
}

int hf_fill_keep_head(struct hf_fill *f, const struct hf_message *head)
{
	struct hf_fields *fields = &f->head.fields;
	int err;

	f->head = *head;
	err = hf_fields_copy(fields, &head->fields, &f->arena);
	if (!err)
		err = hf_cache_stored_fields(&hf_http_rules, fields, &f->times, &f->arena,
					     &f->stored_fields);
	if (err)
		return err;
	f->variant = hf_vary_key(&f->arena, &head->fields, &f->request.fields);
	return f->variant.ptr ? 0 : HF_ENOMEM;
}

/* ---- storing ---- */

/* What has the same selecting key gives way. */
void hf_fill_put_init(struct hf_fill *f, int status, const struct hf_fields *fields)
{
	f->put = (struct hf_cache_put){
		.cache = f->terms.cache,
		.url = f->url,
		.note = f->terms.note,
		.status = status,
		.variant = f->variant,
		.fields = fields,
		.times = f->times,
		.flags = hf_fill_flags(f),
		.replaces = f->ids,
		.entries_max = f->terms.entries_max,
		.bytes_max = f->terms.bytes_max,
		.doubtful = !hf_fetch_origin(f->fetch, f->origin)->own &&
			    f->intake.integrity.len == 0,
		.way = f->way,
		.user = f,
	};
	for (size_t i = 0; i < f->n; i++)
		if (hf_span_eq(f->v[i]->entry.variant, f->variant))
			f->ids[f->put.replaces_n++] = f->v[i]->id;
}

static void twin_done(struct hf_cache_put *p, int err, struct hf_stored *s)
{
	struct hf_fill *f = p->user;

	(void)s;
	hf_fill_enter(f);
	f->putting = false;
	f->kept = err == 0;
	hf_fill_exit(f);
}

struct hf_stored *hf_fill_keep_twin(struct hf_fill *f, struct hf_stored *s,
				    const struct hf_fields *fields)
{
	struct hf_message msg = { .status = s->entry.status,
				  .minor = 1,
				  .fields = *fields,
				  .body = HF_BODY_LENGTH,
				  .body_len = s->body_len };
	struct hf_span variant = hf_vary_key(&f->arena, fields, &f->request.fields);
	struct hf_shelf_state state;
	struct hf_stored *made;

	hf_stored_state(&f->times, hf_fill_flags(f), s->state.used_dev_ms, &state);
	if (!variant.ptr || hf_stored_copy(s, fields, &state, &made))
		return NULL;
	f->variant = variant;
	if (hf_fill_may_store(f, &msg)) {
		hf_fill_put_init(f, s->entry.status, fields);
		f->put.like = s;
		f->put.done = twin_done;
		f->putting = hf_cache_put(f->fetch->opt.cache, &f->put) == 0;
	}
	return made;
}

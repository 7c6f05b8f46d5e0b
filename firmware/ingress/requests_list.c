/* SPDX-License-Identifier: Apache-2.0 */
/* GET /.holdfast/requests: the list. */
#include <stdlib.h>

#include "holdfast/err.h"
#include "ingress/api.h"
#include "ingress/record_json.h"

#define LIST_DEFAULT 50
#define JSON_MAX     (4 * 1024 * 1024)
#define ARENA_MAX    (1024 * 1024)

struct list_call {
	struct hf_api_call call;
	struct hf_store_list *list;  /* large: on the heap */
	struct hf_span lane, origin; /* ptr NULL: all */
	size_t limit, n;
	struct hf_buf json;
	struct hf_arena arena; /* of one record */
	uint64_t last_id;
	struct hf_record_state last_state;
	bool more;
};

static struct list_call *list_of(struct hf_api_call *call)
{
	return hf_container_of(call, struct list_call, call);
}

static bool is_filtered(const struct list_call *l)
{
	return l->lane.ptr || l->origin.ptr;
}

/* A request that is damaged is nobody's: the operator sees it in the list of all. */
static int look(struct list_call *l, const struct hf_record_brief *b, bool *asked)
{
	struct hf_record_head head;
	int err;

	*asked = !is_filtered(l);
	if (*asked)
		return 0;
	err = hf_record_head_decode(b->head, &l->arena, &head);
	if (!err)
		*asked = (!l->lane.ptr || hf_span_eq_str(l->lane, head.policy.lane)) &&
			 (!l->origin.ptr || hf_span_eq(l->origin, head.origin));
	return err == HF_ENOMEM ? err : 0;
}

static int append_brief(struct list_call *l, const struct hf_record_brief *b)
{
	struct hf_record_view v = hf_record_view_brief(b);
	int err = hf_buf_append_str(&l->json, l->n ? ",{" : "{");

	if (!err)
		err = hf_record_json(l->call.in->opt.queue, &v, &l->arena, &l->json);
	if (!err)
		err = hf_buf_append_str(&l->json, "}");
	l->n++;
	l->last_state = b->state;
	l->last_id = b->id;
	return err;
}

static int append_asked(struct list_call *l, const struct hf_record_brief *b)
{
	bool asked;
	int err = look(l, b, &asked);

	if (!err && asked)
		err = append_brief(l, b);
	hf_arena_reset(&l->arena);
	return err;
}

/* Takes the page's records. */
static int append_page(struct list_call *l)
{
	struct hf_store_list *page = l->list;
	size_t i;
	int err = 0;

	l->more = page->more;
	for (i = 0; i < page->n && !err; i++) {
		if (l->n == l->limit) {
			l->more = true;
			return 0;
		}
		err = append_asked(l, &page->v[i]);
	}
	page->after = page->next;
	return err;
}

static void finish_list(struct list_call *l)
{
	char id[HF_ULID_LEN + 1];
	int err;

	if (l->more && l->n > 0) {
		hf_record_id_format(l->last_id, &l->last_state, id);
		err = hf_buf_appendf(&l->json, "],\"next\":\"%s\"}\n", id);
	} else {
		err = hf_buf_append_str(&l->json, "],\"next\":null}\n");
	}
	if (err)
		hf_api_store_failed(&l->call);
	else
		hf_api_json(&l->call, 200, &l->json);
}

static void read_page(struct list_call *l);

static void page_done(struct hf_store_op *op, int err)
{
	struct list_call *l = op->user;

	if (!hf_api_resume(&l->call))
		return;
	if (!err)
		err = append_page(l);
	hf_store_list_finish(l->list);
	if (err)
		hf_api_store_failed(&l->call);
	else if (l->more && l->n < l->limit)
		read_page(l);
	else
		finish_list(l);
}

static void read_page(struct list_call *l)
{
	l->call.busy = true;
	l->list->op.done = page_done;
	l->list->op.user = l;
	hf_store_list(l->call.in->opt.store, l->list);
}

static const char *read_list_query(struct list_call *l)
{
	struct hf_span value;
	uint64_t number;

	if (hf_api_query(&l->call, "state", &value) &&
	    (!value.ptr || !hf_record_json_states(value, &l->list->status_set)))
		return "state is a list of queued, inflight, held, settled, dead, cancelled.";
	if (hf_api_query(&l->call, "after", &value) &&
	    (!value.ptr || hf_record_id_parse(value, &l->list->after)))
		return "after is the id of a request.";
	if (hf_api_query(&l->call, "limit", &value)) {
		if (!value.ptr || !hf_span_u64(value, &number) || number == 0)
			return "limit is a number from 1 to 64.";
		l->limit = number < HF_STORE_LIST_MAX ? (size_t)number : HF_STORE_LIST_MAX;
	}
	if (hf_api_query(&l->call, "lane", &l->lane) && !l->lane.ptr)
		return "lane is malformed.";
	return NULL;
}

static int list_start(struct hf_api_call *call)
{
	struct list_call *l = list_of(call);
	const char *why;
	int err;

	l->list = calloc(1, sizeof(*l->list));
	if (!l->list)
		return HF_ENOMEM;
	l->limit = LIST_DEFAULT;
	hf_buf_init(&l->json, JSON_MAX);
	hf_arena_init(&l->arena, ARENA_MAX);
	why = read_list_query(l);
	if (why) {
		hf_api_problem(call, 400, why);
		return 0;
	}
	err = hf_buf_append_str(&l->json, "{\"requests\":[");
	if (err)
		return err;
	l->origin = hf_api_origin_name(call);
	l->list->limit = is_filtered(l) ? HF_STORE_LIST_MAX : l->limit;
	read_page(l);
	return 0;
}

static void list_finish(struct hf_api_call *call)
{
	struct list_call *l = list_of(call);

	hf_buf_finish(&l->json);
	hf_arena_finish(&l->arena);
	if (l->list)
		hf_store_list_finish(l->list);
	free(l->list);
}

const struct hf_api_kind hf_api_list = {
	.size = sizeof(struct list_call),
	.start = list_start,
	.finish = list_finish,
};

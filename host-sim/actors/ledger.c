/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/ledger.h"

#include "sim/mem.h"

void sim_ledger_init(struct sim_ledger *l, struct sim_world *world)
{
	memset(l, 0, sizeof(*l));
	l->world = world;
	l->metered_from_us = SIM_NEVER;
	hf_list_init(&l->watches);
}

void sim_ledger_finish(struct sim_ledger *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		struct sim_order *o = l->v[i];

		free(o->lane);
		free(o->method);
		free(o->path);
		free(o->body);
		free(o->due_path);
		free(o->due_body);
		free(o);
	}
	free(l->v);
	free(l->visits);
	sim_pages_finish(&l->pages);
	sim_values_finish(&l->values);
}

void sim_ledger_watch(struct sim_ledger *l, struct sim_ledger_watch *w)
{
	hf_list_init(&w->item);
	hf_list_push(&l->watches, &w->item);
}

#define TELL(l, event, ...)                                                          \
	do {                                                                         \
		struct hf_list *it_, *tmp_;                                          \
                                                                                     \
		hf_list_for(it_, tmp_, &(l)->watches) {                              \
			struct sim_ledger_watch *w_ =                                \
				hf_container_of(it_, struct sim_ledger_watch, item); \
                                                                                     \
			if (w_->event)                                               \
				w_->event(w_->user, __VA_ARGS__);                    \
		}                                                                    \
	} while (0)

struct sim_order *sim_ledger_send(struct sim_ledger *l, const struct sim_sender *from,
				  const char *method, const char *path, const char *body)
{
	struct sim_order *o = sim_alloc(sizeof(*o));

	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->v = sim_realloc(l->v, l->cap * sizeof(struct sim_order *));
	}
	l->v[l->n++] = o;
	o->n = (unsigned)l->n;
	snprintf(o->panel, sizeof(o->panel), "%s", from->panel);
	snprintf(o->device, sizeof(o->device), "%s", from->device);
	snprintf(o->origin, sizeof(o->origin), "%s", from->origin);
	if (asprintf(&o->lane, "%s %s %s", from->device, from->origin, path) < 0)
		sim_must(NULL);
	o->method = sim_strdup(method);
	o->path = sim_strdup(path);
	o->body = sim_strdup(body);
	for (size_t i = 0; i < 8 && l->fieldless[i]; i++)
		o->by_query |= strcmp(l->fieldless[i], from->origin) == 0;
	o->sent_us = l->world->now_us;
	o->answered_us = SIM_NEVER;
	o->effect_us = SIM_NEVER;
	o->settled_us = SIM_NEVER;
	sim_trace(l->world, o->panel, "order %u: %s %s", o->n, method, path);
	TELL(l, on_sent, o);
	return o;
}

char *sim_ledger_fill(const char *text, const struct sim_order *order)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = sim_must(open_memstream(&out, &size));
	const char *place;

	for (; (place = strstr(text, SIM_PLACE)) != NULL; text = place + strlen(SIM_PLACE))
		fprintf(f, "%.*s%u", (int)(place - text), text, order->n);
	fputs(text, f);
	fclose(f);
	return out;
}

void sim_ledger_after(struct sim_order *o, struct sim_order *parent)
{
	o->parent = parent;
	o->due_path = sim_ledger_fill(o->path, parent);
	o->due_body = sim_ledger_fill(o->body, parent);
}

struct sim_order *sim_ledger_find(const struct sim_ledger *l, struct hf_span number)
{
	uint64_t n;

	if (!hf_span_u64(number, &n) || n == 0 || n > l->n)
		return NULL;
	return l->v[n - 1];
}

struct sim_order *sim_ledger_order_of(const struct sim_ledger *l, const struct hf_message *msg,
				      struct hf_span *target)
{
	const struct hf_span *field = hf_fields_get(&msg->fields, SIM_ORDER_FIELD);
	const char *mark;

	*target = msg->target;
	if (field)
		return sim_ledger_find(l, *field);
	mark = memmem(target->ptr, target->len, SIM_ORDER_QUERY, strlen(SIM_ORDER_QUERY));
	if (!mark || mark == target->ptr)
		return NULL;
	target->len = (size_t)(mark - 1 - target->ptr);
	return sim_ledger_find(l, hf_span_skip(msg->target,
					       target->len + 1 + strlen(SIM_ORDER_QUERY)));
}

void sim_ledger_answer(struct sim_ledger *l, struct sim_order *o, int status, int err)
{
	o->answered_us = l->world->now_us;
	o->status = status;
	o->err = err;
	sim_trace(l->world, o->panel, "order %u: answer %d, error %d", o->n, status, err);
	TELL(l, on_answer, o);
}

void sim_ledger_attempt(struct sim_ledger *l, struct sim_order *o, int status, bool effect)
{
	o->attempts++;
	o->attempt_us = l->world->now_us;
	sim_trace(l->world, o->origin, "order %u: attempt %u, answer %d%s", o->n, o->attempts,
		  status, effect ? ", done" : "");
	if (effect && o->effects++ == 0) {
		o->effect_us = l->world->now_us;
		o->effect_turn = l->effects;
	}
	l->effects += effect;
	TELL(l, on_attempt, o, status);
	if (effect)
		TELL(l, on_effect, o);
}

void sim_ledger_page(struct sim_ledger *l, const char *panel, uint64_t sent_us, int status)
{
	sim_trace(l->world, panel, "page: answer %d", status);
	TELL(l, on_page, sent_us, status);
}

void sim_ledger_visit(struct sim_ledger *l, struct hf_span path, int status)
{
	struct sim_visit *v;

	if (l->visits_n == l->visits_cap) {
		l->visits_cap = l->visits_cap ? l->visits_cap * 2 : 64;
		v = realloc(l->visits, l->visits_cap * sizeof(*v));
		sim_must(v);
		l->visits = v;
	}
	v = &l->visits[l->visits_n++];
	*v = (struct sim_visit){ .at_us = l->world->now_us, .life = l->lives, .status = status };
	if (l->metered_from_us < v->at_us)
		v->metered_us = v->at_us - l->metered_from_us;
	snprintf(v->path, sizeof(v->path), "%.*s", HF_SPAN_ARG(path));
}

unsigned sim_ledger_fetched(const struct sim_ledger *l, const char *path)
{
	unsigned n = 0;

	for (size_t i = 0; i < l->visits_n; i++)
		n += l->visits[i].status == 200 && strcmp(l->visits[i].path, path) == 0;
	return n;
}

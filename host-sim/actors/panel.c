/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/panel.h"

#include <assert.h>
#include <stdarg.h>

#include "actors/event_stream.h"
#include "actors/panel_answers.h"
#include "sim/mem.h"

#define PORT	    8480
#define AT	    ".localhost:8480"
#define HOST	    "Host: %s" AT "\r\n"
#define CONNECTIONS 6
#define PATIENCE_US (60 * SIM_US_PER_S) /* then the page gives up */

enum task_kind {
	TASK_ORDER,
	TASK_PAGE,
	TASK_ANSWER,
	TASK_STATE, /* asks for it, or changes it */
	TASK_RETRY, /* without an order: of one that is held */
	TASK_HELD,
};

/* One request: waiting for a connection, then on one. */
struct task {
	struct hf_list item;
	struct sim_panel *panel;
	enum task_kind kind;
	struct sim_order *order;
	unsigned page;		  /* its number among the GETs */
	struct sim_page_ask *ask; /* of content, else NULL */
	uint64_t sent_us;
	char *bytes;
	size_t len;
	struct sim_event patience;
	struct panel_conn *on;
};

struct panel_conn {
	struct hf_list item;
	struct sim_panel *panel;
	struct sim_http http;
	struct task *task; /* NULL: idle */
	bool used;	   /* has answered before */
	bool dead;	   /* freed by the next reap */
};

struct sim_panel {
	struct sim_device *dev;
	struct sim_ledger *ledger;
	struct sim_world *world;
	char name[40];
	struct hf_addr to;
	struct hf_list waiting; /* struct task */
	struct hf_list running; /* struct task */
	struct hf_list conns;
	unsigned conns_n;
	struct sim_event reap;
	struct sim_device_watch watch;
	struct sim_panel_stats stats;
	unsigned pages;		     /* GETs so far */
	struct sim_page_ask *asking; /* the next task's */
	struct sim_event_stream events, observed;
	struct sim_value_view observes;
};

static void start_tasks(struct sim_panel *p);
static void release_held(struct sim_panel *p, struct hf_span list);

/* ---- how a request ends ---- */

static void task_free(struct task *t)
{
	sim_event_clear(t->panel->world, &t->patience);
	hf_list_remove(&t->item);
	sim_free(t->ask);
	free(t->bytes);
	free(t);
}

static void end_page(struct task *t, const struct hf_message *msg, struct hf_span body)
{
	struct sim_panel *p = t->panel;
	int status = msg ? msg->status : 0;
	unsigned version = 0;
	bool hit = false;

	if (t->ask && msg)
		version = sim_page_judge(&p->ledger->pages, p->dev, t->ask, msg, body, &hit);
	if (t->page == p->pages) {
		p->stats.page_done = true;
		p->stats.page_status = status;
		p->stats.page_version = version;
		p->stats.page_hit = hit;
	}
	sim_ledger_page(p->ledger, p->name, t->sent_us, status);
	if (status && status < 400)
		p->stats.pages++;
	else
		p->stats.pages_failed++;
}

static void end_task(struct task *t, int err, const struct hf_message *msg, struct hf_span body)
{
	struct sim_panel *p = t->panel;
	int status = msg ? msg->status : 0;

	p->stats.answered++;
	if (status == 308 && t->order)
		sim_answer_replaced(t->order, body);
	switch (t->kind) {
	case TASK_ORDER:
		if (status == 202)
			sim_answer_id(t->order, msg);
		sim_ledger_answer(p->ledger, t->order, status, err);
		break;
	case TASK_PAGE:
		end_page(t, msg, body);
		break;
	case TASK_ANSWER:
		sim_answer_kept(p->dev, t->order, msg, body);
		break;
	case TASK_STATE:
		sim_answer_state(p->dev, t->order, status, body);
		sim_trace(p->world, p->name, "order %u: state %s %s, answer %d", t->order->n,
			  t->order->state, t->order->reason, status);
		break;
	case TASK_RETRY:
		if (t->order)
			sim_answer_retry(t->order, status, body);
		break;
	case TASK_HELD:
		if (status == 200)
			release_held(p, body);
		break;
	}
	task_free(t);
}

/* ---- connections ---- */

static void bury(struct panel_conn *c)
{
	c->task = NULL;
	if (c->dead)
		return;
	c->dead = true;
	c->panel->conns_n--;
	sim_event_in(c->panel->world, &c->panel->reap, 0);
}

static void conn_gone(struct panel_conn *c, int err)
{
	struct task *t = c->task;

	bury(c);
	if (t)
		end_task(t, err ? err : HF_EEOF, NULL, hf_span(NULL, 0));
}

/* A kept connection that was just being closed: browsers send again. */
static bool send_again(struct panel_conn *c, int err)
{
	struct task *t = c->task;

	if (!t || err || !c->used || c->http.msg)
		return false;
	bury(c);
	t->on = NULL;
	hf_list_remove(&t->item);
	hf_list_push_front(&c->panel->waiting, &t->item);
	return true;
}

static void on_gone(void *user, int err)
{
	struct panel_conn *c = user;

	if (!send_again(c, err))
		conn_gone(c, err);
	start_tasks(c->panel);
}

static void on_message(void *user, const struct hf_message *msg, struct hf_span body)
{
	struct panel_conn *c = user;
	struct task *t = c->task;
	bool keep = msg->keep_alive;

	if (!t) { /* an answer to nothing, a time-out of the server */
		sim_http_close(&c->http, false);
		conn_gone(c, HF_EPROTO);
		return;
	}
	c->task = NULL;
	c->used = true;
	end_task(t, 0, msg, body);
	if (!keep) {
		sim_http_close(&c->http, false);
		conn_gone(c, 0);
	}
	start_tasks(c->panel);
}

static const struct sim_http_events conn_events = {
	.on_message = on_message,
	.on_gone = on_gone,
};

static void reap_due(void *user)
{
	struct sim_panel *p = user;
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &p->conns) {
		struct panel_conn *c = hf_container_of(it, struct panel_conn, item);

		if (!c->dead)
			continue;
		hf_list_remove(&c->item);
		sim_http_finish(&c->http);
		free(c);
	}
}

static struct panel_conn *idle_conn(struct sim_panel *p)
{
	struct hf_list *it, *tmp;
	struct panel_conn *c;

	hf_list_for(it, tmp, &p->conns) {
		c = hf_container_of(it, struct panel_conn, item);
		if (!c->dead && !c->task)
			return c;
	}
	if (p->conns_n == CONNECTIONS)
		return NULL;
	c = sim_alloc(sizeof(*c));
	c->panel = p;
	sim_http_init(&c->http, HF_H1_RESPONSE, &conn_events, c);
	sim_http_connect(&c->http, p->dev->node, p, &p->to);
	hf_list_init(&c->item);
	hf_list_push(&p->conns, &c->item);
	p->conns_n++;
	return c;
}

static void start_tasks(struct sim_panel *p)
{
	struct hf_list *item;
	struct panel_conn *c;

	while ((item = hf_list_first(&p->waiting)) && (c = idle_conn(p))) {
		struct task *t = hf_container_of(item, struct task, item);

		hf_list_remove(item);
		hf_list_push(&p->running, item);
		c->task = t;
		t->on = c;
		sim_http_send(&c->http, hf_span(t->bytes, t->len));
	}
}

/* ---- requests ---- */

static void patience_due(void *user)
{
	struct task *t = user;

	if (!t->on) {
		end_task(t, HF_ETIMEDOUT, NULL, hf_span(NULL, 0));
		return;
	}
	sim_http_close(&t->on->http, true);
	conn_gone(t->on, HF_ETIMEDOUT);
}

static void add_task(struct sim_panel *p, enum task_kind kind, struct sim_order *o, char *bytes)
{
	struct task *t = sim_alloc(sizeof(*t));

	t->panel = p;
	t->kind = kind;
	t->order = o;
	t->bytes = bytes;
	t->len = strlen(bytes);
	t->page = p->pages;
	t->ask = p->asking;
	p->asking = NULL;
	t->sent_us = p->world->now_us;
	hf_list_init(&t->item);
	sim_event_init(&t->patience, patience_due, t);
	p->stats.asked++;
	if (!sim_device_is_lit(p->dev)) { /* a dark panel: nobody can touch it */
		end_task(t, HF_EUNREACH, NULL, hf_span(NULL, 0));
		return;
	}
	hf_list_push(&p->waiting, &t->item);
	sim_event_in(p->world, &t->patience, PATIENCE_US);
	start_tasks(p);
}

__attribute__((format(printf, 1, 2))) static char *print(const char *fmt, ...)
{
	char *out = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&out, fmt, ap);
	va_end(ap);
	return sim_must(n < 0 ? NULL : out);
}

static void send_order(struct sim_panel *p, struct sim_order *o, const char *fields)
{
	char *number =
		print(o->by_query ? "?" SIM_ORDER_QUERY "%u" : SIM_ORDER_FIELD ": %u\r\n", o->n);

	add_task(p, TASK_ORDER, o,
		 print("%s %s%s HTTP/1.1\r\n" HOST "Origin: http://%s" AT "\r\n"
		       "Content-Type: application/json\r\n%s%s"
		       "Content-Length: %zu\r\n\r\n%s",
		       o->method, o->path, o->by_query ? number : "", o->origin, o->origin,
		       o->by_query ? "" : number, fields, strlen(o->body), o->body));
	free(number);
}

struct sim_order *sim_panel_order(struct sim_panel *p, const char *origin, const char *method,
				  const char *path, const char *body)
{
	const struct sim_sender from = { p->name, p->dev->name, origin };
	struct sim_order *o = sim_ledger_send(p->ledger, &from, method, path, body);

	send_order(p, o, "");
	return o;
}

struct sim_order *sim_panel_order_after(struct sim_panel *p, struct sim_order *parent,
					const char *method, const char *path, const char *body)
{
	const struct sim_sender from = { p->name, p->dev->name, parent->origin };
	struct sim_order *o = sim_ledger_send(p->ledger, &from, method, path, body);
	char *field = print("Holdfast-After: \"%s\"; order=\"/order\"\r\n", parent->id);

	assert(parent->id[0]);
	sim_ledger_after(o, parent);
	send_order(p, o, field);
	free(field);
	return o;
}

void sim_panel_get(struct sim_panel *p, const char *origin, const char *path, const char *lang)
{
	struct sim_page_ask *ask = sim_alloc(sizeof(*ask));

	if (sim_page_ask(&p->ledger->pages, p->dev, origin, path, lang, ask))
		p->asking = ask;
	else
		sim_free(ask);
	p->pages++;
	p->stats.page_done = false;
	add_task(p, TASK_PAGE, NULL,
		 print("GET %s HTTP/1.1\r\n" HOST
		       "Accept: text/html\r\nAccept-Language: %s\r\n\r\n",
		       path, origin, lang ? lang : "en"));
}

void sim_panel_ask_answer(struct sim_panel *p, struct sim_order *o)
{
	assert(o->id[0]);
	add_task(p, TASK_ANSWER, o,
		 print("GET /.holdfast/requests/%s/response HTTP/1.1\r\n" HOST "\r\n", o->id,
		       o->origin));
}

static void change(struct sim_panel *p, enum task_kind kind, struct sim_order *o,
		   const char *method, const char *what)
{
	assert(o->id[0]);
	add_task(p, kind, o,
		 print("%s /.holdfast/requests/%s%s HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
		       method, o->id, what, o->origin));
}

void sim_panel_ask_state(struct sim_panel *p, struct sim_order *o)
{
	assert(o->id[0]);
	add_task(p, TASK_STATE, o,
		 print("GET /.holdfast/requests/%s HTTP/1.1\r\n" HOST "\r\n", o->id, o->origin));
}

void sim_panel_cancel(struct sim_panel *p, struct sim_order *o)
{
	change(p, TASK_STATE, o, "DELETE", "");
}

void sim_panel_retry(struct sim_panel *p, struct sim_order *o)
{
	change(p, TASK_RETRY, o, "POST", "/retry");
}

void sim_panel_release(struct sim_panel *p)
{
	add_task(p, TASK_HELD, NULL,
		 print("GET /.holdfast/requests?state=held HTTP/1.1\r\n" HOST "\r\n", "shop"));
}

static void note_held(struct sim_ledger *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		l->v[i]->was_held |= strcmp(l->v[i]->id, id) == 0;
}

static void release_held(struct sim_panel *p, struct hf_span list)
{
	char id[64];

	while (sim_answer_next_id(&list, id, sizeof(id))) {
		note_held(p->ledger, id);
		add_task(p, TASK_RETRY, NULL,
			 print("POST /.holdfast/requests/%s/retry HTTP/1.1\r\n" HOST
			       "Content-Length: 0\r\n\r\n",
			       id, "shop"));
	}
}

/* ---- the event stream ---- */

/* "settled" tells of an order. */
static void on_event(void *user, struct hf_span text)
{
	struct sim_panel *p = user;

	if (text.len && text.ptr[0] != ':')
		p->stats.events++;
	if (memmem(text.ptr, text.len, "event: settled", 14))
		sim_answer_settled(p->ledger, text);
}

void sim_panel_follow(struct sim_panel *p, bool on)
{
	if (!on) {
		sim_event_stream_stop(&p->events);
		sim_event_stream_stop(&p->observed);
		return;
	}
	sim_event_stream_follow(&p->events,
				print("GET /.holdfast/events HTTP/1.1\r\nHost: localhost:8480\r\n"
				      "Accept: text/event-stream\r\n\r\n"));
}

/* ---- what is observed ---- */

static void on_observed(void *user, struct hf_span text)
{
	struct sim_panel *p = user;
	struct hf_span event = sim_event_field(text, "event"), data = sim_event_field(text, "data");

	if (text.len == 0 || text.ptr[0] == ':')
		return;
	p->stats.stale = event.len > 0; /* or gone */
	sim_trace(p->world, p->name, "observes %s: %.*s %.*s", p->observes.path, HF_SPAN_ARG(event),
		  HF_SPAN_ARG(data));
	if (p->stats.stale)
		return;
	snprintf(p->stats.heard, sizeof(p->stats.heard), "%.*s", HF_SPAN_ARG(data));
	sim_values_heard(&p->ledger->values, &p->observes, p->stats.heard);
}

void sim_panel_observe(struct sim_panel *p, const char *origin, const char *path)
{
	sim_value_view_init(&p->observes, origin, path);
	p->stats.heard[0] = '\0';
	p->stats.stale = false;
	sim_event_stream_follow(&p->observed, print("GET %s HTTP/1.1\r\n" HOST
						    "Accept: text/event-stream\r\n\r\n",
						    path, origin));
}

/* ---- life ---- */

static void go_dark(struct sim_panel *p)
{
	struct hf_list *it, *tmp, *item;

	hf_list_for(it, tmp, &p->conns) {
		struct panel_conn *c = hf_container_of(it, struct panel_conn, item);

		if (c->task && c->task->kind == TASK_ORDER)
			c->task->order->lost_power = true;
		sim_http_close(&c->http, true);
		conn_gone(c, HF_ECANCELED);
	}
	while ((item = hf_list_first(&p->waiting)))
		end_task(hf_container_of(item, struct task, item), HF_ECANCELED, NULL,
			 hf_span(NULL, 0));
}

static void on_power(void *user, bool up)
{
	struct sim_panel *p = user;

	if (!up)
		go_dark(p);
	sim_event_stream_power(&p->events, up);
	sim_event_stream_power(&p->observed, up);
}

struct sim_panel *sim_panel_create(struct sim_device *dev, struct sim_ledger *ledger,
				   const char *name, const char *control)
{
	struct sim_panel *p = sim_alloc(sizeof(*p));

	p->dev = dev;
	p->ledger = ledger;
	p->world = dev->world;
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->to = sim_addr_ipv4(0x7f000001, PORT);
	if (control) {
		p->to.family = HF_FAMILY_UNIX;
		snprintf(p->to.path, sizeof(p->to.path), "%s", control);
	}
	hf_list_init(&p->waiting);
	hf_list_init(&p->running);
	hf_list_init(&p->conns);
	sim_event_init(&p->reap, reap_due, p);
	sim_event_stream_init(&p->events, dev, p, &p->to, on_event, p);
	sim_event_stream_init(&p->observed, dev, p, &p->to, on_observed, p);
	p->watch.on_power = on_power;
	p->watch.user = p;
	sim_device_watch(dev, &p->watch);
	return p;
}

void sim_panel_destroy(struct sim_panel *p)
{
	if (!p)
		return;
	sim_device_unwatch(&p->watch);
	go_dark(p);
	reap_due(p);
	sim_event_clear(p->world, &p->reap);
	sim_event_stream_finish(&p->events);
	sim_event_stream_finish(&p->observed);
	free(p);
}

const char *sim_panel_name(const struct sim_panel *p)
{
	return p->name;
}

struct sim_device *sim_panel_device(const struct sim_panel *p)
{
	return p->dev;
}

bool sim_panel_idle(const struct sim_panel *p)
{
	return p->stats.asked == p->stats.answered;
}

const struct sim_panel_stats *sim_panel_stats(const struct sim_panel *p)
{
	return &p->stats;
}

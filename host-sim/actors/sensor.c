/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/sensor.h"

#include <stdlib.h>

#include "coap/block.h"
#include "coap/con.h"
#include "sim/datagram.h"
#include "sim/mem.h"

#define FORMAT_JSON	50
#define ANEW_US		(60 * SIM_US_PER_S)
#define ANSWER_US	(60 * SIM_US_PER_S) /* after an acknowledgement without one */
#define AFTER_BLOCKS_US (5 * SIM_US_PER_S)

struct reading {
	struct hf_list item;
	struct sim_order *order;
	size_t at;   /* of the body: the block that is on its way */
	bool echoed; /* once is enough */
};

struct sim_sensor {
	struct sim_device *dev;
	struct sim_ledger *ledger;
	struct sim_world *world;
	struct sim_node *node;
	struct hf_datagrams *datagrams;
	char name[40];
	bool keys;
	struct hf_list readings; /* the first is on its way */
	struct sim_con con;
	bool waits; /* for an answer to con */
	uint16_t mid, token;
	char echo[40];
	size_t echo_len;
	struct sim_rng rng;
	struct sim_event again; /* the reading is begun anew, or its answer has not come */
	struct sim_sensor_stats stats;
};

static struct reading *first_of(const struct sim_sensor *s)
{
	struct hf_list *first = hf_list_first(&s->readings);

	return first ? hf_container_of(first, struct reading, item) : NULL;
}

/* ---- sending ---- */

static void add_text(struct hf_coap_head *head, uint16_t number, const char *text)
{
	(void)hf_coap_option_add(head, number, hf_span_str(text));
}

static void add_path(struct hf_coap_head *head, struct hf_span path)
{
	path = hf_span_skip(path, 1);
	while (path.ptr)
		(void)hf_coap_option_add(head, HF_COAP_URI_PATH, hf_span_cut(&path, '/'));
}

static uint8_t code_of(const char *method)
{
	return strcmp(method, "PUT") == 0 ? 3 : strcmp(method, "DELETE") == 0 ? 4 : 2;
}

static void send_message(struct sim_sensor *s)
{
	struct reading *r = first_of(s);
	const struct sim_order *o = r->order;
	struct hf_coap_message m = { .type = HF_COAP_CON, .mid = ++s->mid, .token_len = 2 };
	struct hf_coap_block block = { .num = (uint32_t)(r->at / HF_COAP_BLOCK_MAX),
				       .szx = HF_COAP_SZX_MAX };
	size_t all = strlen(o->body), left = all - r->at;
	char key[64], number[32], host[48], format[4], bytes[4];
	struct hf_addr to = s->dev->node->addr;

	s->token++;
	memcpy(m.token, &s->token, 2);
	m.head.code = code_of(o->method);
	snprintf(host, sizeof(host), "%s.localhost", o->origin);
	add_text(&m.head, HF_COAP_URI_HOST, host);
	add_path(&m.head, hf_span_str(o->path));
	snprintf(key, sizeof(key), "idempotency-key=%s-%u", s->name, o->n);
	if (s->keys)
		add_text(&m.head, HF_COAP_URI_QUERY, key);
	snprintf(number, sizeof(number), SIM_ORDER_QUERY "%u", o->n);
	add_text(&m.head, HF_COAP_URI_QUERY, number);
	(void)hf_coap_option_add(&m.head, HF_COAP_CONTENT_FORMAT,
				 hf_coap_uint(FORMAT_JSON, format));
	if (s->echo_len)
		(void)hf_coap_option_add(&m.head, HF_COAP_ECHO, hf_span(s->echo, s->echo_len));
	block.more = left > HF_COAP_BLOCK_MAX;
	if (all > HF_COAP_BLOCK_MAX)
		(void)hf_coap_option_add(&m.head, HF_COAP_BLOCK1,
					 hf_coap_block_format(&block, bytes));
	m.payload = hf_span(o->body + r->at, block.more ? HF_COAP_BLOCK_MAX : left);
	if (!sim_con_init(&s->con, &m, s->con.due.fire, s))
		sim_must(NULL);
	s->waits = true;
	to.port = SIM_COAP_PORT;
	sim_datagram_send(s->datagrams, &to, s->con.bytes, s->con.len);
	sim_con_sent(&s->con, s->world, (unsigned)sim_rng_below(&s->rng, 1000));
}

static void stop(struct sim_sensor *s)
{
	s->waits = false;
	sim_con_stop(&s->con, s->world);
	sim_event_clear(s->world, &s->again);
}

static void begin_anew(struct sim_sensor *s, uint64_t in_us)
{
	stop(s);
	first_of(s)->at = 0;
	s->stats.restarts++;
	sim_event_in(s->world, &s->again, in_us);
}

/* ---- how a reading ends ---- */

static void end_reading(struct sim_sensor *s, int status, int err)
{
	struct reading *r = first_of(s);

	stop(s);
	hf_list_remove(&r->item);
	s->stats.taken += status == 202;
	s->stats.given_up += status == 0;
	s->stats.refused += status >= 400;
	sim_ledger_answer(s->ledger, r->order, status, err);
	sim_free(r);
	if (first_of(s))
		send_message(s);
}

static void give_up(struct sim_sensor *s)
{
	if (s->keys)
		begin_anew(s, ANEW_US);
	else
		end_reading(s, 0, HF_ETIMEDOUT);
}

static void repeat_due(void *user)
{
	struct sim_sensor *s = user;
	struct hf_addr to = s->dev->node->addr;

	if (!sim_con_again(&s->con, s->world)) {
		give_up(s);
		return;
	}
	s->stats.again++;
	to.port = SIM_COAP_PORT;
	sim_datagram_send(s->datagrams, &to, s->con.bytes, s->con.len);
}

static void again_due(void *user)
{
	struct sim_sensor *s = user;

	if (s->waits)
		give_up(s);
	else
		send_message(s);
}

/* ---- what comes ---- */

/* "requests", then the id. */
static void take_location(struct sim_order *o, const struct hf_coap_head *head)
{
	for (size_t i = 0; i < head->n; i++)
		if (head->options[i].number == HF_COAP_LOCATION_PATH)
			snprintf(o->id, sizeof(o->id), "%.*s", HF_SPAN_ARG(head->options[i].value));
}

static bool take_echo(struct sim_sensor *s, const struct hf_coap_head *head)
{
	const struct hf_span *echo = hf_coap_option_get(head, HF_COAP_ECHO);

	if (!echo || echo->len > sizeof(s->echo) || first_of(s)->echoed)
		return false;
	memcpy(s->echo, echo->ptr, echo->len);
	s->echo_len = echo->len;
	s->stats.echoes++;
	return first_of(s)->echoed = true;
}

static uint64_t pause_us(const struct hf_coap_head *head)
{
	const struct hf_span *age = hf_coap_option_get(head, HF_COAP_MAX_AGE);
	uint32_t seconds = 60;

	if (age)
		(void)hf_coap_uint_parse(*age, &seconds);
	return (seconds + 1) * SIM_US_PER_S;
}

static int status_of(uint8_t code)
{
	return 100 * (code >> 5) + (code & 31);
}

static void take_answer(struct sim_sensor *s, const struct hf_coap_message *m)
{
	struct reading *r = first_of(s);
	uint8_t code = m->head.code;

	stop(s);
	if (code == HF_COAP_CONTINUE) {
		r->at += HF_COAP_BLOCK_MAX;
		send_message(s);
	} else if (code >> 5 == 2) {
		take_location(r->order, &m->head);
		end_reading(s, 202, 0);
	} else if (code == HF_COAP_INCOMPLETE && s->keys) {
		begin_anew(s, AFTER_BLOCKS_US);
	} else if (code == HF_COAP_CODE(5, 3) && s->keys) {
		begin_anew(s, pause_us(&m->head));
	} else if (code == HF_COAP_CODE(4, 1) && take_echo(s, &m->head)) {
		send_message(s);
	} else {
		end_reading(s, status_of(code), 0);
	}
}

static void acknowledge(struct sim_sensor *s, const struct hf_addr *to, uint16_t mid)
{
	struct hf_coap_message m = { .type = HF_COAP_ACK, .mid = mid };
	char bytes[8];

	sim_datagram_send(s->datagrams, to, bytes,
			  hf_coap_message_format(&m, bytes, sizeof(bytes)));
}

static void on_datagram(void *user, const struct hf_addr *from, const void *data, size_t len)
{
	struct sim_sensor *s = user;
	struct hf_coap_message m;

	if (hf_coap_message_parse(hf_span(data, len), &m))
		return;
	if (m.type == HF_COAP_CON)
		acknowledge(s, from, m.mid);
	if (!s->waits || (m.type == HF_COAP_ACK && m.mid != s->con.mid))
		return;
	if (m.type == HF_COAP_ACK && m.head.code == 0) { /* the answer follows */
		sim_con_stop(&s->con, s->world);
		sim_event_in(s->world, &s->again, ANSWER_US);
		return;
	}
	if (m.type != HF_COAP_RST && m.token_len == 2 && memcmp(m.token, &s->token, 2) == 0)
		take_answer(s, &m);
}

/* ---- life ---- */

struct sim_sensor *sim_sensor_create(struct sim_device *dev, struct sim_ledger *ledger,
				     const char *name, uint32_t ipv4, bool keys)
{
	static const struct hf_datagram_events events = { .on_datagram = on_datagram };
	struct sim_sensor *s = sim_alloc(sizeof(*s));
	struct hf_addr any = sim_addr_ipv4(0, SIM_COAP_PORT);
	char domain[64];

	s->dev = dev;
	s->ledger = ledger;
	s->world = dev->world;
	s->keys = keys;
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->node = sim_node_add(dev->net, name, ipv4);
	s->node->local = true;
	hf_list_init(&s->readings);
	hf_list_init(&s->con.item);
	sim_event_init(&s->con.due, repeat_due, s);
	sim_event_init(&s->again, again_due, s);
	snprintf(domain, sizeof(domain), "%s/sensor", name);
	sim_rng_init(&s->rng, s->world->seed, domain);
	s->mid = (uint16_t)sim_rng_u64(&s->rng);
	s->token = (uint16_t)sim_rng_u64(&s->rng);
	if (sim_datagram_open(s->node, s, &any, &events, s, &s->datagrams))
		sim_must(NULL);
	return s;
}

void sim_sensor_destroy(struct sim_sensor *s)
{
	struct hf_list *it, *tmp;

	if (!s)
		return;
	stop(s);
	hf_list_for(it, tmp, &s->readings)
		sim_free(hf_container_of(it, struct reading, item));
	sim_datagram_close(s->datagrams);
	sim_free(s);
}

struct sim_order *sim_sensor_send(struct sim_sensor *s, const char *origin, const char *method,
				  const char *path, const char *body)
{
	const struct sim_sender from = { s->name, s->dev->name, origin };
	struct reading *r = sim_alloc(sizeof(*r));
	bool busy = first_of(s) != NULL;

	r->order = sim_ledger_send(s->ledger, &from, method, path, body);
	hf_list_init(&r->item);
	hf_list_push(&s->readings, &r->item);
	if (!busy)
		send_message(s);
	return r->order;
}

const char *sim_sensor_name(const struct sim_sensor *s)
{
	return s->name;
}

struct sim_node *sim_sensor_node(struct sim_sensor *s)
{
	return s->node;
}

bool sim_sensor_idle(const struct sim_sensor *s)
{
	return first_of(s) == NULL;
}

const struct sim_sensor_stats *sim_sensor_stats(const struct sim_sensor *s)
{
	return &s->stats;
}

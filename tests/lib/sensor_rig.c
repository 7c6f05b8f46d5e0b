/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sensor_rig.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#define PORT_DEFAULT 40000

static struct sensor_rig *of(struct hf_port *port)
{
	struct fake_net *net = hf_container_of(port, struct fake_net, port);

	return hf_container_of(hf_container_of(net, struct panel_rig, net), struct sensor_rig,
			       panel);
}

/* ---- the port ---- */

static int datagram_open(struct hf_port *port, const struct hf_addr *at,
			 const struct hf_datagram_events *events, void *user,
			 struct hf_datagrams **out)
{
	struct sensor_rig *r = of(port);

	(void)at;
	assert(r->sockets_n < 2);
	r->sockets[r->sockets_n] = (struct sensor_socket){ events, user };
	*out = (struct hf_datagrams *)(void *)&r->sockets[r->sockets_n++];
	return 0;
}

static void datagram_send(struct hf_port *port, struct hf_datagrams *d, const struct hf_addr *to,
			  const void *data, size_t len)
{
	struct sensor_rig *r = of(port);
	struct sensor_sent *s = &r->sent[r->sent_n++ % SENSOR_SENT_MAX];

	(void)d;
	assert(len <= sizeof(s->bytes) && r->sent_n - r->taken <= SENSOR_SENT_MAX);
	s->to = *to;
	s->len = len;
	memcpy(s->bytes, data, len);
	r->bytes[to->port].out += len;
}

static void datagram_close(struct hf_port *port, struct hf_datagrams *d)
{
	((struct sensor_socket *)(void *)d)->events = NULL;
	of(port)->sockets_n = 0;
}

static int file_read(struct hf_port *port, const char *path, size_t max, char **out, size_t *len)
{
	struct sensor_rig *r = of(port);

	(void)path;
	if (!r->devices)
		return HF_ENOENT;
	*len = strlen(r->devices);
	assert(*len <= max);
	*out = malloc(*len + 1);
	assert(*out);
	memcpy(*out, r->devices, *len + 1);
	return 0;
}

static bool file_exposed(struct hf_port *port, const char *path)
{
	(void)path;
	return of(port)->exposed;
}

/* ---- the agent ---- */

static int origin_by_host(void *user, struct hf_span host)
{
	(void)user;
	return hf_span_eq_str(host, "shop.localhost") ? 0 : -1;
}

static bool origin_is_coap(void *user, unsigned origin)
{
	(void)user;
	(void)origin;
	return false;
}

static const struct hf_route *find_route(void *user, unsigned origin,
					 const struct hf_match_request *req)
{
	struct sensor_rig *r = user;

	return r->panel.fetch_opt.route(r->panel.fetch_opt.user, origin, req);
}

static void each_path(void *user, void (*each)(void *to, struct hf_span path), void *to)
{
	(void)user;
	each(to, HF_SPAN("/api/readings"));
	each(to, HF_SPAN("/api/state"));
}

void sensor_rig_init(struct sensor_rig *r)
{
	memset(r, 0, sizeof(*r));
	panel_rig_init(&r->panel);
	r->panel.net.port.datagram_open = datagram_open;
	r->panel.net.port.datagram_send = datagram_send;
	r->panel.net.port.datagram_close = datagram_close;
	r->panel.net.port.file_read = file_read;
	r->panel.net.port.file_exposed = file_exposed;
	r->opt = (struct hf_sensor_options){
		.port = &r->panel.net.port,
		.timers = &r->panel.net.timers,
		.log = &r->panel.net.log,
		.key = { .query = "key" },
		.origin_by_host = origin_by_host,
		.origin_is_coap = origin_is_coap,
		.route = find_route,
		.each_path = each_path,
		.user = r,
	};
	r->mid = 1000;
}

void sensor_rig_start(struct sensor_rig *r)
{
	struct hf_addr at = { .family = HF_FAMILY_IPV4, .ip = { 127, 0, 0, 1 }, .port = 5683 };

	panel_rig_start(&r->panel);
	r->opt.fetch = r->panel.fetch;
	r->opt.queue = r->panel.queue;
	r->opt.store = r->panel.store;
	if (r->devices)
		r->opt.devices_file = "devices";
	assert(hf_sensors_create(&r->opt, &r->sensors) == 0);
	assert(hf_sensors_listen(r->sensors, &at, false) == 0);
	if (r->secure)
		assert(hf_sensors_listen(r->sensors, &at, true) == 0);
}

/* As the agent closes down; the panel rig destroys its store once more, which is none. */
static void close_sensors(struct sensor_rig *r)
{
	hf_store_destroy(r->panel.store);
	r->panel.store = NULL;
	hf_queue_abandon(r->panel.queue);
	hf_fetch_abandon(r->panel.fetch);
	hf_sensors_destroy(r->sensors);
	r->sensors = NULL;
}

void sensor_rig_finish(struct sensor_rig *r)
{
	close_sensors(r);
	panel_rig_finish(&r->panel);
}

void sensor_rig_stop(struct sensor_rig *r)
{
	close_sensors(r);
	panel_rig_stop(&r->panel);
}

void sensor_rig_again(struct sensor_rig *r)
{
	sensor_rig_start(r);
}

void sensor_rig_reboot(struct sensor_rig *r)
{
	sensor_rig_stop(r);
	sensor_rig_again(r);
}

/* ---- the sensor ---- */

static void give(struct sensor_rig *r, const struct sensor_socket *to, uint16_t port,
		 const void *bytes, size_t len)
{
	struct hf_addr from = { .family = HF_FAMILY_IPV4,
				.ip = { 192, 0, 2, 9 },
				.port = port ? port : PORT_DEFAULT };
	/* of its own, for the sanitizer */
	char *copy = malloc(len ? len : 1);

	assert(copy);
	memcpy(copy, bytes, len);
	r->bytes[from.port].in += len;
	to->events->on_datagram(to->user, &from, copy, len);
	free(copy);
	panel_rig_settle(&r->panel);
}

void sensor_rig_send(struct sensor_rig *r, uint16_t port, const void *bytes, size_t len)
{
	give(r, &r->sockets[0], port, bytes, len);
}

void sensor_rig_send_secure(struct sensor_rig *r, uint16_t port, const void *bytes, size_t len)
{
	give(r, &r->sockets[1], port, bytes, len);
}

static void add_parts(struct hf_coap_message *m, uint16_t number, const char *text, char sep)
{
	struct hf_span rest = hf_span_str(text);

	while (rest.ptr)
		assert(hf_coap_option_add(&m->head, number, hf_span_cut(&rest, sep)) == 0);
}

size_t sensor_rig_format(struct sensor_rig *r, const struct sensor_ask *ask,
			 char out[HF_COAP_DATAGRAM_MAX])
{
	struct hf_coap_message m = { .type = ask->type,
				     .mid = ask->mid ? ask->mid : ++r->mid,
				     .head = { .code = ask->code } };
	char format[4];
	size_t len;

	m.token_len = (uint8_t)(ask->token ? strlen(ask->token) : 0);
	if (m.token_len)
		memcpy(m.token, ask->token, m.token_len);
	if (ask->path && ask->path[1])
		add_parts(&m, HF_COAP_URI_PATH, ask->path + 1, '/');
	if (ask->query)
		add_parts(&m, HF_COAP_URI_QUERY, ask->query, '&');
	if (ask->format)
		assert(hf_coap_option_add(&m.head, HF_COAP_CONTENT_FORMAT,
					  hf_coap_uint((uint32_t)ask->format - 1, format)) == 0);
	for (size_t i = 0; i < 4 && ask->more[i].number; i++)
		assert(hf_coap_option_add(&m.head, ask->more[i].number, ask->more[i].value) == 0);
	m.payload = ask->payload_len ? hf_span(ask->payload, ask->payload_len) :
				       hf_span_str(ask->payload);
	len = hf_coap_message_format(&m, out, HF_COAP_DATAGRAM_MAX);
	assert(len > 0);
	return len;
}

bool sensor_rig_take(struct sensor_rig *r, struct hf_coap_message *out)
{
	struct sensor_sent *s = &r->sent[r->taken % SENSOR_SENT_MAX];

	if (r->taken == r->sent_n)
		return false;
	r->taken++;
	assert(hf_coap_message_parse(hf_span(s->bytes, s->len), out) == 0);
	return true;
}

bool sensor_rig_ask(struct sensor_rig *r, const struct sensor_ask *ask, struct hf_coap_message *out)
{
	char bytes[HF_COAP_DATAGRAM_MAX];
	size_t len = sensor_rig_format(r, ask, bytes);

	sensor_rig_send(r, ask->port, bytes, len);
	return sensor_rig_take(r, out);
}

uint64_t sensor_rig_waiting(struct sensor_rig *r)
{
	struct hf_queue_totals totals;

	hf_queue_totals(r->panel.queue, UINT_MAX, &totals);
	return totals.waiting;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Who answers a request: the origin its Host names, /.holdfast/, or nobody. */
#include "http/url.h"
#include "ingress/access.h"
#include "ingress/api.h"
#include "ingress/connection.h"
#include "net/addr.h"

static void refuse(struct hf_connection *c, int status, const char *error, const char *detail)
{
	struct hf_problem p = { .status = status, .error = error, .detail = detail };

	hf_connection_problem(c, &p);
}

/* Target in origin-form, and the host it is meant for. */
static bool read_target(struct hf_connection *c)
{
	const struct hf_span *host = hf_fields_get(&c->msg->fields, "Host");
	struct hf_span target = c->msg->target;
	const char *slash;
	struct hf_url url;

	c->host = host ? *host : hf_span(NULL, 0);
	if (target.ptr[0] == '/')
		return true;
	if (hf_url_parse(target, &url) || !hf_span_ieq_str(url.scheme, "http"))
		return false;
	/* Behind "http://": the reader has put the authority into Host. */
	target = hf_span_skip(target, url.scheme.len + 3);
	slash = memchr(target.ptr, '/', target.len);
	if (slash && !memchr(target.ptr, '?', (size_t)(slash - target.ptr))) {
		c->request.target = hf_span_skip(target, (size_t)(slash - target.ptr));
		return true;
	}
	slash = memchr(target.ptr, '?', target.len);
	c->request.target =
		slash ? hf_arena_printf(&c->arena, "/%.*s",
					(int)(target.len - (size_t)(slash - target.ptr)), slash) :
			HF_SPAN("/");
	return c->request.target.ptr != NULL;
}

static int origin_of(struct hf_connection *c)
{
	const struct hf_ingress_options *opt = &c->ingress->opt;
	struct hf_span name;
	uint16_t port;

	if (c->host.len == 0)
		return c->minor0 ? opt->origin_by_host(opt->user, HF_SPAN("localhost")) : -1;
	if (hf_host_parse(c->host, &name, &port))
		return -1;
	return opt->origin_by_host(opt->user, name);
}

static void begin_fetch(struct hf_connection *c, unsigned origin)
{
	struct hf_ingress *in = c->ingress;
	struct hf_fetch_request req = {
		.base = { .msg = &c->request },
		.origin = origin,
		.peer = &c->peer,
		.host = c->host,
		.panel_minor0 = c->minor0,
	};

	c->transport = hf_fetch_transport(in->opt.fetch);
	if (hf_fetch_perform(in->opt.fetch, &req, &hf_connection_events, c, &c->exchange)) {
		c->exchange = NULL;
		refuse(c, 503, "proxy_internal_error", "Holdfast is short of memory.");
	}
}

static void begin_api(struct hf_connection *c, unsigned origin)
{
	struct hf_ingress *in = c->ingress;
	struct hf_api_request req = {
		.msg = &c->request,
		.host = c->host,
		.control = c->side != HF_SIDE_PANEL,
		.origin = origin,
	};

	c->transport = &in->api;
	if (hf_api_perform(in, &req, &hf_connection_events, c, &c->exchange)) {
		c->exchange = NULL;
		refuse(c, 503, "proxy_internal_error", "Holdfast is short of memory.");
	}
}

/* Methods that a proxy for one origin has no use for. */
static bool refuse_method(struct hf_connection *c)
{
	struct hf_problem p = {
		.status = 405,
		.error = "http_request_denied",
		.detail = "TRACE and CONNECT are not served here.",
		.allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
	};

	if (hf_span_eq_str(c->msg->target, "*")) {
		p.status = 501;
		p.allow = NULL;
		p.detail = "OPTIONS for the server as a whole is not served here.";
	} else if (!hf_span_eq_str(c->msg->method, "TRACE") &&
		   !hf_span_eq_str(c->msg->method, "CONNECT")) {
		return false;
	}
	hf_connection_problem(c, &p);
	return true;
}

static void begin_page_api(struct hf_connection *c, unsigned origin)
{
	const char *why = hf_access_page(c->msg, c->host);

	if (why)
		refuse(c, 403, "http_request_denied", why);
	else
		begin_api(c, origin);
}

static void route_panel(struct hf_connection *c, struct hf_span path)
{
	int origin = origin_of(c);

	if (origin < 0) {
		refuse(c, 421, "destination_not_found", "No origin is configured for this Host.");
		return;
	}
	switch (hf_access_path(path)) {
	case HF_PATH_OURS:
		begin_page_api(c, (unsigned)origin);
		return;
	case HF_PATH_AMBIGUOUS:
		refuse(c, 400, "http_request_denied",
		       "The path could be read as one below /.holdfast/; write it plainly.");
		return;
	case HF_PATH_ORIGIN:
		begin_fetch(c, (unsigned)origin);
		return;
	}
}

/* A name of this device: what a page of elsewhere reaches us by is none. */
static bool is_local_host(struct hf_span host)
{
	char text[64];

	if (host.len == 0 || host.len >= sizeof(text))
		return false;
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	return hf_host_is_local(text);
}

static void route_metrics(struct hf_connection *c, struct hf_span path)
{
	struct hf_problem method = {
		.status = 405,
		.error = "http_request_denied",
		.detail = "Only GET and HEAD are served here.",
		.allow = "GET, HEAD",
	};
	const char *why = hf_access_page(c->msg, c->host);

	if (!is_local_host(c->host))
		refuse(c, 421, "destination_not_found",
		       "The figures are asked of localhost or a loopback address.");
	else if (why)
		refuse(c, 403, "http_request_denied", why);
	else if (!hf_span_eq_str(path, "/metrics"))
		refuse(c, 404, NULL, "This address serves /metrics only.");
	else if (!hf_span_eq_str(c->msg->method, "GET") && !hf_span_eq_str(c->msg->method, "HEAD"))
		hf_connection_problem(c, &method);
	else {
		c->request.target = HF_SPAN("/.holdfast/metrics");
		begin_api(c, 0);
	}
}

void hf_connection_route(struct hf_connection *c)
{
	struct hf_span path, query;

	if (refuse_method(c))
		return;
	if (!read_target(c) || hf_target_parse(c->request.target, &path, &query)) {
		c->keep_alive = false;
		refuse(c, 400, "http_request_error",
		       "The target is neither a path nor an http:// URL.");
		return;
	}
	if (c->side == HF_SIDE_PANEL)
		route_panel(c, path);
	else if (c->side == HF_SIDE_METRICS)
		route_metrics(c, path);
	else if (hf_access_path(path) == HF_PATH_OURS)
		begin_api(c, 0);
	else
		refuse(c, 404, NULL, "The control socket serves /.holdfast/ only.");
}

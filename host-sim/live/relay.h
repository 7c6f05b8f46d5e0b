/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network between holdfastd and the origin: a TCP relay on a loopback port
 * that can be slow, break connections, be gone, or be a captive portal.
 *
 * Before an origin of the user's it also does what makes it reachable under
 * another address: Host and Origin of each request become the origin's own, and
 * TLS is spoken to an https origin (holdfastd sees it in the clear).
 */
#ifndef LIVE_RELAY_H
#define LIVE_RELAY_H

#include "http/url.h"
#include "live/pipe.h"
#include "live/server.h"

enum live_portal {
	LIVE_PORTAL_OFF,
	LIVE_PORTAL_PAGE,     /* 200 and a login page, to everything */
	LIVE_PORTAL_REDIRECT, /* 302 to it */
};

struct live_weather {
	bool link_up;	/* else connections are reset and refused */
	bool origin_up; /* the same; a portal answers all the same */
	enum live_portal portal;
	struct live_line line;
};

struct live_relay_options {
	struct live_bench *bench;
	uint16_t port;	     /* where holdfastd finds it */
	struct hf_url url;   /* of the origin */
	const char *ca_file; /* for https */
	bool rewrite;	     /* Host and Origin */
	/* A request passes (only with @rewrite). */
	void (*on_request)(void *user, const struct hf_message *head);
	void *user;
};

struct live_relay;

/* HF_ECONFIG (ca_file; says why on stderr), HF_ENOMEM. */
int live_relay_create(const struct live_relay_options *opt, struct live_relay **out);
void live_relay_destroy(struct live_relay *r);
/* The errors of hf_port.listen. */
int live_relay_set(struct live_relay *r, const struct live_weather *w);

#endif

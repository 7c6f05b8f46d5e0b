/* SPDX-License-Identifier: Apache-2.0 */
/* struct hf_port, names. */
#include "lib/port_contract_private.h"

#include <stdlib.h>
#include <string.h>

struct answer {
	int calls, err;
	size_t n;
	struct hf_addr addrs[8];
};

static void on_answer(void *user, int err, const struct hf_addr *addrs, size_t n)
{
	struct answer *a = user;

	port_note_event();
	a->calls++;
	a->err = err;
	a->n = n;
	for (size_t i = 0; i < n && i < 8; i++)
		a->addrs[i] = addrs[i];
}

static const char *ask(struct port_world *w, const char *host, struct answer *a)
{
	struct hf_resolve *r = NULL;
	int err;

	memset(a, 0, sizeof(*a));
	port_inside = true;
	err = w->port->resolve(w->port, host, on_answer, a, &r);
	port_inside = false;
	CHECK(err == 0 && r && a->calls == 0);
	WAIT_FOR(w, a->calls == 1);
	return NULL;
}

static const char *numeric_hosts_are_their_own_answer(struct port_world *w)
{
	struct answer a;
	const char *why;

	why = ask(w, "192.0.2.7", &a);
	if (why)
		return why;
	CHECK(a.err == 0 && a.n == 1 && a.addrs[0].family == HF_FAMILY_IPV4);
	CHECK(memcmp(a.addrs[0].ip, "\xc0\x00\x02\x07", 4) == 0 && a.addrs[0].port == 0);
	why = ask(w, "2001:db8::1", &a);
	if (why)
		return why;
	CHECK(a.err == 0 && a.n == 1 && a.addrs[0].family == HF_FAMILY_IPV6);
	CHECK(memcmp(a.addrs[0].ip, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16) == 0);
	return NULL;
}

static const char *localhost_and_names_below_it_are_loopback(struct port_world *w)
{
	static const char *const names[] = { "localhost", "shop.localhost", "Shop.LocalHost." };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *why;
		struct answer a;
		bool has_ipv4 = false;

		why = ask(w, names[i], &a);
		if (why)
			return why;
		CHECK(a.err == 0 && a.n >= 1);
		for (size_t k = 0; k < a.n; k++)
			has_ipv4 |= a.addrs[k].family == HF_FAMILY_IPV4 && a.addrs[k].ip[0] == 127;
		CHECK(has_ipv4);
	}
	return NULL;
}

static const char *a_cancelled_look_up_never_answers(struct port_world *w)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "cancelled.invalid" };
	struct answer a = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct hf_resolve *r = NULL;

		CHECK(w->port->resolve(w->port, names[i], on_answer, &a, &r) == 0);
		w->port->resolve_cancel(w->port, r);
	}
	port_quiet(w);
	CHECK(a.calls == 0);
	return NULL;
}

const struct port_case port_name_cases[] = {
	CASE(numeric_hosts_are_their_own_answer),
	CASE(localhost_and_names_below_it_are_loopback),
	CASE(a_cancelled_look_up_never_answers),
	{ NULL, NULL },
};

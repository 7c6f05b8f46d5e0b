/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/dns.h"

#include <arpa/inet.h>
#include <strings.h>

#include "sim/mem.h"

#define NO_LINK_US (10 * SIM_US_PER_MS)
#define SILENCE_US (10 * SIM_US_PER_S)

struct hf_resolve {
	struct hf_list item;
	struct sim_dns *dns;
	struct sim_node *from;
	hf_resolve_done *done;
	void *user;
	struct sim_heap *heap; /* of who asked */
	bool silent;
	struct sim_event due;
	char host[256];
};

void sim_dns_init(struct sim_dns *dns, struct sim_net *net)
{
	memset(dns, 0, sizeof(*dns));
	dns->net = net;
	dns->latency_us = 15 * SIM_US_PER_MS;
	hf_list_init(&dns->running);
}

/* RFC 6761: localhost and everything below it. */
static bool is_localhost(const char *host)
{
	static const char word[] = "localhost";
	size_t len = strlen(host), n = sizeof(word) - 1;

	if (len > 0 && host[len - 1] == '.')
		len--;
	return len >= n && strncasecmp(host + len - n, word, n) == 0 &&
	       (len == n || host[len - n - 1] == '.');
}

static bool number(const char *host, struct hf_addr *out)
{
	memset(out, 0, sizeof(*out));
	if (is_localhost(host))
		host = "127.0.0.1";
	out->family = strchr(host, ':') ? HF_FAMILY_IPV6 : HF_FAMILY_IPV4;
	return inet_pton(strchr(host, ':') ? AF_INET6 : AF_INET, host, out->ip) == 1;
}

static bool answer(const struct hf_resolve *r, struct hf_addr *out)
{
	const struct sim_node *target;

	if (number(r->host, out))
		return true;
	if (r->from->dns.mode == SIM_DNS_FAILS || !r->from->link_up || r->from->black_hole)
		return false;
	target = sim_node_by_name(r->dns->net, r->host);
	if (target && r->from->dns.mode == SIM_DNS_LIES && r->dns->liar)
		target = r->dns->liar;
	if (target)
		*out = target->addr;
	return target != NULL;
}

static void due(void *user)
{
	struct hf_resolve *r = user;
	hf_resolve_done *done = r->done;
	void *done_user = r->user;
	struct hf_addr addr;
	bool found = answer(r, &addr);
	struct sim_heap *heap;

	if (r->silent)
		return;
	heap = sim_heap_enter(r->heap);
	hf_list_remove(&r->item);
	sim_free(r);
	done(done_user, found ? 0 : HF_EDNS, found ? &addr : NULL, found ? 1 : 0);
	sim_heap_enter(heap);
}

static uint64_t delay(const struct sim_dns *dns, const struct sim_node *from, const char *host)
{
	struct hf_addr addr;

	if (number(host, &addr))
		return 0;
	if (!from->link_up)
		return NO_LINK_US;
	if (from->black_hole)
		return SILENCE_US;
	return dns->latency_us + (from->dns.mode == SIM_DNS_SLOW ? from->dns.slow_us : 0);
}

int sim_resolve(struct sim_dns *dns, struct sim_node *from, const char *host, hf_resolve_done *done,
		void *user, struct hf_resolve **out)
{
	struct hf_resolve *r = sim_alloc(sizeof(*r));

	r->dns = dns;
	r->heap = sim_heap_now();
	r->from = from;
	r->done = done;
	r->user = user;
	snprintf(r->host, sizeof(r->host), "%s", host);
	hf_list_init(&r->item);
	hf_list_push(&dns->running, &r->item);
	sim_event_init(&r->due, due, r);
	sim_event_in(dns->net->world, &r->due, delay(dns, from, host));
	*out = r;
	return 0;
}

void sim_resolve_cancel(struct hf_resolve *r)
{
	sim_event_clear(r->dns->net->world, &r->due);
	hf_list_remove(&r->item);
	sim_free(r);
}

void sim_dns_silence(struct sim_dns *dns, const struct sim_node *node)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &dns->running) {
		struct hf_resolve *r = hf_container_of(it, struct hf_resolve, item);

		if (r->from == node)
			r->silent = true;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dial.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/addr.h"

#define AGAIN_MS     900  /* between fresh attempts once all addresses are tried */
#define SLOW_NAME_MS 1000 /* then the last good address is tried as well */

static void dial_step(struct hf_dial *dial);

static uint64_t now_ms(const struct hf_dialer *d)
{
	return d->port->boottime_ms(d->port);
}

static void timer_in(struct hf_dial *dial, uint64_t ms)
{
	/* Without memory the owner's timeout ends the dial. */
	(void)hf_timerq_set(dial->dialer->timers, &dial->timer, now_ms(dial->dialer) + ms);
}

/* ---- addresses ---- */

static bool contains(const struct hf_addr *v, size_t n, const struct hf_addr *a)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (hf_addr_eq(&v[i], a))
			return true;
	return false;
}

/* The next address of the given family from @i on, @n when there is none. */
static size_t next_of(const struct hf_addr *v, size_t n, size_t i, enum hf_family family, bool same)
{
	while (i < n && (v[i].family == family) != same)
		i++;
	return i;
}

/* Takes turns between the first address's family and the others (RFC 8305
 * section 4); the last good one stands first. */
static void dialer_keep(struct hf_dialer *d, const struct hf_addr *v, size_t n)
{
	enum hf_family family = v[0].family;
	size_t at[2], turn = 0;
	struct hf_addr a;

	at[0] = next_of(v, n, 0, family, true);
	at[1] = next_of(v, n, 0, family, false);
	d->n = 0;
	if (d->has_good && contains(v, n, &d->good))
		d->addrs[d->n++] = d->good;
	for (; at[0] < n || at[1] < n; turn = !turn) {
		if (at[turn] >= n)
			continue;
		a = v[at[turn]];
		at[turn] = next_of(v, n, at[turn] + 1, family, turn == 0);
		if (d->n < HF_DIAL_ADDRS_MAX && !contains(d->addrs, d->n, &a))
			d->addrs[d->n++] = a;
	}
	d->addrs_until_ms = now_ms(d) + HF_DIAL_CACHE_MS;
}

static void dial_add(struct hf_dial *dial, const struct hf_addr *v, size_t n)
{
	size_t i;

	for (i = 0; i < n && dial->n < HF_DIAL_ADDRS_MAX; i++)
		if (!contains(dial->addrs, dial->n, &v[i]))
			dial->addrs[dial->n++] = v[i];
}

/* ---- the end ---- */

static void close_attempts(struct hf_dial *dial)
{
	size_t i;

	for (i = 0; i < HF_DIAL_ATTEMPTS_MAX; i++) {
		hf_channel_close(dial->attempts[i].channel, true);
		dial->attempts[i].channel = NULL;
	}
}

static void dial_stop(struct hf_dial *dial)
{
	hf_timerq_clear(dial->dialer->timers, &dial->timer);
	close_attempts(dial);
	hf_list_remove(&dial->node);
	dial->resolving = false;
	dial->dialer = NULL;
}

static void dial_fail(struct hf_dial *dial)
{
	struct hf_dial_result result = { .err = dial->err, .detail = dial->detail };

	assert(dial->err);
	dial->dialer->addrs_until_ms = 0;
	dial_stop(dial);
	dial->done(dial->user, &result);
}

static void dial_win(struct hf_dial *dial, struct hf_dial_attempt *at)
{
	struct hf_dialer *d = dial->dialer;
	struct hf_dial_result result = {
		.channel = at->channel,
		.addr = dial->addrs[at->addr],
		.detail = "",
	};

	at->channel = NULL;
	d->good = result.addr;
	d->has_good = true;
	if (d->n > 0 && !hf_addr_eq(&d->addrs[0], &d->good)) {
		uint64_t until = d->addrs_until_ms;
		struct hf_addr v[HF_DIAL_ADDRS_MAX];
		size_t n = d->n;

		memcpy(v, d->addrs, n * sizeof(v[0]));
		dialer_keep(d, v, n);
		d->addrs_until_ms = until;
	}
	dial_stop(dial);
	dial->done(dial->user, &result);
}

/* ---- attempts ---- */

/* Refused says more than unreachable, which says more than nothing. */
static void note_failure(struct hf_dial *dial, size_t addr, int err)
{
	char text[HF_ADDR_TEXT_SIZE];

	dial->failed[addr] = true;
	if (dial->err == HF_ECONNREFUSED)
		return;
	dial->err = err;
	snprintf(dial->detail, sizeof(dial->detail), "connect to %s: %s",
		 hf_addr_format(&dial->addrs[addr], text), hf_strerror(err));
}

static bool any_attempt(const struct hf_dial *dial)
{
	size_t i;

	for (i = 0; i < HF_DIAL_ATTEMPTS_MAX; i++)
		if (dial->attempts[i].channel)
			return true;
	return false;
}

static void on_open(void *user, int err)
{
	struct hf_dial_attempt *at = user;
	struct hf_dial *dial = at->dial;

	if (!err) {
		dial_win(dial, at);
		return;
	}
	hf_channel_close(at->channel, false);
	at->channel = NULL;
	note_failure(dial, at->addr, err);
	dial_step(dial);
}

static void no_data(void *user, struct hf_span data)
{
	(void)user;
	(void)data;
}

static void no_event(void *user)
{
	(void)user;
}

static void no_error(void *user, int err)
{
	(void)user;
	(void)err;
}

static const struct hf_channel_events attempt_events = {
	.on_open = on_open,
	.on_data = no_data,
	.on_eof = no_event,
	.on_writable = no_event,
	.on_error = no_error,
};

/* A free place; the oldest attempt makes way. */
static struct hf_dial_attempt *attempt_place(struct hf_dial *dial)
{
	struct hf_dial_attempt *oldest = &dial->attempts[0], *at;
	size_t i;

	for (i = 0; i < HF_DIAL_ATTEMPTS_MAX; i++) {
		at = &dial->attempts[i];
		if (!at->channel)
			return at;
		if (at->order < oldest->order)
			oldest = at;
	}
	hf_channel_close(oldest->channel, true);
	oldest->channel = NULL;
	return oldest;
}

static bool attempt_start(struct hf_dial *dial, size_t addr)
{
	struct hf_dial_attempt *at = attempt_place(dial);
	struct hf_dialer *d = dial->dialer;
	int err;

	at->dial = dial;
	at->addr = addr;
	at->order = dial->order++;
	err = hf_channel_connect(d->port, d->timers, &dial->addrs[addr], &attempt_events, at,
				 &at->channel);
	if (err)
		note_failure(dial, addr, err);
	return err == 0;
}

/* Starts the next attempt that can be started and sets the timer for the one
 * after it. False when no address is left that has not failed. */
static bool dial_next(struct hf_dial *dial)
{
	size_t tried = 0;

	for (; tried < dial->n; tried++) {
		size_t addr = dial->next;

		dial->next = (dial->next + 1) % dial->n;
		if (dial->failed[addr] || !attempt_start(dial, addr))
			continue;
		timer_in(dial, dial->next == 0 || dial->failed[dial->next] ?
				       AGAIN_MS :
				       CONFIG_HF_HAPPY_EYEBALLS_DELAY_MS);
		return true;
	}
	return false;
}

static void dial_step(struct hf_dial *dial)
{
	if (dial_next(dial) || any_attempt(dial))
		return;
	if (dial->resolving)
		return; /* its answer may bring more */
	dial_fail(dial);
}

/* ---- names ---- */

static void dial_resolved(struct hf_dial *dial, int err)
{
	struct hf_dialer *d = dial->dialer;
	size_t had = dial->n;
	bool first = had == 0;

	dial->resolving = false;
	if (!err)
		dial_add(dial, d->addrs, d->n);
	else if (d->has_good)
		dial_add(dial, &d->good, 1);
	if (err && !dial->err) {
		dial->err = err;
		snprintf(dial->detail, sizeof(dial->detail), "look-up of %s: %s", d->host,
			 hf_strerror(err));
	}
	if (first || !any_attempt(dial)) {
		dial_step(dial);
	} else if (dial->n > had) {
		dial->next = had;
		timer_in(dial, CONFIG_HF_HAPPY_EYEBALLS_DELAY_MS);
	}
}

static void on_resolved(void *user, int err, const struct hf_addr *addrs, size_t n)
{
	struct hf_dialer *d = user;
	struct hf_addr v[HF_DIAL_ADDRS_MAX * 2];
	struct hf_list waiting, *node;
	size_t i;

	d->resolve = NULL;
	if (!err && n == 0)
		err = HF_EDNS;
	if (n > HF_DIAL_ADDRS_MAX * 2)
		n = HF_DIAL_ADDRS_MAX * 2;
	for (i = 0; !err && i < n; i++) {
		v[i] = addrs[i];
		v[i].port = d->port_number;
	}
	if (!err)
		dialer_keep(d, v, n);
	/* A dial that ends may start others: only those that wait now are told. */
	hf_list_init(&waiting);
	while ((node = hf_list_pop(&d->dials)))
		hf_list_push(&waiting, node);
	while ((node = hf_list_pop(&waiting))) {
		struct hf_dial *dial = hf_container_of(node, struct hf_dial, node);

		hf_list_push(&d->dials, node);
		if (dial->resolving)
			dial_resolved(dial, err);
	}
}

static void dial_begin(struct hf_dial *dial)
{
	struct hf_dialer *d = dial->dialer;
	int err = 0;

	if (d->n > 0 && (d->literal || now_ms(d) < d->addrs_until_ms)) {
		dial_add(dial, d->addrs, d->n);
		if (!dial_next(dial))
			timer_in(dial, 0); /* told on a later turn */
		return;
	}
	if (!d->resolve)
		err = d->port->resolve(d->port, d->host, on_resolved, d, &d->resolve);
	if (err) {
		dial->err = err;
		snprintf(dial->detail, sizeof(dial->detail), "look-up of %s: %s", d->host,
			 hf_strerror(err));
		timer_in(dial, 0);
		return;
	}
	dial->resolving = true;
	if (d->has_good)
		timer_in(dial, SLOW_NAME_MS);
}

static void on_timer(void *user)
{
	struct hf_dial *dial = user;

	if (dial->resolving && dial->n == 0)
		dial_add(dial, &dial->dialer->good, 1);
	dial_step(dial);
}

/* ---- public ---- */

int hf_dialer_init(struct hf_dialer *d, struct hf_port *port, struct hf_timerq *timers,
		   const char *host, uint16_t port_number)
{
	*d = (struct hf_dialer){ .port = port, .timers = timers, .port_number = port_number };
	hf_list_init(&d->dials);
	d->host = hf_span_dup(hf_span_str(host));
	if (!d->host)
		return HF_ENOMEM;
	if (hf_addr_parse(host, &d->addrs[0]) == 0) {
		d->literal = true;
		d->addrs[0].port = port_number;
		d->n = 1;
	}
	return 0;
}

void hf_dialer_finish(struct hf_dialer *d)
{
	assert(!d->host || hf_list_empty(&d->dials));
	if (d->resolve)
		d->port->resolve_cancel(d->port, d->resolve);
	d->resolve = NULL;
	free(d->host);
	d->host = NULL;
}

static void dial_reset(struct hf_dial *dial)
{
	hf_timerq_clear(dial->dialer->timers, &dial->timer);
	close_attempts(dial);
	memset(dial->failed, 0, sizeof(dial->failed));
	dial->n = 0;
	dial->next = 0;
	dial->err = 0;
	dial->resolving = false;
}

void hf_dialer_forget(struct hf_dialer *d)
{
	d->addrs_until_ms = 0;
}

void hf_dialer_network_changed(struct hf_dialer *d)
{
	struct hf_list *it, *tmp;

	if (d->resolve)
		d->port->resolve_cancel(d->port, d->resolve);
	d->resolve = NULL;
	d->addrs_until_ms = 0;
	hf_list_for(it, tmp, &d->dials) {
		struct hf_dial *dial = hf_container_of(it, struct hf_dial, node);

		dial_reset(dial);
		dial_begin(dial);
	}
}

void hf_dial_start(struct hf_dial *dial, struct hf_dialer *d,
		   void (*done)(void *user, const struct hf_dial_result *result), void *user)
{
	*dial = (struct hf_dial){ .dialer = d, .done = done, .user = user };
	hf_timer_init(&dial->timer, on_timer, dial);
	hf_list_push(&d->dials, &dial->node);
	dial_begin(dial);
}

void hf_dial_cancel(struct hf_dial *dial)
{
	if (dial->dialer)
		dial_stop(dial);
}

const char *hf_dial_phase(struct hf_dial *dial, bool *resolving)
{
	char text[HF_ADDR_TEXT_SIZE];
	struct hf_dialer *d = dial->dialer;

	*resolving = dial->resolving && dial->n == 0;
	if (*resolving)
		snprintf(dial->detail, sizeof(dial->detail), "name look-up of %s", d->host);
	else if (dial->n == 1)
		snprintf(dial->detail, sizeof(dial->detail), "connect to %s",
			 hf_addr_format(&dial->addrs[0], text));
	else
		snprintf(dial->detail, sizeof(dial->detail), "connect to %s, %zu addresses",
			 d->host, dial->n);
	return dial->detail;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: creates, turns and destroys a Linux port.
 *
 * A turn: work put off from earlier turns (idle), then what the callbacks have
 * asked of the kernel is told to it (prepare: masks of descriptors, the
 * wake-up), then the loop blocks, then callbacks for what is ready. The clock
 * is read at most once in a turn. An idle port has no timer armed and so does
 * not wake.
 */
#include "port/linux/loop.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "port/linux/port_linux.h"

/* ---- watches ---- */

static void poll_ready(uv_poll_t *poll, int status, int events)
{
	struct hf_linux_watch *w = hf_container_of(poll, struct hf_linux_watch, poll);

	if (status < 0) {
		w->have = 0; /* libuv has taken it out of the set */
		hf_linux_watch_want(w, w->want);
	}
	w->ready(w, events, status < 0);
}

int hf_linux_watch_init(struct hf_port_linux *p, struct hf_linux_watch *w, int fd,
			void (*ready)(struct hf_linux_watch *w, int events, bool failed))
{
	int err = uv_poll_init(&p->loop, &w->poll, fd);

	if (err)
		return err == UV_ENOMEM ? HF_ENOMEM : HF_EIO;
	w->port = p;
	w->fd = fd;
	w->want = 0;
	w->have = 0;
	w->ready = ready;
	w->closed = NULL;
	hf_list_init(&w->node);
	return 0;
}

void hf_linux_watch_want(struct hf_linux_watch *w, int want)
{
	w->want = want;
	if (want == w->have)
		hf_list_remove(&w->node);
	else if (hf_list_empty(&w->node))
		hf_list_push(&w->port->dirty, &w->node);
}

static void apply_watch(struct hf_linux_watch *w)
{
	int err = w->want ? uv_poll_start(&w->poll, w->want, poll_ready) : uv_poll_stop(&w->poll);

	assert(err == 0); /* a descriptor has one watch */
	w->have = w->want;
}

static void watch_closed(uv_handle_t *handle)
{
	uv_poll_t *poll = (uv_poll_t *)handle;
	struct hf_linux_watch *w = hf_container_of(poll, struct hf_linux_watch, poll);

	if (w->closed)
		w->closed(w);
}

void hf_linux_watch_close(struct hf_linux_watch *w, void (*closed)(struct hf_linux_watch *w))
{
	assert(w->fd >= 0);
	w->closed = closed;
	hf_list_remove(&w->node);
	uv_close((uv_handle_t *)&w->poll, watch_closed);
	close(w->fd);
	w->fd = -1;
}

/* ---- later ---- */

void hf_linux_later_init(struct hf_linux_later *l, void (*run)(struct hf_linux_later *l))
{
	hf_list_init(&l->node);
	l->run = run;
}

static void run_later(uv_idle_t *idle)
{
	struct hf_port_linux *p = idle->data;
	struct hf_list now, *n;

	hf_list_init(&now);
	while ((n = hf_list_pop(&p->later)))
		hf_list_push(&now, n);
	while ((n = hf_list_pop(&now))) {
		struct hf_linux_later *l = hf_container_of(n, struct hf_linux_later, node);

		l->run(l);
	}
	if (hf_list_empty(&p->later))
		uv_idle_stop(idle);
}

void hf_linux_later_add(struct hf_port_linux *p, struct hf_linux_later *l)
{
	assert(hf_list_empty(&l->node));
	hf_list_push(&p->later, &l->node);
	uv_idle_start(&p->idle, run_later);
}

void hf_linux_later_cancel(struct hf_linux_later *l)
{
	hf_list_remove(&l->node);
}

/* ---- a turn ---- */

static void before_block(uv_prepare_t *prepare)
{
	struct hf_port_linux *p = prepare->data;
	struct hf_list *n;

	while ((n = hf_list_pop(&p->dirty)))
		apply_watch(hf_container_of(n, struct hf_linux_watch, node));
	hf_linux_wake_apply(p);
	p->clock.fresh = false;
}

void hf_linux_timer_start(uv_timer_t *t, uv_timer_cb cb, uint64_t ms)
{
	uv_update_time(t->loop); /* its time may be as old as this turn */
	uv_timer_start(t, cb, ms, 0);
}

int hf_port_linux_run(struct hf_port_linux *p)
{
	return uv_run(&p->loop, UV_RUN_DEFAULT) < 0 ? HF_EIO : 0;
}

static void end_turn(uv_timer_t *t)
{
	(void)t;
}

void hf_port_linux_turn(struct hf_port_linux *p, unsigned wait_ms)
{
	hf_linux_timer_start(&p->turn, end_turn, wait_ms);
	uv_run(&p->loop, UV_RUN_ONCE);
	uv_timer_stop(&p->turn);
}

void hf_port_linux_stop(struct hf_port_linux *p)
{
	uv_stop(&p->loop);
}

/* ---- signals ---- */

static void take_signal(uv_signal_t *s, int signum)
{
	struct hf_port_linux *p = s->data;

	if (p->on_signal)
		p->on_signal(p->signal_user, signum);
}

int hf_port_linux_on_signal(struct hf_port_linux *p, void (*fn)(void *user, int signum), void *user)
{
	static const int signums[] = { SIGTERM, SIGINT, SIGHUP };

	_Static_assert(sizeof(signums) / sizeof(signums[0]) ==
			       sizeof(p->signals) / sizeof(p->signals[0]),
		       "one handle per signal");
	p->on_signal = fn;
	p->signal_user = user;
	if (p->signals_on)
		return 0;
	for (size_t i = 0; i < sizeof(signums) / sizeof(signums[0]); i++) {
		p->signals[i].data = p;
		if (uv_signal_init(&p->loop, &p->signals[i]) ||
		    uv_signal_start(&p->signals[i], take_signal, signums[i]))
			return HF_EIO;
		uv_unref((uv_handle_t *)&p->signals[i]);
	}
	p->signals_on = true;
	return 0;
}

/* ---- create and destroy ---- */

/* What cannot fail, so that destroy works from here on. */
static int init_loop(struct hf_port_linux *p)
{
	if (uv_loop_init(&p->loop))
		return HF_ELIMIT;
	uv_prepare_init(&p->loop, &p->prepare);
	uv_idle_init(&p->loop, &p->idle);
	uv_timer_init(&p->loop, &p->turn);
	uv_timer_init(&p->loop, &p->accept_pause);
	p->prepare.data = p;
	p->idle.data = p;
	p->accept_pause.data = p;
	uv_prepare_start(&p->prepare, before_block);
	return 0;
}

static int init_parts(struct hf_port_linux *p, const struct hf_port_linux_options *opt)
{
	int err;

	hf_linux_state_dir_init(p);
	hf_linux_entropy_init(p);
	hf_linux_file_init(p);
	hf_linux_log_init(p);
	hf_linux_stream_init(p);
	hf_linux_listener_init(p);
	hf_linux_resolve_init(p);
	hf_linux_notify_init(p);
#ifdef CONFIG_HF_COAP
	hf_linux_watch_ops_init(p);
#endif
#ifdef CONFIG_HF_SENSOR
	hf_linux_datagram_init(p);
#endif
	hf_linux_captive_init(p, opt ? opt->links_folder : NULL);
	err = hf_linux_clock_init(p);
	if (!err)
		err = hf_linux_wake_init(p);
	if (!err)
		err = hf_linux_link_init(p);
	if (!err)
		err = hf_linux_jobs_init(p);
	return err;
}

int hf_port_linux_create(const struct hf_port_linux_options *opt, struct hf_port_linux **out)
{
	struct hf_port_linux *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return HF_ENOMEM;
	p->lock_fd = -1;
	p->rules_fd = -1;
	p->notify.fd = -1;
	hf_list_init(&p->dirty);
	hf_list_init(&p->later);
	hf_list_init(&p->streams);
	hf_list_init(&p->listeners);
	p->buffer = malloc(CONFIG_HF_STREAM_BUFFER_BYTES);
	err = p->buffer ? init_loop(p) : HF_ENOMEM;
	if (err) {
		free(p->buffer);
		free(p);
		return err;
	}
	signal(SIGPIPE, SIG_IGN);
	err = init_parts(p, opt);
	if (!err && opt && opt->state_dir)
		err = hf_port_linux_set_state_dir(p, opt->state_dir);
	if (err) {
		hf_port_linux_destroy(p);
		return err;
	}
	*out = p;
	return 0;
}

static void close_handle(uv_handle_t *handle, void *user)
{
	(void)user;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

bool hf_port_linux_destroy(struct hf_port_linux *p)
{
	if (!p)
		return true;
	hf_linux_stream_finish(p);
	hf_linux_listener_finish(p);
	hf_linux_jobs_finish(p);
	hf_linux_link_finish(p);
	hf_linux_captive_finish(p);
	hf_linux_wake_finish(p);
	hf_linux_clock_finish(p);
	hf_linux_notify_finish(p);
	hf_linux_state_dir_finish(p);
	hf_linux_confine_finish(p);
	free(p->buffer);
	uv_walk(&p->loop, close_handle, NULL);
	if (p->lookups > 0) {
		/* A thread may sit in a look-up for long. It is not waited for; its
		 * request lives in the loop, which therefore stays allocated. */
		uv_run(&p->loop, UV_RUN_NOWAIT);
		return false;
	}
	uv_run(&p->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&p->loop))
		abort(); /* a handle of ours was forgotten */
	free(p);
	return true;
}

struct hf_port *hf_port_linux_port(struct hf_port_linux *p)
{
	return &p->port;
}

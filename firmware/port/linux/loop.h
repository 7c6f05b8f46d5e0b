/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the Linux port, shared by its files: the struct, the watch on
 * a descriptor, and work for a later turn. Nothing here is seen from outside.
 */
#ifndef HF_PORT_LINUX_LOOP_H
#define HF_PORT_LINUX_LOOP_H

#include <sys/socket.h>
#include <sys/types.h>
#include <uv.h>

#include "base/list.h"
#include "holdfast/port.h"

struct hf_port_linux;

/* ---- a watch: one descriptor in the loop's epoll set ----
 *
 * What is wanted is written down at once and told to the kernel just before
 * the loop blocks, so turning something off and on within a turn is free. */

struct hf_linux_watch {
	uv_poll_t poll;
	struct hf_port_linux *port;
	struct hf_list node; /* on port->dirty while the kernel must hear of it */
	int fd;
	int want, have; /* UV_READABLE, UV_WRITABLE */
	/* @events may hold more than is wanted now. @failed: the descriptor has an
	 * error pending, whatever is wanted. */
	void (*ready)(struct hf_linux_watch *w, int events, bool failed);
	void (*closed)(struct hf_linux_watch *w);
};

/* @fd is made non-blocking; the watch does not own it yet. HF_ENOMEM, HF_EIO. */
int hf_linux_watch_init(struct hf_port_linux *p, struct hf_linux_watch *w, int fd,
			void (*ready)(struct hf_linux_watch *w, int events, bool failed));
void hf_linux_watch_want(struct hf_linux_watch *w, int want);
/* Closes the descriptor now; @closed (NULL: nothing) runs when the memory may
 * be freed, on a later phase of the turn. */
void hf_linux_watch_close(struct hf_linux_watch *w, void (*closed)(struct hf_linux_watch *w));

/* ---- work for a later turn ---- */

struct hf_linux_later {
	struct hf_list node;
	void (*run)(struct hf_linux_later *l);
};

void hf_linux_later_init(struct hf_linux_later *l, void (*run)(struct hf_linux_later *l));
/* Once until it has run. */
void hf_linux_later_add(struct hf_port_linux *p, struct hf_linux_later *l);
void hf_linux_later_cancel(struct hf_linux_later *l);

/* ---- the port ---- */

/* The thread of one queue of jobs. */
struct hf_linux_worker {
	struct hf_linux_jobs *jobs;
	uv_thread_t thread;
	uv_cond_t work; /* for the thread: a job or the end */
	struct hf_job *todo, **todo_end;
	struct hf_job *running; /* under the lock */
	size_t unfinished;	/* submitted, done not yet called; loop only */
	uint64_t ran_count;	/* jobs of this queue; under the lock */
	bool ready, started;
};

/* How far a thread has come. */
struct hf_linux_moves {
	uint64_t ran;	/* jobs */
	unsigned moved; /* hf_job.moved of the one that runs */
};

/* The threads of the databases (jobs.c). */
struct hf_linux_jobs {
	const struct hf_port_linux *port;
	struct hf_linux_worker workers[HF_JOB_QUEUES];
	uv_mutex_t lock;
	uv_cond_t rest; /* for jobs_finish: a job has run */
	uv_async_t async;
	struct hf_job *ran, **ran_end;
	bool finishing, stopping;
	bool started;
};

/* Wall clock trust (clock.c). */
struct hf_linux_clock {
	uint64_t boot_ms; /* valid for this turn when @fresh */
	bool fresh;
	enum hf_clock_trust trust;
	struct hf_linux_watch step; /* readable when the clock was stepped */
	uv_timer_t recheck;	    /* runs while the clock is not synchronised */
	uint8_t boot_id[16];
};

/* The one wake-up (wake.c). */
struct hf_linux_wake {
	struct hf_linux_watch watch;
	struct hf_linux_later now;    /* for a time that has come already */
	uint64_t wanted_ms, armed_ms; /* UINT64_MAX: none */
};

/* Link watch (link.c). */
struct hf_linux_link {
	struct hf_linux_watch watch;
	struct hf_linux_later first;
	uv_timer_t settle;
	bool watching;
	bool told;	      /* an on_link has been given */
	enum hf_link link;    /* what it said */
	bool metered;	      /* every interface that is up looks like a modem */
	uint64_t addresses;   /* fingerprint of what it was about */
	const char *left_out; /* patterns of interfaces that are no way out */
};

#define HF_LINUX_URI_SIZE 1024

/* What the network names of a captive portal (captive.c). */
struct hf_linux_captive {
	struct hf_linux_watch watch; /* none while there is no such folder */
	const char *folder;
	char uri[HF_LINUX_URI_SIZE]; /* "": none */
};

/* systemd's notification socket (notify.c). */
struct hf_linux_notify {
	int fd; /* -1: nobody listens */
	struct sockaddr_storage to;
	socklen_t to_len;
	uv_timer_t watchdog; /* before READY=1: asks for more time */
	uint64_t every_ms;   /* 0: no watchdog */
	uint64_t fed_ms;
	struct hf_linux_moves seen[HF_JOB_QUEUES]; /* when it was fed last */
	char told[256];				   /* the STATUS that was told last */
};

struct hf_port_linux {
	struct hf_port port;
	uv_loop_t loop;
	uv_prepare_t prepare;
	uv_idle_t idle;
	uv_timer_t turn;	 /* of hf_port_linux_turn */
	uv_timer_t accept_pause; /* out of descriptors */
	uv_signal_t signals[3];
	void (*on_signal)(void *user, int signum);
	void *signal_user;

	struct hf_list dirty;	  /* hf_linux_watch.node */
	struct hf_list later;	  /* hf_linux_later.node */
	struct hf_list streams;	  /* hf_stream.node */
	struct hf_list listeners; /* hf_listener.node */
	size_t lookups;		  /* look-ups whose thread has not come back */

	char *buffer; /* CONFIG_HF_STREAM_BUFFER_BYTES, for every stream's reads */

	struct hf_linux_jobs jobs;
	struct hf_linux_clock clock;
	struct hf_linux_wake wake;
	struct hf_linux_link link;
	struct hf_linux_captive captive;
	struct hf_linux_notify notify;

	char *state_dir;
	int lock_fd;  /* state_dir/lock, -1: none */
	int rules_fd; /* of confine.c, -1: none */
	bool signals_on;
	bool journal; /* stderr is the journal */
};

static inline struct hf_port_linux *hf_linux_of(struct hf_port *port)
{
	return hf_container_of(port, struct hf_port_linux, port);
}

/* errno.c. HF_E* for an errno value; HF_EIO for those without a word of their own. */
int hf_linux_err(int errnum);

/* addr.c. Returns the length. */
socklen_t hf_linux_addr_to_sock(const struct hf_addr *addr, struct sockaddr_storage *out);
/* HF_EINVAL for a family that is not ours. */
int hf_linux_addr_from_sock(const struct sockaddr *sa, socklen_t len, struct hf_addr *out);
/* A socket for @addr, non-blocking and close-on-exec, or an HF_E*. */
int hf_linux_socket(const struct hf_addr *addr);
/* Binds @fd to @at (IPv4 or IPv6, each for itself), also to an address that the device
 * does not have yet: what comes to it is heard as soon as it has. */
int hf_linux_bind(int fd, const struct hf_addr *at);

/* Each of these fills its operations of port->port. init: HF_E*; finish works
 * after a failed or missing init too. */
/* confine.c. What the process is confined to, for the thread that calls; 0 or HF_E*. */
int hf_linux_confine_thread(const struct hf_port_linux *p);
void hf_linux_confine_finish(struct hf_port_linux *p);

/* listener.c. A folder that others may enter, whatever the umask; the one above exists. */
int hf_linux_make_folder(const char *folder);

void hf_linux_state_dir_init(struct hf_port_linux *p);
void hf_linux_state_dir_finish(struct hf_port_linux *p);
int hf_linux_clock_init(struct hf_port_linux *p);
void hf_linux_clock_finish(struct hf_port_linux *p);
int hf_linux_wake_init(struct hf_port_linux *p);
void hf_linux_wake_apply(struct hf_port_linux *p); /* before the loop blocks */
void hf_linux_wake_finish(struct hf_port_linux *p);
int hf_linux_link_init(struct hf_port_linux *p);
void hf_linux_link_finish(struct hf_port_linux *p);
bool hf_linux_link_is_left_out(const struct hf_port_linux *p, const char *name);
/* on_link once more, when there has been one. */
void hf_linux_link_tell_again(struct hf_port_linux *p);
/* @folder NULL: networkd's own. */
void hf_linux_captive_init(struct hf_port_linux *p, const char *folder);
void hf_linux_captive_finish(struct hf_port_linux *p);
/* True: what the network names has changed. */
bool hf_linux_captive_look(struct hf_port_linux *p);
int hf_linux_jobs_init(struct hf_port_linux *p);
void hf_linux_jobs_finish(struct hf_port_linux *p);
/* True when each thread has nothing to do or has got on since @seen, which is
 * brought up to date then. */
bool hf_linux_jobs_move(struct hf_port_linux *p, struct hf_linux_moves seen[HF_JOB_QUEUES]);
void hf_linux_notify_init(struct hf_port_linux *p);
void hf_linux_notify_finish(struct hf_port_linux *p);
void hf_linux_stream_init(struct hf_port_linux *p);
void hf_linux_stream_finish(struct hf_port_linux *p);
void hf_linux_listener_init(struct hf_port_linux *p);
void hf_linux_listener_finish(struct hf_port_linux *p);
void hf_linux_resolve_init(struct hf_port_linux *p);
void hf_linux_file_init(struct hf_port_linux *p);
void hf_linux_log_init(struct hf_port_linux *p);
void hf_linux_entropy_init(struct hf_port_linux *p);
void hf_linux_watch_ops_init(struct hf_port_linux *p); /* in builds with CoAP */
void hf_linux_datagram_init(struct hf_port_linux *p);  /* in builds with the sensor side */

/* A new stream on @fd for on_accept, which it takes; NULL: @fd is closed. */
struct hf_stream *hf_linux_stream_offer(struct hf_port_linux *p, int fd, bool tcp);
/* After on_accept: the receiver has taken or closed it. */
void hf_linux_stream_offered(const struct hf_stream *s);
/* No delay, keep-alive probes. Accepted sockets inherit them from the listener. */
void hf_linux_stream_tcp_options(int fd);

/* Arms @t for @ms, not repeating. It does not keep the process alive. */
void hf_linux_timer_start(uv_timer_t *t, uv_timer_cb cb, uint64_t ms);

#endif

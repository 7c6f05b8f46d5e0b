/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port: everything the agent needs from the world, in one struct. The
 * core has no I/O, clock, randomness or global state of its own, so several
 * agents can live in one process and a simulator can be their whole world.
 *
 * Rules for every port:
 *  - One thread (the loop) calls into the agent and is called by it. Only
 *    hf_job.run executes elsewhere.
 *  - Nothing completes inside its own call: each operation returns at once and
 *    reports on a later turn of the loop. An error returned by the call itself
 *    means that nothing was started and no event will come.
 *  - After close or cancel no more events come, also none that were due.
 *  - Callbacks may call any operation, including close of their own stream.
 *  - The implementation embeds struct hf_port as its first member.
 */
#ifndef HOLDFAST_PORT_H
#define HOLDFAST_PORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "holdfast/err.h"

struct hf_port;
struct hf_stream;    /* a connection; the port's own */
struct hf_listener;  /* the port's own */
struct hf_resolve;   /* a running name look-up; the port's own */
struct hf_watch;     /* a watched descriptor; the port's own */
struct hf_datagrams; /* a socket for datagrams; the port's own */

/* ---- addresses ---- */

enum hf_family {
	HF_FAMILY_IPV4 = 4,
	HF_FAMILY_IPV6 = 6,
	HF_FAMILY_UNIX = 1,
};

#define HF_UNIX_PATH_MAX 107

struct hf_addr {
	enum hf_family family;
	uint8_t ip[16];			 /* network order; the first 4 for IPv4 */
	uint16_t port;			 /* host order */
	uint32_t scope;			 /* IPv6 zone index, 0: none */
	char path[HF_UNIX_PATH_MAX + 1]; /* HF_FAMILY_UNIX */
};

/* Who is at the other end of a stream. */
struct hf_peer {
	struct hf_addr addr;
	bool has_creds; /* UNIX sockets: SO_PEERCRED */
	uint32_t uid, gid;
	int32_t pid;
};

/* ---- streams ---- */

struct hf_stream_events {
	/* Of stream_connect only, once: 0 or HF_ECONNREFUSED, HF_EUNREACH,
	 * HF_ETIMEDOUT, HF_ECONNRESET, HF_EIO. After an error only close remains. */
	void (*on_connect)(void *user, int err);
	/* While reading is on. @data is valid during the call only. */
	void (*on_data)(void *user, const void *data, size_t len);
	/* The peer has finished writing; our side may still write. Once. */
	void (*on_eof)(void *user);
	/* After a short stream_write: there is room again. */
	void (*on_writable)(void *user);
	/* The connection is dead (HF_ECONNRESET, HF_ETIMEDOUT, HF_EIO); only close
	 * remains. */
	void (*on_error)(void *user, int err);
};

struct hf_listener_events {
	/* A new stream, reading off; the receiver owns it and must call
	 * stream_accept (to take it) or stream_close inside this call. */
	void (*on_accept)(void *user, struct hf_stream *stream);
};

struct hf_datagram_events {
	/* @data is valid during the call only; what is longer than
	 * HF_DATAGRAM_BYTES_MAX is cut there. */
	void (*on_datagram)(void *user, const struct hf_addr *from, const void *data, size_t len);
};
#define HF_DATAGRAM_BYTES_MAX 2048

/* ---- name look-up ---- */

/* @addrs (port field 0) in the resolver's order (RFC 6724), valid during the
 * call. @err: 0, HF_EDNS (no such name or no answer), HF_ENOMEM. */
typedef void hf_resolve_done(void *user, int err, const struct hf_addr *addrs, size_t n);

/* ---- jobs: the threads of the databases ---- */

enum hf_job_queue {
	HF_JOBS_STORE, /* the queue's database */
	HF_JOBS_CACHE, /* the database of the caches */
};
#define HF_JOB_QUEUES 2

/* Embedded in the caller's struct. The jobs of one queue run one after another
 * in the order of submission, off the loop; then done runs on the loop, in the
 * same order. The queues do not wait for each other, as far as the port has a
 * thread for each: jobs of two queues may run at the same time, so they share no
 * memory. A job cannot be cancelled. */
struct hf_job {
	void (*run)(struct hf_job *job);
	void (*done)(struct hf_job *job);
	enum hf_job_queue queue;
	/* Counted up by @run as it gets on, so that a long one is told from one that
	 * hangs. NULL: it is short. Valid until done. */
	const atomic_uint *moved;
	struct hf_job *next; /* the port's, while submitted */
};

/* ---- clocks ---- */

enum hf_clock_trust {
	HF_CLOCK_UNSET,	 /* no idea: 1970, or a floor from a file */
	HF_CLOCK_RTC,	 /* read from battery-backed hardware, not confirmed */
	HF_CLOCK_SYNCED, /* confirmed by NTP or the like since boot */
};

/* ---- the link ---- */

/* Of the best interface beside loopback and those that are left out. */
enum hf_link {
	HF_LINK_DOWN, /* no carrier */
	HF_LINK_UP,   /* carrier and an address that reaches beyond the link */
	HF_LINK_BARE, /* carrier and no such address */
};

/* ---- events of the world ---- */

struct hf_port_events {
	/* The time asked for with wake_at has come. */
	void (*on_wake)(void *user);
	/* Link or address change. Also called once after start. */
	void (*on_link)(void *user, enum hf_link link);
	/* The wall clock was stepped or its trust has changed. */
	void (*on_clock)(void *user);
};

/* ---- the port ---- */

/* A wall clock before 2025 was never set, whatever its trust. */
#define HF_WALL_MIN_MS INT64_C(1735689600000)

struct hf_port {
	/* Set by the agent before it calls anything that leads to events. */
	const struct hf_port_events *events;
	void *events_user;

	/* Milliseconds since boot, suspend included (CLOCK_BOOTTIME). Never goes
	 * back. May be cached per turn of the loop. */
	uint64_t (*boottime_ms)(struct hf_port *port);
	/* Microseconds of the same clock, read now: for measuring only. Also called by
	 * jobs. */
	uint64_t (*boottime_us)(struct hf_port *port);
	/* Unix time in milliseconds into @ms; says how far it can be trusted. */
	enum hf_clock_trust (*wall_ms)(struct hf_port *port, int64_t *ms);
	/* Seconds by which the local time of the device is ahead of UTC at @wall_ms. */
	int32_t (*utc_offset_s)(struct hf_port *port, int64_t wall_ms);
	/* Every way to the network is one that costs by the byte, as far as it is
	 * known; on_link comes when that changes. */
	bool (*link_metered)(struct hf_port *port);
	/* The URI that the network names for the API of its captive portal (RFC 8910), NULL:
	 * none; on_link comes when that changes. Valid until the next turn. */
	const char *(*captive_api)(struct hf_port *port);
	/* 16 bytes that differ for every boot of the device. */
	const uint8_t *(*boot_id)(struct hf_port *port);

	/* One wake-up: on_wake at or shortly after @boot_ms. A later call replaces
	 * an earlier one; UINT64_MAX means none. */
	void (*wake_at)(struct hf_port *port, uint64_t boot_ms);

	/* Cryptographic randomness. 0 or HF_EIO. */
	int (*entropy)(struct hf_port *port, void *out, size_t len);

	/* Starts a connection; the caller owns *out and must close it. Reading is
	 * off. HF_ENOMEM, HF_EUNREACH, HF_ELIMIT (descriptors). */
	int (*stream_connect)(struct hf_port *port, const struct hf_addr *to,
			      const struct hf_stream_events *events, void *user,
			      struct hf_stream **out);
	/* Takes a stream from on_accept. */
	void (*stream_accept)(struct hf_port *port, struct hf_stream *stream,
			      const struct hf_stream_events *events, void *user);
	/* Turns on_data and on_eof on or off (back-pressure). */
	void (*stream_read)(struct hf_port *port, struct hf_stream *stream, bool on);
	/* Hands bytes to the kernel's send buffer (or the like): returns how many
	 * were taken, possibly 0, or a negative error when the stream is dead.
	 * Fewer than @len: on_writable comes. Nothing is kept of @data. */
	ptrdiff_t (*stream_write)(struct hf_port *port, struct hf_stream *stream, const void *data,
				  size_t len);
	/* Finishes our direction (FIN) after what was taken. */
	void (*stream_shutdown)(struct hf_port *port, struct hf_stream *stream);
	/* Ends the stream; @abort: with a reset instead of a clean end. */
	void (*stream_close)(struct hf_port *port, struct hf_stream *stream, bool abort);
	/* 0 or HF_EIO. */
	int (*stream_peer)(struct hf_port *port, struct hf_stream *stream, struct hf_peer *out);

	/* Listens. A UNIX address: an old socket file is replaced, mode 0660;
	 * a missing folder may be made. HF_EBUSY (address in use), HF_EPERM,
	 * HF_ENOENT, HF_EEXIST (no socket), HF_EUNREACH, HF_ENOMEM. */
	int (*listen)(struct hf_port *port, const struct hf_addr *at,
		      const struct hf_listener_events *events, void *user,
		      struct hf_listener **out);
	void (*listener_close)(struct hf_port *port, struct hf_listener *listener);
	/* Turns accepting on or off (connection limit). On after listen. */
	void (*listener_accept)(struct hf_port *port, struct hf_listener *listener, bool on);
	/* The bound address (port 0 was asked: the one given). */
	int (*listener_addr)(struct hf_port *port, struct hf_listener *listener,
			     struct hf_addr *out);

	/* Opens a socket for datagrams at @at (IPv4 or IPv6). HF_EBUSY, HF_EPERM, HF_EUNREACH,
	 * HF_ENOMEM. NULL in ports without. */
	int (*datagram_open)(struct hf_port *port, const struct hf_addr *at,
			     const struct hf_datagram_events *events, void *user,
			     struct hf_datagrams **out);
	/* Hands one over to the network, which may lose it, as it loses what there is no room
	 * for. */
	void (*datagram_send)(struct hf_port *port, struct hf_datagrams *d,
			      const struct hf_addr *to, const void *data, size_t len);
	/* The bound address (port 0 was asked: the one given). */
	int (*datagram_addr)(struct hf_port *port, struct hf_datagrams *d, struct hf_addr *out);
	void (*datagram_close)(struct hf_port *port, struct hf_datagrams *d);

	/* Looks up @host (NUL-terminated, at most 253 bytes). */
	int (*resolve)(struct hf_port *port, const char *host, hf_resolve_done *done, void *user,
		       struct hf_resolve **out);
	void (*resolve_cancel)(struct hf_port *port, struct hf_resolve *resolve);

	/* For a library that has sockets of its own (CoAP): calls @ready on each turn in which
	 * @fd is readable, until watch_close. @fd stays the caller's, who closes it after
	 * watch_close. NULL in ports without such libraries. HF_ENOMEM, HF_EIO. */
	int (*watch)(struct hf_port *port, int fd, void (*ready)(void *user), void *user,
		     struct hf_watch **out);
	void (*watch_close)(struct hf_port *port, struct hf_watch *watch);

	/* Puts @job at the end of its queue. Never fails. */
	void (*job_submit)(struct hf_port *port, struct hf_job *job);
	/* Blocks until every submitted job of every queue has run and runs their done callbacks
	 * (which may submit more; those too). For closing down only. */
	void (*jobs_finish)(struct hf_port *port);

	/* Where the databases live: the SQLite VFS by name (NULL: SQLite's default)
	 * and the directory, without a slash at the end. Constant. */
	const char *(*vfs_name)(struct hf_port *port);
	const char *(*state_dir)(struct hf_port *port);

	/* Reads a whole file of at most @max bytes into malloc'd memory (a NUL
	 * behind it, not counted). At start and on reload only: it blocks.
	 * HF_ENOENT, HF_EPERM, HF_ETOOBIG, HF_EIO, HF_ENOMEM. A directory:
	 * HF_ESTATE. */
	int (*file_read)(struct hf_port *port, const char *path, size_t max, char **out,
			 size_t *len);
	/* Others than the file's owner and group may read or write it. NULL: it is not
	 * known. */
	bool (*file_exposed)(struct hf_port *port, const char *path);
	/* Calls @each with the path of every regular file in @dir, sorted by name.
	 * Stops at the first non-zero return and returns it. */
	int (*dir_read)(struct hf_port *port, const char *dir,
			int (*each)(void *user, const char *path), void *user);

	/* One line without newline; @level as enum hf_log_level. */
	void (*log)(struct hf_port *port, int level, const char *line);
	/* The agent serves (sd_notify READY=1); it makes progress (WATCHDOG=1). */
	void (*ready)(struct hf_port *port);
	void (*progress)(struct hf_port *port);
	/* How the agent is, a line for people (sd_notify STATUS=). */
	void (*tell)(struct hf_port *port, const char *words);
};

#endif

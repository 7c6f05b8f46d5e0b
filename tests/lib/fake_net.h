/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port in memory with virtual time: clock, timers, names and streams. The
 * test is the other side of every stream. Nothing happens but in fake_net_turn
 * and what calls it.
 */
#ifndef HF_TESTS_FAKE_NET_H
#define HF_TESTS_FAKE_NET_H

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/timerq.h"
#include "holdfast/port.h"

enum fake_answer {
	FAKE_ACCEPT,
	FAKE_REFUSE,
	FAKE_UNREACH, /* stream_connect itself fails */
	FAKE_SILENT,  /* no answer, ever */
};

struct fake_host {
	struct hf_addr addr;
	enum fake_answer answer;
	uint64_t delay_ms;
};

/* One connection, as the other side sees it. */
struct fake_peer {
	struct hf_list node;
	struct fake_net *net;
	struct hf_addr to;
	const struct hf_stream_events *events;
	void *user;
	uint64_t connect_at_ms;
	enum fake_answer answer;
	bool connected, told;
	bool reading; /* the device reads */
	bool closed;  /* the device has closed */
	bool aborted;
	bool fin;	    /* the device has finished its direction */
	struct hf_buf got;  /* what the device wrote */
	struct hf_buf give; /* on its way to the device */
	bool give_eof, eof_told;
	int give_error; /* HF_ECONNRESET...; told when @give is empty */
	bool error_told;
	int write_error; /* the next writes fail with it */
	size_t window;	 /* bytes that are taken from the device now */
	bool want_writable;
	size_t writes; /* calls of stream_write that took bytes */
};

struct fake_net {
	struct hf_port port;
	struct hf_timerq timers;
	struct hf_log log;
	uint64_t now_ms;
	int64_t wall_ms;
	enum hf_clock_trust trust;
	struct hf_list peers; /* in order of connecting, closed ones too */
	size_t peers_n;
	struct fake_host hosts[16];
	size_t hosts_n;
	/* names */
	struct hf_addr addrs[16];
	size_t addrs_n;
	int resolve_err;
	uint64_t resolve_delay_ms;
	unsigned resolves;
	bool resolving;
	uint64_t resolve_at_ms;
	hf_resolve_done *resolve_done;
	void *resolve_user;
	size_t data_max; /* bytes in one on_data */
	uint64_t random;
};

void fake_net_init(struct fake_net *n);
void fake_net_finish(struct fake_net *n);
/* What a connection to "192.0.2.1" or "2001:db8::1" meets; also an address of
 * every name. */
void fake_net_host(struct fake_net *n, const char *ip, enum fake_answer answer, uint64_t delay_ms);
void fake_net_answer(struct fake_net *n, const char *ip, enum fake_answer answer);
/* One round; true when anything happened. */
bool fake_net_turn(struct fake_net *n);
/* Rounds until nothing happens at this time. */
void fake_net_settle(struct fake_net *n);
/* Moves time on, event by event. */
void fake_net_advance(struct fake_net *n, uint64_t ms);
/* The @i-th connection ever made; fails the test when there is none. */
struct fake_peer *fake_net_peer(struct fake_net *n, size_t i);
void fake_peer_send(struct fake_peer *p, const char *text);
void fake_peer_send_bytes(struct fake_peer *p, const void *data, size_t len);
void fake_peer_open_window(struct fake_peer *p, size_t window);
/* What came since the last call, NUL-terminated. */
const char *fake_peer_take(struct fake_peer *p);

#endif

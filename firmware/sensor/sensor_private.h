/* SPDX-License-Identifier: Apache-2.0 */
/* Private to sensor/: the server, and what its parts know of it. */
#ifndef HF_SENSOR_PRIVATE_H
#define HF_SENSOR_PRIVATE_H

#include "base/list.h"
#include "base/rand.h"
#include "coap/block.h"
#include "sensor/datagram.h"
#include "sensor/device.h"
#include "sensor/seen.h"
#include "sensor/sensor.h"

#define HF_SENSOR_SOCKETS_MAX 16
#define HF_SENSOR_PROVEN_MAX  256
#define HF_SENSOR_UNLIMITED   SIZE_MAX
#define HF_SENSOR_BUSY_S      5	 /* Max-Age of 5.03: as much is under way as may be */
#define HF_SENSOR_FULL_S      30 /* ... the store does not take it */

struct hf_sensor_session; /* session.c */
struct hf_sensor_dtls;	  /* session.c */

struct hf_sensor_socket {
	struct hf_sensors *sensors;
	struct hf_datagrams *datagrams;
	bool secure;
};

struct hf_sensor_peer {
	struct hf_sensor_socket *socket;
	struct hf_sensor_session *session; /* NULL: without DTLS */
	struct hf_addr addr;
	bool gone; /* its session is closed: nothing is said any more */
};

/* What an answer needs of its request. */
struct hf_sensor_ask {
	struct hf_sensor_peer peer;
	uint8_t type; /* HF_COAP_CON or HF_COAP_NON */
	uint8_t token_len, token[HF_COAP_TOKEN_MAX];
	uint8_t silent; /* No-Response: a bit for each class that is not wanted, as 2 << class */
	bool acked;	/* the acknowledgement left without the answer */
	uint16_t mid;
	/* Bytes that may still go to an address that is not known to be the sender's. */
	size_t allowance;
};

struct hf_sensor_in {
	struct hf_sensor_ask ask;
	struct hf_coap_message m;
	uint64_t hash; /* of the datagram and its sender */
	struct hf_span bytes;
};

struct hf_sensor_proven {
	uint64_t who;
	uint64_t until_ms;
};

struct hf_sensors {
	struct hf_sensor_options opt;
	struct hf_sensor_socket sockets[HF_SENSOR_SOCKETS_MAX];
	size_t sockets_n;
	bool stopping;
	uint64_t seed[2], echo_seed[2];
	uint16_t mid;
	struct hf_rand rand;
	struct hf_seen seen;
	struct hf_sensor_proven proven[HF_SENSOR_PROVEN_MAX];
	struct hf_spare blocks; /* of the arenas of calls */
	struct hf_spare spare_calls;
	struct hf_list calls, uploads, observers, loads, outgoing;
	unsigned outgoing_n;
	struct hf_devices devices;
	struct hf_sensor_dtls *dtls; /* NULL: no coaps address */
	struct hf_sensor_figures figures;
};

static inline uint64_t hf_sensor_now(const struct hf_sensors *s)
{
	return s->opt.port->boottime_ms(s->opt.port);
}

/* server.c */
/* One message of @peer, decrypted if need be; it came as @received bytes. */
void hf_sensor_message(struct hf_sensors *s, const struct hf_sensor_peer *peer,
		       struct hf_span bytes);
/* A session has closed: nobody holds it any more. */
void hf_sensor_forget_session(struct hf_sensors *s, struct hf_sensor_session *session);
uint64_t hf_sensor_hash(const struct hf_sensors *s, const struct hf_sensor_peer *peer,
			struct hf_span bytes);
bool hf_sensor_same_peer(const struct hf_sensor_peer *a, const struct hf_sensor_peer *b);
struct hf_span hf_sensor_identity(const struct hf_sensor_peer *peer);

/* proof.c */
bool hf_sensor_is_proven(struct hf_sensors *s, const struct hf_sensor_peer *peer);
/* Takes note of an Echo option that is ours. */
void hf_sensor_take_echo(struct hf_sensors *s, struct hf_sensor_in *in);
#define HF_SENSOR_ECHO_LEN 12
void hf_sensor_make_echo(const struct hf_sensors *s, const struct hf_sensor_peer *peer,
			 uint64_t now_s, char out[HF_SENSOR_ECHO_LEN]);

/* reply.c */
/* An answer: code and options in @head. It is cut down to what may be said to a sender
 * whose address is not proven: without payload, an Echo instead, the code alone. */
void hf_sensor_answer(struct hf_sensors *s, struct hf_sensor_ask *ask,
		      const struct hf_coap_head *head, struct hf_span payload);
/* @words for people; @max_age_s 0: none. */
void hf_sensor_refuse(struct hf_sensors *s, struct hf_sensor_ask *ask, uint8_t code,
		      uint32_t max_age_s, const char *words);
/* @body as a 2.05 of @format, by the @block that is asked for (NULL: none is). @observe:
 * the number of a notification, -1: it is none. */
void hf_sensor_content(struct hf_sensors *s, struct hf_sensor_ask *ask,
		       const struct hf_coap_block *block, uint32_t format, int64_t observe,
		       struct hf_span body);
/* The acknowledgement now, the answer later. */
void hf_sensor_ack(struct hf_sensors *s, struct hf_sensor_ask *ask);
void hf_sensor_reset(struct hf_sensors *s, const struct hf_sensor_peer *peer, uint16_t mid);
/* An acknowledgement or a reset for a message of ours. */
void hf_sensor_acknowledged(struct hf_sensors *s, const struct hf_sensor_peer *peer, uint16_t mid,
			    bool reset);
void hf_sensor_outgoing_forget(struct hf_sensors *s, struct hf_sensor_session *session);
void hf_sensor_outgoing_finish(struct hf_sensors *s);

/* request.c */
struct hf_sensor_request {
	struct hf_span method, path, query, host; /* path decoded: "/a/b" */
	struct hf_message msg;			  /* as a page would have sent it */
	struct hf_span key;			  /* the sensor's own; empty: none */
	struct hf_span body;
	bool has_format;
	uint32_t format;
};
/* 0; a CoAP code with *words. HF_ENOMEM. */
int hf_sensor_request_read(const struct hf_sensors *s, const struct hf_coap_head *head,
			   struct hf_arena *arena, struct hf_sensor_request *out,
			   const char **words);
/* The parts of @r's message that hold for an origin that speaks HTTP, or CoAP. */
int hf_sensor_request_finish(struct hf_sensor_request *r, bool coap_origin, struct hf_span body,
			     struct hf_arena *arena);
/* A key that comes again with the same datagram for an hour, whatever happens to us. */
#define HF_SENSOR_KEY_SIZE 37
void hf_sensor_key(const struct hf_sensors *s, const struct hf_sensor_peer *peer,
		   struct hf_span datagram, struct hf_span body, char out[HF_SENSOR_KEY_SIZE]);
/* Critical options that nobody here knows: the number, 0: none. */
unsigned hf_sensor_unknown_option(const struct hf_sensors *s, const struct hf_coap_head *head);

/* upload.c */
/* A block of a body. True: it was the last one, and the body is in *@body until
 * upload_end. False: it was answered. */
struct hf_sensor_upload;
bool hf_sensor_upload_take(struct hf_sensors *s, struct hf_sensor_in *in,
			   const struct hf_coap_block *block, struct hf_span *body,
			   struct hf_span *first, struct hf_sensor_upload **out);
void hf_sensor_upload_end(struct hf_sensor_upload *u);
void hf_sensor_upload_forget(struct hf_sensors *s, struct hf_sensor_session *session);
void hf_sensor_uploads_finish(struct hf_sensors *s);

/* call.c */
void hf_sensor_call(struct hf_sensors *s, struct hf_sensor_in *in, struct hf_span body,
		    struct hf_span first, const struct hf_coap_block *block);
/* It is in work already. */
void hf_sensor_call_again(struct hf_sensors *s, const struct hf_sensor_in *in);
/* What was answered, again. */
void hf_sensor_call_answered(struct hf_sensors *s, struct hf_sensor_in *in,
			     const struct hf_seen_entry *seen);
void hf_sensor_calls_forget(struct hf_sensors *s, struct hf_sensor_session *session);
void hf_sensor_calls_finish(struct hf_sensors *s);

/* state.c */
/* @id: of the request that is asked about. */
void hf_sensor_state(struct hf_sensors *s, struct hf_sensor_in *in, struct hf_span id);
void hf_sensor_observer_lost(struct hf_sensors *s, const struct hf_sensor_peer *peer, uint16_t mid);
void hf_sensor_state_forget(struct hf_sensors *s, struct hf_sensor_session *session);
void hf_sensor_state_finish(struct hf_sensors *s);

/* links.c */
void hf_sensor_links(struct hf_sensors *s, struct hf_sensor_in *in);

/* session.c */
int hf_sensor_dtls_create(struct hf_sensors *s);
void hf_sensor_dtls_destroy(struct hf_sensors *s);
void hf_sensor_dtls_input(struct hf_sensors *s, struct hf_sensor_socket *socket,
			  const struct hf_addr *from, struct hf_span bytes);
void hf_sensor_dtls_send(struct hf_sensors *s, struct hf_sensor_session *session,
			 struct hf_span bytes);
struct hf_span hf_sensor_session_identity(const struct hf_sensor_session *session);
/* Given once. */
uint64_t hf_sensor_session_number(const struct hf_sensor_session *session);

#endif

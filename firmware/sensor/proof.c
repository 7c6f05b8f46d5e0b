/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the address of a datagram is its sender's own. It is when DTLS says so, and
 * when the sender has given back what was sent there (Echo, RFC 9175): a time and a
 * keyed hash of it and of the address. Until then it gets no more than three times the
 * bytes that came from it.
 */
#include "sensor/sensor_private.h"

#include "base/strmap.h"

#define ECHO_LIFETIME_S 60
#define PROVEN_MS	(15 * 60 * 1000)

static uint64_t who(const struct hf_sensors *s, const struct hf_sensor_peer *peer,
		    const uint64_t seed[2], uint32_t time)
{
	char bytes[16 + 2 + 4 + 4 + 1 + sizeof(void *)];
	const struct hf_addr *a = &peer->addr;
	size_t n = 0;

	(void)s;
	memcpy(bytes, a->ip, 16);
	n += 16;
	memcpy(bytes + n, &a->port, 2);
	n += 2;
	memcpy(bytes + n, &a->scope, 4);
	n += 4;
	memcpy(bytes + n, &time, 4);
	n += 4;
	bytes[n++] = (char)a->family;
	memcpy(bytes + n, &peer->socket, sizeof(void *));
	n += sizeof(void *);
	return hf_siphash13(seed, hf_span(bytes, n));
}

bool hf_sensor_is_proven(struct hf_sensors *s, const struct hf_sensor_peer *peer)
{
	uint64_t hash;

	if (peer->session)
		return true;
	hash = who(s, peer, s->seed, 0);
	return s->proven[hash % HF_SENSOR_PROVEN_MAX].who == hash &&
	       s->proven[hash % HF_SENSOR_PROVEN_MAX].until_ms > hf_sensor_now(s);
}

void hf_sensor_make_echo(const struct hf_sensors *s, const struct hf_sensor_peer *peer,
			 uint64_t now_s, char out[HF_SENSOR_ECHO_LEN])
{
	uint32_t time = (uint32_t)now_s;
	uint64_t hash = who(s, peer, s->echo_seed, time);

	memcpy(out, &time, 4);
	memcpy(out + 4, &hash, 8);
}

void hf_sensor_take_echo(struct hf_sensors *s, struct hf_sensor_in *in)
{
	const struct hf_span *echo = hf_coap_option_get(&in->m.head, HF_COAP_ECHO);
	uint64_t now_ms = hf_sensor_now(s), hash;
	char ours[HF_SENSOR_ECHO_LEN];
	uint32_t time;

	if (!echo || echo->len != HF_SENSOR_ECHO_LEN || in->ask.peer.session)
		return;
	memcpy(&time, echo->ptr, 4);
	hf_sensor_make_echo(s, &in->ask.peer, time, ours);
	if ((uint32_t)(now_ms / 1000) - time > ECHO_LIFETIME_S ||
	    !hf_span_eq(*echo, hf_span(ours, sizeof(ours))))
		return;
	hash = who(s, &in->ask.peer, s->seed, 0);
	s->proven[hash % HF_SENSOR_PROVEN_MAX] =
		(struct hf_sensor_proven){ .who = hash, .until_ms = now_ms + PROVEN_MS };
	in->ask.allowance = HF_SENSOR_UNLIMITED;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/datagram.h"

#include "holdfast/err.h"

#define VERSION	     1
#define HEADER_BYTES 4
#define MARKER	     0xff

struct cursor {
	const uint8_t *at, *end;
};

/* The 4-bit number of an option's delta or length, and what it is extended by. */
static bool read_nibble(struct cursor *c, unsigned nibble, uint32_t *out)
{
	*out = nibble;
	if (nibble == 13 && c->end - c->at >= 1) {
		*out = 13U + c->at[0];
		c->at += 1;
		return true;
	}
	if (nibble == 14 && c->end - c->at >= 2) {
		*out = 269U + ((uint32_t)c->at[0] << 8 | c->at[1]);
		c->at += 2;
		return true;
	}
	return nibble < 13;
}

static bool read_option(struct cursor *c, uint32_t *number, struct hf_span *value)
{
	unsigned first = *c->at++;
	uint32_t delta, len;

	if (!read_nibble(c, first >> 4, &delta) || !read_nibble(c, first & 15, &len) ||
	    len > (size_t)(c->end - c->at))
		return false;
	*number += delta;
	*value = hf_span(c->at, len);
	c->at += len;
	return *number <= UINT16_MAX;
}

static bool read_options(struct cursor *c, struct hf_coap_message *m)
{
	uint32_t number = 0;

	while (c->at < c->end && *c->at != MARKER) {
		struct hf_coap_option *o = &m->head.options[m->head.n];

		if (m->head.n == HF_COAP_OPTIONS_MAX || !read_option(c, &number, &o->value))
			return false;
		o->number = (uint16_t)number;
		m->head.n++;
	}
	return true;
}

int hf_coap_message_parse(struct hf_span bytes, struct hf_coap_message *m)
{
	const uint8_t *b = (const uint8_t *)bytes.ptr;
	struct cursor c;

	m->head.n = 0;
	m->payload = hf_span(NULL, 0);
	if (bytes.len < HEADER_BYTES || b[0] >> 6 != VERSION)
		return HF_EINVAL;
	m->type = b[0] >> 4 & 3;
	m->token_len = b[0] & 15;
	m->head.code = b[1];
	m->mid = (uint16_t)(b[2] << 8 | b[3]);
	c = (struct cursor){ b + HEADER_BYTES, b + bytes.len };
	if (m->token_len > HF_COAP_TOKEN_MAX || m->token_len > c.end - c.at) {
		m->token_len = 0;
		return HF_EPROTO;
	}
	memcpy(m->token, c.at, m->token_len);
	c.at += m->token_len;
	if (m->head.code == 0 && bytes.len > HEADER_BYTES)
		return HF_EPROTO; /* an empty message is empty */
	if (!read_options(&c, m))
		return HF_EPROTO;
	if (c.at == c.end)
		return 0;
	if (++c.at == c.end)
		return HF_EPROTO; /* a marker, and no payload */
	m->payload = hf_span(c.at, (size_t)(c.end - c.at));
	return 0;
}

/* ---- writing ---- */

struct pen {
	uint8_t *at, *end;
	bool full;
};

static void put(struct pen *p, const void *bytes, size_t len)
{
	if (p->full || len > (size_t)(p->end - p->at)) {
		p->full = true;
		return;
	}
	if (len > 0)
		memcpy(p->at, bytes, len);
	p->at += len;
}

static void put_byte(struct pen *p, unsigned byte)
{
	uint8_t b = (uint8_t)byte;

	put(p, &b, 1);
}

static unsigned nibble_of(size_t n)
{
	return n < 13 ? (unsigned)n : n < 269 ? 13 : 14;
}

static void put_extension(struct pen *p, size_t n)
{
	if (n >= 269) {
		put_byte(p, (unsigned)((n - 269) >> 8));
		put_byte(p, (n - 269) & 255);
	} else if (n >= 13) {
		put_byte(p, (unsigned)(n - 13));
	}
}

size_t hf_coap_message_format(const struct hf_coap_message *m, char *out, size_t size)
{
	struct pen p = { (uint8_t *)out, (uint8_t *)out + size, false };
	unsigned before = 0;

	put_byte(&p, VERSION << 6 | (unsigned)m->type << 4 | m->token_len);
	put_byte(&p, m->head.code);
	put_byte(&p, m->mid >> 8);
	put_byte(&p, m->mid & 255);
	put(&p, m->token, m->token_len);
	for (size_t i = 0; i < m->head.n; i++) {
		const struct hf_coap_option *o = &m->head.options[i];
		unsigned delta = o->number - before;

		put_byte(&p, nibble_of(delta) << 4 | nibble_of(o->value.len));
		put_extension(&p, delta);
		put_extension(&p, o->value.len);
		put(&p, o->value.ptr, o->value.len);
		before = o->number;
	}
	if (m->payload.len > 0) {
		put_byte(&p, MARKER);
		put(&p, m->payload.ptr, m->payload.len);
	}
	return p.full ? 0 : (size_t)(p.at - (uint8_t *)out);
}

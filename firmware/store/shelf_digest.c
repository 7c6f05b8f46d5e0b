/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subresource Integrity, section 3.3: of several hashes only those of the strongest
 * kind count, and one that matches is enough. What follows a "?" is an option.
 */
#include "store/shelf_digest.h"

#include <stdbool.h>

#include "holdfast/err.h"

static unsigned bits_of(struct hf_span *token)
{
	static const struct {
		const char *prefix;
		unsigned bits;
	} kinds[] = { { "sha256-", 256 }, { "sha384-", 384 }, { "sha512-", 512 } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct hf_span prefix = hf_span_str(kinds[i].prefix);

		if (!hf_span_starts(*token, prefix))
			continue;
		*token = hf_span_skip(*token, prefix.len);
		return kinds[i].bits;
	}
	return 0;
}

static unsigned strongest(struct hf_span integrity)
{
	unsigned most = 0;

	while (integrity.ptr && integrity.len > 0) {
		struct hf_span token = hf_span_trim(hf_span_cut(&integrity, ' '));
		unsigned bits = bits_of(&token);

		if (bits > most)
			most = bits;
	}
	return most;
}

void hf_shelf_digest_init(struct hf_shelf_digest *d, struct hf_span integrity)
{
	mbedtls_sha256_init(&d->sha256);
	mbedtls_sha256_starts(&d->sha256, 0);
	mbedtls_sha512_init(&d->sha512);
	d->bits = strongest(integrity);
	if (d->bits > 256)
		mbedtls_sha512_starts(&d->sha512, d->bits == 384);
}

void hf_shelf_digest_add(struct hf_shelf_digest *d, struct hf_span bytes)
{
	const unsigned char *in = (const unsigned char *)bytes.ptr;

	if (bytes.len == 0)
		return;
	mbedtls_sha256_update(&d->sha256, in, bytes.len);
	if (d->bits > 256)
		mbedtls_sha512_update(&d->sha512, in, bytes.len);
}

static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Is @text @hash in base64? */
static bool spells(struct hf_span text, const uint8_t *hash, size_t len)
{
	struct hf_span rest = text;
	size_t n = 0;
	uint32_t acc = 0;
	unsigned bits = 0;

	text = hf_span_cut(&rest, '?');
	for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
		int v = sextet(text.ptr[i]);

		if (v < 0)
			return false;
		acc = (acc << 6 | (uint32_t)v) & 0xffffff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (n == len || hash[n++] != (uint8_t)(acc >> bits))
			return false;
	}
	return n == len;
}

int hf_shelf_digest_get(const struct hf_shelf_digest *d, struct hf_span integrity,
			uint8_t sha256[32])
{
	struct hf_shelf_digest copy = *d;
	uint8_t sha512[64];

	mbedtls_sha256_finish(&copy.sha256, sha256);
	if (d->bits == 0)
		return 0;
	if (d->bits > 256)
		mbedtls_sha512_finish(&copy.sha512, sha512);
	while (integrity.ptr && integrity.len > 0) {
		struct hf_span token = hf_span_trim(hf_span_cut(&integrity, ' '));

		if (bits_of(&token) == d->bits &&
		    spells(token, d->bits == 256 ? sha256 : sha512, d->bits / 8))
			return 0;
	}
	return HF_EBADMSG;
}

void hf_shelf_digest_of_nothing(uint8_t sha256[32])
{
	struct hf_shelf_digest d;

	hf_shelf_digest_init(&d, hf_span(NULL, 0));
	hf_shelf_digest_get(&d, hf_span(NULL, 0), sha256);
}

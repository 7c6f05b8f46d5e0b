/* SPDX-License-Identifier: Apache-2.0 */
/* 26 characters of 5 bits: 130 bits, so the first character holds 3. */
#include "base/ulid.h"

#include "holdfast/err.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void hf_ulid_format(uint64_t hi, uint64_t lo, char out[HF_ULID_LEN + 1])
{
	int i;

	for (i = HF_ULID_LEN - 1; i >= 0; i--) {
		out[i] = alphabet[lo & 31];
		lo = lo >> 5 | hi << 59;
		hi >>= 5;
	}
	out[HF_ULID_LEN] = '\0';
}

/* 0 to 31, or -1. */
static int digit_of(char c)
{
	const char *at;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

int hf_ulid_parse(struct hf_span text, uint64_t *hi, uint64_t *lo)
{
	uint64_t h = 0, l = 0;
	size_t i;

	if (text.len != HF_ULID_LEN || text.ptr[0] > '7')
		return HF_EINVAL;
	for (i = 0; i < HF_ULID_LEN; i++) {
		int digit = digit_of(text.ptr[i]);

		if (digit < 0)
			return HF_EINVAL;
		h = h << 5 | l >> 59;
		l = l << 5 | (uint64_t)digit;
	}
	*hi = h;
	*lo = l;
	return 0;
}

void hf_uuid_format(const uint8_t bytes[16], unsigned version, char out[HF_UUID_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t b[16];

	memcpy(b, bytes, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | version << 4);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80); /* variant 10 */
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = hex[b[i] >> 4];
		*out++ = hex[b[i] & 15];
	}
	*out = '\0';
}

void hf_uuid7_format(uint64_t unix_ms, const uint8_t random[10], char out[HF_UUID_LEN + 1])
{
	uint8_t b[16];

	for (int i = 0; i < 6; i++)
		b[i] = (uint8_t)(unix_ms >> (40 - 8 * i));
	memcpy(b + 6, random, 10);
	hf_uuid_format(b, 7, out);
}

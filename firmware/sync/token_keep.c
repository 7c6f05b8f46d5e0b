/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the store, little-endian:
 *
 *   version u8 = 1, n u8, then n times
 *   seed u64, length u16 and bytes of current, length u16 and bytes of previous
 */
#include "sync/token_keep.h"

#include <stdlib.h>

#include "holdfast/err.h"
#include "store/codec.h"
#include "sync/token_answer.h"

#define VERSION 1

uint64_t hf_token_seed(struct hf_span text)
{
	return (uint64_t)hf_crc32(0, text) << 32 | hf_span_hash(text);
}

const struct hf_token_kept *hf_token_keep_find(const struct hf_token_keep *k, uint64_t seed)
{
	for (unsigned i = 0; i < k->n; i++)
		if (k->v[i].seed == seed)
			return &k->v[i];
	return NULL;
}

static void drop(struct hf_token_kept *x)
{
	free(x->current);
	free(x->previous);
	*x = (struct hf_token_kept){ 0 };
}

void hf_token_keep_finish(struct hf_token_keep *k)
{
	while (k->n > 0)
		drop(&k->v[--k->n]);
}

static int fill(struct hf_token_kept *x, uint64_t seed, struct hf_span current,
		struct hf_span previous)
{
	*x = (struct hf_token_kept){ seed, hf_span_dup(current), hf_span_dup(previous) };
	if (x->current && x->previous)
		return 0;
	drop(x);
	return HF_ENOMEM;
}

int hf_token_keep_rotate(struct hf_token_keep *k, uint64_t seed, struct hf_span used,
			 struct hf_span next)
{
	struct hf_token_kept x;
	unsigned at = 0;
	int err = fill(&x, seed, next, used);

	if (err)
		return err;
	while (at < k->n && k->v[at].seed != seed)
		at++;
	if (at == HF_TOKENS_KEPT_MAX)
		at--;
	if (at == k->n)
		k->n++;
	else
		drop(&k->v[at]);
	memmove(&k->v[1], &k->v[0], at * sizeof(k->v[0]));
	k->v[0] = x;
	return 0;
}

/* ---- in the store ---- */

static int put_number(struct hf_buf *out, uint64_t value, unsigned bytes)
{
	uint8_t le[8];

	hf_put_le(le, value, bytes);
	return hf_buf_append(out, hf_span((const char *)le, bytes));
}

static int put_token(struct hf_buf *out, const char *token)
{
	struct hf_span text = hf_span_str(token);
	int err = put_number(out, text.len, 2);

	return err ? err : hf_buf_append(out, text);
}

int hf_token_keep_encode(const struct hf_token_keep *k, struct hf_buf *out)
{
	int err = put_number(out, VERSION, 1);

	if (!err)
		err = put_number(out, k->n, 1);
	for (unsigned i = 0; i < k->n && !err; i++) {
		err = put_number(out, k->v[i].seed, 8);
		if (!err)
			err = put_token(out, k->v[i].current);
		if (!err)
			err = put_token(out, k->v[i].previous);
	}
	return err;
}

static bool get_number(struct hf_span *rest, unsigned bytes, uint64_t *out)
{
	if (rest->len < bytes)
		return false;
	*out = hf_get_le((const uint8_t *)rest->ptr, bytes);
	*rest = hf_span_skip(*rest, bytes);
	return true;
}

static bool get_token(struct hf_span *rest, struct hf_span *out)
{
	uint64_t len;

	if (!get_number(rest, 2, &len) || rest->len < len)
		return false;
	*out = hf_span(rest->ptr, (size_t)len);
	*rest = hf_span_skip(*rest, (size_t)len);
	return hf_token_is_valid(*out, HF_REFRESH_TOKEN_MAX);
}

static int get_all(struct hf_span rest, struct hf_token_keep *k)
{
	struct hf_span current, previous;
	uint64_t version, n, seed;
	int err;

	if (!get_number(&rest, 1, &version) || version != VERSION || !get_number(&rest, 1, &n) ||
	    n > HF_TOKENS_KEPT_MAX)
		return HF_ECORRUPT;
	while (n-- > 0) {
		if (!get_number(&rest, 8, &seed) || !get_token(&rest, &current) ||
		    !get_token(&rest, &previous) || hf_token_keep_find(k, seed))
			return HF_ECORRUPT;
		err = fill(&k->v[k->n], seed, current, previous);
		if (err)
			return err;
		k->n++;
	}
	return rest.len == 0 ? 0 : HF_ECORRUPT;
}

int hf_token_keep_decode(struct hf_span bytes, struct hf_token_keep *k)
{
	int err;

	*k = (struct hf_token_keep){ 0 };
	if (bytes.len == 0)
		return 0;
	err = get_all(bytes, k);
	if (err)
		hf_token_keep_finish(k);
	return err;
}

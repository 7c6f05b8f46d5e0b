/* SPDX-License-Identifier: Apache-2.0 */
#include "store/codec.h"

#include <assert.h>

enum row_flags {
	ROW_INFLIGHT = 1,
	ROW_MAYBE_RECEIVED = 2,
	ROW_HOLE = 4,
	ROW_REPLACED = 8,
	ROW_DEPENDENT = 128,
};
#define URGENCY_SHIFT 4
#define URGENCY_MASK  7

#define SEQ_BYTES 6
_Static_assert(52 + 2 * SEQ_BYTES == HF_ROW_SIZE, "the row's layout fills it");
_Static_assert(4 + 8 + 8 == HF_BORN_SIZE, "born's layout fills it");
_Static_assert(3 * 8 == HF_LANE_SIZE, "lane's layout fills it");

void hf_put_le(uint8_t *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

uint64_t hf_get_le(const uint8_t *at, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)at[i] << (8 * i);
	return v;
}

void hf_row_encode(const struct hf_row *row, uint8_t out[HF_ROW_SIZE])
{
	const struct hf_record_state *s = &row->state;
	uint8_t flags = 0;

	assert(s->status >= HF_RECORD_QUEUED && s->status <= HF_RECORD_CANCELLED);
	assert(row->request >> 48 == 0 && row->outcome >> 48 == 0);
	if (s->inflight)
		flags |= ROW_INFLIGHT;
	if (s->maybe_received)
		flags |= ROW_MAYBE_RECEIVED;
	if (row->hole)
		flags |= ROW_HOLE;
	if (row->replaced)
		flags |= ROW_REPLACED;
	if (row->dependent)
		flags |= ROW_DEPENDENT;
	flags |= (uint8_t)((s->urgency & URGENCY_MASK) << URGENCY_SHIFT);
	out[0] = s->status;
	out[1] = s->reason;
	out[2] = flags;
	out[3] = s->same_500;
	out[4] = s->conflicts;
	out[5] = s->last_end;
	hf_put_le(out + 6, s->last_status, 2);
	hf_put_le(out + 8, s->attempts, 4);
	hf_put_le(out + 12, s->tag, 4);
	hf_put_le(out + 16, s->created_dev_ms, 8);
	hf_put_le(out + 24, (uint64_t)s->created_wall_ms, 8);
	hf_put_le(out + 32, s->first_sent_dev_ms, 8);
	if (hf_status_final(s->status)) {
		hf_put_le(out + 40, s->settled_dev_ms, 8);
	} else {
		hf_put_le(out + 40, s->not_before_dev_s, 4);
		hf_put_le(out + 44, s->not_before_wall_s, 4);
	}
	hf_put_le(out + 48, s->body_hash, 4);
	hf_put_le(out + 52, row->request, SEQ_BYTES);
	hf_put_le(out + 58, row->outcome, SEQ_BYTES);
}

int hf_row_decode(struct hf_span bytes, struct hf_row *row)
{
	const uint8_t *in = (const uint8_t *)bytes.ptr;
	struct hf_record_state *s = &row->state;

	if (bytes.len != HF_ROW_SIZE)
		return HF_ECORRUPT;
	if (in[0] < HF_RECORD_QUEUED || in[0] > HF_RECORD_CANCELLED)
		return HF_ECORRUPT;
	*s = (struct hf_record_state){
		.status = in[0],
		.reason = in[1],
		.inflight = in[2] & ROW_INFLIGHT,
		.maybe_received = in[2] & ROW_MAYBE_RECEIVED,
		.same_500 = in[3],
		.conflicts = in[4],
		.last_end = in[5],
		.urgency = in[2] >> URGENCY_SHIFT & URGENCY_MASK,
		.last_status = (uint16_t)hf_get_le(in + 6, 2),
		.attempts = (uint32_t)hf_get_le(in + 8, 4),
		.tag = (uint32_t)hf_get_le(in + 12, 4),
		.created_dev_ms = hf_get_le(in + 16, 8),
		.created_wall_ms = (int64_t)hf_get_le(in + 24, 8),
		.first_sent_dev_ms = hf_get_le(in + 32, 8),
		.body_hash = (uint32_t)hf_get_le(in + 48, 4),
	};
	if (hf_status_final(s->status)) {
		s->settled_dev_ms = hf_get_le(in + 40, 8);
	} else {
		s->not_before_dev_s = (uint32_t)hf_get_le(in + 40, 4);
		s->not_before_wall_s = (uint32_t)hf_get_le(in + 44, 4);
	}
	row->hole = in[2] & ROW_HOLE;
	row->replaced = in[2] & ROW_REPLACED;
	row->dependent = in[2] & ROW_DEPENDENT;
	row->request = hf_get_le(in + 52, SEQ_BYTES);
	row->outcome = hf_get_le(in + 58, SEQ_BYTES);
	return 0;
}

void hf_lane_encode(const struct hf_lane_v *v, uint8_t out[HF_LANE_SIZE])
{
	hf_put_le(out, v->head, 8);
	hf_put_le(out + 8, v->tail, 8);
	hf_put_le(out + 16, v->holes, 8);
}

int hf_lane_decode(struct hf_span bytes, struct hf_lane_v *v)
{
	const uint8_t *in = (const uint8_t *)bytes.ptr;

	if (bytes.len != HF_LANE_SIZE)
		return HF_ECORRUPT;
	v->head = hf_get_le(in, 8);
	v->tail = hf_get_le(in + 8, 8);
	v->holes = hf_get_le(in + 16, 8);
	if (v->head == 0 || v->head >> HF_ORDINAL_BITS || v->tail >> HF_ORDINAL_BITS)
		return HF_ECORRUPT;
	return 0;
}

void hf_born_encode(const struct hf_record_state *state, uint8_t out[HF_BORN_SIZE])
{
	hf_put_le(out, state->tag, 4);
	hf_put_le(out + 4, state->created_dev_ms, 8);
	hf_put_le(out + 12, (uint64_t)state->created_wall_ms, 8);
}

int hf_born_decode(struct hf_span bytes, struct hf_record_state *state)
{
	const uint8_t *in = (const uint8_t *)bytes.ptr;

	if (bytes.len != HF_BORN_SIZE)
		return HF_ECORRUPT;
	state->tag = (uint32_t)hf_get_le(in, 4);
	state->created_dev_ms = hf_get_le(in + 4, 8);
	state->created_wall_ms = (int64_t)hf_get_le(in + 12, 8);
	return 0;
}

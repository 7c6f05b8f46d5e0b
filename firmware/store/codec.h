/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixed-size values on disk, little-endian, so that an UPDATE overwrites them
 * in place and dirties one page.
 *
 *   row    64 bytes, column record.state: hf_record_state and the row's links
 *     0 status u8    1 reason u8     2 flags u8      3 same_500 u8
 *          (bits 4 to 6 of the flags: urgency; bit 7: it has a row in dependent)
 *     4 conflicts u8 5 last_end u8   6 last_status u16
 *     8 attempts u32                12 tag u32
 *    16 created_dev_ms u64          24 created_wall_ms i64
 *    32 first_sent_dev_ms u64       40 final: settled_dev_ms u64
 *                                      else: not_before_dev_s u32, _wall_s u32
 *    48 body_hash u32               52 request.seq u48  58 outcome.seq u48
 *          (a replaced row has its successor's ordinal in place of request.seq)
 *   lane   24 bytes, column lane.v: head u64, tail u64, holes u64
 *   born   20 bytes, column request.born: tag u32, created_dev_ms u64,
 *          created_wall_ms i64 (a second copy: salvage makes a record of it)
 */
#ifndef HF_STORE_CODEC_H
#define HF_STORE_CODEC_H

#include "base/span.h"
#include "store/records.h"

#define HF_ROW_SIZE  64
#define HF_LANE_SIZE 24
#define HF_BORN_SIZE 20

struct hf_row {
	struct hf_record_state state;
	uint64_t request; /* seq of its request, 48 bits; the row may be purged;
			   * of a replaced one the ordinal of its successor */
	uint64_t outcome; /* seq in outcome, or in dead for a DEAD one; 0: none */
	bool hole;	  /* became final while an older one of its lane was not */
	bool replaced;	  /* final, and went again as a later one of its lane */
	bool dependent;	  /* there is a row of dependent for it */
};

void hf_row_encode(const struct hf_row *row, uint8_t out[HF_ROW_SIZE]);
/* HF_ECORRUPT: wrong size or a status that does not exist. */
int hf_row_decode(struct hf_span bytes, struct hf_row *row);

struct hf_lane_v {
	uint64_t head;	/* every ordinal below it is final */
	uint64_t tail;	/* at least this many ordinals were given */
	uint64_t holes; /* final or missing ordinals from head on that are behind
			 * a record that is not */
};

void hf_lane_encode(const struct hf_lane_v *v, uint8_t out[HF_LANE_SIZE]);
int hf_lane_decode(struct hf_span bytes, struct hf_lane_v *v);

void hf_born_encode(const struct hf_record_state *state, uint8_t out[HF_BORN_SIZE]);
int hf_born_decode(struct hf_span bytes, struct hf_record_state *state);

void hf_put_le(uint8_t *at, uint64_t value, unsigned bytes);
uint64_t hf_get_le(const uint8_t *at, unsigned bytes);

/* CRC-32 (IEEE 802.3) of @bytes, continuing @crc (0 at first). */
uint32_t hf_crc32(uint32_t crc, struct hf_span bytes);

static inline bool hf_status_final(uint8_t status)
{
	return status == HF_RECORD_SETTLED || status == HF_RECORD_DEAD ||
	       status == HF_RECORD_CANCELLED;
}

#endif

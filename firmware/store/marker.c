/* SPDX-License-Identifier: Apache-2.0 */
#include "store/marker.h"

#include "store/codec.h"

#define SLOT_SIZE     64
#define SLOT_DISTANCE 4096

static const char magic[8] = "HFSTORE\1";

static void slot_encode(const struct hf_marker *m, uint8_t out[SLOT_SIZE])
{
	memset(out, 0, SLOT_SIZE);
	memcpy(out, magic, sizeof(magic));
	hf_put_le(out + 8, m->sequence, 8);
	hf_put_le(out + 16, m->generation, 4);
	hf_put_le(out + 20, m->vanished, 4);
	hf_put_le(out + 24, m->salvages, 4);
	hf_put_le(out + SLOT_SIZE - 4, hf_crc32(0, hf_span(out, SLOT_SIZE - 4)), 4);
}

static bool slot_decode(const uint8_t in[SLOT_SIZE], struct hf_marker *m)
{
	if (memcmp(in, magic, sizeof(magic)) != 0)
		return false;
	if (hf_get_le(in + SLOT_SIZE - 4, 4) != hf_crc32(0, hf_span(in, SLOT_SIZE - 4)))
		return false;
	m->sequence = hf_get_le(in + 8, 8);
	m->generation = (uint32_t)hf_get_le(in + 16, 4);
	m->vanished = (uint32_t)hf_get_le(in + 20, 4);
	m->salvages = (uint32_t)hf_get_le(in + 24, 4);
	return m->generation > 0;
}

int hf_marker_read(struct hf_vfs *vfs, const char *path, struct hf_marker *m)
{
	uint8_t bytes[SLOT_SIZE];
	struct hf_marker slot;

	memset(m, 0, sizeof(*m));
	for (int i = 0; i < 2; i++) {
		int err = hf_vfs_read(vfs, path, bytes, sizeof(bytes), (uint64_t)i * SLOT_DISTANCE);

		if (err == HF_ENOENT)
			return 0;
		if (err)
			return err;
		slot = (struct hf_marker){ .there = true, .valid = true };
		m->there = true;
		if (slot_decode(bytes, &slot) && slot.sequence >= m->sequence)
			*m = slot;
	}
	return 0;
}

int hf_marker_write(struct hf_vfs *vfs, const char *path, struct hf_marker *m)
{
	uint8_t bytes[SLOT_SIZE];
	struct hf_marker next = *m;
	int err;

	next.there = true;
	next.valid = true;
	next.sequence++;
	slot_encode(&next, bytes);
	err = hf_vfs_write(vfs, path, bytes, sizeof(bytes), (next.sequence & 1) * SLOT_DISTANCE);
	if (!err)
		*m = next;
	return err;
}

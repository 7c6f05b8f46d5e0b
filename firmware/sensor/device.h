/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of devices: a line for each, its identity, its key and what it may do.
 *
 *   # identity  key                     may
 *   pump-3      hex:00112233445566      POST:/alarms  PUT:/state/pump-3*
 *   -           -                       POST:/readings
 *
 * A star stands for any run of bytes. Without rules a device may send whatever a route queues. The line of "-" is about
 * senders without DTLS. The file is looked at again when it is needed, once a second at
 * most: a device that is changed or taken out loses its session.
 */
#ifndef HF_SENSOR_DEVICE_H
#define HF_SENSOR_DEVICE_H

#include "base/arena.h"
#include "base/log.h"
#include "holdfast/port.h"

#define HF_DEVICE_NAME_MAX  64
#define HF_DEVICE_KEY_MAX   64
#define HF_DEVICE_FILE_MAX  (256 * 1024)
#define HF_DEVICE_RULES_MAX 32

struct hf_device {
	struct hf_span name; /* "-": senders without DTLS */
	uint8_t key[HF_DEVICE_KEY_MAX];
	size_t key_len;
	struct hf_span rules[HF_DEVICE_RULES_MAX];
	size_t rules_n;
};

struct hf_devices {
	struct hf_port *port;
	struct hf_log *log;
	const char *path;
	struct hf_arena arena;
	struct hf_device *v;
	size_t n;
	uint64_t version; /* of the text */
	uint64_t looked_ms;
	int fault; /* of the last look: an HF_E*, told once */
};

/* Faults as lines "N: words" in @faults (may be NULL). HF_ECONFIG, HF_ENOMEM. */
int hf_devices_parse(struct hf_span text, struct hf_arena *arena, struct hf_device **out, size_t *n,
		     char faults[256]);
/* @path NULL: there are none. */
void hf_devices_init(struct hf_devices *d, struct hf_port *port, struct hf_log *log,
		     const char *path);
void hf_devices_finish(struct hf_devices *d);
/* Reads the file if it says something else. What cannot be read stays as it was, said
 * once in the log. True: it has changed. */
bool hf_devices_look(struct hf_devices *d);
/* NULL: unknown. Valid until the next look. */
const struct hf_device *hf_devices_find(const struct hf_devices *d, struct hf_span name);
/* @name empty: without DTLS. */
bool hf_devices_may(const struct hf_devices *d, struct hf_span name, struct hf_span method,
		    struct hf_span path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the settings fit the device they are on: folders and files that can be
 * written or made, addresses that are free. Looks only; nothing is made or kept.
 */
#ifndef HF_PORT_LINUX_PLACE_H
#define HF_PORT_LINUX_PLACE_H

#include "agent/settings.h"

enum hf_place {
	HF_PLACE_FITS,
	HF_PLACE_TAKEN, /* a holdfastd runs with this state folder; nothing else was looked at */
	HF_PLACE_FAULTS,
};

/* Appends a line "file:line: [agent] key: words" for each fault to @faults, and for
 * what is worth a word to @notices. */
enum hf_place hf_place_check(const struct hf_settings *s, struct hf_buf *faults,
			     struct hf_buf *notices);

#define HF_PLACE_PATH_SIZE 4096

/* The folder that @path stands in. */
void hf_place_folder_above(const char *path, char out[HF_PLACE_PATH_SIZE]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A port whose files are strings, or those of tests/data. */
#ifndef HF_TESTS_SETTINGS_FILES_H
#define HF_TESTS_SETTINGS_FILES_H

#include "holdfast/port.h"

#define DATA "tests/data/config"

extern const char *settings_conf; /* what /etc/holdfast.conf holds */
extern struct hf_port settings_port;

/* A file of the folder the test runs in. */
int settings_read_real(const char *path, size_t max, char **out, size_t *len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Private to ingress/: client.js, worker.js and client.d.ts, built into the program
 * (cmake/embed.cmake). */
#ifndef HF_INGRESS_CLIENT_ASSET_H
#define HF_INGRESS_CLIENT_ASSET_H

#include <stddef.h>

struct hf_client_asset {
	const char *name;
	const unsigned char *bytes;
	size_t len;
	const unsigned char *packed; /* gzip */
	size_t packed_len;
	const char *hash;
};

extern const struct hf_client_asset hf_client_assets[];
extern const size_t hf_client_assets_n;

#endif

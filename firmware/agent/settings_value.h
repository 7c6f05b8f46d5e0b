/* SPDX-License-Identifier: Apache-2.0 */
/* Single values of holdfast.conf: addresses, hashes, numbers. No allocation. */
#ifndef HF_AGENT_SETTINGS_VALUE_H
#define HF_AGENT_SETTINGS_VALUE_H

#include "base/span.h"
#include "holdfast/port.h"

/* Address literals without brackets or zone (RFC 4291 section 2.2); the port
 * becomes 0. HF_EINVAL. */
int hf_ip_parse(struct hf_span text, struct hf_addr *out);
bool hf_ip_is_loopback(const struct hf_addr *addr);
bool hf_ip_is_any(const struct hf_addr *addr);			    /* 0.0.0.0, :: */
bool hf_ip_equal(const struct hf_addr *a, const struct hf_addr *b); /* without port */
/* One listen address: "127.0.0.1:8480", "[::1]:8480", or "localhost:8480" (both
 * families, 2 into @out). Port 0: any free one. Returns how many, or 0 and the
 * words of what is wrong in *problem (static). */
size_t hf_listen_parse(struct hf_span text, struct hf_addr out[2], const char **problem);
/* Is @text the base64 of 32 bytes, with padding? */
bool hf_is_sha256_base64(struct hf_span text);

#endif

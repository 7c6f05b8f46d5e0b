/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that libcoap and what it wants of Mbed TLS leave to us
 * (cmake/deps/mbedtls_config_coap.h).
 */
#include "net/tls_platform.h"

int mbedtls_hardware_poll(void *data, unsigned char *out, size_t len, size_t *olen);
void mbedtls_debug_set_threshold(int threshold);

int mbedtls_hardware_poll(void *data, unsigned char *out, size_t len, size_t *olen)
{
	int ret = hf_tls_platform_random(data, out, len);

	if (olen)
		*olen = ret ? 0 : len;
	return ret;
}

/* Mbed TLS is built without its debug output. */
void mbedtls_debug_set_threshold(int threshold)
{
	(void)threshold;
}

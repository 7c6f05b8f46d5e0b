/*
 * Mbed TLS for libcoap, behind mbedtls_config.h: DTLS with keys that both sides
 * know (PSK), with CCM as CoAP asks for, and connection ids.
 *
 * One more function is called that the library does not have; firmware/coap
 * provides it on struct hf_port:
 *
 *   int mbedtls_hardware_poll(void *data, unsigned char *out, size_t len,
 *                             size_t *olen)
 *       random bytes, the only source of libcoap's generator
 */
#ifndef HF_MBEDTLS_CONFIG_COAP_H
#define HF_MBEDTLS_CONFIG_COAP_H

#define MBEDTLS_SSL_PROTO_DTLS
#define MBEDTLS_SSL_DTLS_ANTI_REPLAY
#define MBEDTLS_SSL_DTLS_HELLO_VERIFY
#define MBEDTLS_SSL_DTLS_CONNECTION_ID
#define MBEDTLS_SSL_DTLS_CONNECTION_ID_COMPAT 0
#define MBEDTLS_SSL_COOKIE_C
#define MBEDTLS_TIMING_C

#define MBEDTLS_KEY_EXCHANGE_PSK_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_PSK_ENABLED

#define MBEDTLS_CTR_DRBG_C
#define MBEDTLS_ENTROPY_C
#define MBEDTLS_ENTROPY_HARDWARE_ALT
#define MBEDTLS_NO_PLATFORM_ENTROPY

#endif

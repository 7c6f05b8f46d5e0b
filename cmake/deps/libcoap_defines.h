/*
 * What libcoap can do for Holdfast: UDP, TCP, DTLS and TLS by Mbed TLS over IPv4
 * and IPv6 as a client, one thread, waiting by epoll.
 */
#ifndef COAP_DEFINES_H_
#define COAP_DEFINES_H_

#define COAP_CLIENT_SUPPORT    1
#define COAP_IPV4_SUPPORT      1
#define COAP_IPV6_SUPPORT      1
#define COAP_EPOLL_SUPPORT     1
#define COAP_DISABLE_TCP       0
#define COAP_WITH_LIBMBEDTLS   1
#define COAP_MAX_LOGGING_LEVEL 4

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mbed TLS asks the world for time and randomness by global functions. They
 * reach the port of the agent that is on the stack: everything that calls Mbed
 * TLS stands between enter and leave.
 */
#ifndef HF_NET_TLS_PLATFORM_H
#define HF_NET_TLS_PLATFORM_H

#include "holdfast/port.h"

/* @port is the current one of this thread; returns the one before. */
struct hf_port *hf_tls_platform_enter(struct hf_port *port);
void hf_tls_platform_leave(struct hf_port *before);
/* As Mbed TLS's f_rng; @user is not used. */
int hf_tls_platform_random(void *user, unsigned char *out, size_t len);

#endif

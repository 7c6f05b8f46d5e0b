/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may call what: which paths are ours, whose pages may use them, and which
 * peers are let in.
 */
#ifndef HF_INGRESS_ACCESS_H
#define HF_INGRESS_ACCESS_H

#include "holdfast/port.h"
#include "http/message.h"

enum hf_path_owner {
	HF_PATH_ORIGIN,	   /* the origin's */
	HF_PATH_OURS,	   /* below /.holdfast/, written plainly */
	HF_PATH_AMBIGUOUS, /* would be ours after decoding or cleaning: refused */
};

enum hf_path_owner hf_access_path(struct hf_span path);
/* A page that calls /.holdfast/ must be of the same origin as the Host it
 * speaks to (no DNS rebinding, no calls across sites). NULL: it may; else why
 * not, for people. */
const char *hf_access_page(const struct hf_message *msg, struct hf_span host);
/* Loopback and UNIX peers. */
bool hf_access_is_local(const struct hf_addr *addr);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations of background sync as members of a JSON object. */
#ifndef HF_INGRESS_TAG_JSON_H
#define HF_INGRESS_TAG_JSON_H

#include "base/buf.h"
#include "sync/periodic.h"
#include "sync/tags.h"

/* Each appends "tag":... and what follows, without braces. */
int hf_tag_json(struct hf_buf *out, const struct hf_tag_figures *f);
int hf_periodic_json(struct hf_buf *out, const struct hf_periodic_figures *f);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A sync registration as JSON: in the resources, the status and the events. */
#ifndef HF_INGRESS_TAG_JSON_H
#define HF_INGRESS_TAG_JSON_H

#include "base/buf.h"
#include "sync/tags.h"

/* Appends the members without braces, "tag" first. */
int hf_tag_json(struct hf_buf *out, const struct hf_tag_figures *f);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One event of a stream as a line of JSON. */
#ifndef HF_CLI_EVENT_JSON_H
#define HF_CLI_EVENT_JSON_H

#include "base/span.h"

/* {"event":"settled","id":"12","data":...} to stdout; without id when its ptr is NULL.
 * @document: the data is JSON and stands as it came; else, and when it has more than
 * one line, as a string. */
void cli_put_event(struct hf_span event, struct hf_span id, struct hf_span data, bool document);

#endif

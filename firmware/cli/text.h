/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for people. Everything that comes from the daemon may hold what a page or
 * an origin put there, so control bytes, broken UTF-8 and marks that turn the
 * direction of writing are shown as \xNN or \uNNNN.
 */
#ifndef HF_CLI_TEXT_H
#define HF_CLI_TEXT_H

#include <stdio.h>

#include "base/buf.h"

#define CLI_WORD_SIZE 32

/* Appends @text made safe. HF_ENOMEM, HF_ELIMIT. */
int cli_escape(struct hf_buf *out, struct hf_span text);
/* Whether it is UTF-8 without NUL. */
bool cli_is_text(struct hf_span text);
/* Columns that valid UTF-8 takes on a terminal. */
size_t cli_columns(const char *text);
/* How many bytes of it fit into *columns, which becomes the columns they take. */
size_t cli_bytes_in(const char *text, size_t *columns);
void cli_put_safe(FILE *f, struct hf_span text);
/* The daemon's bytes to stdout as they are; on a terminal without control bytes
 * other than tab and newline. Ends the line. */
void cli_put_raw(struct hf_span bytes);
/* As above, without ending the line. */
void cli_put_bytes(struct hf_span bytes);

/* "3 min", "-" when negative. */
char *cli_duration(double seconds, char out[CLI_WORD_SIZE]);
/* "1.2 MB", "-" when negative. */
char *cli_size(double bytes, char out[CLI_WORD_SIZE]);
/* "12", "-" when negative. */
char *cli_count(double n, char out[CLI_WORD_SIZE]);
/* Appends @text percent-encoded but for unreserved characters. */
int cli_encode(struct hf_buf *out, const char *text);

#endif

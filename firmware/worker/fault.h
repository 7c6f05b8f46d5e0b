/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults of configuration files, collected one line each:
 *
 *   kiosk.worker.json:12: routes[2].queue.order: "blok" is not one of ...
 *
 * A fault says where it is, what was found, what is allowed and, when one known
 * word is near, which one was probably meant. Text from the files is quoted and
 * cut, so that a line stays one line.
 */
#ifndef HF_WORKER_FAULT_H
#define HF_WORKER_FAULT_H

#include "base/buf.h"
#include "base/span.h"

#define HF_FAULTS_MAX 200 /* lines of one file; the rest is counted only */
#define HF_QUOTE_SIZE 96

struct hf_fault; /* one line */

struct hf_faults {
	const char *file;
	struct hf_fault **v;
	unsigned n; /* found, kept or not */
	bool nomem;
};

/* Keeps @file. */
void hf_faults_init(struct hf_faults *f, const char *file);
/* One fault of @line (0: none) at @where ("" : none), without a full stop. */
void hf_fault_add(struct hf_faults *f, unsigned line, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Appends the faults to @out in the order of their lines and frees them. 0 when
 * there are none, HF_ENOMEM, else HF_ECONFIG; what does not fit is left out. */
int hf_faults_finish(struct hf_faults *f, struct hf_buf *out);

/* @text in double quotes, control bytes and broken UTF-8 as \xNN, cut with "..."
 * when it is long. Returns @out. */
char *hf_quote(struct hf_span text, char out[HF_QUOTE_SIZE]);
/* " (did you mean \"block\"?)", or "" when none of @words is near. Returns @out. */
char *hf_nearest(struct hf_span text, const char *const *words, size_t n, char out[HF_QUOTE_SIZE]);
/* "block, skip", cut when it does not fit. Returns @out. */
char *hf_join(const char *const *words, size_t n, char *out, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured log: a dotted event name and fields in logfmt ("id=17 err=EFULL").
 * error: someone must act; warning: we coped; info: state changes; debug: free.
 * Values that may hold spaces or control bytes are passed through
 * hf_log_quote() or come as %.*s of already safe text. A line is cut at
 * HF_LOG_LINE_MAX bytes; control bytes become '?'. No allocation.
 */
#ifndef HF_BASE_LOG_H
#define HF_BASE_LOG_H

#include "base/span.h"

#define HF_LOG_LINE_MAX 512

enum hf_log_level {
	HF_LOG_ERROR,
	HF_LOG_WARNING,
	HF_LOG_INFO,
	HF_LOG_DEBUG,
};

struct hf_log {
	enum hf_log_level level; /* lines above it are not formatted */
	void (*write)(void *user, enum hf_log_level level, const char *line);
	void *user;
};

/* @event "queue.settled"; @fmt the fields, none when they come out empty. */
void hf_log(struct hf_log *log, enum hf_log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* @value as a logfmt value in @out (cut when too long): bare when it is plain,
 * else quoted with escapes. Returns @out. */
char *hf_log_quote(struct hf_span value, char *out, size_t size);
/* "error" "warning" "info" "debug"; HF_EINVAL for other words. */
int hf_log_level_parse(struct hf_span word, enum hf_log_level *out);
const char *hf_log_level_name(enum hf_log_level level);

#endif

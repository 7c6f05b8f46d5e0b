/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of our own: application/problem+json (RFC 9457), or a page where a
 * browser asks for a document, with a Proxy-Status field (RFC 9209), so that a
 * page and a person can tell what we say from what the origin says.
 */
#ifndef HF_FETCH_PROBLEM_H
#define HF_FETCH_PROBLEM_H

#include "base/buf.h"
#include "http/transport.h"

struct hf_problem {
	int status;
	const char *error;	/* Proxy-Status error type, NULL: none */
	const char *detail;	/* one sentence, NULL: none */
	uint32_t retry_after_s; /* Retry-After, 0: none */
	const char *allow;	/* Allow, NULL: none */
	const char *state;	/* Holdfast-State, NULL: "refused" */
	const char *reason;	/* of the state; NULL: error, when there is one */
	bool page;		/* as a page for a person to look at */
};

/* A final request whose stored answer is damaged. */
extern const struct hf_problem hf_problem_answer_damaged;

/* Appends the JSON document (type, title, status, detail, reason) or the page. */
int hf_problem_body(const struct hf_problem *p, struct hf_buf *out);
/* Adds Content-Type, Cache-Control, Holdfast-State, Proxy-Status, Retry-After,
 * Allow, in the fields' arena; with a page what problem_page.h names as well. */
int hf_problem_fields(const struct hf_problem *p, struct hf_fields *fields);
/* What the end of an attempt without an answer means for the page. The words
 * name @origin and say why; they are the arena's. */
void hf_problem_of_end(const struct hf_exchange_result *result, const char *origin,
		       struct hf_span authority, struct hf_arena *arena, struct hf_problem *out);
/* What a refusal of the queue means: HF_EFULL 507, HF_ELIMIT 503, HF_EINVAL 400,
 * HF_ETOOBIG 413, HF_EIO and others 503. */
void hf_problem_of_queue(int err, struct hf_problem *out);

#endif

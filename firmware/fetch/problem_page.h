/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A problem as a page: what a panel shows in the place of a document that is
 * neither to be had nor stored. It asks again by itself (Refresh), so that a
 * panel that nobody touches shows the site once it is there.
 */
#ifndef HF_FETCH_PROBLEM_PAGE_H
#define HF_FETCH_PROBLEM_PAGE_H

#include "fetch/problem.h"
#include "http/message.h"

/* A GET for a document: Sec-Fetch-Mode (Fetch Metadata) says "navigate"; of a
 * client that does not send it, Accept names text/html. */
bool hf_problem_page_fits(const struct hf_message *request);
/* Appends the document (HTML, UTF-8). HF_ELIMIT, HF_ENOMEM. */
int hf_problem_page_body(const struct hf_problem *p, struct hf_buf *out);
/* Content-Type, Content-Security-Policy, and Refresh where a later try may help. */
int hf_problem_page_fields(const struct hf_problem *p, struct hf_fields *fields);

#endif

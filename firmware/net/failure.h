/* SPDX-License-Identifier: Apache-2.0 */
/* Why an origin was not reached last, in words for people, and since when. */
#ifndef HF_NET_FAILURE_H
#define HF_NET_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#define HF_FAILURE_WORDS_SIZE 192

struct hf_failure {
	char words[HF_FAILURE_WORDS_SIZE]; /* "": none since the last success */
	uint64_t since_ms;		   /* boot time of the first with these words */
	char logged[HF_FAILURE_WORDS_SIZE];
	uint64_t logged_ms; /* 0: nothing was */
};

/* True: they are others than those that were logged last, so they should be; of
 * words that take turns at most once a minute. */
bool hf_failure_note(struct hf_failure *f, const char *words, uint64_t now_ms);
/* The origin has answered. */
void hf_failure_clear(struct hf_failure *f);

#endif

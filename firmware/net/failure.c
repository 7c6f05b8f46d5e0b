/* SPDX-License-Identifier: Apache-2.0 */
#include "net/failure.h"

#include <stdio.h>
#include <string.h>

#define LOG_AGAIN_MS 60000

bool hf_failure_note(struct hf_failure *f, const char *words, uint64_t now_ms)
{
	char cut[HF_FAILURE_WORDS_SIZE];

	snprintf(cut, sizeof(cut), "%s", words);
	if (strcmp(f->words, cut) != 0) {
		memcpy(f->words, cut, sizeof(cut));
		f->since_ms = now_ms;
	}
	if (strcmp(f->logged, cut) == 0 || (f->logged_ms && now_ms - f->logged_ms < LOG_AGAIN_MS))
		return false;
	memcpy(f->logged, cut, sizeof(cut));
	f->logged_ms = now_ms;
	return true;
}

void hf_failure_clear(struct hf_failure *f)
{
	f->words[0] = '\0';
	f->logged[0] = '\0';
}

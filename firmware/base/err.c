/* SPDX-License-Identifier: Apache-2.0 */
/* The words and identifiers of the error numbers. */
#include "holdfast/err.h"

const char *hf_strerror(int err)
{
	switch (err) {
	case 0:
		return "ok";
#define WORDS_CASE(name, number, words) \
	case HF_##name:                 \
		return words;
		HF_ERRORS(WORDS_CASE)
#undef WORDS_CASE
	default: /* numbers come from outside the enum too */
		return "unknown error";
	}
}

const char *hf_errname(int err)
{
	switch (err) {
	case 0:
		return "OK";
#define NAME_CASE(name, number, words) \
	case HF_##name:                \
		return #name;
		HF_ERRORS(NAME_CASE)
#undef NAME_CASE
	default:
		return "EUNKNOWN";
	}
}

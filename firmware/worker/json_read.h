/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a JSON document with faults: cJSON's tree, the place of each of its
 * values, and readers for the usual types. A reader that finds a value not as
 * asked reports one fault and says so; it never stops the others.
 */
#ifndef HF_WORKER_JSON_READ_H
#define HF_WORKER_JSON_READ_H

#include "worker/fault.h"
#include "worker/json_locate.h"

#define HF_JSON_KEYS_MAX 16 /* known keys of one object */

struct cJSON;

struct hf_json_doc {
	struct hf_json_map map;
	struct cJSON *tree;
	struct hf_faults *faults;
	struct hf_faults notices; /* of what is no fault and does nothing */
	size_t line_at;		  /* where the last line was counted to */
	unsigned line;
};

/* Keeps @text. An error of syntax is one fault and HF_ECONFIG; HF_ENOMEM. */
int hf_json_doc_init(struct hf_json_doc *d, struct hf_span text, struct hf_faults *faults);
/* The notices are hf_faults_finish's to free. */
void hf_json_doc_finish(struct hf_json_doc *d);
/* A fault of @item: file, line and path are added. */
void hf_json_fault(struct hf_json_doc *d, const struct cJSON *item, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void hf_json_notice(struct hf_json_doc *d, const struct cJSON *item, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
unsigned hf_json_item_line(struct hf_json_doc *d, const struct cJSON *item);

/* The members of an object into @out[n], NULL where absent. Unknown and repeated
 * keys are faults. False: no object. */
bool hf_json_object(struct hf_json_doc *d, const struct cJSON *item, const char *const *keys,
		    size_t n, const struct cJSON **out);
/* False: no array, or more than @max entries. */
bool hf_json_array(struct hf_json_doc *d, const struct cJSON *item, size_t max, size_t *n);
/* A string of 1 to @max bytes without control bytes; NULL otherwise. */
const char *hf_json_text(struct hf_json_doc *d, const struct cJSON *item, size_t max);
/* As hf_json_text, copied to the heap. NULL also without memory (noted). */
char *hf_json_text_dup(struct hf_json_doc *d, const struct cJSON *item, size_t max);
/* A whole number in the range; else *out is left as it is. */
bool hf_json_whole(struct hf_json_doc *d, const struct cJSON *item, uint64_t min, uint64_t max,
		   uint64_t *out);
bool hf_json_whole32(struct hf_json_doc *d, const struct cJSON *item, uint32_t min, uint32_t max,
		     uint32_t *out);
/* The number of the word in @words, -1 when it is none of them. */
int hf_json_word(struct hf_json_doc *d, const struct cJSON *item, const char *const *words,
		 size_t n);
/* Zeroed; NULL for n == 0 or without memory (noted). */
void *hf_json_calloc(struct hf_json_doc *d, size_t n, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/coap_words.h"

#include <stdlib.h>

#include "sim/mem.h"

#define KEY	    "idempotency-key="
#define FORMAT_JSON 50

/* ---- answers ---- */

static uint8_t code_of(int status)
{
	switch (status) {
	case 200:
		return HF_COAP_CODE(2, 5);
	case 201:
		return HF_COAP_CODE(2, 1);
	case 204:
		return HF_COAP_CODE(2, 4);
	case 408:
	case 409:
	case 413:
	case 415:
	case 422:
	case 429:
		return HF_COAP_CODE(4, (unsigned)status - 400);
	}
	if (status >= 500)
		return HF_COAP_CODE(5, status <= 504 ? (unsigned)status - 500 : 0);
	if (status >= 400 && status <= 406)
		return HF_COAP_CODE(4, (unsigned)status - 400);
	return status >= 400 ? HF_COAP_CODE(4, 0) : HF_COAP_CODE(5, 0);
}

static unsigned long number_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

bool sim_coap_words(const char *text, struct sim_coap_words *out)
{
	memset(out, 0, sizeof(*out));
	if (strncmp(text, "HTTP/1.1 ", 9) != 0)
		return false;
	out->code = code_of((int)strtoul(text + 9, NULL, 10));
	out->length = number_after(text, "\r\nContent-Length: ");
	out->max_age_s = (uint32_t)number_after(text, "\r\nRetry-After: ");
	out->json = strstr(text, "\r\nContent-Type: application/json\r\n") != NULL;
	return true;
}

void sim_coap_words_options(struct sim_coap_words *w, struct hf_coap_head *head)
{
	if (w->json)
		(void)hf_coap_option_add(head, HF_COAP_CONTENT_FORMAT,
					 hf_coap_uint(FORMAT_JSON, w->bytes[0]));
	if (w->max_age_s)
		(void)hf_coap_option_add(head, HF_COAP_MAX_AGE,
					 hf_coap_uint(w->max_age_s, w->bytes[1]));
}

/* ---- requests ---- */

static void put_target(FILE *f, const struct hf_coap_head *head, bool all)
{
	char sep = '?';
	bool path = false;

	for (size_t i = 0; i < head->n; i++) {
		const struct hf_coap_option *o = &head->options[i];

		if (o->number == HF_COAP_URI_PATH) {
			fprintf(f, "/%.*s", HF_SPAN_ARG(o->value));
			path = true;
		}
		if (o->number != HF_COAP_URI_QUERY ||
		    (!all && hf_span_starts(o->value, HF_SPAN(KEY))))
			continue;
		fprintf(f, "%s%c%.*s", path ? "" : "/", sep, HF_SPAN_ARG(o->value));
		path = true;
		sep = '&';
	}
	if (!path)
		fputc('/', f);
}

static void target_of(const struct hf_coap_head *head, bool all, char *out, size_t size)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = sim_must(open_memstream(&text, &len));

	put_target(f, head, all);
	fclose(f);
	snprintf(out, size, "%s", text);
	free(text);
}

void sim_coap_path(const struct hf_coap_head *head, char *out, size_t size)
{
	target_of(head, true, out, size);
}

void sim_coap_request(const struct hf_coap_head *head, struct hf_arena *arena,
		      struct hf_message *out)
{
	static const char *const methods[] = {
		"", "GET", "POST", "PUT", "DELETE", "QUERY", "PATCH"
	};
	char target[512];

	target_of(head, false, target, sizeof(target));
	*out = (struct hf_message){ .method =
					    hf_span_str(head->code < 7 ? methods[head->code] : ""),
				    .target = hf_arena_copy(arena, hf_span_str(target)),
				    .minor = 1,
				    .keep_alive = true };
	hf_fields_init(&out->fields, arena);
	for (size_t i = 0; i < head->n; i++) {
		const struct hf_coap_option *o = &head->options[i];

		if (o->number == HF_COAP_URI_QUERY && hf_span_starts(o->value, HF_SPAN(KEY)))
			(void)hf_fields_add(&out->fields, HF_SPAN("Idempotency-Key"),
					    hf_span_skip(o->value, strlen(KEY)));
	}
}

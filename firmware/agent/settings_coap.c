/* SPDX-License-Identifier: Apache-2.0 */
/* [origin NAME] of a coap or coaps URL: its key, and where an Idempotency-Key goes. */
#include "agent/settings_read.h"

#include <stdlib.h>

#include "coap/map.h"

#define PSK_FILE_MAX  1024
#define IDENTITY_MAX  128
#define PARAMETER_MAX 64
#define KEY_DEFAULT   "idempotency-key"
#define QUERY	      "query:"
#define OPTION	      "option:"

static bool is_parameter(struct hf_span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("-._~", s.ptr[i]) && !(s.ptr[i] >= '0' && s.ptr[i] <= '9') &&
		    !(s.ptr[i] >= 'a' && s.ptr[i] <= 'z') && !(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z'))
			return false;
	return s.len > 0 && s.len <= PARAMETER_MAX;
}

void hf_settings_coap_key(struct hf_settings_reader *r, const struct hf_conf_section *section,
			  unsigned key, char **query, uint16_t *option)
{
	const char *text = section->v[key].text;
	struct hf_span value = text ? hf_span_str(text) : HF_SPAN(QUERY KEY_DEFAULT);
	char quoted[HF_QUOTE_SIZE];
	uint64_t number;

	if (hf_span_eq_str(value, "none"))
		return;
	if (hf_span_starts(value, HF_SPAN(QUERY)) &&
	    is_parameter(hf_span_skip(value, strlen(QUERY)))) {
		*query = hf_settings_dup(r, value.ptr + strlen(QUERY));
		return;
	}
	/* An origin that does not know a critical (odd) option refuses the request. */
	if (hf_span_starts(value, HF_SPAN(OPTION)) &&
	    hf_span_u64(hf_span_skip(value, strlen(OPTION)), &number) && number >= 2048 &&
	    number <= UINT16_MAX) {
		*option = (uint16_t)number;
		return;
	}
	hf_settings_fault(r, section, key,
			  "%s is not query:NAME, option:NUMBER (2048 to 65535) or none",
			  hf_quote(value, quoted));
}

static void refuse(struct hf_settings_reader *r, const struct hf_conf_section *section,
		   unsigned key, const char *scheme)
{
	if (section->v[key].text)
		hf_settings_fault(r, section, key, "has no effect: the url is not %s", scheme);
}

static void read_psk(struct hf_settings_reader *r, const struct hf_conf_section *section,
		     struct hf_origin_settings *o)
{
	const struct hf_conf_value *identity = &section->v[HF_ORIGIN_PSK_IDENTITY];

	if (identity->text && strlen(identity->text) > IDENTITY_MAX)
		hf_settings_fault(r, section, HF_ORIGIN_PSK_IDENTITY, "is longer than %d bytes",
				  IDENTITY_MAX);
	else if (identity->text)
		o->psk_identity = hf_settings_dup(r, identity->text);
	o->psk_file = hf_settings_line_file(r, section, HF_ORIGIN_PSK_FILE, PSK_FILE_MAX);
	if (identity->line && !section->v[HF_ORIGIN_PSK_FILE].line)
		hf_settings_fault(r, section, HF_ORIGIN_PSK_IDENTITY, "needs psk-file beside it");
	if (!identity->line && section->v[HF_ORIGIN_PSK_FILE].line)
		hf_settings_fault(r, section, HF_ORIGIN_PSK_FILE, "needs psk-identity beside it");
}

bool hf_settings_coap_certified(const struct hf_conf_section *section,
				const struct hf_origin_settings *o)
{
	return hf_span_starts(o->url.scheme, HF_SPAN("coaps")) &&
	       !section->v[HF_ORIGIN_PSK_IDENTITY].line && !section->v[HF_ORIGIN_PSK_FILE].line;
}

void hf_settings_read_coap(struct hf_settings_reader *r, const struct hf_conf_section *section,
			   struct hf_origin_settings *o)
{
	bool secure = hf_span_starts(o->url.scheme, HF_SPAN("coaps"));

	if (hf_span_starts(o->url.scheme, HF_SPAN("coap")))
		hf_settings_coap_key(r, section, HF_ORIGIN_COAP_KEY, &o->coap_key_query,
				     &o->coap_key_option);
	else
		refuse(r, section, HF_ORIGIN_COAP_KEY, "coap or coaps");
	if (secure) {
		read_psk(r, section, o);
		return;
	}
	refuse(r, section, HF_ORIGIN_PSK_IDENTITY, "coaps");
	refuse(r, section, HF_ORIGIN_PSK_FILE, "coaps");
}

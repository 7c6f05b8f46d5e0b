/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Formats (RFC 7252 section 12.3 and the registry) and media types. */
#include "coap/map.h"

static const struct {
	uint16_t format;
	const char *type;
} formats[] = {
	{ 0, "text/plain;charset=utf-8" },
	{ 16, "application/cose;cose-type=\"cose-encrypt0\"" },
	{ 21, "image/gif" },
	{ 22, "image/jpeg" },
	{ 23, "image/png" },
	{ 40, "application/link-format" },
	{ 41, "application/xml" },
	{ 42, "application/octet-stream" },
	{ 47, "application/exi" },
	{ 50, "application/json" },
	{ 51, "application/json-patch+json" },
	{ 52, "application/merge-patch+json" },
	{ 60, "application/cbor" },
	{ 61, "application/cwt" },
	{ 62, "application/multipart-core" },
	{ 63, "application/cbor-seq" },
	{ 110, "application/senml+json" },
	{ 111, "application/sensml+json" },
	{ 112, "application/senml+cbor" },
	{ 113, "application/sensml+cbor" },
	{ 257, "application/concise-problem-details+cbor" },
	{ 432, "application/td+json" },
	{ 11542, "application/vnd.oma.lwm2m+tlv" },
	{ 11543, "application/vnd.oma.lwm2m+json" },
	{ 11544, "application/vnd.oma.lwm2m+cbor" },
	{ 20000, "text/css" },
	{ 20002, "application/javascript" },
	{ 30000, "image/svg+xml" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of text/plain and JSON, charset=utf-8 says nothing new. */
static bool is_utf8_parameter(struct hf_span p)
{
	struct hf_span name = hf_span_trim(hf_span_cut(&p, '='));

	p = hf_span_trim(p);
	return hf_span_ieq_str(name, "charset") &&
	       (hf_span_ieq_str(p, "utf-8") || hf_span_ieq_str(p, "\"utf-8\""));
}

static struct hf_span essence(struct hf_span type, struct hf_span *parameters)
{
	*parameters = type;
	return hf_span_trim(hf_span_cut(parameters, ';'));
}

/* cf=65060 */
static int numbered(struct hf_span parameters)
{
	struct hf_span name = hf_span_cut(&parameters, '=');
	uint64_t number;

	if (!hf_span_ieq_str(name, "cf") || !hf_span_u64(parameters, &number) ||
	    number > UINT16_MAX)
		return -1;
	return (int)number;
}

int hf_coap_format_of(struct hf_span media_type)
{
	struct hf_span parameters, known_parameters;
	struct hf_span name = essence(media_type, &parameters);

	parameters = hf_span_trim(parameters);
	if (hf_span_ieq_str(name, "application/coap-payload"))
		return numbered(parameters);
	if (parameters.len > 0 && !is_utf8_parameter(parameters))
		return -1;
	if (hf_span_ieq_str(name, "text/javascript"))
		name = HF_SPAN("application/javascript");
	for (size_t i = 0; i < COUNT(formats); i++) {
		struct hf_span known = essence(hf_span_str(formats[i].type), &known_parameters);

		if (hf_span_ieq(name, known) && formats[i].format != 16)
			return formats[i].format;
	}
	return -1;
}

const char *hf_coap_media_type(uint32_t format)
{
	for (size_t i = 0; i < COUNT(formats); i++)
		if (formats[i].format == format)
			return formats[i].type;
	return NULL;
}

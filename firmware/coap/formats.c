/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Formats (RFC 7252 section 12.3 and the registry) and media types. */
#include "coap/map.h"
#include "coap/transport.h"

static const struct format {
	uint16_t format;
	const char *type;
	const char *coding; /* NULL: none */
} formats[] = {
	{ 0, "text/plain;charset=utf-8", NULL },
	{ 16, "application/cose;cose-type=\"cose-encrypt0\"", NULL },
	{ 17, "application/cose;cose-type=\"cose-mac0\"", NULL },
	{ 18, "application/cose;cose-type=\"cose-sign1\"", NULL },
	{ 21, "image/gif", NULL },
	{ 22, "image/jpeg", NULL },
	{ 23, "image/png", NULL },
	{ 40, "application/link-format", NULL },
	{ 41, "application/xml", NULL },
	{ 42, "application/octet-stream", NULL },
	{ 47, "application/exi", NULL },
	{ 50, "application/json", NULL },
	{ 51, "application/json-patch+json", NULL },
	{ 52, "application/merge-patch+json", NULL },
	{ 60, "application/cbor", NULL },
	{ 61, "application/cwt", NULL },
	{ 62, "application/multipart-core", NULL },
	{ 63, "application/cbor-seq", NULL },
	{ 96, "application/cose;cose-type=\"cose-encrypt\"", NULL },
	{ 97, "application/cose;cose-type=\"cose-mac\"", NULL },
	{ 98, "application/cose;cose-type=\"cose-sign\"", NULL },
	{ 101, "application/cose-key", NULL },
	{ 102, "application/cose-key-set", NULL },
	{ 110, "application/senml+json", NULL },
	{ 111, "application/sensml+json", NULL },
	{ 112, "application/senml+cbor", NULL },
	{ 113, "application/sensml+cbor", NULL },
	{ 114, "application/senml-exi", NULL },
	{ 115, "application/sensml-exi", NULL },
	{ 256, "application/coap-group+json", NULL },
	{ 257, "application/concise-problem-details+cbor", NULL },
	{ 310, "application/senml+xml", NULL },
	{ 311, "application/sensml+xml", NULL },
	{ 320, "application/senml-etch+json", NULL },
	{ 322, "application/senml-etch+cbor", NULL },
	{ 432, "application/td+json", NULL },
	{ 10000, "application/vnd.ocf+cbor", NULL },
	{ 11050, "application/json", "deflate" },
	{ 11060, "application/cbor", "deflate" },
	{ 11542, "application/vnd.oma.lwm2m+tlv", NULL },
	{ 11543, "application/vnd.oma.lwm2m+json", NULL },
	{ 11544, "application/vnd.oma.lwm2m+cbor", NULL },
	{ 20000, "text/css", NULL },
	{ 20002, "application/javascript", NULL },
	{ 30000, "image/svg+xml", NULL },
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

/* The parameters that tell one format from another. */
static struct hf_span cut_type(struct hf_span type, struct hf_span *parameters)
{
	*parameters = type;
	type = hf_span_trim(hf_span_cut(parameters, ';'));
	*parameters = hf_span_trim(*parameters);
	if (is_utf8_parameter(*parameters))
		parameters->len = 0;
	return type;
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

int hf_coap_format_of(struct hf_span media_type, struct hf_span coding)
{
	struct hf_span parameters, known_parameters;
	struct hf_span name = cut_type(media_type, &parameters);

	if (hf_span_ieq_str(name, "application/coap-payload"))
		return numbered(parameters);
	if (hf_span_ieq_str(name, "text/javascript"))
		name = HF_SPAN("application/javascript");
	for (size_t i = 0; i < COUNT(formats); i++) {
		const struct format *f = &formats[i];
		struct hf_span known = cut_type(hf_span_str(f->type), &known_parameters);

		if (hf_span_ieq(name, known) && hf_span_ieq(parameters, known_parameters) &&
		    hf_span_ieq(coding, hf_span_str(f->coding)))
			return f->format;
	}
	return -1;
}

int hf_coap_formats_write(struct hf_buf *out)
{
	int err = 0;

	for (size_t i = 0; i < COUNT(formats) && !err; i++)
		if (!formats[i].coding)
			err = hf_buf_appendf(out, "%s%s", i ? ", " : "", formats[i].type);
	return err;
}

bool hf_coap_says_format(struct hf_span media_type, struct hf_buf *known)
{
	if (hf_coap_format_of(media_type, HF_SPAN("")) >= 0)
		return true;
	(void)hf_coap_formats_write(known); /* as many as there is room for */
	return false;
}

static const struct format *find(uint32_t number)
{
	for (size_t i = 0; i < COUNT(formats); i++)
		if (formats[i].format == number)
			return &formats[i];
	return NULL;
}

const char *hf_coap_media_type(uint32_t format)
{
	const struct format *f = find(format);

	return f ? f->type : NULL;
}

const char *hf_coap_coding(uint32_t format)
{
	const struct format *f = find(format);

	return f ? f->coding : NULL;
}

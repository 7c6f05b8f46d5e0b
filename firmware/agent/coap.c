/* SPDX-License-Identifier: Apache-2.0 */
/* Origins that speak CoAP. */
#include "coap/transport.h"

#include <stdlib.h>

#include "agent/agent_private.h"
#include "sync/credential.h"

#define PSK_FILE_MAX 1024
#define PSK_MAX	     64 /* bytes; more than Mbed TLS takes is of no use */
#define HEX	     "hex:"

/* A line of text, or of digits behind "hex:"; the length, 0: neither. */
static size_t psk_bytes(struct hf_span line, char out[PSK_MAX])
{
	size_t n;

	if (!hf_span_starts(line, HF_SPAN(HEX))) {
		if (line.len == 0 || line.len > PSK_MAX)
			return 0;
		memcpy(out, line.ptr, line.len);
		return line.len;
	}
	line = hf_span_skip(line, strlen(HEX));
	if (line.len % 2 || line.len > 2 * PSK_MAX)
		return 0;
	for (n = 0; n < line.len / 2; n++) {
		int high = hf_hex_digit(line.ptr[2 * n]), low = hf_hex_digit(line.ptr[2 * n + 1]);

		if (high < 0 || low < 0)
			return 0;
		out[n] = (char)(high << 4 | low);
	}
	return n;
}

static int read_psk(struct hf_agent *a, const struct hf_origin_settings *s, char out[PSK_MAX],
		    size_t *len)
{
	struct hf_span line;
	size_t size;
	char *text;
	int err = a->port->file_read(a->port, s->psk_file, PSK_FILE_MAX, &text, &size);

	if (err)
		return err == HF_ENOMEM ? err : HF_ECONFIG;
	line = hf_credential_line(hf_span(text, size));
	*len = line.ptr ? psk_bytes(line, out) : 0;
	memset(text, 0, size);
	free(text);
	return *len ? 0 : HF_ECONFIG;
}

static int open_tls(struct hf_agent *a, const char *host, const struct hf_origin_settings *s,
		    bool stream, struct hf_tls_client **out)
{
	struct hf_tls_client_options opt = { .kind = stream ? HF_TLS_COAP : HF_TLS_DATAGRAM };
	char psk[PSK_MAX];
	int err = 0;

	if (s->psk_file) {
		opt.identity = hf_span_str(s->psk_identity);
		opt.psk.ptr = psk;
		err = read_psk(a, s, psk, &opt.psk.len);
	}
	if (err == HF_ECONFIG)
		hf_log(&a->log, HF_LOG_ERROR, "origin.fault",
		       "origin=%s fault=\"psk-file is no line of at most %d bytes\"", s->name,
		       PSK_MAX);
	if (!err)
		err = hf_agent_tls_open(a, s, host, &opt, out);
	memset(psk, 0, sizeof(psk));
	return err;
}

int hf_agent_coap_open(struct hf_agent *a, const char *host, const struct hf_origin_settings *s,
		       struct hf_agent_origin *o)
{
	struct hf_span scheme = s->url.scheme;
	struct hf_coap_options opt = {
		.port = a->port,
		.timers = &a->timers,
		.log = &a->log,
		.host = host,
		.port_number = s->url.port,
		.stream = hf_span_eq_str(scheme, "coap+tcp") || hf_span_eq_str(scheme, "coaps+tcp"),
		.key = { .query = s->coap_key_query, .option = s->coap_key_option },
		.connect_timeout_ms = s->connect_timeout_ms,
		.first_byte_timeout_ms = s->first_byte_timeout_ms,
		.idle_timeout_ms = CONFIG_HF_IDLE_TIMEOUT_MS,
		.keepalive_timeout_ms = CONFIG_HF_KEEPALIVE_TIMEOUT_MS,
	};
	int err = 0;

	if (hf_span_starts(scheme, HF_SPAN("coaps")))
		err = open_tls(a, host, s, opt.stream, &o->tls);
	opt.tls = o->tls;
	o->coap = true;
	return err ? err : hf_coap_create(&opt, &o->transport);
}

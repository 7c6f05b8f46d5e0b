/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is looked at in each certificate of a chain, from its top to the
 * server's own, and how a refusal reads.
 *
 * Pins: a certificate is anchored when its key is pinned, or when the one above
 * is anchored and has signed it. The server's own must be. Where pins are the
 * only trust, that replaces the chain up to a CA; otherwise both must hold.
 */
#include "net/tls_internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <mbedtls/asn1.h>
#include <mbedtls/base64.h>
#include <mbedtls/oid.h>
#include <mbedtls/sha256.h>

#include "http/date.h"
#include "net/addr.h"

#define DN_SIZE	   128
#define NAMES_SIZE 160

void hf_tls_fault(struct hf_tls_session *s, const char *fmt, ...)
{
	size_t room;
	va_list args;
	int n;

	if (s->fault_len > 0 && s->fault_len + 3 < sizeof(s->fault)) {
		memcpy(s->fault + s->fault_len, "; ", 3);
		s->fault_len += 2;
	}
	room = sizeof(s->fault) - s->fault_len;
	va_start(args, fmt);
	n = vsnprintf(s->fault + s->fault_len, room, fmt, args);
	va_end(args);
	if (n > 0)
		s->fault_len += (size_t)n < room ? (size_t)n : room - 1;
}

/* ---- texts ---- */

static const char *dn(const mbedtls_x509_name *name, char out[DN_SIZE])
{
	char *p;

	if (mbedtls_x509_dn_gets(out, DN_SIZE, name) < 0)
		snprintf(out, DN_SIZE, "(a long name)");
	for (p = out; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			*p = '?';
	return out;
}

static void append_name(char *out, const char *text, size_t len)
{
	size_t at = strlen(out);

	if (at + len + 3 > NAMES_SIZE)
		return;
	snprintf(out + at, NAMES_SIZE - at, "%s%.*s", at ? ", " : "", (int)len, text);
}

static void append_ip(char *out, const mbedtls_x509_buf *buf)
{
	struct hf_addr addr = { .family = buf->len == 4 ? HF_FAMILY_IPV4 : HF_FAMILY_IPV6 };
	char text[HF_ADDR_TEXT_SIZE];

	if (buf->len != 4 && buf->len != 16)
		return;
	memcpy(addr.ip, buf->p, buf->len);
	hf_addr_format_ip(&addr, text);
	append_name(out, text, strlen(text));
}

static unsigned san_type(const mbedtls_x509_sequence *san)
{
	return (unsigned)san->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
}

/* The names the certificate is for, as far as there is room. */
static const char *names(const mbedtls_x509_crt *crt, char out[NAMES_SIZE])
{
	const mbedtls_x509_sequence *san;
	const mbedtls_x509_name *name;
	char *p;

	out[0] = '\0';
	if (mbedtls_x509_crt_has_ext_type(crt, MBEDTLS_X509_EXT_SUBJECT_ALT_NAME)) {
		for (san = &crt->subject_alt_names; san; san = san->next) {
			if (san_type(san) == MBEDTLS_X509_SAN_DNS_NAME)
				append_name(out, (const char *)san->buf.p, san->buf.len);
			else if (san_type(san) == MBEDTLS_X509_SAN_IP_ADDRESS)
				append_ip(out, &san->buf);
		}
	} else {
		for (name = &crt->subject; name; name = name->next)
			if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) == 0)
				append_name(out, (const char *)name->val.p, name->val.len);
	}
	for (p = out; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			*p = '?';
	return out[0] ? out : "no name";
}

static void fault_dates(struct hf_tls_session *s, const mbedtls_x509_crt *crt, uint32_t flags)
{
	static const char *const trust[] = {
		[HF_CLOCK_UNSET] = "unset",
		[HF_CLOCK_RTC] = "rtc",
		[HF_CLOCK_SYNCED] = "synced",
	};
	bool future = flags & MBEDTLS_X509_BADCERT_FUTURE;
	const mbedtls_x509_time *t = future ? &crt->valid_from : &crt->valid_to;
	enum hf_clock_trust clock;
	char now[25], name[DN_SIZE];
	int64_t ms;

	clock = s->client->port->wall_ms(s->client->port, &ms);
	hf_rfc3339_format(ms, now);
	hf_tls_fault(s, "%s: %s %04d-%02d-%02d (now %.10s, clock: %s)", dn(&crt->subject, name),
		     future ? "not valid before" : "expired on", t->year, t->mon, t->day, now,
		     trust[clock]);
}

static void fault_trust(struct hf_tls_session *s, const mbedtls_x509_crt *crt)
{
	char name[DN_SIZE];

	if (crt->subject_raw.len == crt->issuer_raw.len &&
	    memcmp(crt->subject_raw.p, crt->issuer_raw.p, crt->issuer_raw.len) == 0)
		hf_tls_fault(s, "self-signed and not trusted: %s", dn(&crt->subject, name));
	else
		hf_tls_fault(s, "unknown issuer: %s", dn(&crt->issuer, name));
}

/* What Mbed TLS found, apart from what this file adds. */
static void fault_flags(struct hf_tls_session *s, const mbedtls_x509_crt *crt, uint32_t flags)
{
	char list[NAMES_SIZE], name[DN_SIZE];

	if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH)
		hf_tls_fault(s, "certificate is for %s, not for %s", names(crt, list),
			     s->client->server_name);
	if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
		fault_trust(s, crt);
	if (flags & (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE))
		fault_dates(s, crt, flags);
	if (flags & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
		     MBEDTLS_X509_BADCERT_BAD_KEY))
		hf_tls_fault(s, "key or signature too weak: %s", dn(&crt->subject, name));
	if (flags & (MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
		     MBEDTLS_X509_BADCERT_NS_CERT_TYPE))
		hf_tls_fault(s, "not meant for this use: %s", dn(&crt->subject, name));
}

/* ---- checks ---- */

static bool has_ip(const struct hf_tls_client *c, const mbedtls_x509_crt *crt)
{
	const mbedtls_x509_sequence *san;

	if (!mbedtls_x509_crt_has_ext_type(crt, MBEDTLS_X509_EXT_SUBJECT_ALT_NAME))
		return false;
	for (san = &crt->subject_alt_names; san; san = san->next)
		if (san_type(san) == MBEDTLS_X509_SAN_IP_ADDRESS && san->buf.len == c->ip_len &&
		    memcmp(san->buf.p, c->ip, c->ip_len) == 0)
			return true;
	return false;
}

static bool is_pinned(const struct hf_tls_client *c, const mbedtls_x509_crt *crt,
		      unsigned char hash[HF_TLS_PIN_BYTES])
{
	size_t i;

	if (mbedtls_sha256(crt->pk_raw.p, crt->pk_raw.len, hash, 0))
		return false;
	for (i = 0; i < c->pins_n; i++)
		if (memcmp(c->pins[i], hash, HF_TLS_PIN_BYTES) == 0)
			return true;
	return false;
}

static void check_pins(struct hf_tls_session *s, const mbedtls_x509_crt *crt, int depth,
		       uint32_t *flags)
{
	const struct hf_tls_client *c = s->client;
	unsigned char hash[HF_TLS_PIN_BYTES], text[48];
	size_t len = 0;

	if (is_pinned(c, crt, hash))
		s->anchored = true;
	else if (*flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
		s->anchored = false; /* whatever is above has not signed it */
	if (!c->has_trust)
		*flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_NOT_TRUSTED;
	if (depth > 0 || s->anchored)
		return;
	*flags |= MBEDTLS_X509_BADCERT_OTHER;
	mbedtls_base64_encode(text, sizeof(text), &len, hash, sizeof(hash));
	hf_tls_fault(s, "no pin matches, the server's is %.*s", (int)len, (const char *)text);
}

int hf_tls_verify(void *session, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	struct hf_tls_session *s = session;
	const struct hf_tls_client *c = s->client;

	if (!s->verified) {
		s->verified = true;
		s->anchored = false;
	}
	if (depth == 0 && c->name_is_ip && !has_ip(c, crt))
		*flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	if (c->pins_n > 0)
		check_pins(s, crt, depth, flags);
	fault_flags(s, crt, *flags);
	return 0;
}

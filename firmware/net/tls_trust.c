/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names are compared as Mbed TLS does when it links a chain: the kind of string
 * and the case of letters do not count. So the hash is over the folded name; a
 * collision costs one more parse, never trust.
 */
#include "net/tls_internal.h"
#include "net/tls_trust.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/pem.h>
#include <mbedtls/platform.h>

#define FILE_MAX (8u * 1024 * 1024)

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----";
static const char pem_end[] = "-----END CERTIFICATE-----";

/* ---- names ---- */

static uint64_t hash_byte(uint64_t h, unsigned char c)
{
	return (h ^ c) * UINT64_C(0x100000001b3); /* FNV-1a */
}

static unsigned char fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static uint64_t name_hash(const mbedtls_x509_name *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (; name; name = name->next) {
		for (i = 0; i < name->oid.len; i++)
			h = hash_byte(h, name->oid.p[i]);
		h = hash_byte(h, 0);
		for (i = 0; i < name->val.len; i++)
			h = hash_byte(h, fold(name->val.p[i]));
		h = hash_byte(h, 0);
	}
	return h;
}

/* ---- adding ---- */

static int grow(struct hf_tls_trust *t, size_t der_len)
{
	size_t cap = t->cap ? t->cap * 2 : 16;
	size_t der_cap = t->der_cap ? t->der_cap * 2 : 16384;
	struct hf_tls_trust_entry *entries;
	unsigned char *der;

	if (t->n == t->cap) {
		entries = realloc(t->entries, cap * sizeof(*entries));
		if (!entries)
			return HF_ENOMEM;
		t->entries = entries;
		t->cap = cap;
	}
	if (der_len <= t->der_cap - t->der_len)
		return 0;
	while (der_cap < t->der_len + der_len)
		der_cap *= 2;
	der = realloc(t->der, der_cap);
	if (!der)
		return HF_ENOMEM;
	t->der = der;
	t->der_cap = der_cap;
	return 0;
}

static bool contains(const struct hf_tls_trust *t, uint64_t subject, const unsigned char *der,
		     size_t len)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->entries[i].subject == subject && t->entries[i].len == len &&
		    memcmp(t->der + t->entries[i].offset, der, len) == 0)
			return true;
	return false;
}

static int add_parsed(struct hf_tls_trust *t, const mbedtls_x509_crt *crt)
{
	uint64_t subject = name_hash(&crt->subject);
	int err;

	if (contains(t, subject, crt->raw.p, crt->raw.len))
		return 0;
	err = grow(t, crt->raw.len);
	if (err)
		return err;
	memcpy(t->der + t->der_len, crt->raw.p, crt->raw.len);
	t->entries[t->n++] = (struct hf_tls_trust_entry){
		.subject = subject,
		.offset = (uint32_t)t->der_len,
		.len = (uint32_t)crt->raw.len,
	};
	t->der_len += crt->raw.len;
	return 0;
}

/* 0 also for a certificate that Mbed TLS cannot use (an unknown curve). */
static int add_der(struct hf_tls_trust *t, const unsigned char *der, size_t len, size_t *added)
{
	mbedtls_x509_crt crt;
	int ret, err = 0;

	mbedtls_x509_crt_init(&crt);
	ret = mbedtls_x509_crt_parse_der_nocopy(&crt, der, len);
	if (ret == 0) {
		(*added)++;
		err = add_parsed(t, &crt);
	} else if (hf_tls_is_nomem(ret)) {
		err = HF_ENOMEM;
	}
	mbedtls_x509_crt_free(&crt);
	return err;
}

/* @text is NUL-terminated, which Mbed TLS's PEM reader wants. */
static int add_pem(struct hf_tls_trust *t, const char *text, size_t *added)
{
	mbedtls_pem_context pem;
	size_t used, der_len;
	const unsigned char *der;
	int ret, err = 0;

	while (!err && (text = strstr(text, pem_begin)) != NULL) {
		mbedtls_pem_init(&pem);
		ret = mbedtls_pem_read_buffer(&pem, pem_begin, pem_end, (const unsigned char *)text,
					      NULL, 0, &used);
		if (hf_tls_is_nomem(ret)) {
			err = HF_ENOMEM;
		} else if (ret == 0) {
			der = mbedtls_pem_get_buffer(&pem, &der_len);
			err = add_der(t, der, der_len, added);
			text += used;
		} else {
			text += sizeof(pem_begin) - 1;
		}
		mbedtls_pem_free(&pem);
	}
	return err;
}

static int add_file(struct hf_tls_trust *t, struct hf_port *port, const char *path, size_t *added)
{
	size_t len;
	char *text;
	int err = port->file_read(port, path, FILE_MAX, &text, &len);

	if (err)
		return err;
	if (strstr(text, pem_begin))
		err = add_pem(t, text, added);
	else
		err = add_der(t, (const unsigned char *)text, len, added);
	free(text);
	return err;
}

static int add_ca_file(struct hf_tls_trust *t, struct hf_port *port, const char *path,
		       struct hf_buf *faults)
{
	size_t added = 0;
	int err = add_file(t, port, path, &added);

	if (err == HF_ENOMEM)
		return err;
	if (err) {
		(void)hf_buf_appendf(faults, "ca-file: cannot read %s: %s\n", path,
				     hf_strerror(err));
		return HF_ECONFIG;
	}
	if (added == 0) {
		(void)hf_buf_appendf(faults, "ca-file: no certificate in %s\n", path);
		return HF_ECONFIG;
	}
	return 0;
}

struct dir_reader {
	struct hf_tls_trust *trust;
	struct hf_port *port;
	size_t added;
};

static int each_file(void *user, const char *path)
{
	struct dir_reader *r = user;
	size_t len = strlen(path);
	int err;

	if (len < 4 || (strcmp(path + len - 4, ".pem") != 0 && strcmp(path + len - 4, ".crt") != 0))
		return 0;
	err = add_file(r->trust, r->port, path, &r->added);
	return err == HF_ENOMEM ? err : 0; /* one bad file does not spoil the rest */
}

static int add_ca_dir(struct hf_tls_trust *t, struct hf_port *port, const char *dir,
		      struct hf_buf *faults)
{
	struct dir_reader r = { .trust = t, .port = port };
	int err = port->dir_read(port, dir, each_file, &r);

	if (err == HF_ENOMEM)
		return err;
	if (err) {
		(void)hf_buf_appendf(faults, "ca-dir: cannot read %s: %s\n", dir, hf_strerror(err));
		return HF_ECONFIG;
	}
	if (r.added == 0) {
		(void)hf_buf_appendf(faults, "ca-dir: no certificate in a *.pem or *.crt of %s\n",
				     dir);
		return HF_ECONFIG;
	}
	return 0;
}

/* Gives back what the arrays have too much. */
static void trim(struct hf_tls_trust *t)
{
	unsigned char *der = t->der_len ? realloc(t->der, t->der_len) : NULL;
	struct hf_tls_trust_entry *entries = t->n ? realloc(t->entries, t->n * sizeof(*entries)) :
						    NULL;

	if (der) {
		t->der = der;
		t->der_cap = t->der_len;
	}
	if (entries) {
		t->entries = entries;
		t->cap = t->n;
	}
}

/* ---- sharing ---- */

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static struct hf_tls_trust *find_shared(struct hf_list *shared, const char *file, const char *dir)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, shared) {
		struct hf_tls_trust *t = hf_container_of(it, struct hf_tls_trust, link);

		if (same(t->file, file) && same(t->dir, dir))
			return t;
	}
	return NULL;
}

static int fill(struct hf_tls_trust *t, const char *file, const char *dir, struct hf_port *port,
		struct hf_buf *faults)
{
	int err = 0;

	if (file) {
		t->file = hf_span_dup(hf_span_str(file));
		err = t->file ? add_ca_file(t, port, file, faults) : HF_ENOMEM;
	}
	if (!err && dir) {
		t->dir = hf_span_dup(hf_span_str(dir));
		err = t->dir ? add_ca_dir(t, port, dir, faults) : HF_ENOMEM;
	}
	trim(t);
	return err;
}

int hf_tls_trust_get(const char *file, const char *dir, struct hf_list *shared,
		     struct hf_port *port, struct hf_buf *faults, struct hf_tls_trust **out)
{
	struct hf_tls_trust *t = shared ? find_shared(shared, file, dir) : NULL;
	int err;

	if (t) {
		t->users++;
		*out = t;
		return 0;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return HF_ENOMEM;
	t->users = 1;
	hf_list_init(&t->link);
	err = fill(t, file, dir, port, faults);
	if (err) {
		hf_tls_trust_put(t);
		return err;
	}
	if (shared)
		hf_list_push(shared, &t->link);
	*out = t;
	return 0;
}

void hf_tls_trust_put(struct hf_tls_trust *t)
{
	if (!t)
		return;
	assert(t->users > 0);
	if (--t->users > 0)
		return;
	hf_list_remove(&t->link);
	free(t->file);
	free(t->dir);
	free(t->der);
	free(t->entries);
	free(t);
}

/* ---- finding ---- */

/* Behind the last of @list; Mbed TLS frees the head with mbedtls_free. */
static int append(mbedtls_x509_crt **list, const unsigned char *der, size_t len)
{
	mbedtls_x509_crt *crt;
	int ret;

	if (*list)
		return mbedtls_x509_crt_parse_der_nocopy(*list, der, len);
	crt = mbedtls_calloc(1, sizeof(*crt));
	if (!crt)
		return MBEDTLS_ERR_X509_ALLOC_FAILED;
	mbedtls_x509_crt_init(crt);
	ret = mbedtls_x509_crt_parse_der_nocopy(crt, der, len);
	if (ret) {
		mbedtls_x509_crt_free(crt);
		mbedtls_free(crt);
		return ret;
	}
	*list = crt;
	return 0;
}

int hf_tls_trust_find(void *trust, mbedtls_x509_crt const *child, mbedtls_x509_crt **candidates)
{
	const struct hf_tls_trust *t = trust;
	uint64_t issuer = name_hash(&child->issuer);
	size_t i;

	*candidates = NULL;
	for (i = 0; i < t->n; i++) {
		if (t->entries[i].subject != issuer)
			continue;
		if (append(candidates, t->der + t->entries[i].offset, t->entries[i].len) ==
		    MBEDTLS_ERR_X509_ALLOC_FAILED) {
			if (*candidates) {
				mbedtls_x509_crt_free(*candidates);
				mbedtls_free(*candidates);
			}
			*candidates = NULL;
			return MBEDTLS_ERR_X509_ALLOC_FAILED;
		}
	}
	return 0;
}

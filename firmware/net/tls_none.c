/* SPDX-License-Identifier: Apache-2.0 */
/* A build without TLS: an https origin is a fault of the configuration. */
#include "net/tls.h"

#include <assert.h>

int hf_tls_client_create(const struct hf_tls_client_options *opt, struct hf_buf *faults,
			 struct hf_tls_client **out)
{
	(void)opt;
	(void)out;
	(void)hf_buf_append_str(faults, "this build has no TLS (CONFIG_HF_TLS)\n");
	return HF_ECONFIG;
}

void hf_tls_client_destroy(struct hf_tls_client *c)
{
	assert(!c);
}

bool hf_tls_client_renew(struct hf_tls_client *c)
{
	(void)c;
	return false;
}

int hf_tls_check_pair(struct hf_port *port, const char *cert_file, const char *key_file,
		      struct hf_buf *faults)
{
	(void)port;
	(void)cert_file;
	(void)key_file;
	(void)faults;
	return 0;
}

int hf_tls_session_create(struct hf_tls_client *c, const struct hf_tls_bio *bio,
			  struct hf_tls_session **out)
{
	(void)c;
	(void)bio;
	(void)out;
	return HF_ENOTSUP;
}

void hf_tls_session_destroy(struct hf_tls_session *s)
{
	assert(!s);
}

int hf_tls_session_handshake(struct hf_tls_session *s)
{
	(void)s;
	return HF_ENOTSUP;
}

ptrdiff_t hf_tls_session_read(struct hf_tls_session *s, void *data, size_t len)
{
	(void)s;
	(void)data;
	(void)len;
	return HF_ENOTSUP;
}

ptrdiff_t hf_tls_session_write(struct hf_tls_session *s, const void *data, size_t len)
{
	(void)s;
	(void)data;
	(void)len;
	return HF_ENOTSUP;
}

int hf_tls_session_close_notify(struct hf_tls_session *s)
{
	(void)s;
	return HF_ENOTSUP;
}

const char *hf_tls_session_error(const struct hf_tls_session *s)
{
	(void)s;
	return "";
}

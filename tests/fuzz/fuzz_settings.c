/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast.conf; what stands behind a NUL byte, if there is one, is every other
 * file it names. Checked: it is taken without a fault or refused with one;
 * faults are whole lines without control bytes; what was taken answers
 * questions.
 */
#include <assert.h>
#include <stdlib.h>

#include "agent/settings.h"
#include "holdfast/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_port {
	struct hf_port port; /* first */
	struct hf_span conf, other;
};

static int file_read(struct hf_port *port, const char *path, size_t max, char **out, size_t *len)
{
	struct fuzz_port *f = (struct fuzz_port *)port;
	struct hf_span text = strcmp(path, "/c/holdfast.conf") == 0 ? f->conf : f->other;

	if (strstr(path, "gone"))
		return HF_ENOENT;
	if (text.len > max)
		return HF_ETOOBIG;
	*out = malloc(text.len + 1);
	if (!*out)
		return HF_ENOMEM;
	if (text.len > 0)
		memcpy(*out, text.ptr, text.len);
	(*out)[text.len] = '\0';
	*len = text.len;
	return 0;
}

static int dir_read(struct hf_port *port, const char *dir,
		    int (*each)(void *user, const char *path), void *user)
{
	(void)port;
	return strstr(dir, "gone") ? HF_ENOENT : each(user, "/c/x.pem");
}

static void check_faults(struct hf_buf *faults)
{
	struct hf_span rest = hf_buf_span(faults);

	assert(rest.len > 0 && rest.ptr[rest.len - 1] == '\n');
	for (size_t i = 0; i < rest.len; i++)
		assert((unsigned char)rest.ptr[i] >= 0x20 || rest.ptr[i] == '\n');
}

static void check_settings(const struct hf_settings *s)
{
	const char *hosts[] = { "localhost", "127.0.0.1", "::1", "shop.localhost", "10.0.0.1", "" };

	assert(s->origins_n > 0 && s->listen_n > 0);
	assert(s->control && hf_settings_state_dir(s));
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		int n = hf_settings_origin_by_host(s, hf_span_str(hosts[i]));

		assert(n >= -1 && n < (int)s->origins_n);
	}
	for (size_t i = 0; i < s->origins_n; i++) {
		assert(s->origins[i].name && s->origins[i].url.host.len > 0);
		(void)hf_settings_worker(s, (unsigned)i, HF_SPAN("/a/../b"));
	}
	for (size_t i = 0; i < s->workers_n; i++) {
		assert(s->workers[i].origin < s->origins_n);
		assert(s->workers[i].scope && s->workers[i].manifest);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, 0, size) : NULL;
	size_t n = end ? (size_t)(end - data) : size;
	struct fuzz_port f = {
		.port = { .file_read = file_read, .dir_read = dir_read },
		.conf = hf_span(data, n),
		.other = end ? hf_span(end + 1, size - n - 1) : HF_SPAN("{}"),
	};
	struct hf_settings *s;
	struct hf_buf faults;
	int err;

	hf_buf_init(&faults, 1024 * 1024);
	err = hf_settings_load(&f.port, "/c/holdfast.conf", &s, &faults);
	assert(err == 0 || err == HF_ECONFIG || err == HF_ETOOBIG);
	if (err)
		check_faults(&faults);
	else
		check_settings(s);
	hf_settings_destroy(s);
	hf_buf_finish(&faults);
	return 0;
}

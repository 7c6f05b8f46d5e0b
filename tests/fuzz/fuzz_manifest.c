/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker manifest. Checked: it is taken without a fault or refused with one;
 * faults are whole lines without control bytes; the strict reader and cJSON
 * agree (asserted by the reader itself); a manifest that was taken can be
 * matched against.
 */
#include <assert.h>
#include <stdlib.h>

#include "holdfast/err.h"
#include "worker/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_faults(struct hf_buf *faults)
{
	struct hf_span rest = hf_buf_span(faults);

	assert(rest.len > 0 && rest.ptr[rest.len - 1] == '\n');
	rest.len--;
	while (rest.ptr) {
		struct hf_span line = hf_span_cut(&rest, '\n');

		assert(hf_span_starts(line, HF_SPAN("m.json")));
		for (size_t i = 0; i < line.len; i++)
			assert((unsigned char)line.ptr[i] >= 0x20 && line.ptr[i] != 0x7f);
	}
}

static void check_matching(const struct hf_manifest *m)
{
	static const char *const methods[] = { "GET", "POST", "PURGE" };
	static const char *const paths[] = { "/", "/api/orders", "/a/%2e%2e/b", "/%zz//../x" };

	for (size_t i = 0; i < 12; i++) {
		struct hf_match_request req = {
			.method = hf_span_str(methods[i % 3]),
			.path = hf_span_str(paths[i % 4]),
			.query = i % 2 ? HF_SPAN("a=1") : hf_span(NULL, 0),
			.mode = HF_SPAN("navigate"),
			.destination = HF_SPAN("document"),
		};
		const struct hf_route *r = hf_manifest_match_request(m, &req);

		assert(!r || (r >= m->routes && r < m->routes + m->routes_n));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_manifest *m;
	struct hf_buf faults;
	int err;

	hf_buf_init(&faults, 1024 * 1024);
	err = hf_manifest_parse(hf_span(data, size), "m.json", HF_SPAN("/app/"), &faults, &m);
	assert(err == 0 || err == HF_ECONFIG);
	if (err) {
		check_faults(&faults);
	} else {
		assert(faults.len == 0);
		check_matching(m);
	}
	hf_manifest_destroy(m);
	hf_buf_finish(&faults);
	return 0;
}

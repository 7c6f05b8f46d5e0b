/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "holdfast/err.h"
#include "http/sse.h"

static void assert_event(struct hf_span event, struct hf_span id, struct hf_span data,
			 const char *text)
{
	struct hf_buf out;

	hf_buf_init(&out, SIZE_MAX);
	assert_int_equal(hf_sse_write(&out, event, id, data), 0);
	assert_string_equal(hf_buf_cstr(&out), text);
	hf_buf_finish(&out);
}

static void writes_event_id_and_data(void **state)
{
	(void)state;
	assert_event(HF_SPAN("settled"), HF_SPAN("17"), HF_SPAN("{\"a\":1}"),
		     "event: settled\nid: 17\ndata: {\"a\":1}\n\n");
}

static void leaves_out_what_is_empty_but_the_data(void **state)
{
	(void)state;
	assert_event(HF_SPAN(""), HF_SPAN(""), HF_SPAN(""), "data: \n\n");
}

static void splits_data_at_every_kind_of_line_break(void **state)
{
	(void)state;
	assert_event(HF_SPAN(""), HF_SPAN(""), HF_SPAN("a\nb\rc\r\nd\n\ne"),
		     "data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\n\n");
	assert_event(HF_SPAN(""), HF_SPAN(""), HF_SPAN("a\n"), "data: a\ndata: \n\n");
}

static void refuses_line_breaks_in_event_and_id(void **state)
{
	struct hf_buf out;

	(void)state;
	hf_buf_init(&out, SIZE_MAX);
	assert_int_equal(hf_sse_write(&out, HF_SPAN("a\nb"), HF_SPAN(""), HF_SPAN("")), HF_EINVAL);
	assert_int_equal(hf_sse_write(&out, HF_SPAN(""), HF_SPAN("a\rb"), HF_SPAN("")), HF_EINVAL);
	assert_int_equal(hf_sse_write(&out, HF_SPAN(""), HF_SPAN("a\0"), HF_SPAN("")), HF_EINVAL);
	assert_int_equal(out.len, 0);
	hf_buf_finish(&out);
}

static void appends_nothing_at_any_ceiling(void **state)
{
	struct hf_buf out;
	int err = HF_ELIMIT;
	size_t max;

	(void)state;
	for (max = 0; err; max++) {
		hf_buf_init(&out, max);
		err = hf_sse_write(&out, HF_SPAN("e"), HF_SPAN("i"), HF_SPAN("a\nb"));
		assert_true(err == 0 || (err == HF_ELIMIT && out.len == 0));
		hf_buf_finish(&out);
	}
	assert_int_equal(max - 1, strlen("event: e\nid: i\ndata: a\ndata: b\n\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_event_id_and_data),
		cmocka_unit_test(leaves_out_what_is_empty_but_the_data),
		cmocka_unit_test(splits_data_at_every_kind_of_line_break),
		cmocka_unit_test(refuses_line_breaks_in_event_and_id),
		cmocka_unit_test(appends_nothing_at_any_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

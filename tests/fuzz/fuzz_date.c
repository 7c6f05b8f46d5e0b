/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP date. Checked: what is taken is written and read again as the same
 * second. */
#include <assert.h>

#include "http/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[HF_HTTP_DATE_LEN + 1];
	int64_t unix_s, again;

	if (hf_http_date_parse(hf_span(data, size), &unix_s))
		return 0;
	if (unix_s < 0 || unix_s > INT64_C(253402300799)) /* years that are not written */
		return 0;
	hf_http_date_format(unix_s, text);
	assert(!hf_http_date_parse(hf_span(text, HF_HTTP_DATE_LEN), &again));
	assert(again == unix_s);
	return 0;
}

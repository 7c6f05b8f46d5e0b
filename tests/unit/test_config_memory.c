/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the configuration while memory runs out, at every allocation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "agent/settings.h"
#include "holdfast/err.h"
#include "wrap_alloc.h"

#define DATA "tests/data/config"

static long left = -1; /* allocations until one fails; -1: none does */
static bool once;      /* only that one, else all behind it too */

static bool alloc_fails(void)
{
	if (left < 0)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	if (once)
		left = -1;
	return true;
}

static int file_read(struct hf_port *port, const char *path, size_t max, char **out, size_t *len)
{
	static char text[16 * 1024];
	FILE *f = fopen(path, "rb");

	(void)port;
	if (!f)
		return HF_ENOENT;
	setvbuf(f, NULL, _IONBF, 0);
	*len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	assert_true(*len <= max);
	*out = malloc(*len + 1);
	if (!*out)
		return HF_ENOMEM;
	memcpy(*out, text, *len);
	(*out)[*len] = '\0';
	return 0;
}

static struct hf_port port = { .file_read = file_read };

/* Fails the n-th allocation, for every n, until there is none left to fail. */
static void run_out(const char *path, int expected)
{
	for (long n = 0; n < 5000; n++) {
		struct hf_settings *s = NULL;
		struct hf_buf faults;
		int err;

		hf_buf_init(&faults, 256 * 1024);
		left = n;
		err = hf_settings_load(&port, path, &s, &faults);
		left = -1;
		hf_buf_finish(&faults);
		assert_true((err == 0) == (s != NULL));
		hf_settings_destroy(s);
		if (err == expected)
			return;
		assert_int_equal(err, HF_ENOMEM);
	}
	fail_msg("%s: still out of memory", path);
}

static void good_files_are_never_half_read(void **state)
{
	(void)state;
	once = false;
	run_out(DATA "/good/holdfast.conf", 0);
	once = true;
	run_out(DATA "/good/holdfast.conf", 0);
}

static void bad_files_are_never_taken(void **state)
{
	(void)state;
	once = false;
	run_out(DATA "/bad/holdfast.conf", HF_ECONFIG);
	once = true;
	run_out(DATA "/bad/holdfast.conf", HF_ECONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files_are_never_half_read),
		cmocka_unit_test(bad_files_are_never_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

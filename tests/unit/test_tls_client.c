/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that share what they trust. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_alloc.h"
#include "holdfast/err.h"
#include "lib/fake_net.h"
#include "net/tls.h"

static const char ca_pem[] = "-----BEGIN CERTIFICATE-----\n"
			     "MIIBjTCCATOgAwIBAgIUKWp5FcHJCDY1/Cz2DTmYwVE2bTUwCgYIKoZIzj0EAwIw\n"
			     "GzEZMBcGA1UEAwwQSG9sZGZhc3QgdGVzdCBDQTAgFw0yNjExMjEwNzM4MDJaGA8y\n"
			     "MTI2MTAyODA3MzgwMlowGzEZMBcGA1UEAwwQSG9sZGZhc3QgdGVzdCBDQTBZMBMG\n"
			     "ByqGSM49AgEGCCqGSM49AwEHA0IABKzWUJ5MrngVVPoEQ8X8XZFeKEerUYFqsOTL\n"
			     "Dk8SlQXXYFDwKFyEYu7OPjr5d9NqYxZSo07bnLZdwoRRtIqq7T+jUzBRMB0GA1Ud\n"
			     "DgQWBBTe8ZTBi/zpYZEzz7Ym3Aj26zbbBDAfBgNVHSMEGDAWgBTe8ZTBi/zpYZEz\n"
			     "z7Ym3Aj26zbbBDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCF\n"
			     "DvGPganQri1DmCM9WPoVE/emaHrGKY8HkWMCGM2rWwIgT+UzWr7kMUFGQkPzjSd0\n"
			     "qiZkZwDuyWfJKk0xiS38wU8=\n"
			     "-----END CERTIFICATE-----\n";

static struct fake_net net;
static struct hf_list trusts;
static unsigned files_read;
static const char *file_text;

static int file_read(struct hf_port *port, const char *path, size_t max, char **out, size_t *len)
{
	(void)port;
	(void)path;
	files_read++;
	*len = strlen(file_text);
	assert_true(*len <= max);
	*out = hf_span_dup(hf_span_str(file_text));
	return *out ? 0 : HF_ENOMEM;
}

static int dir_read(struct hf_port *port, const char *dir,
		    int (*each)(void *user, const char *path), void *user)
{
	(void)port;
	(void)dir;
	return each(user, "a.pem");
}

static int set_up(void **state)
{
	(void)state;
	fake_net_init(&net);
	net.port.file_read = file_read;
	net.port.dir_read = dir_read;
	hf_list_init(&trusts);
	files_read = 0;
	file_text = ca_pem;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_net_finish(&net);
	return 0;
}

static int create(const char *ca_file, const char *ca_dir, struct hf_list *list,
		  struct hf_tls_client **out)
{
	struct hf_tls_client_options opt = {
		.port = &net.port,
		.log = &net.log,
		.server_name = "shop.example",
		.ca_file = ca_file,
		.ca_dir = ca_dir,
		.trusts = list,
	};
	struct hf_buf faults;
	int err;

	hf_buf_init(&faults, 4096);
	err = hf_tls_client_create(&opt, &faults, out);
	hf_buf_finish(&faults);
	return err;
}

static void reads_the_same_anchors_once(void **state)
{
	struct hf_tls_client *c[4];

	(void)state;
	assert_int_equal(create("/a.pem", NULL, &trusts, &c[0]), 0);
	assert_int_equal(create("/a.pem", NULL, &trusts, &c[1]), 0);
	assert_int_equal(files_read, 1);
	assert_int_equal(create("/b.pem", NULL, &trusts, &c[2]), 0);
	assert_int_equal(files_read, 2);
	assert_int_equal(create("/a.pem", "/certs", &trusts, &c[3]), 0);
	assert_int_equal(files_read, 4);
	for (size_t i = 0; i < 4; i++)
		hf_tls_client_destroy(c[i]);
}

/* Want of memory is not taken for a fault of the file. */
static void without_memory_it_says_so(void **state)
{
	struct hf_tls_client *c;
	int err = HF_ENOMEM;

	(void)state;
	for (int n = 0; err; n++) {
		alloc_countdown = n;
		err = create("/a.pem", NULL, NULL, &c);
		alloc_countdown = -1;
		if (err)
			assert_int_equal(err, HF_ENOMEM);
	}
	hf_tls_client_destroy(c);
}

static void keeps_anchors_while_a_client_is_left(void **state)
{
	struct hf_tls_client *a, *b;

	(void)state;
	assert_int_equal(create(NULL, "/certs", &trusts, &a), 0);
	assert_int_equal(create(NULL, "/certs", &trusts, &b), 0);
	hf_tls_client_destroy(a);
	assert_false(hf_list_empty(&trusts));
	assert_int_equal(create(NULL, "/certs", &trusts, &a), 0);
	assert_int_equal(files_read, 1);
	hf_tls_client_destroy(b);
	hf_tls_client_destroy(a);
	assert_true(hf_list_empty(&trusts));
	assert_int_equal(create(NULL, "/certs", &trusts, &a), 0);
	assert_int_equal(files_read, 2);
	hf_tls_client_destroy(a);
}

static void does_not_share_what_could_not_be_read(void **state)
{
	struct hf_tls_client *c;

	(void)state;
	file_text = "no certificate";
	assert_int_equal(create("/a.pem", NULL, &trusts, &c), HF_ECONFIG);
	assert_true(hf_list_empty(&trusts));
	file_text = ca_pem;
	assert_int_equal(create("/a.pem", NULL, &trusts, &c), 0);
	hf_tls_client_destroy(c);
}

static void shares_nothing_without_a_list(void **state)
{
	struct hf_tls_client *a, *b;

	(void)state;
	assert_int_equal(create("/a.pem", NULL, NULL, &a), 0);
	assert_int_equal(create("/a.pem", NULL, NULL, &b), 0);
	assert_int_equal(files_read, 2);
	hf_tls_client_destroy(a);
	hf_tls_client_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_the_same_anchors_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_memory_it_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keeps_anchors_while_a_client_is_left, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(does_not_share_what_could_not_be_read, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(shares_nothing_without_a_list, set_up, tear_down),
	};

	if (!IS_ENABLED(CONFIG_HF_TLS))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

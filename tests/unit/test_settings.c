/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast.conf: what is read, and what has a default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "agent/settings.h"
#include "agent/settings_value.h"
#include "holdfast/err.h"
#include "lib/settings_files.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FAULTS_MAX   (256 * 1024)

static struct hf_settings *load_path(const char *path)
{
	struct hf_settings *s = NULL;
	struct hf_buf faults;
	int err;

	hf_buf_init(&faults, FAULTS_MAX);
	err = hf_settings_load(&settings_port, path, &s, &faults);
	if (err)
		fail_msg("%s:\n%s", hf_errname(err), hf_buf_cstr(&faults));
	assert_int_equal(faults.len, 0);
	hf_buf_finish(&faults);
	return s;
}

static struct hf_settings *load(const char *text)
{
	settings_conf = text;
	return load_path("/etc/holdfast.conf");
}

/* ---- reading ---- */

static void reads_the_sample(void **state)
{
	struct hf_settings *s = load_path(DATA "/good/holdfast.conf");

	(void)state;
	assert_int_equal(s->listen_n, 2);
	assert_int_equal(s->listen[1].family, HF_FAMILY_IPV6);
	assert_int_equal(s->listen[1].port, 8480);
	assert_string_equal(hf_settings_state_dir(s), "/var/lib/holdfast");
	assert_int_equal(s->log_level, HF_LOG_DEBUG);
	assert_int_equal(s->origins_n, 2);
	assert_string_equal(s->origins[0].name, "shop");
	assert_true(hf_span_eq_str(s->origins[0].url.host, "shop.example"));
	assert_int_equal(s->origins[0].url.port, 443);
	assert_string_equal(s->origins[0].ca_file, DATA "/good/ca.pem");
	assert_int_equal(s->origins[0].pins_n, 1);
	assert_string_equal(s->origins[0].probe, "/healthz");
	assert_int_equal(s->origins[0].connect_timeout_ms, CONFIG_HF_CONNECT_TIMEOUT_MS);
	assert_int_equal(s->origins[1].connect_timeout_ms, 2000);
	assert_int_equal(s->origins[1].first_byte_timeout_ms, 4000);
	assert_int_equal(s->origins[0].replay_interval_ms, 0);
	assert_int_equal(s->origins[1].replay_interval_ms, 50);
	assert_int_equal(s->origins[1].replay_burst, 5);
	assert_int_equal(s->origins[1].line, 14);
	assert_int_equal(s->workers_n, 2);
	assert_string_equal(s->workers[0].scope, "/");
	assert_int_equal(s->workers[0].manifest->routes_n, 3);
	assert_string_equal(s->probe_url_text, "http://connectivity.example/generate_204");
	assert_int_equal(s->probe_status, 204);
	hf_settings_destroy(s);
}

static void one_origin_is_enough(void **state)
{
	struct hf_settings *s = load("\xef\xbb\xbf; a comment\r\n[origin a]\r\nurl=http://h\r\n");

	(void)state;
	assert_int_equal(s->listen_n, 1);
	assert_int_equal(s->listen[0].port, 8480);
	assert_true(hf_ip_is_loopback(&s->listen[0]));
	assert_string_equal(s->control, "/run/holdfast/control.sock");
	assert_string_equal(s->state_dir, "/var/lib/holdfast");
	assert_int_equal(s->log_level, CONFIG_HF_LOG_LEVEL_DEFAULT);
	assert_false(s->allow_remote);
	assert_int_equal(s->metered, HF_METERED_AUTO);
	assert_string_equal(s->ignore_links, "docker*, br-????????????, veth*, virbr*");
	assert_null(s->probe_url_text);
	assert_null(s->origins[0].host);
	hf_settings_destroy(s);
	hf_settings_destroy(NULL);
}

static void paths_are_relative_to_the_file(void **state)
{
	struct hf_settings *s = load("[agent]\ncontrol = c.sock\nstate-dir = state//\n"
				     "[origin a]\nurl = http://h\n"
				     "[worker w]\norigin = a\nmanifest = m.json\n");

	(void)state;
	assert_string_equal(s->control, "/etc/c.sock");
	assert_string_equal(s->state_dir, "/etc/state");
	assert_string_equal(s->workers[0].manifest_path, "/etc/m.json");
	hf_settings_destroy(s);
}

static void localhost_listens_on_both_families(void **state)
{
	struct hf_settings *s = load("[agent]\nlisten = localhost:0\n[origin a]\nurl = http://h\n");

	(void)state;
	assert_int_equal(s->listen_n, 2);
	assert_int_equal(s->listen[0].family, HF_FAMILY_IPV4);
	assert_int_equal(s->listen[1].family, HF_FAMILY_IPV6);
	hf_settings_destroy(s);
}

/* ---- questions ---- */

static int origin(const struct hf_settings *s, const char *host)
{
	return hf_settings_origin_by_host(s, hf_span_str(host));
}

static void an_origin_is_found_by_its_host(void **state)
{
	struct hf_settings *s = load_path(DATA "/good/holdfast.conf");

	(void)state;
	assert_int_equal(origin(s, "shop.localhost"), 0);
	assert_int_equal(origin(s, "MENU.localhost"), 1);
	assert_int_equal(origin(s, "menu.localhost."), 1);
	assert_int_equal(origin(s, "localhost"), 0);
	assert_int_equal(origin(s, "127.0.0.1"), 0);
	assert_int_equal(origin(s, "127.8.8.8"), 0);
	assert_int_equal(origin(s, "::1"), 0);
	assert_int_equal(origin(s, "[::1]"), 0);
	assert_int_equal(origin(s, "::ffff:127.0.0.1"), 0);
	assert_int_equal(origin(s, "192.168.1.5"), -1);
	assert_int_equal(origin(s, "rebound.example"), -1);
	assert_int_equal(origin(s, "127.0.0.1.rebound.example"), -1);
	assert_int_equal(origin(s, ""), -1);
	assert_int_equal(origin(s, "."), -1);
	hf_settings_destroy(s);
}

static void a_listen_address_is_the_first_origin(void **state)
{
	struct hf_settings *s = load("[agent]\nallow-remote = yes\nlisten = 192.168.1.5:80\n"
				     "[origin a]\nurl = http://h\n");

	(void)state;
	assert_int_equal(origin(s, "192.168.1.5"), 0);
	assert_int_equal(origin(s, "192.168.1.6"), -1);
	hf_settings_destroy(s);
	s = load("[agent]\nallow-remote = yes\nlisten = 0.0.0.0:80\n[origin a]\nurl = http://h\n");
	assert_int_equal(origin(s, "192.168.1.6"), 0);
	assert_int_equal(origin(s, "rebound.example"), -1);
	hf_settings_destroy(s);
}

static const char *worker(const struct hf_settings *s, unsigned n, const char *path)
{
	const struct hf_worker_settings *w = hf_settings_worker(s, n, hf_span_str(path));

	return w ? w->name : "none";
}

static void the_longest_scope_wins(void **state)
{
	struct hf_settings *s = load_path(DATA "/good/holdfast.conf");

	(void)state;
	assert_string_equal(worker(s, 0, "/"), "kiosk");
	assert_string_equal(worker(s, 0, "/till/1"), "till");
	assert_string_equal(worker(s, 0, "/till"), "kiosk");
	assert_string_equal(worker(s, 0, "/a/../till/1"), "till");
	assert_string_equal(worker(s, 0, "/till/%2e%2e/a"), "kiosk");
	assert_string_equal(worker(s, 1, "/till/1"), "none");
	hf_settings_destroy(s);
}

/* ---- addresses ---- */

static void reads_address_literals(void **state)
{
	static const char *const good[] = {
		"0.0.0.0",
		"255.255.255.255",
		"::",
		"::1",
		"1::",
		"2001:db8::8:800:200c:417a",
		"1:2:3:4:5:6:7:8",
		"::ffff:1.2.3.4",
		"1:2:3:4:5:6:1.2.3.4",
		"FE80::1",
		"1:2:3:4:5:6:7::",
	};
	static const char *const wrong[] = {
		"",
		"1.2.3",
		"1.2.3.4.5",
		"256.1.1.1",
		"01.2.3.4",
		"1.2.3.4 ",
		"1..2.3",
		"1.2.3.4.",
		":",
		":::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1::2::3",
		"12345::",
		"g::",
		"::1.2.3",
		"1.2.3.4::",
		"::1%eth0",
		"1:2:3:4:5:6:7:8::",
		"1:",
		":1",
		"+1.2.3.4",
		"1:2:3:4:5:6:7:1.2.3.4",
	};
	struct hf_addr addr;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (hf_ip_parse(hf_span_str(good[i]), &addr) != 0)
			fail_msg("%s is refused", good[i]);
	}
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (hf_ip_parse(hf_span_str(wrong[i]), &addr) == 0)
			fail_msg("%s is taken", wrong[i]);
	}
	assert_int_equal(hf_ip_parse(HF_SPAN("2001:db8::8:800:200c:417a"), &addr), 0);
	assert_memory_equal(addr.ip,
			    "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x08\x08\x00\x20\x0c\x41\x7a", 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_sample),
		cmocka_unit_test(one_origin_is_enough),
		cmocka_unit_test(paths_are_relative_to_the_file),
		cmocka_unit_test(localhost_listens_on_both_families),
		cmocka_unit_test(an_origin_is_found_by_its_host),
		cmocka_unit_test(a_listen_address_is_the_first_origin),
		cmocka_unit_test(the_longest_scope_wins),
		cmocka_unit_test(reads_address_literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

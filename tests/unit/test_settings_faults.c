/* SPDX-License-Identifier: Apache-2.0 */
/* Each fault of holdfast.conf with its file and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "agent/settings.h"
#include "holdfast/err.h"
#include "lib/settings_files.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FAULTS_MAX   (256 * 1024)

static void expect(const char *path, int expected_err, const char *expected)
{
	struct hf_settings *s = NULL;
	struct hf_buf faults;
	int err;

	hf_buf_init(&faults, FAULTS_MAX);
	err = hf_settings_load(&settings_port, path, &s, &faults);
	if (err != expected_err)
		fail_msg("%s for %s", hf_errname(err), settings_conf);
	assert_null(s);
	assert_string_equal(hf_buf_cstr(&faults), expected);
	hf_buf_finish(&faults);
}

#define ORIGIN		  "[origin a]\nurl = http://h\n"
#define AGENT(line)	  ORIGIN "[agent]\n" line "\n"
#define HTTP(line)	  "[origin a]\nurl = http://h\n" line "\n"
#define HTTPS(line)	  "[origin a]\nurl = https://h\n" line "\n"
#define URL(url)	  "[origin a]\nurl = " url "\n"
#define WORKER(lines)	  ORIGIN "[worker w]\n" lines "\n"
#define CREDENTIAL(lines) ORIGIN "[credential c]\n" lines "\n"
#define AT		  "/etc/holdfast.conf:"

static const struct {
	const char *text, *faults;
} bad[] = {
	/* lines and sections */
	{ "", "/etc/holdfast.conf: there is no [origin NAME] with a url\n" },
	{ "url = http://h\n" ORIGIN, AT "1: key \"url\" before the first [section]\n" },
	{ ORIGIN "junk\n", AT "3: neither [section] nor key = value nor a comment\n" },
	{ ORIGIN "= 1\n", AT "3: [origin a]: unknown key \"\"\n" },
	{ "[origin a\nurl = http://h\n", AT "1: \"]\" is missing\n" },
	{ "[origin a] b\nurl = http://h\n", AT "1: text behind \"]\"\n" },
	{ "[origin]\nurl = http://h\n", AT "1: a name is missing: [origin NAME]\n" },
	{ "[origin a b]\nurl = http://h\n",
	  AT "1: \"a b\" is not a name: letters, digits, \"-\", \"_\" and \".\"\n" },
	{ "[origin 0123456789012345678901234567890123456789012]\n",
	  AT "1: the section's name is too long\n" },
	{ ORIGIN "[agent x]\n", AT "3: [agent] has no name; write [agent]\n" },
	{ ORIGIN "[origins b]\nurl = x\n",
	  AT "3: unknown section \"origins\" (did you mean \"origin\"?)\n" },
	{ ORIGIN "[network]\nx = y\n",
	  AT "3: unknown section \"network\"; there are [agent], [origin "
	     "NAME], [worker NAME], [probe], [credential NAME]\n" },
	{ ORIGIN ORIGIN, AT "3: [origin a] stands twice; first in line 1\n" },
	{ ORIGIN "[]\n",
	  AT "3: unknown section \"\"; there are [agent], [origin NAME], [worker NAME], "
	     "[probe], [credential NAME]\n" },
	{ ORIGIN "pro\x01"
		 "be = /\n",
	  AT "3: a control byte\n" },
	/* keys */
	{ HTTP("hsot = x"), AT "3: [origin a]: unknown key \"hsot\" (did you mean \"host\"?)\n" },
	{ HTTP("listen = x"), AT "3: [origin a]: unknown key \"listen\"; it belongs to [agent]\n" },
	{ HTTP("probe = /a\nprobe = /b"),
	  AT "4: [origin a] probe: stands twice; first in line 3\n" },
	{ HTTP("probe ="), AT "3: [origin a] probe: has no value\n" },
	{ HTTP("probe = ; /a"), AT "3: [origin a] probe: has no value\n" },
	{ HTTP("probe = /a # b"), AT "3: [origin a] probe: a comment behind a value begins with "
				     "\";\", not \"#\"\n" },
	{ HTTP("probe = \"/a\""), AT "3: [origin a] probe: values are written without quotes\n" },
	{ HTTP("probe = /a\n  b"), AT "4: neither [section] nor key = value nor a comment\n" },
	/* [agent] */
	{ AGENT("listen = 0.0.0.0:80"),
	  AT "4: [agent] listen: \"0.0.0.0:80\" can be reached from the "
	     "network; if that is meant, write allow-remote = yes\n" },
	{ AGENT("listen = [::]:80"), AT "4: [agent] listen: \"[::]:80\" can be reached from the "
					"network; if that is meant, write allow-remote = yes\n" },
	{ AGENT("metrics-listen = 192.168.1.5:9480"),
	  AT "4: [agent] metrics-listen: \"192.168.1.5:9480\": is not on this device; metrics are "
	     "served on loopback only, as 127.0.0.1:9480\n" },
	{ AGENT("metrics-listen = 0.0.0.0:9480"),
	  AT "4: [agent] metrics-listen: \"0.0.0.0:9480\": is not on this device; metrics are "
	     "served on loopback only, as 127.0.0.1:9480\n" },
	{ AGENT("metrics-listen = 127.0.0.1:8480"),
	  AT "4: [agent] metrics-listen: \"127.0.0.1:8480\": stands in listen, too\n" },
	{ AGENT("metrics-listen = 127.0.0.1"),
	  AT "4: [agent] metrics-listen: \"127.0.0.1\": has no port, as in 127.0.0.1:8480\n" },
	{ AGENT("listen = 127.0.0.1"),
	  AT "4: [agent] listen: \"127.0.0.1\": has no port, as in 127.0.0.1:8480\n" },
	{ AGENT("listen = [::1]"),
	  AT "4: [agent] listen: \"[::1]\": has no port, as in 127.0.0.1:8480\n" },
	{ AGENT("listen = ::1:80"), AT "4: [agent] listen: \"::1:80\": IPv6 addresses stand in "
				       "brackets, as in [::1]:8480\n" },
	{ AGENT("listen = :80"), AT "4: [agent] listen: \":80\": has no address; all of them are "
				    "0.0.0.0 or [::]\n" },
	{ AGENT("listen = kiosk:80"),
	  AT "4: [agent] listen: \"kiosk:80\": is not an address: an IPv4 "
	     "or [IPv6] literal, or localhost\n" },
	{ AGENT("listen = 127.0.0.1:65536"),
	  AT "4: [agent] listen: \"127.0.0.1:65536\": the port must "
	     "be a number from 0 (any free one) to 65535\n" },
	{ AGENT("listen = 127.0.0.1:80, localhost:80"),
	  AT "4: [agent] listen: \"localhost:80\" stands twice\n" },
	{ AGENT("listen = 127.0.0.1:80,"),
	  AT "4: [agent] listen: \"\": has no port, as in 127.0.0.1:8480\n" },
	{ AGENT("log-level = verbose"),
	  AT "4: [agent] log-level: \"verbose\" is not one of error, warning, info, debug\n" },
	{ AGENT("allow-remote = true"),
	  AT "4: [agent] allow-remote: must be yes or no, not \"true\"\n" },
	{ AGENT("metered = maybe"),
	  AT "4: [agent] metered: must be auto, yes or no, not \"maybe\"\n" },
	{ AGENT("control = /a234567890123456789012345678901234567890123456789012345678901234567890123"
		"4567890123456789012345678901234567"),
	  AT "4: [agent] control: the path of a socket is at most 107 bytes long, not 108\n" },
	/* [origin] */
	{ "[origin a]\nprobe = /\n", AT "1: [origin a] url: is missing\n" },
	{ URL("shop.example"), AT
	  "2: [origin a] url: \"shop.example\" does not begin with http://, https://, coap:// or "
	  "coaps://\n" },
	{ URL("ftp://h"),
	  AT "2: [origin a] url: \"ftp://h\" does not begin with http://, https://, "
	     "coap:// or coaps://\n" },
	{ URL("http://u:p@h"),
	  AT "2: [origin a] url: \"http://u:p@h\" is not a URL as https://shop.example:8443\n" },
	{ URL("http://127.0.0.1:8480"), AT
	  "2: [origin a] url: leads back to this holdfastd, which listens on port 8480 there\n" },
	{ URL("http://LocalHost:8480"), AT
	  "2: [origin a] url: leads back to this holdfastd, which listens on port 8480 there\n" },
	{ URL("http://h:0"),
	  AT "2: [origin a] url: \"http://h:0\" is not a URL as https://shop.example:8443\n" },
	{ URL("http://h:99999"),
	  AT "2: [origin a] url: \"http://h:99999\" is not a URL as https://shop.example:8443\n" },
	{ URL("http://h/shop"),
	  AT "2: [origin a] url: is more than an origin: leave path and query "
	     "out; requests bring their own\n" },
	{ URL("http://h/?a"),
	  AT "2: [origin a] url: is more than an origin: leave path and query out; "
	     "requests bring their own\n" },
#ifdef CONFIG_HF_COAP
	{ URL("coap://h") "psk-identity = me\ncoap-key = header\n",
	  AT "3: [origin a] psk-identity: has no effect: the url is not coaps\n" AT
	     "4: [origin a] coap-key: \"header\" is not query:NAME, option:NUMBER (2048 to 65535) "
	     "or none\n" },
	{ URL("coap://h") "coap-key = option:100\n", AT
	  "3: [origin a] coap-key: \"option:100\" is not query:NAME, option:NUMBER (2048 to 65535) "
	  "or none\n" },
	{ URL("coaps://h"), AT "2: [origin a] url: coaps needs something to trust: ca-file (on "
			       "Debian /etc/ssl/certs/ca-certificates.crt), ca-dir or pin, or "
			       "psk-identity and psk-file\n" },
	{ URL("coaps://h") "psk-identity = me\n",
	  AT "3: [origin a] psk-identity: needs psk-file beside it\n" },
	{ URL("coap+tcp://h") "ca-dir = /\n",
	  AT "3: [origin a] ca-dir: has no effect: the url is not coaps\n" },
	{ HTTP("coap-key = none"),
	  AT "3: [origin a] coap-key: has no effect: the url is not coap or coaps\n" },
#else
	{ URL("coap://h"), AT "2: [origin a] url: coap origins are not built into this binary\n" },
#endif
	{ HTTP("host = a:80"),
	  AT "3: [origin a] host: \"a:80\" is not a name alone, as shop.localhost\n" },
	{ HTTP("host = http://a"),
	  AT "3: [origin a] host: \"http://a\" is not a name alone, as shop.localhost\n" },
	{ ORIGIN "[origin b]\nurl = http://i\n",
	  AT "3: [origin b] host: is missing: only the first origin is reached without one, as "
	     "localhost\n" },
	{ HTTP("host = x\n[origin b]\nurl = http://i\nhost = X"),
	  AT "6: [origin b] host: \"X\" is the host of [origin a] already\n" },
	{ HTTP("[origin b]\nurl = http://i\nhost = localhost"),
	  AT "5: [origin b] host: localhost is the first origin, [origin a]\n" },
	{ HTTP("probe = healthz"),
	  AT "3: [origin a] probe: \"healthz\" is not a path of the origin, as /healthz\n" },
	{ HTTP("connect-timeout-ms = 5s"), AT "3: [origin a] connect-timeout-ms: must be a whole "
					      "number from 100 to 3600000, not \"5s\"\n" },
	{ HTTP("first-byte-timeout-ms = 0"),
	  AT "3: [origin a] first-byte-timeout-ms: must be a whole "
	     "number from 100 to 3600000, not \"0\"\n" },
	/* trust */
	{ HTTPS(""), AT "2: [origin a] url: https needs something to trust: ca-file (on Debian "
			"/etc/ssl/certs/ca-certificates.crt), ca-dir or pin\n" },
	{ HTTP("ca-file = ca.pem"),
	  AT "3: [origin a] ca-file: has no effect: the url is not https\n" },
	{ HTTP("pin = x"), AT "3: [origin a] pin: has no effect: the url is not https\n" },
	{ HTTPS("ca-file = no.pem"), AT "3: [origin a] ca-file: \"/etc/no.pem\" does not exist\n" },
	{ HTTPS("ca-file = secret"),
	  AT "3: [origin a] ca-file: \"/etc/secret\" may not be read by this user\n" },
	{ HTTPS("ca-file = folder"),
	  AT "3: [origin a] ca-file: \"/etc/folder\" is a folder, not a file\n" },
	{ HTTPS("ca-file = huge"), AT "3: [origin a] ca-file: \"/etc/huge\" is too large\n" },
	{ HTTPS("ca-file = broken"),
	  AT "3: [origin a] ca-file: \"/etc/broken\" cannot be read: input/output error\n" },
	{ HTTPS("ca-file = m.json"),
	  AT "3: [origin a] ca-file: \"/etc/m.json\" holds no PEM certificate\n" },
	{ HTTPS("ca-dir = none"), AT "3: [origin a] ca-dir: \"/etc/none\" holds no files\n" },
	{ HTTPS("ca-dir = gone"), AT "3: [origin a] ca-dir: \"/etc/gone\" does not exist\n" },
	{ HTTPS("pin = sha256/47DEQpj8HBSa"),
	  AT "3: [origin a] pin: \"sha256/47DEQpj8HBSa\" is not "
	     "the base64 of a SHA-256 hash (44 characters)\n" },
	{ HTTPS("pin = 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV="), AT
	  "3: [origin a] pin: \"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\" is not the base64 "
	  "of a SHA-256 hash (44 characters)\n" },
	{ HTTPS("ca-dir = certs\nclient-cert = ca.pem"),
	  AT "4: [origin a] client-cert: needs client-key beside it\n" },
	{ HTTPS("ca-dir = certs\nclient-key = key.pem"),
	  AT "4: [origin a] client-key: needs client-cert beside it\n" },
	{ HTTPS("ca-dir = certs\nclient-cert = ca.pem\nclient-key = encrypted.pem"), AT
	  "5: [origin a] client-key: \"/etc/encrypted.pem\" is encrypted, and nobody can type its "
	  "passphrase at start\n" },
	{ HTTPS("ca-dir = certs\nclient-cert = ca.pem\nclient-key = ca.pem"),
	  AT "5: [origin a] client-key: \"/etc/ca.pem\" holds no PEM private key\n" },
	/* [credential] */
	{ CREDENTIAL("file = bad.json"),
	  AT "3: [credential c] origin: is missing\n" AT
	     "4: [credential c] file: \"/etc/bad.json\" is not one line "
	     "of text\n" },
	{ CREDENTIAL("origin = a\nheader = host\nfile = m.json"), AT
	  "5: [credential c] header: \"host\" cannot carry a credential: it has a meaning of its "
	  "own\n" },
	{ CREDENTIAL("origin = a"),
	  AT "3: [credential c] file: is missing, and there is no token-endpoint either\n" },
	{ CREDENTIAL("origin = a\nheader = X Y\nfile = no"),
	  AT "5: [credential c] header: \"X Y\" is not the name of a header field\n" AT
	     "6: [credential c] file: \"/etc/no\" does not exist\n" },
	{ ORIGIN "[worker w]\norigin = a\nmanifest = till.json\n", AT
	  "3: [worker w] its manifest's routes[0], line 1, names credential \"till\": there is no "
	  "such [credential NAME] of origin a\n" },
	/* [worker] */
	{ WORKER("manifest = m.json"), AT "3: [worker w] origin: is missing\n" },
	{ WORKER("origin = a"), AT "3: [worker w] manifest: is missing\n" },
	{ HTTP("[origin shop]\nurl = http://i\nhost = s\n[worker w]\norigin = shp\nmanifest = m.json"),
	  AT "7: [worker w] origin: no origin is named \"shp\" (did you mean \"shop\"?)\n" },
	{ WORKER("origin = a\nscope = x\nmanifest = m.json"),
	  AT "5: [worker w] scope: \"x\" is not a path, as /shop/\n" },
	{ WORKER("origin = a\nscope = /x?y\nmanifest = m.json"),
	  AT "5: [worker w] scope: \"/x?y\" is not a path, as /shop/\n" },
	{ WORKER("origin = a\nmanifest = m.json\n[worker v]\norigin = a\nmanifest = m.json"),
	  AT "6: [worker v] scope: \"/\" of this origin belongs to [worker w] already\n" },
	{ WORKER("origin = a\nmanifest = gone.json"),
	  AT "5: [worker w] manifest: \"/etc/gone.json\" does not exist\n" },
	{ WORKER("origin = a\nmanifest = ./\tbad.json"),
	  AT "5: [worker w] manifest: "
	     "\"/etc/./\\x09bad.json\" does not exist\n" },
	{ WORKER("origin = a\nmanifest = bad.json\ncolour = red"),
	  AT "6: [worker w]: unknown key \"colour\"\n"
	     "/etc/bad.json:2: unknown key \"nam\" (did you mean \"name\"?)\n" },
	/* [probe] */
	{ ORIGIN "[probe]\nstatus = 204\n", AT "3: [probe] url: is missing\n" },
	{ ORIGIN "[probe]\nurl = x\n", AT "4: [probe] url: \"x\" is not a URL\n" },
	{ ORIGIN "[probe]\nurl = https://x/\n", AT
	  "4: [probe] url: must begin with http://: a captive portal can only be seen where it may "
	  "answer in the place of the server\n" },
	{ ORIGIN "[probe]\nurl = http://x/\nstatus = 20\n",
	  AT "5: [probe] status: must be a whole number from 200 to 599, not \"20\"\n" },
};

static void every_fault_has_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		settings_conf = bad[i].text;
		expect("/etc/holdfast.conf", HF_ECONFIG, bad[i].faults);
	}
}

static void one_run_shows_all_faults(void **state)
{
	char *expected;
	size_t len;

	(void)state;
	settings_conf = DATA "/bad/holdfast.conf";
	assert_int_equal(
		settings_read_real(DATA "/bad/holdfast.faults", 16 * 1024, &expected, &len), 0);
	expect(settings_conf, HF_ECONFIG, expected);
	free(expected);
}

static void a_file_that_cannot_be_read_is_one_line(void **state)
{
	(void)state;
	settings_conf = "";
	expect("/etc/gone.conf", HF_ENOENT, "/etc/gone.conf: does not exist\n");
	expect("/etc/secret", HF_EPERM, "/etc/secret: may not be read by this user\n");
	expect("/etc/folder", HF_ESTATE, "/etc/folder: is a folder, not a file\n");
}

static void a_line_beyond_the_limit_is_a_fault(void **state)
{
	char text[4096];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, ORIGIN "probe = /", sizeof(ORIGIN "probe = /") - 1);
	text[sizeof(text) - 1] = '\0';
	settings_conf = text;
	expect("/etc/holdfast.conf", HF_ECONFIG, AT "3: the line is too long\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault_has_its_line),
		cmocka_unit_test(one_run_shows_all_faults),
		cmocka_unit_test(a_file_that_cannot_be_read_is_one_line),
		cmocka_unit_test(a_line_beyond_the_limit_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

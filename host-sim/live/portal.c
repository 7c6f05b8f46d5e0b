/* SPDX-License-Identifier: Apache-2.0 */
#include "live/portal.h"

static const char page[] =
	"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
	"<meta name=\"viewport\" content=\"width=device-width\">"
	"<title>Station Wi-Fi</title>"
	"<style>body{font:18px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;"
	"place-items:center;background:#10243e;color:#fff}main{max-width:22rem;padding:2rem;"
	"text-align:center}button{font:inherit;padding:.8rem 2rem;border:0;border-radius:.5rem;"
	"background:#ffc83d;color:#10243e}</style>"
	"<main><h1>Station Wi-Fi</h1><p>Accept the terms of use to go online.</p>"
	"<button type=\"button\">Accept</button></main></html>\n";

void live_portal_answer(struct live_conn *c, const struct live_request *r, bool redirect)
{
	static const struct hf_field location[] = {
		{ { "Location", 8 }, { "http://login.wifi.example/", 26 } },
	};
	struct live_reply reply = { .status = redirect ? 302 : 200,
				    .type = "text/html; charset=utf-8",
				    .body = HF_SPAN(page),
				    .fields = location,
				    .fields_n = redirect };

	(void)r;
	live_reply(c, &reply);
}

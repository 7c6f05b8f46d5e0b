/* SPDX-License-Identifier: Apache-2.0 */
#include "live/control.h"

#include <stdio.h>

#include "live/assets.h"
#include "live/session.h"

#define RUSH_MAX 200

/* ---- who asks ---- */

static bool is_own_host(const struct live_session *s, struct hf_span value)
{
	char a[32], b[32];

	snprintf(a, sizeof(a), "127.0.0.1:%u", s->control_port);
	snprintf(b, sizeof(b), "localhost:%u", s->control_port);
	return hf_span_ieq_str(value, a) || hf_span_ieq_str(value, b);
}

static bool may_ask(const struct live_session *s, const struct live_request *r)
{
	const struct hf_span *host = hf_fields_get(r->fields, "Host");
	const struct hf_span *origin = hf_fields_get(r->fields, "Origin");
	const struct hf_span scheme = HF_SPAN("http://");

	if (!host || !is_own_host(s, *host))
		return false;
	return !origin || (hf_span_starts(*origin, scheme) &&
			   hf_span_eq(hf_span_skip(*origin, scheme.len), *host));
}

/* ---- what it asks for ---- */

static void finish(struct live_conn *c, int err)
{
	struct live_reply done = { .status = 204 };

	if (err)
		live_reply_text(c, err == HF_EINVAL ? 400 : 500, hf_strerror(err));
	else
		live_reply(c, &done);
}

static void sync_over(void *user, int status, struct hf_span body)
{
	(void)user;
	(void)status;
	(void)body;
}

static void sync_now(struct live_session *s)
{
	struct live_call *call = &s->sync;

	if (!call->client)
		live_call_init(call, &s->watch.client, sync_over, s);
	if (!live_call_runs(call))
		live_call_start(call, "POST", "/.holdfast/sync-now", HF_SPAN(""));
}

static int do_it(struct live_session *s, const cJSON *json)
{
	const char *what = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "what"));
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(json, "n");

	if (!what)
		return HF_EINVAL;
	if (strcmp(what, "boot") == 0)
		return live_daemon_boot(&s->daemon);
	if (strcmp(what, "cut") == 0)
		live_daemon_cut(&s->daemon);
	else if (strcmp(what, "sync") == 0)
		sync_now(s);
	else if (strcmp(what, "rush") == 0 && s->shop && cJSON_IsNumber(n) && n->valueint > 0 &&
		 n->valueint <= RUSH_MAX)
		live_rush_add(&s->rush, (unsigned)n->valueint);
	else
		return HF_EINVAL;
	return 0;
}

static int set_levers(struct live_session *s, const cJSON *json)
{
	int err = live_levers_read(&s->levers, json);

	return err ? err : live_session_apply(s);
}

static void on_post(struct live_session *s, struct live_conn *c, const struct live_request *r)
{
	cJSON *json = cJSON_ParseWithLength(r->body.ptr ? r->body.ptr : "", r->body.len);
	int err = HF_EINVAL;

	if (json && hf_span_eq_str(r->path, "/levers"))
		err = set_levers(s, json);
	else if (json && hf_span_eq_str(r->path, "/do"))
		err = do_it(s, json);
	cJSON_Delete(json);
	finish(c, err);
	live_feed_touch(&s->feed);
}

void live_control_request(void *user, struct live_conn *c, const struct live_request *r)
{
	struct live_session *s = user;

	if (!may_ask(s, r)) {
		live_reply_text(c, 403, "Only the control page may ask here.\n");
	} else if (hf_span_eq_str(r->method, "POST")) {
		on_post(s, c, r);
	} else if (hf_span_eq_str(r->path, "/feed")) {
		live_stream(c);
		live_feed_open(&s->feed, c);
	} else {
		live_asset_reply(c, "control", r->path);
	}
}

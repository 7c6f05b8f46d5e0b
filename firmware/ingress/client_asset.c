/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /.holdfast/client.js, worker.js and client.d.ts: gzipped for who takes
 * that, 304 for who has them.
 */
#include "ingress/client_asset.h"

#include "holdfast/err.h"
#include "ingress/api.h"

static const struct hf_client_asset *find(const char *name)
{
	const struct hf_client_asset *a = hf_client_assets;

	while (strcmp(a->name, name) != 0)
		a++;
	return a;
}

/* "*" or a list of tags of which one is @tag, weak or not (RFC 9110 section
 * 13.1.2). */
static bool has_tag(const struct hf_fields *fields, struct hf_span tag)
{
	size_t i;

	for (i = 0; i < fields->n; i++) {
		struct hf_span rest = fields->v[i].value, one;

		if (!hf_span_ieq_str(fields->v[i].name, "If-None-Match"))
			continue;
		while (rest.ptr && rest.len > 0) {
			one = hf_span_trim(hf_span_cut(&rest, ','));
			if (hf_span_starts(one, HF_SPAN("W/")))
				one = hf_span_skip(one, 2);
			if (hf_span_eq(one, tag) || hf_span_eq_str(one, "*"))
				return true;
		}
	}
	return false;
}

static int add_fields(struct hf_fields *fields, const char *type, bool packed, struct hf_span tag)
{
	int err = hf_fields_add(fields, HF_SPAN("Content-Type"), hf_span_str(type));

	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Cache-Control"), HF_SPAN("no-cache"));
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("ETag"), tag);
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Vary"), HF_SPAN("Accept-Encoding"));
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("X-Content-Type-Options"), HF_SPAN("nosniff"));
	if (!err && packed)
		err = hf_fields_add(fields, HF_SPAN("Content-Encoding"), HF_SPAN("gzip"));
	return err;
}

static int fill(struct hf_api_call *call, const struct hf_client_asset *a, const char *type,
		struct hf_reply *r)
{
	const struct hf_fields *asked = &call->msg->fields;
	bool packed = hf_fields_has_token(asked, "Accept-Encoding", "gzip");
	struct hf_span tag =
		hf_arena_printf(hf_reply_arena(r), "\"%s%s\"", a->hash, packed ? "-gzip" : "");
	const void *bytes = packed ? a->packed : a->bytes;
	bool known;
	int err;

	if (!tag.ptr)
		return HF_ENOMEM;
	known = has_tag(asked, tag);
	err = add_fields(hf_reply_fields(r), type, packed && !known, tag);
	if (known)
		hf_reply_status(r, 304);
	else if (!err)
		err = hf_buf_append(hf_reply_body(r),
				    hf_span(bytes, packed ? a->packed_len : a->len));
	return err;
}

static int asset_start(struct hf_api_call *call, const char *name, const char *type)
{
	struct hf_reply *r;
	int err = hf_api_reply_new(call, &r);

	if (err)
		return err;
	err = fill(call, find(name), type, r);
	if (err)
		hf_reply_destroy(r);
	else
		hf_api_reply(call, r);
	return err;
}

static int js_start(struct hf_api_call *call)
{
	return asset_start(call, "client.js", "text/javascript; charset=utf-8");
}

static int worker_start(struct hf_api_call *call)
{
	return asset_start(call, "worker.js", "text/javascript; charset=utf-8");
}

static int types_start(struct hf_api_call *call)
{
	return asset_start(call, "client.d.ts", "text/plain; charset=utf-8");
}

const struct hf_api_kind hf_api_client_js = {
	.size = sizeof(struct hf_api_call),
	.start = js_start,
};
const struct hf_api_kind hf_api_client_worker = {
	.size = sizeof(struct hf_api_call),
	.start = worker_start,
};
const struct hf_api_kind hf_api_client_types = {
	.size = sizeof(struct hf_api_call),
	.start = types_start,
};

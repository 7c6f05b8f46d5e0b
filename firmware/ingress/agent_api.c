/* SPDX-License-Identifier: Apache-2.0 */
/* Resources about the agent as a whole. */
#include "holdfast/err.h"
#include "http/values.h"
#include "ingress/api.h"

#define STATUS_MAX (4 * 1024 * 1024)

static int status_start(struct hf_api_call *call)
{
	const struct hf_ingress_options *opt = &call->in->opt;
	struct hf_buf json;

	hf_buf_init(&json, STATUS_MAX);
	if (opt->status(opt->user, hf_api_origin(call), &json) || hf_buf_append_str(&json, "\n")) {
		hf_buf_finish(&json);
		return HF_ENOMEM;
	}
	hf_api_json(call, 200, &json);
	return 0;
}

const struct hf_api_kind hf_api_status = {
	.size = sizeof(struct hf_api_call),
	.start = status_start,
};

static int metrics_start(struct hf_api_call *call)
{
	const struct hf_ingress_options *opt = &call->in->opt;
	struct hf_buf text;

	hf_buf_init(&text, STATUS_MAX);
	if (opt->metrics(opt->user, &text)) {
		hf_buf_finish(&text);
		return HF_ENOMEM;
	}
	hf_api_text(call, 200, HF_SPAN("text/plain; version=0.0.4"), &text);
	return 0;
}

const struct hf_api_kind hf_api_metrics = {
	.size = sizeof(struct hf_api_call),
	.start = metrics_start,
};

static int sync_now_start(struct hf_api_call *call)
{
	const struct hf_ingress_options *opt = &call->in->opt;
	struct hf_buf json;

	if (opt->sync_now)
		opt->sync_now(opt->user, hf_api_origin(call));
	hf_buf_init(&json, 64);
	if (hf_buf_append_str(&json, "{\"state\":\"started\"}\n")) {
		hf_buf_finish(&json);
		return HF_ENOMEM;
	}
	hf_api_json(call, 202, &json);
	return 0;
}

const struct hf_api_kind hf_api_sync_now = {
	.size = sizeof(struct hf_api_call),
	.start = sync_now_start,
};

/* ---- POST store/check ---- */

struct check_call {
	struct hf_api_call call;
	struct hf_store_check check;
};

static void check_done(struct hf_store_op *op, int err)
{
	struct check_call *c = op->user;
	struct hf_buf json;

	if (!hf_api_resume(&c->call))
		return;
	if (err) {
		hf_api_problem(&c->call, 503, "The store could not be checked.");
		return;
	}
	hf_buf_init(&json, 8192);
	err = hf_buf_appendf(&json, "{\"faults\":%u,\"text\":", c->check.faults);
	if (!err)
		err = hf_json_append_string(&json, hf_span_str(c->check.text));
	if (!err)
		err = hf_buf_append_str(&json, "}\n");
	if (!err) {
		hf_api_json(&c->call, 200, &json);
		return;
	}
	hf_buf_finish(&json);
	hf_api_problem(&c->call, 503, "Holdfast is short of memory.");
}

static int check_start(struct hf_api_call *call)
{
	struct check_call *c = hf_container_of(call, struct check_call, call);

	c->check.op.done = check_done;
	c->check.op.user = c;
	call->busy = true;
	hf_store_check(call->in->opt.store, &c->check);
	return 0;
}

const struct hf_api_kind hf_api_store_check = {
	.size = sizeof(struct check_call),
	.start = check_start,
};

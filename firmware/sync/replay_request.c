/* SPDX-License-Identifier: Apache-2.0 */
/* What a replay sends: the stored request with what belongs to the attempt. */
#include "sync/replay_private.h"

#define IDENTITY_AGAIN_MS 30000 /* is it for whom the request is again? */

int hf_replay_build(struct hf_replay *r)
{
	const struct hf_record_head *h = &r->lease.head;
	const struct hf_store_load *l = &r->lease.load;
	int err;

	r->msg = (struct hf_message){
		.method = h->method,
		.target = r->lease.target,
		.minor = 1,
		.keep_alive = true,
		.body = l->body_len > 0 || !hf_method_is_safe(h->method) ? HF_BODY_LENGTH :
									   HF_BODY_NONE,
		.body_len = l->body_len,
	};
	hf_fields_init(&r->msg.fields, &r->arena);
	err = hf_fields_add(&r->msg.fields, HF_SPAN("Host"), r->origin->authority);
	for (size_t i = 0; i < h->fields.n && !err; i++)
		err = hf_fields_add(&r->msg.fields, h->fields.v[i].name, h->fields.v[i].value);
	if (!err)
		err = hf_fields_add(&r->msg.fields, hf_span_str(h->policy.key_header), h->key);
	if (!err && r->credential.header)
		err = hf_fields_add(&r->msg.fields, hf_span_str(r->credential.header),
				    r->credential.value);
	return err;
}

static int get_credential(struct hf_replay *r, struct hf_credential_value *out)
{
	return hf_credential_get(r->opt->credentials, r->lease.lane->origin,
				 r->lease.head.policy.credential, r->lease.head.identity, &r->arena,
				 out);
}

bool hf_replay_bind(struct hf_replay *r, struct hf_verdict *v)
{
	int err;

	r->credential = (struct hf_credential_value){ 0 };
	if (!r->lease.head.policy.credential[0])
		return true;
	err = get_credential(r, &r->credential);
	*v = (struct hf_verdict){ .action = HF_ACTION_RETRY,
				  .reason = HF_REASON_AUTH,
				  .delay_ms = HF_REPLAY_FAILED_DELAY_MS };
	if (err == HF_ENOENT)
		v->action = HF_ACTION_HOLD;
	if (err == HF_EPERM) {
		v->reason = HF_REASON_IDENTITY;
		v->delay_ms = IDENTITY_AGAIN_MS;
	}
	return err == 0;
}

bool hf_replay_is_renewed(struct hf_replay *r, const struct hf_verdict *v)
{
	struct hf_credential_value now;

	if (v->action != HF_ACTION_HOLD || v->reason != HF_REASON_AUTH || !r->credential.header ||
	    get_credential(r, &now))
		return false;
	return now.version != r->credential.version && r->followed++ < HF_REPLAY_FOLLOW_MAX;
}

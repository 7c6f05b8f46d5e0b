/* SPDX-License-Identifier: Apache-2.0 */
/* What a replay sends: the stored request with what belongs to the attempt. */
#include "sync/replay_private.h"

#define IDENTITY_AGAIN_MS 30000 /* is it for whom the request is again? */
#define TOKEN_AGAIN_MS	  120000

/* Whoever reads the stored answer, or waits for a value of it, may not know the
 * coding that the page did. */
static int add_field(struct hf_fields *fields, const struct hf_field *f)
{
	bool coding = hf_span_ieq_str(f->name, "Accept-Encoding");

	return hf_fields_add(fields, f->name, coding ? HF_SPAN("identity") : f->value);
}

int hf_replay_build(struct hf_replay *r)
{
	const struct hf_record_head *h = &r->lease.head;
	const struct hf_store_load *l = &r->lease.load;
	int err;

	r->msg = (struct hf_message){
		.method = h->method,
		.target = r->lease.target,
		.key = h->key,
		.minor = 1,
		.keep_alive = true,
		.body = l->body_len > 0 || !hf_method_is_safe(h->method) ? HF_BODY_LENGTH :
									   HF_BODY_NONE,
		.body_len = l->body_len,
	};
	hf_fields_init(&r->msg.fields, &r->arena);
	err = hf_fields_add(&r->msg.fields, HF_SPAN("Host"), r->origin->authority);
	for (size_t i = 0; i < h->fields.n && !err; i++)
		err = add_field(&r->msg.fields, &h->fields.v[i]);
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

static void wait(struct hf_verdict *v, enum hf_reason reason, uint64_t delay_ms)
{
	*v = (struct hf_verdict){ .action = HF_ACTION_WAIT,
				  .reason = reason,
				  .delay_ms = delay_ms ? delay_ms : 1 };
}

/* What becomes of a request without its credential. */
static void without(const struct hf_credential_value *c, int err, struct hf_verdict *v)
{
	*v = (struct hf_verdict){ .action = HF_ACTION_RETRY,
				  .reason = HF_REASON_AUTH,
				  .delay_ms = HF_REPLAY_FAILED_DELAY_MS };
	switch (err) {
	case HF_ENOENT:
		v->action = HF_ACTION_HOLD;
		return;
	case HF_EPERM:
		v->reason = HF_REASON_IDENTITY;
		v->delay_ms = IDENTITY_AGAIN_MS;
		return;
	case HF_EAGAIN: /* told before that (hf_sync_credential) */
		wait(v, HF_REASON_NONE, TOKEN_AGAIN_MS);
		return;
	case HF_EBUSY:
		wait(v, c->reason, c->delay_ms);
		return;
	case HF_ESTATE:
		v->action = HF_ACTION_HOLD;
		v->reason = HF_REASON_CREDENTIAL;
		return;
	}
}

bool hf_replay_bind(struct hf_replay *r, struct hf_verdict *v)
{
	int err;

	r->credential = (struct hf_credential_value){ 0 };
	r->lease.lane->for_credential = false;
	if (!r->lease.head.policy.credential[0])
		return true;
	err = get_credential(r, &r->credential);
	if (!err)
		return true;
	without(&r->credential, err, v);
	r->lease.lane->for_credential = err == HF_EAGAIN || err == HF_EBUSY;
	return false;
}

void hf_replay_note_held(struct hf_replay *r, const struct hf_verdict *v)
{
	const struct hf_record_head *h = &r->lease.head;
	bool refused = v->reason == HF_REASON_AUTH;

	if (v->action == HF_ACTION_HOLD && h->policy.credential[0] &&
	    (refused || v->reason == HF_REASON_CREDENTIAL))
		hf_credential_held(
			r->opt->credentials, r->lease.lane->origin, h->policy.credential, refused,
			refused ? hf_credential_version(&r->credential, h->identity) : 0);
}

/* An attempt whose token comes while it waits keeps what it has learned. */
static enum hf_replay_next renew_token(struct hf_replay *r, struct hf_verdict *v)
{
	const char *name = r->lease.head.policy.credential;
	unsigned origin = r->lease.lane->origin;
	struct hf_credential_value now = { 0 };
	int err;

	if (!r->renewed)
		hf_credential_refused(r->opt->credentials, origin, name, r->credential.version);
	r->renewed = true;
	err = get_credential(r, &now);
	if (!err)
		return now.version != r->credential.version ? HF_REPLAY_AGAIN : HF_REPLAY_END;
	if (err == HF_EAGAIN) {
		hf_credential_wait(r->opt->credentials, origin, name, &r->token);
		return HF_REPLAY_TOKEN;
	}
	without(&now, err, v);
	r->lease.lane->for_credential = err == HF_EBUSY;
	return HF_REPLAY_END;
}

enum hf_replay_next hf_replay_renew(struct hf_replay *r, struct hf_verdict *v)
{
	struct hf_credential_value now;

	if (v->action != HF_ACTION_HOLD || v->reason != HF_REASON_AUTH || !r->credential.header ||
	    r->followed++ >= HF_REPLAY_FOLLOW_MAX)
		return HF_REPLAY_END;
	if (hf_credential_is_token(r->opt->credentials, r->lease.lane->origin,
				   r->lease.head.policy.credential))
		return renew_token(r, v);
	if (get_credential(r, &now))
		return HF_REPLAY_END;
	return now.version != r->credential.version ? HF_REPLAY_AGAIN : HF_REPLAY_END;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lease of a record that waits for another one. What that one's answer says is
 * read from the store for each attempt, so every attempt sends the same bytes,
 * and a loss of power at any moment changes nothing.
 */
#include "holdfast_config.h"
#include "queue/after.h"
#include "queue/lease_private.h"

static void load_parent(struct hf_lease *lease, uint64_t id);

static void give_up(struct hf_lease *lease, enum hf_reason reason, const char *why)
{
	hf_log(hf_lease_queue(lease)->opt.log, HF_LOG_WARNING, "queue.after",
	       "id=%s reason=%s why=\"%s\"", lease->public_id, hf_reason_name((uint8_t)reason),
	       why);
	hf_lease_pass_over(lease, HF_ACTION_DEAD, reason);
}

static void fill_in(struct hf_lease *lease)
{
	struct hf_after_request req = {
		.target = lease->head.target,
		.fields = &lease->head.fields,
		.body = lease->load.blob ? NULL : &lease->load.body,
	};
	const char *why = "the field cannot be read";
	struct hf_after after;
	int err = hf_after_parse(lease->head.after, &lease->arena, &after, &why);

	if (!err)
		err = hf_after_apply(&after, &lease->parent, &lease->arena, &req, &why);
	if (err == HF_ENOMEM) {
		hf_lease_nothing(lease, err);
		return;
	}
	if (err) {
		give_up(lease, HF_REASON_AFTER_VALUE, why);
		return;
	}
	lease->target = req.target;
	if (req.body)
		lease->load.body_len = req.body->len;
	hf_store_load_finish(&lease->parent);
	lease->step = HF_LEASE_READY;
	lease->ready(lease, 0);
}

/* It was sent again, behind this one: who waits in its lane would wait for ever. */
static bool is_behind(const struct hf_lease *lease)
{
	return lease->parent.state.created_dev_ms > lease->state.created_dev_ms;
}

static void judge_parent(struct hf_lease *lease)
{
	switch ((enum hf_record_status)lease->parent.state.status) {
	case HF_RECORD_QUEUED:
	case HF_RECORD_HELD:
		if (is_behind(lease)) {
			give_up(lease, HF_REASON_AFTER_FAILED, "it goes again, behind the other");
			return;
		}
		hf_store_load_finish(&lease->parent);
		hf_lease_step_aside(lease, HF_REASON_AFTER);
		return;
	case HF_RECORD_SETTLED:
		fill_in(lease);
		return;
	case HF_RECORD_DEAD:
	case HF_RECORD_CANCELLED:
		break;
	}
	give_up(lease, HF_REASON_AFTER_FAILED, "the other was given up or cancelled");
}

static void parent_loaded(struct hf_store_op *op, int err)
{
	struct hf_lease *lease = op->user;
	struct hf_store_load *l = &lease->parent;

	if (err == HF_ENOENT || (!err && l->replaced && !l->replaced_by))
		give_up(lease, HF_REASON_AFTER_FAILED, "the other is kept no more");
	else if (err == HF_ECORRUPT && l->state.status == HF_RECORD_SETTLED)
		give_up(lease, HF_REASON_AFTER_VALUE, "the answer is damaged");
	else if (err && err != HF_ECORRUPT)
		hf_lease_nothing(lease, err);
	else if (l->replaced)
		load_parent(lease, l->replaced_by);
	else
		judge_parent(lease);
}

static void load_parent(struct hf_lease *lease, uint64_t id)
{
	struct hf_store_load *l = &lease->parent;

	hf_store_load_finish(l);
	hf_store_load_init(l);
	l->id = id;
	l->op.done = parent_loaded;
	l->op.user = lease;
	hf_store_load(hf_lease_queue(lease)->opt.store, l);
}

void hf_lease_after(struct hf_lease *lease)
{
	uint64_t id = lease->load.parent;
	struct hf_after after;
	const char *why;

	/* the link is lost: the field names the one it had at first */
	if (!id && (hf_after_parse(lease->head.after, &lease->arena, &after, &why) ||
		    hf_record_id_parse(after.id, &id))) {
		give_up(lease, HF_REASON_AFTER_FAILED, "the field cannot be read");
		return;
	}
	lease->step = HF_LEASE_LOADING;
	load_parent(lease, id);
}

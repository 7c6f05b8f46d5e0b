/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of outcomes.
 *
 *   without an answer
 *     name, connect, our limit, anything before a byte was sent   WAIT network
 *     certificate: dates only                                     WAIT clock
 *     certificate: anything else                                  WAIT certificate
 *     reset, timeout, malformed after bytes were sent             RETRY, or HOLD
 *                                                                 when not repeatable
 *   with an answer (a cut body changes nothing)
 *     2xx 303             DELIVERED   (plain HTTP outside expect: WAIT captive)
 *     307 308             FOLLOW same origin, else as 301
 *     301 302             HOLD redirect (plain HTTP to elsewhere: WAIT captive)
 *     other 3xx           HOLD unexpected-status
 *     401 402             HOLD auth, payment
 *     407 511             WAIT captive
 *     408 423 429 503     RETRY, Retry-After obeyed (also 413 with one)
 *     409                 RETRY (Retry-After, else 2 to 30 s) five times, then
 *                         HOLD, when an earlier attempt may have arrived; else
 *                         DEAD
 *     412                 HOLD ambiguous when an earlier one may have, else DEAD
 *     421 425             RETRY_NOW once, then RETRY
 *     502 504             RETRY, or HOLD when not repeatable
 *     507                 RETRY after ten minutes or more
 *     501 505 506 508 510 DEAD
 *     other 5xx           RETRY; HOLD after three equal ones over an hour, or at
 *                         once when not repeatable
 *     other 4xx           DEAD
 *
 * A certificate that is refused is waited for rather than held: nothing has
 * been sent, the origin counts as down, and a renewed certificate must be
 * enough to set a panel going that nobody visits.
 */
#include "queue/outcome.h"

#include "http/url.h"
#include "http/values.h"

#define CONFLICT_TRIES	      5
#define CONFLICT_DELAY_MS     2000
#define CONFLICT_DELAY_MAX_MS 30000
#define SAME_500_TRIES	      3
#define SAME_500_SPAN_MS      (3600 * UINT64_C(1000))
#define STORAGE_DELAY_MS      (600 * UINT64_C(1000))

const char *hf_reason_name(uint8_t reason)
{
	static const char *const names[] = {
#define HF_REASON_NAME(name, text) text,
		HF_REASONS(HF_REASON_NAME)
#undef HF_REASON_NAME
	};

	if (reason == HF_RECORD_REASON_DAMAGED)
		return names[HF_REASON_DAMAGED];
	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "unknown";
}

static void set(struct hf_verdict *v, enum hf_action action, enum hf_reason reason)
{
	v->action = action;
	v->reason = reason;
}

static bool repeatable(const struct hf_attempt *a)
{
	return a->policy->idempotency != HF_IDEMPOTENCY_NEVER;
}

static void captive(struct hf_verdict *v)
{
	set(v, HF_ACTION_WAIT, HF_REASON_CAPTIVE);
	v->captive = true;
}

/* Retry-After in ms, 0: none that can be used. */
static uint64_t retry_after_ms(const struct hf_attempt *a)
{
	const struct hf_span *value = hf_fields_get(&a->head->fields, "Retry-After");
	int64_t seconds;
	bool is_date;

	if (!value || hf_retry_after_parse(*value, &is_date, &seconds))
		return 0;
	if (is_date) {
		if (a->trust != HF_CLOCK_SYNCED)
			return 0;
		seconds -= a->wall_ms / 1000;
	}
	if (seconds < 1)
		seconds = 1;
	if (seconds > (int64_t)a->retry_after_max_s)
		seconds = (int64_t)a->retry_after_max_s;
	return (uint64_t)seconds * 1000;
}

static void retry(const struct hf_attempt *a, struct hf_verdict *v)
{
	v->delay_ms = retry_after_ms(a);
	set(v, HF_ACTION_RETRY, v->delay_ms ? HF_REASON_RETRY_AFTER : HF_REASON_BACKOFF);
}

static void no_room(const struct hf_attempt *a, struct hf_verdict *v)
{
	retry(a, v);
	if (v->delay_ms >= STORAGE_DELAY_MS)
		return;
	v->delay_ms = STORAGE_DELAY_MS;
	v->reason = HF_REASON_ORIGIN_FULL;
}

static void retry_or_hold(const struct hf_attempt *a, struct hf_verdict *v)
{
	if (repeatable(a))
		retry(a, v);
	else
		set(v, HF_ACTION_HOLD, HF_REASON_AMBIGUOUS);
}

static void retry_now(const struct hf_attempt *a, struct hf_verdict *v)
{
	if (a->retried_now)
		retry(a, v);
	else
		set(v, HF_ACTION_RETRY_NOW, HF_REASON_BACKOFF);
}

static void dead(struct hf_verdict *v)
{
	set(v, HF_ACTION_DEAD, HF_REASON_REJECTED);
}

/* Location leads to the same scheme, host and port. */
static bool location_is_same_origin(const struct hf_attempt *a)
{
	const struct hf_span *location = hf_fields_get(&a->head->fields, "Location");
	struct hf_span rest, target;
	struct hf_url url;

	if (!location || location->len == 0)
		return false;
	rest = *location;
	target = hf_span_cut(&rest, '#');
	if (target.len > 0 && target.ptr[0] == '/')
		return target.len < 2 || target.ptr[1] != '/';
	if (hf_url_parse(target, &url))
		return false;
	return hf_span_ieq_str(url.scheme, a->tls ? "https" : "http") &&
	       hf_span_ieq(url.host, a->origin_host) && url.port == a->origin_port;
}

static void redirected(const struct hf_attempt *a, struct hf_verdict *v)
{
	bool same = location_is_same_origin(a);

	if (!same && !a->tls)
		captive(v);
	else if (same && (a->head->status == 307 || a->head->status == 308))
		set(v, HF_ACTION_FOLLOW, HF_REASON_NONE);
	else
		set(v, HF_ACTION_HOLD, HF_REASON_REDIRECT);
}

static bool is_expected(const struct hf_policy *p, int status)
{
	for (size_t i = 0; i < p->expect_n; i++)
		if (p->expect[i] == status)
			return true;
	return p->expect_n == 0;
}

static void success(const struct hf_attempt *a, struct hf_verdict *v)
{
	if (is_expected(a->policy, a->head->status))
		set(v, HF_ACTION_DELIVERED, HF_REASON_NONE);
	else if (!a->tls)
		captive(v);
	else
		set(v, HF_ACTION_HOLD, HF_REASON_UNEXPECTED);
}

static void see_other(const struct hf_attempt *a, struct hf_verdict *v)
{
	if (a->tls || location_is_same_origin(a))
		set(v, HF_ACTION_DELIVERED, HF_REASON_NONE);
	else
		captive(v);
}

static void conflict(const struct hf_attempt *a, struct hf_verdict *v)
{
	if (!a->state->maybe_received || !repeatable(a)) {
		dead(v);
		return;
	}
	if (a->state->conflicts >= CONFLICT_TRIES) {
		set(v, HF_ACTION_HOLD, HF_REASON_CONFLICT);
		return;
	}
	retry(a, v);
	if (v->delay_ms > 0)
		return;
	v->delay_ms = CONFLICT_DELAY_MS << a->state->conflicts;
	if (v->delay_ms > CONFLICT_DELAY_MAX_MS)
		v->delay_ms = CONFLICT_DELAY_MAX_MS;
}

static void server_error(const struct hf_attempt *a, struct hf_verdict *v)
{
	const struct hf_record_state *s = a->state;
	bool same = s->same_500 > 0 && s->last_status == a->head->status &&
		    s->body_hash == a->body_hash;

	if (!repeatable(a))
		set(v, HF_ACTION_HOLD, HF_REASON_SERVER_ERROR);
	else if (same && s->same_500 + 1 >= SAME_500_TRIES && s->maybe_received &&
		 a->device_now_ms >= s->first_sent_dev_ms + SAME_500_SPAN_MS)
		set(v, HF_ACTION_HOLD, HF_REASON_SERVER_ERROR);
	else
		retry(a, v);
}

static void client_error(const struct hf_attempt *a, struct hf_verdict *v)
{
	switch (a->head->status) {
	case 401:
		set(v, HF_ACTION_HOLD, HF_REASON_AUTH);
		return;
	case 402:
		set(v, HF_ACTION_HOLD, HF_REASON_PAYMENT);
		return;
	case 407:
		captive(v);
		return;
	case 408:
	case 423:
	case 429:
		retry(a, v);
		return;
	case 409:
		conflict(a, v);
		return;
	case 412:
		if (a->state->maybe_received)
			set(v, HF_ACTION_HOLD, HF_REASON_AMBIGUOUS);
		else
			dead(v);
		return;
	case 413:
		if (retry_after_ms(a))
			retry(a, v);
		else
			dead(v);
		return;
	case 421:
	case 425:
		retry_now(a, v);
		return;
	}
	dead(v);
}

static void classify_5xx(const struct hf_attempt *a, struct hf_verdict *v)
{
	switch (a->head->status) {
	case 501:
	case 505:
	case 506:
	case 508:
	case 510:
		dead(v);
		return;
	case 502:
	case 504:
		retry_or_hold(a, v);
		return;
	case 503:
		retry(a, v);
		return;
	case 507:
		no_room(a, v);
		return;
	case 511:
		captive(v);
		return;
	}
	server_error(a, v);
}

static void classify_answer(const struct hf_attempt *a, struct hf_verdict *v)
{
	int status = a->head->status;

	if (status >= 200 && status < 300)
		success(a, v);
	else if (status == 303)
		see_other(a, v);
	else if (status == 301 || status == 302 || status == 307 || status == 308)
		redirected(a, v);
	else if (status >= 400 && status < 500)
		client_error(a, v);
	else if (status >= 500 && status < 600)
		classify_5xx(a, v);
	else
		set(v, HF_ACTION_HOLD, HF_REASON_UNEXPECTED);
}

static void classify_failure(const struct hf_attempt *a, struct hf_verdict *v)
{
	switch (a->result->end) {
	case HF_END_TLS_TIME:
		set(v, HF_ACTION_WAIT, HF_REASON_CLOCK);
		return;
	case HF_END_TLS_CERT:
		set(v, HF_ACTION_WAIT, HF_REASON_CERTIFICATE);
		return;
	case HF_END_DNS:
	case HF_END_CONNECT:
	case HF_END_TLS:
	case HF_END_LIMIT:
		set(v, HF_ACTION_WAIT, HF_REASON_NETWORK);
		return;
	case HF_END_COMPLETE:
	case HF_END_UPGRADED:
	case HF_END_RESET:
	case HF_END_TIMEOUT:
	case HF_END_MALFORMED:
	case HF_END_TRUNCATED:
	case HF_END_INTERNAL:
		break;
	}
	if (a->result->sent == HF_SENT_NONE) {
		set(v, a->result->end == HF_END_INTERNAL ? HF_ACTION_RETRY : HF_ACTION_WAIT,
		    HF_REASON_NETWORK);
		return;
	}
	if (repeatable(a))
		set(v, HF_ACTION_RETRY, HF_REASON_NETWORK);
	else
		set(v, HF_ACTION_HOLD, HF_REASON_AMBIGUOUS);
}

void hf_outcome_classify(const struct hf_attempt *a, struct hf_verdict *out)
{
	memset(out, 0, sizeof(*out));
	if (a->head)
		classify_answer(a, out);
	else
		classify_failure(a, out);
}

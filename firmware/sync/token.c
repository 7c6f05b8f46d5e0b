/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/token.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/backoff.h"
#include "store/store.h"
#include "sync/token_keep.h"

#define LINE_MAX_BYTES	8192
#define KEEP_BYTES_MAX	(HF_TOKENS_KEPT_MAX * 2 * (HF_REFRESH_TOKEN_MAX + 16))
#define MARGIN_MS	30000 /* before it expires a new one is got, or */
#define MARGIN_PART	4     /* a part of its life, when that is shorter */
#define LIFE_MIN_MS	10000 /* what lives shorter is used so long: a 401 ends it */
#define BROKEN_AGAIN_MS 600000
#define STOPPING_MS	5000
#define KEY_SIZE	80

/* What a token is got with. */
struct inputs {
	struct hf_span secret, refresh, identity; /* ptr NULL: none */
};

struct hf_token {
	struct hf_token_options opt;
	uint8_t state; /* enum hf_token_state */
	uint64_t since_ms, next_ms;
	unsigned failures;
	uint8_t reason; /* of WAITING, enum hf_reason */
	char why[HF_TOKEN_WHY_SIZE];
	uint64_t got, failed, refused;
	struct hf_list waits;
	/* copies of the inputs of the present state, NULL: none */
	char *secret, *refresh, *identity;
	/* the token */
	char *access; /* "Bearer ..."; NULL: none */
	uint32_t version;
	uint64_t renew_ms, expires_ms; /* UINT64_MAX: not known */
	uint64_t asked_ms;
	struct hf_token_fetch *fetch;
	bool tried_previous;
	/* rotated refresh tokens */
	struct hf_token_keep keep;
	char key[KEY_SIZE];
	struct hf_store_meta meta;
	bool loaded, storing;
	bool uncommitted; /* it has changed since it was stored last */
};

static uint64_t now_ms(const struct hf_token *t)
{
	struct hf_port *port = t->opt.world->port;

	return port->boottime_ms(port);
}

const char *hf_token_state_name(enum hf_token_state state)
{
	static const char *const names[] = { "idle", "refreshing", "ok", "waiting", "broken" };

	return names[state];
}

static void move(struct hf_token *t, enum hf_token_state state)
{
	t->state = (uint8_t)state;
	t->since_ms = now_ms(t);
}

static void drop_access(struct hf_token *t)
{
	free(t->access);
	t->access = NULL;
}

/* ---- the end of an attempt ---- */

/* Those who are told may ask again at once. */
static void settle(struct hf_token *t, enum hf_token_state state)
{
	const struct hf_token_world *w = t->opt.world;
	struct hf_list now, *link;

	if (state != (enum hf_token_state)t->state)
		move(t, state);
	hf_list_init(&now);
	while ((link = hf_list_pop(&t->waits)) != NULL)
		hf_list_push(&now, link);
	while ((link = hf_list_pop(&now)) != NULL) {
		struct hf_token_wait *wait = hf_container_of(link, struct hf_token_wait, link);

		wait->ready(wait);
	}
	if (w->settled)
		w->settled(w->user, t->opt.origin);
}

static uint64_t delay_of(struct hf_token *t, uint64_t asked_for_ms)
{
	const struct hf_token_world *w = t->opt.world;
	uint32_t cap = w->backoff_cap_ms;

	/* Of an origin connectivity knows when to try again. */
	if (t->opt.endpoint.origin != HF_TOKEN_NO_ORIGIN && t->reason != HF_REASON_CREDENTIAL)
		cap = w->backoff_base_ms;
	if (asked_for_ms && asked_for_ms / 2 < cap)
		cap = (uint32_t)(asked_for_ms / 2);
	return asked_for_ms + hf_backoff_ms(w->rand, w->backoff_base_ms, cap, t->failures);
}

static void note_failure(struct hf_token *t, enum hf_reason reason, uint64_t asked_for_ms,
			 const char *why)
{
	bool told = t->reason == reason && t->failures > 0;

	t->reason = (uint8_t)reason;
	snprintf(t->why, sizeof(t->why), "%s", why);
	t->next_ms = now_ms(t) + delay_of(t, asked_for_ms);
	t->failures++;
	t->failed++;
	hf_log(t->opt.world->log, told ? HF_LOG_DEBUG : HF_LOG_WARNING, "credential.waiting",
	       "credential=%s why=%s", t->opt.name, t->why);
	move(t, HF_TOKEN_WAITING);
}

static void failed(struct hf_token *t, enum hf_reason reason, uint64_t asked_for_ms,
		   const char *why)
{
	note_failure(t, reason, asked_for_ms, why);
	settle(t, HF_TOKEN_WAITING);
}

static void broken(struct hf_token *t, const char *why)
{
	snprintf(t->why, sizeof(t->why), "%s", why);
	t->next_ms = now_ms(t) + BROKEN_AGAIN_MS;
	t->failures = 0;
	t->refused++;
	hf_log(t->opt.world->log, HF_LOG_ERROR, "credential.refused",
	       "credential=%s why=%s hint=\"what its files say is refused by the token endpoint\"",
	       t->opt.name, t->why);
	settle(t, HF_TOKEN_BROKEN);
}

static void ok(struct hf_token *t)
{
	t->failures = 0;
	t->next_ms = 0;
	settle(t, HF_TOKEN_OK);
}

/* ---- what is kept ---- */

static void save(struct hf_token *t);
static int fetch(struct hf_token *t);

static void fetch_or_fail(struct hf_token *t)
{
	if (fetch(t))
		failed(t, HF_REASON_BACKOFF, 0, "limit");
}

/* What is stored is what is known, or it could not be stored. */
static void saved(struct hf_store_op *op, int err)
{
	struct hf_token *t = op->user;

	t->storing = false;
	if (!err && t->uncommitted) { /* it has changed meanwhile */
		save(t);
		return;
	}
	if (err) {
		t->uncommitted = true;
		hf_log(t->opt.world->log, HF_LOG_ERROR, "credential.unsaved",
		       "credential=%s err=%s", t->opt.name, hf_errname(err));
	}
	if (t->state != HF_TOKEN_REFRESHING || t->fetch)
		return;
	if (err)
		failed(t, HF_REASON_BACKOFF, 0, "store");
	else if (t->access)
		ok(t);
	else
		fetch_or_fail(t);
}

static void save(struct hf_token *t)
{
	int err;

	if (t->storing)
		return;
	t->storing = true;
	t->uncommitted = false;
	t->meta.put = true;
	t->meta.op.done = saved;
	hf_buf_clear(&t->meta.value);
	err = hf_token_keep_encode(&t->keep, &t->meta.value);
	if (err)
		saved(&t->meta.op, err);
	else
		hf_store_meta(t->opt.world->store, &t->meta);
}

static uint64_t seed_of(const struct hf_token *t)
{
	return hf_token_seed(hf_span_str(t->refresh));
}

/* The refresh token to send. */
static struct hf_span refresh_token(const struct hf_token *t)
{
	const struct hf_token_kept *kept;

	if (!t->refresh)
		return hf_span(NULL, 0);
	kept = hf_token_keep_find(&t->keep, seed_of(t));
	if (!kept)
		return hf_span_str(t->refresh);
	return hf_span_str(t->tried_previous ? kept->previous : kept->current);
}

/* There is another one that may still be good. */
static bool has_previous(const struct hf_token *t)
{
	const struct hf_token_kept *kept = t->refresh ? hf_token_keep_find(&t->keep, seed_of(t)) :
							NULL;

	return kept && !t->tried_previous && strcmp(kept->previous, kept->current) != 0;
}

/* ---- an attempt ---- */

static int take_access(struct hf_token *t, const struct hf_token_answer *a)
{
	static const char scheme[] = "Bearer ";
	size_t size = sizeof(scheme) + a->access.len;
	char *value = malloc(size);
	uint64_t life = a->expires_s * UINT64_C(1000), margin;

	if (!value)
		return HF_ENOMEM;
	snprintf(value, size, "%s%.*s", scheme, HF_SPAN_ARG(a->access));
	drop_access(t);
	t->access = value;
	t->version = hf_span_hash(a->access);
	t->renew_ms = t->expires_ms = UINT64_MAX;
	if (a->expires_s == 0)
		return 0;
	if (life < LIFE_MIN_MS)
		life = LIFE_MIN_MS;
	margin = life / MARGIN_PART < MARGIN_MS ? life / MARGIN_PART : MARGIN_MS;
	t->expires_ms = t->asked_ms + life;
	t->renew_ms = t->expires_ms - margin;
	return 0;
}

/* The server has given another refresh token, or took the one before the last. */
static bool is_rotated(const struct hf_token *t, const struct hf_token_answer *a)
{
	if (!t->refresh)
		return false;
	return t->tried_previous || (a->refresh.ptr && !hf_span_eq(a->refresh, refresh_token(t)));
}

static void got(struct hf_token *t, const struct hf_token_answer *a)
{
	struct hf_span next = a->refresh.ptr ? a->refresh : refresh_token(t);
	bool rotated = is_rotated(t, a);
	int err = 0;

	if (rotated)
		err = hf_token_keep_rotate(&t->keep, seed_of(t), refresh_token(t), next);
	t->uncommitted |= rotated && !err;
	if (!err)
		err = take_access(t, a);
	t->tried_previous = false;
	if (err) {
		failed(t, HF_REASON_BACKOFF, 0, "memory");
		return;
	}
	t->got++;
	hf_log(t->opt.world->log, HF_LOG_INFO, "credential.refreshed", "credential=%s",
	       t->opt.name);
	if (t->uncommitted || t->storing)
		save(t); /* the access token is not used before */
	else
		ok(t);
}

static void fetched(void *user, const struct hf_token_result *r)
{
	struct hf_token *t = user;

	t->fetch = NULL;
	switch (r->end) {
	case HF_TOKEN_GOT:
		got(t, &r->answer);
		return;
	case HF_TOKEN_REFUSED:
		if (strcmp(r->why, "invalid_grant") == 0 && has_previous(t)) {
			t->tried_previous = true;
			fetch_or_fail(t);
			return;
		}
		broken(t, r->why);
		return;
	case HF_TOKEN_FAILED:
		failed(t, r->reason, r->delay_ms, r->why);
		return;
	}
}

static int fetch(struct hf_token *t)
{
	struct hf_token_request request = {
		.client_id = hf_span_str(t->opt.client_id),
		.secret = t->secret ? hf_span_str(t->secret) : hf_span(NULL, 0),
		.secret_in_body = t->opt.secret_in_body,
		.refresh = refresh_token(t),
		.scope = t->opt.scope,
	};
	int err;

	t->asked_ms = now_ms(t);
	err = hf_token_fetch_start(t->opt.world, &t->opt.endpoint, &request, fetched, t, &t->fetch);
	if (err)
		t->fetch = NULL;
	return err;
}

static void loaded(struct hf_store_op *op, int err)
{
	struct hf_token *t = op->user;

	t->storing = false;
	if (!err) {
		err = hf_token_keep_decode(hf_buf_span(&t->meta.value), &t->keep);
		if (err == HF_ECORRUPT) {
			hf_log(t->opt.world->log, HF_LOG_ERROR, "credential.damaged",
			       "credential=%s hint=\"what refresh-token-file says is tried\"",
			       t->opt.name);
			err = 0;
		}
	}
	hf_buf_clear(&t->meta.value);
	t->loaded = !err;
	if (err)
		failed(t, HF_REASON_BACKOFF, 0, "store");
	else
		fetch_or_fail(t);
}

/* Nobody is told of a failure that is one at once. */
static void begin(struct hf_token *t)
{
	move(t, HF_TOKEN_REFRESHING);
	t->tried_previous = false;
	if (t->uncommitted) {
		save(t);
		return;
	}
	if (!t->refresh || t->loaded) {
		if (fetch(t))
			note_failure(t, HF_REASON_BACKOFF, 0, "limit");
		return;
	}
	t->storing = true;
	t->meta.put = false;
	t->meta.op.done = loaded;
	hf_store_meta(t->opt.world->store, &t->meta);
}

/* ---- inputs ---- */

static bool is_same(const char *kept, struct hf_span now)
{
	return kept && now.ptr ? hf_span_eq_str(now, kept) : !kept && !now.ptr;
}

static bool has_inputs(const struct hf_token *t, const struct inputs *in)
{
	return is_same(t->secret, in->secret) && is_same(t->refresh, in->refresh) &&
	       is_same(t->identity, in->identity);
}

static void drop_inputs(struct hf_token *t)
{
	free(t->secret);
	free(t->refresh);
	free(t->identity);
	t->secret = t->refresh = t->identity = NULL;
}

static bool copy(struct hf_span text, char **out)
{
	*out = text.ptr ? hf_span_dup(text) : NULL;
	return *out || !text.ptr;
}

/* What was got with others is not good any more. */
static int set_inputs(struct hf_token *t, const struct inputs *in)
{
	if (has_inputs(t, in))
		return 0;
	drop_access(t);
	drop_inputs(t);
	t->failures = 0;
	t->next_ms = 0;
	if (t->state != HF_TOKEN_IDLE)
		move(t, HF_TOKEN_IDLE);
	if (copy(in->secret, &t->secret) && copy(in->refresh, &t->refresh) &&
	    copy(in->identity, &t->identity))
		return 0;
	drop_inputs(t);
	return HF_ENOMEM;
}

static int read_inputs(struct hf_token *t, struct hf_arena *arena, struct inputs *in,
		       const char **file)
{
	struct hf_port *port = t->opt.world->port;
	int err = 0;

	*file = t->opt.secret_file;
	if (t->opt.secret_file)
		err = hf_credential_read_line(port, t->opt.secret_file, LINE_MAX_BYTES, arena,
					      &in->secret);
	if (err || !t->opt.refresh_file)
		return err;
	*file = t->opt.refresh_file;
	err = hf_credential_read_line(port, t->opt.refresh_file, LINE_MAX_BYTES, arena,
				      &in->refresh);
	if (!err && !hf_token_is_valid(in->refresh, HF_REFRESH_TOKEN_MAX))
		err = HF_EIO;
	return err;
}

/* ---- public ---- */

/* Nothing of an attempt is under way, and none may be begun. */
static int not_now(const struct hf_token *t, struct hf_token_value *out)
{
	uint64_t now = now_ms(t);

	out->reason = (enum hf_reason)t->reason;
	out->delay_ms = t->next_ms > now ? t->next_ms - now : 0;
	if (t->opt.world->stopping) {
		out->reason = HF_REASON_NONE;
		out->delay_ms = STOPPING_MS;
		return HF_EBUSY;
	}
	if (out->delay_ms == 0)
		return 0;
	if (t->state == HF_TOKEN_BROKEN)
		return HF_ESTATE;
	return t->state == HF_TOKEN_WAITING ? HF_EBUSY : 0;
}

static int give(const struct hf_token *t, struct hf_arena *arena, struct hf_token_value *out)
{
	out->value = hf_arena_copy(arena, hf_span_str(t->access));
	out->version = t->version;
	return out->value.ptr ? 0 : HF_ENOMEM;
}

/* It may be sent: no refresh token that was got with it waits for its commit. */
static bool is_usable(const struct hf_token *t)
{
	return t->access && !t->uncommitted && !t->storing && now_ms(t) < t->expires_ms;
}

int hf_token_get(struct hf_token *t, struct hf_span identity, struct hf_arena *arena,
		 struct hf_token_value *out, const char **file)
{
	struct inputs in = { .identity = identity.len > 0 ? identity : hf_span(NULL, 0) };
	int err = read_inputs(t, arena, &in, file);

	if (err)
		return err;
	if (t->state == HF_TOKEN_REFRESHING) {
		if (is_usable(t) && has_inputs(t, &in))
			return give(t, arena, out);
		return HF_EAGAIN;
	}
	err = set_inputs(t, &in);
	if (err)
		return err;
	if (is_usable(t) && now_ms(t) < t->renew_ms)
		return give(t, arena, out);
	err = not_now(t, out);
	if (!err) {
		begin(t);
		err = t->state == HF_TOKEN_REFRESHING ? HF_EAGAIN : not_now(t, out);
	}
	return is_usable(t) ? give(t, arena, out) : err;
}

void hf_token_wait(struct hf_token *t, struct hf_token_wait *w)
{
	assert(t->state == HF_TOKEN_REFRESHING);
	hf_list_push(&t->waits, &w->link);
}

void hf_token_refused(struct hf_token *t, uint32_t version)
{
	if (!t->access || t->version != version)
		return;
	drop_access(t);
	if (t->state == HF_TOKEN_OK)
		move(t, HF_TOKEN_IDLE);
}

bool hf_token_is_idle(const struct hf_token *t)
{
	return t->state != HF_TOKEN_REFRESHING && !t->storing;
}

void hf_token_link(struct hf_token *t)
{
	if (t->state == HF_TOKEN_WAITING && t->reason != HF_REASON_CREDENTIAL &&
	    !hf_reason_binds(t->reason))
		t->next_ms = 0;
}

void hf_token_now(struct hf_token *t)
{
	if (t->state == HF_TOKEN_BROKEN ||
	    (t->state == HF_TOKEN_WAITING && !hf_reason_binds(t->reason)))
		t->next_ms = 0;
}

void hf_token_restore(struct hf_token *t)
{
	if (!t->loaded || t->keep.n == 0)
		return;
	t->uncommitted = true;
	if (t->state != HF_TOKEN_REFRESHING)
		begin(t);
	else if (!t->fetch)
		save(t); /* again, when what is being stored is the same */
}

void hf_token_figures(const struct hf_token *t, struct hf_token_figures *out)
{
	enum hf_token_state state = (enum hf_token_state)t->state;
	bool waits = state == HF_TOKEN_WAITING || state == HF_TOKEN_BROKEN;

	if (state == HF_TOKEN_OK && now_ms(t) >= t->expires_ms)
		state = HF_TOKEN_IDLE;
	*out = (struct hf_token_figures){
		.state = state,
		.since_ms = t->since_ms,
		.expires_ms = t->access && t->expires_ms != UINT64_MAX ? t->expires_ms : 0,
		.next_ms = waits ? t->next_ms : 0,
		.why = waits ? t->why : NULL,
		.got = t->got,
		.failed = t->failed,
		.refused = t->refused,
	};
}

int hf_token_create(const struct hf_token_options *opt, struct hf_token **out)
{
	struct hf_token *t = calloc(1, sizeof(*t));

	if (!t)
		return HF_ENOMEM;
	t->opt = *opt;
	t->since_ms = now_ms(t);
	hf_list_init(&t->waits);
	snprintf(t->key, sizeof(t->key), "token/%s", opt->name);
	t->meta.key = t->key;
	t->meta.op.user = t;
	hf_buf_init(&t->meta.value, KEEP_BYTES_MAX);
	*out = t;
	return 0;
}

void hf_token_destroy(struct hf_token *t)
{
	if (!t)
		return;
	hf_token_fetch_destroy(t->fetch);
	while (hf_list_pop(&t->waits))
		;
	drop_access(t);
	drop_inputs(t);
	hf_token_keep_finish(&t->keep);
	hf_buf_finish(&t->meta.value);
	free(t);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/credential.h"

#include <limits.h>
#include <stdlib.h>

enum fault {
	FAULT_NONE,
	FAULT_FILE,
	FAULT_IDENTITY,
};

struct hf_credential *hf_credential_find(struct hf_credentials *c, unsigned origin,
					 const char *name)
{
	for (size_t i = 0; c && i < c->n; i++)
		if (c->v[i].origin == origin && strcmp(c->v[i].name, name) == 0)
			return &c->v[i];
	return NULL;
}

struct hf_span hf_credential_line(struct hf_span text)
{
	while (text.len > 0 && strchr(" \t\r\n", text.ptr[text.len - 1]))
		text.len--;
	return text.len > 0 && hf_is_field_value(text) ? text : hf_span(NULL, 0);
}

int hf_credential_read_line(struct hf_port *port, const char *path, size_t max,
			    struct hf_arena *arena, struct hf_span *out)
{
	struct hf_span text;
	char *bytes;
	size_t len;
	int err = port->file_read(port, path, max, &bytes, &len);

	if (err)
		return err == HF_ENOMEM ? err : HF_EIO;
	text = hf_credential_line(hf_span(bytes, len));
	if (!text.ptr) {
		err = HF_EIO;
	} else {
		*out = hf_arena_copy(arena, text);
		err = out->ptr ? 0 : HF_ENOMEM;
	}
	free(bytes);
	return err;
}

static void tell(struct hf_credentials *c, struct hf_credential *x, enum fault fault,
		 const char *path)
{
	if (x->fault == fault)
		return;
	x->fault = (uint8_t)fault;
	if (fault == FAULT_NONE)
		hf_log(c->log, HF_LOG_INFO, "credential.usable", "credential=%s", x->name);
	else
		hf_log(c->log, HF_LOG_ERROR, "credential.unusable",
		       "credential=%s file=%s hint=\"one line of text that this user may read\"",
		       x->name, path);
}

const char *hf_credential_header(struct hf_credentials *c, unsigned origin, const char *name)
{
	const struct hf_credential *x = hf_credential_find(c, origin, name);

	return x ? x->header : NULL;
}

static int identity_of(struct hf_credentials *c, struct hf_credential *x, struct hf_arena *arena,
		       struct hf_span *out)
{
	int err = 0;

	*out = hf_span(NULL, 0);
	if (x->identity_file)
		err = hf_credential_read_line(c->port, x->identity_file, HF_IDENTITY_BYTES_MAX,
					      arena, out);
	if (err == HF_EIO)
		tell(c, x, FAULT_IDENTITY, x->identity_file);
	return err;
}

int hf_credential_identity(struct hf_credentials *c, unsigned origin, const char *name,
			   struct hf_arena *arena, struct hf_span *out)
{
	struct hf_credential *x = hf_credential_find(c, origin, name);

	return x ? identity_of(c, x, arena, out) : HF_ENOENT;
}

static int get_line(struct hf_credentials *c, struct hf_credential *x, struct hf_span identity,
		    struct hf_arena *arena, struct hf_credential_value *out)
{
	int err = hf_credential_read_line(c->port, x->file, HF_CREDENTIAL_BYTES_MAX, arena,
					  &out->value);
	struct hf_span now;

	if (err == HF_EIO)
		tell(c, x, FAULT_FILE, x->file);
	if (!err)
		err = identity_of(c, x, arena, &now);
	if (err)
		return err;
	tell(c, x, FAULT_NONE, NULL);
	out->version = hf_span_hash(out->value);
	return hf_span_eq(now, identity) ? 0 : HF_EPERM;
}

/* For someone else no token is got. Who it is, is looked at again behind the files
 * that the token was got with. */
static int get_token(struct hf_credentials *c, struct hf_credential *x, struct hf_span identity,
		     struct hf_arena *arena, struct hf_credential_value *out)
{
	struct hf_token_value value = { 0 };
	const char *file = NULL;
	struct hf_span now;
	int err = identity_of(c, x, arena, &now);

	if (!err && !hf_span_eq(now, identity))
		return HF_EPERM;
	if (!err)
		err = hf_token_get(x->token, identity, arena, &value, &file);
	if (err == HF_EIO && file)
		tell(c, x, FAULT_FILE, file);
	else if (err != HF_EIO && err != HF_ENOMEM) /* the files were read */
		tell(c, x, FAULT_NONE, NULL);
	out->reason = value.reason;
	out->delay_ms = value.delay_ms;
	if (err)
		return err;
	err = identity_of(c, x, arena, &now);
	if (err)
		return err;
	out->value = value.value;
	out->version = value.version;
	return hf_span_eq(now, identity) ? 0 : HF_EPERM;
}

int hf_credential_get(struct hf_credentials *c, unsigned origin, const char *name,
		      struct hf_span identity, struct hf_arena *arena,
		      struct hf_credential_value *out)
{
	struct hf_credential *x = hf_credential_find(c, origin, name);

	if (!x)
		return HF_ENOENT;
	*out = (struct hf_credential_value){ .header = x->header };
	return x->token ? get_token(c, x, identity, arena, out) :
			  get_line(c, x, identity, arena, out);
}

void hf_credential_wait(struct hf_credentials *c, unsigned origin, const char *name,
			struct hf_token_wait *w)
{
	hf_token_wait(hf_credential_find(c, origin, name)->token, w);
}

bool hf_credential_is_token(struct hf_credentials *c, unsigned origin, const char *name)
{
	const struct hf_credential *x = hf_credential_find(c, origin, name);

	return x && x->token;
}

void hf_credential_refused(struct hf_credentials *c, unsigned origin, const char *name,
			   uint32_t version)
{
	hf_token_refused(hf_credential_find(c, origin, name)->token, version);
}

/* ---- what is held ---- */

uint32_t hf_credential_version(const struct hf_credential_value *v, struct hf_span identity)
{
	uint32_t version = v->version * UINT32_C(31) + hf_span_hash(identity);

	return version ? version : 1;
}

/* Of several that were refused the last counts. */
void hf_credential_held(struct hf_credentials *c, unsigned origin, const char *name, bool refused,
			uint32_t version)
{
	struct hf_credential *x = hf_credential_find(c, origin, name);

	if (!x)
		return;
	x->holds = true;
	x->holds_refused = refused;
	x->holds_version = version;
	if (c->on_held)
		c->on_held(c->user, x);
}

/* ---- all of them ---- */

bool hf_credentials_are_idle(const struct hf_credentials *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].token && !hf_token_is_idle(c->v[i].token))
			return false;
	return true;
}

void hf_credentials_link(struct hf_credentials *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].token)
			hf_token_link(c->v[i].token);
}

void hf_credentials_now(struct hf_credentials *c, unsigned origin)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].token && (origin == UINT_MAX || origin == c->v[i].origin))
			hf_token_now(c->v[i].token);
}

void hf_credentials_restore(struct hf_credentials *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].token)
			hf_token_restore(c->v[i].token);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/credential.h"

#include <stdlib.h>

enum fault {
	FAULT_NONE,
	FAULT_FILE,
	FAULT_IDENTITY,
};

static struct hf_credential *find(struct hf_credentials *c, unsigned origin, const char *name)
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

/* The line in @path. */
static int read_line(struct hf_credentials *c, const char *path, size_t max, struct hf_arena *arena,
		     struct hf_span *out)
{
	struct hf_span text;
	char *bytes;
	size_t len;
	int err = c->port->file_read(c->port, path, max, &bytes, &len);

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

static void tell(struct hf_credentials *c, struct hf_credential *x, enum fault fault)
{
	const char *path = fault == FAULT_IDENTITY ? x->identity_file : x->file;

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
	const struct hf_credential *x = find(c, origin, name);

	return x ? x->header : NULL;
}

static int identity_of(struct hf_credentials *c, struct hf_credential *x, struct hf_arena *arena,
		       struct hf_span *out)
{
	int err = 0;

	*out = hf_span(NULL, 0);
	if (x->identity_file)
		err = read_line(c, x->identity_file, HF_IDENTITY_BYTES_MAX, arena, out);
	if (err == HF_EIO)
		tell(c, x, FAULT_IDENTITY);
	return err;
}

int hf_credential_identity(struct hf_credentials *c, unsigned origin, const char *name,
			   struct hf_arena *arena, struct hf_span *out)
{
	struct hf_credential *x = find(c, origin, name);

	return x ? identity_of(c, x, arena, out) : HF_ENOENT;
}

int hf_credential_get(struct hf_credentials *c, unsigned origin, const char *name,
		      struct hf_span identity, struct hf_arena *arena,
		      struct hf_credential_value *out)
{
	struct hf_credential *x = find(c, origin, name);
	struct hf_span now;
	int err;

	if (!x)
		return HF_ENOENT;
	*out = (struct hf_credential_value){ .header = x->header };
	err = read_line(c, x->file, HF_CREDENTIAL_BYTES_MAX, arena, &out->value);
	if (err == HF_EIO)
		tell(c, x, FAULT_FILE);
	if (!err)
		err = identity_of(c, x, arena, &now);
	if (err)
		return err;
	tell(c, x, FAULT_NONE);
	out->version = hf_span_hash(out->value);
	return hf_span_eq(now, identity) ? 0 : HF_EPERM;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of the device: a field that is added when a request is sent, live
 * or replayed: from a file that is read each time, or a token (sync/token.h). It is
 * never stored with the request, so a token that was renewed meanwhile is used, and
 * no request in a stolen database has one.
 *
 * What a request keeps is for whom it was accepted: the text of identity-file at
 * that time. It is sent for nobody else.
 */
#ifndef HF_SYNC_CREDENTIAL_H
#define HF_SYNC_CREDENTIAL_H

#include "base/arena.h"
#include "base/log.h"
#include "holdfast/port.h"
#include "http/message.h"
#include "sync/token.h"

#define HF_CREDENTIAL_BYTES_MAX 8192
#define HF_IDENTITY_BYTES_MAX	255

struct hf_credential {
	const char *name;
	unsigned origin;
	const char *header;	   /* "Authorization" */
	const char *file;	   /* the value, without the line's end; NULL: */
	struct hf_token *token;	   /* the value is a token, else NULL; owned */
	const char *identity_file; /* NULL: everything is sent for the same one */
	uint8_t fault;		   /* private: what was logged last */
	/* Records wait for another one of it: is held. */
	bool holds;
	bool holds_refused;	/* the origin refused @holds_version, else there was none */
	uint32_t holds_version; /* hf_credential_version; 0: not known */
};

struct hf_credentials {
	struct hf_port *port;
	struct hf_log *log;
	struct hf_credential *v;
	size_t n;
	struct hf_token_world world; /* of the tokens */
	/* A record is held for want of @x, or of another one of it. */
	void (*on_held)(void *user, struct hf_credential *x);
	void *user;
};

struct hf_credential_value {
	const char *header;
	struct hf_span value; /* in the arena */
	uint32_t version;     /* changes with the value */
	/* HF_EBUSY: why, and for how long */
	enum hf_reason reason;
	uint64_t delay_ms;
};

/* @text without the line's end; ptr NULL: it is empty, or more than a line. */
struct hf_span hf_credential_line(struct hf_span text);
/* NULL: no such credential of @origin. */
const char *hf_credential_header(struct hf_credentials *c, unsigned origin, const char *name);
/* For whom requests are accepted now. HF_ENOENT: no such credential of @origin.
 * HF_EIO: the file cannot be read, or what is in it cannot be sent (logged once,
 * until it can). HF_ENOMEM. */
int hf_credential_identity(struct hf_credentials *c, unsigned origin, const char *name,
			   struct hf_arena *arena, struct hf_span *out);
/* What is to be sent now of a request that was accepted for @identity. HF_EPERM:
 * that is someone else now. The value is read first: whoever changes both files
 * begins with the identity. Of a token also HF_EAGAIN (hf_credential_wait), HF_EBUSY
 * and HF_ESTATE, see hf_token_get. Other errors as above. */
int hf_credential_get(struct hf_credentials *c, unsigned origin, const char *name,
		      struct hf_span identity, struct hf_arena *arena,
		      struct hf_credential_value *out);
/* After HF_EAGAIN. */
void hf_credential_wait(struct hf_credentials *c, unsigned origin, const char *name,
			struct hf_token_wait *w);
/* Whether another one can be got when the origin refuses it. */
bool hf_credential_is_token(struct hf_credentials *c, unsigned origin, const char *name);
/* The origin has said 401 to @version of a token. */
void hf_credential_refused(struct hf_credentials *c, unsigned origin, const char *name,
			   uint32_t version);

/* NULL: no such credential of @origin. */
struct hf_credential *hf_credential_find(struct hf_credentials *c, unsigned origin,
					 const char *name);
/* Of a value of it for @identity; never 0. */
uint32_t hf_credential_version(const struct hf_credential_value *v, struct hf_span identity);
/* A record is held for it, @refused: by the origin, and with @version. */
void hf_credential_held(struct hf_credentials *c, unsigned origin, const char *name, bool refused,
			uint32_t version);

/* ---- all of them ---- */

/* No token is on its way, none is being saved. */
bool hf_credentials_are_idle(const struct hf_credentials *c);
void hf_credentials_link(struct hf_credentials *c);
/* Of @origin; UINT_MAX: of all. */
void hf_credentials_now(struct hf_credentials *c, unsigned origin);
void hf_credentials_restore(struct hf_credentials *c);

#endif

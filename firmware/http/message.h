/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP message head (RFC 9110, RFC 9112): what the reader yields, the
 * writer takes and everything between passes on. All spans belong to the arena
 * of whoever made the message.
 */
#ifndef HF_HTTP_MESSAGE_H
#define HF_HTTP_MESSAGE_H

#include "base/arena.h"
#include "base/span.h"

/* One field line, in order of arrival. Names keep their case; comparing is
 * case-insensitive. Values are without surrounding white space. */
struct hf_field {
	struct hf_span name;
	struct hf_span value;
};

struct hf_fields {
	struct hf_field *v;
	size_t n, cap;
	struct hf_arena *arena; /* where v grows */
};

enum hf_body_kind {
	HF_BODY_NONE,	/* no body follows */
	HF_BODY_LENGTH, /* body_len bytes */
	HF_BODY_CHUNKED,
	HF_BODY_CLOSE, /* responses: until the connection ends */
};

#define HF_LEN_UNKNOWN UINT64_MAX
#define HF_LEN_MAX     ((uint64_t)INT64_MAX) /* what others can count, too */

struct hf_message {
	/* request */
	struct hf_span method;
	struct hf_span target; /* as sent: origin-form, absolute-form or "*" */
	struct hf_span key;    /* for idempotency; ptr NULL: that of Idempotency-Key, if any */
	/* response */
	int status;
	struct hf_span reason;
	/* both */
	int minor; /* HTTP/1.minor */
	struct hf_fields fields;
	enum hf_body_kind body;
	uint64_t body_len; /* HF_BODY_LENGTH; NONE: 0, else HF_LEN_UNKNOWN */
	bool keep_alive;   /* the connection may be used again after it */
	bool upgrade;	   /* request: asks for one; response: 101 */
	bool expect_continue;
	bool local; /* response: ours, in the origin's place */
};

void hf_fields_init(struct hf_fields *f, struct hf_arena *arena);
/* Keeps the spans as they are (no copy). HF_ENOMEM. */
int hf_fields_add(struct hf_fields *f, struct hf_span name, struct hf_span value);
int hf_fields_add_first(struct hf_fields *f, struct hf_span name, struct hf_span value);
/* First value of @name, or NULL. */
const struct hf_span *hf_fields_get(const struct hf_fields *f, const char *name);
/* How many lines carry @name. */
size_t hf_fields_count(const struct hf_fields *f, const char *name);
/* Removes all lines of @name; returns how many. */
size_t hf_fields_remove(struct hf_fields *f, const char *name);
/* Removes all of @name, then adds one. */
int hf_fields_set(struct hf_fields *f, struct hf_span name, struct hf_span value);
/* True when a comma-separated list field holds @token (case-insensitive), over
 * all lines of @name; parameters after ';' are ignored. */
bool hf_fields_has_token(const struct hf_fields *f, const char *name, const char *token);
/* Cuts the next member off a comma-separated list (RFC 9110 section 5.6.1),
 * trimmed; commas inside quotes do not count. Empty members are passed over.
 * False at the end. */
bool hf_list_next(struct hf_span *rest, struct hf_span *member);
/* Deep copy into @arena, in one allocation; @to needs no init. HF_ENOMEM. */
int hf_fields_copy(struct hf_fields *to, const struct hf_fields *from, struct hf_arena *arena);

/* Removes what a hop must not pass on (RFC 9110 section 7.6.1): Connection and
 * the fields it names, Keep-Alive, Proxy-Connection, Transfer-Encoding, TE,
 * Upgrade, Proxy-Authenticate, Proxy-Authorization, Proxy-Authentication-Info.
 * Fields that Connection may not name (Host, Content-Length, Cache-Control,
 * Authorization, Cookie, ...) stay, and so does Trailer: trailers are passed
 * on. */
void hf_fields_strip_hop(struct hf_fields *f);

/* Methods (RFC 9110 section 9.2): registered ones only, else false. */
bool hf_method_is_safe(struct hf_span method);
bool hf_method_is_idempotent(struct hf_span method);
bool hf_is_token(struct hf_span s); /* RFC 9110 section 5.6.2 */
/* At least one byte, all of them printable ASCII without the space. */
bool hf_is_visible(struct hf_span s);
/* A field value's bytes (RFC 9110 section 5.5): no control bytes but HTAB. */
bool hf_is_field_value(struct hf_span s);
/* Standard reason phrase, "" when unknown; static storage. */
const char *hf_status_reason(int status);

#endif

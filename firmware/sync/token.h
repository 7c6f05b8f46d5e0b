/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OAuth 2.0 access token of a credential: by client credentials (RFC 6749
 * section 4.4) or by a refresh token (section 6). It is got when a request needs
 * it, lives in memory until it expires in boot time, and one request to the token
 * endpoint serves all that wait for it.
 *
 *   IDLE -> REFRESHING -> OK | WAITING (again later) | BROKEN (refused)
 *
 * It is good for the client secret, the refresh token and the identity that it
 * was got with: when one of their files says something else, it is got anew. A
 * refresh token that the server gives in the old one's place is committed before
 * the access token beside it is used (sync/token_keep.h).
 */
#ifndef HF_SYNC_TOKEN_H
#define HF_SYNC_TOKEN_H

#include "sync/token_fetch.h"

struct hf_token;

struct hf_token_options {
	const struct hf_token_world *world;
	const char *name; /* of the credential */
	unsigned origin;  /* of the credential */
	struct hf_token_endpoint endpoint;
	const char *client_id;
	const char *secret_file;  /* NULL: a public client */
	const char *refresh_file; /* NULL: client credentials */
	const char *scope;	  /* NULL: none */
	bool secret_in_body;
};

enum hf_token_state {
	HF_TOKEN_IDLE,	     /* none was needed yet, or it was refused or has expired */
	HF_TOKEN_REFRESHING, /* one is on its way */
	HF_TOKEN_OK,
	HF_TOKEN_WAITING, /* the endpoint gave none, and is asked again */
	HF_TOKEN_BROKEN,  /* the endpoint refuses: a person is needed */
};
const char *hf_token_state_name(enum hf_token_state state);

struct hf_token_value {
	struct hf_span value; /* "Bearer ...", in the arena */
	uint32_t version;
	/* HF_EBUSY: why, and for how long */
	enum hf_reason reason;
	uint64_t delay_ms;
};

/* Told once, on a later turn or from within hf_token_get of another; hf_list_remove
 * of the link before that: not told. */
struct hf_token_wait {
	void (*ready)(struct hf_token_wait *w);
	struct hf_list link;
};

/* Strings of @opt stay valid. HF_ENOMEM. */
int hf_token_create(const struct hf_token_options *opt, struct hf_token **out);
/* NULL is fine. Nobody is told. */
void hf_token_destroy(struct hf_token *t);

/* What is to be sent now for @identity. HF_EAGAIN: it is on its way, hf_token_wait.
 * HF_EBUSY: not to be had for now. HF_ESTATE: the endpoint refuses. HF_EIO: a file
 * cannot be read (*file: which). HF_ENOMEM. */
int hf_token_get(struct hf_token *t, struct hf_span identity, struct hf_arena *arena,
		 struct hf_token_value *out, const char **file);
void hf_token_wait(struct hf_token *t, struct hf_token_wait *w);
/* The origin has said 401 to that one. */
void hf_token_refused(struct hf_token *t, uint32_t version);
/* Whether there is a state that will not go on by itself. */
bool hf_token_is_idle(const struct hf_token *t);

/* The endpoint may be asked again before its time. */
void hf_token_link(struct hf_token *t);
void hf_token_now(struct hf_token *t); /* a person says so; not before a Retry-After */
/* The store may have lost what was kept in it: once more. */
void hf_token_restore(struct hf_token *t);

struct hf_token_figures {
	enum hf_token_state state;
	uint64_t since_ms;   /* boot time, of the state */
	uint64_t expires_ms; /* boot time; 0: unknown, or there is none */
	uint64_t next_ms;    /* boot time of the next try; 0: with the next request */
	const char *why;     /* of WAITING and BROKEN, else NULL */
	uint64_t got, failed, refused;
};
void hf_token_figures(const struct hf_token *t, struct hf_token_figures *out);

/* The one line of text in @path, in the arena. HF_EIO, HF_ENOMEM. */
int hf_credential_read_line(struct hf_port *port, const char *path, size_t max,
			    struct hf_arena *arena, struct hf_span *out);

#endif

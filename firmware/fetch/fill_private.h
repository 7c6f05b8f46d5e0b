/* SPDX-License-Identifier: Apache-2.0 */
/* Private to fill.c (the exchange), fill_store.c (what is stored of an answer) and
 * fill_body.c (the way of the body). */
#ifndef HF_FETCH_FILL_PRIVATE_H
#define HF_FETCH_FILL_PRIVATE_H

#include "fetch/fill.h"

enum hf_fill_state {
	HF_FILL_ASK,
	HF_FILL_BODY,
	HF_FILL_KEEP,
	HF_FILL_OVER,
};

/* A piece on its way from the shelf to a listener that is behind. */
struct hf_fill_read {
	struct hf_shelf_read op;
	struct hf_fill *fill;
	struct hf_fill_listener *listener; /* NULL: it has left */
	struct hf_list link;
};

struct hf_fill {
	struct hf_fetch *fetch;
	struct hf_list link, listeners;
	struct hf_arena arena;
	unsigned origin;
	struct hf_transport *transport;
	struct hf_exchange *exchange;
	struct hf_fill_terms terms;
	struct hf_span url;
	struct hf_message request, conditional;
	struct hf_stored *v[HF_SHELF_VARIANTS_MAX];
	size_t n;
	int selected;
	bool own_condition; /* the one that was sent is ours */
	bool shared;	    /* others may join before the answer is there */
	bool keep;	    /* goes on without a listener, to see whether it can be stored */
	bool again;	    /* the 304 confirmed nothing: without a condition */
	uint32_t way;	    /* hf_cache_way() when it was asked for */
	uint32_t marks;	    /* HF_STORED_*: what was said of the URL since it was asked for */
	uint32_t first_byte_timeout_ms;
	void (*over)(void *user, int err, int status);
	void *over_user;
	uint8_t state; /* enum hf_fill_state */
	unsigned depth;
	struct hf_timer kick;

	int status;
	struct hf_message head; /* in the arena when storing, else the exchange's */
	struct hf_fields stored_fields;
	struct hf_span variant;
	struct hf_cache_times times;

	/* Of the body: [0, stored_len) is on the shelf, then flight, then window. */
	bool storing, throttled;
	uint64_t len, stored_len;
	struct hf_buf flight, window;
	struct hf_shelf_intake intake;
	struct hf_shelf_append append;
	struct hf_shelf_discard discard;
	bool appending, putting, kept;
	struct hf_cache_put put;
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	uint64_t body;		   /* of the entry, once it is there */
	struct hf_shelf_hold hold; /* of it, while there are listeners */
	bool held;
	unsigned reads;
	struct hf_list reading;
	enum hf_end end;
	int err, keep_err; /* of the exchange, of the shelf */
};

void hf_fill_enter(struct hf_fill *f);
void hf_fill_exit(struct hf_fill *f); /* may free it */
void hf_fill_end_listener(struct hf_fill_listener *l, const struct hf_exchange_result *result,
			  const struct hf_fields *trailers);
void hf_fill_kick(struct hf_fill *f);

/* Its bytes go past us: not stored, and nothing of it is in memory. */
static inline bool hf_fill_is_direct(const struct hf_fill *f)
{
	return !f->storing && f->flight.len == 0 && f->window.len == 0 && f->intake.body == 0;
}

/* ---- fill_store.c ---- */

/* Whether the answer of @variant is the one to @request as well. */
bool hf_fill_is_for(struct hf_fill *f, struct hf_span variant, const struct hf_fields *request);

/* Flags of what it stores. */
uint32_t hf_fill_flags(const struct hf_fill *f);
/* Whether what @head says of @s, which stays as it is, is its origin's word. */
bool hf_fill_may_update(const struct hf_fill *f, const struct hf_stored *s,
			const struct hf_message *head);
/* What a HEAD says of a stored GET. */
void hf_fill_head_answered(struct hf_fill *f, const struct hf_message *head);
/* What is valid was stored for another variant: it is stored for the one that was asked
 * for as well, and stays as it is. A reference to what answers that, NULL without
 * memory. */
struct hf_stored *hf_fill_keep_twin(struct hf_fill *f, struct hf_stored *s,
				    const struct hf_fields *fields);
/* How an answer of @variant is put. */
void hf_fill_put_init(struct hf_fill *f, int status, const struct hf_fields *fields);
bool hf_fill_may_store(struct hf_fill *f, const struct hf_message *head);
/* Takes @head into its own memory, to be stored. HF_ENOMEM. */
int hf_fill_keep_head(struct hf_fill *f, const struct hf_message *head);

/* ---- fill_body.c ---- */

/* Hands listeners what there is for them. */
void hf_fill_pump(struct hf_fill *f);
void hf_fill_pump_heads(struct hf_fill *f);
/* Hands the shelf its next piece, and what is complete to the cache. */
void hf_fill_append(struct hf_fill *f);
/* It will not be stored. */
void hf_fill_give_up(struct hf_fill *f);
/* Forgets what every listener has. */
void hf_fill_trim(struct hf_fill *f);
void hf_fill_throttle(struct hf_fill *f);
/* Deletes what the shelf has of a body that is not kept; frees the fill. */
void hf_fill_discard(struct hf_fill *f);
void hf_fill_forget_reads(struct hf_fill *f);

#endif

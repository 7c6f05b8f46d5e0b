/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue's tables as operations. A record is one accepted request.
 *
 * Row id: lane << 40 | ordinal. A lane's records stand together in the B-tree
 * in the order of acceptance: the head of a lane is one seek, no index is
 * needed, and no memory grows with the queue.
 *
 *   lane    id, head/tail/holes, origin, key   one row a lane
 *   record  id, state (64 bytes)               small: links to the two below
 *   request seq, id, head, body                in the order of acceptance
 *   outcome seq, id, summary, head, body       the stored answers, in the order of
 *                                              settling; dead: the same for DEAD
 *   blob    blob << 24 | n, bytes              bodies too large for a row
 *   dependent child, parent                    records that wait for another one
 *   meta    key, value
 *
 * Marking an attempt overwrites 64 bytes in a page without bodies. A record is
 * settled by one transaction that writes its outcome and its state.
 *
 * Every op is embedded in the caller's struct; inputs stay valid until done.
 * Outputs are valid from done until the op's finish function or its next use.
 */
#ifndef HF_STORE_RECORDS_H
#define HF_STORE_RECORDS_H

#include "base/buf.h"
#include "store/store.h"

enum hf_record_status {
	HF_RECORD_QUEUED = 1,
	HF_RECORD_HELD = 2,	 /* waits for a person or a condition; reason says */
	HF_RECORD_SETTLED = 3,	 /* the origin's answer is stored */
	HF_RECORD_DEAD = 4,	 /* will not be tried again; kept with its reason */
	HF_RECORD_CANCELLED = 5, /* by the panel or the operator */
};

/* hf_record_state.reason of a DEAD record whose request was lost to damage, and of a
 * final one that was made anew for an answer whose record was lost. */
#define HF_RECORD_REASON_DAMAGED 255

#define HF_LANE_BITS		    23
#define HF_ORDINAL_BITS		    40
#define HF_RECORD_ID(lane, ordinal) (((uint64_t)(lane) << HF_ORDINAL_BITS) | (ordinal))
#define HF_RECORD_LANE(id)	    ((uint32_t)((id) >> HF_ORDINAL_BITS))

/* The changing part of a record, 64 bytes on disk, little-endian. Times are in
 * device time: boot-time milliseconds accumulated over all boots. */
struct hf_record_state {
	uint8_t status;	      /* enum hf_record_status */
	uint8_t reason;	      /* enum hf_reason of queue/, 0: none */
	bool inflight;	      /* an attempt was begun and not yet classified */
	bool maybe_received;  /* some attempt may have reached the origin and had its
			       * effect: one that it refused for good did not */
	uint8_t same_500;     /* equal 500 answers in a row */
	uint8_t conflicts;    /* 409 in a row */
	uint16_t last_status; /* of the last answer, 0: none */
	uint8_t last_end;     /* enum hf_end of the last attempt + 1, 0: none */
	uint8_t urgency;      /* of its policy, 0 to 7 */
	uint32_t attempts;    /* that were counted */
	uint32_t tag;	      /* random: the secret part of the public id */
	uint64_t created_dev_ms;
	int64_t created_wall_ms;    /* 0: the clock was not trusted */
	uint64_t first_sent_dev_ms; /* valid when maybe_received */
	uint64_t settled_dev_ms;    /* of a final one */
	/* Of a waiting one, what a restart must keep: no attempt before, in seconds
	 * of device time and of the wall clock; 0: no such time, not known. */
	uint32_t not_before_dev_s, not_before_wall_s;
	uint32_t body_hash; /* of the last 500's body, for same_500 */
};

/* ---- lanes ---- */

struct hf_lane_row {
	uint32_t id;
	struct hf_span origin, key; /* in the op's memory */
	/* First record of the lane that is queued or held, 0: none. */
	uint64_t head_id;
	struct hf_record_state head_state;
	uint64_t tail_id; /* last record ever given in this lane, 0: none */
	uint64_t waiting; /* records from head to tail that are queued or held */
};

/* All lanes, at start. */
struct hf_store_lanes {
	struct hf_store_op op;
	struct hf_lane_row *rows;
	size_t n;
	void *memory;
};
void hf_store_lanes(struct hf_store *s, struct hf_store_lanes *l);
void hf_store_lanes_finish(struct hf_store_lanes *l);

/* Gives (origin, key) an id, an existing one or a new one; HF_ELIMIT: there are
 * 2^23 lanes. An id is given again when all have been. Removing: only when nothing
 * of it is left (HF_EBUSY else). */
struct hf_store_lane {
	struct hf_store_op op;
	struct hf_span origin, key; /* in */
	bool remove;		    /* in: remove lane @id instead */
	uint32_t id;		    /* out (in for remove) */
};
void hf_store_lane(struct hf_store *s, struct hf_store_lane *l);

/* Lanes of which nothing is left but their names, a page of the table at a time. */
#define HF_STORE_IDLE_MAX 128
struct hf_store_idle {
	struct hf_store_op op;
	uint32_t after; /* in: 0 for the first page */
	uint32_t ids[HF_STORE_IDLE_MAX];
	size_t n;
	bool more;     /* ask again with @next as @after */
	uint32_t next; /* out */
};
void hf_store_idle(struct hf_store *s, struct hf_store_idle *l);

/* ---- bodies too large for a row ---- */

/* Appends a chunk of at most 1 MiB. @blob 0 starts a new blob and returns its
 * number. Blobs nobody refers to are deleted after the next start. Not
 * privileged. */
struct hf_store_blob_append {
	struct hf_store_op op;
	uint64_t blob;	     /* in/out */
	uint32_t n;	     /* in: 0, 1, 2... */
	struct hf_span data; /* in */
	bool fresh;	     /* the store's own */
};
void hf_store_blob_append(struct hf_store *s, struct hf_store_blob_append *a);
/* Chunk @n of @blob into @data; HF_ENOENT behind the last one, HF_ECORRUPT when
 * it is not what was appended. */
struct hf_store_blob_read {
	struct hf_store_op op;
	uint64_t blob;
	uint32_t n;
	struct hf_buf data; /* out; init by the caller, cleared and filled */
};
void hf_store_blob_read(struct hf_store *s, struct hf_store_blob_read *r);
/* For a blob that no record refers to (an upload that was given up). */
struct hf_store_blob_delete {
	struct hf_store_op op;
	uint64_t blob;
};
void hf_store_blob_delete(struct hf_store *s, struct hf_store_blob_delete *d);

/* ---- records ---- */

/* Accepts a record at the end of its lane. HF_EFULL, HF_ENOENT (no such lane);
 * HF_ESTATE: the one that it waits for is DEAD, CANCELLED or gone; HF_EBUSY:
 * dependents_max wait for that one. Not privileged. */
struct hf_store_insert {
	struct hf_store_op op;
	uint32_t lane;		      /* in */
	struct hf_record_state state; /* in; status QUEUED or HELD */
	struct hf_span head;	      /* in: queue/record's encoding */
	struct hf_span body;	      /* in: the whole body, when blob is 0 */
	uint64_t blob;		      /* in: or the blob that holds it */
	uint64_t body_len;	      /* in */
	uint64_t parent;	      /* in: the record it waits for, 0: none */
	unsigned dependents_max;      /* in: with a parent */
	uint64_t id;		      /* out */
};
void hf_store_insert(struct hf_store *s, struct hf_store_insert *i);

/* Reads a record: with @next the first one of the lane of @id whose id is >= @id
 * and that is queued or held, else exactly @id whatever its state. HF_ENOENT;
 * HF_ECORRUPT: the content does not match its checksum. */
struct hf_store_load {
	struct hf_store_op op;
	uint64_t id; /* in/out */
	bool next;
	bool head_only; /* leave the body out */
	/* in: on the store thread, with the record read: true when its state is to
	 * be written as *@state (a copy of l->state) in the same transaction. May be
	 * called again. NULL: nothing is written. */
	bool (*mark)(const struct hf_store_load *l, struct hf_record_state *state);
	uint64_t mark_dev_ms; /* in: for mark */
	bool marked;	      /* out: @mark_state is on the medium, state is what was */
	struct hf_record_state mark_state;
	struct hf_record_state state;
	struct hf_buf head, body; /* out: owned by the op; init by hf_store_load_init */
	uint64_t blob, body_len;
	/* The outcome, when there is one (also when the request is purged). */
	bool has_outcome;
	struct hf_buf outcome_head, outcome_body, summary;
	uint64_t outcome_blob, outcome_body_len;
	bool has_record; /* the request is there; false: only state and outcome are left */
	/* It went again as another record (hf_store_requeue), that one maybe too:
	 * the last of them, 0 when it is gone. */
	bool replaced;
	uint64_t replaced_by;
	struct hf_record_state replaced_state;
	uint64_t parent; /* the record it waits for or waited for, 0: none, not known */
};
void hf_store_load_init(struct hf_store_load *l);
void hf_store_load_finish(struct hf_store_load *l);
void hf_store_load(struct hf_store *s, struct hf_store_load *l);

/* Rewrites the state of a record that is queued or held (marking an attempt,
 * holding, releasing). HF_ENOENT; HF_ESTATE when it is final. Privileged. */
struct hf_store_mark {
	struct hf_store_op op;
	uint64_t id;
	struct hf_record_state state;
};
void hf_store_mark(struct hf_store *s, struct hf_store_mark *m);

/* Makes a record final (SETTLED, DEAD, CANCELLED) together with its outcome.
 * A DEAD record keeps its request. HF_ENOENT, HF_ESTATE. Privileged, but for a
 * body of more than 4 KiB: HF_EFULL says that it would need the reserve. */
struct hf_store_settle {
	struct hf_store_op op;
	uint64_t id;
	struct hf_record_state state;
	struct hf_span summary; /* kept with the outcome after the record is purged */
	struct hf_span head;	/* the answer's head, queue/record's encoding; may be empty */
	struct hf_span body;	/* the answer's body, when blob is 0 */
	uint64_t blob;
	uint64_t body_len;
	bool has_dependents; /* out: others wait for it, or waited and may go again */
};
void hf_store_settle(struct hf_store *s, struct hf_store_settle *x);

/* Brings a DEAD, HELD or CANCELLED record back to the end of its lane as a new
 * row with the same head, body and tag. The row of a HELD one is removed; that of
 * a final one stays with its outcome, for as long as those are kept, and leads to
 * the new one; lists leave it out. One that may have been received stays so, and
 * the age of its key begins anew. @id in: the old one, out: the new one.
 * HF_ENOENT (also: the request of a CANCELLED one is purged), HF_ESTATE (also: it
 * is replaced already). */
struct hf_store_requeue {
	struct hf_store_op op;
	uint64_t id;
	uint64_t created_dev_ms;
	bool has_dependents; /* out: as of settle; they are the new one's now */
	uint64_t old_id;     /* the store's own */
};
void hf_store_requeue(struct hf_store *s, struct hf_store_requeue *r);

/* ---- dependents: records that wait for another one ---- */

/* A link stays as long as the dependent may still be sent: until it is SETTLED, or
 * gone. A record that others lead to is not purged, and neither is its answer. */
#define HF_STORE_DEPENDENTS_MAX 32
struct hf_dependent {
	uint64_t id, parent;
	struct hf_record_state state, parent_state;
	bool parent_gone; /* parent_state is not valid */
};
/* A page of them, ordered by id, from > @after. The store remembers that someone
 * has to look: @due counts the ends (but SETTLED) and the requeues of records with
 * dependents, 0: all were looked at. */
struct hf_store_dependents {
	struct hf_store_op op;
	uint64_t parent; /* in: of this record, 0: of all */
	uint64_t after;	 /* in: 0 for the first page */
	struct hf_dependent v[HF_STORE_DEPENDENTS_MAX];
	size_t n;
	bool more;     /* ask again with @next as @after */
	uint64_t next; /* out */
	uint64_t due;  /* out */
};
void hf_store_dependents(struct hf_store *s, struct hf_store_dependents *d);
/* All that d->due counted were looked at; what came since stays due. Reports to
 * d->op.done. Privileged. */
void hf_store_dependents_seen(struct hf_store *s, struct hf_store_dependents *d);

/* A page of records for lists, ordered by id, from > @after. */
#define HF_STORE_LIST_MAX 64
struct hf_record_brief {
	uint64_t id;
	struct hf_record_state state;
	struct hf_span head; /* request head when the row is there, else the summary */
	bool head_is_summary;
	uint64_t body_len;
	bool has_outcome;
	struct hf_span outcome_head;
	uint64_t outcome_body_len;
};
struct hf_store_list {
	struct hf_store_op op;
	uint64_t after;	     /* in: 0 for the first page */
	uint32_t status_set; /* in: bit set of 1 << enum hf_record_status, 0: all */
	uint32_t lane;	     /* in: 0: all lanes (lane ids begin at 1) */
	size_t limit;	     /* in: at most HF_STORE_LIST_MAX */
	struct hf_record_brief v[HF_STORE_LIST_MAX];
	size_t n;
	bool more;     /* there may be others: ask again with @next as @after */
	uint64_t next; /* out; a call looks at a bounded number of rows, so n may be
			* small, even 0, with more set */
	void *memory;  /* freed by hf_store_list_finish */
};
void hf_store_list(struct hf_store *s, struct hf_store_list *l);
void hf_store_list_finish(struct hf_store_list *l);

/* Housekeeping: removes requests of settled and cancelled records (the store
 * does that by itself, 64 at a time, too), outcomes settled before
 * @before_dev_ms with their records, dead ones past @dead_max (oldest first),
 * and their blobs: at most @budget rows of each. Privileged. */
struct hf_store_purge {
	struct hf_store_op op;
	uint64_t before_dev_ms;
	uint64_t dead_max;
	unsigned budget;
	unsigned rows, outcomes, dead; /* out: removed */
	bool more;		       /* out: call again */
};
void hf_store_purge(struct hf_store *s, struct hf_store_purge *p);
/* The @n oldest answers, whatever their age; no dead one. */
void hf_store_purge_oldest(struct hf_store *s, struct hf_store_purge *p, unsigned n,
			   void (*done)(struct hf_store_op *op, int err), void *user);

/* ---- meta: small named values of other modules ---- */

/* Reserved: "device_ms" (uint64 little-endian), written by the agent at most
 * once a minute with other work; the report's device_ms is the maximum of it
 * and of every record's time, so device time never goes back. */
struct hf_store_meta {
	struct hf_store_op op;
	const char *key;
	bool put;	     /* in: store @value, else read into it */
	struct hf_buf value; /* init by the caller; empty when absent */
};
void hf_store_meta(struct hf_store *s, struct hf_store_meta *m);

#endif

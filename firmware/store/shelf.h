/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shelf: the database of the caches, a file beside the queue's with a job
 * queue of its own, so that a read for a page never waits for the sync of a
 * record and what happens here cannot harm the queue. Everything on it can be
 * fetched again: a transaction is atomic over a power cut and on the medium
 * within a short while, at once only where @sync asks for it.
 *
 *   cache   id, worker, kind, name, counters      one row a cache
 *   entry   key, url, note, head, body            key: hash of cache and URL, and
 *                                                 a number among those that share it
 *   use     cache, entry: state, length           small: what a revalidation writes
 *   body    id, SHA-256, length, references       content-addressed: equal bodies
 *   piece   body << 24 | n, bytes                 are stored once
 *
 * Every op is embedded in the caller's struct; inputs stay valid until done, and
 * outputs until the op's finish function or its next use. All that wait at a turn
 * of the loop share one transaction.
 *
 * When the ceiling is passed the entries that were used longest ago go, those of
 * pinned caches never.
 */
#ifndef HF_STORE_SHELF_H
#define HF_STORE_SHELF_H

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/span.h"
#include "holdfast/port.h"

struct hf_shelf;
struct hf_shelf_report;
struct hf_shelf_db;

#define HF_SHELF_PIECE	      32768 /* bytes of a body in one row */
#define HF_SHELF_VARIANTS_MAX 16 /* entries of one cache and URL; the one used longest ago goes */
#define HF_SHELF_URL_MAX      8192
#define HF_SHELF_NAME_MAX     128

struct hf_shelf_options {
	struct hf_port *port;
	struct hf_log *log;
	uint64_t bytes_max; /* live bytes of the database */
	/* On the loop, before the done callbacks of the batch that met the damage (NULL:
	 * not wanted): the database was found damaged while in use and renewed. Entries
	 * may be missing; those that are kept have the ids they had, unless the keys are
	 * others (hf_shelf_key). Also when a medium without room has got a database. */
	void (*on_renewed)(void *user, const struct hf_shelf_report *report);
	void *user;
};

struct hf_shelf_report {
	bool created;  /* there was none */
	bool renewed;  /* it was damaged; what could be read was kept */
	uint64_t lost; /* entries, as far as it can be told */
	bool unclean;  /* not closed by the last run: bodies are verified as they are read */
	uint32_t boot; /* number of this start, never given twice */
	uint64_t entries;
};

struct hf_shelf_op {
	/* On the shelf's thread inside the transaction; may be called again, so outputs
	 * are set anew by each call and inputs are kept. */
	int (*run)(struct hf_shelf_op *op, struct hf_shelf_db *db);
	/* On the loop, after the commit. Errors of the typed functions below; any may
	 * also get HF_EIO, HF_EFULL (no room on the medium) and HF_ECANCELED (closed). */
	void (*done)(struct hf_shelf_op *op, int err);
	void *user;  /* the caller's */
	bool writes; /* false: reads only; with nothing to write no transaction is begun */
	bool sync;   /* done only when it is on the medium */
	int err;
	struct hf_list link;
};

int hf_shelf_create(const struct hf_shelf_options *opt, struct hf_shelf **out);
/* Opens, creates or renews. It never fails for damage or want of room: then the
 * shelf is empty, and what is put gets HF_EFULL until there is room. @done on the
 * loop: 0, HF_ENOTSUP (of a newer version; the file is left alone), HF_EIO,
 * HF_EBUSY (another process has it). Operations wait for it. */
void hf_shelf_open(struct hf_shelf *s,
		   void (*done)(void *user, int err, const struct hf_shelf_report *report),
		   void *user);
/* Runs what was submitted and closes. @done on a later turn. */
void hf_shelf_close(struct hf_shelf *s, void (*done)(void *user, int err), void *user);
/* After close, or abruptly; no callback is made. NULL is fine. */
void hf_shelf_destroy(struct hf_shelf *s);

struct hf_shelf_usage {
	uint64_t bytes, bytes_max; /* live ones */
	uint64_t file_bytes;
	uint64_t entries;
	uint64_t written_total; /* bytes handed to the medium since this start */
	uint64_t evicted;	/* entries, since this start */
	bool full;		/* the medium refused the last write */
};
void hf_shelf_usage(const struct hf_shelf *s, struct hf_shelf_usage *out);
/* The queue needs room on the medium: at most @bytes_max are used until the next
 * start or another call, and pages that become free go back to the file system. */
void hf_shelf_give_way(struct hf_shelf *s, uint64_t bytes_max);

/* ---- caches ---- */

enum hf_shelf_kind {
	HF_SHELF_HTTP = 1,     /* the HTTP cache of an origin */
	HF_SHELF_NAMED = 2,    /* a cache of the worker */
	HF_SHELF_PRECACHE = 3, /* the files of one version of a worker; pinned */
};

struct hf_shelf_cache {
	uint32_t id;
	enum hf_shelf_kind kind;
	bool active;		    /* a precache: installed whole; others: always */
	bool previous;		    /* a precache: was active before the active one */
	struct hf_span owner, name; /* worker or origin; name or version */
	uint64_t entries, bytes;    /* bytes: of heads and bodies, shared ones in full */
};

/* Gives (kind, owner, name) an id, an existing one or a new one, which is inactive
 * when it is a precache. */
struct hf_shelf_cache_open {
	struct hf_shelf_op op;
	struct hf_shelf_cache cache; /* in: kind, owner, name; out: the rest */
};
void hf_shelf_cache_open(struct hf_shelf *s, struct hf_shelf_cache_open *o);
/* All caches, in the order of creation. */
struct hf_shelf_caches {
	struct hf_shelf_op op;
	struct hf_shelf_cache *v; /* out */
	size_t n;
	void *memory;
};
void hf_shelf_caches(struct hf_shelf *s, struct hf_shelf_caches *c);
void hf_shelf_caches_finish(struct hf_shelf_caches *c);
/* Removes a cache; at once for whoever looks, its rows in pieces later. HF_ENOENT. */
struct hf_shelf_cache_drop {
	struct hf_shelf_op op;
	uint32_t cache;
};
void hf_shelf_cache_drop(struct hf_shelf *s, struct hf_shelf_cache_drop *d);
/* A precache is complete: makes it the active one of its owner; the one that was is
 * the previous one, whose entries are not pinned, and the owner's others are dropped.
 * In one transaction, synced. HF_ENOENT; HF_EAGAIN: not all of its entries are proved. */
struct hf_shelf_activate {
	struct hf_shelf_op op;
	uint32_t cache;
};
void hf_shelf_activate(struct hf_shelf *s, struct hf_shelf_activate *a);

/* ---- entries ---- */

/* What changes of an entry. Device time: boot time accumulated over all boots. */
struct hf_shelf_state {
	uint64_t used_dev_ms; /* last use, as far as it was told */
	uint64_t request_dev_ms, response_dev_ms;
	int64_t response_wall_ms; /* 0: the clock was not trusted */
	uint32_t boot;		  /* cache/'s: which boot of the device both are of */
	uint32_t flags;		  /* cache/'s */
	uint32_t trial; /* of this start, that is open; 0: proved. An update leaves it as it is */
};

struct hf_shelf_entry {
	uint64_t id;
	uint32_t cache;
	struct hf_span url, note, head;
	struct hf_shelf_state state;
	uint64_t body; /* 0: of no bytes */
	uint64_t body_len;
	uint8_t sha256[32];  /* of the body */
	struct hf_span data; /* the body when it was asked for and is short enough */
	bool has_data;
	uint64_t order; /* what was stored later has a higher one */
};

/* All entries of a cache and URL, those stored last first. None is no error. */
struct hf_shelf_find {
	struct hf_shelf_op op;
	uint32_t cache;		  /* in */
	struct hf_span url;	  /* in */
	uint32_t data_max;	  /* in: bodies up to it come along (at most a piece) */
	struct hf_shelf_entry *v; /* out */
	size_t n;
	void *memory;
};
void hf_shelf_find(struct hf_shelf *s, struct hf_shelf_find *f);
void hf_shelf_find_finish(struct hf_shelf_find *f);

/* A body on its way in. Zeroed before the first append. */
struct hf_shelf_intake {
	uint64_t body, len; /* so far */
	uint32_t pieces;
	int err;      /* of the append that failed: no more is taken, and put gets it */
	void *digest; /* running SHA-256 and, when asked for, the integrity's */
	/* in, before the first append: "sha384-..." (Subresource Integrity; several
	 * are separated by blanks, the strongest counts), checked by put. */
	struct hf_span integrity;
};
void hf_shelf_intake_finish(struct hf_shelf_intake *in); /* memory only */

/* Appends HF_SHELF_PIECE bytes, or fewer as the last. HF_EFULL; HF_ENOENT: it was
 * discarded. What is never put is deleted after hf_shelf_discard or the next start. */
struct hf_shelf_append {
	struct hf_shelf_op op;
	struct hf_shelf_intake *intake;
	struct hf_span data;
};
void hf_shelf_append(struct hf_shelf *s, struct hf_shelf_append *a);
struct hf_shelf_discard {
	struct hf_shelf_op op;
	uint64_t body;
};
void hf_shelf_discard(struct hf_shelf *s, struct hf_shelf_discard *d);

/* Stores an entry, whole or not at all. HF_EFULL; HF_ENOENT: no such cache, or it
 * was dropped; HF_EBADMSG: the body is not what integrity says. */
struct hf_shelf_put {
	struct hf_shelf_op op;
	uint32_t cache; /* in */
	struct hf_span url, note, head;
	struct hf_shelf_state state;
	const uint64_t *replaces; /* in: entries of the same cache and URL that go with it */
	size_t replaces_n;
	/* in: the body; NULL, or nothing appended to it: @data is all of it */
	struct hf_shelf_intake *intake;
	struct hf_span data; /* at most a piece */
	uint64_t like;	     /* in: has the body of this entry, neither intake nor data; 0: not */
	uint64_t entries_max, bytes_max; /* in: of this cache, 0: none; its entries used
					  * longest ago go */
	uint64_t id, body; /* out: the body of another entry when the content is equal */
	uint64_t body_len;
	uint8_t sha256[32];
};
void hf_shelf_put(struct hf_shelf *s, struct hf_shelf_put *p);

/* The same content under the same URL in another cache (a file that did not change
 * between two versions). HF_ENOENT: @from has no entry of @url with @note. */
struct hf_shelf_adopt {
	struct hf_shelf_op op;
	uint32_t from, to;
	struct hf_span url, note;
};
void hf_shelf_adopt(struct hf_shelf *s, struct hf_shelf_adopt *a);

/* Piece @n of @body into @data. HF_ENOENT: it is gone; HF_ECORRUPT: it is not what
 * was appended: its entries are deleted. */
struct hf_shelf_read {
	struct hf_shelf_op op;
	uint64_t body;
	uint32_t n;
	struct hf_buf data; /* init by the caller, cleared and filled */
};
void hf_shelf_read(struct hf_shelf *s, struct hf_shelf_read *r);

/* While a body is held its pieces stay, also when its last entry goes: for whoever
 * reads it piece by piece. To be held from the callback that told of it on. */
struct hf_shelf_hold {
	uint64_t body;
	struct hf_list link;
};
void hf_shelf_hold(struct hf_shelf *s, struct hf_shelf_hold *h, uint64_t body);
void hf_shelf_release(struct hf_shelf *s, struct hf_shelf_hold *h);

/* Rewrites the state and, when @head is not empty, the head. HF_ENOENT. Without a
 * head one page is written. */
struct hf_shelf_update {
	struct hf_shelf_op op;
	uint64_t id;
	struct hf_shelf_state state;
	struct hf_span head;
};
void hf_shelf_update(struct hf_shelf *s, struct hf_shelf_update *u);

/* Last uses. Entries that are gone are passed over. */
#define HF_SHELF_TOUCH_MAX 64
struct hf_shelf_touch {
	struct hf_shelf_op op;
	uint64_t ids[HF_SHELF_TOUCH_MAX];
	uint64_t used_dev_ms[HF_SHELF_TOUCH_MAX];
	size_t n;
};
void hf_shelf_touch(struct hf_shelf *s, struct hf_shelf_touch *t);

/* Deletes one entry, or with @id 0 all of a cache and URL. None is no error. */
struct hf_shelf_remove {
	struct hf_shelf_op op;
	uint64_t id;
	uint32_t cache;
	struct hf_span url;
	uint64_t removed; /* out */
};
void hf_shelf_remove(struct hf_shelf *s, struct hf_shelf_remove *r);

/* Entries of a cache, without data, a page at a time, in the order of their ids. With
 * @more, also of a page that is empty, ask again with @next as @after. Those of a path
 * are looked for among so many rows to a page. */
#define HF_SHELF_LIST_MAX 64
#define HF_SHELF_SCAN_MAX 512
struct hf_shelf_list {
	struct hf_shelf_op op;
	uint32_t cache;
	uint64_t after;		  /* in: 0 for the first page */
	bool heads;		  /* in: with heads */
	struct hf_span path;	  /* in: URLs that are it, whatever their query; ptr NULL: all */
	size_t max;		  /* in: entries of a page; 0: HF_SHELF_LIST_MAX */
	struct hf_shelf_entry *v; /* out */
	size_t n;
	bool more;
	uint64_t next; /* out */
	void *memory;
};
void hf_shelf_list(struct hf_shelf *s, struct hf_shelf_list *l);
void hf_shelf_list_finish(struct hf_shelf_list *l);

/* ---- whose they are ---- */

/* An entry that somebody else may have given in the origin's place is put with a trial,
 * a number that the caller counts up from 1 at each start. Trials are open until they
 * are judged. What is open is told with its trial; what was open when a start ended, or
 * will never be proved, is not told any more and deleted in the background. It pushes
 * out nothing that is proved. One row is written, whatever the number of entries. */
#define HF_SHELF_TRIMS_MAX 8
struct hf_shelf_trim {
	uint32_t cache;
	uint64_t entries_max, bytes_max; /* as those of hf_shelf_put */
};
struct hf_shelf_judge {
	struct hf_shelf_op op;
	uint32_t first, last;
	bool proved;
	uint32_t open_from;				/* in: later ones are open */
	struct hf_shelf_trim trims[HF_SHELF_TRIMS_MAX]; /* in: caches that may have grown */
	size_t trims_n;
	/* out: a precache that was active had entries that are doubted now: it is none any
	 * more, and the one before it is active again if there is one */
	bool demoted;
};
void hf_shelf_judge(struct hf_shelf *s, struct hf_shelf_judge *j);

/* ---- which keys there are ---- */

/* The number that entries of a cache and URL have in common; the same over all
 * starts of one database. 0 before it is open. */
uint64_t hf_shelf_key(const struct hf_shelf *s, uint32_t cache, struct hf_span url);
#define HF_SHELF_KEYS_MAX 1024
struct hf_shelf_keys {
	struct hf_shelf_op op;
	uint64_t after;		       /* in: 0 at first, then the last one */
	uint64_t v[HF_SHELF_KEYS_MAX]; /* out, ascending */
	size_t n;		       /* fewer than HF_SHELF_KEYS_MAX: that was all */
};
void hf_shelf_keys(struct hf_shelf *s, struct hf_shelf_keys *k);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An errand: one request of a sync event to its origin, of whose answer only
 * the status and Retry-After are of use. Its end is reported to connectivity
 * and judged by the table of queue/outcome.h.
 */
#ifndef HF_SYNC_ERRAND_H
#define HF_SYNC_ERRAND_H

#include "base/arena.h"
#include "holdfast/sync_action.h"
#include "sync/sync.h"

struct hf_errand;

struct hf_errand_job {
	unsigned origin;
	const char *method, *target;
	bool refresh;	  /* by way of the caches, where there are some */
	const char *body; /* NULL: none */
	const struct hf_sync_field *fields;
	size_t fields_n;
	struct hf_span key; /* Idempotency-Key; empty: none */
};

/* What came of it; unlike an event of a tag it does not know of attempts. */
struct hf_errand_end {
	bool delivered;
	bool offline;	   /* the origin was not reached: nothing was tried */
	uint64_t delay_ms; /* Retry-After, 0: none */
	int status;	   /* 0: no answer */
};

/* @job's strings stay valid until done, which comes on a later turn. HF_ENOMEM,
 * HF_ELIMIT. */
int hf_errand_start(const struct hf_sync_options *opt, const struct hf_errand_job *job,
		    void (*done)(void *user, const struct hf_errand_end *end), void *user,
		    struct hf_errand **out);
/* Cancels it; done does not come. NULL is fine. */
void hf_errand_destroy(struct hf_errand *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store over a fake port, with its operations as calls that return when the
 * operation is done: the tests of the store read as a list of steps.
 */
#ifndef HF_TESTS_STORE_RIG_H
#define HF_TESTS_STORE_RIG_H

#include "lib/fake_port.h"
#include "store/records.h"

struct rig {
	struct fake_port port;
	struct hf_store_options opt;
	struct hf_store *store;
	struct hf_store_report report;
	int opened;	   /* result of the last open, 1: not done */
	unsigned salvages; /* calls of on_salvaged */
	uint64_t dev_ms;   /* given to new records, counts up */
};

/* A temporary directory; the store is not open. */
void rig_init(struct rig *r);
void rig_finish(struct rig *r);
int rig_open(struct rig *r);
int rig_close(struct rig *r);  /* orderly */
void rig_kill(struct rig *r);  /* destroy without close */
int rig_reopen(struct rig *r); /* kill and open */

/* Submits @op (run is set by @start) and waits. */
#define RIG_DO(rig, start, op_struct)                                                            \
	((op_struct)->op.done = rig_done, (op_struct)->op.user = (rig), (op_struct)->op.err = 1, \
	 start((rig)->store, (op_struct)), fake_port_settle(&(rig)->port), (op_struct)->op.err)
void rig_done(struct hf_store_op *op, int err);

uint32_t rig_lane(struct rig *r, const char *origin, const char *key);
/* Records with head "head-<n>" and a body of @size bytes made from @n. */
int rig_insert(struct rig *r, uint32_t lane, unsigned n, size_t size, uint64_t *id);
int rig_mark(struct rig *r, uint64_t id, unsigned attempts);
int rig_settle(struct rig *r, uint64_t id, uint8_t status, unsigned n);
/* The status, or an error; checks head and body against @n when it is there. */
int rig_status(struct rig *r, uint64_t id, unsigned n, size_t size);
/* The lane's row; aborts when there is none. Spans are not to be used. */
struct hf_lane_row rig_lane_row(struct rig *r, uint32_t lane);
void rig_body(unsigned n, char *out, size_t size);
/* A copy of the file system's view of a file in the state directory. */
char *rig_path(struct rig *r, const char *name, char out[256]);

#endif

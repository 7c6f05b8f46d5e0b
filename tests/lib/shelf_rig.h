/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shelf over a fake port, with its operations as calls that return when the
 * operation is done.
 */
#ifndef HF_TESTS_SHELF_RIG_H
#define HF_TESTS_SHELF_RIG_H

#include "lib/fake_port.h"
#include "store/shelf.h"

struct shelf_rig {
	struct fake_port port;
	struct hf_shelf_options opt;
	struct hf_shelf *shelf;
	struct hf_shelf_report report;
	int opened;	   /* result of the last open, 1: not done */
	unsigned renewals; /* calls of on_renewed */
	uint32_t trial;	   /* of what is put; with one it replaces nothing */
};

void shelf_rig_init(struct shelf_rig *r);
void shelf_rig_finish(struct shelf_rig *r);
int shelf_rig_open(struct shelf_rig *r);
int shelf_rig_close(struct shelf_rig *r); /* orderly */
void shelf_rig_kill(struct shelf_rig *r); /* destroy without close */

#define SHELF_DO(rig, start, op_struct)                                       \
	((op_struct)->op.done = shelf_rig_done, (op_struct)->op.user = (rig), \
	 (op_struct)->op.err = 1, start((rig)->shelf, (op_struct)),           \
	 fake_port_settle(&(rig)->port), (op_struct)->op.err)
void shelf_rig_done(struct hf_shelf_op *op, int err);

/* 0 when it cannot be had. */
uint32_t shelf_rig_cache(struct shelf_rig *r, enum hf_shelf_kind kind, const char *name);
/* Bytes that @n decides. */
void shelf_rig_body(unsigned n, char *out, size_t size);
/* An entry of @url with note "note", head "head-<n>" and a body of @size bytes made
 * from @n, in pieces when it is larger than one. It replaces what is there. */
int shelf_rig_put(struct shelf_rig *r, uint32_t cache, const char *url, unsigned n, size_t size);
/* The n of the entry of @url, whose content was found whole; -1: none, < -1: an
 * HF_E*, or HF_EPROTO when it is not what was put. */
int shelf_rig_get(struct shelf_rig *r, uint32_t cache, const char *url);
/* Figures of a cache that must be there. */
struct hf_shelf_cache shelf_rig_figures(struct shelf_rig *r, uint32_t cache);
long shelf_rig_size(struct shelf_rig *r, const char *name); /* -1: not there */
char *shelf_rig_path(struct shelf_rig *r, const char *name, char out[256]);

#endif

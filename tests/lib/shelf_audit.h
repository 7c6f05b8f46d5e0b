/* SPDX-License-Identifier: Apache-2.0 */
/* Looks whether the tables of an open shelf agree with each other. */
#ifndef HF_TESTS_SHELF_AUDIT_H
#define HF_TESTS_SHELF_AUDIT_H

#include "lib/shelf_rig.h"

/* What is wrong, NULL: nothing. The figures of each cache are those of its entries,
 * each body has as many references as entries, and all of its pieces; @swept: and
 * nothing waits to be deleted. */
const char *shelf_audit(struct shelf_rig *r, bool swept);

#endif

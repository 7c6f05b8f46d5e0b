/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Linux port: struct hf_port on libuv's loop, the kernel and libc. One
 * instance is one loop; several may live in one process, each on one thread.
 */
#ifndef HF_PORT_LINUX_H
#define HF_PORT_LINUX_H

#include "holdfast/port.h"

struct hf_port_linux;

struct hf_port_linux_options {
	/* See hf_port_linux_set_state_dir; NULL: not known yet. */
	const char *state_dir;
	/* Where networkd keeps the state of links; NULL: where it does. Must outlive the
	 * port. */
	const char *links_folder;
};

/* Makes the loop, the store thread and the watches. @opt may be NULL. HF_ENOMEM,
 * HF_ELIMIT (descriptors), HF_EIO, and those of hf_port_linux_set_state_dir.
 * SIGPIPE is ignored from here on, in the whole process. */
int hf_port_linux_create(const struct hf_port_linux_options *opt, struct hf_port_linux **out);
/* Ends what is left over and frees all; the agent on it is destroyed before.
 * Submitted jobs run to their end. False: a look-up still hangs in libc, which
 * is not waited for and keeps its memory; leave the process by _exit() then,
 * since a return from main waits for libuv's threads. NULL is fine. */
bool hf_port_linux_destroy(struct hf_port_linux *p);

struct hf_port *hf_port_linux_port(struct hf_port_linux *p);

/* The folder of the databases: made with mode 0750 when missing (its parent
 * must exist) and held by a lock until destroy, so that two agents never share
 * one store. Once per port, before the agent starts. HF_EBUSY (held by another
 * process), HF_EPERM (not writable), HF_ENOENT (no parent), HF_ESTATE (no
 * folder), HF_ELIMIT, HF_ENOMEM, HF_EIO. */
int hf_port_linux_set_state_dir(struct hf_port_linux *p, const char *dir);

/* From here on files are made, written and removed beneath @folders only, and none is
 * executed, by this thread, the threads of the databases and those that come later. A
 * folder that is missing is made, with mode 0755, if the one above it is there. Before
 * the agent starts, once in a process. *abi: of the kernel's Landlock; 0: it has none,
 * and nothing is confined. Those of hf_port_linux_set_state_dir. */
int hf_port_linux_confine(struct hf_port_linux *p, const char *const folders[], size_t n,
			  unsigned *abi);

/* Interfaces whose name fits one of @patterns (as of a shell, separated by commas)
 * are no way to the network. @patterns must outlive the loop's turns; NULL: none. */
void hf_port_linux_leave_out(struct hf_port_linux *p, const char *patterns);

/* Turns the loop until hf_port_linux_stop. 0 or HF_EIO. */
int hf_port_linux_run(struct hf_port_linux *p);
/* One round of the loop for tests: waits for events up to @wait_ms. */
void hf_port_linux_turn(struct hf_port_linux *p, unsigned wait_ms);
/* From a callback: run returns after this turn. */
void hf_port_linux_stop(struct hf_port_linux *p);

/* Calls @fn on the loop for SIGTERM, SIGINT and SIGHUP, in place of their
 * default. HF_ENOMEM, HF_EIO. */
int hf_port_linux_on_signal(struct hf_port_linux *p, void (*fn)(void *user, int signum),
			    void *user);

#endif

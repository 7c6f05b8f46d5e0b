/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process may do to files: Landlock (linux/landlock.h), by hand. Reading is
 * free, as secrets, manifests and authorities lie where the settings say and are looked
 * at again later; files are made, written and removed in the folders given and nowhere
 * else, and none is executed.
 *
 * A rule set counts for the thread that takes it and for those that it makes. The
 * thread of the queue's database is there already: it takes the same one before its
 * first job (jobs.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "port/linux/loop.h"
#include "port/linux/port_linux.h"

/* Of newer kernels than the headers may be. */
#define ACCESS_REFER	((uint64_t)1 << 13) /* ABI 2 */
#define ACCESS_TRUNCATE ((uint64_t)1 << 14) /* ABI 3 */

#define ACCESS_CHANGE                                                    \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |     \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* A sanitizer's report names functions by way of a program that it starts. */
#ifdef HF_SANITIZED
#define ACCESS_EXECUTE 0
#else
#define ACCESS_EXECUTE LANDLOCK_ACCESS_FS_EXECUTE
#endif

static uint64_t changes_of(long abi)
{
	return ACCESS_CHANGE | (abi >= 2 ? ACCESS_REFER : 0) | (abi >= 3 ? ACCESS_TRUNCATE : 0);
}

static int allow(int rules, const char *folder, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = { .allowed_access = access };
	int err = 0;

	beneath.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (beneath.parent_fd < 0 && errno == ENOENT) {
		err = hf_linux_make_folder(folder);
		beneath.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (beneath.parent_fd < 0)
		return err ? err : hf_linux_err(errno);
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0))
		err = hf_linux_err(errno);
	close(beneath.parent_fd);
	return err;
}

int hf_linux_confine_thread(const struct hf_port_linux *p)
{
	if (p->rules_fd < 0)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_landlock_restrict_self, p->rules_fd, 0))
		return hf_linux_err(errno);
	return 0;
}

int hf_port_linux_confine(struct hf_port_linux *p, const char *const folders[], size_t n,
			  unsigned *abi)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = { 0 };
	int err = 0;

	*abi = version > 0 ? (unsigned)version : 0;
	if (version <= 0)
		return 0;
	attr.handled_access_fs = changes_of(version) | ACCESS_EXECUTE;
	p->rules_fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (p->rules_fd < 0)
		return hf_linux_err(errno);
	for (size_t i = 0; i < n && !err; i++)
		err = allow(p->rules_fd, folders[i], changes_of(version));
	if (!err)
		err = hf_linux_confine_thread(p);
	if (err)
		hf_linux_confine_finish(p);
	return err;
}

void hf_linux_confine_finish(struct hf_port_linux *p)
{
	if (p->rules_fd >= 0)
		close(p->rules_fd);
	p->rules_fd = -1;
}

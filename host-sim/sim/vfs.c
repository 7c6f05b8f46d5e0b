/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As SQLite's unix VFS where it matters for durability: sectors of 4096 bytes
 * that a power cut does not spread beyond (SQLITE_IOCAP_POWERSAFE_OVERWRITE),
 * the directory synced with the first sync of a new journal, and on removal
 * when asked for. The disk below tears writes at 512 bytes.
 */
#include "sim/vfs.h"

#include <sqlite3.h>

#include "holdfast/err.h"
#include "sim/mem.h"

#define UNIX_EPOCH_JULIAN_MS INT64_C(210866760000000)

struct sim_vfs {
	sqlite3_vfs base; /* first: SQLite's pointer is ours */
	char name[64];
	struct sim_disk *disk;
	struct sim_rng rng;
	struct sim_vfs_lies lies;
	int64_t (*wall_ms)(void *user);
	void *user;
};

struct vfs_file {
	sqlite3_file base; /* first */
	struct sim_vfs *vfs;
	struct sim_file *file;
	char *delete_path; /* SQLITE_OPEN_DELETEONCLOSE */
	int persist_wal;
};

static int to_sqlite(int err, int otherwise)
{
	switch (err) {
	case 0:
		return SQLITE_OK;
	case HF_EFULL:
		return SQLITE_FULL;
	case HF_EBUSY:
		return SQLITE_BUSY;
	default:
		return otherwise;
	}
}

static struct vfs_file *file_of(sqlite3_file *f)
{
	return (struct vfs_file *)(void *)f;
}

/* ---- files ---- */

static int file_close(sqlite3_file *base)
{
	struct vfs_file *f = file_of(base);

	sim_file_close(f->file);
	f->file = NULL;
	if (f->delete_path)
		(void)sim_disk_remove(f->vfs->disk, f->delete_path, false);
	sim_free(f->delete_path);
	return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *out, int len, sqlite3_int64 at)
{
	size_t got = 0;
	int err = sim_file_read(file_of(base)->file, out, (size_t)len, (uint64_t)at, &got);

	if (err)
		return SQLITE_IOERR_READ;
	if (got == (size_t)len)
		return SQLITE_OK;
	memset((char *)out + got, 0, (size_t)len - got);
	return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *data, int len, sqlite3_int64 at)
{
	const struct vfs_file *f = file_of(base);
	int err = sim_file_write(f->file, data, (size_t)len, (uint64_t)at);

	return f->vfs->lies.hides_write_errors ? SQLITE_OK : to_sqlite(err, SQLITE_IOERR_WRITE);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	return to_sqlite(sim_file_truncate(file_of(base)->file, (uint64_t)size),
			 SQLITE_IOERR_TRUNCATE);
}

static int file_sync(sqlite3_file *base, int flags)
{
	(void)flags;
	return to_sqlite(sim_file_sync(file_of(base)->file), SQLITE_IOERR_FSYNC);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *out)
{
	uint64_t size = 0;
	int err = sim_file_size(file_of(base)->file, &size);

	*out = (sqlite3_int64)size;
	return to_sqlite(err, SQLITE_IOERR_FSTAT);
}

static int file_lock(sqlite3_file *base, int level)
{
	return to_sqlite(sim_file_lock(file_of(base)->file, level), SQLITE_IOERR_LOCK);
}

static int file_unlock(sqlite3_file *base, int level)
{
	sim_file_unlock(file_of(base)->file, level);
	return SQLITE_OK;
}

static int file_reserved(sqlite3_file *base, int *out)
{
	*out = sim_file_reserved(file_of(base)->file);
	return SQLITE_OK;
}

/* @words: result, name, value. The value is a buffer of SQLite's for this
 * statement; a level above NORMAL is written over with NORMAL's number, and
 * SQLite goes on as if it had read that. */
static int see_pragma(const struct sim_vfs *v, char **words)
{
	if (v->lies.at_most_normal && words[1] && words[2] && words[2][0] &&
	    sqlite3_stricmp(words[1], "synchronous") == 0 &&
	    sqlite3_stricmp(words[2], "off") != 0) {
		words[2][0] = '1';
		words[2][1] = '\0';
	}
	return SQLITE_NOTFOUND;
}

static int file_control(sqlite3_file *base, int op, void *arg)
{
	struct vfs_file *f = file_of(base);
	int *flag = arg;

	switch (op) {
	case SQLITE_FCNTL_PERSIST_WAL:
		if (*flag < 0)
			*flag = f->persist_wal;
		else
			f->persist_wal = *flag;
		return SQLITE_OK;
	case SQLITE_FCNTL_PRAGMA:
		return see_pragma(f->vfs, arg);
	default:
		return SQLITE_NOTFOUND;
	}
}

static int file_sector_size(sqlite3_file *base)
{
	(void)base;
	return 4096;
}

static int file_characteristics(sqlite3_file *base)
{
	(void)base;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
};

/* ---- the VFS ---- */

/* SQLite's default stands for the one whose job runs. Making that one the default
 * would search SQLite's list of all of them, which may be thousands. */
static sqlite3_vfs chooser;
static struct sim_vfs *selected;

static struct sim_vfs *vfs_of(sqlite3_vfs *v)
{
	return v == &chooser ? selected : (struct sim_vfs *)(void *)v;
}

static enum sim_disk_role role_of(int flags)
{
	if (flags & SQLITE_OPEN_MAIN_DB)
		return SIM_DISK_MAIN;
	if (flags & SQLITE_OPEN_MAIN_JOURNAL)
		return SIM_DISK_JOURNAL;
	if (flags & SQLITE_OPEN_WAL)
		return SIM_DISK_WAL;
	return SIM_DISK_OTHER;
}

static int vfs_open(sqlite3_vfs *base, const char *path, sqlite3_file *out, int flags,
		    int *out_flags)
{
	struct sim_vfs *v = vfs_of(base);
	struct vfs_file *f = file_of(out);
	unsigned how = 0;
	int err;

	memset(f, 0, sizeof(*f));
	if (flags & SQLITE_OPEN_CREATE)
		how |= SIM_DISK_CREATE;
	if (flags & SQLITE_OPEN_EXCLUSIVE)
		how |= SIM_DISK_EXCLUSIVE;
	err = sim_disk_open(v->disk, path, how, role_of(flags), &f->file);
	if (err)
		return to_sqlite(err, SQLITE_CANTOPEN);
	f->vfs = v;
	if (path && (flags & SQLITE_OPEN_DELETEONCLOSE))
		f->delete_path = sim_strdup(path);
	f->base.pMethods = &methods;
	if (out_flags)
		*out_flags = flags;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *path, int sync_dir)
{
	int err = sim_disk_remove(vfs_of(base)->disk, path, sync_dir != 0);

	return err == HF_ENOENT ? SQLITE_IOERR_DELETE_NOENT : to_sqlite(err, SQLITE_IOERR_DELETE);
}

static int vfs_access(sqlite3_vfs *base, const char *path, int flags, int *out)
{
	struct sim_vfs *v = vfs_of(base);

	(void)flags;
	if (sim_disk_is_dead(v->disk))
		return SQLITE_IOERR_ACCESS;
	*out = sim_disk_exists(v->disk, path);
	return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *base, const char *path, int len, char *out)
{
	(void)base;
	sqlite3_snprintf(len, out, "%s", path);
	return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *base, int len, char *out)
{
	sim_rng_fill(&vfs_of(base)->rng, out, (size_t)len);
	return len;
}

static int vfs_sleep(sqlite3_vfs *base, int us)
{
	(void)base;
	return us; /* virtual time does not pass inside a job */
}

static int vfs_time_ms(sqlite3_vfs *base, sqlite3_int64 *out)
{
	struct sim_vfs *v = vfs_of(base);

	*out = UNIX_EPOCH_JULIAN_MS + (v->wall_ms ? v->wall_ms(v->user) : 0);
	return SQLITE_OK;
}

static int vfs_time(sqlite3_vfs *base, double *out)
{
	sqlite3_int64 ms;

	(void)vfs_time_ms(base, &ms);
	*out = (double)ms / 86400000.0;
	return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *base, int len, char *out)
{
	(void)base;
	if (len > 0)
		out[0] = '\0';
	return 0;
}

static const sqlite3_vfs methods_of_all = {
	.iVersion = 2,
	.szOsFile = sizeof(struct vfs_file),
	.mxPathname = 512,
	.xOpen = vfs_open,
	.xDelete = vfs_delete,
	.xAccess = vfs_access,
	.xFullPathname = vfs_full_path,
	.xRandomness = vfs_randomness,
	.xSleep = vfs_sleep,
	.xCurrentTime = vfs_time,
	.xGetLastError = vfs_last_error,
	.xCurrentTimeInt64 = vfs_time_ms,
};

struct sim_vfs *sim_vfs_create(struct sim_disk *disk, const char *name, uint64_t seed,
			       int64_t (*wall_ms)(void *user), void *user)
{
	struct sim_vfs *v = sim_alloc(sizeof(*v));
	char domain[96];

	snprintf(v->name, sizeof(v->name), "%s", name);
	snprintf(domain, sizeof(domain), "%s/vfs", name);
	sim_rng_init(&v->rng, seed, domain);
	v->disk = disk;
	v->wall_ms = wall_ms;
	v->user = user;
	v->base = methods_of_all;
	v->base.zName = v->name;
	sqlite3_vfs_register(&v->base, 0);
	sim_vfs_select(v);
	return v;
}

void sim_vfs_select(struct sim_vfs *v)
{
	if (!selected) {
		chooser = methods_of_all;
		chooser.zName = "sim";
		sqlite3_vfs_register(&chooser, 1);
	}
	selected = v;
	sqlite3_randomness(0, NULL);
}

void sim_vfs_destroy(struct sim_vfs *v)
{
	if (!v)
		return;
	sqlite3_vfs_unregister(&v->base);
	if (selected == v) {
		sqlite3_vfs_unregister(&chooser);
		selected = NULL;
	}
	sim_free(v);
}

const char *sim_vfs_name(const struct sim_vfs *v)
{
	return v->name;
}

void sim_vfs_lie(struct sim_vfs *v, const struct sim_vfs_lies *lies)
{
	v->lies = *lies;
}

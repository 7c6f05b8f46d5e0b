/* SPDX-License-Identifier: Apache-2.0 */
#include "store/vfs.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/db.h"
#include "store/gather.h"
#include "store/page_cache.h"

struct shim_file {
	sqlite3_file file;
	struct hf_vfs *vfs;
	bool patched;
	bool empty;   /* a WAL that is not to be read */
	bool gathers; /* the database and its WAL */
	struct hf_gather gather;
	sqlite3_file *real; /* behind this struct */
};

/* As SQLite aligns what it allocates. */
#define SHIM_SIZE ((sizeof(struct shim_file) + 15) & ~(size_t)15)

static struct shim_file *shim_of(sqlite3_file *f)
{
	return (struct shim_file *)(void *)f;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((struct shim_file *)(void *)f)->real;
}

static struct hf_vfs *vfs_of(sqlite3_vfs *v)
{
	return v->pAppData;
}

/* The disk has answered, with what was asked for. */
static int moved(struct hf_vfs *v, int rc)
{
	if (rc == SQLITE_OK)
		atomic_fetch_add_explicit(&v->moved, 1, memory_order_relaxed);
	return rc;
}

/* ---- file methods ---- */

static int shim_close(sqlite3_file *f)
{
	struct hf_gather *g = &shim_of(f)->gather;
	int flushed = hf_gather_flush(g);
	int rc = real_of(f)->pMethods->xClose(real_of(f));

	hf_gather_finish(g);
	return flushed == SQLITE_OK ? rc : flushed;
}

static int shim_read(sqlite3_file *f, void *out, int amount, sqlite3_int64 at)
{
	struct shim_file *s = shim_of(f);
	int rc = hf_gather_holds(&s->gather, amount, at) ? hf_gather_flush(&s->gather) : SQLITE_OK;

	if (s->empty) {
		memset(out, 0, (size_t)amount);
		return SQLITE_IOERR_SHORT_READ;
	}
	if (rc == SQLITE_OK)
		rc = moved(s->vfs, s->real->pMethods->xRead(s->real, out, amount, at));
	if (s->patched && (rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ))
		rc = s->vfs->patch(s->vfs->patch_user, out, amount, at);
	return rc;
}

static int shim_write(sqlite3_file *f, const void *in, int amount, sqlite3_int64 at)
{
	struct shim_file *s = shim_of(f);
	int rc = s->gathers ? hf_gather_write(&s->gather, in, amount, at) :
			      s->real->pMethods->xWrite(s->real, in, amount, at);

	if (rc == SQLITE_OK)
		s->vfs->written += (uint64_t)amount;
	return moved(s->vfs, rc);
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = hf_gather_flush(&shim_of(f)->gather);

	return rc == SQLITE_OK ? real_of(f)->pMethods->xTruncate(real_of(f), size) : rc;
}

static int shim_sync(sqlite3_file *f, int flags)
{
	struct shim_file *s = shim_of(f);
	int rc = hf_gather_flush(&s->gather);

	return rc == SQLITE_OK ? moved(s->vfs, s->real->pMethods->xSync(s->real, flags)) : rc;
}

static int shim_file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct shim_file *s = shim_of(f);
	int rc = hf_gather_flush(&s->gather);

	if (rc == SQLITE_OK)
		rc = s->real->pMethods->xFileSize(s->real, size);
	if (rc == SQLITE_OK && s->patched && *size < (sqlite3_int64)s->vfs->patch_size)
		*size = (sqlite3_int64)s->vfs->patch_size;
	if (s->empty)
		*size = 0;
	return rc;
}

static int shim_lock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int shim_unlock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int shim_check_lock(sqlite3_file *f, int *out)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int shim_control(sqlite3_file *f, int op, void *arg)
{
	if (op == SQLITE_FCNTL_PERSIST_WAL) {
		*(int *)arg = 1;
		return SQLITE_OK;
	}
	return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int shim_sector_size(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int shim_characteristics(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static const sqlite3_io_methods shim_methods = {
	.iVersion = 1,
	.xClose = shim_close,
	.xRead = shim_read,
	.xWrite = shim_write,
	.xTruncate = shim_truncate,
	.xSync = shim_sync,
	.xFileSize = shim_file_size,
	.xLock = shim_lock,
	.xUnlock = shim_unlock,
	.xCheckReservedLock = shim_check_lock,
	.xFileControl = shim_control,
	.xSectorSize = shim_sector_size,
	.xDeviceCharacteristics = shim_characteristics,
};

/* ---- VFS methods ---- */

static int shim_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags, int *out)
{
	struct shim_file *s = (struct shim_file *)(void *)f;
	struct hf_vfs *self = vfs_of(v);
	int rc;

	s->vfs = self;
	s->real = (sqlite3_file *)(void *)((char *)f + SHIM_SIZE);
	s->real->pMethods = NULL;
	s->gathers = (flags & SQLITE_OPEN_MAIN_DB) ||
		     (!self->log_at_once && (flags & SQLITE_OPEN_WAL));
	hf_gather_init(&s->gather, s->real);
	rc = self->base->xOpen(self->base, name, s->real, flags, out);
	s->file.pMethods = s->real->pMethods ? &shim_methods : NULL;
	s->patched = self->patch_path && name && (flags & SQLITE_OPEN_MAIN_DB) &&
		     strstr(name, self->patch_path) != NULL;
	s->empty = self->patch_path && (flags & SQLITE_OPEN_WAL);
	return rc;
}

static int shim_delete(sqlite3_vfs *v, const char *name, int sync_dir)
{
	return vfs_of(v)->base->xDelete(vfs_of(v)->base, name, sync_dir);
}

static int shim_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
	return vfs_of(v)->base->xAccess(vfs_of(v)->base, name, flags, out);
}

static int shim_full_path(sqlite3_vfs *v, const char *name, int size, char *out)
{
	return vfs_of(v)->base->xFullPathname(vfs_of(v)->base, name, size, out);
}

static int shim_randomness(sqlite3_vfs *v, int size, char *out)
{
	return vfs_of(v)->base->xRandomness(vfs_of(v)->base, size, out);
}

static int shim_sleep(sqlite3_vfs *v, int us)
{
	return vfs_of(v)->base->xSleep(vfs_of(v)->base, us);
}

static int shim_time(sqlite3_vfs *v, double *out)
{
	return vfs_of(v)->base->xCurrentTime(vfs_of(v)->base, out);
}

static int shim_last_error(sqlite3_vfs *v, int size, char *out)
{
	sqlite3_vfs *base = vfs_of(v)->base;

	return base->xGetLastError ? base->xGetLastError(base, size, out) : 0;
}

int hf_vfs_init(struct hf_vfs *v, const char *base)
{
	memset(v, 0, sizeof(*v));
	hf_page_cache_install();
	if (sqlite3_initialize() != SQLITE_OK)
		return HF_ENOMEM;
	v->base = sqlite3_vfs_find(base);
	if (!v->base)
		return HF_EIO;
	snprintf(v->name, sizeof(v->name), "holdfast-%p", (void *)v);
	v->vfs = (sqlite3_vfs){
		.iVersion = 1,
		.szOsFile = (int)SHIM_SIZE + v->base->szOsFile,
		.mxPathname = v->base->mxPathname,
		.zName = v->name,
		.pAppData = v,
		.xOpen = shim_open,
		.xDelete = shim_delete,
		.xAccess = shim_access,
		.xFullPathname = shim_full_path,
		.xRandomness = shim_randomness,
		.xSleep = shim_sleep,
		.xCurrentTime = shim_time,
		.xGetLastError = shim_last_error,
	};
	return sqlite3_vfs_register(&v->vfs, 0) == SQLITE_OK ? 0 : HF_ENOMEM;
}

void hf_vfs_finish(struct hf_vfs *v)
{
	if (v->base)
		sqlite3_vfs_unregister(&v->vfs);
	v->base = NULL;
}

/* ---- plain files ---- */

int hf_vfs_exists(struct hf_vfs *v, const char *path, bool *yes)
{
	int found = 0;
	int rc = v->vfs.xAccess(&v->vfs, path, SQLITE_ACCESS_EXISTS, &found);

	*yes = found != 0;
	return hf_sql_map(rc);
}

/* A super-journal is the kind of file that makes no demands on the name and
 * whose first sync also syncs the directory. NULL and *err on failure. */
static sqlite3_file *file_open(struct hf_vfs *v, const char *path, int flags, int *err)
{
	sqlite3_file *f = calloc(1, (size_t)v->vfs.szOsFile);
	int rc;

	if (!f) {
		*err = HF_ENOMEM;
		return NULL;
	}
	rc = v->vfs.xOpen(&v->vfs, path, f, SQLITE_OPEN_SUPER_JOURNAL | flags, NULL);
	*err = hf_sql_map(rc);
	if (rc == SQLITE_OK)
		return f;
	if (f->pMethods)
		f->pMethods->xClose(f);
	free(f);
	return NULL;
}

int hf_file_close(sqlite3_file *f, int err)
{
	int rc = f->pMethods->xClose(f);

	free(f);
	return err ? err : hf_sql_map(rc);
}

sqlite3_file *hf_file_open(struct hf_vfs *v, const char *path, int *err)
{
	bool there;

	*err = hf_vfs_exists(v, path, &there);
	if (!*err && !there)
		*err = HF_ENOENT;
	return *err ? NULL : file_open(v, path, SQLITE_OPEN_READWRITE, err);
}

int hf_file_read(sqlite3_file *f, void *out, size_t len, uint64_t at)
{
	int rc = f->pMethods->xRead(f, out, (int)len, (sqlite3_int64)at);

	return rc == SQLITE_IOERR_SHORT_READ ? 0 : hf_sql_map(rc);
}

int hf_file_size(sqlite3_file *f, uint64_t *size)
{
	sqlite3_int64 n = 0;
	int err = hf_sql_map(f->pMethods->xFileSize(f, &n));

	*size = (uint64_t)n;
	return err;
}

int hf_vfs_size(struct hf_vfs *v, const char *path, uint64_t *size)
{
	sqlite3_file *f;
	int err;

	*size = 0;
	f = hf_file_open(v, path, &err);
	if (!f)
		return err == HF_ENOENT ? 0 : err;
	return hf_file_close(f, hf_file_size(f, size));
}

int hf_vfs_delete(struct hf_vfs *v, const char *path)
{
	bool there;
	int err = hf_vfs_exists(v, path, &there);

	if (err || !there)
		return err;
	return hf_sql_map(v->vfs.xDelete(&v->vfs, path, 1));
}

int hf_vfs_read(struct hf_vfs *v, const char *path, void *out, size_t len, uint64_t at)
{
	int err;
	sqlite3_file *f = hf_file_open(v, path, &err);

	return f ? hf_file_close(f, hf_file_read(f, out, len, at)) : err;
}

int hf_vfs_write(struct hf_vfs *v, const char *path, const void *bytes, size_t len, uint64_t at)
{
	sqlite3_file *f;
	int err, rc;

	f = file_open(v, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &err);
	if (!f)
		return err;
	rc = f->pMethods->xWrite(f, bytes, (int)len, (sqlite3_int64)at);
	if (rc == SQLITE_OK)
		rc = f->pMethods->xSync(f, SQLITE_SYNC_NORMAL);
	return hf_file_close(f, hf_sql_map(rc));
}

#define FILL_CHUNK 4096

static int fill(sqlite3_file *f, uint64_t *at, uint64_t size)
{
	uint8_t chunk[FILL_CHUNK];
	uint32_t x = 0x9e3779b9;
	int rc = SQLITE_OK;

	for (size_t i = 0; i < sizeof(chunk); i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		chunk[i] = (uint8_t)x;
	}
	while (*at < size && rc == SQLITE_OK) {
		rc = f->pMethods->xWrite(f, chunk, sizeof(chunk), (sqlite3_int64)*at);
		if (rc == SQLITE_OK)
			*at += sizeof(chunk);
	}
	return rc;
}

int hf_vfs_fill(struct hf_vfs *v, const char *path, uint64_t least, uint64_t size, uint64_t *got)
{
	sqlite3_file *f;
	uint64_t had, at;
	int err, rc;

	*got = 0;
	f = file_open(v, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &err);
	if (!f)
		return err;
	err = hf_file_size(f, &had);
	*got = had;
	if (err || had >= size)
		return hf_file_close(f, err);
	at = had;
	rc = fill(f, &at, size);
	if (hf_sql_map(rc) == HF_EFULL && at >= least)
		rc = f->pMethods->xTruncate(f, (sqlite3_int64)(had > least ? had : least));
	if (rc == SQLITE_OK)
		rc = f->pMethods->xSync(f, SQLITE_SYNC_NORMAL);
	err = hf_sql_map(rc);
	return hf_file_close(f, err ? err : hf_file_size(f, got));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local.h: files and directories below the agent's own directory.
 *
 * Everything is opened beneath one directory descriptor with openat2(2)
 * (RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS): no name leads
 * out and no link is followed. Regular files and directories are taken; links
 * inside a directory are recorded as tree.h has it; sockets, fifos and devices
 * are refused (file.unsafe).
 *
 * A directory with globs ("files" of a model) is the files and links whose path
 * matches one of them: nothing else belongs to the artifact, is looked at or is
 * mounted. Without globs all of it belongs to it, and empty directories too.
 *
 * Files are hashed in several threads, a window of each at a time: memory does
 * not grow with their size. Between hashing and any later reading a file has to
 * stay what it was (device, inode, size, mtime, ctime): else file.changed. At the
 * end of a run the directory is listed again and has to hold what it held
 * (cv_local_same). What a bundle copies is hashed once more on the way
 * (cv_engine_tree), from the names that were listed the first time.
 */
#ifndef CV_LOCAL_H
#define CV_LOCAL_H

#include "verify/conf.h"
#include "verify/tree.h"
#include "trust/base/frame.h"

struct cv_local_opts {
	int base_fd;
	const char *path;             /* relative; "." is the directory itself */
	const struct cv_items *globs; /* NULL or none: everything */
	size_t threads;
	int64_t deadline; /* cv_mono_ms scale, 0 none */
	int cancel_fd;    /* -1 none */
	/* called from any of the threads, one at a time */
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

struct cv_local;

/* cv_local_open: list and hash. On -1 *check is file.unsafe, file.changed,
 * fetch.absent (CV_R_ABSENT: there is no such path), or NULL. */
int cv_local_open(struct cv_local **ret, const struct cv_local_opts *opts, const char **check,
		  struct cv_err *e) cv_must;
void cv_local_free(struct cv_local **l);

bool cv_local_single(const struct cv_local *l);                    /* the path is one file */
const struct cv_digest *cv_local_digest(const struct cv_local *l); /* bytes or tree */
uint64_t cv_local_bytes(const struct cv_local *l);

/* cv_local_tree: the finished tree, to be freed by the caller; NULL for a
 * single file, and the second time. */
struct cv_tree *cv_local_tree(struct cv_local *l);

/* The regular files, sorted by path. A single file has its last component as
 * its path. */
size_t cv_local_count(const struct cv_local *l);
const char *cv_local_name(const struct cv_local *l, size_t i);
const struct cv_digest *cv_local_hash(const struct cv_local *l, size_t i);

/* cv_local_blob: file i, opened again; the caller closes. -1: it is not what was
 * hashed, *check file.changed. */
int cv_local_blob(const struct cv_local *l, size_t i, struct cv_blob *ret, const char **check,
		  struct cv_err *e) cv_must;

/* cv_local_same: it still is what was listed and hashed: the same files, links
 * and directories (with globs: the same that match), none changed, added or
 * gone since. Without globs this holds for the time between, too: what came and
 * went again is seen in its directory's times. -1: *check file.changed, or
 * file.unsafe for something new that would have been refused. */
int cv_local_same(const struct cv_local *l, const char **check, struct cv_err *e) cv_must;

/* cv_local_at: open `path` beneath dir for reading, whatever it is; -1 errno. */
int cv_local_at(int dir, const char *path);

/* cv_local_file: a regular file of at most max bytes beneath dir. 1 opened; 0
 * there is none; -1 with *check. */
int cv_local_file(int dir, const char *path, uint64_t max, struct cv_blob *ret, const char **check,
		  struct cv_err *e) cv_must;

/* cv_local_stopped: -1 CV_R_DEADLINE or CV_R_CANCELLED. */
int cv_local_stopped(int64_t deadline, int cancel_fd, struct cv_err *e) cv_must;

#endif

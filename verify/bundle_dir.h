/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_dir.h: directories that are complete or absent.
 *
 * A directory is filled under a temporary name ".seal-<random>" beside its final
 * one, by a process that holds flock(2) on it; then synced, made read-only and
 * renamed. Whoever comes later removes temporary ones that nobody holds.
 */
#ifndef CV_BUNDLE_DIR_H
#define CV_BUNDLE_DIR_H

#include "trust/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

#define CV_DIR_TEMP 32 /* bytes of a temporary name with its NUL */

/* cv_beneath: openat2(2) that stays below dirfd and follows no symbolic link. */
int cv_beneath(int dirfd, const char *path, int flags, mode_t mode);

/* cv_dir_parents: make the directories that `path` needs, mode 0700. */
int cv_dir_parents(int dirfd, const char *path, struct cv_err *e) cv_must;

/* cv_dir_temp: a new locked temporary directory in parent; *fd is the caller's. */
int cv_dir_temp(int parent, char name[CV_DIR_TEMP], int *fd, struct cv_err *e) cv_must;

/* cv_dir_sweep: remove temporary directories that nobody holds. */
void cv_dir_sweep(int parent);

/* cv_dir_seal: every directory from fd down becomes 0555, and all of it is on
 * the disk. */
int cv_dir_seal(int fd, struct cv_err *e) cv_must;

/* cv_dir_remove: with all that is in it, read-only or not; follows nothing. */
int cv_dir_remove(int parent, const char *name, struct cv_err *e) cv_must;

/* cv_dir_lock: flock(2), shared or alone, given up after a few seconds
 * (CV_R_DEADLINE): whoever may read a directory may hold a lock on it. */
int cv_dir_lock(int fd, bool alone, struct cv_err *e) cv_must;

/* cv_dir_same: the name still leads to the directory that fd is: true of a
 * directory that is locked until its holder lets go of it. */
bool cv_dir_same(int parent, const char *name, int fd);

/* cv_dir_guarded: `path` (absolute, resolved) and each directory above it belong
 * to this user or root, and nobody else may write there (a sticky directory like
 * /tmp is fine above it). CV_R_RULE. */
int cv_dir_guarded(const char *path, struct cv_err *e) cv_must;

#endif

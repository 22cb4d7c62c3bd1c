/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guarded.h: may a file decide for this host? Only if nobody but this user and root can have
 * made it what it is: the file, each directory on its way from the root, and each link on it,
 * belong to one of the two; nobody else may write to the file or to those directories (a
 * sticky one, like /tmp, is fine: entries in it are their owners').
 */
#ifndef CV_GUARDED_H
#define CV_GUARDED_H

#include "trust/base/err.h"

/* cv_guarded: a relative path is below dirfd (AT_FDCWD). CV_R_CONFIG with what is wrong, also
 * if there is no such file. What is then opened by the same path is what was looked at, as far
 * as others are concerned. */
int cv_guarded(int dirfd, const char *path, struct cv_err *e) cv_must;

#endif

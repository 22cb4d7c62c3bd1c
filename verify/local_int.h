/* SPDX-License-Identifier: Apache-2.0 */
/* local_int.h: the inside of local.c and local_hash.c. */
#ifndef CV_LOCAL_INT_H
#define CV_LOCAL_INT_H

#include "trust/base/limits.h"
#include "verify/engine_par.h"
#include "verify/local.h"

#include <sys/stat.h>

#define LOCAL_PATH   (2 * CV_MAX_PATH + 2)
#define LOCAL_WINDOW (256 * 1024)

/* A file, a link or, without globs, a directory. */
struct entry {
	const char *path; /* below the artifact's own path; "" is that path itself */
	const char *target;
	struct stat st; /* as listed; what it has to stay */
	struct cv_digest digest;
};

struct cv_local {
	struct cv_local_opts o;
	const char *path;
	const struct cv_items *globs;
	bool single;
	struct entry *v; /* as found: a directory before what it holds */
	size_t n, cap;
	struct entry **files; /* the regular ones, sorted by path */
	size_t nfiles;
	struct cv_tree *tree;
	struct cv_digest digest;
	struct cv_mem mem;
	char scratch[LOCAL_PATH]; /* while listing: not on a stack of 256 levels */
};

/* cv_local_full: path of an entry below base_fd. */
const char *cv_local_full(const struct cv_local *l, const char *rel, char out[LOCAL_PATH]);

/* cv_local_regular: a regular file, open for reading, and its state. */
int cv_local_regular(int dir, const char *path, struct stat *st, const char **check,
		     struct cv_err *e) cv_must;

bool cv_local_same_file(const struct stat *a, const struct stat *b);
int cv_local_changed(const char *path, const char **check, struct cv_err *e);

/* cv_local_list: fill v; nothing is read or hashed. */
int cv_local_list(struct cv_local *l, const char **check, struct cv_err *e) cv_must;

/* cv_local_hash_all: picks and sorts the regular files and hashes them. */
int cv_local_hash_all(struct cv_local *l, const char **check, struct cv_err *e) cv_must;

#endif
